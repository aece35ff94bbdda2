"""A verdict in English: one sentence, and one line for each check. Plain text, safe for a terminal.

What a credential says of itself is a stranger's text: control and direction-changing characters are
shown as what they are, or a name could rewrite the line that judges it.
"""

import unicodedata

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


def sentence(verdict: Verdict) -> str:
    """The verdict in one sentence, the same on the command line, in HTTP and on paper."""
    if verdict.outcome == Outcome.VALID:
        if any(check.reason == "issuer-closed" for check in verdict.checks):
            return "Genuine and in good standing. Its issuer has closed since; this status is final."
        return "Genuine, logged by its issuer, and in good standing."
    if verdict.outcome == Outcome.INVALID:
        if verdict.at_issuance == Outcome.VALID and verdict.credential_status in STATUS_SENTENCES:
            return STATUS_SENTENCES[verdict.credential_status]
        numbers = " and ".join(f"{check.step:d} ({STEP_NAMES[check.step]})" for check in verdict.failed)
        return f"Do not rely on it: check {numbers} failed."
    unknown = [check for check in verdict.checks if check.result == CheckResult.UNKNOWN]
    if not unknown:
        return "Genuine, but its status is too old to say anything about now. Refresh the evidence."
    first = next((check for check in unknown if check.reason != "not-established"), unknown[0])
    return f"Cannot tell: {explain(first)} This is not a judgement about the credential."


def explain(check: Check) -> str:
    """The words for one check, as a sentence."""
    return safe(words(check.reason, check.parameters))
