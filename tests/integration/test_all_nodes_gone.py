"""A class is issued and anchored; then every data folder and the network are gone, and all of it verifies."""

import asyncio
import contextlib
import csv
import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from testamur.node.chain.anvil import Anvil, find_anvil
from testamur.node.chain.embedded import pump
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.dossiers import parse_dossier
from testamur.registry.evidence import parse_evidence

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "scripts" / "samples"
COMMAND = Path(sys.executable).with_name("testamur")
CLASS = 100

pytestmark = pytest.mark.chain


@contextlib.contextmanager
def chain_running(folder):
    """(URL of an Anvil on a thread of its own that makes every transaction final, how to fund an account)."""
    ready, running = threading.Event(), {}

    async def follow(anvil):
        seen = 0
        while True:
            if (await anvil.client.head()).number > seen:
                await anvil.mine_until_final(-(-(await anvil.client.head()).number // 4) * 4)
                seen = (await anvil.client.head()).number
            await asyncio.sleep(0.1)

    async def serve():
        anvil = await Anvil.start(find_anvil(ROOT), folder)
        running.update(anvil=anvil, loop=asyncio.get_running_loop(), stop=asyncio.Event())
        tasks = asyncio.gather(follow(anvil), pump(anvil, lambda: None, interval_blocks=4))
        ready.set()
        await running["stop"].wait()
        tasks.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tasks
        await anvil.stop()

    def fund(address):
        funded = running["anvil"].fund(bytes.fromhex(address[2:]), 10**19)
        asyncio.run_coroutine_threadsafe(funded, running["loop"]).result(30)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield running["anvil"].rpc_url, fund
    finally:
        running["loop"].call_soon_threadsafe(running["stop"].set)
        thread.join(30)


@contextlib.contextmanager
def node_running(home, secret):
    process = subprocess.Popen(
        [str(COMMAND), "node", "run", "--home", str(home), *map(str, secret)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        rows = (json.loads(line) for line in process.stderr)
        url = next(row["url"] for row in rows if row["event"] == "listening")
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        drain.join(10)
        process.stderr.close()


def answer(*arguments):
    command = [str(COMMAND), *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return json.loads(done.stdout)


def table(path, first, count):
    """A class of so many learners, made from the sample's."""
    lines = next(SAMPLES.glob("data-literacy-*.csv")).read_text(encoding="utf-8").splitlines()
    sample = list(csv.DictReader(lines))
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, sample[0])
        writer.writeheader()
        for number in range(first, first + count):
            row = dict(sample[number % len(sample)])
            writer.writerow({**row, "student_number": f"{2026_0000 + number}", "name": f"Learner {number}"})
    return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with the trust file and the dossiers, all that is left of a registry."""
    place, kept = tmp_path_factory.mktemp("registry"), tmp_path_factory.mktemp("kept")
    passphrase = place / "passphrase"
    passphrase.write_text("correct horse battery staple\n")
    passphrase.chmod(0o600)
    secret, home = ("--passphrase-file", passphrase), place / "home"
    (place / "chain").mkdir()
    with chain_running(place / "chain") as (rpc, fund):
        network = ("--rpc", rpc, "--chain-id", "31337", "--port", "0")
        names = ("--registry", "registry.example", "--member", "ada")
        made = answer("init", *names, *network, "--home", home, *secret)
        for key in made["keys"]:
            if key["address"]:
                fund(key["address"])
        founded = answer("council", "found", "--home", home, *secret)
        shutil.copy(founded["trust"], kept / "trust.json")
        with node_running(home, secret) as url:
            _issue(place, kept, url, secret)
    shutil.rmtree(place)
    return kept


def _issue(place, kept, url, secret):
    """A class in one batch, anchored; then a second one, so that the first can be refreshed."""
    application, token = place / "application.json", place / "token"
    issuer = ("--home", place / "issuer", *secret)
    who = ("--slug", "ada", "--did", "did:web:ada.example", "--name", "Ada University")
    answer(
        "issuer",
        "apply",
        *who,
        "--registry",
        "registry.example",
        "--node",
        url,
        "--out",
        application,
        *issuer,
    )
    answer("issuer", "add", application, "--token-out", token, "--home", place / "home", *secret)
    with RegistryClient(url) as client:
        for _ in range(400):
            if client.issuers()["issuers"]:
                break
            threading.Event().wait(0.05)
    for name, first, count in (("class", 0, CLASS), ("late", CLASS, 1)):
        done = answer(
            "issue",
            table(place / f"{name}.csv", first, count),
            *("--issuer", "ada", "--template", SAMPLES / "data-literacy.template.json"),
            *("--out", kept / name, "--token-file", token),
            *issuer,
        )
        assert (done["logged"], done["anchored"]) == (count, count)
    (kept / "refreshed").mkdir()
    old = min((kept / "class").glob("*.credential.json"))
    shutil.copy(old, kept / "refreshed")
    answer("evidence", kept / "refreshed" / old.name, "--node", url)


@pytest.fixture(scope="module")
def without_network():
    """A command's prefix: the same program where even loopback is down; nothing where that cannot be had."""
    prefix = ["unshare", "-n"]
    available = shutil.which("unshare") and subprocess.run([*prefix, "true"], check=False).returncode == 0
    return prefix if available else []


def verify(kept, without_network, *names):
    command = [*without_network, str(COMMAND), "verify", "--offline", "--trust", str(kept / "trust.json")]
    environment = {"HOME": str(kept / "nobody"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, "--json", *(str(kept / name) for name in names)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_whole_class_verifies_from_its_files_alone(kept, without_network):
    code, rows = verify(kept, without_network, "class")
    assert (code, rows[-1]["valid"]) == (0, CLASS)
    for verdict in rows[:-1]:
        assert verdict["outcome"] == "valid"
        assert verdict["anchored"]["entryTime"] <= verdict["anchored"]["blockTime"]
        assert verdict["witnessed"]["noLaterThan"] is not None
    assert len({verdict["credential"]["digest"] for verdict in rows[:-1]}) == CLASS


def test_a_class_in_one_batch_has_one_anchor_and_proves_no_more_slots_than_it_needs(kept):
    anchors = set()
    for path in (kept / "class").glob("*.credential.json"):
        evidence = parse_evidence(parse_dossier(path.read_bytes())[1])
        (anchor,) = evidence.anchors
        assert (len(anchor["slots"]), len(anchor["history"])) == (5, 1)
        anchors.add(json.dumps(anchor))
    assert len(anchors) == 1


def test_a_refreshed_dossier_keeps_the_time_at_which_it_was_first_seen(kept, without_network):
    (refreshed,) = (kept / "refreshed").iterdir()
    _, (new,) = verify(kept, without_network, refreshed)
    _, (old,) = verify(kept, without_network, kept / "class" / refreshed.name)
    evidence = parse_evidence(parse_dossier(refreshed.read_bytes())[1])
    (log,) = evidence.logs.values()
    assert log.first is not None
    assert log.first.checkpoint.checkpoint.size < log.checkpoint.checkpoint.size
    assert new["outcome"] == old["outcome"] == "valid"
    assert new["witnessed"]["noLaterThan"] == old["witnessed"]["noLaterThan"]
    assert new["anchored"]["entryTime"] == old["anchored"]["entryTime"]
    assert new["evidenceAt"] > old["evidenceAt"]


def test_a_dossier_that_lost_a_byte_is_not_among_the_valid_ones(kept, without_network, tmp_path):
    old = min((kept / "class").glob("*.credential.json"))
    damaged = tmp_path / "damaged.credential.json"
    damaged.write_bytes(old.read_bytes().replace(b"Learner", b"Learned", 1))
    code, (verdict,) = verify(kept, without_network, damaged)
    assert (code, verdict["outcome"]) == (1, "invalid")
