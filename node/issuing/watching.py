"""The issuer's own watch: whether the world is shown what the issuer signed, all of it and nothing else.

A host can keep a revocation back or serve an old list, and cannot make a statement. Somebody else with the
issuer's key can. Both show here, because the issuer alone knows what it signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from testamur.node.issuing.workspace import Workspace
from testamur.registry.canonical import Json, digest, parse_json
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.evidence import Evidence, LogEvidence, parse_evidence
from testamur.registry.hashing import sha256
from testamur.registry.reasons import words
from testamur.registry.shapes import Shape
from testamur.registry.statements import parse_statement
from testamur.registry.timestamps import parse_timestamp
from testamur.registry.trust import TrustFile
from testamur.registry.verification.anchored_statements import AnchoredStatement, find_anchored_statement

MAX_LISTS_LOOKED_AT = 64
"""Lists that are asked for one by one in a look; what a node serves of the others is in its statement."""


class Watched(Protocol):
    """What is asked of a node."""

    def log_evidence(self, origin: str, *, anchored: bool = True) -> Json:
        """Evidence of a log at its anchored, or its newest checkpoint; None when there is none."""

    def status_list(self, list_id: str, issuer: str) -> bytes:
        """The newest version of a status list, as it is served to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What the issuer signed: digests of its statements by number, and of the newest version of each list."""

    origin: str
    did: str
    statements: Mapping[int, bytes]
    times: Mapping[int, datetime]
    lists: Mapping[str, bytes]

    @property
    def newest(self) -> int:
        """The number of the newest statement that the host accepted."""
        return max(self.statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one node shows: the number of the anchored statement (0: none), and what is wrong.

    `is_proven`: the anchor's block is final by a trust file, and not only by the word of the node.
    """

    anchored: int
    is_proven: bool
    alarms: tuple[str, ...]


def signed_by(workspace: Workspace) -> Signed:
    """What this workspace signed and its host accepted."""
    settings, publication = workspace.settings, workspace.publication()
    statements: dict[int, bytes] = {}
    times: dict[int, datetime] = {}
    for sequence, bundle in workspace.ledger.run(
        "SELECT sequence, bundle FROM statements WHERE accepted = 1"
    ):
        document = Shape(parse_json(bundle, subject="bundle", max_bytes=len(bundle)), "bundle").any(
            "statement"
        )
        statements[int(sequence)] = digest(document)
        times[int(sequence)] = parse_timestamp(parse_statement(document).time)
    return Signed(
        origin=f"{settings.registry}/{settings.slug}/1",
        did=settings.did,
        statements=statements,
        times=times,
        lists={listed.entry.id: listed.entry.digest for listed in publication.lists.values()},
    )


def compare(
    node: Watched, signed: Signed, *, now: datetime, patience: timedelta, trust: TrustFile | None
) -> Look:
    """What the node shows of this issuer against what it signed. Raises what the node's client raises.

    A statement is anchored when the log shows it and the contract holds its number, in a block that is final
    by `trust`. `patience` is how long that may take before it is an alarm.
    """
    alarms: list[str] = []
    shown = 0
    on_chain: AnchoredStatement | None = None
    document = node.log_evidence(signed.origin)
    if document is not None:
        evidence = _parse(document, signed.origin)
        shown = _check_statement(evidence.logs[signed.origin], signed, alarms)
        on_chain = _find_anchored(evidence, signed.origin, trust, alarms)
        if on_chain is not None and on_chain.number > max(shown, signed.newest):
            alarms.append(
                f"the contract holds statement {on_chain.number}, and {signed.newest} is the newest signed "
                "here: whoever has the operator's key used numbers up, or somebody signs in your name"
            )
    anchored = min(shown, on_chain.number) if on_chain is not None else 0
    newest = node.log_evidence(signed.origin, anchored=False)
    if newest is not None:
        sealed = _check_statement(_parse(newest, signed.origin).logs[signed.origin], signed, alarms)
        if sealed < anchored:
            alarms.append(f"the newest seal names statement {sealed}, older than the anchored {anchored}")
    late = [
        number for number in signed.statements if number > anchored and now - signed.times[number] > patience
    ]
    if late:
        alarms.append(
            f"statement {min(late)} of {signed.times[min(late)]:%Y-%m-%d %H:%M:%S} UTC is not anchored; "
            f"the newest anchored one is {anchored}: a change of status is being held back"
        )
    _check_lists(node, signed, anchored, alarms)
    is_proven = on_chain is not None and on_chain.finality is not None
    return Look(anchored=anchored, is_proven=is_proven, alarms=tuple(dict.fromkeys(alarms)))


def _parse(document: Json, origin: str) -> Evidence:
    evidence = parse_evidence(document)
    if origin not in evidence.logs:
        raise MalformedError("evidence", f"is not about {origin}")
    return evidence


def _find_anchored(
    evidence: Evidence, origin: str, trust: TrustFile | None, alarms: list[str]
) -> AnchoredStatement | None:
    try:
        return find_anchored_statement(evidence, origin, trust)
    except VerificationError as error:
        alarms.append(
            f"the anchor that is shown is none of this log: {words(error.reason, error.parameters)}"
        )
        return None


def _check_statement(log: LogEvidence, signed: Signed, alarms: list[str]) -> int:
    """The number of the statement that a log shows; it is one that this issuer signed."""
    try:
        statement = parse_statement(log.statement)
    except RegistryError as error:
        alarms.append(f"the log's statement is none ({error})")
        return 0
    ours = signed.statements.get(statement.sequence)
    if ours is None:
        alarms.append(
            f"statement {statement.sequence} of {statement.time} was not signed here: another workspace, or "
            "somebody else with your key"
        )
    elif ours != statement.digest:
        alarms.append(f"statement {statement.sequence} is another one than was signed here: keep both files")
    return statement.sequence


def _check_lists(node: Watched, signed: Signed, anchored: int, alarms: list[str]) -> None:
    """What is served as the newest version of each list is the newest that was signed."""
    if anchored < signed.newest:
        return  # said already, or still under way
    for list_id, wanted in sorted(signed.lists.items())[:MAX_LISTS_LOOKED_AT]:
        if sha256(node.status_list(list_id, signed.did)) != wanted:
            alarms.append(f"another version of the status list {list_id} is served than was signed last")
