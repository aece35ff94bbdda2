"""A progress bar with the time left, for commands that take more than a second on a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

REFRESH_SECONDS = 0.1
"""Drawing is for eyes: ten times a second, however many files go by."""


@contextmanager
def bar(total: int, *, what: str = "verifying") -> Iterator[Callable[[], None]]:
    """Draw a bar on standard error; call what it gives once for each item.

    No thread of its own draws it. Lines on standard output appear above the bar when both are the terminal,
    and stay untouched when standard output goes elsewhere.
    """
    progress = Progress(
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
    with progress:
        task = progress.add_task(what, total=total)
        drawn = 0.0

        def advance() -> None:
            nonlocal drawn
            progress.advance(task)
            if (now := time.monotonic()) - drawn >= REFRESH_SECONDS:
                drawn = now
                progress.refresh()

        yield advance
