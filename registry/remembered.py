"""Signatures under public documents, checked once: thousands of credentials share one log and its witnesses.

Only what is published comes here (checkpoints, cosignatures, attestations, statements, key events), never a
credential's own proof: a verifier forgets what it was handed.
"""

import functools

from testamur.registry.keys import Algorithm, PublicKey

MAX_REMEMBERED_MESSAGE_BYTES = 1024
"""A checkpoint has a few hundred bytes, a document's hash 64. Longer ones are checked each time."""

MAX_REMEMBERED = 4096
"""Signatures of hundreds of logs; a few megabytes at most."""


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


def forget() -> None:
    """Forget every signature; for measurements."""
    _verify.cache_clear()


@functools.lru_cache(maxsize=MAX_REMEMBERED)
def _verify(algorithm: Algorithm, raw: bytes, signature: bytes, message: bytes) -> None:
    # An exception is not cached: only what was proven is known the next time.
    PublicKey(algorithm=algorithm, raw=raw).verify(signature, message)
