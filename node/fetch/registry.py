"""A node's HTTP interface from the other side: what the command line and an issuer ask of a node.

Evidence is put together here, from the log's own evidence and its tiles, so that a node learns a digest's
prefix and the neighbourhood of 256 leaves, never which credential is looked at.
"""

from collections.abc import Mapping, Sequence
from typing import Self

from testamur.node.errors import ConfigError, PeerMisbehaved, PeerUnreachable
from testamur.node.fetch.http import HttpClient, Response
from testamur.registry.canonical import Json
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import Evidence, parse_evidence
from testamur.registry.evidence_building import entry_json, with_entries
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape
from testamur.registry.tiles import TileTree, tile_path
from testamur.registry.tlog_proofs import TlogProof

MAX_DIGESTS_PER_SUBMISSION = 4096
"""The node's own bound on one request."""

MAX_ANSWERED_CREDENTIALS = 1 << 20
"""An answer by prefix is bounded by the size of a response first."""

PREFIX_DIGITS = 4
"""First guess for a prefix: one digest in 65 536; a node with fewer credentials widens it."""

TILE_HASH_BYTES = 32


class RegistryClient:
    """One node, by its URL. Answers are shapes here and proven elsewhere: nothing is believed."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.url = url
        self._http = HttpClient(url, token=token)
        self._logs: dict[tuple[str, bool], Json] = {}
        self._tiles: dict[tuple[str, int, int, int], bytes] = {}

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

    def issuers(self) -> Json:
        """The issuers that the register knows."""
        return self._json("/v1/issuers")

    def readiness(self) -> Json:
        """The state of each of the node's parts, ready or not."""
        return self._http.get("/readyz").json("readiness")

    def find(self, digest: bytes) -> list[tuple[str, int]]:
        """(origin, leaf index) of every entry with this digest; the node is asked for a prefix only."""
        answer = Shape(
            self._json(f"/v1/credentials?prefix={digest.hex()[:PREFIX_DIGITS]}"), "answer by prefix"
        )
        for item in answer.shapes("credentials", maximum=MAX_ANSWERED_CREDENTIALS):
            if item.digest("digest") == digest:
                return [
                    (entry.text("origin"), entry.integer("leafIndex"))
                    for entry in item.shapes("entries", maximum=64)
                ]
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
        for anchored in (True, False):
            base = self._log_evidence(origin, anchored=anchored)
            if base is None:
                continue
            evidence = self._parsed(base)
            if origin in evidence.logs and evidence.logs[origin].checkpoint.checkpoint.size > leaf_index:
                return self._with_entry(base, evidence, origin, leaf_index, digest)
        return None

    def anchored_size(self, origin: str) -> int:
        """Leaves that the node's anchored evidence of this log covers; 0 before the first anchor."""
        base = self._log_evidence(origin, anchored=True)
        if base is None:
            return 0
        evidence = self._parsed(base)
        return evidence.logs[origin].checkpoint.checkpoint.size if evidence.anchors else 0

    def forget_logs(self) -> None:
        """Drop cached logs, so that the next evidence is the node's newest."""
        self._logs.clear()

    def _with_entry(
        self, base: Json, evidence: Evidence, origin: str, leaf_index: int, digest: bytes
    ) -> Json:
        signed = evidence.logs[origin].checkpoint
        tree = TileTree(
            signed.checkpoint.size, lambda level, index, width: self._tile(origin, level, index, width)
        )
        proof = TlogProof(
            index=leaf_index,
            hashes=tuple(tree.prove_inclusion(leaf_index)),
            checkpoint_note=signed.to_bytes(),
            extra=None,
        )
        return with_entries(base, [entry_json(origin, digest, proof)])

    def _log_evidence(self, origin: str, *, anchored: bool) -> Json:
        key = (origin, anchored)
        if key not in self._logs:
            name = parse_origin(origin)
            newest = "" if anchored else "&newest=true"
            response = self._http.get(f"/v1/logs/{name.slug}/evidence?epoch={name.epoch}{newest}")
            self._logs[key] = (
                None if response.status == 404 else self._checked(response, "log evidence").json("log")
            )
        return self._logs[key]

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
        """A good answer, or the error that says whose fault it is, in the node's own words if it gave any."""
        if response.status < 300:
            return response
        detail = _problem(response)
        if response.status in {401, 403}:
            raise ConfigError("token", f"{self.url} refused it: {detail}")
        if response.status in {429, 502, 503, 504}:
            raise PeerUnreachable(f"{self.url} cannot answer now: {detail}")
        raise PeerMisbehaved(
            f"{self.url} answered {path.partition('?')[0]} with HTTP {response.status}: {detail}"
        )


def _problem(response: Response) -> str:
    try:
        shape = Shape(response.json("problem"), "problem")
        return shape.optional_text("detail") or shape.text("title")
    except (PeerMisbehaved, MalformedError):
        return f"HTTP {response.status}"
