"""One line for each file of many: what a report says, and what a terminal shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.verification.verdict import Check, CheckResult, Outcome, Verdict
from testamur.registry.verification.words import STEP_NAMES, counted, explain, safe, sentence

ERROR = "error"
"""The outcome of what is no dossier or cannot be read: nothing was judged."""

SKIPPED = "skipped"
"""The outcome of a file in a folder that certainly is no credential: nothing was to be judged."""

SHOWN_SKIPPED = 3
"""Names in the last line; `--json` and reports have all."""

EXIT_CODES: dict[str, int] = {Outcome.VALID: 0, Outcome.INVALID: 1, Outcome.INDETERMINATE: 3, ERROR: 2}
WORST_FIRST = (ERROR, Outcome.INVALID, Outcome.INDETERMINATE, Outcome.VALID)
"""The exit code for many files is that of the worst: what could not be read may be what matters most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a report says of one file. Strangers' text is on one line, without control characters.

    `failed_checks` are step names; `reasons` the codes of the checks that failed, or of those that cannot
    tell. `error` is a sentence, for the outcome `error`; `verdict` is the whole verdict, for `--json`.
    """

    file: str
    outcome: str
    status: str = ""
    achievement: str = ""
    issuer: str = ""
    failed_checks: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    error: str = ""
    words: str = ""
    verdict: Json = None

    def to_json(self) -> dict[str, Json]:
        """A row of a JSON or NDJSON report."""
        return {
            "file": self.file,
            "outcome": self.outcome,
            "status": self.status or None,
            "achievement": self.achievement or None,
            "issuer": self.issuer or None,
            "failedChecks": list(self.failed_checks),
            "reasons": list(self.reasons),
            "error": self.error or None,
        }

    def to_line(self) -> str:
        """A line for a person: outcome, file, what it is, and why not."""
        what = " · ".join(text for text in (self.achievement, self.issuer) if text)
        parts = [part for part in (safe(self.file), what, self.error or self.words) if part]
        return f"{self.outcome:<13} {'  '.join(parts)}"


def row_of(file: str, verdict: Verdict, *, with_verdict: bool = False) -> Row:
    """The row for a verdict."""
    facts = verdict.credential
    reasons = _telling(verdict)
    return Row(
        file=file,
        outcome=str(verdict.outcome),
        status=str(verdict.credential_status),
        achievement=_text(facts.get("achievement") or facts.get("name")),
        issuer=_text(facts.get("issuerName") or facts.get("issuer")),
        failed_checks=tuple(STEP_NAMES[check.step] for check in verdict.failed),
        reasons=tuple(dict.fromkeys(check.reason for check in reasons)) or _of_time(verdict),
        words=_words(verdict, reasons),
        verdict=verdict.to_json() if with_verdict else None,
    )


def row_of_several(file: str, outcome: Outcome, verdicts: Sequence[Verdict], *, verdict: Json = None) -> Row:
    """The row for a presentation: everything in it, and the words of the credential that decides."""
    rows = [row_of(file, item) for item in verdicts]
    worst = next((row for row in rows if row.outcome == outcome), rows[0])
    return Row(
        file=file,
        outcome=str(outcome),
        status=worst.status,
        achievement=safe("; ".join(row.achievement for row in rows)),
        issuer=safe("; ".join(dict.fromkeys(row.issuer for row in rows))),
        failed_checks=tuple(dict.fromkeys(name for row in rows for name in row.failed_checks)),
        reasons=tuple(dict.fromkeys(reason for row in rows for reason in row.reasons)),
        words=worst.words,
        verdict=verdict,
    )


def row_of_error(file: str, error: str) -> Row:
    """The row for what could not be judged at all."""
    return Row(file=file, outcome=ERROR, error=safe(error))


def row_of_skipped(file: str, why: str) -> Row:
    """The row for another file among credentials."""
    return Row(file=file, outcome=SKIPPED, error=safe(why))


def summary(counts: dict[str, int], seconds: float, skipped: Sequence[str] = ()) -> str:
    """The last line: how many of each, worst words never hidden behind a good total.

    `skipped` are names of other files, the first ones of those in `counts`.
    """
    total = sum(counts.get(outcome, 0) for outcome in WORST_FIRST)
    parts = [f"{counts.get(outcome, 0)} {outcome}" for outcome in reversed(WORST_FIRST)]
    others = counts.get(SKIPPED, 0)
    if others:
        more = f" and {others - len(skipped)} more" if others > len(skipped) else ""
        named = ", ".join(map(safe, skipped))
        parts[-1] += f"; {counted(others, 'other file')} skipped, no credentials: {named}{more}"
    return f"{counted(total, 'file')}: {', '.join(parts)} ({seconds:.1f} s)"


def exit_code(counts: dict[str, int]) -> int:
    """The exit code of the worst outcome that occurred; an error when nothing was judged at all."""
    return next((EXIT_CODES[outcome] for outcome in WORST_FIRST if counts.get(outcome)), EXIT_CODES[ERROR])


def _telling(verdict: Verdict) -> list[Check]:
    """The checks that explain an outcome other than valid; consequences of others only when alone."""
    if verdict.outcome == Outcome.VALID:
        return []
    if verdict.outcome == Outcome.INVALID:
        return list(verdict.failed)
    unknown = [check for check in verdict.checks if check.result == CheckResult.UNKNOWN]
    return [check for check in unknown if check.reason != "not-established"] or unknown


def _words(verdict: Verdict, reasons: list[Check]) -> str:
    if verdict.outcome == Outcome.VALID:
        return ""
    return explain(reasons[0]) if reasons else sentence(verdict)


def _of_time(verdict: Verdict) -> tuple[str, ...]:
    """Indeterminate although no check is unknown: what is proven was proven too long before, or after."""
    if verdict.outcome != Outcome.INDETERMINATE:
        return ()
    return ("status-stale",) if verdict.as_of is None else ("status-not-known-then",)


def _text(value: Json) -> str:
    return safe(str(value)) if value else ""
