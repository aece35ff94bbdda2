from typing import Any

import pytest

from fakes.issuers import DID, NOW, signing_key
from testamur.node.issuing.bundles import build_bundle
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.key_events import FIRST_POSITION, Position, build_key_event, commitment
from testamur.registry.keys import SigningKey
from testamur.registry.proofs import sign_document
from testamur.registry.publications import (
    FAR_POSITION,
    Publication,
    parse_bundle,
    restore_publication,
    verify_bundle,
)
from testamur.registry.status import StatusBits

KEY, NEXT = signing_key(1), signing_key(2)
REVOCATION = "https://status.ada.example/ada/revocation/1"
SUSPENSION = "https://status.ada.example/ada/suspension/1"
CREATED = "2026-11-21T10:00:00Z"
EVENT = build_key_event(did=DID, keys=[KEY], next_commitment=commitment([NEXT.public_key]), created=CREATED)


def bits(*indexes: int) -> StatusBits:
    made = StatusBits()
    for index in indexes:
        made.set(index)
    return made


def first_bundle() -> dict[str, Any]:
    lists = [(REVOCATION, "revocation", bits()), (SUSPENSION, "suspension", bits())]
    return build_bundle(None, did=DID, lists=lists, key_events=[EVENT], key=KEY, now=NOW)


def accepted(
    earlier: Publication | None,
    bundle: dict[str, Any],
    published: Position = FIRST_POSITION,
    logged: Position = Position(1, 3),
) -> Publication:
    return verify_bundle(earlier, parse_bundle(bundle), did=DID, published=published, logged=logged)


FIRST = accepted(None, first_bundle())


def next_bundle(
    earlier: Publication, *lists: tuple[str, str, StatusBits], key: SigningKey = KEY
) -> dict[str, Any]:
    return build_bundle(earlier, did=DID, lists=lists, key=key, now=NOW)


def reason_of(earlier: Publication | None, bundle: dict[str, Any], **places: Position) -> str:
    with pytest.raises(VerificationError) as caught:
        accepted(earlier, bundle, **places)
    return caught.value.reason


def resigned(bundle: dict[str, Any], **changes: Any) -> dict[str, Any]:
    statement = {name: value for name, value in bundle["statement"].items() if name != "proof"}
    method = bundle["statement"]["proof"]["verificationMethod"]
    signed = sign_document({**statement, **changes}, KEY, verification_method=method, created=CREATED)
    return {**bundle, "statement": signed}


def test_the_first_bundle_is_logged_key_event_first_and_statement_last() -> None:
    kinds = [document.get("type") if isinstance(document, dict) else None for document in FIRST.fresh]
    lists = ["VerifiableCredential", "BitstringStatusListCredential"]
    assert kinds == ["KeyEvent", lists, lists, "Statement"]
    assert {name: item.entry.sequence for name, item in FIRST.lists.items()} == {REVOCATION: 1, SUSPENSION: 1}


def test_a_revocation_is_a_new_version_of_one_list() -> None:
    second = accepted(FIRST, next_bundle(FIRST, (REVOCATION, "revocation", bits(7))))
    assert second.lists[REVOCATION].entry.sequence == 2
    assert second.lists[SUSPENSION].entry.sequence == 1
    assert second.statement.sequence == 2
    assert len(second.fresh) == 2


def test_a_revocation_bit_never_clears_and_a_suspension_bit_may() -> None:
    revoked = accepted(FIRST, next_bundle(FIRST, (REVOCATION, "revocation", bits(7, 8))))
    cleared = next_bundle(revoked, (REVOCATION, "revocation", bits(8)))
    assert reason_of(revoked, cleared) == "status-bit-cleared"
    suspended = accepted(FIRST, next_bundle(FIRST, (SUSPENSION, "suspension", bits(7))))
    accepted(suspended, next_bundle(suspended, (SUSPENSION, "suspension", bits())))


def test_repeating_the_newest_statement_changes_nothing() -> None:
    again = accepted(FIRST, first_bundle())
    assert (again.statement, again.fresh) == (FIRST.statement, ())


def test_a_second_statement_with_the_same_sequence_is_refused() -> None:
    other = resigned(first_bundle(), time="2026-11-21T11:00:00Z")
    assert reason_of(FIRST, other) == "statement-equivocation"
    second = accepted(FIRST, next_bundle(FIRST, (REVOCATION, "revocation", bits(7))))
    assert reason_of(second, other) == "statement-sequence-fell"


def test_a_statement_cannot_come_out_of_nowhere() -> None:
    second = next_bundle(FIRST, (REVOCATION, "revocation", bits(7)))
    assert reason_of(None, second) == "statement-chain-broken"


def test_a_statement_may_leave_numbers_out_and_nothing_else() -> None:
    revocation = next_bundle(FIRST, (REVOCATION, "revocation", bits(7)))
    jumped = accepted(FIRST, resigned(revocation, sequence=16_385))
    assert jumped.statement.sequence == 16_385
    assert jumped.lists[REVOCATION].entry.sequence == 2
    after = accepted(jumped, next_bundle(jumped, (REVOCATION, "revocation", bits(7, 8))))
    assert after.statement.sequence == 16_386
    cleared = next_bundle(jumped, (REVOCATION, "revocation", bits()))
    assert reason_of(jumped, resigned(cleared, sequence=20_000)) == "status-bit-cleared"
    missed = next_bundle(accepted(FIRST, revocation), (REVOCATION, "revocation", bits(7, 8)))
    assert reason_of(FIRST, resigned(missed, sequence=16_385)) == "statement-chain-broken"


