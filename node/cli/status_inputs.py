"""What `revoke`, `suspend` and `reinstate` are asked about: dossiers, digests, or a CSV file of thousands."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.output import read_input
from testamur.node.errors import ConfigError
from testamur.registry.credentials import credential_digest, parse_credential
from testamur.registry.dossiers import parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import decode_digest
from testamur.registry.timestamps import parse_timestamp

if TYPE_CHECKING:
    from testamur.node.issuing.workspace import Workspace

MAX_TABLE_BYTES = 256 << 20
"""A million rows with a note each; more is another file."""

MAX_ROWS = 1_000_000
"""Changes in one statement: more than any list has entries in use."""

MAX_FOLDERS_NAMED = 8
"""In a reason; whoever has more classes with files of one name gives the digest."""

COLUMNS = ("digest", "dossier", "reason", "effective", "note")
DOSSIER_ENDING = ".credential.json"

_DIGEST = re.compile(r"u[A-Za-z0-9_-]{43}|[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One credential whose status shall change; what a row says of it outranks the options."""

    digest: bytes
    where: str
    reason: str | None = None
    effective: datetime | None = None
    note: str | None = None
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A row or an argument that names no credential, and why."""

    where: str
    reason: str


def read_wanted(arguments: Sequence[str], workspace: "Workspace") -> Iterator[Wanted | Unusable]:
    """Every credential that the arguments name, in their order.

    A CSV file has a header with `digest` or `dossier`, and may have `reason`, `effective` and `note`. A
    dossier that is not there is looked for in the ledger by its file name. Raises ConfigError for an argument
    that cannot be read as a whole.
    """
    for argument in arguments:
        if _DIGEST.fullmatch(argument):
            yield Wanted(digest=parse_digest(argument), where=argument)
        elif argument.lower().endswith(".csv"):
            yield from _table(Path(argument), workspace)
        else:
            yield _dossier(argument, Path(), argument, workspace)


def parse_digest(text: str) -> bytes:
    """A digest in multibase `u` or in hexadecimal. Raises MalformedError."""
    return decode_digest(text) if text.startswith("u") else bytes.fromhex(text)


def parse_moment(text: str, name: str) -> datetime:
    """An aware moment. Raises ConfigError naming the option or the column."""
    try:
        return parse_timestamp(text, name)
    except MalformedError as error:
        raise ConfigError(name, f"{error.reason}, such as 2026-03-01T12:00:00Z") from error


def _table(path: Path, workspace: "Workspace") -> Iterator[Wanted | Unusable]:
    try:
        text = read_input(path, max_bytes=MAX_TABLE_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(path, header)
        for count, cells in enumerate(reader, 1):
            if count > MAX_ROWS:
                raise ConfigError(str(path), f"has more than {MAX_ROWS} rows; split it")
            where = f"{path.name}:{reader.line_num}"
            if any(cell.strip() for cell in cells):
                yield _row(where, header, cells, path.parent, workspace)
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num}", f"is not CSV ({error})") from error


def _check_header(path: Path, header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or len(set(header)) != len(header) or not {"digest", "dossier"} & set(header):
        found = f"; this one has {', '.join(header)}"[:200] if header else "; this file is empty"
        raise ConfigError(
            str(path), f"needs a header with digest or dossier, and may have reason, effective, note{found}"
        )


def _row(
    where: str, header: list[str], cells: list[str], folder: Path, workspace: "Workspace"
) -> Wanted | Unusable:
    if len(cells) != len(header):
        return Unusable(where=where, reason=f"has {len(cells)} cells, the header {len(header)}")
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    try:
        effective = parse_moment(row["effective"], "effective") if row.get("effective") else None
        text = row.get("digest", "")
        if text:
            if not _DIGEST.fullmatch(text):
                return Unusable(
                    where=where, reason=f"{text[:80]!r} is no digest (u… or 64 hexadecimal digits)"
                )
            found: Wanted | Unusable = Wanted(digest=parse_digest(text), where=where)
        elif row.get("dossier"):
            found = _dossier(row["dossier"], folder, where, workspace)
        else:
            return Unusable(where=where, reason="names no credential")
    except (ConfigError, MalformedError) as error:
        return Unusable(where=where, reason=str(error))
    if isinstance(found, Unusable):
        return found
    return Wanted(
        digest=found.digest,
        where=where,
        reason=row.get("reason") or None,
        effective=effective,
        note=row.get("note") or None,
        issued_at=found.issued_at,
    )


def _dossier(written: str, folder: Path, where: str, workspace: "Workspace") -> Wanted | Unusable:
    path = folder / written
    if not path.exists():
        return _by_name(Path(written), folder, where, workspace)
    try:
        credential, _ = parse_dossier(read_input(path))
        if credential is None:
            return Unusable(where=where, reason="holds evidence but no credential")
        issued_at = parse_credential(credential).valid_from
        return Wanted(digest=credential_digest(credential), where=where, issued_at=issued_at)
    except (ConfigError, MalformedError) as error:
        return Unusable(where=where, reason=error.reason)


def _by_name(written: Path, folder: Path, where: str, workspace: "Workspace") -> Wanted | Unusable:
    """A dossier that was given away: the ledger knows what it was called, and in which folder it was.

    Names are numbers of rows where nobody chose others: a folder that is named has to be the job's.
    """
    stem = written.name.removesuffix(DOSSIER_ENDING)
    rows = workspace.ledger.run(
        "SELECT credentials.digest, jobs.folder FROM credentials JOIN jobs ON jobs.id = credentials.job"
        " WHERE credentials.file = ? AND credentials.digest IS NOT NULL",
        (stem,),
    )
    is_bare, place = written.parent == Path(), (folder / written).parent.resolve()
    meant = [row for row in rows if is_bare or Path(row[1]).resolve() == place]
    if len(meant) == 1:
        return Wanted(digest=bytes(meant[0][0]), where=where)
    if meant:
        reason = f"several credentials were called {stem}; give the digest of the one that is meant"
    elif rows:
        folders = ", ".join(sorted({str(row[1]) for row in rows})[:MAX_FOLDERS_NAMED])
        reason = f"there is no such file; a credential of that name was written to {folders}"
    else:
        reason = "there is no such file, and no credential in the ledger was called so"
    return Unusable(where=where, reason=reason)
