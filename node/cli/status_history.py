"""`status history`: who changed which status when, from the issuer's log alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.cli.output import json_line, read_input, say
from testamur.node.cli.progress import progress_bar
from testamur.node.cli.settings import default_node
from testamur.node.errors import ConfigError, PeerMisbehaved
from testamur.node.fetch.published import ReadLog, read_documents, read_log
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.canonical import Json
from testamur.registry.credentials import parse_credential
from testamur.registry.dossiers import parse_dossier
from testamur.registry.entries import parse_origin
from testamur.registry.errors import RegistryError
from testamur.registry.evm.anchors import ANCHOR_TYPE, parse_anchor, prove_storage, read_anchor
from testamur.registry.evm.layout import AnchorRecord
from testamur.registry.issuer_keys import IssuerKeys, verify_issuer_keys
from testamur.registry.shapes import Shape
from testamur.registry.status_history import ListChange, read_history
from testamur.registry.timestamps import format_timestamp
from testamur.registry.verification.words import counted

SHOWN_INDEXES = 8
"""On a terminal; --json has all of them."""


def run_history(
    name: str, *, credential: str | None, node_url: str | None, as_json: bool, home: Path | None
) -> None:
    """Read the log, and print every change of a status list. Raises ConfigError, PeerMisbehaved."""
    wanted = _entries_of(Path(credential)) if credential is not None else None
    with RegistryClient(node_url or default_node(home)) as client, progress_bar() as progress:
        read = read_log(client, name, progress=lambda done, total: progress("entries", done, total))
        documents = read_documents(
            client, read, progress=lambda done, total: progress("documents", done, total)
        )
        epoch = parse_origin(read.origin).epoch
        changes = [
            change
            for change in read_history(documents, keys=_keys(read), epoch=epoch)
            if wanted is None or _is_about(change, wanted)
        ]
    anchors = _anchors(read)
    if as_json:
        for change in changes:
            json_line({**change.to_json(), "anchored": _anchored_json(change, anchors)})
        return
    size = counted(len(read.entries), "entry")
    say(f"{read.origin}, {size}, all of it read and covered by the checkpoint")
    for change in changes:
        for line in _lines(change, anchors, wanted):
            say(line)
    if not changes:
        say("No status list" + (" that this credential names" if wanted is not None else "") + " changed.")


def _keys(read: ReadLog) -> IssuerKeys:
    """All key events of the issuer, as the node's evidence of the log has them. Raises PeerMisbehaved."""
    try:
        keys = verify_issuer_keys(read.log.key_events)
    except RegistryError as error:
        raise PeerMisbehaved(f"the key events of {read.origin} do not hold ({error})") from error
    if keys.issuer != read.did:
        raise PeerMisbehaved(f"the key events of {read.origin} are of {keys.issuer}, not of {read.did}")
    return keys


def _entries_of(path: Path) -> Mapping[str, int]:
    document, _ = parse_dossier(read_input(path))
    if document is None:
        raise ConfigError(f"--of {path}", "holds evidence but no credential")
    return {entry.list_id: entry.index for entry in parse_credential(document).status}


def _is_about(change: ListChange, wanted: Mapping[str, int]) -> bool:
    index = wanted.get(change.list_id)
    return index is not None and (index in change.set_indexes or index in change.cleared_indexes)


def _lines(change: ListChange, anchors: list[AnchorRecord], wanted: Mapping[str, int] | None) -> list[str]:
    stated = f"statement {change.statement} of {change.stated}" if change.statement else "no statement yet"
    block = _covering(change, anchors)
    when = f"block {block.block_number} of {_time(block)}" if block else "not anchored yet"
    if not change.set_indexes and not change.cleared_indexes:
        what = "new list" if change.version == 1 else "nothing changed"
    elif wanted is not None:
        what = "set" if wanted[change.list_id] in change.set_indexes else "cleared"
    else:
        what = ", ".join(
            filter(None, (_some("set", change.set_indexes), _some("cleared", change.cleared_indexes)))
        )
    lines = [
        f"{change.purpose} {change.list_id}, version {change.version}: {what}",
        f"    {stated}; sealed {change.sealed or 'not yet'}; {when}; entry {change.leaf_index}",
        f"    signed by {change.method or 'nobody'}",
    ]
    if change.problem is not None:
        lines.append(f"    BUT it {change.problem}")
    return lines


def _some(word: str, indexes: tuple[int, ...]) -> str:
    if not indexes:
        return ""
    shown = ", ".join(map(str, indexes[:SHOWN_INDEXES]))
    more = f" and {len(indexes) - SHOWN_INDEXES} more" if len(indexes) > SHOWN_INDEXES else ""
    return f"{len(indexes)} {word} ({shown}{more})"


def _anchors(read: ReadLog) -> list[AnchorRecord]:
    """What the contract recorded of the log, as far as the node's evidence proves it, oldest first."""
    origin = parse_origin(read.origin)
    found: dict[int, AnchorRecord] = {}
    for document in Shape(read.evidence, "evidence").items("anchors", maximum=64):
        if Shape(document, "anchor").any("type") != ANCHOR_TYPE:
            continue
        try:
            storage = prove_storage(parse_anchor(document))
            proven = read_anchor(
                storage, issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=origin.epoch
            )
        except RegistryError:
            continue
        found.update(proven.history)
    return [found[sequence] for sequence in sorted(found)]


def _covering(change: ListChange, anchors: list[AnchorRecord]) -> AnchorRecord | None:
    return next((record for record in anchors if record.size > change.leaf_index), None)


def _anchored_json(change: ListChange, anchors: list[AnchorRecord]) -> Json:
    block = _covering(change, anchors)
    return None if block is None else {"block": block.block_number, "time": _time(block)}


def _time(record: AnchorRecord) -> str:
    return format_timestamp(datetime.fromtimestamp(record.timestamp, UTC))
