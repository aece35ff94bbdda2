"""What a job is made of: items, checked one by one, and signed one by one, always to the same bytes."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from testamur.node.issuing.awards import Desk
from testamur.node.issuing.jobs import Award
from testamur.node.issuing.tables import Row, Table
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256

Bad = Callable[[int, Mapping[str, str], MalformedError], None]
"""(line or item, the row's cells if it has any, what is wrong with it)"""


@dataclass(frozen=True, slots=True)
class Item:
    """One award to be: its number in the input (from 1), its line, where that is, and its content."""

    number: int
    line: int
    where: str
    content: Any
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An item whose credential may be signed and logged.

    `learner` is equal for two items that are awarded to the same person, as far as can be told; `token` and
    `is_signed` are as in `jobs.Planned`. `logged_before` says, for people, that there is nothing to do.
    """

    file: str
    learner: bytes
    token: bytes | None = None
    is_signed: bool = False
    logged_before: str | None = None


class Work(Protocol):
    """One input with all that is needed to issue it. Memory does not grow with the number of its items."""

    name: str
    """Of the input, for people."""
    template: str
    """Name of the template, empty without one."""
    columns: tuple[str, ...]
    """Of a table; none otherwise."""

    def key(self) -> bytes:
        """What makes two inputs the same, byte for byte."""

    def identity(self) -> object:
        """Different once somebody has changed the input."""

    def items(self, bad: Bad) -> Iterator[Item]:
        """Every item in order, from the beginning; what is wrong goes to `bad`. Raises MalformedError."""

    def check(self, item: Item, started: str) -> Checked:
        """The item is in order. Raises MalformedError naming it."""

    def sign(self, item: Item, award: Award, started: str) -> bytes:
        """The signed credential in canonical form; the same bytes for the same award."""


class TableWork:
    """A class list and a template: a credential for each row."""

    def __init__(self, file: BinaryIO, name: str, desk: Desk) -> None:
        """Reads the header. Raises MalformedError, also when the template names other columns."""
        self.name = name
        self.template = desk.template.name
        self._file = file
        self._desk = desk
        self._table = Table(file, name)
        self.columns = self._table.columns
        desk.template.check_columns(self.columns, name)

    def key(self) -> bytes:
        """See Work."""
        return sha256(self._desk.template.digest_source) + file_digest(self._file)

    def identity(self) -> object:
        """See Work."""
        return file_identity(self._file)

    def items(self, bad: Bad) -> Iterator[Item]:
        """See Work."""
        for row in self._table.rows(lambda line, row, problem: bad(line, row.cells, problem)):
            yield Item(row.number, row.line, f"{self.name}, line {row.line}", row, row.cells)

    def check(self, item: Item, started: str) -> Checked:
        """See Work."""
        row: Row = item.content
        filled, file_name = self._desk.check(row, item.number, started, item.where)
        return Checked(file=file_name, learner=learner_of(filled.credential, row.cells))

    def sign(self, item: Item, award: Award, started: str) -> bytes:
        """See Work."""
        return self._desk.sign(item.content, award, started)


def learner_of(credential: Mapping[str, Json], cells: Mapping[str, str]) -> bytes:
    """Equal for the same learner: a digest of the id, else of identifiers and name, else of every cell."""
    subject = credential.get("credentialSubject")
    known: Json = None
    if isinstance(subject, dict):
        known = subject.get("id") or [subject.get("identifier"), subject.get("name")]
    if known in (None, [None, None]):
        known = dict(cells)
    return sha256(canonicalize(known))


def file_digest(file: BinaryIO) -> bytes:
    """A chained hash of the file in pieces, so that a large one is never in memory."""
    file.seek(0)
    running = bytes(32)
    while piece := file.read(1 << 20):
        running = sha256(running + piece)
    return running


def file_identity(file: BinaryIO) -> tuple[int, int]:
    """Size and time of the last change."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
