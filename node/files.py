"""Files that are whole or absent after a crash, whatever moment it chose.

Every part of the node that writes to disk writes through here. The rules: new content goes to a temporary
name, is synced, takes its final name by one rename, and the folder is synced before anyone is told. Errors
of the operating system become `StoreUnavailable`; nothing is promised about a write that raised.
"""

import contextlib
import errno
import fcntl
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from testamur.node.errors import StoreCorrupt, StoreLocked, StoreUnavailable

TEMPORARY_SUFFIX = ".tmp"
"""End of names that are not yet files. Readers never ask for them; what a crash leaves behind is harmless."""

MAX_BATCH_OPEN_FILES = 64
"""Files of one batch that wait together for their sync: enough to share the disk's work, and few to hold."""

LOCK_POLL_SECONDS = 0.01
"""How often a waiting writer asks for a lock that is held for one write and sync."""

PUBLIC_MODE = 0o644
SECRET_MODE = 0o600

RESTORE = "restore this file from a backup"

_CURES = {
    errno.EACCES: "give this user access to it",
    errno.EPERM: "give this user access to it",
    errno.EROFS: "mount it for writing",
    errno.ENOTDIR: "a part of this path is a file; name another folder",
    errno.ENOSPC: "free space",
    errno.EDQUOT: "free space",
}


class DamagedFile(StoreCorrupt):
    """StoreCorrupt about one file: its `path`, the `reason`, and the `cure` for the operator."""

    def __init__(self, path: Path, reason: str, cure: str = RESTORE) -> None:
        super().__init__(f"{path}: {reason}; {cure}")
        self.path = path
        self.reason = reason
        self.cure = cure


