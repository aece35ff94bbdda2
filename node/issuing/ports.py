"""What an issuer needs from the node that hosts its log: a port of two methods."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from testamur.registry.canonical import Json


class RegistryPort(Protocol):
    """The hosting node, as the issuer's workspace sees it. Called from one thread at a time.

    Both methods raise PeerUnreachable when nothing can be said about what happened (call again, nothing is
    done twice), and PeerMisbehaved when the answer breaks a rule.
    """

    def submit(self, slug: str, digests: Sequence[bytes]) -> Sequence[tuple[bytes, int]]:
        """Log credential digests in the issuer's current log.

        Returns (digest, leaf index) for every digest, in any order. Durable on return, idempotent: the same
        digest in the same log has the same leaf index.
        """

    def publish(self, slug: str, bundle: Mapping[str, Json]) -> int:
        """Have the next seal name the bundle's statement; returns the sequence of the newest statement.

        Durable on return, idempotent: repeating the newest statement changes nothing. The bundle has the
        members of `registry.publications.parse_bundle`.
        """
