"""`check-profile`: what the command does. One file is shown element by element, many are a line each."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from testamur.node.cli.dossier_files import Found, count_files, find_files, is_folder
from testamur.node.cli.output import Source, json_line, read_source, say
from testamur.node.errors import ConfigError
from testamur.registry.canonical import Json, parse_json
from testamur.registry.dossiers import OtherFile, split_dossier
from testamur.registry.elements import ElementReport, Finding, State, check_elements
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MAX_EVIDENCE_BYTES
from testamur.registry.verification.words import counted

MAX_POINTERS_SHOWN = 3
"""Places of one element that a person is shown; JSON has all."""


class Outcome(StrEnum):
    """What one file is; the exit code is that of the worst."""

    COMPLETE = "complete"
    DOUBTFUL = "doubtful"
    INCOMPLETE = "incomplete"
    OTHER = "other"
    ERROR = "error"


EXIT_CODES = {
    Outcome.COMPLETE: 0,
    Outcome.DOUBTFUL: 0,
    Outcome.INCOMPLETE: 1,
    Outcome.OTHER: 3,
    Outcome.ERROR: 2,
}
STRICT_EXIT_CODES = {**EXIT_CODES, Outcome.DOUBTFUL: 1}
WORST_FIRST = (Outcome.ERROR, Outcome.INCOMPLETE, Outcome.DOUBTFUL, Outcome.OTHER, Outcome.COMPLETE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One file: its report, or why there is none."""

    file: str
    outcome: Outcome
    report: ElementReport | None = None
    words: str = ""

    def to_json(self) -> dict[str, Json]:
        """One line of `--json`."""
        profile = None if self.report is None else self.report.to_json()
        return {
            "file": self.file,
            "outcome": str(self.outcome),
            "profile": profile,
            "error": self.words or None,
        }


def run_check_profile(sources: Sequence[Source], *, strict: bool, as_json: bool) -> int:
    """Show every file; the exit code of the worst. Raises ConfigError for an empty folder."""
    total = count_files(tuple(sources))
    is_one = total == 1 and not any(is_folder(source) for source in sources)
    counts: Counter[Outcome] = Counter()
    for found in find_files(tuple(sources)):
        looked = look_at(found)
        counts[looked.outcome] += 1
        if as_json:
            json_line(looked.to_json())
        elif is_one and looked.report is not None:
            _show_elements(looked.file, looked.report)
        else:
            say(f"{looked.outcome:<10} {looked.file}{_in_short(looked)}")
    if not is_one:
        _show_total(counts, as_json=as_json)
    worst = next(outcome for outcome in WORST_FIRST if counts[outcome])
    return (STRICT_EXIT_CODES if strict else EXIT_CODES)[worst]


def look_at(found: Found) -> Looked:
    """The elements in one file."""
    name = os.fsencode(found.path).decode("utf-8", "replace")
    if found.problem is not None:
        return Looked(file=name, outcome=Outcome.ERROR, words=found.problem)
    try:
        report = check_elements(credential_in(read_source(found.path)))
    except ConfigError as error:
        return Looked(file=name, outcome=Outcome.ERROR, words=error.reason)
    except MalformedError as error:
        is_other = isinstance(error, OtherFile) and found.may_be_other
        return Looked(file=name, outcome=Outcome.OTHER if is_other else Outcome.ERROR, words=str(error))
    if report is None:
        words = "neither an Open Badge nor a credential of the European Learning Model"
        return Looked(file=name, outcome=Outcome.OTHER, words=words)
    outcome = Outcome.COMPLETE
    if report.lacking:
        outcome = Outcome.INCOMPLETE
    elif report.failing:
        outcome = Outcome.DOUBTFUL
    return Looked(file=name, outcome=outcome, report=report)


def credential_in(data: bytes) -> dict[str, Json]:
    """The credential of a file: bare, in a dossier, or in an upload of European Digital Credentials.

    Raises MalformedError.
    """
    document = parse_json(data, subject="file", max_bytes=2 * MAX_EVIDENCE_BYTES)
    if isinstance(document, dict) and document.get("type") == "CredentialTemplate":
        reason = (
            "is a template; `testamur issue --dry-run --strict-profile` checks what it makes of a class list"
        )
        raise MalformedError("file", reason)
    if isinstance(document, dict) and "credential" in document and "deliveryDetails" in document:
        document = document["credential"]
    credential, _ = split_dossier(document)
    if not isinstance(credential, dict):
        raise MalformedError("file", "holds no credential")
    return credential


def _show_elements(file: str, report: ElementReport) -> None:
    say(f"{file}: the sixteen elements of a European micro-credential, in {report.mapping}")
    for item in report.findings:
        _show_element(item)
    counts = ", ".join(f"{len(report.in_state(state))} {state}" for state in State)
    lacking = f"; {len(report.lacking)} of the missing are mandatory" if report.lacking else ""
    say(f"{counts}{lacking}")


def _show_element(item: Finding) -> None:
    need = "" if item.state is State.FOUND else f" ({item.need})"
    say(f"  {item.state:<8} {item.number:>2} {item.name}{need}")
    if item.state is State.FOUND:
        _show_detail(_pointers(item.found_at))
    for problem in (*item.problems, *item.notes):
        _show_detail(str(problem))
    if item.state is State.MISSING:
        _show_detail(f"looked for at {_pointers(item.looked_at, shown=len(item.looked_at))}")
    if item.state is not State.FOUND:
        _show_detail(item.fill)


def _show_detail(text: str) -> None:
    say(f"              {text}")


def _pointers(pointers: Sequence[str], *, shown: int = MAX_POINTERS_SHOWN) -> str:
    more = f", and {len(pointers) - shown} more" if len(pointers) > shown else ""
    return ", ".join(pointers[:shown]) + more


def _in_short(looked: Looked) -> str:
    if looked.report is None:
        return f"  {looked.words}"
    named = [f"{item.number} {item.name} ({item.state})" for item in looked.report.failing]
    return f"  {'; '.join(named)}" if named else ""


def _show_total(counts: Counter[Outcome], *, as_json: bool) -> None:
    named: dict[str, Json] = {str(outcome): counts[outcome] for outcome in Outcome if counts[outcome]}
    if as_json:
        json_line({"type": "TestamurProfileSummary", "files": counts.total(), **named})
    else:
        parts = ", ".join(f"{number} {name}" for name, number in named.items())
        say(f"{counted(counts.total(), 'file')}: {parts}")
