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
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError, RegistryError
from testamur.registry.evidence import LogEvidence, parse_evidence
from testamur.registry.evm.anchors import ANCHOR_TYPE, parse_anchor, prove_storage, read_anchor
from testamur.registry.hashing import sha256
from testamur.registry.shapes import Shape
from testamur.registry.statements import parse_statement
from testamur.registry.timestamps import parse_timestamp

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
    """What one node shows: the number of the anchored statement (0: none), and what is wrong."""

    anchored: int
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


def compare(node: Watched, signed: Signed, *, now: datetime, patience: timedelta) -> Look:
    """What the node shows of this issuer against what it signed. Raises what the node's client raises.

    `patience` is how long a statement may take to be anchored before that is an alarm.
    """
    alarms: list[str] = []
    anchored = 0
    document = node.log_evidence(signed.origin)
    if document is not None:
        log, on_chain = _read(document, signed.origin)
        anchored = _check_statement(log, signed, alarms)
        if on_chain is not None and on_chain > max(anchored, signed.newest):
            alarms.append(
                f"the contract holds statement {on_chain}, and {signed.newest} is the newest signed here: "
                "whoever has the operator's key used numbers up, or somebody signs in your name"
            )
    newest = node.log_evidence(signed.origin, anchored=False)
    if newest is not None:
        sealed = _check_statement(_read(newest, signed.origin)[0], signed, alarms)
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
    return Look(anchored=anchored, alarms=tuple(dict.fromkeys(alarms)))


def _read(document: Json, origin: str) -> tuple[LogEvidence, int | None]:
    """The log's evidence, and the statement that the contract holds, if it is proven."""
    evidence = parse_evidence(document)
    if origin not in evidence.logs:
        raise MalformedError("evidence", f"is not about {origin}")
    name = parse_origin(origin)
    on_chain: int | None = None
    for anchor in evidence.anchors:
        if Shape(anchor, "anchor").any("type") == ANCHOR_TYPE:
            proven = read_anchor(
                prove_storage(parse_anchor(anchor)),
                issuer_id=name.issuer_id,
                log_id=name.log_id,
                epoch=name.epoch,
            )
            on_chain = max(on_chain or 0, proven.issuer.statement)
    return evidence.logs[origin], on_chain


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
