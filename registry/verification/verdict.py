"""What a verification says: eleven numbered checks, three times, and one outcome.

Reason codes and member names are a stable interface (docs/trust.md); words are made from them elsewhere.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from testamur.registry.canonical import Json
from testamur.registry.status_lists import REVOCATION
from testamur.registry.timestamps import format_timestamp


class Step(IntEnum):
    """The numbered steps, the same numbers in code, command line, HTTP and documentation."""

    WELL_FORMED = 1
    PROFILE = 2
    CREDENTIAL_PROOF = 3
    LOGGED = 4
    WITNESSED = 5
    ANCHORED = 6
    SIGNING_KEY = 7
    ISSUER = 8
    STATUS = 9
    VALIDITY_PERIOD = 10
    HOLDER_BINDING = 11


class CheckResult(StrEnum):
    """`unknown` is neither: what was needed to decide was not there."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Outcome(StrEnum):
    """The whole answer about one moment."""

    VALID = "valid"
    INVALID = "invalid"
    INDETERMINATE = "indeterminate"


class CredentialStatus(StrEnum):
    """Why a genuine credential may not count at a moment; `unknown` is never shown as `active`."""

    ACTIVE = "active"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSpan:
    """What one list says of a credential: `value` since a moment (None: always), and `before` until then.

    `before` is None when it is not known. `version` names the list and its contents, `until` is when it was
    proven, and `earlier` is what older evidence says of the same list, the newest first.
    """

    purpose: str
    value: bool
    since: datetime | None = None
    before: bool | None = None
    list_id: str = ""
    version: tuple[int, bytes] = (0, b"")
    until: datetime | None = None
    earlier: tuple["StatusSpan", ...] = ()

    def value_at(self, moment: datetime) -> bool | None:
        """The bit at a moment that is not after the evidence, or None when it is not known.

        What newer evidence knows of the moment decides: a change may be recorded after it took effect.
        """
        found, newer = self.value_alone_at(moment), self
        for older in self.earlier:
            if found is not None:
                break
            if older.until is None or moment > older.until:
                # Between two proofs: one version was in force all the time, and a revocation stays.
                lasts = older.version == newer.version or (older.value and older.purpose == REVOCATION)
                return older.value if lasts else None
            found = older.value if moment == older.until else older.value_alone_at(moment)
            newer = older
        return found

    def value_alone_at(self, moment: datetime) -> bool | None:
        """The same by this evidence alone."""
        return self.value if self.since is None or moment >= self.since else self.before


Facts = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one step: a stable reason code with its parameters, and the facts it established."""

    step: Step
    result: CheckResult
    reason: str
    parameters: dict[str, str | int] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """The check as a member of the verdict's `checks`."""
        document: dict[str, Json] = {
            "step": int(self.step),
            "name": self.step.name.lower().replace("_", "-"),
            "result": str(self.result),
            "reason": self.reason,
            "parameters": dict(self.parameters),
            "facts": dict(self.facts),
        }
        if self.warnings:
            document["warnings"] = list(self.warnings)
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """How many of the policy's witnesses and mirrors signed the very checkpoint that the credential is in.

    By `no_later_than` a quorum of witnesses had seen the credential's entry; None when that is not proven.
    """

    witnesses: int
    of_witnesses: int
    mirrors: int
    of_mirrors: int
    quorum: bool
    no_later_than: datetime | None

    def to_json(self) -> Json:
        """The verdict's `witnessed`."""
        return {
            "witnesses": self.witnesses,
            "ofWitnesses": self.of_witnesses,
            "mirrors": self.mirrors,
            "ofMirrors": self.of_mirrors,
            "quorum": self.quorum,
            "noLaterThan": format_timestamp(self.no_later_than) if self.no_later_than else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """A block that proves the checkpoint, the rule by which it is final, and the times that follow.

    `entry_at` is the time of the earliest anchor in the evidence that covers the credential: it existed then.
    """

    finality: str
    chain_id: int
    block_number: int
    block_at: datetime
    entry_at: datetime
    entry_block: int

    def to_json(self) -> Json:
        """The verdict's `anchored`."""
        return {
            "finality": self.finality,
            "chainId": self.chain_id,
            "block": self.block_number,
            "blockTime": format_timestamp(self.block_at),
            "entryBlock": self.entry_block,
            "entryTime": format_timestamp(self.entry_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The whole answer. `now` is about the moment of asking, `at` about the moment asked for, if any."""

    registry: str | None
    development: bool
    credential: Facts
    outcome: Outcome
    credential_status: CredentialStatus
    witnessed: Witnessed | None
    anchored: Anchored | None
    at_issuance: Outcome
    at: Outcome | None
    now: Outcome
    asked_at: datetime
    as_of: datetime | None
    evidence_at: datetime | None
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    def check(self, step: Step) -> Check:
        """The check of one step."""
        return next(check for check in self.checks if check.step == step)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed, in order."""
        return tuple(check for check in self.checks if check.result == CheckResult.FAIL)

    def to_json(self) -> Json:
        """The stable JSON interface (docs/spec/verdict.md)."""
        age = None if self.evidence_at is None else int((self.asked_at - self.evidence_at).total_seconds())
        return {
            "type": "TestamurVerdict",
            "version": 1,
            "registry": self.registry,
            "development": self.development,
            "outcome": str(self.outcome),
            "credentialStatus": str(self.credential_status),
            "credential": dict(self.credential),
            "witnessed": self.witnessed.to_json() if self.witnessed else None,
            "anchored": self.anchored.to_json() if self.anchored else None,
            "whenIssued": str(self.at_issuance),
            "at": str(self.at) if self.at else None,
            "now": str(self.now),
            "askedAt": format_timestamp(self.asked_at),
            "asOf": format_timestamp(self.as_of) if self.as_of else None,
            "evidenceAt": format_timestamp(self.evidence_at) if self.evidence_at else None,
            "evidenceAgeSeconds": age,
            "checks": [check.to_json() for check in self.checks],
            "notes": list(self.notes),
        }
