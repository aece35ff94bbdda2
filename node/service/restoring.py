"""A backup in place of a stopped node: verified first, and never a log's past over its present."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.files import (
    DamagedFile,
    FileBatch,
    FolderLock,
    make_folders,
    read_file,
    sync_folder,
    translated_errors,
)
from testamur.node.log.audit import audit_log
from testamur.node.log.documents import DocumentStore
from testamur.node.log.heads import Heads
from testamur.node.log.journal import salvage_records
from testamur.node.log.layout import LogFolder, find_identity
from testamur.node.log.sources import MAX_JOURNAL_BYTES
from testamur.node.service.backup import MANIFEST_NAME, MAX_FILE_BYTES, Progress
from testamur.node.service.config import CONFIG_NAME, NodeConfig, load_config
from testamur.node.service.folders import NodeFolders
from testamur.node.service.supplied import load_documents
from testamur.registry.canonical import parse_json
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.shapes import Shape

MAX_MANIFEST_BYTES = 64 << 20
MAX_COPIED_BYTES = max(MAX_FILE_BYTES, MAX_JOURNAL_BYTES)
OTHER_BACKUP = "use another backup"

STAGED, REPLACED = ".restoring", ".replaced-"
"""What follows the node's folder in the names of its two neighbours: the copy to be, and what was there."""

NEWER_HERE = "a log never goes back; mend what is damaged in it with `--log`"
TWO_HISTORIES = "keep both, and tell the issuer and the council (docs/operating.md, Disasters)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What is in place now.

    `replaced` is where the folder that was there has gone, if there was one; `documents_problem` says which
    supplied document a start will miss, because it was not in the backup.
    """

    logs: tuple[tuple[str, int], ...]
    with_keys: bool
    replaced: Path | None
    documents_problem: str | None


def restore(
    root: Path,
    source: Path,
    *,
    now: datetime,
    progress: Progress = lambda _stage, _done, _all: None,
) -> Restored:
    """Put the backup `source` in place of the node in `root`, which is kept beside it under another name.

    Everything is verified, and the copy is durable, before anything is moved; a run that was killed is
    finished by another one. Keys that are not in the backup are taken over from `root`. Raises ConfigError
    when the backup is of another node, incomplete, or older than what is here, StoreCorrupt (file and cure)
    when it is damaged, StoreLocked while the node runs, StoreUnavailable.
    """
    manifest = _manifest(source)
    config = load_config(source)
    sizes = _verify(source, manifest, progress)
    # A run that died between its two renames left the node that was here under its new name alone.
    here = root if root.exists() else _newest_replaced(root)
    with ExitStack() as stack:
        if here is not None:
            _own(here, stack)
            _refuse_other(here, source, config)
            _refuse_older(here, source)
        staged = root.with_name(root.name + STAGED)
        with translated_errors(staged):
            if staged.exists():
                shutil.rmtree(staged)
        _copy(source, staged)
        (staged / MANIFEST_NAME).unlink()
        _verify(staged, manifest, progress)
        with_keys = NodeFolders(staged).keys.is_dir()
        if here is not None and not with_keys and NodeFolders(here).keys.is_dir():
            _copy(NodeFolders(here).keys, NodeFolders(staged).keys)
        with translated_errors(root):
            if here == root:
                here = root.with_name(f"{root.name}{REPLACED}{now:%Y%m%dT%H%M%SZ}")
                root.rename(here)
            staged.rename(root)
        sync_folder(root.parent)
    return Restored(
        logs=tuple(sorted(sizes.items())),
        with_keys=with_keys,
        replaced=here,
        documents_problem=_documents_problem(root, config),
    )


def _newest_replaced(root: Path) -> Path | None:
    """What the newest restore put aside, if there was one."""
    beside = (path for path in root.parent.glob("*") if path.name.startswith(root.name + REPLACED))
    return max(beside, default=None)


def _copy(source: Path, target: Path) -> None:
    """Every file below `source`, with its mode, durably below the new folder `target`."""
    batch = FileBatch()
    try:
        for path in (source, *sorted(source.rglob("*"))):
            copy, mode = target / path.relative_to(source), path.stat().st_mode & 0o777
            if path.is_dir():
                make_folders(copy, mode=mode)
                continue
            data = read_file(path, max_bytes=MAX_COPIED_BYTES)
            if data is None:
                raise DamagedFile(path, "was removed meanwhile", OTHER_BACKUP)
            batch.add(copy, data, mode=mode)
        batch.commit()
    finally:
        batch.abandon()


def _documents_problem(root: Path, config: NodeConfig) -> str | None:
    try:
        load_documents(root / config.documents if config.documents else None)
    except ConfigError as error:
        return str(error)
    return None


def _manifest(source: Path) -> Shape:
    path = source / MANIFEST_NAME
    data = read_file(path, max_bytes=MAX_MANIFEST_BYTES)
    if data is None:
        raise ConfigError(str(source), f"has no {MANIFEST_NAME}: it is no backup, or not a complete one")
    try:
        shape = Shape(parse_json(data, subject="backup", max_bytes=MAX_MANIFEST_BYTES), "backup")
        shape.expect("type", "NodeBackup")
        shape.expect("version", 1)
    except MalformedError as error:
        raise DamagedFile(path, str(error), OTHER_BACKUP) from error
    return shape


def _verify(folder: Path, manifest: Shape, progress: Progress) -> dict[str, int]:
    """Every file is the one that was copied, and every log is sound; the logs' sizes. Raises StoreCorrupt."""
    try:
        listed = manifest.shape("files")
        for name in listed.unknown():
            path = folder / name
            data = read_file(path, max_bytes=MAX_COPIED_BYTES)
            if data is None or sha256(data).hex() != listed.shape(name).text("sha256"):
                raise DamagedFile(path, "is missing" if data is None else "is damaged", OTHER_BACKUP)
    except MalformedError as error:
        raise DamagedFile(folder / MANIFEST_NAME, str(error), OTHER_BACKUP) from error
    sizes = {}
    folders = NodeFolders(folder)
    for path in sorted(folders.logs.glob("*")):
        report = audit_log(
            path,
            DocumentStore(folders.documents),
            progress=lambda done, total: progress("audit", done, total),
        )
        if not report.is_sound:
            raise DamagedFile(report.findings[0].path, report.findings[0].reason, OTHER_BACKUP)
        sizes[report.origin] = report.size
    return sizes


