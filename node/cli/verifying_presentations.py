"""A presentation among the files of `verify`: who shows it, and the verdict on each credential in it."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from testamur.node.cli.render import OUTCOME_STYLES, print_verdict
from testamur.registry.canonical import Json
from testamur.registry.presentation_files import split_presentation
from testamur.registry.presentation_verdicts import PresentationVerdict, show
from testamur.registry.reasons import words
from testamur.registry.verification.verdict import Outcome
from testamur.registry.verification.words import safe

if TYPE_CHECKING:
    from testamur.node.cli.verifying import Verifier

SENTENCES = {
    Outcome.VALID: "Every credential in it holds.",
    Outcome.INVALID: "Do not rely on it: not everything in it holds.",
    Outcome.INDETERMINATE: "Cannot tell about everything in it. This is not a judgement about the holder.",
}


def judge_presentation(verifier: "Verifier", document: Json) -> PresentationVerdict:
    """The verdict on a presentation; newer evidence is asked for where the user named a node.

    Raises MalformedError when it does not have the shape of one.
    """
    file = split_presentation(document)
    showing = show(
        file.presentation,
        now=verifier.now,
        challenge=verifier.challenge,
        domain=verifier.domain,
        documents=verifier.documents,
    )
    return showing.verdict(
        [
            verifier.judge_credential(credential, enclosed, shown=showing.shown)
            for credential, enclosed in zip(file.presentation.credentials, file.evidence, strict=True)
        ]
    )


def print_presentation(console: Console, verdict: PresentationVerdict, *, label: str | None = None) -> None:
    """Print who shows what to whom, every verdict in full, and the outcome of all."""
    unwrapped = not console.is_terminal
    count = len(verdict.verdicts)
    if label is not None:
        console.print(f"[bright_black]{escape(safe(label))}[/]", highlight=False, soft_wrap=unwrapped)
    for line in _heading(verdict):
        console.print(escape(safe(line)), highlight=False, soft_wrap=unwrapped)
    for number, item in enumerate(verdict.verdicts, start=1):
        console.print()
        print_verdict(console, item, label=f"credential {number} of {count}")
    console.print()
    style = OUTCOME_STYLES[verdict.outcome]
    said = f"presentation of {count}: {SENTENCES[verdict.outcome]}"
    console.print(f"[{style}]{verdict.outcome.upper()}[/]  {said}", highlight=False, soft_wrap=unwrapped)


def _heading(verdict: PresentationVerdict) -> list[str]:
    showing = verdict.showing
    presentation, shown = showing.presentation, showing.shown
    domain, expires = presentation.first("domain"), presentation.first("expires")
    lines = [f"Presented by {', '.join(showing.proof.controllers) or 'nobody who is proven'}"]
    if domain is not None:
        lines.append(f"  made for {domain}" + (f", good until {expires}" if expires else ""))
    if shown.problem is not None:
        lines.append(f"  {words(shown.problem, dict(shown.parameters))}")
    elif not shown.is_challenged:
        lines.append("  no challenge was given with --challenge: it may have been made for somebody else")
    return lines
