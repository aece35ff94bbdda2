"""Publications of an issuer that lost a key: what it may disown, and with which chain it goes on."""

from typing import Any

import pytest

from fakes.issuers import DID, NOW, signing_key
from testamur.node.issuing.bundles import build_bundle
from testamur.registry.errors import VerificationError
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import (
    FIRST_POSITION,
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
)
from testamur.registry.publications import Publication, parse_bundle, restore_publication, verify_bundle
from testamur.registry.status import StatusBits

KEY, NEXT, NEW = signing_key(1), signing_key(2), signing_key(20)
REVOCATION = "https://status.ada.example/ada/revocation/1"
CREATED = "2026-11-21T10:00:00Z"


def bits(*indexes: int) -> StatusBits:
    made = StatusBits()
    for index in indexes:
        made.set(index)
    return made


EVENT = build_key_event(did=DID, keys=[KEY], next_commitment=commitment([NEXT.public_key]), created=CREATED)
FIRST = verify_bundle(
    None,
    parse_bundle(
        build_bundle(
            None, did=DID, lists=[(REVOCATION, "revocation", bits())], key_events=[EVENT], key=KEY, now=NOW
        )
    ),
    did=DID,
    published=FIRST_POSITION,
    logged=Position(1, 2),
)


def rotated(*, compromised: bool) -> Any:
    return build_key_event(
        did=DID,
        keys=[NEXT],
        next_commitment=commitment([signing_key(3).public_key]),
        created=CREATED,
        previous=parse_key_event(EVENT),
        start=Position(1, 10),
        compromised=[verification_method(DID, KEY.public_key)] if compromised else [],
    )


LOST = rotated(compromised=True)
RECOVERED = build_key_event(
    did=DID,
    keys=[NEW],
    next_commitment=commitment([signing_key(21).public_key]),
    created=CREATED,
    start=Position(1, 4),
)


def record_of(event: dict[str, Any], size: int) -> KeyChainRecord:
    digest = parse_key_event(event).digest
    return KeyChainRecord(first_key_event=digest, epoch=1, start_size=size, recorded_at=1_795_000_000)


def taken(
    earlier: Publication | None, bundle: dict[str, Any], *, chains: tuple[KeyChainRecord, ...] | None = None
) -> Publication:
    at = Position(1, 12)
    return verify_bundle(
        earlier, parse_bundle(bundle), did=DID, published=Position(1, 10), logged=at, key_chains=chains
    )


def refused(earlier: Publication | None, bundle: dict[str, Any], **options: Any) -> str:
    with pytest.raises(VerificationError) as caught:
        taken(earlier, bundle, **options)
    return caught.value.reason


def test_an_issuer_disowns_what_its_compromised_key_had_logged_and_nothing_more() -> None:
    def disowning(*leaves: tuple[int, int, int], event: dict[str, Any] = LOST) -> dict[str, Any]:
        return build_bundle(
            FIRST, did=DID, lists=[], key_events=[event], key=NEXT, now=NOW, repudiated=leaves
        )

    said = taken(FIRST, disowning((1, 2, 10)))
    (item,) = said.statement.repudiated
    assert (item.start, item.end, item.statement, item.time) == (2, 10, 2, CREATED)
    assert refused(FIRST, disowning((1, 2, 11))) == "repudiation-out-of-bounds"
    assert refused(FIRST, disowning((1, 2, 10), event=rotated(compromised=False))) == (
        "repudiation-out-of-bounds"
    )
    assert refused(
        FIRST, build_bundle(FIRST, did=DID, lists=[], key=KEY, now=NOW, repudiated=[(1, 0, 10**9)])
    ) == ("repudiation-out-of-bounds")
    # It stays, as it was recorded.
    kept = taken(said, build_bundle(said, did=DID, lists=[], key=NEXT, now=NOW))
    assert kept.statement.repudiated == said.statement.repudiated


def test_after_a_recovery_the_issuer_goes_on_with_the_chain_that_the_contract_recorded() -> None:
    bundle = build_bundle(
        FIRST, did=DID, lists=[], key_events=[RECOVERED], key=NEW, now=NOW, repudiated=[(1, 2, 9)]
    )
    records = (record_of(RECOVERED, 9),)
    recovered = taken(FIRST, bundle, chains=records)
    assert (len(recovered.keys.chains), recovered.statement.key_events_count) == (2, 2)
    # Nobody has to look the records up again, also not from disk.
    restored = restore_publication(recovered.to_json())
    assert (restored.key_chains, restored.keys.chains) == (records, recovered.keys.chains)
    for earlier in (recovered, restored):
        taken(
            earlier,
            build_bundle(earlier, did=DID, lists=[(REVOCATION, "revocation", bits(7))], key=NEW, now=NOW),
        )
        assert (
            refused(earlier, build_bundle(earlier, did=DID, lists=[], key=KEY, now=NOW)) == "key-not-in-force"
        )


def test_no_chain_begins_that_the_contract_did_not_record_and_none_is_left_out() -> None:
    bundle = build_bundle(FIRST, did=DID, lists=[], key_events=[RECOVERED], key=NEW, now=NOW)
    assert refused(FIRST, bundle) == "key-chain-mismatch"
    assert refused(FIRST, bundle, chains=()) == "key-chain-mismatch"
    assert refused(FIRST, bundle, chains=(record_of(LOST, 9),)) == "key-chain-mismatch"
    assert refused(FIRST, bundle, chains=(record_of(RECOVERED, 3),)) == "key-event-start-mismatch"
    # A thief who goes on with the lost key, after the contract has the recovery.
    assert (
        refused(
            FIRST, build_bundle(FIRST, did=DID, lists=[], key=KEY, now=NOW), chains=(record_of(RECOVERED, 9),)
        )
        == "key-chain-missing"
    )
