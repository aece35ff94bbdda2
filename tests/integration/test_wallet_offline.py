"""A learner and an employer without any network: key, credential, presentation, verdict, backup, another machine."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from fakes.holders import bound_to
from fakes.whole_registry import trust_document
from testamur.registry.canonical import canonicalize

PROGRAM = (sys.executable, "-m", "testamur.node.cli.main")
HEAVY = ("aiohttp", "web3", "plyvel", "structlog", "prometheus_client")
BLOCKED = "import sys\nfor name in {heavy}: sys.modules[name] = None\n"
"""Imports of the node's libraries fail, as they do where only the verifier is installed."""


@pytest.fixture(scope="module")
def core_only(tmp_path_factory):
    """An environment in which the node's libraries cannot be imported."""
    folder = tmp_path_factory.mktemp("core")
    (folder / "sitecustomize.py").write_text(BLOCKED.format(heavy=HEAVY))
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def without_network():
    prefix = ["unshare", "-n"]
    if shutil.which("unshare") is None or subprocess.run([*prefix, "true"], check=False).returncode != 0:
        pytest.skip("no network namespaces here (unshare -n)")
    return prefix


@pytest.mark.namespaces
def test_a_whole_life_of_a_wallet_needs_neither_network_nor_node(tmp_path, core_only, without_network):
    def run(*words, home="home", code=0):
        command = [*without_network, *PROGRAM, *map(str, words), "--home", str(tmp_path / home), "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=core_only, cwd=tmp_path
        )
        assert done.returncode == code, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    (tmp_path / "pass").write_text("correct horse\n")
    (tmp_path / "pass").chmod(0o600)
    secret = ("--passphrase-file", tmp_path / "pass")
    policy = {"type": "TestamurPolicy", "version": 1, "maxStatusAgeDays": 36_500}  # the samples grow old
    (tmp_path / "policy.json").write_bytes(canonicalize(policy))
    (tmp_path / "trust.json").write_bytes(canonicalize(trust_document()))
    asked = ("--offline", "--trust", "trust.json", "--policy", "policy.json", "--domain", "employer.example")

    (new,) = run("wallet", "new", *secret)
    (tmp_path / "mine.credential.json").write_bytes(canonicalize(bound_to(new["did"]).dossier()))
    run("wallet", "add", "mine.credential.json")
    question = ("--challenge", "4711", "--domain", "employer.example")
    run("wallet", "present", *question, "--out", "a.presentation.json", *secret)
    (verdict,) = run("verify", *asked, "--challenge", "4711", "a.presentation.json")
    assert verdict["credentials"][0]["checks"][10]["reason"] == "holder-proven"
    (verdict,) = run("verify", *asked, "--challenge", "4712", "a.presentation.json", code=1)
    assert verdict["presentation"]["problem"]["reason"] == "proof-challenge-mismatch"
    run("verify", *asked, "--challenge", "4711", "mine.credential.json", code=3)

    run("wallet", "backup", "wallet.backup", *secret)
    run("wallet", "restore", "wallet.backup", *secret, home="another")
    run("wallet", "present", *question, "--out", "b.presentation.json", *secret, home="another")
    run("verify", *asked, "--challenge", "4711", "b.presentation.json")
    shutil.rmtree(tmp_path / "home")
    (listed,) = run("wallet", "list", home="another")
    assert listed["keys"][0]["did"] == new["did"]
