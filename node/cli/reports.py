"""`--report FILE`: one row a file as CSV, JSON or NDJSON, written as the rows come and put in place whole."""

import csv
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Protocol, Self

from testamur.node.cli.rows import Row
from testamur.node.errors import ConfigError
from testamur.registry.canonical import Json

COLUMNS = ("file", "outcome", "status", "achievement", "issuer", "failed_checks", "reasons", "error")

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that starts with one of these is run as a formula by spreadsheets; a title must not be able to."""


class _Format(Protocol):
    def row(self, row: Row) -> None: ...

    def end(self, summary: Mapping[str, Json]) -> None: ...


class _Csv:
    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(COLUMNS)

    def row(self, row: Row) -> None:
        cells = [row.file, row.outcome, row.status, row.achievement, row.issuer]
        cells += ["; ".join(row.failed_checks), "; ".join(row.reasons), row.error]
        self._writer.writerow([f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell for cell in cells])

    def end(self, summary: Mapping[str, Json]) -> None:
        """A table of rows has no place for a summary."""


class _Ndjson:
    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def row(self, row: Row) -> None:
        self._file.write(json.dumps(row.to_json(), ensure_ascii=False) + "\n")

    def end(self, summary: Mapping[str, Json]) -> None:
        """Every line is a row; nothing follows."""


class _Json:
    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._separator = "\n"
        file.write('{"type": "TestamurVerificationReport", "version": 1, "files": [')

    def row(self, row: Row) -> None:
        self._file.write(self._separator + json.dumps(row.to_json(), ensure_ascii=False))
        self._separator = ",\n"

    def end(self, summary: Mapping[str, Json]) -> None:
        self._file.write('\n], "summary": ' + json.dumps(summary) + "}\n")


FORMATS: dict[str, Callable[[IO[str]], _Format]] = {".csv": _Csv, ".json": _Json, ".ndjson": _Ndjson}


class Report:
    """A report under way: `add` every row, then `finish`. Without `finish`, nothing appears.

    Memory does not grow with the rows. Raises ConfigError at once for a name or place that will not do.
    """

    def __init__(self, path: Path) -> None:
        make = FORMATS.get(path.suffix.lower())
        if make is None:
            raise ConfigError("--report", f"{path.name} must end in {', '.join(FORMATS)}")
        if path.is_dir():
            raise ConfigError("--report", f"{path} is a folder")
        self._path = path
        # Not ending in .json: a report inside the folder that is verified is not itself verified.
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            self._file = self._partial.open("x", encoding="utf-8", newline="")
        except OSError as error:
            raise ConfigError("--report", f"{path} cannot be written ({error.strerror})") from error
        self._format: _Format = make(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def add(self, row: Row) -> None:
        """Write one row."""
        self._format.row(row)

    def finish(self, summary: Mapping[str, Json]) -> None:
        """Complete the report and put it in place, replacing an older one."""
        self._format.end(summary)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.replace(self._path)
