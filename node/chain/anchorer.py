"""Anchors checkpoints with one operator account: at most one transaction unsettled, and none lost by a crash.

    drafted → journalled (synced) → sent → mined → final → reported → journal cleared

One step, `advance`, serves normal operation and every restart alike: it looks at what the journal intends
and at what the chain says, and does the next thing. Nothing below finality is reported as anchored, and
what is reported was read from the register with a proof, not from a receipt. A reorg therefore needs no
code of its own: the receipt is gone, so the bytes are sent again.
"""

import asyncio
import statistics
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Final, NoReturn

from testamur.node.chain import batches
from testamur.node.chain.anchoring import AnchorerOptions, AnchorerStatus, AnchorSource, AnchorState, Pace
from testamur.node.chain.capture import read_log_head
from testamur.node.chain.contracts import ContractRefused
from testamur.node.chain.funds import TYPICAL_GAS
from testamur.node.chain.intents import Intent, IntentOwner, IntentStore
from testamur.node.chain.ports import Chain
from testamur.node.chain.refusals import NotTaken, RpcRefused
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import SendRefusal, classify_refusal
from testamur.node.chain.values import Fees, Receipt
from testamur.node.errors import ChainUnavailable
from testamur.registry.evm.headers import Header

MAX_ATTEMPTS: Final = 16
"""Sixteen raises by an eighth are a factor of six; then a higher fee is not what is missing."""

MAX_BACKOFF_SECONDS: Final = 60.0
"""A chain that is back is noticed within a minute."""

REMEMBERED_ANCHORS: Final = 16
"""Whose gas says what the next one will use: proofs grow with the log, slowly."""

_STALE: Final = "StaleTreeSize"


