"""did:ethr without a chain: names, events as bytes, and the document that they make."""

import re
from datetime import UTC, datetime

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from testamur.registry.did_ethr import (
    MAX_CHANGES,
    EthrHistory,
    checksum_address,
    ethr_document,
    parse_did_ethr,
)
from testamur.registry.did_ethr_events import (
    ATTRIBUTE_CHANGED,
    DELEGATE_CHANGED,
    MAX_VALUE_BYTES,
    OWNER_CHANGED,
    AttributeChanged,
    DelegateChanged,
    OwnerChanged,
    changed_call,
    parse_block_number,
    parse_event,
)
from testamur.registry.did_resolution import Resolution, Wanted, read_request
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import keccak256

ADDRESS = bytes.fromhex("b9c5714089478a327f09197987f16f9e5d936e8a")
DID = f"did:ethr:0x{ADDRESS.hex()}"
OTHER = b"\x22" * 20
KEY = "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
KEY_ADDRESS = "7e5f4552091a69125d5dfcb7b8c2659029395bdf"
"""The generator of secp256k1, whose account everybody knows."""

FOREVER = 2**256 - 1


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def document(events, *, did=DID, seconds=1000, last_block=None):
    history = EthrHistory(events=events, times={event.block: 10 * event.block for event in events})
    return ethr_document(parse_did_ethr(did), history, moment=at(seconds), last_block=last_block)


def owner(block, to):
    return OwnerChanged(owner=to, previous_change=0, block=block)


def delegate(block, valid_to, *, kind="veriKey", who=OTHER):
    return DelegateChanged(kind=kind, delegate=who, valid_to=valid_to, previous_change=0, block=block)


def attribute(block, name, value, valid_to=FOREVER):
    return AttributeChanged(name=name, value=value, valid_to=valid_to, previous_change=0, block=block)


def ids(found, name="verificationMethod"):
    listed = [item if isinstance(item, str) else item["id"] for item in found.get(name, [])]
    return [item.removeprefix(f"{found['id']}#") for item in listed]


@pytest.mark.parametrize(
    ("did", "chain_id", "address"),
    [
        (DID, 1, ADDRESS.hex()),
        (f"did:ethr:mainnet:0x{ADDRESS.hex()}", 1, ADDRESS.hex()),
        (f"did:ethr:sepolia:0x{ADDRESS.hex()}", 11155111, ADDRESS.hex()),
        (f"did:ethr:0x7a69:0x{ADDRESS.hex().upper()}", 31337, ADDRESS.hex()),
        (f"did:ethr:{KEY}", 1, KEY_ADDRESS),
        (f"did:ethr:0x7a69:{KEY}", 31337, KEY_ADDRESS),
    ],
)
def test_a_did_ethr_names_a_chain_and_an_account(did, chain_id, address):
    parsed = parse_did_ethr(did)
    assert (parsed.chain_id, parsed.address.hex()) == (chain_id, address)
    assert (parsed.key is None) == (KEY not in did)


@pytest.mark.parametrize(
    "did",
    [
        "did:web:ada.example",
        "did:ethr:0x00",
        f"did:ethr:{ADDRESS.hex()}",
        f"did:ethr:nowhere:0x{ADDRESS.hex()}",
        f"did:ethr:0x:0x{ADDRESS.hex()}",
        f"did:ethr:0x1:0x1:0x{ADDRESS.hex()}",
        f"did:ethr:0x{ADDRESS.hex()}0",
        f"did:ethr:0x{'0' * 66}",
        f"did:ethr:0x02{'f' * 64}",
    ],
)
def test_what_names_no_account_is_refused(did):
    with pytest.raises(MalformedError, match="did:ethr"):
        parse_did_ethr(did)


def test_addresses_have_the_capitals_of_eip_55():
    for text in (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    ):
        assert checksum_address(bytes.fromhex(text[2:])) == text


def test_an_identity_that_nobody_changed_has_its_own_account_as_key():
    found, metadata = document([])
    assert metadata == {}
    assert found["verificationMethod"] == [
        {
            "id": f"{DID}#controller",
            "type": "EcdsaSecp256k1RecoveryMethod2020",
            "controller": DID,
            "blockchainAccountId": f"eip155:1:{checksum_address(ADDRESS)}",
        }
    ]
    assert ids(found, "authentication") == ids(found, "assertionMethod") == ["controller"]
    assert "service" not in found
    assert "keyAgreement" not in found


def test_a_public_key_counts_until_the_identity_belongs_to_somebody_else():
    did = f"did:ethr:{KEY}"
    found, _ = document([], did=did)
    assert ids(found, "assertionMethod") == ["controller", "controllerKey"]
    assert found["verificationMethod"][1]["publicKeyHex"] == KEY[2:]
    assert ids(document([owner(1, OTHER)], did=did)[0]) == ["controller"]