def _own(root: Path, stack: ExitStack) -> None:
    """Nobody runs the node in `root` meanwhile. Raises StoreLocked."""
    folders = NodeFolders(root)
    logs = sorted(folders.logs.glob("*"))
    for folder in (folders.witness, folders.mirror, *logs):
        if folder.is_dir():
            stack.callback(FolderLock(folder).release)


def _refuse_other(root: Path, source: Path, config: NodeConfig) -> None:
    """The backup, of the node of `config`, is of the node that is here. Raises ConfigError."""
    if (root / CONFIG_NAME).exists():
        here = load_config(root)
        if (here.registry, here.member) != (config.registry, config.member):
            where = f"{here.member} of {here.registry}"
            raise ConfigError(str(source), f"is not a backup of {where}, which is in {root}")


def _refuse_older(root: Path, source: Path) -> None:
    """No log here has signed or promised more than the backup holds. Raises ConfigError."""
    for path in sorted(NodeFolders(root).logs.glob("*")):
        kept = NodeFolders(source).logs / path.name
        here, there = _newest(path), _newest(kept)
        if here is not None and (there is None or there.checkpoint.size < here.checkpoint.size):
            size = 0 if there is None else there.checkpoint.size
            reason = f"ends at {size}, and {path} has signed {here.checkpoint.size}: {NEWER_HERE}"
            raise ConfigError(str(kept), reason)
        is_same_size = here and there and here.checkpoint.size == there.checkpoint.size
        if here and there and is_same_size and here.checkpoint != there.checkpoint:
            raise StoreCorrupt(f"{kept}: is another history than {path}; {TWO_HISTORIES}")
        promised, held = _next_index(path), _next_index(kept)
        if promised > held:
            reason = f"holds entries up to {held}, and {path} has promised {promised}: {NEWER_HERE}"
            raise ConfigError(str(kept), reason)


def _newest(folder: Path) -> SignedCheckpoint | None:
    """The newest head in a log's folder that its key has signed, damaged or not in all the rest."""
    files = LogFolder(folder)
    try:
        identity = find_identity(files)
    except StoreCorrupt:
        return None
    if identity is None:
        return None
    heads = Heads(files, identity)
    largest = max(files.checkpoint_sizes(), default=0)
    finders = (heads.find_signed, heads.find_published, lambda: heads.find_at(largest))
    found = [_quiet(find) for find in finders]
    return max((head for head in found if head), key=lambda head: head.checkpoint.size, default=None)


def _quiet(find: Callable[[], SignedCheckpoint | None]) -> SignedCheckpoint | None:
    try:
        return find()
    except StoreCorrupt:
        return None


def _next_index(folder: Path) -> int:
    """What the log in a folder has promised, as far as its journal can tell."""
    data = read_file(LogFolder(folder).journal, max_bytes=MAX_JOURNAL_BYTES)
    return 0 if data is None else salvage_records(data)[1]
