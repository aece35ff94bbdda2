"""Steps 4 and 5: the entry in its issuer's log, and who signed, sealed and saw that log."""

from dataclasses import replace
from datetime import datetime
from typing import cast

from testamur.registry import merkle
from testamur.registry.canonical import Json
from testamur.registry.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    parse_signed_checkpoint,
    verify_checkpoint,
)
from testamur.registry.entries import Entry, EntryKind, parse_origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evidence import Evidence, LogEvidence, LoggedEntry, MerklePath
from testamur.registry.issuer_keys import IssuerKeys, verify_issuer_keys
from testamur.registry.key_events import Position
from testamur.registry.merkle import MAX_TREE_SIZE
from testamur.registry.notes import ED25519, VerifierKey, parse_vkey
from testamur.registry.policies import NO_QUORUM
from testamur.registry.remembered import RememberedKey, remembering_json
from testamur.registry.seals import parse_seal
from testamur.registry.statements import Statement, parse_statement, verify_statement
from testamur.registry.timestamps import format_timestamp
from testamur.registry.trust import TrustFile
from testamur.registry.verification.context import Context, Passed, Undecided
from testamur.registry.verification.verdict import Facts, Witnessed
from testamur.registry.verification.witnessing import count_cosignatures, seen_first


def logged(context: Context) -> Passed:
    """Step 4. The credential is entry i of a log of its own issuer.

    RFC 9162 §2.1.3.2 against the root of the one checkpoint that everything else proves into as well.
    """
    credential = context.need_credential()
    evidence = context.evidence
    if evidence is None or context.digest is None:
        raise Undecided("no-evidence")
    trust = context.need_trust()
    found = evidence.entries_for(context.digest)
    entry = _of_issuer(evidence, found, credential.issuer_id)
    # Without an entry the issuer's log is still looked at, so that step 3 can say whether it was altered.
    name = entry.origin if entry else _log_of_issuer(evidence, credential.issuer_id)
    if name is None:
        raise VerificationError("entry-missing")
    origin = parse_origin(name)
    if not evidence.registry == origin.registry == trust.registry:
        # The verifier brought the trust file of another registry: nothing is proven, either way.
        raise Undecided("other-registry", got=evidence.registry, wanted=trust.registry)
    log, newest = evidence.logs[name], _newest_log(evidence, name)
    context.log, context.newest_log, context.origin = log, newest, origin
    keys = verify_issuer_keys(newest.key_events)
    if log.key_events != newest.key_events[: len(log.key_events)]:
        raise VerificationError(
            "key-events-incomplete", got=len(newest.key_events), wanted=len(log.key_events)
        )
    context.keys = keys
    if keys.issuer != credential.issuer_id:
        raise VerificationError(
            "issuer-mismatch", credential=credential.issuer_id[:200], log=keys.issuer[:200]
        )
    if entry is None:
        raise VerificationError("entry-missing")
    _prove_entry(entry, log)
    context.entry = entry
    size = log.checkpoint.checkpoint.size
    return Passed(
        reason="logged",
        parameters={"origin": entry.origin, "index": entry.proof.index, "size": size},
        facts={"origin": entry.origin, "leafIndex": entry.proof.index, "treeSize": size},
    )


def _of_issuer(evidence: Evidence, found: tuple[LoggedEntry, ...], issuer: str) -> LoggedEntry | None:
    """The entry in the issuer's own log, when the credential was logged by several institutions."""
    own = [entry for entry in found if _issuer_named_by(evidence.logs[entry.origin]) == issuer]
    return next(iter([*own, *found]), None)


def _log_of_issuer(evidence: Evidence, issuer: str) -> str | None:
    return next((name for name, log in evidence.logs.items() if _issuer_named_by(log) == issuer), None)


def _issuer_named_by(log: LogEvidence) -> Json:
    """Who the log's statement says it is; a guide to where to look, and believed by nobody."""
    return log.statement.get("issuer") if isinstance(log.statement, dict) else None


def _newest_log(evidence: Evidence, origin: str) -> LogEvidence:
    """The log of the same issuer with the highest epoch: the newest statement is there, and nowhere else.

    That no later epoch exists is for the contract to say, in step 6.
    """
    issuer_id = parse_origin(origin).issuer_id
    same = [log for name, log in evidence.logs.items() if parse_origin(name).issuer_id == issuer_id]
    return max(same, key=lambda log: parse_origin(log.origin).epoch)


def _prove_entry(entry: LoggedEntry, log: LogEvidence) -> None:
    checkpoint = log.checkpoint.checkpoint
    if entry.proof.checkpoint_note != log.note.encode():
        # One file, one tree: a proof into another tree than the seal and the anchor would let an attacker
        # join a real anchor to a credential that it does not cover.
        within = parse_signed_checkpoint(entry.proof.checkpoint_note).checkpoint
        if within != checkpoint:
            raise VerificationError("checkpoint-mismatch", got=within.size, wanted=checkpoint.size)
    leaf = Entry(kind=EntryKind.CREDENTIAL, digest=entry.digest).leaf_hash
    merkle.verify_inclusion(leaf, entry.proof.index, checkpoint.size, entry.proof.hashes, checkpoint.root)


