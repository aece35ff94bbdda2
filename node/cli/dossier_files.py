"""Which files a folder argument of `verify` means, in an order that does not depend on the machine."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testamur.node.cli.output import STANDARD_INPUT, Source
from testamur.node.errors import ConfigError

SUFFIX = ".json"
"""Dossiers and bare credentials are JSON files; a picture beside them is nobody's credential."""

CREDENTIAL_SUFFIXES = (".credential.json", ".presentation.json")
"""What ends so claims to be one, and is damaged when it is none."""

MAX_FILES = 1_000_000
"""All that a large university awards in a decade; more is more likely a mistake (`/`) than a class."""

MAX_FOLDER_DEPTH = 32
"""Folders inside folders; deeper ones are reported, not entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file to verify, or a place that cannot be looked into and why."""

    path: Source
    problem: str | None = None
    in_folder: bool = False

    @property
    def may_be_other(self) -> bool:
        """Whether nobody says that it is a credential: neither who named a folder, nor its own name."""
        return self.in_folder and not str(self.path).lower().endswith(CREDENTIAL_SUFFIXES)


def is_folder(argument: Source) -> bool:
    """Whether an argument names a folder; a link to one counts, because the user named it."""
    return str(argument) != STANDARD_INPUT and os.path.isdir(argument)  # noqa: PTH112  (never raises)


def find_files(arguments: tuple[Source, ...], *, leave_out: Path | None = None) -> Iterator[Found]:
    """The files that the arguments mean: a file is itself, a folder is every `.json` file below it.

    Folders are walked in the order of names, one listing in memory per level. Symbolic links inside them are
    not followed and pipes and devices not opened, so that nobody's folder can lead the verifier elsewhere,
    round in circles, or make it wait for ever. `leave_out` is the report that is being written.
    """
    for argument in arguments:
        if isinstance(argument, Path) and is_folder(argument):
            yield from _walk(argument, leave_out.absolute() if leave_out else None, MAX_FOLDER_DEPTH)
        else:
            yield Found(path=argument)


def count_files(arguments: tuple[Source, ...], *, leave_out: Path | None = None) -> int:
    """How many rows there will be. Raises ConfigError for an empty folder, and beyond `MAX_FILES`."""
    total = 0
    for argument in arguments:
        before = total
        for _ in find_files((argument,), leave_out=leave_out):
            total += 1
            if total > MAX_FILES:
                raise ConfigError(str(argument), f"holds more than {MAX_FILES} files; name a part of it")
        if total == before:
            raise ConfigError(str(argument), f"is a folder without any {SUFFIX} file")
    return total


def _walk(folder: Path, leave_out: Path | None, depth: int) -> Iterator[Found]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(
                (entry.name, entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False))
                for entry in entries
            )
    except OSError as error:
        yield Found(path=folder, problem=f"cannot be listed ({error.strerror})")
        return
    for name, is_folder, is_file in listed:
        path = folder / name
        if is_folder and depth == 0:
            yield Found(path=path, problem=f"lies more than {MAX_FOLDER_DEPTH} folders deep; not entered")
        elif is_folder:
            yield from _walk(path, leave_out, depth - 1)
        elif is_file and name.lower().endswith(SUFFIX) and path.absolute() != leave_out:
            yield Found(path=path, in_folder=True)
