"""Where a job's dossiers go: a folder that can be written, and that holds what the job wrote so far."""

import os
import re
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import TEMPORARY_SUFFIX, translated_errors
from testamur.node.issuing import jobs
from testamur.node.issuing.jobs import Job
from testamur.node.issuing.ledger import Ledger
from testamur.node.issuing.planning import CHUNK_ROWS, EXTENSION

_LEFTOVER = re.compile(rf"(.+){re.escape(EXTENSION)}\.(\d{{1,9}}){re.escape(TEMPORARY_SUFFIX)}")


def check_folder(folder: Path, option: str) -> None:
    """Files can be written to the folder, which may have yet to be made. Changes nothing. ConfigError."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        raise ConfigError(option, f"{there} is not a folder; name another one")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(option, f"{there} cannot be written by this user; allow it, or name another folder")


def move_job(ledger: Ledger, job: Job, folder: Path, *, keep: bool) -> None:
    """The job goes on in `folder`: as soon as it has every dossier that was signed, and no foreign file.

    Raises ConfigError otherwise. `keep` records it.
    """
    row = 0
    while page := jobs.files(ledger, job.id, row, CHUNK_ROWS):
        for row, file, is_signed in page:  # noqa: B007 - the last row is where the next page begins
            path = folder / f"{file}{EXTENSION}"
            if is_signed and not path.exists():
                cure = f"name that folder, or move its files to {folder} first ({path.name} is not there)"
                raise ConfigError("--out", f"{job.input} goes into {job.folder}; {cure}")
            if not is_signed and path.exists():
                raise ConfigError("--out", f"{path} exists and is not of this job; choose another folder")
    if keep:
        with ledger.transaction():
            jobs.set_folder(ledger, job.id, str(folder))


def sweep(ledger: Ledger, job: Job, folder: Path) -> None:
    """Half-written dossiers of the job whose process has died are removed. Raises StoreUnavailable."""
    with translated_errors(folder), os.scandir(folder) as entries:
        for entry in entries:
            found = _LEFTOVER.fullmatch(entry.name)
            is_ours = found is not None and jobs.find_row(ledger, job.id, found[1]) is not None
            if found and is_ours and not _is_at_work(int(found[2])):
                (folder / entry.name).unlink(missing_ok=True)


def _is_at_work(process: int) -> bool:
    """Whether another process may still be writing; this one has not begun."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()