def test_a_statement_names_exactly_what_is_there() -> None:
    bundle = first_bundle()
    missing = {**bundle, "statusLists": bundle["statusLists"][:1]}
    assert reason_of(None, missing) == "statement-roots-mismatch"
    surplus = {**bundle, "documents": [{"id": "https://ada.example/d", "document": {"a": 1}}]}
    assert reason_of(None, surplus) == "statement-roots-mismatch"
    without_event = {**next_bundle(FIRST), "keyEvents": [EVENT]}
    assert reason_of(FIRST, without_event) == "statement-key-events-mismatch"


def test_a_list_of_another_issuer_kind_or_length_is_refused() -> None:
    def listed(**changes: Any) -> str:
        bundle = next_bundle(FIRST, (REVOCATION, "revocation", bits(7)))
        unsigned = {name: value for name, value in bundle["statusLists"][0].items() if name != "proof"}
        method = bundle["statement"]["proof"]["verificationMethod"]
        document = sign_document({**unsigned, **changes}, KEY, verification_method=method, created=CREATED)
        return reason_of(FIRST, {**bundle, "statusLists": [document]})

    assert listed(issuer="did:web:other.example") == "status-list-issuer-mismatch"
    assert listed(id=SUSPENSION) == "status-list-changed-kind"
    longer = next_bundle(FIRST, (REVOCATION, "revocation", StatusBits(2 * 131_072)))
    assert reason_of(FIRST, longer) == "status-list-changed-kind"


def test_a_list_that_is_signed_by_nobody_we_know_is_refused() -> None:
    bundle = next_bundle(FIRST, (REVOCATION, "revocation", bits(7)))
    bundle["statusLists"][0]["validFrom"] = "2026-11-20T10:00:00Z"
    assert reason_of(FIRST, bundle) == "signature-invalid"
    stranger = next_bundle(FIRST, (REVOCATION, "revocation", bits(7)), key=signing_key(9))
    assert reason_of(FIRST, stranger) == "key-not-in-force"


def test_a_list_that_says_what_it_said_before_is_not_logged_again() -> None:
    again = {**next_bundle(FIRST), "statusLists": [FIRST.lists[REVOCATION].credential]}
    assert len(accepted(FIRST, again).fresh) == 1


def test_a_statement_of_another_issuer_is_refused() -> None:
    with pytest.raises(VerificationError, match="statement-issuer-mismatch"):
        verify_bundle(
            None,
            parse_bundle(first_bundle()),
            did="did:web:other.example",
            published=FIRST_POSITION,
            logged=FAR_POSITION,
        )


def rotation(start: Position) -> dict[str, Any]:
    following = commitment([signing_key(3).public_key])
    event = build_key_event(
        did=DID,
        keys=[NEXT],
        next_commitment=following,
        created=CREATED,
        previous=FIRST.keys.events[-1],
        start=start,
    )
    return build_bundle(FIRST, did=DID, lists=[], key_events=[event], key=NEXT, now=NOW)


def test_a_rotation_takes_effect_between_the_last_checkpoint_and_its_own_statement() -> None:
    published, logged = Position(1, 100), Position(1, 120)
    for index in (100, 119, 120):
        rotated = accepted(FIRST, rotation(Position(1, index)), published, logged)
        assert [key.public_key for key in rotated.keys.chains[0].keys_at(1, 120)] == [NEXT.public_key]
    assert (
        reason_of(FIRST, rotation(Position(1, 99)), published=published, logged=logged)
        == "key-event-backdated"
    )
    late = reason_of(FIRST, rotation(Position(1, 121)), published=published, logged=logged)
    assert late == "key-not-in-force"


def test_after_a_rotation_the_old_key_makes_no_statements() -> None:
    rotated = accepted(FIRST, rotation(Position(1, 10)), Position(1, 10), Position(1, 11))
    assert reason_of(rotated, next_bundle(rotated), logged=Position(1, 12)) == "key-not-in-force"
    accepted(rotated, next_bundle(rotated, key=NEXT), logged=Position(1, 12))


def test_a_publication_comes_back_from_its_document() -> None:
    second = accepted(FIRST, next_bundle(FIRST, (REVOCATION, "revocation", bits(7))))
    restored = restore_publication(second.to_json())
    assert restored.statement == second.statement
    assert restored.lists == second.lists
    assert restored.keys.events == second.keys.events
    assert restored.fresh == ()
    accepted(restored, next_bundle(restored, (SUSPENSION, "suspension", bits(7))))


def test_a_document_that_disagrees_with_itself_is_not_restored() -> None:
    second = accepted(FIRST, next_bundle(FIRST, (REVOCATION, "revocation", bits(7))))
    document: dict[str, Any] = second.to_json()
    document["statusLists"] = document["statusLists"][:1]
    with pytest.raises(RegistryError):
        restore_publication(document)
    with pytest.raises(MalformedError):
        restore_publication({**second.to_json(), "version": 2})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("statement", None),
        ("keyEvents", 5),
        ("statusLists", [{}] * 257),
        ("documents", [{"id": "a"}, {"id": "a"}]),
        ("documents", [{"id": "a", "document": 1, "x": 2}]),
        ("extra", []),
    ],
)
def test_a_bundle_of_another_shape_is_malformed(member: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        parse_bundle({**first_bundle(), member: value})
