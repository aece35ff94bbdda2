"""Step 6: the chain. What the contract says of the issuer's logs at a final block."""

from collections.abc import Mapping
from datetime import UTC, datetime

from testamur.registry.canonical import Json
from testamur.registry.entries import parse_origin
from testamur.registry.errors import VerificationError
from testamur.registry.evidence import LogEvidence
from testamur.registry.evm.anchors import (
    ANCHOR_TYPE,
    MAX_REMEMBERED_PROOFS,
    AnchorEvidence,
    ProvenAnchor,
    ProvenStorage,
    parse_anchor,
    prove_storage,
    read_anchor,
)
from testamur.registry.evm.attestations import HeaderAttestation, attest_header, verify_attestations
from testamur.registry.evm.dating import covering_records
from testamur.registry.evm.qbft import quorum_of, verify_seals
from testamur.registry.finality import AttestationRule, SealRule
from testamur.registry.hashing import DIGEST_BYTES, sha256
from testamur.registry.notes import VerifierKey
from testamur.registry.remembered import remembering
from testamur.registry.shapes import Shape
from testamur.registry.trust import TrustedChain, TrustFile
from testamur.registry.verification.context import Context, Passed, Undecided
from testamur.registry.verification.verdict import Anchored

PINNED_HEADER = "pinned-header"
"""Finality of the last block of a chain that was retired: its hash stands in the trust file."""

OWN_RPC = "own-rpc"

SLOT_MISSING = "storage-slot-missing"
"""What is left out proves nothing, either way."""

NO_ROOT = bytes(DIGEST_BYTES)
"""What the contract holds of a log that was opened and never anchored."""


def anchored(context: Context) -> Passed:
    """Step 6. A storage proof against a final header shows exactly this checkpoint and this statement.

    The newest anchor that is about the issuer decides. One that is false fails the step even beside a good
    one: a file with a forged proof in it is not evidence.
    """
    anchor, finality, proven = match(context)
    context.anchored = _times(context, anchor, finality, proven)
    context.evidence_at = context.anchored.block_at
    facts = context.anchored.to_json()
    return Passed(
        reason="anchored",
        parameters={"block": anchor.header.number, "chain": anchor.chain_id, "rule": finality},
        facts=facts if isinstance(facts, dict) else {},
    )


def match(context: Context) -> tuple[ProvenAnchor, str, list[ProvenStorage]]:
    """What the newest anchor about the issuer's logs proves of them, why its block is final, and all anchors.

    Other logs in the file may be anchored in other blocks, each by its own host: an anchor without the slots
    of these says nothing of them. All logs of one issuer are read from one block: an older one would not know
    that a later epoch ended the entry's log.
    """
    context.need_log()
    evidence = context.evidence
    if evidence is None or not evidence.anchors:
        raise Undecided("not-anchored")
    trust = context.need_trust()
    undecided: Undecided | None = None
    proven: list[tuple[ProvenStorage, str]] = []
    for document in evidence.anchors:
        try:
            proven.append(prove_final(trust, document, context.chain.headers))
        except Undecided as reason:
            undecided = undecided or reason
    # By time, because two chains count their blocks apart: a retired one may have the higher numbers.
    proven.sort(key=lambda pair: pair[0].header.timestamp, reverse=True)
    for storage, finality in proven:
        try:
            context.proven = _match(context, storage)
        except VerificationError as error:
            if error.reason != SLOT_MISSING:
                raise
            undecided = undecided or Undecided(error.reason, **error.parameters)
        else:
            return context.proven, finality, [found for found, _ in proven]
    raise undecided or Undecided("not-anchored")


def prove_final(
    trust: TrustFile, document: Json, own_headers: Mapping[tuple[int, int], bytes]
) -> tuple[ProvenStorage, str]:
    """What an anchor proves, and why its block is final: by the trust file, or the caller's own headers.

    `own_headers` as in `ChainView`. Raises Undecided where neither says so, MalformedError and
    VerificationError.
    """
    kind = Shape(document, "anchor").text("type", max_length=64)
    if kind != ANCHOR_TYPE:
        raise Undecided("anchor-type-unknown", type=kind)
    anchor = parse_anchor(document)
    storage = prove_storage(anchor)
    number = storage.header.number
    chain = trust.chain_for(anchor.chain_id, anchor.genesis_hash, anchor.contract, number)
    if chain is None:
        raise Undecided("chain-not-trusted", chain=anchor.chain_id, block=number)
    own = own_headers.get((anchor.chain_id, number))
    return storage, _finality(trust, chain, anchor, storage, own)


def _finality(
    trust: TrustFile, chain: TrustedChain, anchor: AnchorEvidence, proven: ProvenStorage, own: bytes | None
) -> str:
    """Why this header is final: the caller's own RPC, or the rule that the trust file sets for the chain."""
    if own is not None:
        if own != proven.header.hash:
            raise VerificationError("header-not-canonical", block=proven.header.number)
        return OWN_RPC
    if chain.last_header is not None and chain.until_block == proven.header.number:
        if chain.last_header != proven.header.hash:
            raise VerificationError("header-not-pinned", block=proven.header.number)
        return PINNED_HEADER
    rule = chain.finality
    if isinstance(rule, AttestationRule):
        return _attested(trust, rule, anchor, proven)
    if isinstance(rule, SealRule):
        return _sealed(rule, anchor, proven)
    raise Undecided("finality-rule-unknown", rule=rule.type)


