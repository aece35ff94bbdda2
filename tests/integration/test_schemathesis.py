"""What /openapi.json promises is what a hostile client gets: schemathesis against a listening node.

Every check of schemathesis is on: no server error, documented statuses, media types, headers and schemas, refused
negative data, accepted positive data, ignored authentication, unsupported methods.
"""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from fakes.api_node import LOG_ID, TOKEN, FakeNode
from fakes.whole_registry import NOW, trust
from testamur.node.api.app import create_app, serve
from testamur.node.service.port import ServicePort
from testamur.node.service.workers import Workers
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_digest

COMMAND = Path(sys.executable).with_name("st")
HOOKS = Path(__file__).resolve().parents[1] / "fakes" / "schemathesis_hooks.py"
LOGGED = sha256(b"a credential")

COMMON = f"""
hooks = "{HOOKS}"
[headers]
Authorization = "Bearer {TOKEN}"

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 413, 415, 422, 429]

# A moment may lie in the future or too far east, and a statement has a signature: no schema can say so.
[[operations]]
include-operation-id = ["verify", "publishStatement", "publishStatus", "findStatusList"]
checks.positive_data_acceptance.enabled = false
"""

KNOWN = f"""
[parameters]
"path.slug" = "ada"
"path.digest" = "{encode_digest(LOGGED)}"
"path.log_id" = "{LOG_ID.hex()}"
"path.tile" = "0/000.p/3"
"path.purpose" = "revocation"
"path.number" = 1
"query.id" = "https://ada.example/status/revocation/1"
"""


class JudgingNode(FakeNode):
    """A node in memory whose verdicts are real."""

    def __init__(self):
        super().__init__()
        self.leaves[LOGGED] = 0
        self._judge = ServicePort(
            SimpleNamespace(trust=trust(), clock=lambda: NOW, supplied={}, workers=Workers("verify"))
        )

    async def verify(self, document, as_of):
        return await self._judge.verify(document, as_of)


class Running:
    """A node that listens, on a thread of its own: the fuzzer is another process."""

    def __enter__(self):
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *exc_info):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = create_app(JudgingNode(), registry_name="registry.example", devnet=False)
        server = await serve(app)
        self.url = server.url
        self._ready.set()
        await self._stop.wait()
        await server.close()


@pytest.fixture(scope="module")
def node():
    with Running() as running:
        yield running


@pytest.mark.parametrize("config", [COMMON, COMMON + KNOWN], ids=["anything", "what-is-there"])
def test_no_request_that_the_schema_can_make_or_break_surprises_the_node(node, tmp_path, config):
    (tmp_path / "schemathesis.toml").write_text(config)
    done = subprocess.run(
        [
            *(str(COMMAND), "--config-file", str(tmp_path / "schemathesis.toml"), "run"),
            *(f"{node.url}/openapi.json", "--phases", "examples,coverage,fuzzing"),
            *(
                "--max-examples",
                "4",
                "--seed",
                "20261121",
                "--no-color",
                "--warnings",
                "off",
                "--generation-database",
                "none",
            ),
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, _shortened(done.stdout) + done.stderr[-2000:]
    assert "Tested: " in done.stdout


def _shortened(output):
    """What a person can read of it: a body may have thousands of digests."""
    return "\n".join(line[:600] for line in output.splitlines())
