"""A verdict on a terminal: what was achieved first, in words, then the sentence, then each numbered check."""

from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from testamur.registry.verification.verdict import CheckResult, Outcome, Verdict
from testamur.registry.verification.words import DEVELOPMENT_WARNING, STEP_NAMES, age, explain, safe, sentence

SIGNS = {
    CheckResult.PASS: ("✓", "green"),
    CheckResult.FAIL: ("✗", "red"),
    CheckResult.UNKNOWN: ("?", "yellow"),
    CheckResult.SKIPPED: ("·", "bright_black"),
}
PLAIN_SIGNS = {
    CheckResult.PASS: "+",
    CheckResult.FAIL: "x",
    CheckResult.UNKNOWN: "?",
    CheckResult.SKIPPED: "-",
}
"""For terminals and pipes that cannot encode the others."""

OUTCOME_STYLES = {
    Outcome.VALID: "bold green",
    Outcome.INVALID: "bold red",
    Outcome.INDETERMINATE: "bold yellow",
}

DEVNET_WARNING = DEVELOPMENT_WARNING


class Terminal(Console):
    """Where verdicts are printed: without emoji codes, and a closed pipe is no exit status of a verdict."""

    def __init__(self) -> None:
        super().__init__(emoji=False)

    def on_broken_pipe(self) -> None:
        """Let the command decide what a reader who has gone means."""
        raise BrokenPipeError


def print_verdict(console: Console, verdict: Verdict, *, label: str | None = None) -> None:
    """Print one verdict. Strangers' text is escaped: no credential may style its own verdict."""
    unwrapped = not console.is_terminal  # A line in a pipe ends where its sentence ends.
    if label is not None:
        console.print(f"[bright_black]{escape(safe(label))}[/]", highlight=False, soft_wrap=unwrapped)
    for line in _achievement(verdict):
        console.print(line, highlight=False, soft_wrap=unwrapped)
    style = OUTCOME_STYLES[verdict.outcome]
    console.print()
    console.print(
        f"[{style}]{verdict.outcome.upper()}[/]  {escape(sentence(verdict))}",
        highlight=False,
        soft_wrap=unwrapped,
    )
    # Beside the verdict, because what could not be asked is part of what it says.
    for note in verdict.notes:
        console.print(f"[yellow]note: {escape(safe(note))}[/]", highlight=False, soft_wrap=unwrapped)
    console.print()
    encodable = _can_show_signs(console)
    if console.is_terminal:
        console.print(_checks(verdict, encodable=encodable))
    else:
        for line in _plain_checks(verdict, encodable=encodable):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print()
    for line in _times(verdict):
        console.print(line, highlight=False, soft_wrap=unwrapped)
    if verdict.development:
        console.print(f"\n[bold yellow]{DEVNET_WARNING}[/]", highlight=False, soft_wrap=unwrapped)


def _achievement(verdict: Verdict) -> list[str]:
    facts = verdict.credential
    title = safe(
        str(facts.get("achievement") or facts.get("name") or "A document that is not a readable credential")
    )
    lines = [f"[bold]{escape(title)}[/]"]
    if facts.get("issuer"):
        issuer = safe(str(facts.get("issuerName") or facts["issuer"]))
        lines.append(f"  awarded by {escape(issuer)} [bright_black]({escape(safe(str(facts['issuer'])))})[/]")
    learner, holder = facts.get("learner"), facts.get("holder")
    if learner or holder:
        name = escape(safe(str(learner or holder)))
        known = (
            f" [bright_black]({escape(safe(str(holder)))})[/]"
            if learner and holder and learner != holder
            else ""
        )
        lines.append(f"  to {name}{known}")
    details = [safe(str(facts[name])) for name in ("awarded", "credits", "level", "grade") if facts.get(name)]
    if details:
        lines.append(f"  {escape(' · '.join(details))}")
    return lines


def _can_show_signs(console: Console) -> bool:
    try:
        "".join(sign for sign, _ in SIGNS.values()).encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _checks(verdict: Verdict, *, encodable: bool) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(justify="center", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in verdict.checks:
        sign, style = SIGNS[check.result]
        if not encodable:
            sign = PLAIN_SIGNS[check.result]
        table.add_row(
            f"[{style}]{sign}[/]", str(int(check.step)), STEP_NAMES[check.step], escape(explain(check))
        )
        for warning in check.warnings:
            table.add_row("", "", "", f"[yellow]{escape(safe(warning))}[/]")
    return table


def _plain_checks(verdict: Verdict, *, encodable: bool) -> list[str]:
    """The same for a pipe: one line a check, however long, and nothing after its last word."""
    width = max(len(STEP_NAMES[check.step]) for check in verdict.checks)
    lines = []
    for check in verdict.checks:
        sign = SIGNS[check.result][0] if encodable else PLAIN_SIGNS[check.result]
        name = STEP_NAMES[check.step]
        lines.append(f"{sign} {int(check.step):>2} {name:<{width}}  {explain(check)}".rstrip())
        lines += [f"{'':{width + 5}} {safe(warning)}".rstrip() for warning in check.warnings]
    return lines


def _times(verdict: Verdict) -> list[str]:
    lines = [f"  when issued  {verdict.at_issuance}"]
    if verdict.at is not None and verdict.as_of is not None:
        lines.append(f"  as of        {verdict.at}  ({_moment(verdict.as_of)})")
    lines.append(f"  now          {verdict.now}")
    if verdict.anchored is not None:
        block = verdict.anchored
        lines.append(
            f"  logged by    {_moment(block.entry_at)}, block {block.entry_block} of chain {block.chain_id}"
        )
        lines.append(f"  evidence     of {_moment(block.block_at)}, block {block.block_number}")
    if verdict.evidence_at is not None:
        lines.append(f"  its age      {age(verdict.asked_at - verdict.evidence_at)}")
    return [f"[bright_black]{line}[/]" for line in lines]


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
