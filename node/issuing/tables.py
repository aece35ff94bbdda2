"""A class list as a spreadsheet exports it: CSV in UTF-8, read row by row, every complaint with its line."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from testamur.registry.errors import MalformedError

MAX_LINE_BYTES = 64 * 1024
"""One line of the file; a file without line ends must not fill the memory."""

MAX_FIELD_CHARACTERS = 8192
"""One cell: a paragraph of feedback fits, a document does not belong into a cell."""

MAX_COLUMNS = 128
"""Columns of one table; templates use about ten."""

MAX_ROWS = 1_000_000
"""Awards in one job: a large university's yearly output, several times."""

COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What can stand between the braces of a template."""

REJECT_COLUMNS = ("rejected-line", "rejected-because")
"""Columns that a rejects file begins with; passed over, so that it can be mended and issued as it is."""

Bad = Callable[[int, "Row", MalformedError], None]
"""(line, what there is of the row, what is wrong with it)"""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """One award: the line it begins on and its number among the rows (from 1), its cells by column name."""

    line: int
    cells: dict[str, str]
    number: int = 0


class Table:
    """The rows of an open CSV file, from its beginning, as often as `rows` is called; one row in memory.

    The header decides the separator: comma, or the semicolon or tab that spreadsheets of other languages
    write. A byte order mark is skipped, cells are stripped, blank lines are passed over.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Reads the header. Raises MalformedError naming `name` and the line."""
        self._file = file
        self.name = name
        self._delimiter = ","
        header = next(self._records(), None)
        if header is None:
            raise MalformedError(name, "is empty: it needs a header and at least one row")
        self._header = self._check_header(header)
        self.columns = tuple(name for name in self._header if name not in REJECT_COLUMNS)

    def rows(self, bad: Bad | None = None) -> Iterator[Row]:
        """Every row. What is wrong with one goes to `bad`, and the next one follows.

        Raises MalformedError naming the line: for a wrong row unless there is `bad`, and for what makes the
        rest of the file unreadable (not UTF-8, a stray quote, a line without end).
        """
        records = self._records()
        next(records, None)
        number = 0
        for line, cells in records:
            number += 1
            where = f"{self.name}, line {line}"
            if number > MAX_ROWS:
                raise MalformedError(where, f"is row {number}; a job has at most {MAX_ROWS}")
            named = zip(self._header, cells, strict=False)
            row = Row(line, {name: cell for name, cell in named if name not in REJECT_COLUMNS}, number)
            problem = self._problem(cells, where)
            if problem is None:
                yield row
            elif bad is None:
                raise problem
            else:
                bad(line, row, problem)
        if not number:
            raise MalformedError(self.name, "has a header and no rows")

    def _problem(self, cells: list[str], where: str) -> MalformedError | None:
        if len(cells) != len(self._header):
            return MalformedError(where, f"has {len(cells)} cells, and the header has {len(self._header)}")
        for number, cell in enumerate(cells, 1):
            if len(cell) > MAX_FIELD_CHARACTERS:
                reason = f"cell {number} has {len(cell)} characters, more than {MAX_FIELD_CHARACTERS}"
                return MalformedError(where, reason)
        return None

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """(line on which it begins, stripped cells) of every record that is not blank."""
        self._file.seek(0)
        lines = self._lines()
        first = next(lines, None)
        if first is None:
            return
        self._delimiter = _delimiter_of(first)
        # strict: a stray quote must not swallow the rest of the file in silence.
        reader = csv.reader(_chain(first, lines), delimiter=self._delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                stripped = [cell.strip() for cell in cells]
                if any(stripped):
                    yield line, stripped
                line = reader.line_num + 1
        except csv.Error as exc:
            raise MalformedError(f"{self.name}, line {line}", f"is not CSV: {exc}") from exc

    def _lines(self) -> Iterator[str]:
        number = 0
        while data := self._file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{self.name}, line {number}"
            if len(data) > MAX_LINE_BYTES:
                raise MalformedError(where, f"is longer than {MAX_LINE_BYTES} bytes")
            if number == 1:
                data = data.removeprefix(_BYTE_ORDER_MARK)
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError as exc:
                reason = f"is not UTF-8 (byte {exc.start + 1} of the line); export the table as CSV UTF-8"
                raise MalformedError(where, reason) from exc
            if "\0" in text:
                raise MalformedError(where, "has a NUL character; export the table as CSV UTF-8")
            yield text

    def _check_header(self, header: tuple[int, list[str]]) -> tuple[str, ...]:
        line, names = header
        where = f"{self.name}, line {line}"
        if len(names) > MAX_COLUMNS:
            raise MalformedError(where, f"has {len(names)} columns, more than {MAX_COLUMNS}")
        for number, name in enumerate(names, 1):
            if not COLUMN_NAME.fullmatch(name):
                reason = f"column {number} is named {name[:40]!r}; names are letters, digits, _ and -"
                raise MalformedError(where, reason)
            if names.index(name) != number - 1:
                raise MalformedError(where, f"has two columns named {name!r}")
        return tuple(names)


def _delimiter_of(header: str) -> str:
    """The separator that the header uses most; a comma when it uses none."""
    return max(_DELIMITERS, key=header.count)


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
