"""did:web documents from the web, through the guarded fetcher."""

import time
from collections.abc import Callable

from testamur.node.fetch.guarded import GuardedFetcher
from testamur.node.fetch.kept import KEPT_SECONDS, Answer, KeptAnswers
from testamur.registry.canonical import Json
from testamur.registry.did_web import did_web_url, parse_did_document

MEDIA = (
    "application/did+json",
    "application/did+ld+json",
    "application/did",
    "application/json",
    "text/plain",
)
"""What web servers that know nothing of DIDs call a file `did.json`, or a repository's raw files."""


class DidWebFetcher:
    """Documents by did:web. May be used from several threads at once."""

    def __init__(
        self,
        fetcher: GuardedFetcher,
        *,
        plain_loopback: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`plain_loopback`: did:web:localhost is asked without TLS, on a development registry's machine."""
        self._fetcher = fetcher
        self._plain_loopback = plain_loopback
        self._answers = KeptAnswers(self._read, clock=clock)

    def find(self, did: str) -> Answer:
        """The document, or why there is none."""
        return self._answers.find(did)

    def _read(self, did: str) -> tuple[dict[str, Json], int, float]:
        host = did.removeprefix("did:web:").partition(":")[0].partition("%")[0].lower()
        scheme = "http" if self._plain_loopback and host in {"localhost", "127.0.0.1"} else "https"
        body = self._fetcher.get(did_web_url(did, scheme=scheme), media=MEDIA).body
        return parse_did_document(body, did), len(body), KEPT_SECONDS
