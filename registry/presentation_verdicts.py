"""The verdict on a presentation: who shows it, and the verdict on every credential in it.

    verdict = verify_presentation_file(data, trust=trust, now=now, challenge="…", domain="…")

Step 11 of each credential says whether it belongs to whoever shows it; steps 1 to 10 are as for any file.
Pure: nothing is fetched, no clock is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.errors import VerificationError
from testamur.registry.evidence import parse_evidence
from testamur.registry.presentation_files import PresentationFile, parse_presentation_file
from testamur.registry.presentations import (
    HolderProof,
    Presentation,
    verify_holder,
)
from testamur.registry.timestamps import format_timestamp
from testamur.registry.trust import TrustFile
from testamur.registry.vc_result import UNTOLD
from testamur.registry.verification import DEFAULT_POLICY, Outcome, Policy, Shown, Verdict, verify

WORST_FIRST = (Outcome.INVALID, Outcome.INDETERMINATE, Outcome.VALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """Who shows a presentation, to be told to the verification of each credential in it."""

    presentation: Presentation
    proof: HolderProof
    challenge: str | None
    domain: str | None
    shown: Shown

    def verdict(self, verdicts: Sequence[Verdict]) -> "PresentationVerdict":
        """The whole answer, once every credential has its own."""
        outcomes = {verdict.outcome for verdict in verdicts}
        return PresentationVerdict(
            outcome=next((item for item in WORST_FIRST if item in outcomes), Outcome.INDETERMINATE),
            showing=self,
            verdicts=tuple(verdicts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationVerdict:
    """The whole answer: the outcome is that of the worst credential."""

    outcome: Outcome
    showing: Showing
    verdicts: tuple[Verdict, ...]

    def to_json(self) -> dict[str, Json]:
        """The stable JSON interface (docs/spec/presentation.md)."""
        showing, first = self.showing, self.verdicts[0]
        problem: Json = None
        if showing.shown.problem is not None:
            problem = {"reason": showing.shown.problem, "parameters": dict(showing.shown.parameters)}
        return {
            "type": "TestamurPresentationVerdict",
            "version": 1,
            "registry": first.registry,
            "development": first.development,
            "outcome": str(self.outcome),
            "presentation": {
                "holder": showing.presentation.holder,
                "controllers": list(showing.proof.controllers),
                "isChallenged": showing.shown.is_challenged,
                "challenge": showing.challenge,
                "domain": showing.domain,
                "created": showing.presentation.first("created"),
                "expires": showing.presentation.first("expires"),
                "problem": problem,
                "warnings": list(showing.shown.warnings),
            },
            "askedAt": format_timestamp(first.asked_at),
            "credentials": [verdict.to_json() for verdict in self.verdicts],
        }


def verify_presentation_file(
    data: bytes | PresentationFile,
    *,
    trust: TrustFile | None,
    now: datetime,
    challenge: str | None = None,
    domain: str | None = None,
    policy: Policy = DEFAULT_POLICY,
    as_of: datetime | None = None,
    documents: Mapping[str, Json] | None = None,
) -> PresentationVerdict:
    """The verdict on a `.presentation.json` file, from the evidence in it.

    `challenge` and `domain` are what the verifier gave; `documents` hold contexts and DID documents by URL.
    Raises MalformedError for a file that is no presentation; everything else is in the verdict.
    """
    file = parse_presentation_file(data) if isinstance(data, bytes) else data
    showing = show(file.presentation, now=now, challenge=challenge, domain=domain, documents=documents)
    parsed = [None if item is None else parse_evidence(item) for item in file.evidence]
    return showing.verdict(
        [
            verify(
                credential,
                evidence,
                trust=trust,
                now=now,
                policy=policy,
                as_of=as_of,
                contexts=documents,
                shown=showing.shown,
            )
            for credential, evidence in zip(file.presentation.credentials, parsed, strict=True)
        ]
    )


def show(
    presentation: Presentation,
    *,
    now: datetime,
    challenge: str | None = None,
    domain: str | None = None,
    documents: Mapping[str, Json] | None = None,
) -> Showing:
    """Who shows the presentation, now and to the verifier who gave `challenge` and `domain`."""
    proof = verify_holder(
        presentation, documents=documents or {}, now=now, challenge=challenge, domain=domain
    )
    return Showing(
        presentation=presentation,
        proof=proof,
        challenge=challenge,
        domain=domain,
        shown=_shown(presentation, proof, challenge, domain),
    )


def refused(showing: Showing, error: VerificationError) -> Showing:
    """The same, when its challenge turns out to be no good, whoever signed it."""
    shown = Shown(problem=error.reason, parameters=error.parameters)
    return replace(showing, proof=replace(showing.proof, controllers=()), shown=shown)


def _shown(
    presentation: Presentation, proof: HolderProof, challenge: str | None, domain: str | None
) -> Shown:
    is_challenged = challenge is not None
    if proof.problems:
        # What is known to be wrong outranks what cannot be told.
        worst = min(proof.problems, key=lambda problem: problem.reason in UNTOLD)
        return Shown(
            is_challenged=is_challenged,
            problem=worst.reason,
            parameters=worst.parameters,
            is_unknown=worst.reason in UNTOLD,
        )
    warnings = []
    if is_challenged and domain is None:
        meant = presentation.first("domain")
        if meant is not None:
            warnings.append(f"made for {meant[:200]}: the domain was not compared")
        else:
            warnings.append("made for no domain: somebody between you and the holder could have passed it on")
    return Shown(
        controllers=frozenset(proof.controllers), is_challenged=is_challenged, warnings=tuple(warnings)
    )
