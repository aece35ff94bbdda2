"""A node's work with the chain: anchoring, capturing, and saying how it stands.

An outage is waited out and the logs go on meanwhile. Another chain than the registry's ends this work, and
the operator decides; issuing goes on all the same.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from testamur.node.api.ports import NotReady
from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions, AnchorState
from testamur.node.chain.funds import FundsLimits
from testamur.node.chain.intents import IntentStore
from testamur.node.chain.signing import ChainAccount
from testamur.node.errors import ChainUnavailable, ReorgBeyondFinality, WrongChain
from testamur.node.files import DamagedFile
from testamur.node.index.store import Index
from testamur.node.keystore.store import Keystore
from testamur.node.service.anchor_filling import AnchorFiller, first_block
from testamur.node.service.anchoring import Capturer, LogAnchors
from testamur.node.service.chain_access import contract_of, open_chain
from testamur.node.service.chain_watch import CLOCK, FUNDS, ChainWatch, count_weekly_anchors
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.following import FinalChain
from testamur.node.service.hostings import Hosting
from testamur.node.service.member_keys import MemberKeys
from testamur.node.service.roles import OPERATOR
from testamur.registry.errors import VerificationError
from testamur.registry.trust import TrustFile

FINAL_BLOCK = "final-block"
"""Name of the index row with number (8 bytes) and hash of the newest block that was seen as final."""

OK = "ok"

UNREADABLE_SECONDS = 30
"""When an issuer that recovers may ask again: an outage of every endpoint rarely ends sooner."""

ENDPOINT = "endpoint "
"""Begins the name of a part that is one of several RPC endpoints: the node works without it."""

ASIDE = (ENDPOINT, FUNDS, CLOCK)
"""Parts whose names begin so are shown, and the node is ready whatever their state is."""

FOLLOW_SECONDS = 1.0
"""Final blocks are followed no more often than this, whatever `poll_seconds` is: blocks come more slowly.
An endpoint that announces blocks is asked as soon as it does."""

LOOK_SECONDS = 60.0
"""A suspension, a recovery or the next epoch of an issuer that is hosted here is known after so long."""

REORG_CURE = (
    "nothing is anchored until you decide: if the endpoint is wrong, correct `rpc_url`; if the chain took "
    "back final blocks, agree with the other members which chain counts, then start this node again"
)

logger = structlog.get_logger(__name__)


class ChainTasks:
    """Anchors and captures the hosted logs. `run` is one task; `wake` is called from the same event loop."""

    def __init__(
        self,
        config: NodeConfig,
        folders: NodeFolders,
        keystore: Keystore,
        *,
        index: Index,
        trust: TrustFile,
        hostings: Mapping[str, Hosting],
        clock: Callable[[], datetime],
    ) -> None:
        self._poll_seconds = config.poll_seconds
        self._index = index
        self._hostings = hostings
        self._contract = contract_of(config)
        self.client = open_chain(config, trust=trust)
        self._keys = MemberKeys(config, keystore, trust)
        self._anchors = LogAnchors(hostings, index, trust)
        self.anchorer = Anchorer(
            self.client,
            self._contract,
            ChainAccount(keystore.load_secp256k1(OPERATOR)),
            IntentStore(folders.anchoring / "intent"),
            self._anchors,
            clock=time.monotonic,
            sleep=self._until_block,
            options=AnchorerOptions(poll_seconds=config.poll_seconds),
        )
        self._watch = ChainWatch(
            self.client,
            self.anchorer,
            limits=FundsLimits(low_anchors=config.low_funds_anchors, low_days=config.low_funds_days),
            weekly_anchors=lambda: count_weekly_anchors(
                index,
                [hosting.log.name for hosting in list(hostings.values())],
                heartbeat_hours=config.heartbeat_hours,
                now_seconds=clock().timestamp(),
            ),
            now=lambda: clock().timestamp(),
            elapsed=time.monotonic,
        )
        self._capturer = Capturer(
            self.client,
            self._contract,
            registry=config.registry,
            attester_at=self._keys.attester_at,
            interval_blocks=config.attestation_interval,
        )
        self._filler = AnchorFiller(
            self.client, self._contract, index, from_block=first_block(trust, self._contract)
        )
        self._final = FinalChain(self.client)
        self._follow_at = self._look_at = 0.0
        self._followed = self._paced = 0
        self._state = "starting"

    def adopt(self, trust: TrustFile) -> None:
        """A new version of the trust file: its quorums and this member's key in it count from now on."""
        self._keys.adopt(trust)
        self._anchors.adopt(trust)

    async def look_up_key_chains(self, hosting: Hosting) -> None:
        """What the contract has recorded of the issuer's recoveries in the newest final block, proven.

        Raises NotReady while the chain cannot be read.
        """
        try:
            await self._learn(hosting)
        except ChainUnavailable as error:
            reason = f"whether a key chain was replaced stands on the chain, which cannot be read: {error}"
            raise NotReady(reason, retry_after_seconds=UNREADABLE_SECONDS) from error

    def wake(self, hosting: Hosting) -> None:
        """The log may have something to anchor."""
        self.anchorer.wake(hosting.log.origin.log_id)

    def parts(self) -> dict[str, str]:
        """The state of chain, anchoring, money, clock and, when there are several, endpoints.

        A word or a sentence each; one that is well begins with "ok".
        """
        status = self.anchorer.status
        return {
            "chain": self._state,
            "anchoring": OK if status.state is not AnchorState.WAITING else status.reason,
            **self._watch.parts(),
            **{f"{ENDPOINT}{name}": state for name, state in self.client.endpoints().items()},
        }

    @property
    def unsettled_block(self) -> int | None:
        """The highest block whose finality is waited for: what a development chain must mine for."""
        waiting = [item.uncaptured_block for item in self._hostings.values()] + [
            self.anchorer.unsettled_block
        ]
        return max((block for block in waiting if block is not None), default=None)

    async def run(self) -> None:
        """Work until cancelled, or until the chain turns out to be another one."""
        try:
            await self._work()
        except* WrongChain as group:
            self._state = f"wrong chain: {group.exceptions[0]}"
            logger.error("chain-refused", reason=self._state)  # noqa: TRY400  the operator needs no traceback
        except* ReorgBeyondFinality as group:
            self._state = f"final blocks were replaced: {group.exceptions[0]}; {REORG_CURE}"
            logger.error("chain-refused", reason=self._state)  # noqa: TRY400

    async def _work(self) -> None:
        await self._until_right_chain()
        await self._fill_anchors()
        for hosting in self._hostings.values():
            await self._resume_capture(hosting)
            self.wake(hosting)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.anchorer.run())
            tasks.create_task(self._capture())

    async def _until_right_chain(self) -> None:
        while True:
            try:
                await self.client.check()
                await self.client.check_contract(self._contract)
                seen = self._index.find_meta(FINAL_BLOCK)
                if seen is not None:
                    number, block_hash = int.from_bytes(seen[:8], "big"), seen[8:]
                    await self.client.check_contains(number, block_hash)
                    await self._final.begin(number, block_hash)
            except ChainUnavailable as error:
                self._state = f"unavailable: {error}"
                await asyncio.sleep(self._poll_seconds)
            else:
                self._state = OK
                return

    async def _fill_anchors(self) -> None:
        """What a new index lacks, or a crash kept from it, is there before anything else is anchored."""
        logs = {item.log.name: item.log.writer.reader.folder for item in self._hostings.values()}
        while True:
            try:
                await self._filler.fill(logs)
            except ChainUnavailable as error:
                self._state = f"unavailable: {error}"
                await asyncio.sleep(self._poll_seconds)
            except DamagedFile:
                return  # the log's scrubber names it; the next start fills
            else:
                self._state = OK
                return

    async def _resume_capture(self, hosting: Hosting) -> None:
        """An anchor that was final before the process died, and was not captured, is captured now."""
        newest = self._index.find_newest_anchor(hosting.log.name)
        captured = await hosting.run(hosting.captures.newest)
        if newest is not None and (captured is None or captured[0] < newest.size):
            hosting.uncaptured_block = newest.block_number

    async def _capture(self) -> None:
        while True:
            announced = self.client.news.count
            await self._follow(announced)
            with contextlib.suppress(ChainUnavailable):  # following has reported it
                await self._watch.look()
                await self._look_up()
            for hosting in list(self._hostings.values()):
                try:
                    block = await self._capturer.capture(hosting)
                except ChainUnavailable as error:
                    self._state = f"unavailable: {error}"
                    continue
                except DamagedFile:
                    continue  # this log's health has it; the other logs are captured
                if block is not None:
                    self._state = OK
                    # What was final once must stay: a chain that lost it is another one.
                    self._index.put_meta(FINAL_BLOCK, block.number.to_bytes(8, "big") + block.hash)
            await self.client.news.wait(self._poll_seconds, announced)

    async def _look_up(self) -> None:
        """How the issuers stand in the newest final block, whether or not anything is anchored."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        for hosting in list(self._hostings.values()):
            await self._learn(hosting)

    async def _learn(self, hosting: Hosting) -> None:
        with contextlib.suppress(VerificationError):  # admitted in a block that is not final yet
            hosting.learn(await self._capturer.prove_now(hosting))

    async def _until_block(self, seconds: float) -> None:
        """The anchorer's pause: cut short by a new block, but not when it waits because something failed."""
        if seconds > self._poll_seconds:
            await asyncio.sleep(seconds)
        else:
            self._paced = await self.client.news.wait(seconds, self._paced)

    async def _follow(self, announced: int) -> None:
        """Walk to the newest final block, also while nothing waits for it: an outage is seen, and a reorg."""
        if time.monotonic() < self._follow_at and announced == self._followed:
            return
        self._followed = announced
        self._follow_at = time.monotonic() + FOLLOW_SECONDS
        try:
            await self._final.advance()
        except ChainUnavailable as error:
            self._state = f"unavailable: {error}"
        else:
            self._state = OK
