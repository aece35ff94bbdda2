"""Answers from the web, each kept for a while.

A stranger's credential chooses the address: answers are kept, failures too, whoever asks for what is being
asked waits for that answer, and one host is asked for so many names in a minute and no more. So nobody can
make a node ask the same machine a thousand times.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias

from testamur.node.errors import NodeError
from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError

KEPT_SECONDS = 300.0
"""A key that its university has replaced, a list without the newest revocation: used no longer than this."""

FAILED_SECONDS = 30.0
"""How soon an address that did not answer is asked again."""

MAX_KEPT_BYTES = 1 << 23
"""Documents in memory, all together, as they came: parsed, a hostile one takes twenty times its length. A DID
document has some kilobytes, a status list about twenty."""

MAX_KEPT = 512
"""Answers, failures among them."""

MINUTE_SECONDS = 60.0
MAX_ASKED_A_MINUTE = 120
"""Names of one host: a platform with many issuers on it may be asked for two a second."""

MAX_REASON_CHARACTERS = 300

Answer: TypeAlias = dict[str, Json] | str
"""A document, or why there is none."""

Fetch: TypeAlias = Callable[[str], bytes]
"""What is at a name; raises MalformedError or NodeError."""

Parse: TypeAlias = Callable[[str, bytes], tuple[dict[str, Json], float]]
"""(document, seconds for which it may be kept) of a name and what is there; raises MalformedError."""


class KeptAnswers:
    """What a name stood for when it was last asked. May be used from several threads at once."""

    def __init__(
        self,
        fetch: Fetch,
        parse: Parse,
        host_of: Callable[[str], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._parse = parse
        self._host_of = host_of
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, bytes | str]] = OrderedDict()
        self._bytes = 0
        self._asking: dict[str, Future[Answer]] = {}
        self._asked: dict[str, int] = {}
        self._minute = 0.0

    def find(self, name: str) -> Answer:
        """The document, or why there is none."""
        with self._lock:
            until, kept = self._kept.get(name, (0.0, ""))
            is_kept = name in self._kept and self._clock() < until
            asking = None if is_kept else self._asking.get(name)
            if not is_kept and asking is None:
                self._asking[name] = mine = Future[Answer]()
        if is_kept:
            return kept if isinstance(kept, str) else self._parse(name, kept)[0]
        if asking is not None:
            return asking.result()
        try:
            mine.set_result(self._ask(name))
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._asking[name]
        return mine.result()

    def _ask(self, name: str) -> Answer:
        begun = self._clock()
        if not self._may_ask(self._host_of(name), begun):
            return f"its host was asked {MAX_ASKED_A_MINUTE} times within a minute; try again later"
        kept: bytes | str
        found: Answer
        try:
            kept = self._fetch(name)
            found, seconds = self._parse(name, kept)
        except (MalformedError, NodeError) as error:
            kept = found = str(error)[:MAX_REASON_CHARACTERS]
            seconds = FAILED_SECONDS
        self._keep(name, begun + seconds, kept)
        return found

    def _may_ask(self, host: str, now: float) -> bool:
        with self._lock:
            if now >= self._minute + MINUTE_SECONDS or not self._asked:
                self._asked.clear()
                self._minute = now
            self._asked[host] = self._asked.get(host, 0) + 1
            return self._asked[host] <= MAX_ASKED_A_MINUTE

    def _keep(self, name: str, until: float, kept: bytes | str) -> None:
        with self._lock:
            replaced = self._kept.pop(name, None)
            self._kept[name] = until, kept
            self._bytes += len(kept) - (len(replaced[1]) if replaced else 0)
            while len(self._kept) > MAX_KEPT or self._bytes > MAX_KEPT_BYTES:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._bytes -= len(dropped)
