"""Making statement bundles: the next statement, signed, with the signed status lists that are new in it."""

from collections.abc import Sequence
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.key_events import parse_key_event, verification_method
from testamur.registry.keys import SigningKey
from testamur.registry.proofs import secure_document, sign_document
from testamur.registry.publications import Publication
from testamur.registry.statements import StatusEntry, build_statement, status_entry
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import build_status_list_credential
from testamur.registry.timestamps import format_timestamp

ListVersion = tuple[str, str, StatusBits]
"""(list id, purpose, bits) of a status list that is new or changed."""


def build_bundle(
    earlier: Publication | None,
    *,
    did: str,
    lists: Sequence[ListVersion],
    key: SigningKey,
    now: datetime,
    key_events: Sequence[Json] = (),
    above: int = 0,
    final: bool = False,
) -> dict[str, Json]:
    """A signed statement after `earlier`, with signed credentials for `lists`; for `verify_bundle`.

    `above` is a sequence that is used up on the chain (see `build_statement`).
    """
    method, created = verification_method(did, key.public_key), format_timestamp(now)
    entries: dict[str, StatusEntry] = (
        {entry.id: entry for entry in earlier.status_entries()} if earlier else {}
    )
    credentials: list[Json] = []
    for list_id, purpose, bits in lists:
        unsigned = build_status_list_credential(
            list_id=list_id, issuer=did, purpose=purpose, bits=bits, valid_from=created
        )
        signed = secure_document(unsigned, key, verification_method=method, created=created)
        before = entries.get(list_id)
        entries[list_id] = status_entry(
            list_id=list_id,
            purpose=purpose,
            sequence=before.sequence + 1 if before else 1,
            digest=signed.digest,
            bits=bits,
        )
        credentials.append(signed.document)
    events = [event.digest for event in earlier.keys.events] if earlier else []
    events += [parse_key_event(event).digest for event in key_events]
    statement = build_statement(
        issuer=did,
        time=created,
        key_events=events,
        status=list(entries.values()),
        documents=earlier.document_entries() if earlier else (),
        previous=earlier.statement if earlier else None,
        above=above,
        repudiated=earlier.statement.repudiated if earlier else (),
        final=final,
    )
    return {
        "statement": sign_document(statement, key, verification_method=method, created=created),
        "keyEvents": list(key_events),
        "statusLists": credentials,
        "documents": [],
    }
