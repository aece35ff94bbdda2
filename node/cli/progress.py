"""Progress with the time left, on standard error when that is a terminal; in a pipe nothing at all."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

REFRESH_SECONDS = 0.1
"""Drawing is for eyes: ten times a second, however many items go by."""

PATIENCE_SECONDS = 1.0
"""What will be done sooner shows no bar: a flicker tells nobody anything."""

Stages = Callable[[str, int, int], None]
"""(what is being done, how much of it, of how much in all; 0 when that is not known)"""


@contextmanager
def progress_bar() -> Iterator[Stages]:
    """A bar for every stage that is told.

    No thread draws it. Lines on standard output appear above it when both are the terminal, and stay
    untouched when standard output goes elsewhere.
    """
    if not sys.stderr.isatty():
        yield lambda _stage, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr, highlight=False, markup=False, emoji=False),
        auto_refresh=False,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,
    )
    tasks: dict[str, object] = {}
    begun, drawn = time.monotonic(), 0.0

    def show(stage: str, done: int, total: int) -> None:
        nonlocal drawn
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total or None)
        bars.update(tasks[stage], completed=done, total=total or None)  # type: ignore[arg-type]
        now = time.monotonic()
        # Without a count it is a wait, and whoever waits is told at once what for.
        expected = (now - begun) * max(total, done) / done if done else 0.0
        is_due = now - drawn >= REFRESH_SECONDS and (bool(drawn) or expected >= PATIENCE_SECONDS)
        if is_due or not (done or total):
            if not drawn:
                bars.start()
            drawn = now
            bars.refresh()

    try:
        yield show
    finally:
        if drawn:
            bars.stop()


@contextmanager
def bar(total: int, *, what: str = "verifying") -> Iterator[Callable[[], None]]:
    """A bar for one thing; call what it gives once for each item."""
    with progress_bar() as show:
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            show(what, done, total)

        yield advance
