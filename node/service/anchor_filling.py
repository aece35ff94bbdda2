"""Anchors that the index does not have yet, from the contract's own history.

Every day there are none; after a crash at the wrong moment one, and in a new index all of them.
"""

from collections.abc import Mapping
from pathlib import Path

from testamur.node.chain.capture import read_log_head
from testamur.node.chain.contracts import ContractRefused
from testamur.node.chain.history import read_anchoring_transactions, read_history
from testamur.node.chain.ports import Chain
from testamur.node.errors import StoreCorrupt
from testamur.node.index.keys import Anchor
from testamur.node.index.store import Index
from testamur.node.log.reader import LogReader
from testamur.registry.entries import parse_origin
from testamur.registry.trust import TrustFile


class AnchorFiller:
    """Puts missing anchors of logs into an index. `from_block` is not after the contract's deployment."""

    def __init__(self, client: Chain, contract: bytes, index: Index, *, from_block: int) -> None:
        self._client = client
        self._contract = contract
        self._index = index
        self._from_block = from_block

    async def fill(self, logs: Mapping[str, Path]) -> int:
        """Final anchors of these logs, by origin with the folder of each, are in the index; how many are new.

        What an anchor says is proven, its transaction is the endpoint's word. Raises ChainUnavailable,
        WrongChain, and StoreCorrupt when the contract holds a head that a log does not have.
        """
        final = await self._client.finalized()
        missing: dict[str, list[int]] = {}
        for origin, folder in logs.items():
            log_id = parse_origin(origin).log_id
            try:
                head = await read_log_head(self._client, self._contract, log_id, final)
            except ContractRefused:
                continue  # admitted in a block that is not final yet
            known = {anchor.sequence for anchor in self._index.anchors(origin)}
            sequences = [number for number in range(1, head.sequence + 1) if number not in known]
            if sequences:
                check_anchored(LogReader(folder), head.size, head.root)
                missing[origin] = sequences
        if not missing:
            return 0
        transactions = await read_anchoring_transactions(
            self._client, self._contract, first=self._from_block, last=final.number
        )
        for origin, sequences in missing.items():
            log_id = parse_origin(origin).log_id
            for item in await read_history(
                self._client, self._contract, log_id, sequences, final, transactions=transactions
            ):
                anchor = Anchor(
                    sequence=item.sequence,
                    size=item.record.size,
                    block_number=item.record.block_number,
                    timestamp=item.record.timestamp,
                    statement=item.record.statement,
                    transaction=item.transaction,
                )
                self._index.put_anchor(origin, anchor)
        return sum(map(len, missing.values()))


def first_block(trust: TrustFile, contract: bytes) -> int:
    """The block from which the trust file counts the contract; 0 when it names none."""
    return min((chain.from_block for chain in trust.chains if chain.contract == contract), default=0)


def check_anchored(reader: LogReader, size: int, root: bytes) -> None:
    """The log begins with the tree that the contract holds, published at that size or not.

    The contract takes any extension of its head from whoever has the operator's key. Raises StoreCorrupt.
    """
    if size > reader.size:
        raise StoreCorrupt(
            f"{reader.folder}: the contract holds a head of {size} entries, and this log has {reader.size}: "
            "restore the newest backup, or the rest from a mirror with `testamur node restore --from`"
        )
    try:
        own = reader.get_head(size).checkpoint.root
    except KeyError:
        # Proven first, so that a damaged tile is not taken for another history.
        reader.prove_consistency(size)
        own = reader.tree().root(size)
    if own != root:
        raise StoreCorrupt(
            f"{reader.folder}: the contract holds another root for size {size} than this log: somebody with "
            "the operator's key has anchored another tree; stop, keep all files, and tell the issuer and the "
            "council (docs/operating.md, Disasters)"
        )
