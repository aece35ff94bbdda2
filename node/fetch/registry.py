"""A node's HTTP interface from the other side: what the command line and an issuer ask of a node.

Evidence is put together here, from the log's own evidence and its tiles, so that a node learns a digest's
prefix and the neighbourhood of 256 leaves, never which credential is looked at.
"""

import http
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Self
from urllib.parse import quote

from testamur.node.errors import PeerMisbehaved
from testamur.node.fetch.http import HttpClient, Response, good_answer
from testamur.registry.canonical import Json
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evidence import Evidence, LoggedEntry, parse_evidence
from testamur.registry.evidence_building import entry_json, refreshed, with_entries
from testamur.registry.mirrored import mirrored_logs
from testamur.registry.multiformats import encode_digest
from testamur.registry.record_proofs import RecordProof
from testamur.registry.shapes import Shape
from testamur.registry.tiles import TileTree, entries_path, tile_path
from testamur.registry.tlog_proofs import TlogProof
from testamur.registry.trust import TrustFile, parse_trust_file

MAX_DIGESTS_PER_SUBMISSION = 4096
"""The node's own bound on one request."""

MAX_ANSWERED_CREDENTIALS = 1 << 20
"""An answer by prefix is bounded by the size of a response first."""

MAX_LOGS = 1 << 16
"""That hold one digest: anybody who has a log can add to them."""

ISSUERS_ON_A_PAGE = 1000
"""The node's own bound on one page."""

MAX_ISSUER_PAGES = 100
"""A hundred thousand issuers: more universities than there are, so that a list without end has one."""

PREFIX_DIGITS = (4, 6, 8, 12, 16, 64)
"""Of a digest: one in 65 536 share the first four. More are shown to a node only when it holds too many that
share fewer: a very large register, or somebody who logs digests beside this one to make it hard to find."""

MAX_TREES = 8
"""Trees whose tiles are kept in memory: two or three are in use at a time."""

TILE_HASH_BYTES = 32


