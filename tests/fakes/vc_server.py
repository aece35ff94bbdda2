"""An issuer service with a verifier beside it, on a thread of its own, and a client that knows no Testamur."""

import asyncio
import contextlib
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from testamur.node.service.supplied import load_documents
from testamur.node.service.vc_issuers import VcIssuer, make_issuer
from testamur.node.service.vc_service import IssuerServiceOptions, issuer_service
from testamur.registry.documents import Documents
from testamur.registry.keys import SECRET_BYTES, Algorithm, SigningKey

SUITES = {
    "eddsa-jcs-2022": ("eddsa-jcs-2022", Algorithm.ED25519),
    "eddsa-rdfc-2022": ("eddsa-rdfc-2022", Algorithm.ED25519),
    "ecdsa-jcs-2019-p-256": ("ecdsa-jcs-2019", Algorithm.P256),
    "ecdsa-jcs-2019-p-384": ("ecdsa-jcs-2019", Algorithm.P384),
    "ecdsa-rdfc-2019-p-256": ("ecdsa-rdfc-2019", Algorithm.P256),
    "ecdsa-rdfc-2019-p-384": ("ecdsa-rdfc-2019", Algorithm.P384),
}


def key_of(algorithm: Algorithm, number: int = 7) -> SigningKey:
    """A test's key."""
    return SigningKey.from_seed(algorithm, bytes((number,)) * SECRET_BYTES[algorithm])


def every_issuer(token: str | None = None) -> tuple[VcIssuer, ...]:
    """One for every suite, and one that adds status entries."""
    made = [
        make_issuer(name, suite=suite, key=key_of(kind), token=token)
        for name, (suite, kind) in SUITES.items()
    ]
    status = make_issuer(
        "status",
        suite="eddsa-rdfc-2022",
        key=key_of(Algorithm.ED25519, 9),
        status=("revocation", "suspension"),
        token=token,
    )
    return (*made, status)


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: Any
    headers: Any


@dataclass(frozen=True)
class VcClient:
    """Requests as a test suite sends them."""

    url: str
    token: str | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request; `path` may be a whole URL."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        known = {"Content-Type": "application/json", **headers}
        if self.token is not None:
            known["Authorization"] = f"Bearer {self.token}"
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data, known, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return _read(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return _read(error.code, error.read(), error.headers)

    def post(self, path: str, body: Any) -> Answer:
        """POST with a JSON body."""
        return self.ask("POST", path, body)

    def resolve(self, did: str, query: str = "", **headers: str) -> Answer:
        """DID resolution, with the DID encoded as JavaScript's encodeURIComponent does."""
        encoded = urllib.parse.quote(did, safe="!'()*~")
        return self.ask("GET", f"/1.0/identifiers/{encoded}{query}", **headers)


def _read(status: int, data: bytes, headers: Any) -> Answer:
    return Answer(status, json.loads(data) if data else None, headers)


@contextlib.contextmanager
def vc_server(
    folder: Path,
    *,
    documents: Path | Documents | None = None,
    issuers: tuple[VcIssuer, ...] | None = None,
    token: str | None = None,
    port: int = 0,
) -> Iterator[VcClient]:
    """The running service; `token` is that of every issuer, and what the client sends."""
    supplied = documents if isinstance(documents, Documents) else load_documents(documents)
    options = IssuerServiceOptions(
        folder=folder, issuers=issuers or every_issuer(token), documents=supplied, port=port
    )
    ready, url, ended = threading.Event(), [], []

    async def serve() -> None:
        stop = asyncio.Event()
        ended.append((asyncio.get_running_loop(), stop))
        async with issuer_service(options, clock=lambda: datetime.now(UTC)) as server:
            url.append(server.url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield VcClient(url[0], token)
    finally:
        loop, stop = ended[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
