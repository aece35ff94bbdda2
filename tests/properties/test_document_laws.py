"""Laws of the registry's documents: parsers, proofs, status lists, timestamps, structures."""

import contextlib
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.awards import award
from fakes.issuers import DID, NOW, signing_key
from testamur.node.issuing.bundles import build_bundle
from testamur.registry.admissions import Admission, parse_admission
from testamur.registry.canonical import canonicalize
from testamur.registry.credentials import parse_credential
from testamur.registry.descriptions import describe
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.jsonld import expand_safely
from testamur.registry.key_events import build_key_event, commitment, parse_key_event
from testamur.registry.multiformats import encode_digest
from testamur.registry.proofs import proofs_of, secure_document, verify_document_proof
from testamur.registry.publications import parse_bundle, restore_publication
from testamur.registry.statements import (
    StatusEntry,
    entries_root,
    parse_seal,
    parse_statement,
    parse_status_entry_of_statement,
    prove_entry,
    verify_entry,
)
from testamur.registry.status import (
    MIN_STATUS_LIST_BITS,
    StatusBits,
    chunk_root,
    decode_list,
    encode_list,
    prove_chunk,
    verify_chunk,
)
from testamur.registry.status_lists import (
    build_status_list_credential,
    parse_status_entry,
    parse_status_list,
)
from testamur.registry.structures import structure_key
from testamur.registry.timestamps import format_timestamp, parse_timestamp

KEY = signing_key(1)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = """
@context id type issuer proof validFrom credentialSubject credentialStatus keys name sequence previous
statement from encodedList statusListIndex achievement
"""
members = st.sampled_from(MEMBERS.split())


def paths_of(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for name, value in items:
        found += paths_of(value, (*path, name))
    return found


AWARD_PATHS = paths_of(award())


def with_value(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = deepcopy(document)
    target = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return changed


EVENT = build_key_event(
    did=DID, keys=[KEY], next_commitment=commitment([KEY.public_key]), created="2026-11-21T10:00:00Z"
)
LIST = build_status_list_credential(
    list_id="https://s.example/1",
    issuer=DID,
    purpose="revocation",
    bits=StatusBits(),
    valid_from="2026-11-21T10:00:00Z",
)
BUNDLE = build_bundle(
    None,
    did=DID,
    lists=[("https://s.example/1", "revocation", StatusBits())],
    key_events=[EVENT],
    key=KEY,
    now=NOW,
)
SEAL = {
    "type": "Seal",
    "version": 1,
    "origin": "registry.example/ada/1",
    "size": 2,
    "time": "2026-11-21T10:00:00Z",
    "statement": {"sequence": 1, "digest": encode_digest(bytes(32))},
    "previousSeal": 1,
}
ADMISSION = Admission(registry="registry.example", slug="ada", did=DID, first_key_event=bytes(32)).to_json()
ENTRY = StatusEntry(
    id="https://s.example/1",
    purpose="revocation",
    sequence=1,
    length=131_072,
    digest=bytes(32),
    chunk_root=bytes(32),
).to_json()

PARSERS: list[tuple[Any, Any]] = [
    (parse_admission, ADMISSION),
    (parse_bundle, BUNDLE),
    (parse_credential, award()),
    (parse_key_event, EVENT),
    (parse_seal, SEAL),
    (parse_statement, BUNDLE["statement"]),
    (parse_status_entry, award()["credentialStatus"][0]),
    (parse_status_entry_of_statement, ENTRY),
    (parse_status_list, LIST),
]


@pytest.mark.parametrize(("parse", "good"), PARSERS, ids=lambda item: getattr(item, "__name__", ""))
@given(data=st.data(), value=values)
def test_a_good_document_with_anything_in_any_place_is_parsed_or_malformed(
    parse: Any, good: Any, data: st.DataObject, value: Any
) -> None:
    parse(good)
    path = data.draw(st.sampled_from(paths_of(good)))
    with contextlib.suppress(MalformedError):
        parse(with_value(good, path, value))


@given(document=st.dictionaries(members, values, max_size=6) | values)
def test_parsers_raise_nothing_but_malformed(document: Any) -> None:
    for parse, _ in PARSERS:
        with contextlib.suppress(MalformedError):
            parse(document)


@given(data=st.binary(max_size=200))
def test_bytes_are_a_credential_a_seal_or_malformed(data: bytes) -> None:
    for parse in (parse_credential, parse_seal):
        with contextlib.suppress(MalformedError):
            parse(data)


@given(document=st.dictionaries(members, values, max_size=4))
def test_restoring_a_publication_raises_nothing_foreign(document: Any) -> None:
    with contextlib.suppress(RegistryError):
        restore_publication({"type": "Publication", "version": 1, **document})


@given(path=st.sampled_from(AWARD_PATHS), value=values)
def test_an_award_with_anything_in_any_place_is_parsed_or_malformed_and_can_be_described(
    path: tuple[Any, ...], value: Any
) -> None:
    try:
        credential = parse_credential(with_value(award(), path, value))
    except MalformedError:
        return
    else:
        for _, text in describe(credential).lines():
            assert text.isprintable()


@given(path=st.sampled_from(AWARD_PATHS), value=values)
def test_expansion_raises_nothing_but_malformed(path: tuple[Any, ...], value: Any) -> None:
    with contextlib.suppress(MalformedError):
        expand_safely(with_value(award(), path, value))


def is_safe(document: Any) -> bool:
    try:
        expand_safely(document)
    except MalformedError:
        return False
    return True


texts = st.sampled_from(
    ["x", "", "Ada: an introduction", "urn:x", "https://a.example", "_:b", "@id", "@x", "a b:c"]
)


@given(
    path=st.sampled_from(AWARD_PATHS), first=texts | st.text(max_size=5), second=texts | st.text(max_size=5)
)
def test_documents_with_one_structure_are_both_safe_or_both_not(
    path: tuple[Any, ...], first: str, second: str
) -> None:
    one, other = with_value(award(), path, first), with_value(award(), path, second)
    if structure_key(one) == structure_key(other):
        assert is_safe(one) == is_safe(other)


json_objects = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), values, max_size=5)


