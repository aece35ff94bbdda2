"""A registry from nothing to verified credentials in a minute or two, and then without the registry.

Starts a devnet in a temporary folder, issues the sample classes, revokes one and suspends one, asks the node
for the lists of an issuer whose own address is dead, revokes a thousand at once (more with `--bulk`),
stops node and chain, deletes their folders, and verifies in new processes that hold only the dossiers and the
trust file. Ends with one line:
`demo: issued=N anchored=N verified=N tampered_rejected=N`; exits with 1 when a number is not what it must be.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from status_demo import BULK, ISSUER, Kept, ask_for_lists, change_some, revoke_many, run

from testamur.node.service.devnet import running
from testamur.node.service.logs import configure_logs
from testamur.node.service.sample import issue_sample, sample_files

ROOT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("testamur")
ANCHORED_STEP = 6
TAMPER_STEPS = {3, 4}
PARALLEL = 2

MAX_BULK = 100_000
"""Revocations of one run: one pair of lists has room for 131 072, and the samples are in it."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a new process said about one dossier."""

    outcome: str
    failed: set[int]
    anchored: bool


async def issue_everything(home: Path, changed: Path, bulk: int) -> tuple[int, list[Kept], int]:
    """Run a devnet until every sample is issued and anchored, and some have changed their status.

    (number issued, what was changed, the chain's process id). Raises RuntimeError when a list is not served.
    """
    issued = 0
    configure_logs(home.parent / "node.log")
    async with running(home, port=0, clock=lambda: datetime.now(UTC), roots=[ROOT]) as devnet:
        say(f"founded {devnet.node.config.registry}: contract {devnet.node.config.contract}")
        await devnet.admit_sample(ISSUER)
        say(f"admitted {ISSUER.name}")
        for sample in sample_files(ROOT):
            report = await issue_sample(devnet, ISSUER, sample)
            issued += report.signed
            say(f"issued {report.signed} credentials of {sample.name}; {report.anchored} are anchored")
        kept = await change_some(devnet, changed, say)
        if not await ask_for_lists(devnet, say):
            raise RuntimeError("the node does not serve the status of every credential")
        sample = sample_files(ROOT)[0]
        await revoke_many(devnet, sample.table, sample.template, say, count=bulk)
        return issued, kept, devnet.chain.process_id


def judge(dossiers: list[Path], trust: Path) -> tuple[int, list[Judged]]:
    """Verify files in a new process, offline, without a PATH or a home: its exit code, and each verdict."""
    done = subprocess.run(
        [str(COMMAND), "verify", "--offline", "--json", "--trust", str(trust), *map(str, dossiers)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/nonexistent", "HOME": str(trust.parent)},
    )
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [
        Judged(
            outcome=verdict["outcome"],
            failed={check["step"] for check in verdict["checks"] if check["result"] == "fail"},
            anchored=verdict["checks"][ANCHORED_STEP - 1]["result"] == "pass",
        )
        for verdict in verdicts
    ]


def is_as_kept(item: Kept, trust: Path) -> bool:
    """Whether a file alone, with everything else gone, says what became of it, and what it was before."""
    offline = ("verify", "--offline", "--trust", trust, item.dossier)
    now = run(*offline, codes=(1,))
    then = run(*offline, "--as-of", f"{item.before:%Y-%m-%dT%H:%M:%SZ}")
    return (now["credentialStatus"], then["outcome"]) == (item.word, "valid")


def tampered(dossier: Path, folder: Path) -> Path:
    """A copy in which one character of what was achieved, or endorsed, is another one."""
    document = json.loads(dossier.read_bytes())
    credential = document["credential"]
    named = credential["credentialSubject"].get("achievement", credential)
    named["name"] = ("X" if named["name"][0] != "X" else "Y") + named["name"][1:]
    target = folder / f"tampered-{dossier.name}"
    target.write_text(json.dumps(document), encoding="utf-8")
    return target


def is_running(process_id: int) -> bool:
    """Whether a process with this id is there."""
    return Path(f"/proc/{process_id}").exists()


def say(text: str) -> None:
    """A line of progress."""
    print(f"  {text}", flush=True)


def main() -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(description="a registry from nothing to verified credentials")
    parser.add_argument("--bulk", type=int, default=BULK, help="revocations with one command (%(default)s)")
    bulk = parser.parse_args().bulk
    if not 1 <= bulk <= MAX_BULK:
        parser.error(f"--bulk: {bulk} is outside 1 to {MAX_BULK}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="testamur-demo-") as temporary:
        home, safe = Path(temporary) / "home", Path(temporary) / "only-what-a-verifier-has"
        safe.mkdir()
        issued, kept, anvil = asyncio.run(issue_everything(home, safe, bulk))
        trust = Path(shutil.copy(home / "trust.json", safe / "trust.json"))
        dossiers = [
            Path(shutil.copy(path, safe / f"{path.parent.name}-{path.name}"))
            for path in sorted((home / "credentials").glob("*/*.credential.json"))
        ]
        shutil.rmtree(home)
        if is_running(anvil):
            print("demo: the chain is still running", file=sys.stderr)
            return 1
        say(f"stopped node and chain, deleted their folders; left: {len(dossiers)} dossiers, a trust file")
        altered = [tampered(path, safe) for path in dossiers]
        with ThreadPoolExecutor(PARALLEL) as pool:
            halves = [dossiers[start::PARALLEL] for start in range(PARALLEL)]
            good = [one for _, found in pool.map(lambda paths: judge(paths, trust), halves) for one in found]
            shares = [altered[start::PARALLEL] for start in range(PARALLEL)]
            bad = [
                one
                for code, found in pool.map(lambda paths: judge(paths, trust), shares)
                for one in found
                if code == 1
            ]
        still = all(is_as_kept(item, trust) for item in kept)
        said = " and ".join(item.word for item in kept)
        say(f"still {said}, and valid as of before: {'yes' if still else 'NO'}")
    anchored = sum(verdict.anchored for verdict in good)
    verified = sum(verdict.outcome == "valid" for verdict in good)
    rejected = sum(verdict.outcome == "invalid" and bool(verdict.failed & TAMPER_STEPS) for verdict in bad)
    say(f"{time.monotonic() - started:.0f} s")
    print(f"demo: issued={issued} anchored={anchored} verified={verified} tampered_rejected={rejected}")
    return 0 if still and issued and {len(dossiers), anchored, verified, rejected} == {issued} else 1


if __name__ == "__main__":
    raise SystemExit(main())
