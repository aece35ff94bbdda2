"""What a refreshed file keeps of the evidence that it replaces: what newer evidence no longer shows.

A newer statement says what a bit is now. That it was clear before the list changed may stand in the older
evidence alone, which then stays in the file, whole, as `earlier`. Of an anchor that dates the entry one
record stays beside the newest anchor. Nothing is verified here: what is kept needlessly is only longer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.credentials import credential_digest, parse_credential
from testamur.registry.entries import parse_origin
from testamur.registry.errors import RegistryError
from testamur.registry.evidence import MAX_EARLIER, Evidence, LogEvidence, parse_evidence
from testamur.registry.evm.anchors import ANCHOR_TYPE, AnchorEvidence, parse_anchor, prove_storage
from testamur.registry.evm.dating import covering_records
from testamur.registry.evm.lean import dating_anchor
from testamur.registry.evm.slots import issuer_slots
from testamur.registry.record_proofs import RecordProof, effect_of, is_newest
from testamur.registry.statement_entries import parse_status_entry_of_statement
from testamur.registry.status import is_set, verify_chunk
from testamur.registry.status_lists import REVOCATION, SUSPENSION, StatusListEntry, parse_status_list
from testamur.registry.status_records import RETROACTIVE_REASONS

LASTING = frozenset({REVOCATION, SUSPENSION})
"""Purposes of which a moment is asked; `message` and `refresh` change nothing."""

MAX_EARLIER_BYTES = 1 << 19
"""Half of the largest evidence file: the other half is for what is newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What one list says in one evidence. `is_explained`: a record says since when.

    `is_complete`: every earlier moment is answered as well. `since` is when its statement says that the bit
    changed, in Unix seconds; None when nothing does, and when it may reach back.
    """

    version: tuple[int, bytes]
    value: bool
    is_explained: bool
    is_complete: bool
    since: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """One evidence: `at` is its block's time and `entry_at` the entry's, in Unix seconds.

    `dating` proves `entry_at` by itself; None when it is the block's time.
    """

    document: Json
    place: tuple[str, int]
    at: int
    entry_at: int
    dating: AnchorEvidence | None
    lists: Mapping[tuple[str, str], _Listed] = field(default_factory=dict)

    @property
    def is_lasting(self) -> bool:
        """Whether it answers for more than a moment."""
        return any(
            one.is_explained or one.is_complete
            for (_, purpose), one in self.lists.items()
            if purpose != REVOCATION
        )


def keep_earlier(document: Json, kept: Json, credential: Json) -> Json:
    """`document` with what it replaces of `kept` and no longer shows itself.

    In `earlier` at most `MAX_EARLIER`, the newest first. Of more, what answers for a stretch of time stays
    longest, and of the others those that are far apart. What is no evidence, has no anchor or is about
    another entry has nothing to keep.
    """
    if not isinstance(document, dict):
        return document
    newest = _show(document, credential)
    if newest is None:
        return document
    shown = [_show(older, credential) for older in _offered(document, kept)]
    found = [one for one in shown if one is not None and one.place == newest.place]
    by_time = {one.at: one for one in found if one.at < newest.at}
    points = _needed(newest, [by_time[at] for at in sorted(by_time, reverse=True)])
    whole = {name: member for name, member in document.items() if name != "earlier"}
    dating = min(found, key=lambda point: point.entry_at, default=newest)
    if dating.entry_at < min(point.entry_at for point in (newest, *points)):
        if dating.dating is None:
            points.append(dating)
        elif isinstance(anchors := document.get("anchors"), list):
            whole["anchors"] = [*anchors, dating.dating.to_json()]
    return {**whole, "earlier": [point.document for point in points]} if points else whole


def _offered(document: dict[str, Json], kept: Json) -> list[Json]:
    """The evidence that is replaced, and what either file kept before."""
    offered: list[Json] = []
    for one in (document, kept):
        earlier = one.get("earlier") if isinstance(one, dict) else None
        offered += earlier if isinstance(earlier, list) else []
    if isinstance(kept, dict):
        offered.append(_alone(kept))
    return offered


def _alone(document: dict[str, Json]) -> Json:
    """Evidence as it is kept: what it keeps of older evidence stands beside it, or dates nothing more."""
    logs = document.get("logs")
    alone = {name: member for name, member in document.items() if name != "earlier"}
    if isinstance(logs, dict):
        alone["logs"] = {
            name: {**log, "first": None} if isinstance(log, dict) else log for name, log in logs.items()
        }
    return alone


# ------------------------------------------------------------------------------------------ what one shows


def _show(document: Json, credential: Json) -> _Shown | None:
    try:
        evidence = parse_evidence(document)
        entries = evidence.entries_for(credential_digest(credential))
        if not entries:
            return None
        origin, leaf = parse_origin(entries[0].origin), entries[0].proof.index
        anchors = [
            parse_anchor(item)
            for item in evidence.anchors
            if isinstance(item, dict) and item.get("type") == ANCHOR_TYPE
        ]
        proven = [prove_storage(anchor) for anchor in anchors]
        dates = [
            (record.timestamp, number, sequence)
            for number, storage in enumerate(proven)
            for sequence, record in covering_records([storage], origin.log_id, leaf)
        ]
        wanted = [item for item in parse_credential(credential).status if item.purpose in LASTING]
        lists = {(item.list_id, item.purpose): _listed(evidence, item) for item in wanted}
    except RegistryError:
        return None
    # Anchors of others' logs, and those that only date, say nothing of the status.
    blocks = [
        storage.header.timestamp for storage in proven if issuer_slots(origin.issuer_id)[1] in storage.values
    ]
    if not blocks:
        return None
    at = max(blocks)
    entry_at, number, sequence = min(dates, default=(at, 0, None))
    return _Shown(
        document=document,
        place=(entries[0].origin, leaf),
        at=at,
        entry_at=entry_at,
        dating=None if sequence is None else dating_anchor(anchors[number], origin.log_id, sequence),
        lists={key: one for key, one in lists.items() if one is not None},
    )


def _listed(evidence: Evidence, wanted: StatusListEntry) -> _Listed | None:
    for log in evidence.logs.values():
        found = _listed_in(log, wanted)
        if found is not None:
            return found
    return None


def _listed_in(log: LogEvidence, wanted: StatusListEntry) -> _Listed | None:
    for proof in log.status:
        entry = parse_status_entry_of_statement(proof.entry)
        if (entry.id, entry.purpose) != (wanted.list_id, wanted.purpose) or wanted.index >= entry.length:
            continue
        if proof.chunk is not None and proof.chunk_path is not None:
            hashes = proof.chunk_path.hashes
            value = verify_chunk(proof.chunk, wanted.index, entry.length, hashes, entry.chunk_root)
        else:
            data = parse_status_list(proof.list_credential).data
            if wanted.index >= 8 * len(data):
                continue
            value = is_set(data, wanted.index)
        record = proof.record
        explained = (
            record is not None
            and record.record.value == value
            and (wanted.purpose == REVOCATION or is_newest(record, entry.sequence))
        )
        is_first = explained and record is not None and record.batch_position == 0 and entry.sequence == 2
        is_complete = (
            explained or not value if entry.purpose == REVOCATION else entry.sequence == 1 or is_first
        )
        return _Listed(
            version=(entry.sequence, entry.digest),
            value=value,
            is_explained=explained,
            is_complete=is_complete,
            since=_since(record) if explained and record is not None else None,
        )
    return None


def _since(record: RecordProof) -> int | None:
    if record.record.reason in RETROACTIVE_REASONS:
        return None
    return int(effect_of(record, None).timestamp())


# ------------------------------------------------------------------------------------------ what is kept


def _needed(newest: _Shown, older: Sequence[_Shown]) -> list[_Shown]:
    """Those of `older`, the newest first, without which less would be known; as many as there is room for."""
    wanted = {id(point) for key in newest.lists for point in _telling(key, [newest, *older])}
    points = [point for point in older if id(point) in wanted]
    while len(points) > MAX_EARLIER or _size(points) > MAX_EARLIER_BYTES:
        # Not what was replaced just now; of equals the oldest.
        dispensable = (points[1:] or points)[::-1]
        points.remove(min(dispensable, key=lambda point: _worth(point, [newest, *points])))
    return points


def _telling(key: tuple[str, str], points: Sequence[_Shown]) -> list[_Shown]:
    """Those that say of one list what no other of `points`, the newest first, says."""
    chain = [(point, point.lists[key]) for point in points if key in point.lists]
    found: list[_Shown] = []
    is_complete = is_contradicted = False
    for number, (point, listed) in enumerate(chain):
        newer = [one for _, one in chain[:number]]
        if not is_contradicted and any(_contradicts(one, point.at, listed) for one in newer):
            is_contradicted = True  # the newest that does says the most
            found.append(point)
        elif not is_complete and not _is_within(
            key[1], listed, newer, [one for _, one in chain[number + 1 :]]
        ):
            found.append(point)
        is_complete = is_complete or listed.is_complete
    return found


def _contradicts(newer: _Listed, at: int, older: _Listed) -> bool:
    """Whether the newer one says that the bit had changed when the older one proves that it had not."""
    return newer.since is not None and newer.since <= at and newer.value != older.value


def _is_within(purpose: str, one: _Listed, newer: Sequence[_Listed], older: Sequence[_Listed]) -> bool:
    """Whether what others say implies it: a revocation stays, and one version is in force all the time."""
    if one.is_complete:
        return False
    if purpose == REVOCATION and one.value and any(other.value for other in older):
        return True
    same = [other for other in newer if other.version == one.version]
    if any(other.is_explained for other in same):
        return True
    is_between = bool(same) and any(other.version == one.version for other in older)
    return is_between and not one.is_explained


def _size(points: Sequence[_Shown]) -> int:
    return sum(len(canonicalize(point.document)) for point in points)


def _worth(point: _Shown, line: Sequence[_Shown]) -> tuple[bool, int]:
    """Which goes last when there are too many: what lasts, and what stands alone in its time."""
    times = [one.at for one in line]
    later = min(at for at in times if at > point.at)
    sooner = max((at for at in times if at < point.at), default=0)
    return point.is_lasting, later - sooner
