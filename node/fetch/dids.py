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
        self._answers = KeptAnswers(self._fetch, _parse, _host, clock=clock)

    def find(self, did: str) -> Answer:
        """The document, or why there is none."""
        return self._answers.find(did)

    def _fetch(self, did: str) -> bytes:
        is_plain = self._plain_loopback and _host(did) in {"localhost", "127.0.0.1"}
        return self._fetcher.get(did_web_url(did, scheme="http" if is_plain else "https"), media=MEDIA).body


def _parse(did: str, body: bytes) -> tuple[dict[str, Json], float]:
    return parse_did_document(body, did), KEPT_SECONDS


def _host(did: str) -> str:
    return did.removeprefix("did:web:").partition(":")[0].partition("%")[0].lower()