class Disk:
    """The operations that change a disk, one method each, so that a test can stop or fail any one of them."""

    def write(self, descriptor: int, data: bytes) -> None:
        """Append all of `data` at the descriptor's position; raises OSError when only part of it fits."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def fsync(self, descriptor: int) -> None:
        """Return when everything written to the file, or renamed in the folder, survives a power cut."""
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`, in one step, whatever was there."""
        source.replace(target)

    def link(self, source: Path, target: Path) -> None:
        """Give `source` the further name `target`; FileExistsError when that name is taken."""
        os.link(source, target)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(descriptor, size)

    def unlink(self, path: Path) -> None:
        """Remove the file, if it is there."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path, mode: int) -> None:
        """Make one folder; FileExistsError when it is there."""
        path.mkdir(mode)

    def remove_folder(self, path: Path) -> None:
        """Remove one empty folder."""
        path.rmdir()


DISK = Disk()


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Inside, an OSError becomes StoreUnavailable with the name of the file; FileExistsError passes."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as exc:
        cure = _CURES.get(exc.errno or 0, "mend the disk")
        raise StoreUnavailable(f"{path}: {exc.strerror or exc}; {cure}") from exc


def make_folders(path: Path, *, mode: int = 0o755, disk: Disk = DISK) -> None:
    """The folder exists, durably, with all folders above it."""
    if path.is_dir():
        return
    make_folders(path.parent, disk=disk)
    with translated_errors(path):
        try:
            disk.make_folder(path, mode)
        except FileExistsError:
            if not path.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        sync_folder(path.parent, disk=disk)


def sync_folder(path: Path, *, disk: Disk = DISK) -> None:
    """Names given and taken in this folder survive a power cut."""
    with translated_errors(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            disk.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_atomically(
    path: Path, data: bytes | Iterable[bytes], *, mode: int = PUBLIC_MODE, disk: Disk = DISK
) -> None:
    """`path` holds `data` (or its pieces in order), durable on return; before, it holds what it held.

    Not for two writers at once: the caller holds a lock. Raises StoreUnavailable.
    """
    with translated_errors(path):
        temporary = _write_temporary(path, data, mode, disk)
        disk.replace(temporary, path)
    sync_folder(path.parent, disk=disk)


def write_new(path: Path, data: bytes, *, mode: int = PUBLIC_MODE, disk: Disk = DISK) -> None:
    """`path`, which did not exist, holds `data`, durable on return. FileExistsError, StoreUnavailable."""
    with translated_errors(path):
        temporary = _write_temporary(path, data, mode, disk)
        try:
            disk.link(temporary, path)
        finally:
            disk.unlink(temporary)
    sync_folder(path.parent, disk=disk)


def read_file(path: Path, *, max_bytes: int) -> bytes | None:
    """The content, or None when there is no such file. StoreUnavailable; StoreCorrupt when it is larger."""
    try:
        with translated_errors(path), path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except StoreUnavailable as exc:
        if isinstance(exc.__cause__, FileNotFoundError | NotADirectoryError):
            return None
        raise
    if len(data) > max_bytes:
        raise DamagedFile(path, f"is larger than {max_bytes} bytes, which no file of this kind is")
    return data


class FileBatch:
    """Many files written under their names; all of them durable when `commit` returns, in no order before.

    For files that nobody reads until something else points to them. Holds a bounded number in flight.
    """

    def __init__(self, disk: Disk = DISK) -> None:
        self._disk = disk
        self._waiting: dict[Path, tuple[int, Path]] = {}
        self._folders: set[Path] = set()

    def add(self, path: Path, data: bytes, *, mode: int = PUBLIC_MODE) -> None:
        """Write one file, replacing what is there. Raises StoreUnavailable; ValueError for a path twice."""
        if path in self._waiting:
            raise ValueError(f"{path} is in this batch already")
        if path.parent not in self._folders:
            make_folders(path.parent, disk=self._disk)
            self._folders.add(path.parent)
        with translated_errors(path):
            temporary = _temporary_name(path)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            self._waiting[path] = descriptor, temporary
            self._disk.write(descriptor, data)
            if sys.platform == "linux":
                # The kernel may begin to write it out, so that the sync finds less to do.
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        if len(self._waiting) >= MAX_BATCH_OPEN_FILES:
            self._flush()

    def commit(self) -> None:
        """Everything added is durable on return. Raises StoreUnavailable."""
        self._flush()
        for folder in sorted(self._folders):
            sync_folder(folder, disk=self._disk)
        self._folders.clear()

    def abandon(self) -> None:
        """Undo after a failure what has no name of its own yet; files that already have theirs stay."""
        for _, temporary in self._waiting.values():
            with contextlib.suppress(OSError):
                temporary.unlink()
        self._close()

    def _flush(self) -> None:
        # All syncs before the first rename, which would give the next sync more to write.
        for path, (descriptor, _) in self._waiting.items():
            with translated_errors(path):
                self._disk.fsync(descriptor)
        for path, (_, temporary) in self._waiting.items():
            with translated_errors(path):
                self._disk.replace(temporary, path)
        self._close()

    def _close(self) -> None:
        for descriptor, _ in self._waiting.values():
            os.close(descriptor)
        self._waiting.clear()


class FolderLock:
    """This process, and this object in it, owns the folder until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreLocked when another process, or another object here, owns the folder."""
        path = folder / "lock"
        with translated_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, SECRET_MODE)
        try:
            # flock, not lockf: a second owner inside this very process must be refused too.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            owner = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StoreLocked(f"{folder}: in use by process {owner}; stop it first") from exc
        with contextlib.suppress(OSError):
            # Only for the message above; the lock holds without it, on a full disk too.
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Give the folder up; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class FileLock:
    """Between its lines, one writer at a time, of all processes and threads. The lock's file stays."""

    def __init__(self, path: Path, *, timeout_seconds: float) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Raises StoreLocked when it is held for longer than the timeout, StoreUnavailable."""
        with translated_errors(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, SECRET_MODE)
        until = time.monotonic() + self._timeout_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                if time.monotonic() >= until:
                    os.close(descriptor)
                    raise StoreLocked(f"{self._path}: another process holds it; try again") from exc
                time.sleep(LOCK_POLL_SECONDS)
            else:
                self._descriptor = descriptor
                return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self._descriptor)


def _temporary_name(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")


def _write_temporary(path: Path, data: bytes | Iterable[bytes], mode: int, disk: Disk) -> Path:
    temporary = _temporary_name(path)
    with contextlib.suppress(FileNotFoundError):
        # A leftover could have another mode, which O_CREAT would keep.
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        for piece in (data,) if isinstance(data, bytes) else data:
            disk.write(descriptor, piece)
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)
    return temporary
