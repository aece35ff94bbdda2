"""The life of a credential, broken at each of its arrows in each of three ways, and looked at afterwards.

One registry for all faults, so that each finds what the ones before have left.
"""

import signal
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from arrows import ARROWS, BATCH, STATEMENTS
from issuer import classes, publish
from lives import Outcome
from whole_registry import Registry, wait_for

from testamur.node.log.audit import audit_log
from testamur.node.log.documents import DocumentStore
from testamur.node.log.reader import LogReader
from testamur.node.service.folders import NodeFolders
from testamur.registry.checkpoints import parse_signed_checkpoint
from testamur.registry.credentials import credential_digest
from testamur.registry.dossiers import parse_dossier
from testamur.registry.entries import EntryKind
from testamur.registry.evidence import parse_evidence
from testamur.registry.hashing import sha256

ARM_SECONDS = 10
MAX_RUNS = 5
"""An issuer's job that is not done by then does not resume."""

Promises = dict[bytes, int]


class CredentialLife:
    """A running registry whose node, or whose issuer, is broken once for each fault."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._promises: Promises = {}
        registry.armed = True

    def try_arrow(self, name: str, outcome: str) -> Outcome:
        """Break the life at this arrow; what was found, and whether the process went on or ended."""
        registry, fault = self._registry, f"{name}:{outcome}"
        fired = registry.control / "fired"
        fired.unlink(missing_ok=True)
        try:
            if registry.has_ended():
                registry.start_node()
            starts = registry.starts
            if ARROWS[name].life == "node":
                self._break_node(name, outcome)
                extra, runs = "", 1
            else:
                extra, runs = self._break_issuer(name, outcome)
            lost, twice, wrong = examine(registry, self._promises)
            went_on = registry.starts == starts and runs == 1
        except (RuntimeError, OSError) as error:
            registry.kill_node()
            return Outcome(fault=fault, ended=False, arrow=name, wrong=str(error))
        if not fired.exists():
            extra = f"{extra}; the arrow was never reached"
        problems = "; ".join(text for text in (wrong, extra) if text)
        return Outcome(fault=fault, ended=went_on, arrow=name, lost=lost, twice=twice, wrong=problems)

    def _break_node(self, name: str, outcome: str) -> None:
        registry = self._registry
        arm = registry.control / "arm"
        arm.write_text(f"{name} {outcome}")
        registry.signal_node(signal.SIGUSR1)
        wait_for(lambda: not arm.exists(), ARM_SECONDS, "the node was not armed")
        if name in STATEMENTS:
            publish(registry, f"{name}-{outcome}".replace(" ", "-"))
            return
        digests = [sha256(f"{name}/{outcome}/{number}".encode()) for number in range(BATCH)]
        self._promises |= dict(registry.submit(digests))
        registry.settle(max(self._promises.values()) + 1)

    def _break_issuer(self, name: str, outcome: str) -> tuple[str, int]:
        registry = self._registry
        table = f"{name} {outcome}".replace(" ", "-")
        path = classes(registry.folder, table, BATCH)
        out = registry.folder / "out" / table
        (registry.control / "arm").write_text(f"{name} {outcome}")
        codes = [registry.issue(path, out, armed=True).returncode]
        while codes[-1] != 0 and len(codes) < MAX_RUNS:
            codes.append(registry.issue(path, out).returncode)
        if codes[-1] != 0:
            return f"`issue` ends with {codes}", len(codes)
        found, wrong = issued(registry, out)
        self._promises |= found
        return wrong, len(codes)


def issued(registry: Registry, out: Path) -> tuple[Promises, str]:
    """(what the issuer's ledger was promised for one folder, what is wrong with that folder)."""
    with sqlite3.connect(f"file:{registry.workspace / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
        rows = ledger.execute(
            "SELECT file, digest, leaf_index, deck, status_index FROM credentials JOIN jobs ON jobs.id = job"
            " WHERE folder = ?",
            (str(out.resolve()),),
        ).fetchall()
        places = ledger.execute("SELECT deck, status_index FROM credentials").fetchall()
    wrong = []
    if len(set(places)) != len(places):
        wrong.append("a status index was used again")
    if {f"{row[0]}.credential.json" for row in rows} != {path.name for path in out.glob("*.credential.json")}:
        wrong.append("the folder does not hold what was issued")
    else:
        for file, digest, leaf_index, *_ in rows:
            credential, evidence = parse_dossier((out / f"{file}.credential.json").read_bytes())
            if credential_digest(credential) != digest or leaf_index is None:
                wrong.append(f"{file} is not what was logged")
            if evidence is None or not parse_evidence(evidence).anchors:
                wrong.append(f"{file} is not anchored")
    return {row[1]: row[2] for row in rows}, "; ".join(wrong[:3])


def examine(registry: Registry, promises: Promises) -> tuple[int, int, str]:
    """(promises not kept, credentials logged twice, anything else that is wrong) in a settled registry."""
    folders = NodeFolders(registry.node_root)
    reader = LogReader(registry.log_folder)
    entries = reader.read_entries(0, reader.size)
    credentials = [entry.digest for entry in entries if entry.kind is EntryKind.CREDENTIAL]
    lost = sum(
        entries[place : place + 1] != [] and entries[place].digest != digest
        for digest, place in promises.items()
    )
    lost += sum(place >= len(entries) for place in promises.values())
    wrong = [
        str(item) for item in audit_log(registry.log_folder, DocumentStore(folders.documents)).findings[:3]
    ]
    sizes, root = registry.anchored_sizes()
    if sorted(set(sizes)) != sizes:
        wrong.append(f"the contract was given {sizes}")
    if reader.get_head(sizes[-1]).checkpoint.root != root:
        wrong.append("another root is anchored")
    head = reader.get_head().checkpoint
    for folder in (folders.witness, folders.mirror):
        heads = [
            parse_signed_checkpoint(path.read_bytes()).checkpoint for path in folder.glob("*.checkpoint")
        ]
        if head not in heads:
            wrong.append(f"the {folder.name} has not cosigned the newest head")
    wrong += _not_found(registry, promises)
    return lost, len(credentials) - len(set(credentials)), "; ".join(wrong)


def _not_found(registry: Registry, promises: Promises) -> Iterable[str]:
    """The index knows every promise: what is submitted again keeps its place."""
    digests, chunk = list(promises), 4096
    for start in range(0, len(digests), chunk):
        for digest, place in registry.submit(digests[start : start + chunk]):
            if place != promises[digest]:
                yield f"{digest.hex()[:8]} was promised leaf {promises[digest]} and then {place}"
