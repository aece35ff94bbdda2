"""Step 9: what the issuer's newest proven statement says of the credential's status entries."""

from collections.abc import Mapping

from testamur.registry.canonical import Json, digest
from testamur.registry.errors import VerificationError
from testamur.registry.evidence import LogEvidence, StatusProof
from testamur.registry.statements import (
    Statement,
    parse_status_entry_of_statement,
    verify_status_entry,
)
from testamur.registry.status import is_set, verify_chunk
from testamur.registry.status_lists import REVOCATION, SUSPENSION, StatusListEntry, parse_status_list
from testamur.registry.verification.context import Context, Passed, Undecided
from testamur.registry.verification.status_change import NEVER, Change, change_of, span_of, with_earlier
from testamur.registry.verification.supplied_lists import INFORMATIVE, SuppliedStatus, read_supplied
from testamur.registry.verification.verdict import CredentialStatus, StatusSpan


def status(context: Context) -> Passed:
    """Step 9. No list of the newest statement has a revoking or suspending bit set for this credential.

    A type of entry that is not understood, or a list that is not there, is *unknown*: never revoked, never
    active. Revocation outranks suspension whatever the order of the entries, and a missing list cannot hide
    that another one says "revoked". Lists of older formats count where the caller supplies them.
    """
    credential = context.need_credential()
    if not credential.status and not credential.unknown_status_types:
        context.list_status = CredentialStatus.ACTIVE
        return Passed(reason="status-none")
    supplied = _supplied(context)
    if supplied is not None and not credential.status:
        return _supplied_alone(context, supplied)
    log, statement = context.need_newest_log(), context.need_statement()
    found: set[str] = set()
    missing: list[str] = []
    lists: list[Json] = []
    changes: dict[str, Change] = {}
    unknown: list[str] = []
    for wanted in credential.status:
        if wanted.purpose in INFORMATIVE:
            continue
        if wanted.purpose not in {REVOCATION, SUSPENSION}:
            unknown.append(wanted.purpose)
            continue
        proof = _proof_for(log, wanted)
        if proof is None:
            missing.append(wanted.list_id)
            continue
        value, version = read_status(statement, proof, wanted)
        change = change_of(context, proof, wanted, value)
        span = span_of(wanted.purpose, value, version, change)
        context.spans.append(with_earlier(context, proof, span))
        listed: dict[str, Json] = {
            "purpose": wanted.purpose,
            "list": wanted.list_id,
            "version": version,
            "set": value,
        }
        if change is not None:
            listed["change"] = change.to_json()
            changes[wanted.purpose] = change
            context.status_notes.append(change.words(wanted.purpose))
        lists.append(listed)
        if value:
            found.add(wanted.purpose)
    if missing or unknown:
        # What is not here may have said anything before; what is here does not answer for it.
        context.spans.append(StatusSpan(purpose=SUSPENSION, value=False, since=NEVER))
    _judge(context, found, missing, statement, changes)
    if unknown:
        raise Undecided("status-type-unknown", type=unknown[0][:200])
    if supplied is not None:
        _judge_supplied(context, supplied)
        lists += supplied.lists
    _need_newest(context, statement)
    context.list_status = CredentialStatus.ACTIVE
    return Passed(
        reason="status-active", parameters=_as_of(context, statement.sequence), facts={"lists": lists}
    )


def _supplied(context: Context) -> SuppliedStatus | None:
    """What supplied lists of older formats say, None without such entries; one that revokes ends it here."""
    if not context.need_credential().unknown_status_types:
        return None
    supplied = read_supplied(context)
    # A supplied list is what is supplied: it says nothing of any earlier moment.
    context.spans.append(StatusSpan(purpose=SUSPENSION, value=SUSPENSION in supplied.found, since=NEVER))
    if REVOCATION in supplied.found:
        context.spans.append(StatusSpan(purpose=REVOCATION, value=True, since=NEVER))
        context.list_status = CredentialStatus.REVOKED
        raise VerificationError("revoked-by-list")
    return supplied


