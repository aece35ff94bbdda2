"""The node in numbers, for its metrics."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping

from testamur.node.errors import NodeError
from testamur.node.index.store import Index
from testamur.node.service.chain_tasks import FINAL_BLOCK
from testamur.node.service.hostings import Hosting
from testamur.node.service.metrics import LogFigures, NodeFigures
from testamur.node.service.node import Node
from testamur.node.service.roles import OPERATOR

BALANCE_SECONDS = 60.0
"""How long a balance counts as known: metrics are asked for every few seconds, and a chain is slow."""

BALANCE_TIMEOUT_SECONDS = 2.0


class Figures:
    """Reads the node's numbers; counts what nobody else does."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.submissions: Counter[str] = Counter()
        self._balance: int | None = None
        self._balance_at = float("-inf")

    async def read(self, parts: Mapping[str, str]) -> NodeFigures:
        """Everything as of now. What the chain does not tell in time is unknown."""
        hostings = dict(self._node.hostings)
        logs = await asyncio.to_thread(self._logs, hostings)
        final = self._node.index.find_meta(FINAL_BLOCK)
        return NodeFigures(
            logs=logs,
            parts=dict(parts),
            final_block=None if final is None else int.from_bytes(final[:8], "big"),
            unsettled_block=self._node.chain.unsettled_block,
            balance_wei=await self._operator_balance(),
        )

    def _logs(self, hostings: Mapping[str, Hosting]) -> tuple[LogFigures, ...]:
        return tuple(self._log(slug, hostings[slug], self._node.index) for slug in sorted(hostings))

    def _log(self, slug: str, hosting: Hosting, index: Index) -> LogFigures:
        log = hosting.log
        captured = hosting.captures.newest()
        anchor = index.find_newest_anchor(log.name)
        return LogFigures(
            slug=slug,
            entries=log.writer.size,
            pending=log.writer.pending,
            checkpoints=log.checkpoints,
            anchored=0 if captured is None else captured[0],
            anchors=0 if anchor is None else anchor.sequence,
            anchored_at=None if anchor is None else anchor.timestamp,
            submissions=self.submissions[slug],
        )

    async def _operator_balance(self) -> int | None:
        if time.monotonic() - self._balance_at < BALANCE_SECONDS:
            return self._balance
        self._balance_at = time.monotonic()
        self._balance = None
        info = self._node.keystore.find(OPERATOR)
        if info is None or info.address is None:
            return None
        try:
            async with asyncio.timeout(BALANCE_TIMEOUT_SECONDS):
                self._balance = await self._node.chain.client.balance_wei(bytes.fromhex(info.address[2:]))
        except (NodeError, TimeoutError):
            return None
        return self._balance
