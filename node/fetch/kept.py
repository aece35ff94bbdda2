"""Answers from the web, each kept for a while.

A stranger's credential chooses the address: answers are kept, failures too, so that nobody can make a node
ask the same machine a thousand times.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from testamur.node.errors import NodeError
from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError

KEPT_SECONDS = 300.0
"""A key that its university has replaced, a list without the newest revocation: used no longer than this."""

FAILED_SECONDS = 30.0
"""How soon an address that did not answer is asked again."""

MAX_KEPT_CHARACTERS = 1 << 23
"""Documents in memory, all together; a DID document has some kilobytes, a status list about twenty."""

MAX_KEPT = 512
"""Answers, failures among them."""

MAX_REASON_CHARACTERS = 300

Answer: TypeAlias = dict[str, Json] | str
"""A document, or why there is none."""

Read: TypeAlias = Callable[[str], tuple[dict[str, Json], int, float]]
"""(document, its length, seconds for which it may be kept) of a name; raises MalformedError or NodeError."""


class KeptAnswers:
    """What a name stood for when it was last asked. May be used from several threads at once."""

    def __init__(self, read: Read, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, int, Answer]] = OrderedDict()
        self._characters = 0

    def find(self, name: str) -> Answer:
        """The document, or why there is none."""
        now = self._clock()
        with self._lock:
            known = self._kept.get(name)
            if known is not None and now < known[0]:
                return known[2]
        found: Answer
        try:
            found, length, seconds = self._read(name)
        except (MalformedError, NodeError) as error:
            found, seconds = str(error)[:MAX_REASON_CHARACTERS], FAILED_SECONDS
            length = len(found)
        self._keep(name, now + seconds, length, found)
        return found

    def _keep(self, name: str, until: float, length: int, found: Answer) -> None:
        with self._lock:
            replaced = self._kept.pop(name, None)
            self._kept[name] = until, length, found
            self._characters += length - (replaced[1] if replaced else 0)
            while len(self._kept) > MAX_KEPT or self._characters > MAX_KEPT_CHARACTERS:
                _, (_, dropped, _) = self._kept.popitem(last=False)
                self._characters -= dropped
