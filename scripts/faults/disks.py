"""Full disks: every folder that a node or an issuer writes to is a tmpfs of its own, and is filled in turn.

While one is full, a submission or a class is tried. Nobody may be promised anything that is lost later, the
process must say what the operator has to do, and go on once there is space again.
"""

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Self

from credential import Promises, examine, issued
from issuer import classes
from lives import Outcome
from whole_registry import Registry, wait_for

from testamur.node.errors import NodeError
from testamur.node.service.folders import NodeFolders
from testamur.registry.hashing import sha256

DISK_BYTES = 4 << 20
BLOCK_BYTES = 4096
DIGESTS = 200
"""More than fits into what is left of the journal's last block."""

ROWS = 40
LEFT_BLOCKS = {"dossiers": 24, "ledger": 4}
"""What is left free, so that a class breaks off in the middle; elsewhere nothing is."""

NODE_PARTS = ("journal", "tiles", "index", "documents", "witness", "mirror", "anchoring", "captures")
ISSUER_PARTS = ("ledger", "dossiers")
PARTS = (*NODE_PARTS, *ISSUER_PARTS)
END_SECONDS = 60
CURE, STOPPED = "free space", "The node has stopped itself"


class Disks:
    """A settled registry on small file systems. `try_part` fills one of them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        folders = NodeFolders(registry.node_root)
        log = registry.log_folder
        self._places = {
            "journal": log,
            "tiles": log / "tile",
            "index": folders.index,
            "documents": folders.documents,
            "witness": folders.witness,
            "mirror": folders.mirror,
            "anchoring": folders.anchoring,
            "captures": folders.captures,
            "ledger": registry.workspace,
            "dossiers": registry.folder / "out",
        }
        self._mounted: list[Path] = []
        self._promises: Promises = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self._unmount)
            for place in self._places.values():
                self._mount(place)
            self._registry.start_node()
            self._submit("before")
            self._registry.settle(max(self._promises.values()) + 1)
            undo.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._registry.kill_node()
        self._unmount()

    def try_part(self, part: str) -> Outcome:
        """Fill this disk, try, make space, go on; `arrow` says what was told meanwhile."""
        registry, filler = self._registry, self._places[part] / "filler"
        try:
            fill(filler, LEFT_BLOCKS.get(part, 0))
            try:
                said = self._issue(part) if part in ISSUER_PARTS else self._write(part)
            finally:
                filler.unlink()
            if part in ISSUER_PARTS:
                done = registry.issue(self._class(part), self._places["dossiers"])
                found, wrong = issued(registry, self._places["dossiers"])
                self._promises |= found
                wrong = wrong if done.returncode == 0 else f"`issue` ends with {done.returncode}; {wrong}"
            else:
                wrong = ""
                self._promises |= dict(registry.submit(self._digests(part)))
                registry.settle(max(self._promises.values()) + 1)
            lost, twice, damage = examine(registry, self._promises)
        except (RuntimeError, OSError, NodeError) as error:
            registry.kill_node()
            return Outcome(fault=part, ended=False, arrow="", wrong=str(error))
        told = "" if CURE in said else f"nobody was told what to do: {said}"
        wrong = "; ".join(text for text in (wrong, damage, told) if text)
        return Outcome(fault=part, ended=False, arrow=said, lost=lost, twice=twice, wrong=wrong)

    def _write(self, part: str) -> str:
        """A submission on a full disk; the node's last words. What it promises counts."""
        registry = self._registry
        if registry.has_ended():
            registry.start_node()
        answer = "accepted"
        try:
            self._promises |= dict(registry.client.submit("ada", self._digests(part)))
        except NodeError as error:
            answer = "refused" if STOPPED in str(error) else str(error)
        wait_for(registry.has_ended, END_SECONDS, f"{part}: the node neither works nor ends ({answer})")
        words = registry.last_words().strip().splitlines()[-1]
        return f"{answer}; {words.rpartition(': ')[2]}"

    def _issue(self, part: str) -> str:
        """A class on a full disk; the last words of `issue`."""
        if self._registry.has_ended():
            self._registry.start_node()
        done = self._registry.issue(self._class(part), self._places["dossiers"])
        if done.returncode == 0:
            return "there was space enough"
        return f"exit {done.returncode}; {done.stderr.strip().splitlines()[-1].rpartition(': ')[2]}"

    def _submit(self, part: str) -> None:
        self._promises |= dict(self._registry.submit(self._digests(part)))

    def _class(self, part: str) -> Path:
        return classes(self._registry.folder, f"class-{part}", ROWS)

    @staticmethod
    def _digests(part: str) -> list[bytes]:
        return [sha256(f"{part}/{number}".encode()) for number in range(DIGESTS)]

    def _mount(self, place: Path) -> None:
        """A file system of its own, with what the folder held."""
        aside = place.with_name(f"{place.name}.aside")
        if place.exists():
            place.rename(aside)
        place.mkdir(parents=True, mode=0o700)
        options = f"size={DISK_BYTES},mode=0700"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PermissionError(f"a tmpfs cannot be mounted here ({done.stderr.strip()}); root can")
        self._mounted.append(place)
        if aside.exists():
            subprocess.run(["cp", "-a", f"{aside}/.", str(place)], check=True)

    def _unmount(self) -> None:
        for place in reversed(self._mounted):
            subprocess.run(["umount", "--lazy", str(place)], check=False)
        self._mounted.clear()


def fill(path: Path, left_blocks: int) -> None:
    """Take all the space of a file system but so many blocks."""
    with path.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(BLOCK_BYTES))
        size = file.tell() // BLOCK_BYTES * BLOCK_BYTES
        os.ftruncate(file.fileno(), max(0, size - left_blocks * BLOCK_BYTES))
