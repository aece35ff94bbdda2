"""The node as its HTTP interface sees it: every request becomes a call on the stores, off the event loop."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from testamur.node.api.ports import (
    AcceptedStatement,
    IssuerSummary,
    LoggedAt,
    NotFound,
    PrefixAnswer,
    Readiness,
    SealedHead,
    Submission,
)
from testamur.node.service.chain_tasks import ENDPOINT
from testamur.node.service.hostings import Hosting
from testamur.node.service.log_evidence import credential_evidence, log_evidence
from testamur.node.service.node import Node
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.dossiers import split_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.publications import Bundle
from testamur.registry.tiles import TileId
from testamur.registry.verification import verify


class ServicePort:
    """`NodePort` over a running node. Nothing a caller sends is kept, but digests and signed documents."""

    def __init__(self, node: Node) -> None:
        self._node = node

    # ------------------------------------------------------------------------------------------ issuer side

    async def authenticate(self, token: str) -> str | None:
        """See NodePort."""
        return await asyncio.to_thread(self._node.tokens.find, token)

    async def submit(self, slug: str, digests: Sequence[bytes]) -> Submission:
        """See NodePort."""
        hosting = self._hosting(slug)
        placed = await hosting.submit(digests)
        self._node.wake_sealer(slug)
        return Submission(origin=hosting.log.name, leaf_indexes=placed.leaf_indexes, new=placed.new)

    async def publish_statement(self, slug: str, bundle: Bundle) -> AcceptedStatement:
        """See NodePort."""
        hosting = self._hosting(slug)
        publication = await hosting.run(hosting.log.publish_statement, bundle)
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
        # Whole digits, so that the answer can name the prefix that it is about.
        digits = len(prefix_hex)
        bits, found = await asyncio.to_thread(self._node.index.digests_with_prefix, padded, 4 * digits)
        if bits < 4 * digits:
            digits = bits // 4
            _, found = await asyncio.to_thread(self._node.index.digests_with_prefix, padded, 4 * digits)
        return PrefixAnswer(
            prefix=prefix_hex[:digits],
            is_everything=digits == 0,
            found=[
                (digest, [(place.origin, place.leaf_index) for place in places]) for digest, places in found
            ],
        )

    async def evidence(self, digest: bytes) -> bytes | None:
        """See NodePort."""
        for place in await asyncio.to_thread(self._node.index.find_credential, digest):
            hosting = self._node.hosting_of(place.origin)
            if hosting is None:
                continue
            document = await hosting.run(self._evidence_at, hosting, digest, place.leaf_index)
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
        credential, evidence = split_dossier(document)
        now = self._node.clock()
        if as_of is not None and as_of > now:
            raise MalformedError("asOf", "lies in the future; nothing can be proven about it")
        parsed = parse_evidence(evidence) if evidence is not None else None
        verdict = await asyncio.to_thread(
            verify, credential, parsed, trust=self._node.trust, now=now, as_of=as_of
        )
        answer = verdict.to_json()
        return answer if isinstance(answer, dict) else {}

    async def trust_file(self) -> bytes | None:
        """See NodePort."""
        return self._node.trust_bytes

    async def issuers(self) -> Sequence[IssuerSummary]:
        """See NodePort."""
        return [await self._summary(self._node.hostings[slug]) for slug in sorted(self._node.hostings)]

    async def issuer(self, slug: str) -> IssuerSummary | None:
        """See NodePort."""
        hosting = self._node.hostings.get(slug)
        return None if hosting is None else await self._summary(hosting)

    async def document(self, digest: bytes) -> bytes | None:
        """See NodePort."""
        return await asyncio.to_thread(self._node.documents.find, digest)

    async def status_list(self, list_id: str) -> bytes | None:
        """See NodePort."""
        for hosting in self._node.hostings.values():
            publication = hosting.log.publications.newest()
            if publication is not None and list_id in publication.lists:
                return canonicalize(publication.lists[list_id].credential)
        return None

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
        needed = [state for name, state in parts.items() if not name.startswith(ENDPOINT)]
        return Readiness(is_ready=all(state == "ok" for state in needed), parts=parts)

    # ---------------------------------------------------------------------------------------------- helpers

    def _hosting(self, slug: str) -> Hosting:
        hosting = self._node.hostings.get(slug)
        if hosting is None:
            raise NotFound(f"no log of the issuer {slug!r} is hosted here")
        return hosting

    def _state(self, origin: str, leaf_index: int) -> str:
        hosting = self._node.hosting_of(origin)
        if hosting is None:
            return "logged"
        captured = hosting.captures.newest()
        if captured is not None and captured[0] > leaf_index:
            return "anchored"
        return "sealed" if hosting.log.writer.size > leaf_index else "logged"

    def _evidence_at(self, hosting: Hosting, digest: bytes, leaf_index: int) -> Json:
        """Anchored evidence when it covers the leaf, else the newest checkpoint, else nothing."""
        captured = hosting.captures.newest()
        if captured is not None and captured[0] > leaf_index:
            head = parse_evidence(captured[1]).logs[hosting.log.name].checkpoint
            return credential_evidence(hosting.log, captured[1], head, digest, leaf_index)
        newest = hosting.log.writer.reader.find_head()
        if newest is None or newest.checkpoint.size <= leaf_index:
            return None
        return credential_evidence(
            hosting.log, log_evidence(hosting.log, newest, []), newest, digest, leaf_index
        )

    def _log_evidence(self, hosting: Hosting, newest: bool) -> Json:
        captured = hosting.captures.newest()
        if captured is not None and not newest:
            return captured[1]
        head = hosting.log.writer.reader.find_head()
        return None if head is None else log_evidence(hosting.log, head, [])

    async def _summary(self, hosting: Hosting) -> IssuerSummary:
        log = hosting.log
        captured = hosting.captures.newest()
        publication = log.publications.newest()
        return IssuerSummary(
            slug=log.origin.slug,
            did=log.did,
            name=hosting.name,
            lifecycle=hosting.lifecycle.name.lower(),
            epoch=log.origin.epoch,
            origin=log.name,
            log_id=log.origin.log_id,
            verifier_key=log.writer.key.to_text(),
            size=log.writer.size,
            anchored_size=0 if captured is None else captured[0],
            statement_sequence=0 if publication is None else publication.statement.sequence,
        )
