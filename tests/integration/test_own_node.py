"""A registry founded by hand: every command as its own process, against a chain that is not embedded."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fakes.whole_registry import World, trust_document
from testamur.node.chain.anvil import Anvil, find_anvil
from testamur.node.chain.embedded import pump
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.canonical import canonicalize

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "scripts" / "samples"
COMMAND = Path(sys.executable).with_name("testamur")
PASSPHRASE = "correct horse battery staple"

pytestmark = pytest.mark.chain


class Chain:
    """An Anvil on a thread of its own that mines whatever has a transaction until it is final."""

    def __init__(self, folder):
        self._folder = folder
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *exc_info):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def fund(self, address):
        asyncio.run_coroutine_threadsafe(
            self._anvil.fund(bytes.fromhex(address[2:]), 10**19), self._loop
        ).result(30)

    async def _run(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._anvil = await Anvil.start(find_anvil(ROOT), self._folder)
        self.url = self._anvil.rpc_url
        miner = asyncio.create_task(self._mine())
        self._ready.set()
        await self._stop.wait()
        miner.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await miner
        await self._anvil.stop()

    async def _mine(self):
        """Every block that holds something becomes final at an attestable height."""
        seen = 0
        wanted = None

        async def watch():
            nonlocal seen, wanted
            while True:
                head = (await self._anvil.client.head()).number
                if head > seen:
                    wanted = head
                    seen = await self._anvil.mine_until_final(-(-head // 4) * 4)
                    seen = (await self._anvil.client.head()).number
                await asyncio.sleep(0.1)

        await asyncio.gather(watch(), pump(self._anvil, lambda: None, interval_blocks=4))


@pytest.fixture
def chain(tmp_path):
    folder = tmp_path / "chain"
    folder.mkdir()
    with Chain(folder) as running:
        yield running


@pytest.fixture
def passphrase_file(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path


def run(*arguments, expect=0):
    done = subprocess.run(
        [str(COMMAND), *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == expect, (arguments, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert PASSPHRASE not in done.stdout + done.stderr
    return done


def answer(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


@contextlib.contextmanager
def node_running(home, passphrase_file):
    process = subprocess.Popen(
        [str(COMMAND), "node", "run", "--home", str(home), "--passphrase-file", str(passphrase_file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while True:
            line = process.stderr.readline()
            assert line, "the node ended before it listened"
            row = json.loads(line)
            if row["event"] == "listening":
                break
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        yield row["url"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        drain.join(10)
        process.stderr.close()


def test_a_registry_is_founded_and_used_by_its_commands_alone(tmp_path, chain, passphrase_file):
    home, secret = tmp_path / "home", ("--passphrase-file", passphrase_file)
    made = answer(
        "init",
        "--registry",
        "registry.example",
        "--member",
        "ada",
        "--rpc",
        # Two ways to the chain, and one that leads nowhere: nothing waits for it, and it is named below.
        f"{chain.url} {chain.url}/ http://127.0.0.1:1",
        "--chain-id",
        "31337",
        "--port",
        "0",
        "--home",
        home,
        *secret,
    )
    for key in made["keys"]:
        if key["address"]:
            chain.fund(key["address"])
    founded = answer("council", "found", "--home", home, *secret)
    shown = answer("trust", "show", founded["trust"])
    assert (shown["registry"], shown["fingerprint"]) == ("registry.example", founded["fingerprint"])
    assert shown["development"] is False

    with node_running(home, passphrase_file) as url:
        application, token = tmp_path / "application.json", tmp_path / "token"
        run(
            "issuer",
            "apply",
            "--slug",
            "ada",
            "--did",
            "did:web:ada.example",
            "--name",
            "Ada University",
            "--registry",
            "registry.example",
            "--node",
            url,
            "--out",
            application,
            "--home",
            tmp_path / "issuer",
            *secret,
        )
        admitted = answer("issuer", "add", application, "--token-out", token, "--home", home, *secret)
        assert admitted["origin"] == "registry.example/ada/1"
        assert admitted["token"] is None
        again = answer("issuer", "add", application, "--token-out", token, "--home", home, *secret)
        assert again["block"] is None
        table = next(SAMPLES.glob("data-literacy-*.csv"))
        rows = table.read_text(encoding="utf-8").splitlines()[:5]
        (tmp_path / "class.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        # The node notices the new issuer by itself, within a second or two.
        with RegistryClient(url) as client:
            for _ in range(200):
                if any(row["slug"] == "ada" for row in client.issuers()["issuers"]):
                    break
                threading.Event().wait(0.05)
        issue = (
            "issue",
            tmp_path / "class.csv",
            "--issuer",
            "ada",
            "--template",
            SAMPLES / "data-literacy.template.json",
            "--out",
            tmp_path / "out",
            "--token-file",
            token,
            "--home",
            tmp_path / "issuer",
            *secret,
        )
        dry = answer(*issue, "--dry-run")
        assert (dry["dryRun"], dry["rows"], dry["complete"], dry["rejected"]) == (True, 4, 0, 0)
        assert not list(tmp_path.glob("out/*.credential.json"))
        done = answer(*issue)
        assert (done["rows"], done["signed"], done["logged"], done["anchored"]) == (4, 4, 4, 4)
        repeated = answer(*issue)
        assert (repeated["signed"], repeated["logged"], repeated["anchored"]) == (0, 0, 4)
        status = answer("node", "status", "--url", url)
        assert status["ready"] is True
        endpoints = {name: state for name, state in status["parts"].items() if name.startswith("endpoint")}
        assert endpoints.pop("endpoint http://127.0.0.1:1").startswith("unavailable: ")
        assert endpoints == {f"endpoint {chain.url} (1)": "ok", f"endpoint {chain.url} (2)": "ok"}
        fetched = tmp_path / "fetched.json"
        wrong = run("trust", "fetch", "--node", url, "--out", fetched, "--fingerprint", "a" * 26, expect=2)
        assert not fetched.exists(), wrong.stderr
        run("trust", "fetch", "--node", url, "--out", fetched, "--fingerprint", founded["fingerprint"])

    dossiers = sorted((tmp_path / "out").glob("*.credential.json"))
    verdict = run("verify", "--offline", "--trust", fetched, *dossiers)
    for path in dossiers:
        line = next(row for row in verdict.stdout.splitlines() if path.name in row)
        assert line.split()[0] == "valid", verdict.stdout
    assert "VALID" in run("verify", "--offline", "--trust", fetched, dossiers[0]).stdout
    # The trust file does not call itself one for development: the chain's id gives it away.
    assert "DEVELOPMENT REGISTRY" in verdict.stdout
    assert not any(PASSPHRASE.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_wrong_use_is_told_in_a_line_and_exits_with_2(tmp_path, passphrase_file):
    home = tmp_path / "home"
    init = ("init", "--registry", "registry.example", "--member", "ada", "--home", home)
    for arguments, words in [
        (("node", "run", "--home", home), "there is no node here"),
        (("init", "--registry", "Not A Name", "--member", "a", "--home", home), "registry"),
        ((*init, "--port", "99999", "--passphrase-file", passphrase_file), "not a port"),
        ((*init, "--passphrase-file", tmp_path / "missing"), "there is no file"),
        (("verify", "--home", home, tmp_path / "x.json"), "no trust file"),
        (("verify", "--offline", "--node", "http://127.0.0.1:9", tmp_path / "x.json"), "--offline"),
        (
            ("issue", tmp_path / "x.csv", "--issuer", "a", "--template", tmp_path / "t", "--out", home),
            "no such file",
        ),
        (("audit", tmp_path / "nowhere"), "no such folder"),
        (("keys", "--home", home), "no keys"),
        (("trust", "fetch", "--node", "ftp://x"), "not an http"),
        (("evidence", tmp_path / "missing.json"), "no such file"),
    ]:
        done = run(*arguments, expect=2)
        assert words in done.stderr, (arguments, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    run(*init, "--passphrase-file", passphrase_file)
    assert "already" in run(*init, "--passphrase-file", passphrase_file, expect=2).stderr
    passphrase_file.write_text("wrong\n")
    assert os.access(home / "node" / "node.toml", os.R_OK)
    assert run("node", "run", "--home", home, "--passphrase-file", passphrase_file, expect=2).stderr
    passphrase_file.chmod(0o644)
    assert (
        "open to other users"
        in run("council", "found", "--home", home, "--passphrase-file", passphrase_file, expect=2).stderr
    )


def test_a_reader_who_leaves_or_a_narrow_encoding_never_looks_like_a_verdict(tmp_path):
    dossier, trust = tmp_path / "a.credential.json", tmp_path / "trust.json"
    dossier.write_bytes(canonicalize(World().dossier()))
    trust.write_bytes(canonicalize(trust_document()))
    # Asked about a moment, so that the answer is the same on every later day.
    command = [str(COMMAND), "verify", "--as-of", "2026-11-21T10:00:00Z", "--trust", str(trust), str(dossier)]
    for encoding in ("ascii", "cp1252", "utf-8"):
        done = subprocess.run(
            command, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding}
        )
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.returncode == 141, done.stderr
    assert done.stderr == b""
