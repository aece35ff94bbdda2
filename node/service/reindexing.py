"""A new index from the files of a stopped node, and from the chain as far as it can be reached.

Killed at any moment, a node that is started goes on with it: the rows carry their own cursors.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from testamur.node.errors import ChainUnavailable, ConfigError
from testamur.node.files import FolderLock, read_file
from testamur.node.index.store import Index
from testamur.node.log.documents import DocumentStore
from testamur.node.log.reader import LogReader
from testamur.node.log.stopped import StoppedLog
from testamur.node.service.anchor_filling import AnchorFiller, first_block
from testamur.node.service.chain_access import contract_of, open_chain
from testamur.node.service.chain_tasks import FINAL_BLOCK
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.log_evidence import CaptureStore
from testamur.node.service.projecting import project
from testamur.registry.entries import parse_origin
from testamur.registry.evidence import parse_evidence
from testamur.registry.evm.anchors import parse_anchor
from testamur.registry.evm.headers import parse_header
from testamur.registry.trust import MAX_TRUST_FILE_BYTES, TrustFile, parse_trust_file

Progress = Callable[[str, int, int], None]
"""Told (stage, done, all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedLog:
    """One log in the new index."""

    origin: str
    entries: int
    anchors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindexed:
    """The new index. `chain_problem` says why anchors are missing, which the running node fills then."""

    logs: tuple[IndexedLog, ...]
    chain_problem: str | None


async def reindex(
    root: Path, config: NodeConfig, *, progress: Progress = lambda _stage, _done, _all: None
) -> Reindexed:
    """Throw the index of the stopped node in `root` away, and build it again.

    Needs no key. Raises StoreLocked while the node runs, StoreCorrupt for a log that cannot be read (mend it
    with `testamur node restore`), StoreUnavailable.
    """
    folders = NodeFolders(root)
    logs = sorted(
        (LogReader(path.parent) for path in folders.logs.glob("*/log.json")), key=lambda log: log.origin
    )
    with ExitStack() as stack:
        for log in logs:
            stack.callback(FolderLock(log.folder).release)
        Index.destroy(folders.index)
        index = Index(folders.index)
        stack.callback(index.close)
        documents = DocumentStore(folders.documents)
        for log in logs:
            with StoppedLog(log) as stopped:
                shown = partial(progress, parse_origin(log.origin).slug)
                project(index, documents, stopped, progress=shown)
        _restore_final_block(index, folders, logs)
        problem = await _fill(index, folders, config, logs, progress)
        return Reindexed(
            logs=tuple(
                IndexedLog(
                    origin=log.origin,
                    entries=index.projected_size(log.origin),
                    anchors=len(index.anchors(log.origin)),
                )
                for log in logs
            ),
            chain_problem=problem,
        )


def _restore_final_block(index: Index, folders: NodeFolders, logs: list[LogReader]) -> None:
    """The newest block that was seen as final, from the captures: the chain must still hold it."""
    newest: tuple[int, bytes] | None = None
    for log in logs:
        captured = CaptureStore(folders.capture(parse_origin(log.origin))).newest()
        for anchor in parse_evidence(captured[1]).anchors if captured else ():
            header = parse_header(parse_anchor(anchor).header)
            newest = max(newest or (0, b""), (header.number, header.hash))
    if newest is not None:
        index.put_meta(FINAL_BLOCK, newest[0].to_bytes(8, "big") + newest[1])


async def _fill(
    index: Index, folders: NodeFolders, config: NodeConfig, logs: list[LogReader], progress: Progress
) -> str | None:
    """Fill the anchors in; or why not."""
    try:
        contract, trust = contract_of(config), _trust(folders)
        client = open_chain(config, trust=trust)
        try:
            await client.check()
            await client.check_contract(contract)
            progress("anchors", 0, 0)
            filler = AnchorFiller(client, contract, index, from_block=first_block(trust, contract))
            await filler.fill({log.origin: log.folder for log in logs})
        finally:
            await client.close()
    except (ChainUnavailable, ConfigError) as error:
        return str(error)
    return None


def _trust(folders: NodeFolders) -> TrustFile:
    data = read_file(folders.trust, max_bytes=MAX_TRUST_FILE_BYTES)
    if data is None:
        raise ConfigError(str(folders.trust), "is missing, and with it where the contract's history begins")
    return parse_trust_file(data)
