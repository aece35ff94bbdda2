from typing import Any

import pytest

from testamur.registry.credentials import parse_credential
from testamur.registry.errors import MalformedError
from testamur.registry.jsonld import expand_safely
from testamur.registry.status import StatusBits, encode_list
from testamur.registry.status_lists import (
    StatusListEntry,
    build_status_list_credential,
    list_id,
    parse_status_entry,
    parse_status_list,
)

LIST = "https://status.ada.example/ada/revocation/1"
ENTRY: dict[str, Any] = {
    "id": f"{LIST}#94567",
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "94567",
    "statusListCredential": LIST,
}


def credential(bits: StatusBits | None = None) -> dict[str, Any]:
    return build_status_list_credential(
        list_id=LIST,
        issuer="did:web:ada.example",
        purpose="revocation",
        bits=bits or StatusBits(),
        valid_from="2026-11-21T10:00:00Z",
    )


def test_an_entry_is_parsed_and_written_back_unchanged() -> None:
    entry = parse_status_entry(ENTRY)
    assert entry == StatusListEntry(purpose="revocation", index=94567, list_id=LIST)
    assert entry.to_json() == ENTRY


def test_the_index_of_an_entry_is_a_string() -> None:
    assert StatusListEntry(purpose="revocation", index=0, list_id=LIST).to_json()["statusListIndex"] == "0"
    with pytest.raises(MalformedError, match="/statusListIndex"):
        parse_status_entry({**ENTRY, "statusListIndex": 94567})


@pytest.mark.parametrize("index", ["", "-1", "1.0", "01", " 1", "1e3", "\uff19", "1" * 17, "0x1"])
def test_an_index_that_is_no_decimal_number_is_malformed(index: str) -> None:
    with pytest.raises(MalformedError, match="/statusListIndex"):
        parse_status_entry({**ENTRY, "statusListIndex": index})


@pytest.mark.parametrize("kind", ["StatusList2021Entry", "1EdTechRevocationList", ["Other"]])
def test_a_kind_of_status_that_is_not_known_is_unknown(kind: Any) -> None:
    assert parse_status_entry({**ENTRY, "type": kind}) is None


@pytest.mark.parametrize("member", ["statusPurpose", "statusListIndex", "statusListCredential"])
def test_an_entry_without_a_member_is_malformed(member: str) -> None:
    broken = {name: value for name, value in ENTRY.items() if name != member}
    with pytest.raises(MalformedError, match=f"/{member}"):
        parse_status_entry(broken)


def test_a_wide_entry_needs_a_message_for_each_value() -> None:
    messages = [{"status": f"0x{value}", "message": "m"} for value in range(4)]
    wide = {**ENTRY, "statusPurpose": "message", "statusSize": 2, "statusMessage": messages}
    entry = parse_status_entry(wide)
    assert entry is not None
    assert entry.size == 2
    for broken in (
        {"statusMessage": messages[:3]},
        {"statusSize": 0},
        {"statusSize": "2"},
        {"statusSize": 9},
    ):
        with pytest.raises(MalformedError):
            parse_status_entry({**wide, **broken})


def test_a_list_credential_carries_its_bits() -> None:
    bits = StatusBits()
    bits.set(94567)
    parsed = parse_status_list(credential(bits))
    assert (parsed.id, parsed.issuer, parsed.purpose) == (LIST, "did:web:ada.example", "revocation")
    assert parsed.bits.get(94567)
    assert parsed.data == bits.to_bytes()


def test_our_list_credential_is_a_credential_and_safe_json_ld() -> None:
    parse_credential(credential())
    assert expand_safely(credential())


def test_a_list_may_serve_several_purposes() -> None:
    document = credential()
    document["credentialSubject"]["statusPurpose"] = ["revocation", "suspension"]
    assert parse_status_list(document).purposes == ("revocation", "suspension")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("type",), ["VerifiableCredential"]),
        (("issuer",), None),
        (("issuer",), {"name": "Ada"}),
        (("id",), None),
        (("validFrom",), "today"),
        (("credentialSubject",), None),
        (("credentialSubject", "type"), "Other"),
        (("credentialSubject", "statusPurpose"), []),
        (("credentialSubject", "statusPurpose"), ["revocation", 5]),
        (("credentialSubject", "encodedList"), None),
        (("credentialSubject", "encodedList"), encode_list(StatusBits())[1:]),
    ],
)
def test_a_list_credential_of_another_shape_is_malformed(path: tuple[str, ...], value: Any) -> None:
    document = credential()
    target = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(MalformedError, match="status list"):
        parse_status_list(document)


def test_list_ids_say_whose_what_for_and_which() -> None:
    assert list_id("https://status.ada.example", "ada", "revocation", 1) == LIST
