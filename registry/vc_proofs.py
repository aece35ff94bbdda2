"""Every proof of a document, each with the key that its controller authorised, in the order of their chain.

https://www.w3.org/TR/vc-data-integrity/#verify-proof-sets-and-chains. All proofs have to hold: one that is of
an unknown kind proves nothing, and a document that carries it is not proven.
"""

from collections.abc import Mapping
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.jose import Token, verify_token
from testamur.registry.proofs import (
    ASSERTION,
    SecuredDocument,
    covers_contexts,
    in_chain_order,
    parse_options,
    proofs_of,
)
from testamur.registry.proofs_chain import previous_proofs
from testamur.registry.timestamps import format_timestamp, parse_timestamp
from testamur.registry.vc_result import UNTOLD, Part, Problem, ProofResult, problem_of
from testamur.registry.verification_methods import VerificationMethod, find_verification_method


def verify_all_proofs(
    document: Mapping[str, Json],
    documents: Mapping[str, Json],
    *,
    now: datetime,
    purpose: str = ASSERTION,
    domain: str | None = None,
    challenge: str | None = None,
    subject: str = "credential",
) -> tuple[ProofResult, ...]:
    """One result per proof, in the document's order; `documents` hold contexts and controller documents.

    `domain` and `challenge`, when given, have to stand in every proof. Raises MalformedError for a `proof`
    member that is none, and VerificationError: proof-missing, proof-previous-missing, proof-chain-circular.
    """
    if "proof" not in document:
        raise VerificationError("proof-missing")
    proofs = proofs_of(document, subject)
    secured = SecuredDocument(document, contexts=documents)
    results: dict[int, ProofResult] = {}
    for number in in_chain_order(proofs):
        proof = proofs[number]
        where = f"{subject} /proof/{number}" if isinstance(document["proof"], list) else f"{subject} /proof"
        error: RegistryError | None = None
        method, whole = None, True
        try:
            _check_asked(proof, now, domain, challenge)
            options = parse_options(proof)
            method = _method(options.verification_method, documents, purpose, now)
            whole = covers_contexts(secured.verify(proof, method.public_key, purpose=purpose), document)
            _check_earlier(proof, proofs, results)
        except (MalformedError, VerificationError) as caught:
            error = caught
        results[number] = ProofResult(
            where=where,
            type=str(proof["type"]),
            cryptosuite=_text(proof, "cryptosuite"),
            verification_method=_text(proof, "verificationMethod"),
            purpose=_text(proof, "proofPurpose"),
            controller=method.controller if method else None,
            verified=error is None,
            is_whole=whole,
            expires=_expires(proof),
            problem=problem_of(Part.PROOF, error, where) if error else None,
        )
    return tuple(results[number] for number in range(len(proofs)))


def verify_token_proof(
    token: Token, documents: Mapping[str, Json], *, now: datetime, issuer: str | None
) -> ProofResult:
    """The result of a token's one signature. A relative `kid` is one of the issuer's methods."""
    error: RegistryError | None = None
    method = None
    url = token.key_id
    if url is not None and url.startswith("#") and issuer is not None:
        url = issuer + url
    try:
        method = _method(_named(url), documents, ASSERTION, now)
        verify_token(token, method.public_key)
        _check_token_issuer(token, issuer)
    except (MalformedError, VerificationError) as caught:
        error = caught
    return ProofResult(
        where="token",
        type="JsonWebToken",
        cryptosuite=token.algorithm,
        verification_method=url,
        purpose=ASSERTION,
        controller=method.controller if method else None,
        verified=error is None,
        expires=token.expires,
        problem=problem_of(Part.PROOF, error, "token") if error else None,
    )


def _named(url: str | None) -> str:
    if url is None:
        raise MalformedError("token header /kid", "is missing: it names the key")
    return url


def _check_token_issuer(token: Token, issuer: str | None) -> None:
    if token.issuer is not None and token.issuer != issuer:
        raise VerificationError("token-issuer-mismatch", iss=token.issuer[:200])


def _method(url: str, documents: Mapping[str, Json], purpose: str, now: datetime) -> VerificationMethod:
    method = find_verification_method(url, documents, purpose=purpose, subject="proof /verificationMethod")
    if method.ends_at is not None and now > method.ends_at:
        # By its own document alone nobody can tell a signature made before the end from one made after it.
        raise VerificationError(
            "verification-method-ended", method=url[:200], date=method.ends_at.date().isoformat()
        )
    return method


def _check_earlier(
    proof: dict[str, Json], proofs: list[dict[str, Json]], results: Mapping[int, ProofResult]
) -> None:
    """A chained proof vouches for those before it: of one that cannot be told, nor can it."""
    unknown: Problem | None = None
    for earlier in previous_proofs(proof, proofs):
        number = next(number for number, item in enumerate(proofs) if item is earlier)
        problem = results[number].problem
        if problem is not None and problem.reason not in UNTOLD:
            raise VerificationError("proof-previous-invalid", id=str(proofs[number].get("id"))[:200])
        unknown = unknown or problem
    if unknown is not None:
        raise VerificationError(unknown.reason, **unknown.parameters)


def _check_asked(proof: dict[str, Json], now: datetime, domain: str | None, challenge: str | None) -> None:
    expires = _expires(proof)
    if expires is not None and now > expires:
        raise VerificationError("proof-expired", date=format_timestamp(expires))
    said = proof.get("domain")
    if domain is not None and domain not in (said if isinstance(said, list) else [said]):
        raise VerificationError("proof-domain-mismatch", expected=domain[:200])
    if challenge is not None and proof.get("challenge") != challenge:
        raise VerificationError("proof-challenge-mismatch")


def _expires(proof: dict[str, Json]) -> datetime | None:
    value = proof.get("expires")
    try:
        return parse_timestamp(value, "proof /expires") if isinstance(value, str) else None
    except MalformedError:
        return None  # `parse_options` refuses it with its pointer


def _text(proof: dict[str, Json], member: str) -> str | None:
    value = proof.get(member)
    return value[:2048] if isinstance(value, str) else None
