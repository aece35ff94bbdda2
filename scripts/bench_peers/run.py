"""Other systems and ours on the same credentials in the same run, each installed outside of the project.

    scripts/bench_peers/run.py [--quick] [--json FILE]

Every line is CPU time per credential (medians of rounds), ours measured before and after each peer and both
halves put together. What a peer leaves out, or needs in another form, stands under the table. A peer that
cannot be installed or does not work here prints `not measured` with the reason, and never a number.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bench"))  # corpus and ours

from _install import PEERS, Missing, Npm, Python  # noqa: E402
from _ours import DID, METHOD, SECRET_MULTIKEY, Ours  # noqa: E402

from testamur.registry.contexts import BUNDLED, find_context  # noqa: E402

MAX_SECONDS = 900
"""Of one peer's measurement."""

NOTES = """\
cert-issuer: chain mocked, no signature, nothing on disk; ours signs, records, and syncs a file each.
oa-verify: hashes and two contract calls, answered in memory; no DNS. cert-verifier-js: Merkle proof of a mock
chain, the issuer's profile answered in memory, no status. Ours: all the numbered steps of a dossier.
didkit reads no foreign contexts: the same credential without status, under an inline vocabulary."""

CERT_ISSUER = Python("cert-issuer", "cert-issuer==3.13.1")
DIDKIT = Python("didkit", "didkit==0.3.3")
DIGITALBAZAAR = Npm(
    "digitalbazaar",
    (
        "@digitalbazaar/vc@7.3.0",
        "@digitalbazaar/data-integrity@2.5.0",
        "@digitalbazaar/eddsa-rdfc-2022-cryptosuite@1.3.0",
        "@digitalbazaar/ed25519-multikey@1.3.1",
    ),
)
OPEN_ATTESTATION = Npm(
    "open-attestation", ("@govtechsg/oa-verify@9.4.0", "@govtechsg/open-attestation@6.9.7")
)
CERT_VERIFIER = Npm("cert-verifier", ("@blockcerts/cert-verifier-js@6.35.0",), unpack=True)
"""As it is published: two of its dependencies live in git repositories, its bundle holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One job: microseconds of the peer and of ours per credential, or why there are none."""

    what: str
    peer: str
    theirs: float | None
    ours: float | None
    goal: float | None
    why: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as long the peer takes."""
        return None if self.theirs is None or self.ours is None else self.theirs / self.ours


def ask(
    peer: Python | Npm, script: str, given: dict[str, Any], environment: dict[str, str]
) -> dict[str, Any]:
    """What the peer's script measured. Raises Missing."""
    command = peer.install()
    place = peer.folder / script
    if isinstance(peer, Npm) and not peer.unpack:
        shutil.copy(_source(script), place)  # modules are found from where the script lies
    else:
        place = _source(script)
    try:
        done = subprocess.run(
            [*command, str(place)],
            input=json.dumps(given).encode(),
            cwd=peer.folder,
            capture_output=True,
            env={**os.environ, **environment},
            timeout=MAX_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise Missing(f"took more than {MAX_SECONDS} s") from exc
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Missing(f"failed: {lines[-1][:160] if lines else done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _source(script: str) -> Path:
    own = HERE / script
    return own if own.is_file() else HERE.parent / "bench" / script


def beside(
    peer: Python | Npm,
    script: str,
    given: dict[str, Any],
    jobs: list[tuple[str, str, Callable[[], float], float | None]],
    *,
    environment: dict[str, str] | None = None,
) -> tuple[list[Line], dict[str, Any]]:
    """The peer between two halves of ours. `jobs`: (words, the peer's name for it, ours, goal)."""
    name = peer.name
    try:
        peer.install()
        before = [ours() for _, _, ours, _ in jobs]
        found = ask(peer, script, given, environment or {})
    except Missing as exc:
        print(f"{name}: not measured ({exc})", flush=True)
        lines = [
            Line(what=what, peer=name, theirs=None, ours=None, goal=goal, why=str(exc))
            for what, _, _, goal in jobs
        ]
        return lines, {}
    after = [ours() for _, _, ours, _ in jobs]
    version = found.get("version", "7.3.0")
    print(f"{name} {version}: done", flush=True)
    lines = [
        Line(
            what=what,
            peer=f"{name} {version}",
            theirs=statistics.median(found[key]),
            ours=(before[number] + after[number]) / 2,
            goal=goal,
        )
        for number, (what, key, _, goal) in enumerate(jobs)
    ]
    return lines, found


def measure(*, quick: bool) -> list[Line]:
    """All peers, one after the other."""
    batch, few, rounds = (200, 20, 3) if quick else (1_000, 60, 5)
    ours = Ours(batch=batch, few=few, rounds=rounds)
    contexts = {url: find_context(url) for url in BUNDLED}
    lines: list[Line] = []

    def add(found: tuple[list[Line], dict[str, Any]]) -> dict[str, Any]:
        lines.extend(found[0])
        return found[1]

    issued = add(
        beside(
            CERT_ISSUER,
            "_cert_issuer.py",
            {"contexts": contexts, "credentials": ours.batch_documents, "rounds": rounds},
            [(f"issue a batch of {batch}", "issue", ours.issue_batch, 50)],
        )
    )
    given = {"credentials": ours.batch_documents, "rounds": rounds, "sample": few}
    add(
        beside(
            OPEN_ATTESTATION,
            "_open_attestation.cjs",
            given,
            [
                (f"issue a batch of {batch}", "issue", ours.issue_batch, None),
                ("verify a whole credential, nothing known", "verify", ours.verify_first, 5),
                ("verify a whole credential, its log known", "verify", ours.verify_next, None),
            ],
        )
    )
    certificates = {"contexts": contexts, "certificates": issued.get("issued", []), "rounds": rounds}
    add(
        beside(
            CERT_VERIFIER,
            "_cert_verifier.cjs",
            certificates,
            [
                ("verify a whole credential, nothing known", "verify", ours.verify_first, 5),
                ("verify a whole credential, its log known", "verify", ours.verify_next, None),
            ],
        )
    )
    signing = {"contexts": contexts, "credentials": ours.few_documents, "signed": [], "rounds": rounds}
    key = {"type": "Multikey", "id": METHOD, "controller": DID, "publicKeyMultibase": DID.rpartition(":")[2]}
    for peer, script, least in ((DIGITALBAZAAR, "_rdfc_peer.mjs", 5), (DIDKIT, "_didkit.py", 2)):
        add(
            beside(
                peer,
                script,
                signing,
                [
                    ("eddsa-rdfc, sign one", "issue", ours.sign_rdfc, least),
                    ("eddsa-rdfc, verify one", "verify", ours.verify_rdfc, least),
                    ("the same beside our eddsa-jcs, verify", "verify", ours.verify_jcs, None),
                ],
                environment={"BENCH_KEY": json.dumps({**key, "secretKeyMultibase": SECRET_MULTIKEY})},
            )
        )
    return lines


def table(lines: list[Line]) -> None:
    """Words for people."""
    heads = ("what", "peer", "theirs", "ours", "theirs/ours", "goal", "met")
    rows = [heads]
    for line in lines:
        goal = "" if line.goal is None else f"≥ {line.goal:g}"
        if line.theirs is None or line.ours is None or line.ratio is None:
            rows.append((line.what, line.peer, f"not measured: {line.why}", "", "", goal, ""))
            continue
        met = "" if line.goal is None else "yes" if line.ratio >= line.goal else "no"
        figures = (f"{line.theirs / 1e3:.3g} ms", f"{line.ours / 1e3:.3g} ms", f"{line.ratio:.1f}")
        rows.append((line.what, line.peer, *figures, goal, met))
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    print()
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"\n{NOTES}")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small batches, three rounds")
    parser.add_argument("--json", type=Path, default=PEERS.parent / "bench" / "peers.json")
    options = parser.parse_args()
    lines = measure(quick=options.quick)
    table(lines)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(line), "ratio": line.ratio} for line in lines]
    options.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
