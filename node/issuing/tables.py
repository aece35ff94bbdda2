"""A class list as a spreadsheet exports it: CSV in UTF-8, read row by row, every complaint with its line."""

import csv
import re
from collections.abc import Iterator
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

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """One award: the line it begins on (counted from 1) and its cells by column name."""

    line: int
    cells: dict[str, str]


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
        self.columns = self._check_header(header)

    def rows(self) -> Iterator[Row]:
        """Every row. Raises MalformedError naming the line of the first one that is wrong."""
        records = self._records()
        next(records, None)
        count = 0
        for line, cells in records:
            count += 1
            if count > MAX_ROWS:
                raise MalformedError(
                    f"{self.name}, line {line}", f"is row {count}; a job has at most {MAX_ROWS}"
                )
            if len(cells) != len(self.columns):
                reason = f"has {len(cells)} cells, and the header has {len(self.columns)}"
                raise MalformedError(f"{self.name}, line {line}", reason)
            yield Row(line, dict(zip(self.columns, cells, strict=True)))
        if not count:
            raise MalformedError(self.name, "has a header and no rows")

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
                    self._check_cells(line, stripped)
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

    def _check_cells(self, line: int, cells: list[str]) -> None:
        for number, cell in enumerate(cells, 1):
            if len(cell) > MAX_FIELD_CHARACTERS:
                reason = f"cell {number} has {len(cell)} characters, more than {MAX_FIELD_CHARACTERS}"
                raise MalformedError(f"{self.name}, line {line}", reason)


def _delimiter_of(header: str) -> str:
    """The separator that the header uses most; a comma when it uses none."""
    return max(_DELIMITERS, key=header.count)


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
