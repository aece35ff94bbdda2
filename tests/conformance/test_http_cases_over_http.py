"""The published runner against a started node, and against the server for conformance runs: 43 of 43."""

import contextlib
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fakes.whole_registry import trust_document
from testamur.node.service.config import load_config, replace_config
from testamur.registry.canonical import canonicalize

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("testamur")


@contextlib.contextmanager
def process(command: list[str], *, until: bytes, stream: str) -> Iterator[bytes]:
    """A command that goes on; what it had written on `stream` with `until` in it, once it did."""
    pipes: dict[str, Any] = {stream: subprocess.PIPE}
    started = subprocess.Popen(command, cwd=ROOT, **pipes)
    try:
        lines = started.stdout if stream == "stdout" else started.stderr
        assert lines is not None
        yield next(line for line in lines if until in line)
    finally:
        started.terminate()
        started.communicate(timeout=30)


def run_cases(vectors: Path, url: str) -> str:
    runner = vectors / "http-cases" / "run.py"
    done = subprocess.run(
        [sys.executable, str(runner), url], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_started_node_gets_every_case_right(vectors: Path, tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse battery staple\n")
    secret.chmod(0o600)
    home, port = tmp_path / "home", free_port()
    shared = ["--home", str(home), "--passphrase-file", str(secret)]
    init = [str(COMMAND), "init", "--registry", "registry.example", "--member", "ada", "--port", str(port)]
    subprocess.run([*init, *shared], check=True, capture_output=True, timeout=120)
    document = trust_document()
    (home / "node" / "trust.json").write_bytes(canonicalize(document))
    chain = document["chains"][0]
    config = replace(
        load_config(home / "node"),
        documents=str(vectors / "http-cases" / "document-map.json"),
        fetch_dids=False,
        fetch_status_lists=False,
        rpc_url="http://127.0.0.1:1",
        chain_id=chain["chainId"],
        genesis_hash=chain["genesisHash"],
        contract=chain["contract"],
    )
    replace_config(home / "node", config)
    url = f"http://127.0.0.1:{port}"
    with process([str(COMMAND), "node", "run", *shared], until=b"listening", stream="stderr"):
        assert run_cases(vectors, url).split() == ["accept:", "30/30", "reject:", "13/13"]
        with urllib.request.urlopen(f"{url}/openapi.json") as answer:
            described = json.load(answer)
    assert {"/credentials/verify", "/presentations/verify", "/1.0/identifiers/{identifier}"} <= set(
        described["paths"]
    )


def test_the_server_for_conformance_runs_says_what_it_serves_and_gets_every_case_right(
    vectors: Path,
) -> None:
    documents = vectors / "http-cases" / "document-map.json"
    script = [sys.executable, "scripts/vc_api_server.py", "--documents", str(documents)]
    with process(script, until=b"issuers", stream="stdout") as line:
        said = json.loads(line)
        example = json.loads((vectors / "http-cases" / "impl.example.json").read_bytes())
        assert set(said["issuers"]) == set(example["issuers"])
        for issuer in said["issuers"].values():
            document = {
                "@context": ["https://www.w3.org/ns/credentials/v2"],
                "type": ["VerifiableCredential"],
                "issuer": issuer["id"],
                "credentialSubject": {"id": "did:example:learner"},
            }
            body = json.dumps({"credential": document, "options": issuer["options"]}).encode()
            request = urllib.request.Request(
                said["url"] + issuer["path"], body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.status == 201
        assert run_cases(vectors, said["url"]).split() == ["accept:", "30/30", "reject:", "13/13"]
