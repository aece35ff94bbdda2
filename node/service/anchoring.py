"""Between the logs and the chain: what may be anchored, and what is kept once a block is final.

A checkpoint is anchored only after a quorum of witnesses and mirrors has cosigned it: the chain must never
hold a head that nobody else holds the entries of.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog

from testamur.node.chain.capture import LogHead, WantedLog, capture_anchor, newest_attestable_height
from testamur.node.chain.contracts import ContractRefused
from testamur.node.chain.intents import AnchorRequest
from testamur.node.chain.ports import Chain
from testamur.node.files import DamagedFile
from testamur.node.index.keys import Anchor
from testamur.node.index.store import Index
from testamur.node.service.anchor_filling import check_anchored
from testamur.node.service.hostings import Hosting
from testamur.node.service.log_evidence import log_evidence
from testamur.registry.checkpoints import SignedCheckpoint, verify_cosignatures
from testamur.registry.evm.anchors import AnchorEvidence, ProvenAnchor, prove_anchor
from testamur.registry.evm.attestations import attest_header, sign_attestation
from testamur.registry.evm.headers import Header
from testamur.registry.notes import NoteSigner
from testamur.registry.trust import TrustFile

EARLIER_ANCHORS = 16
"""Anchors before the head that a capture proves as well, at doubling distances back to a century of days:
they date older entries to within a factor of two. A holder keeps the one that covers the credential."""

logger = structlog.get_logger(__name__)


class LogAnchors:
    """`AnchorSource` over the hosted logs."""

    def __init__(self, hostings: Mapping[str, Hosting], index: Index, trust: TrustFile) -> None:
        self._hostings = hostings
        self._index = index
        self._trust = trust

    def adopt(self, trust: TrustFile) -> None:
        """From now on the quorums of this trust file decide."""
        self._trust = trust

    async def newest(self, log_id: bytes, old_size: int) -> AnchorRequest | None:
        """See AnchorSource."""
        hosting = self._find(log_id)
        if hosting is None or hosting.log.health.damage is not None:
            return None
        try:
            return await hosting.run(self._request, hosting, old_size)
        except DamagedFile:
            # `Hosting.run` has reported it; a damaged log anchors nothing, and the others go on.
            return None

    def _request(self, hosting: Hosting, old_size: int) -> AnchorRequest | None:
        reader = hosting.log.writer.reader
        head = reader.find_head()
        if head is None or head.checkpoint.size <= old_size or not has_quorum(head, self._trust):
            return None
        size = head.checkpoint.size
        return AnchorRequest(
            log_id=hosting.log.origin.log_id,
            old_size=old_size,
            size=size,
            root=head.checkpoint.root,
            statement=hosting.log.seal_of(head).statement_sequence,
            proof=tuple(reader.prove_consistency(old_size, size)) if old_size else (),
        )

    async def anchored(self, head: LogHead, transaction_hash: bytes | None) -> None:
        """See AnchorSource."""
        hosting = self._find(head.log_id)
        if hosting is None or head.sequence == 0:
            return
        try:
            await hosting.run(self._record, hosting, head, transaction_hash)
        except DamagedFile:
            return  # reported by `Hosting.run`; the next start fills the index
        hosting.uncaptured_block = max(head.block_number, hosting.uncaptured_block or 0)
        logger.info("log-anchored", log=hosting.log.name, size=head.size, block=head.block_number)

    def _record(self, hosting: Hosting, head: LogHead, transaction_hash: bytes | None) -> None:
        check_anchored(hosting.log.writer.reader, head.size, head.root)
        anchor = Anchor(
            sequence=head.sequence,
            size=head.size,
            block_number=head.block_number,
            timestamp=head.timestamp,
            statement=head.statement,
            transaction=transaction_hash,
        )
        self._index.put_anchor(hosting.log.name, anchor)

    async def refused(self, log_id: bytes, error: ContractRefused) -> None:
        """See AnchorSource."""
        hosting = self._find(log_id)
        logger.warning("anchor-refused", log=hosting.log.name if hosting else log_id.hex(), reason=str(error))

    def _find(self, log_id: bytes) -> Hosting | None:
        return next((item for item in self._hostings.values() if item.log.origin.log_id == log_id), None)


def has_quorum(head: SignedCheckpoint, trust: TrustFile) -> bool:
    """Whether the trust file's witnesses and mirrors have cosigned this head, within their keys' time."""
    for role, policy in (("witness", trust.witness_policy), ("mirror", trust.mirror_policy)):
        cosigned = verify_cosignatures(head, list(policy.witnesses.values()))
        counted = set()
        for key, seconds in cosigned.items():
            dated = trust.dated_key(role, key)
            if dated is not None and dated.is_valid_at(datetime.fromtimestamp(seconds, UTC)):
                counted.add(key)
        if not policy.is_satisfied_by(counted):
            return False
    return True


class Capturer:
    """Makes the lasting evidence of an anchor, while the chain's endpoints still have the state."""

    def __init__(
        self,
        client: Chain,
        contract: bytes,
        *,
        registry: str,
        attester_at: Callable[[datetime], NoteSigner],
        interval_blocks: int,
    ) -> None:
        self._client = client
        self._contract = contract
        self._registry = registry
        self._attester_at = attester_at
        self._interval_blocks = interval_blocks

    async def capture(self, hosting: Hosting) -> Header | None:
        """Capture the newest final anchor of a log, if an attestable final block holds it; that block.

        Header and storage are proven before the member's own attestation is given. An anchor of a size at
        which this log published nothing (somebody else has the operator's key) is passed over: a verifier
        compares an anchor with a checkpoint of its size, and the log's next anchor extends it.
        Raises ChainUnavailable, StoreCorrupt.
        """
        block = hosting.uncaptured_block
        if block is None:
            return None
        final = await self._client.finalized()
        height = newest_attestable_height(final.number, self._interval_blocks)
        if height < block:
            return None
        anchor, proven = await self._prove(hosting, height)
        if proven.head is None:
            return None
        is_kept = await hosting.run(self._keep, hosting, anchor, proven, proven.head.size)
        hosting.learn(proven)
        if (hosting.uncaptured_block or 0) <= height:
            # Another anchor may have become final meanwhile, in a later block than this state's.
            hosting.uncaptured_block = None
        event = "evidence-captured" if is_kept else "anchor-of-no-checkpoint"
        logger.info(event, log=hosting.log.name, size=proven.head.size, block=height)
        return proven.header

    async def prove_now(self, hosting: Hosting) -> ProvenAnchor:
        """What the contract holds of a log and its issuer in the newest final block.

        Raises ChainUnavailable.
        """
        return (await self._prove(hosting, (await self._client.finalized()).number))[1]

    async def _prove(self, hosting: Hosting, height: int) -> tuple[AnchorEvidence, ProvenAnchor]:
        origin = hosting.log.origin
        history: tuple[int, ...] = ()
        while True:
            wanted = WantedLog(
                issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=origin.epoch, history=history
            )
            anchor = await capture_anchor(self._client, self._contract, [wanted], height)
            proven = prove_anchor(
                anchor, issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=origin.epoch
            )
            earlier = earlier_sequences(proven.log.sequence or 0)
            if history == earlier:
                return anchor, proven
            history = earlier

    def _keep(self, hosting: Hosting, anchor: AnchorEvidence, proven: ProvenAnchor, size: int) -> bool:
        """Whether this log has the checkpoint that was anchored; then its evidence is durable."""
        reader = hosting.log.writer.reader
        check_anchored(reader, size, proven.log.root)
        try:
            head = reader.get_head(size)
        except KeyError:
            return False
        attestation = attest_header(
            self._registry, chain_id=anchor.chain_id, genesis_hash=anchor.genesis_hash, header=proven.header
        )
        attester = self._attester_at(datetime.fromtimestamp(proven.header.timestamp, UTC))
        attested = anchor.with_notes([sign_attestation(attestation, attester)])
        first = hosting.captures.first_covering(0)
        hosting.captures.put(size, log_evidence(hosting.log, head, [attested], first))
        return True


def earlier_sequences(sequence: int) -> tuple[int, ...]:
    """Anchors before `sequence` at distances 1, 2, 4 …, the nearest first."""
    found = (sequence - (1 << step) for step in range(EARLIER_ANCHORS))
    return tuple(number for number in found if number >= 1)