def _sealed(rule: SealRule, anchor: AnchorEvidence, proven: ProvenStorage) -> str:
    validators = rule.validators_at(proven.header.number)
    if validators is None:
        raise Undecided("validators-unknown", block=proven.header.number)
    if anchor.seals is None:
        raise Undecided("seals-missing", got=0, wanted=quorum_of(len(validators)))
    try:
        seen = verify_seals(proven.header, anchor.seals, validators)
    except VerificationError as error:
        if error.reason == "seal-quorum":
            raise Undecided("seals-missing", **error.parameters) from error
        raise
    return f"{len(seen)} of {len(validators)} {rule.type}"


def _attested(trust: TrustFile, rule: AttestationRule, anchor: AnchorEvidence, proven: ProvenStorage) -> str:
    mined_at = datetime.fromtimestamp(proven.header.timestamp, UTC)
    members = {
        dated.key: member.name
        for member in trust.members
        for dated in member.attestation
        if dated.is_valid_at(mined_at)
    }
    expected = attest_header(
        trust.registry, chain_id=anchor.chain_id, genesis_hash=anchor.genesis_hash, header=proven.header
    )
    try:
        seen = _attesting(anchor.notes, tuple(members.items()), rule.threshold, expected)
    except VerificationError as error:
        if error.reason == "attestation-quorum":
            raise Undecided("finality-unproven", **error.parameters) from error
        raise
    return f"{len(seen)} of {len(set(members.values()))} {rule.type}"


@remembering(MAX_REMEMBERED_PROOFS)
def _attesting(
    notes: tuple[str, ...],
    members: tuple[tuple[VerifierKey, str], ...],
    threshold: int,
    expected: HeaderAttestation,
) -> frozenset[str]:
    return verify_attestations(notes, dict(members), threshold, expected)


def _match(context: Context, storage: ProvenStorage) -> ProvenAnchor:
    """The contract's records agree with the checkpoints: of the entry's log, and of the issuer's newest."""
    log, newest = context.need_log(), context.need_newest_log()
    anchor = _match_log(context, storage, log)
    current = anchor if newest.origin == log.origin else _match_log(context, storage, newest)
    if current.issuer.epoch != current.epoch:
        raise Undecided("newest-log-missing", epoch=current.issuer.epoch)
    statement = context.need_statement()
    if current.issuer.statement != statement.sequence:
        # A host that seals an older statement would hide a revocation; the contract keeps the newest number.
        raise VerificationError("statement-outdated", got=statement.sequence, wanted=current.issuer.statement)
    return anchor


def _match_log(context: Context, storage: ProvenStorage, log: LogEvidence) -> ProvenAnchor:
    origin = parse_origin(log.origin)
    checkpoint = log.checkpoint.checkpoint
    anchor = read_anchor(storage, issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=origin.epoch)
    if anchor.log.key != sha256(log.key.encode()):
        raise VerificationError("log-key-mismatch", origin=log.origin)
    if anchor.log.root == NO_ROOT:
        raise Undecided("not-anchored")
    # A file may leave out the head's record: the root says which tree is the head. Its size it does not say:
    # trees of several sizes can have one root, a host writes the seal, and whoever may choose the size moves
    # every position, and with it every time.
    if anchor.head is None and log.origin not in context.mirrored:
        raise Undecided("anchor-size-unproven", origin=log.origin)
    if anchor.head is not None and anchor.head.size != checkpoint.size:
        raise VerificationError("anchor-size-mismatch", got=anchor.head.size, wanted=checkpoint.size)
    if anchor.log.root != checkpoint.root:
        raise VerificationError("anchor-root-mismatch", size=checkpoint.size)
    sealed = context.statements.get(log.origin)
    if sealed is None:
        raise Undecided("not-established", step=5)
    if anchor.head is not None and anchor.head.statement != sealed.sequence:
        raise VerificationError("statement-outdated", got=sealed.sequence, wanted=anchor.head.statement)
    return anchor


def _times(context: Context, anchor: ProvenAnchor, finality: str, proven: list[ProvenStorage]) -> Anchored:
    """The newest block, and the earliest anchor that covers the entry, whichever block proves it."""
    entry, _ = context.need_entry()
    header = anchor.header
    own = anchor.find_covering(entry.proof.index)
    covering = covering_records(proven, anchor.log_id, entry.proof.index) + ([own] if own else [])
    entry_seconds, entry_block = min(
        ((record.timestamp, record.block_number) for _, record in covering),
        default=(header.timestamp, header.number),
    )
    return Anchored(
        finality=finality,
        chain_id=anchor.chain_id,
        block_number=header.number,
        block_at=datetime.fromtimestamp(header.timestamp, UTC),
        entry_at=datetime.fromtimestamp(entry_seconds, UTC),
        entry_block=entry_block,
    )