class Anchorer:
    """The one sender of its account's transactions. `run` and `wake` belong to one event loop."""

    def __init__(
        self,
        client: Chain,
        contract: bytes,
        account: ChainAccount,
        store: IntentStore,
        source: AnchorSource,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        options: AnchorerOptions | None = None,
    ) -> None:
        """`clock` gives seconds that never go back."""
        self._client = client
        self._contract = contract
        self._account = account
        self._store = store
        self._source = source
        self._clock = clock
        self._sleep = sleep
        self._options = options or AnchorerOptions()
        self._wanted: dict[bytes, None] = {}  # in the order in which they came: every log has its turn
        self._woken = asyncio.Event()
        self._owner: IntentOwner | None = None
        self._intent: Intent | None = None
        self._reverts = 0
        self._sent_at: float | None = None
        self._attempted_at = 0.0
        self._refused_at: float | None = None
        self._hindrance = ""
        self._gas: deque[int] = deque(maxlen=REMEMBERED_ANCHORS)
        self.address = account.address
        self.status = AnchorerStatus(state=AnchorState.IDLE)

    @property
    def unsettled_block(self) -> int | None:
        """The block whose finality is waited for, if there is one: what a development chain must mine for."""
        return self.status.block_number

    @property
    def typical_gas(self) -> int:
        """What one anchor uses, by the last ones that became final."""
        return int(statistics.median(self._gas)) if self._gas else TYPICAL_GAS

    def wake(self, log_id: bytes) -> None:
        """The log may have something to anchor. Cheap, repeatable, and needed once per log after a start."""
        self._wanted[log_id] = None
        self._woken.set()

    async def run(self) -> NoReturn:
        """Anchor for ever. Ends with what an operator must decide: WrongChain, StoreCorrupt, the source's."""
        failures = 0
        while True:
            try:
                pace = await self.advance()
            except ChainUnavailable as exc:
                failures += 1
                self._owner = None
                self.status = replace(self.status, state=AnchorState.WAITING, reason=str(exc))
                await self._pause(failures)
                continue
            failures = 0
            if pace is Pace.LATER:
                await self._pause(self._reverts)
            elif pace is Pace.IDLE:
                await self._woken.wait()

    async def advance(self) -> Pace:
        """One step. Raises ChainUnavailable, after which nothing is lost and the step can be repeated."""
        if self._owner is None:
            self._owner = await self._resume()
        if self._intent is None:
            return await self._begin(self._owner)
        return await self._pursue(self._owner, self._intent)

    async def _resume(self) -> IntentOwner:
        """At the start and after every outage: is this still our chain, and what was intended?"""
        identity = await self._client.check()
        await self._client.check_contract(self._contract)
        owner = IntentOwner(identity=identity, contract=self._contract, account=self._account.address)
        self._intent = await asyncio.to_thread(self._store.load, owner)
        self._sent_at, self._attempted_at = None, self._clock()
        return owner

    # --- nothing is intended

    async def _begin(self, owner: IntentOwner) -> Pace:
        self._woken.clear()
        woken = list(self._wanted)[: self._options.max_batch]
        if not woken:
            self.status = AnchorerStatus(state=AnchorState.IDLE)
            return Pace.IDLE
        # Taken out first: a log that is woken while it is drafted is looked at again afterwards.
        for log_id in woken:
            del self._wanted[log_id]
        try:
            drafted = await self._draft(woken)
            stale = [request.log_id for request, error in drafted.refused if error.error == _STALE]
            self._wanted.update(dict.fromkeys(stale))
            for request, error in drafted.refused:
                if error.error != _STALE:
                    await self._source.refused(request.log_id, error)
            if not drafted.requests:
                return Pace.LATER if stale else Pace.AGAIN
            nonce = await self._client.transaction_count(self._account.address)
            fees = batches.capped(await self._client.fees(), self._options.max_fee_wei)
            await self._intend(owner, Intent(nonce=nonce, attempts=()), drafted, fees)
        except ChainUnavailable:
            self._wanted = dict.fromkeys(woken) | self._wanted
            raise
        return Pace.AGAIN

    async def _draft(self, log_ids: Iterable[bytes]) -> batches.Draft:
        """What can be anchored of these logs now, from where the register stands now."""
        return await batches.draft_newest(self._client, self._account, self._contract, self._source, log_ids)

    async def _intend(self, owner: IntentOwner, intent: Intent, drafted: batches.Draft, fees: Fees) -> None:
        """Add an attempt to the intent and make it durable; sending is the next step, as after a restart."""
        attempt = batches.sign(
            self._account, owner.identity.chain_id, self._contract, drafted, nonce=intent.nonce, fees=fees
        )
        grown = replace(intent, attempts=(*intent.attempts, attempt))
        await asyncio.to_thread(self._store.save, grown, owner)
        self._intent = grown
        self._sent_at, self._attempted_at, self._hindrance = None, self._clock(), ""
        self._refused_at = None
        self._report(AnchorState.SIGNED)

    # --- something is intended

    async def _pursue(self, owner: IntentOwner, intent: Intent) -> Pace:
        receipt = await batches.find_receipt(self._client, intent)
        final = await self._client.finalized()
        if receipt is not None and not receipt.succeeded:
            # It was accepted when it was drafted: something came in between. The register is read again.
            self._reverts += 1
            return await self._forget(intent)
        if receipt is not None and receipt.block_number > final.number:
            self._report(AnchorState.MINED, block_number=receipt.block_number)
            return Pace.LATER
        used = await self._client.transaction_count(self._account.address, block=final.number)
        if used > intent.nonce:
            return await self._settle(intent, receipt, final)
        mined = await self._client.transaction_count(self._account.address)
        if mined > intent.nonce:
            # By one of the attempts whose receipt is not served yet, or by somebody with this key.
            self._report(AnchorState.MINED, block_number=(await self._client.head()).number)
            return Pace.LATER
        if mined < intent.nonce:
            # A reorg took back what came before: this nonce would wait for ever behind a gap.
            return await self._forget(intent)
        return await self._send(owner, intent)

    async def _settle(self, intent: Intent, receipt: Receipt | None, final: Header) -> Pace:
        """The nonce is used up to a final block, so the register says for ever what came of it."""
        is_anchored = False
        for log_id in sorted(intent.log_ids):
            try:
                head = await read_log_head(self._client, self._contract, log_id, final)
            except ContractRefused:
                continue  # not opened in that block: no transaction for this log is in it, whatever was said
            if head.size >= intent.smallest_size(log_id):
                is_anchored = True
                await self._source.anchored(head, receipt.transaction_hash if receipt else None)
        # Nothing came of it: slower each time, because an endpoint that lies would be asked without end.
        self._reverts = 0 if is_anchored else self._reverts + 1
        if receipt is not None:
            self._gas.append(receipt.gas_used // len(intent.newest.requests))
        return await self._forget(intent)

    async def _forget(self, intent: Intent) -> Pace:
        """Done with this nonce. Its logs are looked at again: an older attempt may have won, or none."""
        await asyncio.to_thread(self._store.clear)
        self._intent = None
        self._wanted.update(dict.fromkeys(intent.log_ids))
        return Pace.LATER if self._reverts else Pace.AGAIN

    async def _send(self, owner: IntentOwner, intent: Intent) -> Pace:
        now = self._clock()
        if self._refused_at is not None and now - self._refused_at >= self._options.stuck_seconds:
            self._refused_at = now
            if await self._draft_anew(owner, intent):
                return Pace.AGAIN
        if self._sent_at is not None and now - self._attempted_at >= self._options.stuck_seconds:
            if await self._outbid(owner, intent):
                return Pace.AGAIN
            self._attempted_at = now
            self._hindrance = "stuck, and the fee is as high as it may be"
        if self._sent_at is None or now - self._sent_at >= self._options.resend_seconds:
            try:
                reason = await self._hand_over(intent)
            except NotTaken:
                self._refused_at = now if self._refused_at is None else self._refused_at
                raise
            self._sent_at, self._refused_at = now, None
            self._report(AnchorState.SENT, reason=reason or self._hindrance)
        return Pace.LATER

    async def _hand_over(self, intent: Intent) -> str:
        """Give the newest attempt to the endpoint; why it may not be mined soon, if that is known."""
        try:
            await self._client.send_raw(intent.newest.raw)
        except RpcRefused as exc:
            match classify_refusal(exc):
                case SendRefusal.KNOWN:
                    return ""
                case SendRefusal.UNDERPRICED:
                    return exc.message
                case SendRefusal.UNFUNDED:
                    address = f"0x{self._account.address.hex()}"
                    raise NotTaken(f"account {address} cannot pay for gas: send it money") from exc
                case SendRefusal.OTHER:
                    raise NotTaken(str(exc)) from exc
        return ""

    async def _draft_anew(self, owner: IntentOwner, intent: Intent) -> bool:
        """Put an attempt at today's gas and fees in the place of one that nobody takes.

        Estimates can be wrong, and fees fall again. If somebody holds the old one after all, and it is mined,
        the register says so.
        """
        drafted = await self._draft(sorted(intent.log_ids))
        if not drafted.requests:
            return False
        fees = batches.capped(await self._client.fees(), self._options.max_fee_wei)
        await self._intend(owner, replace(intent, attempts=intent.attempts[:-1]), drafted, fees)
        return True

    async def _outbid(self, owner: IntentOwner, intent: Intent) -> bool:
        """Replace a stuck transaction by one with higher fees and the newest checkpoints, if that can be."""
        fees = batches.outbid(intent.newest, await self._client.fees(), self._options.max_fee_wei)
        if fees is None or len(intent.attempts) >= MAX_ATTEMPTS:
            return False
        drafted = await self._draft(sorted(intent.log_ids))
        if not drafted.requests:
            return False
        await self._intend(owner, intent, drafted, fees)
        return True

    # --- pace and report

    async def _pause(self, failures: int) -> None:
        seconds = self._options.poll_seconds * 2 ** min(failures, 16)
        await self._sleep(min(seconds, max(MAX_BACKOFF_SECONDS, self._options.poll_seconds)))

    def _report(self, state: AnchorState, *, block_number: int | None = None, reason: str = "") -> None:
        intent = self._intent
        self.status = AnchorerStatus(
            state=state,
            log_ids=tuple(sorted(intent.log_ids)) if intent else (),
            transaction_hash=intent.newest.transaction_hash if intent else None,
            block_number=block_number,
            reason=reason,
        )
