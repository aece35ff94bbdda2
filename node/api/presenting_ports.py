"""What the interface needs from a node about presentations: a part of `NodePort`."""

from typing import Protocol

from testamur.node.api.models import Challenge
from testamur.registry.canonical import Json


class PresentationPort(Protocol):
    """The part of a node that learns who shows a credential. Nothing that is shown is kept."""

    async def challenge(self, domain: str | None) -> Challenge:
        """A new challenge for `domain`, or for the node itself: good once, and not for long."""

    async def present(self, document: Json, challenge: str | None, domain: str | None) -> dict[str, Json]:
        """The verdict on a presentation; without `challenge` it has to answer one that this node gave.

        Raises MalformedError when it is no presentation, NotReady when too much is asked at once.
        """
