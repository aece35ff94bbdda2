"""What the steps of one verification know and have established so far.

A step returns `Passed`, raises `VerificationError` (fail) or raises `Undecided` (unknown). What a step
establishes it leaves here; a later step that needs something not established is itself undecided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from testamur.registry.canonical import Json
from testamur.registry.credentials import Credential
from testamur.registry.entries import Origin
from testamur.registry.errors import RegistryError
from testamur.registry.evidence import Evidence, LogEvidence, LoggedEntry
from testamur.registry.evm.anchors import ProvenAnchor
from testamur.registry.issuer_keys import IssuerKeys
from testamur.registry.statements import Statement
from testamur.registry.trust import TrustFile
from testamur.registry.verification.policy import Policy
from testamur.registry.verification.verdict import Anchored, CredentialStatus, Facts, StatusSpan, Witnessed


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainView:
    """What the caller itself has learnt of the chain, from RPC endpoints that it trusts.

    `headers`: (chain id, block number) → hash of a final block. `statements`: issuer id → the newest
    statement sequence that the contract holds.
    """

    headers: Mapping[tuple[int, int], bytes] = field(default_factory=dict)
    statements: Mapping[bytes, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Who showed the credential, as its presentation proves it; `controllers` are DIDs.

    `is_challenged`: the presentation answers a challenge of the verifier's, so that it was made now and for
    the verifier. `problem` is why nobody is proven to have shown it; `is_unknown`, why that cannot be told.
    """

    controllers: frozenset[str] = frozenset()
    is_challenged: bool = True
    problem: str | None = None
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    is_unknown: bool = False
    warnings: tuple[str, ...] = ()


NO_PRESENTATION = Shown(problem="presentation-missing", is_unknown=True)
"""A challenge was given, and the file is a credential that nobody presents."""


class Undecided(Exception):
    """What a step needed is not there; `reason` is a code of `testamur.registry.reasons`."""

    def __init__(self, reason: str, **parameters: str | int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.parameters = parameters


class Counted(Enum):
    """Whether a co-issuer's signature counts towards the threshold of a joint award."""

    YES = "yes"
    UNKNOWN = "unknown"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A step that holds, with what it established."""

    reason: str
    parameters: dict[str, str | int] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    skipped: bool = False


@dataclass(slots=True, kw_only=True)
class Context:
    """One verification under way."""

    document: Json
    evidence: Evidence | None
    trust: TrustFile | None
    policy: Policy
    now: datetime
    chain: ChainView
    contexts: Mapping[str, Json] | None = None
    shown: Shown | None = None

    credential: Credential | None = None
    digest: bytes | None = None
    entry: LoggedEntry | None = None
    origin: Origin | None = None
    log: LogEvidence | None = None
    newest_log: LogEvidence | None = None
    statements: dict[str, Statement] = field(default_factory=dict)
    keys: IssuerKeys | None = None
    witnessed: Witnessed | None = None
    mirrored: set[str] = field(default_factory=set)
    """Logs whose checkpoint a quorum of mirrors cosigned, who hold every entry of it: its size is true."""
    proven: ProvenAnchor | None = None
    anchored: Anchored | None = None
    list_status: CredentialStatus = CredentialStatus.UNKNOWN
    outside_validity: CredentialStatus | None = None
    valid_until: datetime | None = None
    evidence_at: datetime | None = None
    spans: list[StatusSpan] = field(default_factory=list)
    """What is known of each status list over time, from step 9."""
    status_notes: list[str] = field(default_factory=list)
    """What the records of status changes say, in words."""
    final: bool = False
    whole_methods: tuple[str, ...] = ()
    """The verification methods of the proofs that hold and cover every context, from step 3."""
    earlier: list["Context"] = field(default_factory=list)
    """What evidence that this one replaced establishes, the newest first."""
    co_signed: dict[str, Counted] = field(default_factory=dict)
    """Of a joint award: whether the signature of each co-issuer that signed counts, as far as steps went."""
    co_issuers: dict[str, "Context"] = field(default_factory=dict)
    """Of a joint award: what the evidence establishes about each co-issuer."""
    shortfall: RegistryError | Undecided | None = None
    """Of a co-issuer: why steps 4 to 6 do not hold as the policy asks; false outranks unknown."""

    def need_trust(self) -> TrustFile:
        """The trust file, or undecided: without one nothing about members or chains can be believed."""
        if self.trust is None:
            raise Undecided("no-trust-file")
        return self.trust

    def need_credential(self) -> Credential:
        """The parsed credential, or undecided because step 1 failed."""
        if self.credential is None:
            raise Undecided("not-established", step=1)
        return self.credential

    def need_log(self) -> LogEvidence:
        """The evidence of the log in which the credential was looked for."""
        if self.evidence is None:
            raise Undecided("no-evidence")
        if self.log is None:
            raise Undecided("not-established", step=4)
        return self.log

    def need_entry(self) -> tuple[LoggedEntry, Origin]:
        """The proven entry and its log's origin."""
        self.need_log()
        if self.entry is None or self.origin is None:
            raise Undecided("not-established", step=4)
        return self.entry, self.origin

    def need_newest_log(self) -> LogEvidence:
        """The evidence of the issuer's newest log; the same as `need_log` while there is one epoch."""
        self.need_log()
        if self.newest_log is None:
            raise Undecided("not-established", step=4)
        return self.newest_log

    def need_keys(self) -> IssuerKeys:
        """The key events that the evidence brings, sound in themselves."""
        self.need_log()
        if self.keys is None:
            raise Undecided("not-established", step=4)
        return self.keys

    def need_statement(self) -> Statement:
        """The issuer's newest statement in the evidence, named by the seal of its newest log."""
        statement = self.statements.get(self.need_newest_log().origin)
        if statement is None:
            raise Undecided("not-established", step=5)
        return statement