def _judge_supplied(context: Context, supplied: SuppliedStatus) -> None:
    if supplied.unknown is not None:
        raise supplied.unknown
    if SUSPENSION in supplied.found:
        context.list_status = CredentialStatus.SUSPENDED
        raise VerificationError("suspended-by-list")


def _supplied_alone(context: Context, supplied: SuppliedStatus) -> Passed:
    """A credential whose status stands in lists of older formats alone: no statement speaks of it."""
    _judge_supplied(context, supplied)
    context.list_status = CredentialStatus.ACTIVE
    return Passed(reason="status-active-by-list", facts={"lists": [*supplied.lists]})


def _as_of(context: Context, sequence: int) -> dict[str, str | int]:
    """Which statement it was, and how fresh: of which block, and how old that was at the moment of asking."""
    parameters: dict[str, str | int] = {"statement": sequence}
    if context.anchored is not None:
        parameters["block"] = context.anchored.block_number
        parameters["age"] = int((context.now - context.anchored.block_at).total_seconds())
    return parameters


def _judge(
    context: Context,
    found: set[str],
    missing: list[str],
    statement: Statement,
    changes: Mapping[str, Change],
) -> None:
    def shown(purpose: str) -> dict[str, str | int]:
        change = changes.get(purpose)
        return {"statement": statement.sequence, **(change.parameters() if change else {})}

    if REVOCATION in found:
        context.list_status = CredentialStatus.REVOKED
        raise VerificationError("revoked", **shown(REVOCATION))
    if missing:
        raise Undecided("status-missing", list=missing[0][:200])
    if SUSPENSION in found:
        context.list_status = CredentialStatus.SUSPENDED
        raise VerificationError("suspended", **shown(SUSPENSION))


def _need_newest(context: Context, statement: Statement) -> None:
    """Undecided when the caller's own RPC knows of a newer statement: it may revoke this very credential."""
    newest = context.chain.statements.get(context.need_entry()[1].issuer_id, 0)
    if newest > statement.sequence:
        raise Undecided("status-outdated", got=statement.sequence, newest=newest)


def _proof_for(log: LogEvidence, wanted: StatusListEntry) -> StatusProof | None:
    for proof in log.status:
        entry = proof.entry
        if isinstance(entry, dict) and (entry.get("id"), entry.get("purpose")) == (
            wanted.list_id,
            wanted.purpose,
        ):
            return proof
    return None


def read_status(statement: Statement, proof: StatusProof, wanted: StatusListEntry) -> tuple[bool, int]:
    """(bit, version of the list) for one status entry, proven from the statement.

    The list's own proof is deliberately not checked again: its digest, or the root over its chunks, stands in
    a statement that the issuer signed, which binds it at least as firmly.
    Raises VerificationError, or MalformedError for a list that is not one.
    """
    entry = parse_status_entry_of_statement(proof.entry)
    verify_status_entry(statement, entry, proof.path.index, proof.path.hashes)
    if wanted.size != 1 or wanted.index >= entry.length:
        raise VerificationError("status-index-outside-list", index=wanted.index, length=entry.length)
    if proof.chunk is not None and proof.chunk_path is not None:
        hashes = proof.chunk_path.hashes
        value = verify_chunk(proof.chunk, wanted.index, entry.length, hashes, entry.chunk_root)
        return value, entry.sequence
    if digest(proof.list_credential) != entry.digest:
        raise VerificationError("status-list-mismatch", list=entry.id[:200])
    listed = parse_status_list(proof.list_credential)
    same = (listed.issuer, listed.id, listed.purposes) == (statement.issuer, entry.id, (entry.purpose,))
    if not same or 8 * len(listed.data) != entry.length:
        raise VerificationError("status-list-mismatch", list=entry.id[:200])
    return is_set(listed.data, wanted.index), entry.sequence