def test_an_owner_zero_deactivates_for_good():
    events = [delegate(1, FOREVER), owner(2, b"\0" * 20), owner(3, OTHER), attribute(3, "did/svc/A", b"b")]
    found, metadata = document(events)
    assert metadata == {"deactivated": True, "versionId": "2", "updated": "1970-01-01T00:00:20Z"}
    assert found["verificationMethod"] == found["assertionMethod"] == found["authentication"] == []
    before, metadata = document(events, seconds=19)
    assert ids(before) == ["controller", "delegate-1"]
    assert (metadata["versionId"], metadata["nextVersionId"], "deactivated" in metadata) == ("1", "2", False)


def test_delegates_keep_their_numbers_when_others_are_revoked_or_expire():
    events = [
        delegate(1, 500),
        delegate(2, FOREVER, who=b"\x33" * 20, kind="sigAuth"),
        delegate(3, 30),
        delegate(4, FOREVER, who=b"\x44" * 20, kind="raw"),
        attribute(5, "did/pub/Ed25519/veriKey/base58", b"\x01" * 32),
    ]
    assert ids(document(events, seconds=29)[0]) == ["controller", "delegate-1", "delegate-2"]
    found, metadata = document(events)
    assert ids(found) == ["controller", "delegate-2", "delegate-5"]
    assert ids(found, "authentication") == ["controller", "delegate-2"]
    assert ids(found, "assertionMethod") == ["controller", "delegate-2", "delegate-5"]
    assert metadata == {"versionId": "5", "updated": "1970-01-01T00:00:50Z"}


def test_a_key_counts_up_to_its_last_second_and_no_longer():
    events = [delegate(1, 500)]
    assert ids(document(events, seconds=500)[0]) == ["controller", "delegate-1"]
    assert ids(document(events, seconds=501)[0]) == ["controller"]


def test_a_version_is_what_was_known_in_its_block():
    events = [owner(1, OTHER), owner(3, ADDRESS), owner(3, b"\x33" * 20)]
    for last_block, account, version, following in (
        (0, ADDRESS, None, "1"),
        (2, OTHER, "1", "3"),
        (3, b"\x33" * 20, "3", None),
    ):
        found, metadata = document(events, last_block=last_block)
        assert found["verificationMethod"][0]["blockchainAccountId"].endswith(checksum_address(account))
        assert (metadata.get("versionId"), metadata.get("nextVersionId")) == (version, following)


@pytest.mark.parametrize(
    ("name", "kind", "member", "text", "uses"),
    [
        ("did/pub/Secp256k1/veriKey", "EcdsaSecp256k1VerificationKey2019", "publicKeyHex", "0102", "a"),
        ("did/pub/Secp256k1/sigAuth/hex", "EcdsaSecp256k1VerificationKey2019", "publicKeyHex", "0102", "as"),
        ("did/pub/Ed25519/veriKey/base64", "Ed25519VerificationKey2018", "publicKeyBase64", "AQI=", "a"),
        ("did/pub/Ed25519/veriKey/base58", "Ed25519VerificationKey2018", "publicKeyBase58", "5T", "a"),
        ("did/pub/X25519/enc/base64", "X25519KeyAgreementKey2019", "publicKeyBase64", "AQI=", "k"),
        ("did/pub/RSA/veriKey/pem", "RSAVerificationKey2018", "publicKeyPem", "\x01\x02", "a"),
        ("did/pub/Other/veriKey/odd", "Other", "value", "0102", "a"),
    ],
)
def test_an_attribute_is_a_key(name, kind, member, text, uses):
    found, _ = document([attribute(1, name, b"\x01\x02")])
    method = found["verificationMethod"][1]
    assert (method["type"], method[member]) == (kind, text)
    assert ("delegate-1" in ids(found, "assertionMethod")) == ("a" in uses)
    assert ("delegate-1" in ids(found, "authentication")) == ("s" in uses)
    assert ("delegate-1" in ids(found, "keyAgreement")) == ("k" in uses)
    assert ids(document([attribute(1, name, b"\x01\x02"), attribute(2, name, b"\x01\x02", 0)])[0]) == [
        "controller"
    ]


@pytest.mark.parametrize(
    ("value", "endpoint"),
    [
        (b"https://ada.example", "https://ada.example"),
        (b'{"uri": "https://ada.example"}', {"uri": "https://ada.example"}),
        (b"{not json", "{not json"),
        (b"[" * MAX_VALUE_BYTES, "[" * MAX_VALUE_BYTES),
        (b"\xff", "\ufffd"),
        (b"12", "12"),
    ],
)
def test_an_attribute_is_a_service(value, endpoint):
    found, _ = document([attribute(1, "did/svc/Hub", value)])
    assert found["service"] == [{"id": f"{DID}#service-1", "type": "Hub", "serviceEndpoint": endpoint}]


