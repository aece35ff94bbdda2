"""A verdict as the page shows it: what was achieved, one sentence, eleven checks, three times."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from testamur.node.api.page.plain import (
    day_words,
    hours,
    label,
    moment,
    plain,
    values,
    with_moments,
    written_day,
)
from testamur.node.api.page.visible import ascii_controls
from testamur.registry.canonical import Json
from testamur.registry.verification.verdict import Check, CheckResult, Outcome, Step, Verdict
from testamur.registry.verification.words import (
    AGEING_STEPS,
    STEP_EVIDENCE,
    STEP_NAMES,
    STEP_QUESTIONS,
    age,
    explain,
    headline,
    sentence,
)

RESULT_WORDS = {
    CheckResult.PASS: "holds",
    CheckResult.FAIL: "fails",
    CheckResult.UNKNOWN: "cannot tell",
    CheckResult.SKIPPED: "not asked",
}

OUTCOME_WORDS = {
    Outcome.VALID: "Valid",
    Outcome.INVALID: "Not valid",
    Outcome.INDETERMINATE: "Cannot tell",
}

ADVICE = {
    "no-evidence": "Ask whoever gave you the file for its evidence, or for the dossier (.credential.json)"
    " that holds both. If there is none, its issuer may not belong to this registry.",
    "not-anchored": "New credentials are anchored within a day. Ask again later, or refresh the evidence with"
    " testamur evidence.",
    "status-outdated": "Refresh the evidence with testamur evidence.",
    "other-registry": "Ask a node of that registry, or verify with its trust file.",
    "chain-not-trusted": "Get a newer version of the trust file.",
    "": "Refresh the evidence with testamur evidence, or ask the holder for a newer dossier.",
}
"""What a reader can do about *cannot tell*, by reason."""

_SHOWN_ABOVE = frozenset({"achievement", "learner", "issuerName", "awarded", "credits", "level", "grade"})
"""Facts of step 1 that stand in the certificate already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """One numbered check. `rows` are (label, values) for the unfolded part."""

    number: int
    name: str
    question: str
    result: str
    result_word: str
    words: str
    evidence: str
    evidence_age: str
    reason: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeView:
    """The answer about one moment."""

    title: str
    word: str
    result: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """Everything about one file. `tone` is "valid", "invalid", "unknown" or "closed"; texts are raw.

    `beside` the verdict stands what is part of it: since when and why, and what could not be asked.
    """

    name: str
    beside: tuple[str, ...]
    notes: tuple[str, ...]
    tone: str
    headline: str
    sentence: str
    advice: str
    facts: Mapping[str, Json]
    title: str
    awarded: str
    details: tuple[tuple[str, str], ...]
    checks: tuple[CheckView, ...]
    tally: str
    when_issued: TimeView
    at: TimeView | None
    now: TimeView
    day: str
    asked_at: str
    document: str
    is_development: bool


def view(verdict: Verdict, *, name: str, document: Json, notes: tuple[str, ...] = ()) -> VerdictView:
    """The verdict on `document`, which is what another question about it is asked with."""
    facts = verdict.credential
    details = (("Credits", "credits"), ("Level", "level"), ("Grade", "grade"), ("Workload", "workload"))
    title = facts.get("achievement") or "A file that is not a readable credential"
    return VerdictView(
        name=name,
        beside=tuple(note[:1].upper() + with_moments(note[1:]) for note in verdict.notes),
        notes=notes,
        tone=_tone(verdict),
        headline=_headline(verdict),
        sentence=sentence(verdict).removeprefix(f"{headline(verdict)}: "),
        advice=_advice(verdict),
        facts=facts,
        title=str(title),
        awarded=written_day(facts.get("awarded")),
        details=tuple((word, hours(plain(facts[key]))) for word, key in details if key in facts),
        checks=tuple(_check(check, verdict) for check in verdict.checks),
        tally=_tally(verdict),
        when_issued=_when_issued(verdict),
        at=_at(verdict),
        now=_now(verdict),
        day=verdict.as_of.date().isoformat() if verdict.as_of else "",
        asked_at=moment(verdict.asked_at),
        document=ascii_controls(json.dumps(document, ensure_ascii=False, indent=2)),
        is_development=verdict.development,
    )


def _tone(verdict: Verdict) -> str:
    if verdict.outcome == Outcome.VALID and _is_closed(verdict):
        return "closed"
    return {Outcome.VALID: "valid", Outcome.INVALID: "invalid", Outcome.INDETERMINATE: "unknown"}[
        verdict.outcome
    ]


