"""A copy of everything of a node that cannot be rebuilt, taken while it runs, and verified before it counts.

Everything lies in the node's folder but documents that are supplied from elsewhere: these are named.

The order makes it consistent: what may run ahead of a log (transactions, what was cosigned, captures) is
copied before the logs, and what a log refers to (documents) after them. The index is left out: `reindex`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from os.path import normpath, relpath
from pathlib import Path

from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.files import (
    SECRET_MODE,
    TEMPORARY_SUFFIX,
    DamagedFile,
    FileBatch,
    make_folders,
    read_file,
    write_atomically,
)
from testamur.node.log.audit import audit_log
from testamur.node.log.copying import CopiedLog, copy_log
from testamur.node.log.documents import DocumentStore
from testamur.node.log.reader import LogReader
from testamur.node.log.stopped import StoppedLog
from testamur.node.service.config import CONFIG_NAME, NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.opening import APPLICATION_NAME
from testamur.node.service.statements import PublicationStore
from testamur.node.service.supplied import document_files, load_documents
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.entries import EntryKind
from testamur.registry.hashing import sha256
from testamur.registry.timestamps import format_timestamp

MANIFEST_NAME = "backup.json"
MAX_FILE_BYTES = 256 << 20
"""The largest single file of a node: a statement with a thousand populated status lists."""

READ_ENTRIES = 8192
MAX_TRIES = 100
"""A folder whose files come and go, like that of the captures, stands still at least this often."""

Progress = Callable[[str, int, int], None]
"""Told (stage, done, all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What was copied and found sound.

    `outside` are supplied documents that lie elsewhere than in the node's folder, and are not in the backup.
    """

    logs: tuple[CopiedLog, ...]
    documents: int
    files: int
    with_keys: bool
    outside: tuple[Path, ...]


def back_up(
    root: Path,
    config: NodeConfig,
    target: Path,
    *,
    with_keys: bool,
    now: datetime,
    progress: Progress = lambda _stage, _done, _all: None,
) -> Backup:
    """Copy the node in `root` to the new or empty folder `target`, durably, and audit every log of the copy.

    What was accepted before this was called is in it. `backup.json` is written last: without it the copy is
    not complete. Raises ConfigError for a target that holds something and for a document map without which
    the copy would not start, StoreCorrupt when what there is to copy is damaged, StoreUnavailable.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(str(target), "is not an empty folder; a backup never replaces another one")
    make_folders(target, mode=0o700)
    return _Copy(root, target, progress).run(config, with_keys=with_keys, now=now)


class _Copy:
    def __init__(self, root: Path, target: Path, progress: Progress) -> None:
        self._root = root
        self._target = target
        self._source = NodeFolders(root)
        self._copy = NodeFolders(target)
        self._progress = progress
        self._files: dict[str, Json] = {}

    def run(self, config: NodeConfig, *, with_keys: bool, now: datetime) -> Backup:
        source = self._source
        for folder in (source.anchoring, source.witness, source.mirror, source.captures):
            self._copy_folder(folder)
        for path in (self._root / CONFIG_NAME, source.trust, source.tokens):
            self._copy_files([path] if path.exists() else [])
        outside = self._copy_supplied(config)
        logs = [self._copy_log(path.parent) for path in sorted(source.logs.glob("*/log.json"))]
        documents = self._copy_documents()
        self._audit(logs)
        self._copy_hosting(self._logged_documents())
        if with_keys:
            self._copy_folder(source.keys, mode=SECRET_MODE)
        manifest: Json = {
            "type": "NodeBackup",
            "version": 1,
            "registry": config.registry,
            "member": config.member,
            "made": format_timestamp(now),
            "withKeys": with_keys,
            "logs": {log.origin: {"size": log.size, "next": log.next_index} for log in logs},
            "files": self._files,
        }
        write_atomically(self._target / MANIFEST_NAME, canonicalize(manifest))
        return Backup(
            logs=tuple(logs),
            documents=documents,
            files=len(self._files),
            with_keys=with_keys,
            outside=tuple(outside),
        )

    def _copy_log(self, folder: Path) -> CopiedLog:
        self._progress("logs", 0, 0)
        copied = copy_log(folder, self._copy.logs / folder.name)
        self._note(self._copy.logs / folder.name / "journal")
        return copied

    def _copy_supplied(self, config: NodeConfig) -> list[Path]:
        """The document map that a start needs, and its files; those that are outside of the node's folder."""
        if not config.documents:
            return []
        map_file = self._root / config.documents
        load_documents(map_file)
        # By name and not by `resolve`: what a link in the folder leads to is copied like a file.
        names = {relpath(path, self._root) for path in (map_file, *document_files(map_file).values())}
        outside = {name for name in names if Path(name).parts[0] == ".."}
        if not self._copy_files([self._root / name for name in sorted(names - outside)]):
            raise StoreCorrupt(f"{map_file}: a file that it names was removed meanwhile; back up again")
        return [Path(normpath(self._root / name)) for name in sorted(outside)]

    def _copy_hosting(self, logged: set[bytes]) -> None:
        """Applications, and the statements that the copied logs hold: a newer one would be ahead of them."""
        for application in sorted(self._source.hosting.glob(f"*/{APPLICATION_NAME}")):
            statements = application.parent / "statements"
            store = PublicationStore(statements)
            chosen = [
                path
                for path in sorted(statements.glob("*.json"))
                if path.stem.isdigit() and store.get(int(path.stem)).statement.digest in logged
            ]
            self._copy_files([application, *chosen])

    def _logged_documents(self) -> set[bytes]:
        """Digests of all public documents in the copied logs, pending entries included."""
        found = set()
        for path in self._copy.logs.glob("*/log.json"):
            with StoppedLog(LogReader(path.parent)) as log:
                for start in range(0, log.next_index, READ_ENTRIES):
                    for entry in log.read_entries(start, min(READ_ENTRIES, log.next_index - start)):
                        if entry.kind is EntryKind.DOCUMENT:
                            found.add(entry.digest)
        return found

    def _copy_documents(self) -> int:
        """Every document; they are never changed or removed, and their names say what they are."""
        batch, count = FileBatch(), 0
        store = DocumentStore(self._source.documents)
        paths = sorted(self._source.documents.glob("??/*"))
        try:
            for path in paths:
                if path.suffix == TEMPORARY_SUFFIX:
                    continue
                data = store.find(bytes.fromhex(path.parent.name + path.name))
                if data is not None:
                    batch.add(self._copy.documents / path.parent.name / path.name, data)
                    count += 1
                    self._progress("documents", count, len(paths))
            batch.commit()
        finally:
            batch.abandon()
        return count

    def _copy_folder(self, folder: Path, *, mode: int | None = None) -> None:
        """All files of a small folder, as they were at one moment."""
        for _ in range(MAX_TRIES):
            before = list(_files_in(folder))
            if self._copy_files(before, mode=mode) and before == list(_files_in(folder)):
                return
        raise StoreCorrupt(f"{folder}: its files change all the time; stop the node first")

    def _copy_files(self, paths: list[Path], *, mode: int | None = None) -> bool:
        """Copy these files; whether none of them vanished meanwhile."""
        for path in paths:
            data = read_file(path, max_bytes=MAX_FILE_BYTES)
            if data is None:
                return False
            target = self._target / path.relative_to(self._root)
            make_folders(target.parent, mode=0o700 if mode == SECRET_MODE else 0o755)
            write_atomically(target, data, mode=path.stat().st_mode & 0o777 if mode is None else mode)
            self._note(target, data)
        return True

    def _note(self, path: Path, data: bytes | None = None) -> None:
        data = path.read_bytes() if data is None else data
        name = path.relative_to(self._target).as_posix()
        self._files[name] = {"sha256": sha256(data).hex(), "bytes": len(data)}

    def _audit(self, logs: list[CopiedLog]) -> None:
        for folder in sorted(self._copy.logs.iterdir()) if logs else ():
            report = audit_log(
                folder,
                DocumentStore(self._copy.documents),
                progress=lambda done, total: self._progress("audit", done, total),
            )
            if not report.is_sound:
                first = report.findings[0]
                cure = "the log itself is damaged: mend it with `testamur node restore --log`"
                raise DamagedFile(first.path, first.reason, cure)


def _files_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "lock" and path.suffix != TEMPORARY_SUFFIX:
            yield path
