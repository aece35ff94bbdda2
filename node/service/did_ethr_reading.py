"""The documents of did:ethr from the node's chain: who changed last, and every change before it.

What is read is read as of the final block, and believed as far as the endpoints agree (`chain/pool.py`).
"""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from testamur.node.chain import values
from testamur.node.chain.ports import Chain
from testamur.node.errors import ChainUnavailable, WrongChain
from testamur.node.service.did_finding import FoundDocument
from testamur.registry.did_ethr import (
    MAX_CHANGES,
    MAX_EVENTS,
    EthrDid,
    EthrHistory,
    checksum_address,
    ethr_document,
)
from testamur.registry.did_ethr_events import TOPICS, EthrEvent, changed_call, parse_block_number, parse_event
from testamur.registry.errors import MalformedError

READ_SECONDS: Final = 10.0
"""For the whole history of one identity; whoever asks waits for it."""

READS_AT_ONCE: Final = 4
"""Identities whose histories are read together: the anchoring of logs asks the same endpoints."""

logger = structlog.get_logger(__name__)

_IDENTITY: Final = re.compile(r"0x[0-9a-fA-F]{40,}")
"""An account, or a word with one in it, as an endpoint repeats it: who was looked up is nobody's business."""


class ChainEthrReader:
    """`EthrReader` over the chain, which is asked on `loop`. Called from other threads than the loop's."""

    def __init__(
        self,
        chain: Chain,
        registry: bytes,
        *,
        chain_id: int,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], datetime],
    ) -> None:
        """`registry` is the address of the ERC-1056 contract on the chain `chain_id`."""
        self._chain = chain
        self._registry = registry
        self._chain_id = chain_id
        self._loop = loop
        self._clock = clock
        self._turns = asyncio.Semaphore(READS_AT_ONCE)

    def __call__(self, did: EthrDid, at: datetime | None, version: int | None) -> FoundDocument | str:
        """See `EthrReader`."""
        future = asyncio.run_coroutine_threadsafe(self.read(did, at, version), self._loop)
        try:
            return future.result(2 * READ_SECONDS)
        except TimeoutError:  # the event loop has ended
            future.cancel()
            return "the chain could not be asked in time; try again"

    async def read(self, did: EthrDid, at: datetime | None, version: int | None) -> FoundDocument | str:
        """The same, in the event loop."""
        if did.chain_id != self._chain_id:
            return f"{did.did[:120]} is of the chain {did.chain_id}; this node knows chain {self._chain_id}"
        now = self._clock()
        if at is not None and at > now:
            return f"versionTime is in the future: what {did.did[:120]} will be is not known"
        try:
            async with asyncio.timeout(READ_SECONDS), self._turns:
                return await self._read(did, at, version, now)
        except (ChainUnavailable, WrongChain, TimeoutError) as error:
            reason = _IDENTITY.sub("0x…", str(error))[:300]
            logger.warning("did-ethr-unread", kind=type(error).__name__, reason=reason)
            return "the chain could not be asked, or its endpoints disagree; try again later"
        except MalformedError as error:
            logger.warning("did-ethr-malformed", kind=type(error).__name__)
            return f"the history of {did.did[:120]} cannot be read: {error}"

    async def _read(
        self, did: EthrDid, at: datetime | None, version: int | None, now: datetime
    ) -> FoundDocument | str:
        final = await self._chain.finalized()
        # A clock that is behind the chain's must not hide what is final already.
        moment = at or max(now, datetime.fromtimestamp(final.timestamp, UTC))
        if version is not None:
            if version > final.number:
                return f"block {version} is not final yet; the final block is {final.number}"
            moment = datetime.fromtimestamp((await self._chain.header(version)).timestamp, UTC)
        history = await self._history(did.address, final.number)
        # A long history takes a part of a second; the loop has other things to do.
        document, metadata = await asyncio.to_thread(
            ethr_document, did, history, moment=moment, last_block=version
        )
        metadata |= {
            "source": "chain",
            "registry": checksum_address(self._registry),
            "block": final.number,
        }
        return FoundDocument(document=document, metadata=metadata)

    async def _history(self, identity: bytes, final: int) -> EthrHistory:
        """Every change up to the final block, found from the newest backwards.

        Raises ChainUnavailable, and MalformedError for events that no ERC-1056 contract emits and for more of
        them than are read.
        """
        answer = await self._chain.call(self._registry, changed_call(identity), block=final)
        block, above = parse_block_number(answer), final + 1
        blocks: list[list[EthrEvent]] = []
        times: dict[int, int] = {}
        while block:
            if block >= above:
                raise MalformedError("ERC-1056 event", f"says that block {block} came before block {above}")
            if len(blocks) == MAX_CHANGES or sum(map(len, blocks)) > MAX_EVENTS:
                reason = f"has more than {MAX_CHANGES} changed blocks or {MAX_EVENTS} events"
                raise MalformedError("ERC-1056 history", reason)
            found, header = await asyncio.gather(self._events(identity, block), self._chain.header(block))
            blocks.append(found)
            times[block] = header.timestamp
            block, above = min(event.previous_change for event in found), block
        return EthrHistory(events=[event for found in reversed(blocks) for event in found], times=times)

    async def _events(self, identity: bytes, block: int) -> list[EthrEvent]:
        """What happened to the identity in this block, in order."""
        rows = await self._chain.event_rows(self._registry, first=block, last=block, topics=TOPICS)
        found: list[EthrEvent] = []
        for row in rows:
            fields = values.members(row, "event")
            if values.quantity(fields.get("blockNumber"), "an event's block") != block:
                raise ChainUnavailable("the endpoint gave events of another block")
            listed = values.elements(fields.get("topics"), "topics")
            topics = [values.data(topic, "a topic", length=32) for topic in listed]
            if topics[1:2] != [identity.rjust(32, b"\0")]:
                continue  # of another identity, whatever it says
            event = parse_event(
                topics, values.data(fields.get("data"), "an event"), identity=identity, block=block
            )
            if event is not None:
                found.append(event)
        if not found:
            raise ChainUnavailable(f"the endpoint gave no event for a change in block {block}")
        return found
