"""What the HTTP interface needs from a node: one port, its values, and the refusals it may answer with.

Every method may be called concurrently. A method raises `MalformedError` or `VerificationError` for what the
caller sent, one of the refusals below, or a `NodeError`; the table in
`problems.py` says what a client sees of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from testamur.node.errors import NodeError
from testamur.registry.canonical import Json
from testamur.registry.publications import Bundle
from testamur.registry.tiles import TileId

MIN_PREFIX_ANSWER = 1024
"""An answer to a prefix names so many digests, or all there are: the node does not learn which one it was."""


class NotFound(NodeError):
    """The thing that a request names is not here; the text says what is not."""


class Stale(NodeError):
    """The caller built on something that is no longer the newest; `current` says what is."""

    def __init__(self, reason: str, **current: int) -> None:
        super().__init__(reason)
        self.current = current


class Forbidden(NodeError):
    """The caller is known, and this is not theirs to do."""


class NotReady(NodeError):
    """The node cannot do this now and may be asked again after `retry_after_seconds`."""

    def __init__(self, reason: str, *, retry_after_seconds: int = 10) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAt:
    """Where a digest stands.

    `state`: "logged" (durable), "sealed" (in the published checkpoint) or "anchored" (on the chain, final).
    """

    origin: str
    leaf_index: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixAnswer:
    """All digests that begin with `prefix` (hex, as widened by the node), each with its entries.

    An entry is (origin, leaf index). `is_everything` tells that the node holds no other digest at all.
    """

    prefix: str
    is_everything: bool
    found: Sequence[tuple[bytes, Sequence[tuple[str, int]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The leaf index of each submitted digest, in the same order; `new` of them were not logged before."""

    origin: str
    leaf_indexes: Sequence[int]
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedStatement:
    """The statement that the log's next seal will name."""

    sequence: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedHead:
    """A published checkpoint and the statement that its seal names."""

    origin: str
    size: int
    statement_sequence: int
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSummary:
    """An issuer as the register and this node know it.

    `verifier_key` is the log's vkey text; sizes are leaf counts; `lifecycle` is "active", "suspended" or
    "closed".
    """

    slug: str
    did: str
    name: str | None
    lifecycle: str
    epoch: int
    origin: str
    log_id: bytes
    verifier_key: str
    size: int
    anchored_size: int
    statement_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the node does its whole job, and the state of each part in a word ("ok", "unavailable" …)."""

    is_ready: bool
    parts: Mapping[str, str] = field(default_factory=dict)


class NodePort(Protocol):
    """A node, as its HTTP interface sees it. A slug is always well-formed, a digest always 32 bytes."""

    # -- issuer side

    async def authenticate(self, token: str) -> str | None:
        """The slug whose issuer this token belongs to, or None. Compares in constant time."""

    async def submit(self, slug: str, digests: Sequence[bytes]) -> Submission:
        """Log credential digests in the issuer's current log: durable on return, idempotent per digest.

        Raises NotFound for an issuer that is not hosted here, Stale for one whose log is closed to entries.
        """

    async def publish_statement(self, slug: str, bundle: Bundle) -> AcceptedStatement:
        """Accept an issuer's new statement with everything that it names and that is new; all or nothing.

        Repeating the newest statement is harmless.
        Raises VerificationError when it cannot be proven, Stale when it does not follow the newest.
        """

    async def seal(self, slug: str) -> SealedHead:
        """Seal and publish what is logged; with nothing new, answers with the head as it is."""

    # -- reads

    async def find_credential(self, digest: bytes) -> Sequence[LoggedAt]:
        """Every entry of kind credential with this digest; empty when there is none."""

    async def find_prefix(self, prefix_hex: str) -> PrefixAnswer:
        """Digests by prefix (0 to 64 lower-case hex digits), widened to `MIN_PREFIX_ANSWER` or all."""

    async def evidence(self, digest: bytes) -> bytes | None:
        """The newest evidence file for a credential digest, or None when it is in no published checkpoint."""

    async def log_evidence(self, slug: str, epoch: int | None, *, newest: bool) -> bytes | None:
        """Evidence of one log without entries: who has the tiles can add any credential's own proof.

        At the anchored checkpoint, or at the newest one when `newest`; of the current epoch if none is given.
        None when there is no such log, or no such checkpoint of it yet.
        """

    async def verify(self, document: Json, as_of: datetime | None) -> Mapping[str, Json]:
        """The verdict about a credential, or a dossier with its evidence; nothing of it is kept.

        Invalid and indeterminate are verdicts. Raises MalformedError only when there is nothing to judge.
        """

    async def trust_file(self) -> bytes | None:
        """The trust file that this node uses, or None before there is one."""

    async def issuers(self) -> Sequence[IssuerSummary]:
        """All issuers that the register knows, in order of slug."""

    async def issuer(self, slug: str) -> IssuerSummary | None:
        """One issuer, or None."""

    async def document(self, digest: bytes) -> bytes | None:
        """A public document by its digest, verbatim."""

    async def status_list(self, list_id: str) -> bytes | None:
        """The newest version of a status list by its id (a URL), also of issuers hosted elsewhere."""

    async def own_status_list(self, slug: str, purpose: str, number: int) -> bytes | None:
        """The newest version of the status list served at `/status/<slug>/<purpose>/<number>`."""

    async def checkpoint(self, log_id: bytes) -> bytes | None:
        """The newest published checkpoint of a log, with the cosignatures collected so far."""

    async def tile(self, log_id: bytes, tile: TileId) -> bytes | None:
        """A tile or entry bundle of a log, complete or of exactly this partial width."""

    # -- about itself

    async def readiness(self) -> Readiness:
        """Whether the node can do its whole job now; cheap enough to be asked every second."""
