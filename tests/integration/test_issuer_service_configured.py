"""The issuer service with issuers of one's own: kept keys, a token for each, and nothing open by omission."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.vc_server import VcClient
from testamur.node.keystore.encryption import ScryptParameters
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.registry.keys import Algorithm

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = "https://issuer.example"
TOKENS = {"ada": "the-token-of-ada-only", "bob": "the-token-of-bob-only"}


def secret(path: Path, text: str) -> Path:
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    secret(tmp_path / "passphrase", "correct horse battery staple")
    keys = Keystore(
        tmp_path / "keys",
        Passphrase("correct horse battery staple"),
        parameters=ScryptParameters(n=2, r=8, p=1),
    )
    text = ""
    for name, token in TOKENS.items():
        secret(tmp_path / f"{name}.token", token)
        keys.create(name, Algorithm.ED25519)
        text += f'[[issuer]]\nid = "{name}"\nsuite = "eddsa-jcs-2022"\nkey = "{name}"\n'
        text += f'token_file = "{name}.token"\nstatus = ["revocation"]\n'
    (tmp_path / "issuers.toml").write_text(text)
    return tmp_path


def command(home: Path, *left_out: str, **more: str) -> list[str]:
    given = {
        "config": str(home / "issuers.toml"),
        "keys": str(home / "keys"),
        "passphrase-file": str(home / "passphrase"),
        "folder": str(home / "issued"),
        "public-url": PUBLIC,
        **more,
    }
    options = [part for name, value in given.items() if name not in left_out for part in (f"--{name}", value)]
    return [sys.executable, "scripts/vc_api_server.py", *options]


@contextlib.contextmanager
def started(call: list[str]) -> Iterator[tuple[dict[str, Any], str]]:
    """What it says, and where it really listens: the public address is a proxy's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*call, "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def document(did: str) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:8e2f4d2c-2b1a-4c3d-9e8f-0a1b2c3d4e5f",
        "type": ["VerifiableCredential"],
        "issuer": did,
        "credentialSubject": {"id": "did:example:learner"},
    }


def test_each_issuer_is_opened_by_its_token_and_goes_on_after_a_restart(home: Path) -> None:
    wanted = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
    with started(command(home)) as (said, url):
        assert "verifyPath" not in said
        for name, token in TOKENS.items():
            issuer = said["issuers"][name]
            for other in (None, *TOKENS.values()):
                body = {"credential": document(issuer["id"])}
                answer = VcClient(url, other).post(issuer["path"], body)
                assert answer.status == (201 if other == token else 401)
            made = VcClient(url, token).post(issuer["path"], {"credential": document(issuer["id"])})
            listed = made.body["verifiableCredential"]["credentialStatus"]["statusListCredential"]
            assert listed == f"{PUBLIC}/issuers/{name}/status-lists/revocation-1"
        first = said["issuers"]
    with started(command(home)) as (said, url):
        assert said["issuers"] == first
        body = {"credentialId": document("")["id"], "credentialStatus": wanted}
        changed = VcClient(url, TOKENS["ada"]).post(first["ada"]["statusPath"], body)
        assert len(changed.body["credentialStatus"]) == 2
        assert VcClient(url, TOKENS["bob"]).post(first["ada"]["statusPath"], body).status == 401


def test_one_token_opens_all_issuers_of_a_conformance_run(home: Path) -> None:
    call = [sys.executable, "scripts/vc_api_server.py"]
    with started([*call, "--token-file", str(home / "ada.token")]) as (said, url):
        assert "verifyPath" not in said
        for issuer in said["issuers"].values():
            for token, status in ((None, 401), (TOKENS["bob"], 401), (TOKENS["ada"], 404)):
                answer = VcClient(url, token).ask("GET", issuer["path"].removesuffix("issue") + "x")
                assert answer.status == status
    refused([*call, "--host", "0.0.0.0"], "without --token-file anybody could issue")


@pytest.mark.parametrize("missing", ["folder", "public-url"])
def test_with_kept_keys_nothing_is_left_to_chance(home: Path, missing: str) -> None:
    refused(command(home, missing), f"--config needs --{missing}")


def test_no_single_token_opens_issuers_of_ones_own(home: Path) -> None:
    refused(command(home, **{"token-file": str(home / "ada.token")}), "each issuer names its own token_file")


def test_a_token_that_others_can_read_or_guess_does_not_start_it(home: Path) -> None:
    (home / "bob.token").chmod(0o644)
    refused(command(home), "open to other users")
    secret(home / "bob.token", "short")
    refused(command(home), "16 to 512")
    (home / "bob.token").unlink()
    refused(command(home), "there is no file")
    text = (home / "issuers.toml").read_text()
    (home / "issuers.toml").write_text(text.replace('token_file = "bob.token"\n', ""))
    refused(command(home), "token_file: must be a string")


def refused(call: list[str], words: str) -> None:
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr
