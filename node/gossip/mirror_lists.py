"""Status lists under a mirror's eyes: the host's own rule, applied to what each statement names."""

import contextlib
from collections.abc import Callable, Sequence

from testamur.node.gossip.mirror_state import MAX_LISTS, HeldList, MirrorState
from testamur.registry.canonical import Json, parse_json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.published_lists import PublishedList, find_publishable, next_version
from testamur.registry.statements import Statement, entries_root
from testamur.registry.status_lists import LIST_TYPE, StatusList, parse_status_list
from testamur.registry.status_records import RecordBatch, is_records, new_batches, parse_records, records_id


class ListRule:
    """Follows an issuer's lists from statement to statement; what no statement names changes nothing.

    `read` gives a public document by its digest, or raises.
    """

    def __init__(self, state: MirrorState, read: Callable[[bytes], bytes]) -> None:
        self._state = state
        self._read = read

    def note(self, document: Json, digest: bytes, leaf_index: int) -> None:
        """Remember a logged version, or the records beside one, for the statement after it."""
        kinds = document.get("type") if isinstance(document, dict) else None
        if is_records(document) or (isinstance(kinds, list) and LIST_TYPE in kinds):
            logged = self._state.logged
            if len(logged) >= MAX_LISTS:
                raise VerificationError("mirror-too-many-lists", count=len(logged))
            logged.setdefault(digest, leaf_index)

    def follow(self, statement: Statement, leaf_index: int | None) -> None:
        """The lists that a proven statement names follow those before: none missing, no revocation cleared.

        Each is the newest version by this issuer that was logged before the statement (`leaf_index`; None:
        in an earlier epoch). Raises VerificationError, those of `next_version` and statement-roots-mismatch.
        """
        state = self._state
        covered = {digest for digest, at in state.logged.items() if leaf_index is None or at < leaf_index}
        versions: dict[str, tuple[bytes, Json, StatusList]] = {}
        records: dict[str, list[tuple[bytes, Json]]] = {}
        for digest in [digest for digest in state.logged if digest in covered]:
            del state.logged[digest]
            document = parse_json(self._read(digest), subject="status list")
            if is_records(document):
                # Anything may be published as a document.
                with contextlib.suppress(MalformedError):
                    records.setdefault(parse_records(document)[0], []).append((digest, document))
            elif (parsed := find_publishable(document, statement.issuer)) is not None:
                versions[parsed.id] = digest, document, parsed
        for list_id, (digest, document, parsed) in versions.items():
            held = state.lists.get(list_id)
            if held is None or held.entry.digest != digest:
                before = None if held is None else self._published(held)
                beside, batches = _new_records(before, records.get(list_id, ()), list_id, statement)
                version = next_version(before, parsed, document, statement.issuer, batches)
                state.lists[list_id] = HeldList(
                    entry=version.entry, records=beside or (held.records if held else None)
                )
        entries = [item.entry for item in state.lists.values()]
        if (statement.status_count, statement.status_root) != (len(entries), entries_root(entries)):
            raise VerificationError(
                "statement-roots-mismatch", part="statusLists", sequence=statement.sequence
            )

    def _published(self, held: HeldList) -> PublishedList:
        """The version with its bits and records, from the copy."""
        credential = parse_json(self._read(held.entry.digest), subject="status list")
        batches: tuple[RecordBatch, ...] = ()
        if held.records is not None:
            _, batches = parse_records(parse_json(self._read(held.records), subject="status records"))
        data = parse_status_list(credential).data
        return PublishedList(entry=held.entry, credential=credential, data=data, batches=batches)


def _new_records(
    before: PublishedList | None,
    logged: Sequence[tuple[bytes, Json]],
    list_id: str,
    statement: Statement,
) -> tuple[bytes | None, tuple[RecordBatch, ...] | None]:
    """(digest, batches) of the records that belong to this statement; (None, None): there are none."""
    known = {list_id: before.batches} if before else {}
    for digest, document in reversed(logged):
        try:
            found = new_batches(
                [(records_id(list_id), document)], known, statement=statement.sequence, time=statement.time
            )
        except VerificationError:
            # Of a statement that a crash took, or not by the issuer: what is named decides below.
            continue
        return digest, found[list_id]
    return None, None