def test_attributes_that_are_neither_key_nor_service_change_nothing():
    found, _ = document(
        [attribute(1, "did/other/a", b""), attribute(2, "", b""), attribute(3, "did/pub/a/b/c/d", b"")]
    )
    assert ids(found) == ["controller"]


def test_a_key_too_long_for_base58_is_shown_and_does_no_harm():
    found, _ = document([attribute(1, "did/pub/Ed25519/veriKey/base58", b"\xff" * MAX_VALUE_BYTES)])
    assert found["verificationMethod"][1]["value"] == "ff" * MAX_VALUE_BYTES


def topics(topic, identity=ADDRESS):
    return [topic, identity.rjust(32, b"\0")]


def test_events_are_read_from_their_encoding():
    name = b"did/svc/Hub".ljust(32, b"\0")
    data = encode(["bytes32", "bytes", "uint256", "uint256"], [name, b"value", 7, 3])
    assert parse_event(topics(ATTRIBUTE_CHANGED), data, identity=ADDRESS, block=4) == AttributeChanged(
        name="did/svc/Hub", value=b"value", valid_to=7, previous_change=3, block=4
    )
    data = encode(
        ["bytes32", "address", "uint256", "uint256"], [b"veriKey".ljust(32, b"\0"), f"0x{OTHER.hex()}", 7, 3]
    )
    assert parse_event(topics(DELEGATE_CHANGED), data, identity=ADDRESS, block=4) == DelegateChanged(
        kind="veriKey", delegate=OTHER, valid_to=7, previous_change=3, block=4
    )
    data = encode(["address", "uint256"], [f"0x{OTHER.hex()}", 3])
    assert parse_event(topics(OWNER_CHANGED), data, identity=ADDRESS, block=4) == OwnerChanged(
        owner=OTHER, previous_change=3, block=4
    )
    assert parse_event(topics(OWNER_CHANGED, OTHER), data, identity=ADDRESS, block=4) is None
    for bad in (data[:-1], data + b"\0", b"\1" + data[1:]):
        with pytest.raises(MalformedError, match="ERC-1056"):
            parse_event(topics(OWNER_CHANGED), bad, identity=ADDRESS, block=4)
    with pytest.raises(MalformedError, match="three kinds"):
        parse_event(topics(keccak256(b"Other()")), data, identity=ADDRESS, block=4)


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        (MAX_VALUE_BYTES + 1).to_bytes(32) + b"\0" * (MAX_VALUE_BYTES + 1),
        (2**255).to_bytes(32),
        (5).to_bytes(32) + b"abc",
    ],
)
def test_values_that_are_too_long_or_cut_off_are_refused(tail):
    words = [b"\0" * 32, (128).to_bytes(32), b"\0" * 32, b"\0" * 32]
    with pytest.raises(MalformedError, match="value"):
        parse_event(topics(ATTRIBUTE_CHANGED), b"".join(words) + tail, identity=ADDRESS, block=1)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_a_malformed_one(data):
    for topic in (OWNER_CHANGED, DELEGATE_CHANGED, ATTRIBUTE_CHANGED):
        try:
            found = parse_event(topics(topic), data, identity=ADDRESS, block=1)
        except MalformedError:
            continue
        assert found is not None
        assert ids(document([found])[0])[:1] in (["controller"], [])


def test_the_one_call_and_its_answer():
    assert changed_call(ADDRESS) == bytes.fromhex("f96d0f9f") + b"\0" * 12 + ADDRESS
    assert parse_block_number((MAX_CHANGES).to_bytes(32)) == MAX_CHANGES
    with pytest.raises(MalformedError, match="0 bytes"):
        parse_block_number(b"")


def test_a_version_id_is_the_number_of_a_block_and_belongs_to_did_ethr():
    wanted = read_request(f"{DID}?versionId=12", {})
    assert isinstance(wanted, Wanted)
    assert wanted.version_id == 12
    for query, options in (
        ("versionId=x", {}),
        ("versionId=1&versionTime=2026-01-01T00:00:00Z", {}),
        ("a=b", {"versionId": "-1"}),
    ):
        refused = read_request(f"{DID}?{query}", options)
        assert isinstance(refused, Resolution)
        assert re.fullmatch("invalidOptions|notFound", refused.error or "")
    web = read_request("did:web:ada.example?versionId=12", {})
    assert isinstance(web, Resolution)
    assert web.error == "notFound"
