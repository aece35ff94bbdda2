"""Steps 1, 2, 3, 7, 10 and 11: what the credential says, and whose key signed it."""

from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.credentials import Credential, credential_digest, parse_credential
from testamur.registry.data_model import subject_ids
from testamur.registry.descriptions import describe
from testamur.registry.dids import did_key_verification_method, parse_did, resolve_did_key_public
from testamur.registry.elements import element_problems
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.key_events import Position
from testamur.registry.keys import PublicKey
from testamur.registry.multiformats import encode_digest
from testamur.registry.proofs import SecuredDocument, covers_contexts, proofs_of
from testamur.registry.rdf.processor import UnknownContextError
from testamur.registry.repudiations import find_repudiation
from testamur.registry.shapes import Shape
from testamur.registry.timestamps import parse_timestamp
from testamur.registry.verification.co_issuers import check_threshold, co_issuer_of, key_of, keys_in_force
from testamur.registry.verification.context import Context, Counted, Passed, Undecided
from testamur.registry.verification.step_issuer import bound_keys
from testamur.registry.verification.verdict import CredentialStatus, Facts

NOT_UNDERSTOOD = frozenset({"cryptosuite-unknown", "proof-type-unknown"})
"""Kinds of proof that this version cannot check: nothing is known to be wrong, and nothing is proven."""

IGNORED_REPUDIATION = (
    "the issuer repudiates this entry, which a key of its own signed that nobody else had: that voids nothing"
)
"""Of a repudiation that is out of bounds, or about somebody else's signature under the same entry."""


def well_formed(context: Context) -> Passed:
    """Step 1. The document is a credential by its data model; its digest is computed here, once.

    A signature proves the document as parsed, so later steps use nothing but this parsed form.
    """
    if context.document is None:
        raise Undecided("no-credential")
    try:
        credential = parse_credential(context.document, strict=False)
    except MalformedError as error:
        raise VerificationError("malformed", where=error.subject, problem=error.reason) from error
    context.credential = credential
    context.digest = credential_digest(context.document)
    return Passed(reason="well-formed", facts=facts_of(credential, context.digest))


def facts_of(credential: Credential, digest: bytes) -> Facts:
    """What a person is shown first: the achievement, from whom, to whom. Absent facts are left out."""
    described = describe(credential)
    facts: Facts = {
        "digest": encode_digest(digest),
        "id": credential.id,
        "achievement": described.title,
        "issuer": described.issuer_id,
        "issuerName": credential.issuer_name,
        "learner": described.learner,
        "holder": credential.subject_id,
        "awarded": described.awarded or described.valid_from,
        "validUntil": described.valid_until,
        "credits": described.credits,
        "workload": described.workload,
        "level": described.level,
        "grade": described.grade,
    }
    return {name: value for name, value in facts.items() if value is not None}


def profile(context: Context) -> Passed:
    """Step 2. The profile that the credential claims is kept; what is merely advisable is a warning."""
    credential = context.need_credential()
    warnings = _advice(credential)
    if warnings and context.policy.strict_profile:
        raise VerificationError("profile-incomplete", count=len(warnings), first=warnings[0])
    return Passed(reason="profile-kept", parameters={"profile": credential.profile}, warnings=tuple(warnings))


def _advice(credential: Credential) -> list[str]:
    advice = list(credential.profile_problems)
    if credential.valid_from is None:
        advice.append("validFrom is missing: the credential does not say when it was issued")
    if credential.subject_id is None:
        advice.append("credentialSubject.id is missing: nobody can prove to be its holder")
    if not credential.is_open_badge:
        advice.append("not an Open Badge: what was achieved is not described in a common vocabulary")
    return advice + element_problems(credential.json, of_claimed=True)


