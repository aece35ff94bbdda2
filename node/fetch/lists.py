"""Status lists that others host, from the web, through the guarded fetcher.

A list is fetched whole, without a word about whose entry is read. Its host learns that somebody asks about
one of its thousands of credentials, and not more often than the answers are kept.
"""

import time
from collections.abc import Callable

from testamur.node.fetch.guarded import JSON_MEDIA, GuardedFetcher
from testamur.node.fetch.kept import FAILED_SECONDS, KEPT_SECONDS, Answer, KeptAnswers
from testamur.registry.canonical import Json, parse_json
from testamur.registry.errors import MalformedError

MEDIA = (*JSON_MEDIA, "text/plain")
"""What web servers that know nothing of credentials call their files."""

MILLISECONDS = 1000


class StatusListFetcher:
    """Status list credentials by their URL. May be used from several threads at once."""

    def __init__(self, fetcher: GuardedFetcher, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._answers = KeptAnswers(self._fetch, _parse, _host, clock=clock)

    def find(self, url: str) -> Answer:
        """The list as it was served, nothing of it checked; or why there is none."""
        return self._answers.find(url)

    def _fetch(self, url: str) -> bytes:
        return self._fetcher.get(url, media=MEDIA).body


def _parse(_url: str, body: bytes) -> tuple[dict[str, Json], float]:
    document = parse_json(body, subject="status list")
    if not isinstance(document, dict):
        raise MalformedError("status list", "is not a JSON object")
    return document, _seconds(document)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()


def _seconds(document: dict[str, Json]) -> float:
    """For how long a list says that it may be kept (`ttl`, in milliseconds), within bounds."""
    subject = document.get("credentialSubject")
    ttl = subject.get("ttl") if isinstance(subject, dict) else None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not ttl >= 0:
        return KEPT_SECONDS
    # An integer may be larger than any float.
    return max(min(ttl, KEPT_SECONDS * MILLISECONDS) / MILLISECONDS, FAILED_SECONDS)
