"""did:web documents from the web, through the guarded fetcher, each kept for a while.

A stranger's credential chooses the address: answers are kept, failures too, so that nobody can make a node
ask the same machine a thousand times.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from testamur.node.errors import NodeError
from testamur.node.fetch.guarded import GuardedFetcher
from testamur.registry.canonical import Json
from testamur.registry.did_web import did_web_url, parse_did_document
from testamur.registry.errors import MalformedError

KEPT_SECONDS = 300.0
"""A key that its university has replaced is used no longer than this."""

FAILED_SECONDS = 30.0
"""How soon an address that did not answer is asked again."""

MAX_KEPT = 512
"""DID documents in memory: some kilobytes each, at most a mebibyte."""

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
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, dict[str, Json] | str]] = OrderedDict()

    def find(self, did: str) -> dict[str, Json] | str:
        """The document, or why there is none."""
        now = self._clock()
        with self._lock:
            known = self._kept.get(did)
            if known is not None and now < known[0]:
                return known[1]
        found = self._fetch(did)
        until = now + (FAILED_SECONDS if isinstance(found, str) else KEPT_SECONDS)
        with self._lock:
            self._kept[did] = (until, found)
            self._kept.move_to_end(did)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return found

    def _fetch(self, did: str) -> dict[str, Json] | str:
        try:
            host = did.removeprefix("did:web:").partition(":")[0].partition("%")[0].lower()
            scheme = "http" if self._plain_loopback and host in {"localhost", "127.0.0.1"} else "https"
            fetched = self._fetcher.get(did_web_url(did, scheme=scheme), media=MEDIA)
            return parse_did_document(fetched.body, did)
        except (MalformedError, NodeError) as error:
            return str(error)[:300]
