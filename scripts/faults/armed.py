"""A command of this project that dies, or is told that it failed, at one arrow: `armed.py FOLDER WORDS…`.

The words are those of `testamur`. FOLDER/arm holds `ARROW OUTCOME`; it is read at the start and at every
SIGUSR1, and removed. The first time that arrow is passed afterwards, FOLDER/fired is written, and the process

    before   is killed by SIGKILL before the step is taken,
    after    is killed by SIGKILL once the step was taken, before anybody hears of it,
    landed   takes the step and is told that it failed: an I/O error, an answer that never came.
"""

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from arrows import ARROWS, Arrow, Operation

from testamur.node.errors import ChainUnavailable, PeerUnreachable, StoreUnavailable
from testamur.node.files import Disk

LOST: Final = {
    "chain": lambda: ChainUnavailable("the answer was lost"),
    "host": lambda: PeerUnreachable("the answer was lost"),
    "store": lambda: StoreUnavailable("the disk reports an error; mend the disk"),
}


class Trap:
    """Armed with one arrow at a time; springs once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arrow: Arrow | None = None
        self._outcome = ""
        self._seen = 0

    def read(self, *_signal: object) -> None:
        """Arm with what FOLDER/arm says, if it is there."""
        path = self._folder / "arm"
        try:
            name, self._outcome = path.read_text().rsplit(" ", 1)
        except FileNotFoundError:
            return
        self._arrow, self._seen = ARROWS[name], 0
        path.unlink()

    def is_sprung(self, operation: str, what: str) -> bool:
        """Whether this is the step that was meant; it is meant once."""
        arrow = self._arrow
        if arrow is None or not arrow.step.matches(operation, what):
            return False
        self._seen += 1
        if self._seen < arrow.step.nth:
            return False
        self._arrow = None
        (self._folder / "fired").write_text(arrow.name)
        if self._outcome == "before":
            die()
        return True

    def after(self, error: Callable[[], Exception]) -> None:
        """The step was taken."""
        if self._outcome == "after":
            die()
        raise error()

    def watch_disk(self, name: str) -> None:
        """Every call of this operation of Disk passes here."""
        real = getattr(Disk, name)

        def operation(disk: Disk, *arguments: Any) -> None:
            path = str(arguments[-1]) if name == "replace" else _path_of(arguments[0])
            sprung = self.is_sprung(name, path)
            real(disk, *arguments)
            if sprung:
                self.after(lambda: OSError(errno.EIO, os.strerror(errno.EIO), path))

        setattr(Disk, name, operation)

    def watch_method(self, arrow: Arrow) -> None:
        """Every call of the arrow's method passes here."""
        owner, name = arrow.step.find()
        real, error = getattr(owner, name), LOST[arrow.step.loses]
        what = f"{arrow.step.where}.{name}"

        def method(*arguments: Any, **options: Any) -> Any:
            sprung = arrow.step.accepts(arguments) and self.is_sprung("call", what)
            result = real(*arguments, **options)
            if sprung:
                self.after(error)
            return result

        async def slow_method(*arguments: Any, **options: Any) -> Any:
            sprung = arrow.step.accepts(arguments) and self.is_sprung("call", what)
            result = await real(*arguments, **options)
            if sprung:
                self.after(error)
            return result

        setattr(owner, name, slow_method if arrow.step.is_async else method)


def die() -> None:
    """As by a power cut of this process: no handler, no buffer, no exit code."""
    os.kill(os.getpid(), signal.SIGKILL)


def _path_of(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115  the descriptor's own name


def main() -> None:
    """Set the trap, then be the command."""
    trap = Trap(Path(sys.argv[1]))
    for name in ("write", "fsync", "replace"):
        trap.watch_disk(name)
    for arrow in ARROWS.values():
        if arrow.life == sys.argv[2] and arrow.step.operation is Operation.CALL:
            trap.watch_method(arrow)
    trap.read()
    signal.signal(signal.SIGUSR1, trap.read)
    from testamur.node.cli.main import main as command  # noqa: PLC0415  after the trap

    sys.argv = ["testamur", *sys.argv[2:]]
    command()


if __name__ == "__main__":
    main()