class RegistryClient:
    """One node, by its URL. Answers are shapes here and proven elsewhere: nothing is believed."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self._http = HttpClient(url, token=token)
        self.url = self._http.shown_url
        self._logs: dict[tuple[str, bool], tuple[Json, Evidence] | None] = {}
        self._tiles: dict[tuple[str, int, int, int], bytes] = {}
        self._trees: dict[tuple[str, int], TileTree] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def submit(self, slug: str, digests: Sequence[bytes]) -> list[tuple[bytes, int]]:
        """Log credential digests; (digest, leaf index) of each. Idempotent. At most 4 096 a call."""
        body: Json = {"digests": [encode_digest(digest) for digest in digests]}
        answer = self._post(f"/v1/logs/{slug}/entries", body)
        shapes = Shape(answer, "submission").shapes("entries", maximum=MAX_DIGESTS_PER_SUBMISSION)
        placed = [(item.digest("digest"), item.integer("leafIndex")) for item in shapes]
        if [digest for digest, _ in placed] != list(digests):
            raise PeerMisbehaved(f"{self.url} answered for other digests than were submitted")
        return placed

    def publish(self, slug: str, bundle: Mapping[str, Json]) -> int:
        """Hand over a new statement with what it names; the sequence that was accepted."""
        answer = self._post(f"/v1/logs/{slug}/statements", dict(bundle))
        return Shape(answer, "accepted statement").integer("sequence")

    def seal(self, slug: str) -> None:
        """Ask for a checkpoint now instead of at the next interval."""
        self._post(f"/v1/logs/{slug}/seal", {})

    def trust_file(self) -> bytes:
        """The node's trust file: a convenience, never the root of trust."""
        return self._checked(self._http.get("/v1/registry"), "/v1/registry").body

    def trust_successions(self, after: int) -> bytes:
        """Versions of the trust file after `after`, as the node hands them out: unproven, a few at once."""
        path = f"/v1/registry/successions?after={after}"
        return self._checked(self._http.get(path), path).body

    def issuers(self) -> Json:
        """All issuers that the register knows, page after page. PeerMisbehaved when they do not end."""
        found: list[Json] = []
        after = ""
        for _ in range(MAX_ISSUER_PAGES):
            page = Shape(self._json(f"/v1/issuers?limit={ISSUERS_ON_A_PAGE}{after}"), "issuers")
            found += page.items("issuers", maximum=ISSUERS_ON_A_PAGE)
            cursor = page.optional_text("next")
            if cursor is None:
                return {"registry": page.any("registry"), "devnet": page.any("devnet"), "issuers": found}
            after = f"&after={quote(cursor, safe='')}"
        raise PeerMisbehaved(f"{self.url} lists more than {MAX_ISSUER_PAGES * ISSUERS_ON_A_PAGE} issuers")

    def readiness(self) -> Json:
        """The state of each of the node's parts, ready or not."""
        return self._http.get("/readyz").json("readiness")

    def find(self, digest: bytes) -> list[tuple[str, int]]:
        """(origin, leaf index) of every entry with this digest; the node is asked for a prefix only."""
        for digits in PREFIX_DIGITS:
            path = f"/v1/credentials?prefix={digest.hex()[:digits]}"
            response = self._http.get(path)
            if response.status != http.HTTPStatus.BAD_REQUEST:
                break
        answer = Shape(self._checked(response, path).json(path), "answer by prefix")
        for item in answer.shapes("credentials", maximum=MAX_ANSWERED_CREDENTIALS):
            if item.digest("digest") == digest:
                places = item.shapes("entries", maximum=MAX_LOGS)
                return [(place.text("origin"), place.integer("leafIndex")) for place in places]
        return []

    def evidence(self, digest: bytes) -> Json:
        """The newest evidence for a credential, or None while it is in no published checkpoint.

        Anchored evidence is preferred; a credential newer than the last anchor gets the newest checkpoint.
        """
        for origin, leaf_index in self.find(digest):
            document = self.evidence_at(origin, leaf_index, digest)
            if document is not None:
                return document
        return None

    def evidence_at(self, origin: str, leaf_index: int, digest: bytes) -> Json:
        """The same for a credential whose place is known, as its issuer knows it."""
        found = self._evidence_at(origin, leaf_index, digest)
        return None if found is None else found[0]

    def first_evidence_at(self, credential: Json, origin: str, leaf_index: int, digest: bytes) -> Json:
        """The same as small as its holder needs it, for a credential that had no evidence before.

        As `refreshed` of `evidence_at` with nothing to keep; what a class shares is read once.
        """
        found = self._evidence_at(origin, leaf_index, digest)
        return None if found is None else self.refreshed(found[0], None, credential, parsed=found[1])

    def _evidence_at(self, origin: str, leaf_index: int, digest: bytes) -> tuple[Json, Evidence] | None:
        for anchored in (True, False):
            found = self._log_evidence(origin, anchored=anchored)
            if found is None:
                continue
            base, evidence = found
            if origin in evidence.logs and evidence.logs[origin].checkpoint.checkpoint.size > leaf_index:
                return self._with_entry(base, evidence, origin, leaf_index, digest)
        return None

    def refreshed(
        self,
        document: Json,
        kept: Json,
        credential: Json,
        *,
        records: Sequence[RecordProof] = (),
        trust: TrustFile | None = None,
        parsed: Evidence | None = None,
    ) -> Json:
        """This node's evidence as it takes the place of `kept`, which loses nothing that it shows.

        `trust` is the caller's own trust file: it says whose cosignatures date what.

        Raises PeerMisbehaved when the node's log is no extension of what the older evidence holds.
        """
        evidence = self._parsed(document) if parsed is None else parsed
        mirrored = mirrored_logs(evidence.logs.values(), self._trust) if self._trust else frozenset()
        try:
            return refreshed(
                document,
                kept,
                credential,
                self._prove_consistency,
                mirrored=mirrored,
                records=records,
                trust=trust,
                parsed=evidence,
            )
        except VerificationError as error:
            raise PeerMisbehaved(
                f"{self.url} serves a log that does not extend the checkpoint in the older evidence "
                f"({error}): one of the two is forged; keep the old file, and show both to a member"
            ) from error

    def anchored_size(self, origin: str) -> int:
        """Leaves that the node's anchored evidence of this log covers; 0 before the first anchor."""
        found = self._log_evidence(origin, anchored=True)
        if found is None:
            return 0
        _, evidence = found
        return evidence.logs[origin].checkpoint.checkpoint.size if evidence.anchors else 0

    def log_evidence(self, origin: str, *, anchored: bool = True) -> Json:
        """The node's evidence of a log, at its anchored or its newest checkpoint; None: there is none."""
        found = self._log_evidence(origin, anchored=anchored)
        return None if found is None else found[0]

    def entry_bundle(self, origin: str, index: int, width: int) -> bytes:
        """Bundle `index` of a log's entries, of this width: unproven."""
        path = f"/log/{parse_origin(origin).log_id.hex()}/{entries_path(index, width)}"
        return self._checked(self._http.get(path), path).body

    def document(self, digest: bytes) -> bytes:
        """A public document by its digest: unproven."""
        return self._checked(self._http.get(f"/v1/documents/{encode_digest(digest)}"), "/v1/documents").body

    def status_list(self, list_id: str, issuer: str) -> bytes:
        """The newest version of an issuer's status list, as the node serves it to anybody: unproven."""
        query = f"id={quote(list_id, safe='')}&issuer={quote(issuer, safe='')}"
        return self._checked(self._http.get(f"/v1/status-lists?{query}"), "/v1/status-lists").body

    def forget_logs(self) -> None:
        """Drop cached logs, so that the next evidence is the node's newest."""
        self._logs.clear()

    def _with_entry(
        self, base: Json, evidence: Evidence, origin: str, leaf_index: int, digest: bytes
    ) -> tuple[Json, Evidence]:
        signed = evidence.logs[origin].checkpoint
        hashes = tuple(self._tree(origin, signed.checkpoint.size).prove_inclusion(leaf_index))
        proof = TlogProof(index=leaf_index, hashes=hashes, checkpoint_note=signed.to_bytes())
        entry = LoggedEntry(origin=origin, digest=digest, proof=proof)
        document = with_entries(base, [entry_json(origin, digest, proof)])
        return document, replace(evidence, entries=(entry,))

    @cached_property
    def _trust(self) -> TrustFile | None:
        """Believed for how much may be left out of a file, and for nothing that is in it."""
        try:
            return parse_trust_file(self.trust_file())
        except (PeerMisbehaved, MalformedError):
            return None

    def _prove_consistency(self, origin: str, old_size: int, new_size: int) -> list[bytes]:
        return self._tree(origin, new_size).prove_consistency(old_size)

    def _log_evidence(self, origin: str, *, anchored: bool) -> tuple[Json, Evidence] | None:
        key = (origin, anchored)
        if key not in self._logs:
            name = parse_origin(origin)
            newest = "" if anchored else "&newest=true"
            response = self._http.get(f"/v1/logs/{name.slug}/evidence?epoch={name.epoch}{newest}")
            if response.status == 404:
                self._logs[key] = None
            else:
                document = self._checked(response, "log evidence").json("log")
                self._logs[key] = document, self._parsed(document)
        return self._logs[key]

    def _tree(self, origin: str, size: int) -> TileTree:
        """Kept while it is the newest one asked for: a class has its proofs in one tree."""
        if (origin, size) not in self._trees:
            if len(self._trees) >= MAX_TREES:
                self._trees.clear()
            self._trees[origin, size] = TileTree(size, partial(self._tile, origin))
        return self._trees[origin, size]

    def _tile(self, origin: str, level: int, index: int, width: int) -> bytes:
        key = (origin, level, index, width)
        if key not in self._tiles:
            path = f"/log/{parse_origin(origin).log_id.hex()}/{tile_path(level, index, width)}"
            data = self._checked(self._http.get(path), path).body
            if len(data) != width * TILE_HASH_BYTES:
                raise PeerMisbehaved(
                    f"{self.url} served a tile of {len(data)} bytes, not {width * TILE_HASH_BYTES}"
                )
            self._tiles[key] = data
        return self._tiles[key]

    def _parsed(self, document: Json) -> Evidence:
        try:
            return parse_evidence(document)
        except MalformedError as error:
            raise PeerMisbehaved(f"{self.url} served malformed evidence ({error})") from error

    def _json(self, path: str) -> Json:
        return self._checked(self._http.get(path), path).json(path)

    def _post(self, path: str, body: Json) -> Json:
        return self._checked(self._http.post(path, body), path).json(path)

    def _checked(self, response: Response, path: str) -> Response:
        return good_answer(response, self.url, path)