def witnessed(context: Context) -> Passed:
    """Step 5. The checkpoint is signed by its log, sealed, and cosigned by the quorums of the trust file.

    An earlier checkpoint that the evidence brings for its time is proven as well, or the step fails.
    """
    log, newest = context.need_log(), context.need_newest_log()
    trust = context.need_trust()
    keys = context.need_keys()
    for one in _distinct(log, newest):
        verify_checkpoint(one.checkpoint, _log_key(one))
        context.statements[one.origin] = _prove_seal(one, keys)
    counted = [_count_both(context, trust, one.checkpoint) for one in _distinct(log, newest)]
    least = min(counted, key=lambda item: (item.quorum, item.witnesses, item.mirrors))
    context.witnessed = replace(least, no_later_than=_seen_by(context, trust, counted[0].no_later_than))
    parameters: dict[str, str | int] = {
        "witnesses": least.witnesses,
        "of": least.of_witnesses,
        "mirrors": least.mirrors,
        "ofMirrors": least.of_mirrors,
    }
    if not least.quorum:
        raise Undecided("quorum-missing", **parameters)
    facts: Facts = {"statement": context.need_statement().sequence}
    if context.witnessed.no_later_than is not None:
        facts["noLaterThan"] = format_timestamp(context.witnessed.no_later_than)
    return Passed(reason="witnessed", parameters=parameters, facts=facts)


def _seen_by(context: Context, trust: TrustFile, seen_now: datetime | None) -> datetime | None:
    """When a quorum of witnesses had seen the credential's entry, by this checkpoint or an earlier one."""
    # Without a proven entry nothing was seen; an earlier checkpoint that is false fails the step anyway.
    index = context.entry.proof.index if context.entry else MAX_TREE_SIZE
    moments = [seen_now if context.entry else None]
    for log in _distinct(context.need_log(), context.need_newest_log()):
        seen = seen_first(trust, log, _log_key(log), index, now=context.now)
        moments.append(seen if log is context.log else None)
    return min((moment for moment in moments if moment is not None), default=None)


def _log_key(log: LogEvidence) -> VerifierKey:
    key = parse_vkey(log.key)
    if key.algorithm != ED25519:
        # A cosignature key signs other bytes than a log's key: a witness is not the log.
        raise MalformedError("log key", f"is of signature type {key.algorithm:#04x}, not {ED25519:#04x}")
    return key


def _distinct(log: LogEvidence, newest: LogEvidence) -> list[LogEvidence]:
    return [log] if log.origin == newest.origin else [log, newest]


def _prove_seal(log: LogEvidence, keys: IssuerKeys) -> Statement:
    """The last entry of the checkpoint is the seal, and the statement that it names is the issuer's.

    Whose keys spoke for the issuer there is read from all of its key events, those after it as well.
    """
    own = verify_issuer_keys(log.key_events)
    return _sealed([log.seal, log.statement], log.checkpoint.checkpoint, log.seal_proof, own, keys)


@remembering_json
def _sealed(
    documents: Json, checkpoint: Checkpoint, proof: MerklePath, own: IssuerKeys, keys: IssuerKeys
) -> Statement:
    """The statement of [seal, statement], if it agrees with its log's key events, and with all of them."""
    sealed, stated = cast("list[Json]", documents)
    seal = parse_seal(sealed)
    if (seal.origin, seal.size, proof.index) != (checkpoint.origin, checkpoint.size, checkpoint.size - 1):
        raise VerificationError("seal-mismatch", got=seal.size, wanted=checkpoint.size)
    leaf = Entry(kind=EntryKind.SEAL, digest=seal.digest).leaf_hash
    merkle.verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    statement = parse_statement(stated)
    named = (seal.statement_digest, seal.statement_sequence)
    if named != (statement.digest, statement.sequence) or statement.issuer != keys.issuer:
        raise VerificationError("statement-mismatch", sequence=seal.statement_sequence)
    if (statement.key_events_count, statement.key_events_head) != (own.count, own.head):
        # A host that leaves out the newest key event would let a rotated key go on signing.
        raise VerificationError("key-events-incomplete", got=own.count, wanted=statement.key_events_count)
    position = Position(parse_origin(checkpoint.origin).epoch, checkpoint.size - 1)
    verify_statement(statement, lambda method: RememberedKey.of(keys.public_key_in_force(method, position)))
    return statement


def _count_both(context: Context, trust: TrustFile, signed: SignedCheckpoint) -> Witnessed:
    witnesses = count_cosignatures(trust, "witness", signed, now=context.now)
    mirrors = count_cosignatures(trust, "mirror", signed, now=context.now)
    if mirrors.is_quorum and trust.mirror_policy.quorum != NO_QUORUM:
        context.mirrored.add(signed.checkpoint.origin)
    for moment in (*witnesses.times.values(), *mirrors.times.values()):
        if context.evidence_at is None or moment < context.evidence_at:
            context.evidence_at = moment
    return Witnessed(
        witnesses=len(witnesses.times),
        of_witnesses=len(trust.witness_policy.witnesses),
        mirrors=len(mirrors.times),
        of_mirrors=len(trust.mirror_policy.witnesses),
        quorum=witnesses.is_quorum and mirrors.is_quorum,
        no_later_than=witnesses.quorum_at,
    )