@given(document=json_objects.filter(lambda value: "proof" not in value))
def test_whatever_is_signed_verifies_and_is_canonical(document: Any) -> None:
    secured = secure_document(document, KEY, verification_method="did:example:a#k")
    assert secured.canonical == canonicalize(secured.document)
    (proof,) = proofs_of(secured.document)
    assert verify_document_proof(secured.document, proof, KEY.public_key) == document


@given(document=json_objects, name=st.text(st.characters(codec="utf-8"), max_size=8), value=values)
def test_a_member_that_is_added_or_changed_breaks_the_proof(document: Any, name: str, value: Any) -> None:
    document = {key: item for key, item in document.items() if key != "proof"}
    secured = secure_document(document, KEY, verification_method="did:example:a#k").document
    changed = {**secured, name: value}
    if name == "proof" or canonicalize(changed) == canonicalize(secured):
        return
    with pytest.raises(VerificationError):
        verify_document_proof(changed, proofs_of(changed)[0], KEY.public_key)


@given(
    indexes=st.sets(st.integers(0, MIN_STATUS_LIST_BITS - 1), max_size=50),
    asked=st.integers(0, MIN_STATUS_LIST_BITS - 1),
)
def test_a_list_says_the_same_whole_and_by_chunk(indexes: set[int], asked: int) -> None:
    bits = StatusBits()
    for index in indexes:
        bits.set(index)
    assert decode_list(encode_list(bits)) == bits.to_bytes()
    chunk, _, path = prove_chunk(bits, asked)
    assert verify_chunk(chunk, asked, bits.length, path, chunk_root(bits)) is (asked in indexes)


@given(text=st.text(max_size=60) | st.binary(max_size=60).map(lambda data: "u" + data.hex()))
def test_an_encoded_list_is_decoded_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedError):
        decode_list(text, max_bytes=1 << 16)


@given(moment=st.datetimes(timezones=st.timezones()))
def test_a_moment_survives_writing_to_the_second(moment: datetime) -> None:
    try:
        floor = moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return
    assert parse_timestamp(format_timestamp(floor)) == floor


@given(text=st.text(alphabet="0123456789-:TZ+.", max_size=30))
def test_a_time_is_parsed_in_utc_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedError):
        assert parse_timestamp(text).utcoffset() == timedelta()


ids = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), unique=True, min_size=1, max_size=9
)


@given(names=ids, data=st.data())
def test_the_order_of_entries_does_not_matter_and_each_is_proven(
    names: list[str], data: st.DataObject
) -> None:
    entries = [
        StatusEntry(id=name, purpose="p", sequence=1, length=131_072, digest=bytes(32), chunk_root=bytes(32))
        for name in names
    ]
    shuffled = data.draw(st.permutations(entries))
    root = entries_root(entries)
    assert entries_root(shuffled) == root
    chosen = data.draw(st.sampled_from(entries))
    index, path = prove_entry(shuffled, chosen.id)
    verify_entry(chosen, index, len(entries), path, root)
