"""A verdict in English: one sentence, and one line for each check. Plain text, safe for a terminal.

What a credential says of itself is a stranger's text: control and direction-changing characters are
shown as what they are, or a name could rewrite the line that judges it.
"""

import unicodedata
from datetime import timedelta

from testamur.registry.reasons import words
from testamur.registry.verification.verdict import (
    Check,
    CheckResult,
    CredentialStatus,
    Outcome,
    Step,
    Verdict,
)

MAX_SHOWN_CHARACTERS = 300
"""A title is a line; a longer one is cut, so that nobody scrolls past the verdict."""

STEP_NAMES = {step: step.name.lower().replace("_", "-") for step in Step}

STEP_QUESTIONS = {
    Step.WELL_FORMED: "Is it a credential?",
    Step.PROFILE: "Does it keep the rules of its kind?",
    Step.CREDENTIAL_PROOF: "Is it unaltered, and signed by its issuer?",
    Step.LOGGED: "Did its issuer log it?",
    Step.WITNESSED: "Have the other members seen that log?",
    Step.ANCHORED: "Is that log anchored on the chain?",
    Step.SIGNING_KEY: "Was the key the issuer's when it signed?",
    Step.ISSUER: "Is the issuer admitted to the registry?",
    Step.STATUS: "Has it been revoked or suspended?",
    Step.VALIDITY_PERIOD: "Is it within its dates?",
    Step.HOLDER_BINDING: "Does it belong to whoever shows it?",
}
"""What each step asks, as a person would."""

STEP_EVIDENCE = {
    Step.WELL_FORMED: "the credential itself",
    Step.PROFILE: "the credential itself",
    Step.CREDENTIAL_PROOF: "the proof in the credential, and the issuer's key events",
    Step.LOGGED: "an inclusion proof, from the credential's digest to a checkpoint of the log",
    Step.WITNESSED: "the checkpoint, its cosignatures, its seal, and the issuer's statement",
    Step.ANCHORED: "a storage proof, from the contract's record to a final block",
    Step.SIGNING_KEY: "the order of the log, and the issuer's key events and repudiations",
    Step.ISSUER: "the contract's record of the issuer, in the same storage proof",
    Step.STATUS: "the status lists that the issuer's newest statement names",
    Step.VALIDITY_PERIOD: "the dates in the credential, and the moment of asking",
    Step.HOLDER_BINDING: "the holder's proof in a presentation; a file alone does not prove who holds it",
}
"""What each step looks at."""

AGEING_STEPS = frozenset({Step.WITNESSED, Step.ANCHORED, Step.ISSUER, Step.STATUS})
"""Steps whose evidence was true at a moment; that of the others is as good in thirty years."""

DEVELOPMENT_WARNING = (
    "DEVELOPMENT REGISTRY: this proves that the software works, and nothing about the real world."
)

STATUS_SENTENCES = {
    CredentialStatus.REVOKED: "It is genuine, but its issuer has revoked it.",
    CredentialStatus.SUSPENDED: "It is genuine, but its issuer has suspended it.",
    CredentialStatus.EXPIRED: "It is genuine, but it has expired.",
    CredentialStatus.NOT_YET_VALID: "It is genuine, but it is not valid yet.",
}


def safe(text: str) -> str:
    """A stranger's text on one line: control, format and direction characters become U+FFFD."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in text)
    if len(shown) > MAX_SHOWN_CHARACTERS:
        return shown[: MAX_SHOWN_CHARACTERS - 1] + "…"
    return shown


def headline(verdict: Verdict) -> str:
    """The verdict in one to three words; *cannot tell* is neither of the other two."""
    if verdict.outcome == Outcome.VALID:
        return "Valid"
    if verdict.outcome == Outcome.INDETERMINATE:
        return "Cannot tell"
    if verdict.at_issuance == Outcome.VALID and verdict.credential_status in STATUS_SENTENCES:
        return str(verdict.credential_status).replace("-", " ").capitalize()
    return "Not valid"


def sentence(verdict: Verdict) -> str:
    """The verdict in one sentence, the same on the command line, in HTTP and on paper."""
    if verdict.outcome == Outcome.VALID:
        if any(check.reason == "issuer-closed" for check in verdict.checks):
            return "Genuine and in good standing. Its issuer has closed since; this status is final."
        if verdict.at is not None and verdict.now == Outcome.INVALID:
            return f"Genuine, and in good standing then. {_since(verdict)}"
        return "Genuine, logged by its issuer, and in good standing."
    if verdict.outcome == Outcome.INVALID:
        if verdict.at_issuance == Outcome.VALID and verdict.credential_status in STATUS_SENTENCES:
            return STATUS_SENTENCES[verdict.credential_status]
        numbers = " and ".join(f"{check.step:d} ({STEP_NAMES[check.step]})" for check in verdict.failed)
        return f"Do not rely on it: check {numbers} failed."
    unknown = [check for check in verdict.checks if check.result == CheckResult.UNKNOWN]
    if not unknown and verdict.at is not None:
        then = words("status-not-known-then", {})
        return f"Cannot tell: {then} This is not a judgement about the credential."
    if not unknown:
        return "Genuine, but its status is too old to say anything about now. Refresh the evidence."
    # Without evidence nothing else can be told either, so this is what there is to say.
    telling = sorted(
        unknown, key=lambda check: (check.reason != "no-evidence", check.reason == "not-established")
    )
    first = telling[0]
    return f"Cannot tell: {explain(first)} This is not a judgement about the credential."


def _since(verdict: Verdict) -> str:
    """What has become of a credential that was in good standing at the moment asked about."""
    reasons = {check.reason for check in verdict.failed}
    for reason in ("revoked", "suspended"):
        if reason in reasons:
            return f"Its issuer has {reason} it since."
    return "It is not valid any more."


SPOKEN: dict[str | int, str | int] = {
    "own-rpc": "your own chain endpoint",
    "pinned-header": "the header that the trust file pins",
}
"""Codes among the parameters that people should not have to read."""


def explain(check: Check) -> str:
    """The words for one check, as a sentence."""
    spoken = {name: SPOKEN.get(value, value) for name, value in check.parameters.items()}
    reason = check.reason
    if reason == "status-active" and "age" in check.parameters:
        reason, spoken["age"] = "status-active-at", age(timedelta(seconds=int(check.parameters["age"])))
    return safe(words(reason, spoken))


def counted(number: int, noun: str) -> str:
    """`1 credential`, `2 credentials`, `3 entries`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def age(span: timedelta) -> str:
    """A time span as a person would say it: two units at most."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return "from the future: this clock and the chain's disagree"
    units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")]
    parts: list[str] = []
    for size, name in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(counted(count, name))
    return " ".join(parts[:2]) or "less than a second"