def credential_proof(context: Context) -> Passed:
    """Step 3. Every proof on the credential is by the key that it names.

    The key comes from the issuer's key events in the evidence; without evidence, only a did:key issuer
    carries its own. Whether those key events are the admitted issuer's is step 8, whether the key was in
    force is step 7: this step is about the bytes alone.
    """
    credential = context.need_credential()
    methods: list[str] = []
    whole: list[str] = []
    co_signed: dict[str, Counted] = {}
    undecided: Undecided | None = None
    secured = SecuredDocument(credential.json, contexts=context.contexts)
    for method, proof in _proofs(credential):
        co_issuer = co_issuer_of(credential, method)
        try:
            key = key_of(context, co_issuer, method) if co_issuer else _key_for(context, method)
            if key is None:
                co_signed[str(co_issuer)] = Counted.UNKNOWN
                continue
            covers_all = _covers_all(secured, proof, key)
        except Undecided as reason:
            undecided = undecided or reason
            continue
        methods.append(method)
        if covers_all:
            whole.append(method)
        if co_issuer is not None and co_signed.get(co_issuer) is not Counted.YES:
            co_signed[co_issuer] = Counted.YES if covers_all else Counted.NO
    if undecided is not None:
        raise undecided  # not before every other proof was looked at: one of them may be false
    if credential.joint_award is not None:
        _check_issuer_signed(credential, methods)
    if all(co_issuer_of(credential, method) is not None for method in whole):
        # A proof stays whole when contexts are appended, and a host can log what it appended to. What no
        # proof covers is not the issuer's meaning.
        raise VerificationError("proof-context-mismatch")
    context.whole_methods, context.co_signed = tuple(whole), co_signed
    facts: Facts = {"verificationMethods": [*methods]}
    if credential.joint_award is not None:
        facts["signedBy"] = [*check_threshold(credential.joint_award, co_signed)]
    return Passed(reason="proof-verified", parameters={"count": len(methods)}, facts=facts)


def _covers_all(secured: SecuredDocument, proof: dict[str, Json], key: PublicKey) -> bool:
    """Whether the proof, which holds, covers every context of the document."""
    try:
        return covers_contexts(secured.verify(proof, key), secured.document)
    except VerificationError as error:
        if error.reason in NOT_UNDERSTOOD:
            raise Undecided(error.reason, **error.parameters) from error
        raise
    except UnknownContextError as error:
        raise Undecided("context-unknown", url=error.url) from error


def _check_issuer_signed(credential: Credential, methods: list[str]) -> None:
    """Whoever else signs a joint award, its issuer does."""
    if all(co_issuer_of(credential, method) is not None for method in methods):
        raise VerificationError("joint-award-issuer-missing", issuer=credential.issuer_id[:200])


def _proofs(credential: Credential) -> list[tuple[str, dict[str, Json]]]:
    if "proof" not in credential.json:
        raise VerificationError("proof-missing")
    found = []
    for number, proof in enumerate(proofs_of(credential.json, "credential")):
        found.append((Shape(proof, f"credential /proof/{number}").text("verificationMethod"), proof))
    return found


def _key_for(context: Context, method: str) -> PublicKey:
    if context.keys is not None:
        # The position at which step 7 asks whether the key was in force: both mean the same key.
        return context.keys.public_key(method, _position(context))
    issuer = context.need_credential().issuer_id
    if issuer.startswith("did:key:") and parse_did(issuer).method == "key":
        key = resolve_did_key_public(issuer)
        if method == did_key_verification_method(key):
            return key
    if context.evidence is None:
        raise Undecided("issuer-key-unknown", method=method[:200])
    raise Undecided("not-established", step=4)


def _position(context: Context) -> Position | None:
    if context.entry is None or context.origin is None:
        return None
    return Position(context.origin.epoch, context.entry.proof.index)


