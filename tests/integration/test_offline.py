"""Offline means offline: no network to use, and no socket even asked for."""

import json
import shutil
import subprocess
import sys

import pytest

from fakes.whole_registry import World, trust_document
from testamur.registry.canonical import canonicalize

PYTHON = (sys.executable, "-m", "testamur.node.cli.main")
TOUCH = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=5)"
"""What a verifier that phones home would do, in one line: the proof that each of these tests would see it."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("offline")
    policy = {"type": "TestamurPolicy", "version": 1, "maxStatusAgeDays": 36_500}  # the samples grow old
    (folder / "policy.json").write_bytes(canonicalize(policy))
    (folder / "trust.json").write_bytes(canonicalize(trust_document()))
    made = folder / "class"
    made.mkdir()
    (made / "good.credential.json").write_bytes(canonicalize(World().dossier()))
    (made / "revoked.credential.json").write_bytes(canonicalize(World(revoked=(7,)).dossier()))
    for number in range(60):  # enough for several processes
        (made / f"more{number:02}.credential.json").write_bytes(canonicalize(World().dossier()))
    return folder


def verify(files, *names, json_output=True):
    """The command line of a verification that fetches nothing."""
    settings = ("--offline", "--trust", str(files / "trust.json"), "--policy", str(files / "policy.json"))
    paths = [str(files / name) for name in names]
    return [*PYTHON, "verify", *settings, *(["--json"] if json_output else []), *paths]


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def judged(text):
    """What does not depend on the second in which it was asked."""
    document = json.loads(text, object_hook=without_age)
    return {name: document[name] for name in ("outcome", "credentialStatus", "checks")}


def without_age(members):
    """What is fresh is older by a second when the second of two runs asks."""
    return {name: value for name, value in members.items() if name != "age"}


@pytest.fixture(scope="module")
def without_network():
    """A command's prefix: the same program in a network namespace of its own, where even loopback is down."""
    prefix = ["unshare", "-n"]
    if shutil.which("unshare") is None or run([*prefix, "true"]).returncode != 0:
        pytest.skip("no network namespaces here (unshare -n)")
    return prefix


@pytest.mark.namespaces
def test_in_such_a_namespace_nothing_can_be_reached(without_network):
    done = run([*without_network, sys.executable, "-c", TOUCH])
    assert done.returncode != 0
    assert "unreachable" in done.stderr


@pytest.mark.namespaces
@pytest.mark.parametrize(
    ("name", "code"), [("class/good.credential.json", 0), ("class/revoked.credential.json", 1)]
)
def test_the_verdict_is_the_same_without_any_network(files, without_network, name, code):
    outside, inside = run(verify(files, name)), run([*without_network, *verify(files, name)])
    assert (outside.returncode, inside.returncode, inside.stderr) == (code, code, "")
    assert judged(inside.stdout) == judged(outside.stdout)


@pytest.mark.namespaces
def test_a_whole_folder_is_verified_without_any_network(files, without_network):
    done = run([*without_network, *verify(files, "class", json_output=False), "--jobs", "2"])
    assert (done.returncode, done.stderr) == (1, "")
    assert "62 files: 61 valid, 0 indeterminate, 1 invalid, 0 error" in done.stdout


@pytest.fixture(scope="module")
def sockets_of(tmp_path_factory):
    """The calls to socket() that a command and its children make, as strace shows them."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = tmp_path_factory.mktemp("strace") / "trace"
    if run(["strace", "-o", str(trace), "true"]).returncode != 0:
        pytest.skip("strace may not trace here")

    def trace_of(command):
        done = run(["strace", "-f", "-o", str(trace), "-e", "trace=socket,connect", *command])
        return done, [line for line in trace.read_text("utf-8").splitlines() if "socket(" in line]

    return trace_of


def test_a_socket_would_be_seen(sockets_of):
    _, sockets = sockets_of([sys.executable, "-c", TOUCH])
    assert sockets


@pytest.mark.parametrize("json_output", [True, False], ids=["json", "words"])
def test_verifying_a_file_asks_for_no_socket(files, sockets_of, json_output):
    done, sockets = sockets_of(verify(files, "class/good.credential.json", json_output=json_output))
    assert done.returncode == 0
    assert sockets == []


def test_verifying_a_folder_on_several_cores_asks_for_no_socket(files, sockets_of):
    done, sockets = sockets_of([*verify(files, "class", json_output=False), "--jobs", "2"])
    assert done.returncode == 1
    assert sockets == []
