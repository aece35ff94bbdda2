"""The two lives that are killed, and what is looked at afterwards."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from anchor_life import SIZES
from chain import FaultChain

from testamur.node.index.store import Index
from testamur.node.log.audit import audit_log
from testamur.node.log.documents import DocumentStore
from testamur.node.log.reader import LogReader
from testamur.registry.checkpoints import parse_signed_checkpoint
from testamur.registry.entries import EntryKind

HERE = Path(__file__).resolve().parent
SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One fault: whether the life ended all the same, where it was, and what was found afterwards."""

    fault: str
    ended: bool
    arrow: str
    lost: int = 0
    twice: int = 0
    wrong: str = ""


class Life(Protocol):
    """Something that can be killed, started again and examined. Callable from several threads."""

    def try_fault(self, fault: str) -> Outcome:
        """Inject one fault into a new life, let it recover, and look."""


def live(arguments: list[str], fault: str | None) -> subprocess.CompletedProcess[str]:
    """One process, under strace when there is a fault to inject."""
    command = [sys.executable, *arguments]
    if fault is not None:
        trace = f"trace={fault.partition(':')[0]}"
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", trace, "-e", f"inject={fault}", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)


def arrows(output: str) -> list[str]:
    """What a life said it was doing."""
    return [line[2:] for line in output.splitlines() if line.startswith("@ ")]


class LogLife:
    """A hosted log, from its first statement to three cosigned checkpoints."""

    def try_fault(self, fault: str) -> Outcome:
        """See Life."""
        with tempfile.TemporaryDirectory(prefix="testamur-fault-") as temporary:
            root = Path(temporary)
            arguments = [str(HERE / "log_life.py"), temporary]
            first = live(arguments, fault)
            said = arrows(first.stdout)
            ended = first.returncode == 0 and said[-1:] == ["end"]
            second = first if ended else live(arguments, None)
            arrow = said[-1] if said else "start"
            if second.returncode != 0:
                return Outcome(fault=fault, ended=ended, arrow=arrow, wrong=second.stderr[-300:])
            promises = promised(first.stdout) | promised(second.stdout)
            lost, twice, wrong = examine(root, promises)
            return Outcome(fault=fault, ended=ended, arrow=arrow, lost=lost, twice=twice, wrong=wrong)


def promised(output: str) -> set[tuple[str, int]]:
    """(digest, leaf index) of every promise in a process's output."""
    rows = (line.split() for line in output.splitlines() if line.startswith("= "))
    return {(digest, int(leaf_index)) for _, digest, leaf_index in rows}


def examine(root: Path, promises: set[tuple[str, int]]) -> tuple[int, int, str]:
    """(promises not kept, credentials logged twice, anything else that is wrong) in a folder at rest."""
    reader = LogReader(root / "log")
    entries = reader.read_entries(0, reader.size)
    credentials = [entry.digest.hex() for entry in entries if entry.kind is EntryKind.CREDENTIAL]
    places = {(entry.digest.hex(), index) for index, entry in enumerate(entries)}
    report = audit_log(root / "log", DocumentStore(root / "documents"))
    wrong = [str(finding) for finding in report.findings[:3]]
    index = Index(root / "index")
    if index.projected_size(reader.origin) != reader.size:
        wrong.append("the index does not know every entry")
    index.close()
    for cosigner in ("witness", "mirror"):
        heads = [
            parse_signed_checkpoint(path.read_bytes()) for path in (root / cosigner).glob("*.checkpoint")
        ]
        if [head.checkpoint for head in heads] != [reader.get_head().checkpoint]:
            wrong.append(f"the {cosigner} has not cosigned the newest head")
    return len(promises - places), len(credentials) - len(set(credentials)), "; ".join(wrong)


class AnchorLife:
    """An anchorer with three checkpoints to anchor, on one chain for all faults and with a log for each."""

    def __init__(self, folder: Path) -> None:
        self._chain = FaultChain(folder)

    def __enter__(self) -> Self:
        self._chain.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._chain.__exit__(*exc_info)

    def try_fault(self, fault: str) -> Outcome:
        """See Life. Lost: a checkpoint that is not anchored. Twice: one that is anchored more than once."""
        slug = self._chain.new_log()
        with tempfile.TemporaryDirectory(prefix="testamur-fault-") as temporary:
            arguments = [
                str(HERE / "anchor_life.py"),
                temporary,
                self._chain.rpc_url,
                self._chain.contract.hex(),
                slug,
            ]
            first = live(arguments, fault)
            said = arrows(first.stdout)
            ended = first.returncode == 0 and said[-1:] == ["end"]
            second = first if ended else live(arguments, None)
            arrow = said[-1] if said else "start"
            complaints = [
                line for line in (first.stdout + second.stdout).splitlines() if line.startswith("! ")
            ]
            left = (Path(temporary) / "intent").exists()
        if second.returncode != 0:
            return Outcome(fault=fault, ended=ended, arrow=arrow, wrong=second.stderr[-300:])
        sizes, wrong = self._chain.examine(slug)
        if left:
            complaints.append("an intent is left behind")
        return Outcome(
            fault=fault,
            ended=ended,
            arrow=arrow,
            lost=len(set(SIZES) - set(sizes)),
            twice=len(sizes) - len(set(sizes)),
            wrong="; ".join([*complaints, *([wrong] if wrong else [])]),
        )
