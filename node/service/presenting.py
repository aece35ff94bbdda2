"""The part of a node that learns who shows a credential: it gives challenges, judges, and keeps nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from testamur.node.api.models import Challenge
from testamur.node.service.challenges import Challenges
from testamur.node.service.judging import judge
from testamur.node.service.own_evidence import Current, EvidenceOf, brought_up_to_date
from testamur.registry.canonical import Json
from testamur.registry.errors import VerificationError
from testamur.registry.presentation_files import PresentationFile, split_presentation
from testamur.registry.presentation_verdicts import Showing, refused, show
from testamur.registry.timestamps import format_timestamp

if TYPE_CHECKING:
    from testamur.node.service.node import Node


class Presenting:
    """`PresentationPort` over a running node."""

    def __init__(self, node: "Node", evidence_of: EvidenceOf) -> None:
        self._node = node
        self._evidence_of = evidence_of
        self._challenges = Challenges()

    async def challenge(self, domain: str | None) -> Challenge:
        """See PresentationPort."""
        config = self._node.config
        meant = domain or urlsplit(config.public_url).hostname or config.host
        text, ends = self._challenges.give(meant, self._node.clock())
        return Challenge(challenge=text, domain=meant, expires=format_timestamp(ends))

    async def present(self, document: Json, challenge: str | None, domain: str | None) -> dict[str, Json]:
        """See PresentationPort."""
        node = self._node
        file, now = split_presentation(document), node.clock()
        wanted = challenge or file.presentation.first("challenge")
        meant = domain if challenge is not None else domain or file.presentation.first("domain")
        showing = await node.workers.run(
            show, file.presentation, now=now, challenge=wanted, domain=meant, documents=node.supplied
        )
        is_ours = challenge is None
        if is_ours:
            showing = _unless_refused(showing, self._challenges.check, now)
        pairs = zip(file.presentation.credentials, file.evidence, strict=True)
        current = [await brought_up_to_date(node, self._evidence_of, *pair) for pair in pairs]
        verdict = await node.workers.run(self._judge, file, showing, current, now)
        if is_ours and showing.shown.problem is None:
            # Used up by whoever could answer it, and only now: what is malformed, or could not be judged, may
            # come again. Nobody has been told anything yet; of several answers at once, one is the first.
            taken = _unless_refused(showing, self._challenges.take, now)
            if taken.shown.problem is not None:
                verdict = await node.workers.run(self._judge, file, taken, current, now)
        return verdict

    def _judge(
        self,
        file: PresentationFile,
        showing: Showing,
        current: Sequence[Current],
        now: datetime,
    ) -> dict[str, Json]:
        node = self._node
        verdicts = [
            item.judged(
                partial(
                    judge,
                    credential,
                    trust=node.trust,
                    now=now,
                    contexts=node.supplied,
                    shown=showing.shown,
                )
            )
            for credential, item in zip(file.presentation.credentials, current, strict=True)
        ]
        return showing.verdict(verdicts).to_json()


def _unless_refused(showing: Showing, asked: Callable[[str, str, datetime], None], now: datetime) -> Showing:
    """The same, or what is wrong with the challenge that it answers."""
    if showing.shown.problem is None:
        try:
            asked(showing.challenge or "", showing.domain or "", now)
        except VerificationError as error:
            return refused(showing, error)
    return showing
