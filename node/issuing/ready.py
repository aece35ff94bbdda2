"""Ready credentials as a registrar's system exports them: a folder of JSON files, one JSON file, or NDJSON.

One document in memory at a time, whatever the size of the folder or of the NDJSON file. A document is a
credential or a dossier; what is wrong with one of them does not hide the next.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from testamur.node.errors import ConfigError
from testamur.node.files import translated_errors
from testamur.node.issuing.tables import MAX_ROWS
from testamur.node.issuing.work import file_digest, file_identity
from testamur.registry.canonical import Json, parse_json
from testamur.registry.dossiers import parse_dossier, split_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MAX_EVIDENCE_BYTES
from testamur.registry.hashing import sha256

MAX_FILE_BYTES = 2 * MAX_EVIDENCE_BYTES
"""One file of a folder, or one line: a credential and evidence, each at its own bound."""

MAX_JSON_BYTES = 16 << 20
"""One JSON file with a list is read whole: some thousand credentials. NDJSON has no such bound."""

SUFFIX = ".json"
NDJSON_SUFFIXES = (".ndjson", ".jsonl")
LONG_SUFFIX = ".credential.json"

Problem = Callable[[int, MalformedError], None]


@dataclass(frozen=True, slots=True)
class Document:
    """One credential as it was found: its number (from 1), where, a file name if it had one of its own."""

    number: int
    where: str
    file: str | None
    credential: dict[str, Json]


class ReadyFiles:
    """The credentials of one input, from the beginning, as often as `documents` is called."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError when there is nothing there, or nothing that could be a credential."""
        self.name = path.name or str(path)
        self._path = path
        self._stack = ExitStack()
        self._file: BinaryIO | None = None
        self._names: list[str] = []
        if path.is_dir():
            self._names = _names_below(path)
            if not self._names:
                raise ConfigError(str(path), f"is a folder without any {SUFFIX} file")
        elif not path.is_file():
            raise ConfigError(str(path), "there is no such file or folder")
        elif not path.name.lower().endswith((SUFFIX, *NDJSON_SUFFIXES)):
            kinds = f"a folder, {SUFFIX} or {', '.join(NDJSON_SUFFIXES)}"
            raise ConfigError(str(path), f"is none of {kinds}; a class list needs --template")
        else:
            with translated_errors(path):
                self._file = self._stack.enter_context(path.open("rb"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def key(self) -> bytes:
        """A digest of every byte of the input, and of the names in a folder."""
        if self._file is not None:
            return file_digest(self._file)
        running = bytes(32)
        for name in self._names:
            with translated_errors(self._path / name), (self._path / name).open("rb") as file:
                running = sha256(running + sha256(os.fsencode(name)) + file_digest(file))
        return running

    def identity(self) -> object:
        """Different once the file is changed, or a file of the folder added, removed or renamed."""
        if self._file is not None:
            return file_identity(self._file)
        with translated_errors(self._path):
            return self._path.stat().st_mtime_ns

    def documents(self, bad: Problem) -> Iterator[Document]:
        """Every credential. What is wrong goes to `bad`; MalformedError for what makes all unreadable."""
        if self._file is None:
            found = self._of_folder(bad)
        elif self._path.name.lower().endswith(NDJSON_SUFFIXES):
            found = self._of_lines(self._file, bad)
        else:
            found = self._of_list(self._file, bad)
        for document in found:
            if document.number > MAX_ROWS:
                raise MalformedError(document.where, f"is credential {document.number}, more than {MAX_ROWS}")
            yield document

    def _of_folder(self, bad: Problem) -> Iterator[Document]:
        for number, name in enumerate(self._names, 1):
            path = self._path / name
            with translated_errors(path), path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
            stem = name.removesuffix(LONG_SUFFIX).removesuffix(SUFFIX).replace(os.sep, "-")
            try:
                yield _document(number, f"{self.name}/{name}", stem, parse_dossier(data)[0])
            except MalformedError as error:
                bad(number, MalformedError(f"{self.name}/{name}", str(error)))

    def _of_lines(self, file: BinaryIO, bad: Problem) -> Iterator[Document]:
        file.seek(0)
        number, is_empty = 0, True
        while line := file.readline(MAX_FILE_BYTES + 1):
            number += 1
            where = f"{self.name}, line {number}"
            if len(line) > MAX_FILE_BYTES:
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_FILE_BYTES)
                bad(number, MalformedError(where, f"is longer than {MAX_FILE_BYTES} bytes"))
                is_empty = False
            elif line.strip():
                is_empty = False
                try:
                    yield _document(number, where, None, parse_dossier(line.strip())[0])
                except MalformedError as error:
                    bad(number, MalformedError(where, str(error)))
        if is_empty:
            raise MalformedError(self.name, "is empty: it needs a credential on each line")

    def _of_list(self, file: BinaryIO, bad: Problem) -> Iterator[Document]:
        file.seek(0)
        data = file.read(MAX_JSON_BYTES + 1)
        if len(data) > MAX_JSON_BYTES:
            raise MalformedError(
                self.name, f"is larger than {MAX_JSON_BYTES} bytes; write NDJSON, one credential a line"
            )
        parsed = parse_json(data, subject=self.name, max_bytes=MAX_JSON_BYTES)
        items = parsed if isinstance(parsed, list) else [parsed]
        if not items:
            raise MalformedError(self.name, "is an empty list")
        alone = None if isinstance(parsed, list) else self._path.name
        stem = alone.removesuffix(LONG_SUFFIX).removesuffix(SUFFIX) if alone else None
        for number, item in enumerate(items, 1):
            where = self.name if alone else f"{self.name}, credential {number}"
            try:
                yield _document(number, where, stem, split_dossier(item)[0])
            except MalformedError as error:
                bad(number, MalformedError(where, str(error)))


def _document(number: int, where: str, file: str | None, credential: Json) -> Document:
    if not isinstance(credential, dict):
        raise MalformedError("file", "holds evidence but no credential")
    return Document(number, where, file, credential)


def _names_below(folder: Path) -> list[str]:
    """Every `.json` file below the folder, sorted; links are not followed, pipes not opened."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            path = Path(place) / name
            if name.lower().endswith(SUFFIX) and path.is_file() and not path.is_symlink():
                found.append(str(path.relative_to(folder)))
    return sorted(found)
