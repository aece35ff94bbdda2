"""What the HTTP interface needs from a node: one port, its values, and the refusals it may answer with.

Every method may be called concurrently. A method raises `MalformedError` or `VerificationError` for what the
caller sent, one of the refusals below, or a `NodeError`; the table in
`problems.py` says what a client sees of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol, TypeAlias

from testamur.node.api.presenting_ports import PresentationPort
from testamur.node.api.traffic import Traffic
from testamur.node.errors import NodeError
from testamur.registry.canonical import Json
from testamur.registry.publications import Bundle
from testamur.registry.tiles import TileId
from testamur.registry.verification.verdict import Verdict

State: TypeAlias = Literal["logged", "sealed", "anchored"]
StandingWord: TypeAlias = Literal["active", "suspended", "closed"]

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


class TokenRefused(NodeError):
    """The token was good once; the text says what ended it. Only its holder is told."""


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
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixAnswer:
    """All digests that begin with `prefix` (hex), and neighbours up to `MIN_PREFIX_ANSWER`.

    Each with its entries, (origin, leaf index). `is_everything`: the node holds no other digest at all.
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
    lifecycle: StandingWord
    epoch: int
    origin: str
    log_id: bytes
    verifier_key: str
    size: int
    anchored_size: int
    statement_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHolder:
    """Whom a token belongs to, and the token's id, which is no secret."""

    slug: str
    token_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDocument:
    """What an issuer's newest statement names: `kind` is "document" or "status-list"."""

    id: str
    digest: bytes
    kind: Literal["document", "status-list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBehind:
    """A part that does not do its whole job: its state, since when the node knows, and what to do."""

    part: str
    state: str
    since: datetime | None
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the node does its whole job, and the state of each part in a word ("ok", "unavailable" …).

    `behind` has every part that is not "ok", those too that the node works without.
    """

    is_ready: bool
    parts: Mapping[str, str] = field(default_factory=dict)
    behind: Sequence[PartBehind] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A dossier that a development node offers to be looked at. `name` stands in an address."""

    name: str
    title: str
    note: str
    file: bytes


class NodePort(PresentationPort, Protocol):
    """A node, as its HTTP interface sees it. A slug is always well-formed, a digest always 32 bytes."""

    # -- issuer side

    async def authenticate(self, token: str) -> TokenHolder | None:
        """Whom this token belongs to, or None. Compares in constant time.

        Raises TokenRefused when it has expired or was revoked.
        """

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
        """Digests by prefix (0 to 64 lower-case hex digits). Raises MalformedError for too many of them."""

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

    async def judge(self, document: Json, day: date | None) -> Verdict:
        """The same as `verify`, as of the end of a day in UTC, or of now if it has not ended.

        Raises MalformedError when there is nothing to judge, and for a day in the future.
        """

    async def samples(self) -> Sequence[Sample]:
        """What a development node offers to be looked at; empty on any other."""

    async def trust_file(self) -> bytes | None:
        """The trust file that this node uses, or None before there is one."""

    async def trust_successions(self, after: int) -> bytes:
        """The versions of the trust file after `after` (0: all) that are kept here, as one document."""

    async def issuers(self, after: str = "", limit: int = 1000) -> Sequence[IssuerSummary]:
        """The next issuers that the register knows, in order of slug: beyond `after`, at most `limit`."""

    async def issuer(self, slug: str) -> IssuerSummary | None:
        """One issuer, or None."""

    async def document(self, digest: bytes) -> bytes | None:
        """A public document by its digest, verbatim."""

    async def documents_of(
        self, slug: str, after: str, limit: int
    ) -> tuple[int, Sequence[PublishedDocument]] | None:
        """The sequence of the issuer's newest statement (0: none yet), and what it names.

        In order of id: beyond `after` (`<kind>:<id>`, or ""), at most `limit`. None for an issuer that is not
        known.
        """

    async def status_list(self, list_id: str, issuer: str | None, at: datetime | None) -> bytes | None:
        """A version of a status list by its id (a URL): the newest, or the one in force `at` a moment.

        Only a list signed by the issuer (a DID) counts, when one is named. Raises MalformedError when none is
        named and several issuers publish a list with this id.
        """

    async def own_status_list(self, slug: str, purpose: str, number: int) -> bytes | None:
        """The newest version of the status list served at `/status/<slug>/<purpose>/<number>`."""

    async def checkpoint(self, log_id: bytes) -> bytes | None:
        """The newest published checkpoint of a log, with the cosignatures collected so far."""

    async def tile(self, log_id: bytes, tile: TileId) -> bytes | None:
        """A tile or entry bundle of a log, complete or of exactly this partial width."""

    # -- about itself

    async def readiness(self) -> Readiness:
        """Whether the node can do its whole job now; cheap enough to be asked every second."""

    async def metrics(self, traffic: Traffic) -> bytes:
        """The node and its traffic in numbers, in Prometheus' text format (version 0.0.4)."""
