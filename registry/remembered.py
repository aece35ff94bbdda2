"""Public documents, read and checked once: thousands of credentials share one log, its witnesses and anchor.

Only what is published comes here (checkpoints, cosignatures, attestations, statements, key events, anchors),
never a credential or its own proof: a verifier forgets what it was handed.
"""

import functools
import marshal
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

from testamur.registry.canonical import Json
from testamur.registry.keys import Algorithm, PublicKey

MAX_REMEMBERED_MESSAGE_BYTES = 1024
"""A checkpoint has a few hundred bytes, a document's hash 64. Longer ones are checked each time."""

MAX_REMEMBERED = 4096
"""Signatures of hundreds of logs; a few megabytes at most."""

SMALL, LARGE = (128, 1 << 14), (16, 1 << 17)
"""How many results of one function are kept, and of documents of how many bytes at most: whatever strangers
send, two mebibytes each, and as values ten times as much. An anchor has some fifteen kilobytes; a hundred
key events have fifty."""

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
    function: Callable[Concatenate[Json, Arguments], Known],
) -> Callable[Concatenate[Json, Arguments], Known]:
    """Decorate a pure function of a public JSON document (and hashable values): it reads equal ones once.

    Its result is shared by all callers, and made of a copy, so that what one caller changes later reaches
    nobody. Results of `SMALL` and of `LARGE` documents are kept. What raises is not.
    """

    def of_form(form: bytes, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Known:
        return function(marshal.loads(form), *args, **kwargs)  # noqa: S302 (bytes made ten lines below)

    of_small, of_large = (remembering(number)(of_form) for number, _ in (SMALL, LARGE))

    def of_document(document: Json, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Known:
        # Not by `==`: Python takes 1, 1.0 and true for equal. This form tells them apart, and costs a twelfth
        # of JSON text. Members in another order are read again, and no harm is done.
        try:
            form = marshal.dumps(document, _PLAIN)
        except ValueError:
            return function(document, *args, **kwargs)  # not JSON: the function says what is wrong with it
        if len(form) > LARGE[1]:
            return function(document, *args, **kwargs)
        return (of_small if len(form) <= SMALL[1] else of_large)(form, *args, **kwargs)

    return of_document


def forget() -> None:
    """Forget all that is remembered here; for measurements."""
    for each in _FORGET:
        each()


@remembering(MAX_REMEMBERED)
def _verify(algorithm: Algorithm, raw: bytes, signature: bytes, message: bytes) -> None:
    # An exception is not cached: only what was proven is known the next time.
    PublicKey(algorithm=algorithm, raw=raw).verify(signature, message)