def _is_closed(verdict: Verdict) -> bool:
    return any(check.reason == "issuer-closed" for check in verdict.checks)


def _headline(verdict: Verdict) -> str:
    word = headline(verdict)
    return word if verdict.as_of is None else f"{word} as of {day_words(verdict.as_of)}"


def _advice(verdict: Verdict) -> str:
    if verdict.outcome == Outcome.VALID:
        return ""
    if verdict.outcome == Outcome.INVALID:
        # Of a genuine one the sentence says all: revoked, suspended, expired.
        return explain(verdict.failed[0]) if verdict.failed and verdict.at_issuance != Outcome.VALID else ""
    anchored = verdict.anchored
    if verdict.as_of is not None and anchored is not None and verdict.as_of < anchored.entry_at:
        logged = moment(anchored.entry_at)
        return f"It is proven to have been logged by {logged}, and nothing about the time before."
    reasons = [check.reason for check in verdict.checks if check.result == CheckResult.UNKNOWN]
    return next((ADVICE[reason] for reason in reasons if reason in ADVICE), ADVICE[""])


def _tally(verdict: Verdict) -> str:
    counts = [
        (sum(check.result == result for check in verdict.checks), word)
        for result, word in (
            (CheckResult.PASS, "hold"),
            (CheckResult.FAIL, "fail"),
            (CheckResult.UNKNOWN, "cannot be told"),
            (CheckResult.SKIPPED, "not asked"),
        )
    ]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def _check(check: Check, verdict: Verdict) -> CheckView:
    facts = {key: value for key, value in check.facts.items() if key not in _SHOWN_ABOVE}
    said = list(facts.values())
    new = {key: value for key, value in check.parameters.items() if value not in said}
    rows = {label(key): values(value) for key, value in {**new, **facts}.items()}
    return CheckView(
        number=int(check.step),
        name=STEP_NAMES[check.step],
        question=STEP_QUESTIONS[check.step],
        result=str(check.result),
        result_word=RESULT_WORDS[check.result],
        words=explain(check),
        evidence=STEP_EVIDENCE[check.step],
        evidence_age=_evidence_age(check, verdict),
        reason=check.reason,
        rows=tuple(rows.items()),
        warnings=check.warnings,
    )


def _evidence_age(check: Check, verdict: Verdict) -> str:
    if check.step == Step.VALIDITY_PERIOD:
        return f"asked on {moment(verdict.asked_at)}"
    if check.step == Step.HOLDER_BINDING:
        return ""
    if check.step not in AGEING_STEPS:
        return "does not age"
    if verdict.evidence_at is None:
        return "no moment of it is proven"
    return f"of {moment(verdict.evidence_at)}; {_old(verdict)}"


def _old(verdict: Verdict) -> str:
    if verdict.evidence_at is None:
        return ""
    span = age(verdict.asked_at - verdict.evidence_at)
    return span if span.startswith("from") else f"{span} old"


def _when_issued(verdict: Verdict) -> TimeView:
    outcome, anchored = verdict.at_issuance, verdict.anchored
    caption = "No anchor proves when it was logged."
    if outcome == Outcome.INVALID:
        caption = "See the checks that fail."
    elif anchored is not None:
        caption = f"Logged by {moment(anchored.entry_at)}, block {anchored.entry_block}."
    return TimeView(title="When issued", word=OUTCOME_WORDS[outcome], result=str(outcome), caption=caption)


def _at(verdict: Verdict) -> TimeView | None:
    if verdict.as_of is None or verdict.at is None:
        return None
    title, word = f"As of {day_words(verdict.as_of)}", OUTCOME_WORDS[verdict.at]
    return TimeView(
        title=title,
        word=word,
        result=str(verdict.at),
        caption=f"At {verdict.as_of:%H:%M:%S} UTC of that day.",
    )


def _now(verdict: Verdict) -> TimeView:
    caption = "No status is proven."
    if verdict.evidence_at is not None and verdict.at_issuance == Outcome.VALID:
        caption = f"From evidence of {moment(verdict.evidence_at)}, {_old(verdict)}."
        if _is_closed(verdict):
            caption = "Its issuer has closed: the last status is final, and does not age."
    return TimeView(title="Now", word=OUTCOME_WORDS[verdict.now], result=str(verdict.now), caption=caption)
