"""Public documents, read and checked once: thousands of credentials share one log, its witnesses and anchor.

Only what is published comes here (checkpoints, cosignatures, attestations, statements, key events, anchors),
never a credential or its own proof: a verifier forgets what it was handed.
"""

import functools
import marshal
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Concatenate, Generic, ParamSpec, TypeVar, cast

from testamur.registry.canonical import Json
from testamur.registry.keys import Algorithm, PublicKey

MAX_REMEMBERED_MESSAGE_BYTES = 1024
"""A checkpoint has a few hundred bytes, a document's hash 64. Longer ones are checked each time."""

MAX_REMEMBERED = 4096
"""Signatures of hundreds of logs; a few megabytes at most."""

_PLAIN = 0
"""The version of Python's own serialisation in which equal values have equal bytes, shared parts or not."""

_FORGET: list[Callable[[], None]] = []


class RememberedKey(PublicKey):
    """A public key that checks a signature it has found good once more by looking, not by computing.

    A bad signature is computed every time and is never remembered.
    """

    __slots__ = ()

    @classmethod
    def of(cls, key: PublicKey) -> "RememberedKey":
        """The same key."""
        return cls(algorithm=key.algorithm, raw=key.raw)

    def verify(self, signature: bytes, message: bytes) -> None:
        """As `PublicKey.verify`."""
        if len(message) > MAX_REMEMBERED_MESSAGE_BYTES:
            PublicKey(algorithm=self.algorithm, raw=self.raw).verify(signature, message)
        else:
            _verify(self.algorithm, self.raw, signature, message)


Known = TypeVar("Known")
Arguments = ParamSpec("Arguments")


def remembering(maximum: int) -> Callable[[Callable[Arguments, Known]], Callable[Arguments, Known]]:
    """Decorate a pure function of hashable, public values: `maximum` results are kept. What raises is not."""

    def decorate(function: Callable[Arguments, Known]) -> Callable[Arguments, Known]:
        remembered = functools.lru_cache(maxsize=maximum)(function)
        _FORGET.append(remembered.cache_clear)
        return cast("Callable[Arguments, Known]", remembered)

    return decorate


def remembering_json(
    max_bytes: int,
) -> Callable[[Callable[Concatenate[Json, Arguments], Known]], Callable[Concatenate[Json, Arguments], Known]]:
    """Decorate a pure function of a public JSON document (and hashable values): it reads equal ones once.

    Its result is shared by all callers, and made of a copy, so that what one caller changes later reaches
    nobody. The documents of the results that are kept have `max_bytes` together. What raises is not kept.
    """

    def decorate(
        function: Callable[Concatenate[Json, Arguments], Known],
    ) -> Callable[Concatenate[Json, Arguments], Known]:
        kept: _Newest[Known] = _Newest(max_bytes)
        _FORGET.append(kept.clear)

        def of_document(document: Json, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Known:
            # Not by `==`: Python takes 1, 1.0 and true for equal. This form tells them apart, and costs a
            # twelfth of JSON text. Members in another order are read again, and no harm is done.
            try:
                form = marshal.dumps(document, _PLAIN)
            except ValueError:
                return function(document, *args, **kwargs)  # not JSON: the function says what is wrong
            key = form, args, tuple(kwargs.items())
            found = kept.find(key)
            if found is None:
                copy = marshal.loads(form)  # noqa: S302 (bytes made eight lines above)
                found = (function(copy, *args, **kwargs),)
                kept.keep(key, len(form), found)
            return found[0]

        return of_document

    return decorate


class _Newest(Generic[Known]):
    """The results that were asked for last, in a bounded number of bytes. For several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, tuple[int, tuple[Known]]] = OrderedDict()

    def find(self, key: Hashable) -> tuple[Known] | None:
        with self._lock:
            found = self._found.get(key)
            if found is None:
                return None
            self._found.move_to_end(key)
            return found[1]

    def keep(self, key: Hashable, size: int, result: tuple[Known]) -> None:
        with self._lock:
            if key in self._found:
                return
            self._found[key] = size, result
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._bytes -= self._found.popitem(last=False)[1][0]

    def clear(self) -> None:
        with self._lock:
            self._found.clear()
            self._bytes = 0


def forget() -> None:
    """Forget all that is remembered here; for measurements."""
    for each in _FORGET:
        each()


@remembering(MAX_REMEMBERED)
def _verify(algorithm: Algorithm, raw: bytes, signature: bytes, message: bytes) -> None:
    # An exception is not cached: only what was proven is known the next time.
    PublicKey(algorithm=algorithm, raw=raw).verify(signature, message)
