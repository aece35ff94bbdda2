"""Presentations: credentials shown by whoever holds them, to somebody in particular, now.

    result = verify_presentation(document, documents=documents, now=now, challenge="…", domain="…")

https://www.w3.org/TR/vc-data-model-2.0/#verifiable-presentations. A presentation is signed with the holder's
key for `authentication`, over a challenge that its verifier chose: docs/spec/presentation.md.
Pure: nothing is fetched, no clock is read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from testamur.registry.canonical import Json
from testamur.registry.cryptosuites import CRYPTOSUITES, Canonicalization
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.presentation_format import (
    AUTHENTICATION,
    MAX_CHALLENGE_CHARACTERS,
    MAX_PRESENTED,
    Presentation,
    make_presentation,
    parse_presentation,
)
from testamur.registry.rdfc import check_terms
from testamur.registry.timestamps import parse_timestamp
from testamur.registry.vc_proofs import verify_all_proofs
from testamur.registry.vc_result import UNTOLD, Part, Problem, ProofResult, VcResult, problem_of
from testamur.registry.vc_verification import ALL_CHECKS, verify_credential

__all__ = [
    "AUTHENTICATION",
    "MAX_CHALLENGE_CHARACTERS",
    "MAX_CLOCK_SKEW",
    "MAX_PRESENTED",
    "HolderProof",
    "Presentation",
    "PresentationResult",
    "make_presentation",
    "parse_presentation",
    "verify_holder",
    "verify_presentation",
]

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""How far the holder's clock may run ahead; a proof made later than that was made up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderProof:
    """Who showed a presentation: the `controllers` whose proofs hold, unless there are `problems`."""

    proofs: tuple[ProofResult, ...]
    controllers: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationResult:
    """The whole answer about a presentation and everything in it, by their own proofs."""

    verified: bool
    presentation: Presentation | None
    challenge: str | None
    domain: str | None
    proofs: tuple[ProofResult, ...]
    controllers: tuple[str, ...]
    problems: tuple[Problem, ...]
    credentials: tuple[VcResult, ...]

    def to_json(self) -> dict[str, Json]:
        """The result in the members of the VC API."""
        return {
            "verified": self.verified,
            "problemDetails": [problem.to_json() for problem in self.problems],
            "results": {
                "presentation": {
                    "holder": self.presentation.holder if self.presentation else None,
                    "challenge": self.challenge,
                    "domain": self.domain,
                    "controllers": list(self.controllers),
                    "proof": [proof.to_json() for proof in self.proofs],
                },
                "credentials": [result.to_json() for result in self.credentials],
            },
        }


def verify_holder(
    presentation: Presentation,
    *,
    documents: Mapping[str, Json],
    now: datetime,
    challenge: str | None = None,
    domain: str | None = None,
) -> HolderProof:
    """Who showed the presentation: every proof is for authentication, holds, and is not of another time.

    `challenge` and `domain`, when given, have to stand in every proof. `documents` hold the DID documents of
    holders that are not computed from their names. Never raises for anything in it; ValueError for a `now`
    without zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    proofs: tuple[ProofResult, ...] = ()
    problems: list[Problem] = []
    try:
        proofs = verify_all_proofs(
            presentation.json,
            documents,
            now=now,
            purpose=AUTHENTICATION,
            domain=domain,
            challenge=challenge,
            subject="presentation",
        )
        problems += [proof.problem for proof in proofs if proof.problem is not None]
        if all(problem.reason in UNTOLD for problem in problems):
            _check_time(presentation, now)
            _check_whole(proofs)
            _check_named(presentation, proofs)
    except (MalformedError, VerificationError) as error:
        problems.append(problem_of(Part.PROOF, error, "presentation /proof"))
    held = {proof.controller for proof in proofs if proof.verified and proof.controller}
    return HolderProof(
        proofs=proofs, controllers=() if problems else tuple(sorted(held)), problems=tuple(problems)
    )


def verify_presentation(
    document: Json,
    *,
    documents: Mapping[str, Json],
    now: datetime,
    challenge: str | None = None,
    domain: str | None = None,
    checks: Collection[str] = ALL_CHECKS,
    resources: Mapping[str, bytes] | None = None,
) -> PresentationResult:
    """The result for a presentation and for each of its credentials, as `/presentations/verify` asks.

    `documents`, `checks` and `resources` are those of `verify_credential`. Whether the holder is the one whom
    the credentials name is not asked here: a card of the family doctor is shown by a parent. Never raises for
    anything that the presentation contains.
    """
    try:
        presentation = parse_presentation(document)
    except MalformedError as error:
        return _refused(problem_of(Part.MODEL, error), challenge, domain)
    shown = verify_holder(presentation, documents=documents, now=now, challenge=challenge, domain=domain)
    problems = list(shown.problems)
    if not any(_is_rdf(proof) and proof.verified for proof in shown.proofs):
        problems += _undefined_terms(presentation, documents)
    credentials = tuple(
        verify_credential(item, documents=documents, now=now, checks=checks, resources=resources)
        for item in presentation.credentials
    )
    for number, result in enumerate(credentials):
        if not result.verified:
            where = f"/verifiableCredential/{number}"
            first = result.problems[0].words.rstrip(".")[:300] if result.problems else "it has no proof"
            parameters: dict[str, str | int] = {"where": where, "problem": first}
            place = f"presentation {where}"
            problems.append(
                Problem(part=Part.CONTAINED, reason="contained-invalid", parameters=parameters, where=place)
            )
    return PresentationResult(
        verified=not problems and bool(shown.controllers),
        presentation=presentation,
        challenge=challenge,
        domain=domain,
        proofs=shown.proofs,
        controllers=shown.controllers,
        problems=tuple(problems),
        credentials=credentials,
    )


def _refused(problem: Problem, challenge: str | None, domain: str | None) -> PresentationResult:
    return PresentationResult(
        verified=False,
        presentation=None,
        challenge=challenge,
        domain=domain,
        proofs=(),
        controllers=(),
        problems=(problem,),
        credentials=(),
    )


def _undefined_terms(presentation: Presentation, documents: Mapping[str, Json]) -> list[Problem]:
    """JSON-LD in safe mode, of the envelope alone: its credentials are expanded when they are verified."""
    aside = ("proof", "verifiableCredential")
    envelope = {name: value for name, value in presentation.json.items() if name not in aside}
    try:
        check_terms(envelope, contexts=documents, subject="presentation")
    except (MalformedError, VerificationError) as error:
        return [problem_of(Part.MODEL, error)]
    return []


def _is_rdf(proof: ProofResult) -> bool:
    suite = CRYPTOSUITES.get(proof.cryptosuite or "")
    return suite is not None and suite.canonicalization is Canonicalization.RDFC


def _check_time(presentation: Presentation, now: datetime) -> None:
    for proof in presentation.proofs:
        created = proof.get("created")
        if isinstance(created, str) and parse_timestamp(created, "proof /created") > now + MAX_CLOCK_SKEW:
            raise VerificationError("proof-created-later", date=created[:40])


def _check_whole(proofs: Sequence[ProofResult]) -> None:
    """A JSON proof stays whole when contexts are appended: they would give meaning that nobody signed."""
    if not all(proof.is_whole for proof in proofs):
        raise VerificationError("proof-context-mismatch")


def _check_named(presentation: Presentation, proofs: Sequence[ProofResult]) -> None:
    holder, controllers = presentation.holder, {proof.controller or "" for proof in proofs}
    if holder is not None and holder not in controllers and "" not in controllers:
        raise VerificationError(
            "presentation-holder-mismatch", holder=holder[:200], controller=min(controllers)[:200]
        )