def signing_key(context: Context) -> Passed:
    """Step 7. The key was in force where the credential was logged, and the entry is not repudiated.

    Order, not time: what was logged inside the key's interval stays good when the key is rotated or stolen
    later, and what a thief logs after it is refused, whatever dates it carries. A repudiation voids what a
    lost key signed inside its interval; one that reaches further counts for nothing.
    """
    credential = context.need_credential()
    entry, origin = context.need_entry()
    repudiated = context.need_statement().repudiated
    keys = bound_keys(context)
    position = Position(origin.epoch, entry.proof.index)
    own = [method for method, _ in _proofs(credential) if co_issuer_of(credential, method) is None]
    for method in own:
        if not keys.is_in_force(method, position):
            raise VerificationError("key-not-in-force", method=method[:200], index=entry.proof.index)
    void = [find_repudiation(repudiated, keys, method=method, position=position) for method in own]
    if void and (said := void[0]) is not None and None not in void:
        raise VerificationError(
            "entry-repudiated", index=entry.proof.index, statement=said.statement, date=said.time[:10]
        )
    keys_in_force(context)
    is_ignored = any(item.covers(position) for item in repudiated)
    return Passed(
        reason="key-in-force",
        parameters={"index": entry.proof.index, "epoch": origin.epoch},
        warnings=(IGNORED_REPUDIATION,) if is_ignored else (),
    )


def validity_period(context: Context) -> Passed:
    """Step 10. The moment asked about lies between `validFrom` and `validUntil`, both included.

    A proof that `expires` earlier ends it earlier: its signer vouches for no longer than that.
    """
    credential = context.need_credential()
    moment = context.now
    ends = [end for end in (credential.valid_until, *_proof_ends(credential)) if end is not None]
    context.valid_until = min(ends, default=None)
    if credential.valid_from is not None and moment < credential.valid_from:
        context.outside_validity = CredentialStatus.NOT_YET_VALID
        raise VerificationError("not-yet-valid", date=credential.valid_from.date().isoformat())
    if context.valid_until is None:
        return Passed(reason="no-end-date")
    date = context.valid_until.date().isoformat()
    if moment > context.valid_until:
        context.outside_validity = CredentialStatus.EXPIRED
        raise VerificationError("expired", date=date)
    return Passed(reason="within-validity", parameters={"date": date})


def _proof_ends(credential: Credential) -> list[datetime]:
    """When its Data Integrity proofs expire. https://www.w3.org/TR/vc-data-integrity/#proofs."""
    ends = []
    for proof in proofs_of(credential.json, "credential") if "proof" in credential.json else []:
        if proof["type"] == "DataIntegrityProof" and "expires" in proof:
            shape = Shape(proof, "proof")
            ends.append(parse_timestamp(shape.text("expires"), shape.path("expires")))
    return ends


def holder_binding(context: Context) -> Passed:
    """Step 11. Only a presentation proves who holds a credential; a bare file says just whom it names.

    Whoever shows it controls the DID of a subject: of any one, when it is about several together.
    """
    credential, shown = context.need_credential(), context.shown
    holders = subject_ids(credential.json)
    if shown is not None and shown.problem is not None:
        if shown.is_unknown:
            raise Undecided(shown.problem, **shown.parameters)
        raise VerificationError(shown.problem, **shown.parameters)
    if not holders:
        if shown is not None and shown.is_challenged:
            raise Undecided("holder-not-bound")
        return Passed(reason="holder-not-bound", skipped=True)
    facts: Facts = {"holder": holders[0]}
    if shown is None:
        return Passed(reason="holder-not-asked", skipped=True, facts=facts)
    proven = [holder for holder in holders if holder in shown.controllers]
    if not proven:
        who = min(shown.controllers, default="nobody")[:200]
        raise VerificationError("holder-mismatch", shown=who, holder=holders[0][:200])
    facts = {"holder": proven[0]}
    parameters: dict[str, str | int] = {"holder": proven[0][:200]}
    if not shown.is_challenged:
        return Passed(reason="holder-unchallenged", parameters=parameters, facts=facts, skipped=True)
    return Passed(reason="holder-proven", parameters=parameters, facts=facts, warnings=shown.warnings)
