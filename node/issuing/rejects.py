"""Rows that cannot be issued: counted, told, and written where they can be mended and issued alone."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from testamur.node.files import SECRET_MODE, translated_errors
from testamur.node.issuing.tables import REJECT_COLUMNS
from testamur.registry.errors import MalformedError

MAX_TOLD = 20
"""Rows that are named in words; a table that is wrong throughout is wrong in one way."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A reason that quotes a cell must not become a formula when the file is opened in a spreadsheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One row that was not issued: the line (or item) it is on, and why not."""

    line: int
    where: str
    reason: str


class RowsRejected(MalformedError):
    """Rows are wrong, and nothing was signed.

    `rejects` are the first ones, `count` is how many there are, `path` the file that has them all.
    """

    def __init__(self, rejects: tuple[Reject, ...], count: int, path: Path | None) -> None:
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(rejects[0].where, rejects[0].reason + more)
        self.rejects = rejects
        self.count = count
        self.path = path


class Rejects:
    """What was rejected in one job. A table's rejects are a table again; those of documents are NDJSON.

    The file holds what the input holds, so only its owner can read it (0600). It is written as rows come,
    and appears only if there is one.
    """

    def __init__(self, path: Path | None, columns: tuple[str, ...]) -> None:
        """`path` is where to write them; None counts only. `columns` are those of a table, or none."""
        self.path = path
        self.count = 0
        self.first: list[Reject] = []
        self._columns = columns
        self._write: Callable[[str], object] | None = None
        self._close: Callable[[], None] = lambda: None

    def add(self, line: int, cells: Mapping[str, str], problem: MalformedError) -> None:
        """One more. Raises StoreUnavailable when the file cannot be written."""
        self.count += 1
        if len(self.first) < MAX_TOLD:
            self.first.append(Reject(line=line, where=problem.subject, reason=problem.reason))
        if self.path is None:
            return
        with translated_errors(self.path):
            if self._write is None:
                self._open(self.path)
            if self._write is not None:
                self._write(self._row(line, cells, problem))

    @property
    def in_order(self) -> tuple[Reject, ...]:
        """The first ones by their lines; a whole chunk is read before its rows are looked at."""
        return tuple(sorted(self.first, key=lambda reject: reject.line))

    def close(self) -> None:
        """Nothing more comes. Raises StoreUnavailable."""
        if self.path is not None:
            with translated_errors(self.path):
                self._close()

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(SECRET_MODE)
        file = path.open("w", encoding="utf-8", newline="")
        self._write, self._close = file.write, file.close
        if self._columns:
            file.write(_csv_line([*REJECT_COLUMNS, *self._columns]))

    def _row(self, line: int, cells: Mapping[str, str], problem: MalformedError) -> str:
        if not self._columns:
            return json.dumps({"line": line, "where": problem.subject, "reason": problem.reason}) + "\n"
        reason = problem.reason
        told = f"'{reason}" if reason.startswith(FORMULA_STARTS) else reason
        return _csv_line([str(line), told, *(cells.get(name, "") for name in self._columns)])


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
