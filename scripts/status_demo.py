"""The status part of the demo: one revoked, one suspended, before and after; then a whole class at once.

What a registrar and a holder would type, as processes of their own; `make demo` runs it on its devnet.
"""

import asyncio
import csv
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from testamur.node.homes import workspace_folder
from testamur.node.issuing.workspace import open_workspace
from testamur.node.service.devnet import Devnet, SampleIssuer
from testamur.registry.multiformats import encode_digest

COMMAND = Path(sys.executable).with_name("testamur")
BULK = 1_000
"""Revocations with one command in a run that ends within a minute; `make demo BULK=10000` takes longer."""

ISSUER = SampleIssuer(status_base="https://status.university.invalid")
"""Its status lists have addresses that no name server ever answers for, as when the issuer is gone."""

TIMEOUT_SECONDS = 600

DEAD_SECONDS = 5
"""How long an address may take before it counts as dead."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is left when everything has stopped: a dossier, the moment before its status changed, the word."""

    dossier: Path
    before: datetime
    word: str


def run(*arguments: object, codes: tuple[int, ...] = (0,)) -> Any:
    """One command as a person would type it, with --json; its document. Raises RuntimeError."""
    done = subprocess.run(
        [str(COMMAND), *map(str, arguments), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    if done.returncode not in codes:
        raise RuntimeError(f"testamur {arguments[0]} exited with {done.returncode}: {done.stderr[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])


def words(verdict: Any) -> str:
    """The outcome and the status in a few words."""
    return f"{verdict['outcome']}, {verdict['credentialStatus']}"


async def change_some(devnet: Devnet, folder: Path, say: Say) -> list[Kept]:
    """Revoke one sample and suspend another; each is then asked as of before and now, online and offline."""
    return await asyncio.to_thread(_change_some, devnet, folder, say)


async def ask_for_lists(devnet: Devnet, say: Say) -> bool:
    """Whether the node serves the lists of every sample, whose own addresses are dead."""
    return await asyncio.to_thread(_ask_for_lists, devnet, say)


async def revoke_many(devnet: Devnet, table: Path, template: Path, say: Say, *, count: int = BULK) -> None:
    """Issue a class of `count`, and revoke all of it with one command and one anchor."""
    changed, seconds = await asyncio.to_thread(_revoke_many, devnet, table, template, say, count)
    hosting = devnet.node.hostings[ISSUER.slug]
    newest = devnet.node.index.anchors(hosting.log.name)[-1]
    if newest.transaction is None:
        raise RuntimeError("the newest anchor does not name its transaction")
    receipt = await devnet.chain.client.find_receipt(newest.transaction)
    gas = "unknown" if receipt is None else f"{receipt.gas_used:,}"
    say(f"revoked {changed:,} with one command in {seconds:.1f} s: one statement, one anchor, {gas} gas")


def _change_some(devnet: Devnet, folder: Path, say: Say) -> list[Kept]:
    home, trust = devnet.home, devnet.home / "trust.json"
    dossiers = sorted((home / "credentials").glob("*/*.credential.json"))[:2]
    kept = []
    for dossier, verb, word, reason in (
        (dossiers[0], "revoke", "revoked", "fraud"),
        (dossiers[1], "suspend", "suspended", "under-review"),
    ):
        own = Path(shutil.copy(dossier, folder / f"{word}.credential.json"))
        before = datetime.now(UTC).replace(microsecond=0)
        _wait_for_the_next_second(before)
        run(
            *(verb, own, "--reason", reason, "--issuer", ISSUER.slug, "--home", home),
            *("--passphrase-file", home / "devnet-passphrase", "--records", folder / word),
        )
        (record,) = (folder / word).glob("*.status-record.json")
        online = run("verify", "--node", devnet.url, "--trust", trust, own, codes=(1,))
        run("evidence", "--refresh", "--record", record, "--node", devnet.url, own)
        then = run("verify", "--offline", "--trust", trust, "--as-of", f"{before:%Y-%m-%dT%H:%M:%SZ}", own)
        now = run("verify", "--offline", "--trust", trust, own, codes=(1,))
        say(f"{word} {own.name}: online {words(online)}")
        say(f"  from its file alone: as of before {words(then)}; now {words(now)}")
        kept.append(Kept(dossier=own, before=before, word=word))
    return kept


def _wait_for_the_next_second(moment: datetime) -> None:
    """Statements have whole seconds: what is asked about the second before must be before."""
    while datetime.now(UTC).replace(microsecond=0) <= moment:
        time.sleep(0.05)


def _ask_for_lists(devnet: Devnet, say: Say) -> bool:
    found: dict[str, list[str]] = {}
    for dossier in sorted((devnet.home / "credentials").glob("*/*.credential.json")):
        credential = json.loads(dossier.read_bytes())["credential"]
        for entry in credential.get("credentialStatus", []):
            found.setdefault(entry["statusListCredential"], []).append(credential["id"])
    alive = [url for url in found if _fetched(url) is not None]
    served = {
        url: answer
        for url in found
        if (answer := _fetched(f"{devnet.url}/v1/status-lists?{urlencode({'id': url})}")) is not None
    }
    answered = [name for url in served if served[url]["id"] == url for name in found[url]]
    complete = not alive and len(answered) == sum(map(len, found.values()))
    say(
        f"the issuer's {ISSUER.status_base} is dead: {len(alive)} of {len(found)} lists answer there; "
        f"the node answers {len(served)} of {len(found)}, the status of {len(set(answered))} credentials"
    )
    return complete


def _fetched(url: str) -> Any:
    """The document at an address, or None when nothing answers there."""
    try:
        with urlopen(url, timeout=DEAD_SECONDS) as response:
            return json.loads(response.read())
    except OSError:
        return None


def _revoke_many(devnet: Devnet, table: Path, template: Path, say: Say, count: int) -> tuple[int, float]:
    home, slug = devnet.home, ISSUER.slug
    work = home / "many"
    work.mkdir()
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    column = rows[0].index("student_number")
    with (work / "class.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        for number in range(count):
            row = list(rows[1 + number % (len(rows) - 1)])
            row[column] = f"9{number:07}"
            writer.writerow(row)
    access = ("--issuer", slug, "--home", home, "--passphrase-file", home / "devnet-passphrase")
    started = time.monotonic()
    run("issue", work / "class.csv", "--template", template, "--out", work / "out", "--wait", 0, *access)
    say(f"issued {count:,} more in {time.monotonic() - started:.1f} s")
    with open_workspace(workspace_folder(home, slug)) as workspace:
        issued = workspace.ledger.run("SELECT digest FROM credentials WHERE file LIKE '9%'")
    with (work / "revoked.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["digest", "reason"])
        writer.writerows([encode_digest(bytes(digest)), "issued-in-error"] for (digest,) in issued)
    started = time.monotonic()
    done = run("revoke", work / "revoked.csv", *access)
    if (done["changed"], done["anchored"]) != (count, True):
        raise RuntimeError(f"{done['changed']} were revoked, not {count}")
    return done["changed"], time.monotonic() - started
