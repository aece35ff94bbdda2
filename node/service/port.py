"""The node as its HTTP interface sees it: every request becomes a call on the stores, off the event loop."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

from testamur.node.api.models import Challenge
from testamur.node.api.ports import (
    AcceptedStatement,
    IssuerSummary,
    LoggedAt,
    NotFound,
    PrefixAnswer,
    PublishedDocument,
    Readiness,
    Sample,
    SealedHead,
    State,
    Submission,
    TokenHolder,
    TokenRefused,
)
from testamur.node.api.traffic import Traffic
from testamur.node.service.chain_tasks import ASIDE
from testamur.node.service.figures import Figures
from testamur.node.service.hostings import Hosting
from testamur.node.service.judging import judge
from testamur.node.service.log_evidence import credential_evidence, log_evidence
from testamur.node.service.metrics import render
from testamur.node.service.node import Node
from testamur.node.service.own_evidence import brought_up_to_date
from testamur.node.service.parts import PartStates, is_ok
from testamur.node.service.presenting import Presenting
from testamur.node.service.status_lookup import find_status_list, published_documents
from testamur.node.service.summaries import summary_of
from testamur.node.service.tokens import ACTIVE, REFUSED
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.dossiers import split_dossier
from testamur.registry.evidence import parse_evidence
from testamur.registry.publications import Bundle
from testamur.registry.tiles import TileId
from testamur.registry.trust_successions import OWN_SLUG
from testamur.registry.verification.verdict import Verdict


class ServicePort:
    """`NodePort` over a running node. Nothing a caller sends is kept, but digests and signed documents."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._states = PartStates(node.clock)
        self._figures = Figures(node)
        self._presenting = Presenting(node, self.evidence)

    # ------------------------------------------------------------------------------------------ issuer side

    async def authenticate(self, token: str) -> TokenHolder | None:
        """See NodePort."""
        now = self._node.clock()
        found = await asyncio.to_thread(self._node.tokens.find, token, now)
        if found is None:
            return None
        if found.state(now) != ACTIVE:
            ended = REFUSED[found.state(now)]
            raise TokenRefused(f"this token {ended}; ask the node's operator for a new one")
        return TokenHolder(slug=found.slug, token_id=found.id)

    async def submit(self, slug: str, digests: Sequence[bytes]) -> Submission:
        """See NodePort."""
        hosting = self._hosting(slug)
        placed = await hosting.submit(digests)
        self._node.wake_sealer(slug)
        self._figures.submissions[slug] += 1
        return Submission(origin=hosting.log.name, leaf_indexes=placed.leaf_indexes, new=placed.new)

    async def publish_statement(self, slug: str, bundle: Bundle) -> AcceptedStatement:
        """See NodePort."""
        hosting = self._hosting(slug)
        if bundle.begins_key_chain:
            await self._node.chain.look_up_key_chains(hosting)
        async with hosting.sealing:  # so that a head of the moment before is not one of an older statement
            if slug == OWN_SLUG:
                publication = await self._node.keeper.publish(hosting, bundle, self._node.documents)
            else:
                publication = await hosting.run(hosting.log.publish_statement, bundle)
            await hosting.run(self._node.cosigners.hold, hosting.log, publication.statement)
        self._node.wake_sealer(slug)
        return AcceptedStatement(sequence=publication.statement.sequence, digest=publication.statement.digest)

    async def seal(self, slug: str) -> SealedHead:
        """See NodePort."""
        hosting = self._hosting(slug)
        head = await self._node.seal(hosting)
        seal = await hosting.run(hosting.log.seal_of, head)
        return SealedHead(
            origin=hosting.log.name,
            size=head.checkpoint.size,
            statement_sequence=seal.statement_sequence,
            checkpoint=head.to_bytes(),
        )

    # ------------------------------------------------------------------------------------------------ reads

    async def find_credential(self, digest: bytes) -> Sequence[LoggedAt]:
        """See NodePort."""
        found = await asyncio.to_thread(self._node.index.find_credential, digest)
        return [
            LoggedAt(
                origin=place.origin,
                leaf_index=place.leaf_index,
                state=self._state(place.origin, place.leaf_index),
            )
            for place in found
        ]

    async def find_prefix(self, prefix_hex: str) -> PrefixAnswer:
        """See NodePort."""
        padded = bytes.fromhex(prefix_hex + "0" * (len(prefix_hex) % 2))
        is_everything, found = await asyncio.to_thread(
            self._node.index.digests_with_prefix, padded, 4 * len(prefix_hex)
        )
        return PrefixAnswer(
            prefix=prefix_hex,
            is_everything=is_everything,
            found=[
                (digest, [(place.origin, place.leaf_index) for place in places]) for digest, places in found
            ],
        )

    async def evidence(self, digest: bytes, *, newest: bool = False) -> bytes | None:
        """See NodePort; `newest` is at the newest checkpoint, anchored or not."""
        for place in await asyncio.to_thread(self._node.index.find_credential, digest):
            hosting = self._node.hosting_of(place.origin)
            if hosting is None:
                continue
            document = await hosting.run(self._evidence_at, hosting, digest, place.leaf_index, newest)
            if document is not None:
                return canonicalize(document)
        return None

    async def log_evidence(self, slug: str, epoch: int | None, *, newest: bool = False) -> bytes | None:
        """See NodePort."""
        hosting = self._node.hostings.get(slug)
        if hosting is None or epoch not in {None, hosting.log.origin.epoch}:
            return None
        document = await hosting.run(self._log_evidence, hosting, newest)
        return None if document is None else canonicalize(document)

    async def verify(self, document: Json, as_of: datetime | None) -> Mapping[str, Json]:
        """See NodePort."""
        answer = (await self._judge(document, as_of)).to_json()
        return answer if isinstance(answer, dict) else {}

    async def judge(self, document: Json, day: date | None) -> Verdict:
        """See NodePort."""
        return await self._judge(document, day)

    async def _judge(self, document: Json, as_of: date | None) -> Verdict:
        """Not in the threads that look tokens up: what strangers send may keep one busy for seconds."""
        credential, sent = split_dossier(document)
        current = await brought_up_to_date(self._node, self.evidence, credential, sent)
        judge_by = partial(
            judge,
            credential,
            trust=self._node.trust,
            now=self._node.clock(),
            as_of=as_of,
            contexts=self._node.supplied,
        )
        return await self._node.workers.run(current.judged, judge_by)

    async def challenge(self, domain: str | None) -> Challenge:
        """See PresentationPort."""
        return await self._presenting.challenge(domain)

    async def present(self, document: Json, challenge: str | None, domain: str | None) -> dict[str, Json]:
        """See PresentationPort."""
        return await self._presenting.present(document, challenge, domain)

    async def samples(self) -> Sequence[Sample]:
        """See NodePort."""
        return self._node.samples

    async def trust_file(self) -> bytes | None:
        """See NodePort."""
        return self._node.keeper.data

    async def trust_successions(self, after: int) -> bytes:
        """See NodePort."""
        hosting = self._node.hostings.get(OWN_SLUG)
        newest = hosting.log.publications.newest() if hosting else None
        return await asyncio.to_thread(self._node.keeper.successions, after, newest, self._node.documents)

    async def issuers(self, after: str = "", limit: int = 1000) -> Sequence[IssuerSummary]:
        """See NodePort."""
        slugs = sorted(slug for slug in self._node.hostings if slug > after)[:limit]
        return [summary_of(self._node.hostings[slug]) for slug in slugs]

    async def issuer(self, slug: str) -> IssuerSummary | None:
        """See NodePort."""
        hosting = self._node.hostings.get(slug)
        return None if hosting is None else summary_of(hosting)

    async def document(self, digest: bytes) -> bytes | None:
        """See NodePort."""
        return await asyncio.to_thread(self._node.documents.find, digest)

    async def documents_of(
        self, slug: str, after: str, limit: int
    ) -> tuple[int, Sequence[PublishedDocument]] | None:
        """See NodePort."""
        hosting = self._node.hostings.get(slug)
        return None if hosting is None else await hosting.run(published_documents, hosting.log, after, limit)

    async def status_list(self, list_id: str, issuer: str | None, at: datetime | None) -> bytes | None:
        """See NodePort."""
        node = self._node
        logs = [hosting.log for hosting in node.hostings.values()]
        return await asyncio.to_thread(
            find_status_list, logs, node.index, node.documents, list_id=list_id, issuer=issuer, at=at
        )

    async def own_status_list(self, slug: str, purpose: str, number: int) -> bytes | None:
        """See NodePort."""
        hosting = self._node.hostings.get(slug)
        publication = hosting.log.publications.newest() if hosting else None
        if publication is None:
            return None
        for list_id, listed in publication.lists.items():
            if list_id.endswith(f"/{slug}/{purpose}/{number}"):
                return canonicalize(listed.credential)
        return None

    async def checkpoint(self, log_id: bytes) -> bytes | None:
        """See NodePort."""
        hosting = self._node.hosting_by_id(log_id)
        head = None if hosting is None else await asyncio.to_thread(hosting.log.writer.reader.find_head)
        return None if head is None else head.to_bytes()

    async def tile(self, log_id: bytes, tile: TileId) -> bytes | None:
        """See NodePort."""
        hosting = self._node.hosting_by_id(log_id)
        return (
            None
            if hosting is None
            else await asyncio.to_thread(hosting.log.writer.reader.find_resource, tile.path)
        )

    # ----------------------------------------------------------------------------------------- about itself

    async def readiness(self) -> Readiness:
        """See NodePort."""
        parts = self._node.parts()
        behind = self._states.update(parts)
        needed = [state for name, state in parts.items() if not name.startswith(ASIDE)]
        return Readiness(is_ready=all(map(is_ok, needed)), parts=parts, behind=behind)

    async def metrics(self, traffic: Traffic) -> bytes:
        """See NodePort."""
        return render(await self._figures.read(self._node.parts()), traffic)

    # ---------------------------------------------------------------------------------------------- helpers

    def _hosting(self, slug: str) -> Hosting:
        hosting = self._node.hostings.get(slug)
        if hosting is None:
            raise NotFound(f"no log of the issuer {slug!r} is hosted here")
        return hosting

    def _state(self, origin: str, leaf_index: int) -> State:
        hosting = self._node.hosting_of(origin)
        if hosting is None:
            return "logged"
        captured = hosting.captures.newest()
        if captured is not None and captured[0] > leaf_index:
            return "anchored"
        return "sealed" if hosting.log.writer.size > leaf_index else "logged"

    def _evidence_at(self, hosting: Hosting, digest: bytes, leaf_index: int, is_newest: bool) -> Json:
        """Anchored evidence when it covers the leaf, else the newest checkpoint, else nothing."""
        captured = hosting.captures.newest()
        first = hosting.captures.first_covering(leaf_index)
        if captured is not None and captured[0] > leaf_index and not is_newest:
            anchored = parse_evidence(captured[1]).logs[hosting.log.name].checkpoint
            return credential_evidence(hosting.log, captured[1], anchored, digest, leaf_index, first=first)
        head = hosting.log.writer.reader.find_head()
        if head is None or head.checkpoint.size <= leaf_index:
            return None
        return credential_evidence(
            hosting.log, log_evidence(hosting.log, head, []), head, digest, leaf_index, first=first
        )

    def _log_evidence(self, hosting: Hosting, newest: bool) -> Json:
        captured = hosting.captures.newest()
        if captured is not None and not newest:
            return captured[1]
        head = hosting.log.writer.reader.find_head()
        return None if head is None else log_evidence(hosting.log, head, [])
