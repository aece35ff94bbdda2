"""Making statement bundles: the next statement, signed, with the signed status lists that are new in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from testamur.registry.canonical import Json, digest
from testamur.registry.key_events import parse_key_event, verification_method
from testamur.registry.keys import SigningKey
from testamur.registry.proofs import secure_document, sign_document
from testamur.registry.publications import Publication
from testamur.registry.repudiations import Repudiation
from testamur.registry.statements import DocumentEntry, StatusEntry, build_statement, status_entry
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import build_status_list_credential
from testamur.registry.status_records import (
    RecordBatch,
    StatusRecord,
    batch_root,
    build_records,
    records_id,
    records_root,
)
from testamur.registry.timestamps import format_timestamp

ListVersion = tuple[str, str, StatusBits]
"""(list id, purpose, bits) of a status list that is new or changed."""

LeafRange = tuple[int, int, int]
"""(epoch, first leaf, leaf after the last)."""


def build_bundle(
    earlier: Publication | None,
    *,
    did: str,
    lists: Sequence[ListVersion],
    key: SigningKey,
    now: datetime,
    key_events: Sequence[Json] = (),
    documents: Sequence[tuple[str, Json]] = (),
    above: int = 0,
    final: bool = False,
    records: Mapping[str, Sequence[StatusRecord]] = MappingProxyType({}),
    repudiated: Sequence[LeafRange] = (),
) -> dict[str, Json]:
    """A signed statement after `earlier`, with signed credentials for `lists`; for `verify_bundle`.

    `documents` are (id, document) of public documents that are new or take the place of an older version.
    `above` is a sequence that is used up on the chain (see `build_statement`). `records` say, by list id, why
    the bits of a list changed; a list without any may change without a reason. `repudiated` are leaves that
    the issuer says, from this statement on, it never issued; only what a lost key may have signed.
    """
    method, created = verification_method(did, key.public_key), format_timestamp(now)
    entries: dict[str, StatusEntry] = (
        {entry.id: entry for entry in earlier.status_entries()} if earlier else {}
    )
    credentials: list[Json] = []
    sequence = max(earlier.statement.sequence, above) + 1 if earlier else 1
    public = list(documents)
    for list_id, purpose, bits in lists:
        unsigned = build_status_list_credential(
            list_id=list_id, issuer=did, purpose=purpose, bits=bits, valid_from=created
        )
        signed = secure_document(unsigned, key, verification_method=method, created=created)
        before = entries.get(list_id)
        batches = earlier.lists[list_id].batches if earlier and before else ()
        if list_id in records:
            why = records[list_id]
            batches += (RecordBatch(statement=sequence, time=created, count=len(why), root=batch_root(why)),)
            public.append((records_id(list_id), build_records(list_id, batches)))
        entries[list_id] = status_entry(
            list_id=list_id,
            purpose=purpose,
            sequence=before.sequence + 1 if before else 1,
            digest=signed.digest,
            bits=bits,
            records_root=records_root(batches),
        )
        credentials.append(signed.document)
    events = [event.digest for event in earlier.keys.events] if earlier else []
    events += [parse_key_event(event).digest for event in key_events]
    named = {entry.id: entry for entry in earlier.document_entries()} if earlier else {}
    for document_id, document in public:
        named[document_id] = DocumentEntry(id=document_id, digest=digest(document))
    statement = build_statement(
        issuer=did,
        time=created,
        key_events=events,
        status=list(entries.values()),
        documents=list(named.values()),
        previous=earlier.statement if earlier else None,
        above=above,
        repudiated=[
            *(earlier.statement.repudiated if earlier else ()),
            *(
                Repudiation(epoch=epoch, start=start, end=end, statement=sequence, time=created)
                for epoch, start, end in repudiated
            ),
        ],
        final=final,
    )
    return {
        "statement": sign_document(statement, key, verification_method=method, created=created),
        "keyEvents": list(key_events),
        "statusLists": credentials,
        "documents": [{"id": document_id, "document": document} for document_id, document in public],
    }
