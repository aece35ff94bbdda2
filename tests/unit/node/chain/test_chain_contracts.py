"""The contract's interface as package data: the same file as in contracts/, and encoded as eth_abi has it."""

import json
from pathlib import Path

import pytest
from eth_abi import encode

from testamur.node.chain.contracts import (
    artifact,
    decode_result,
    encode_call,
    encode_deployment,
    errors,
    event_topic,
    functions,
    refusal,
)
from testamur.node.chain.refusals import RpcRefused
from testamur.node.errors import ChainUnavailable
from testamur.registry.evm import slots
from testamur.registry.hashing import keccak256

ROOT = Path(__file__).resolve().parents[4]
EXPORTED = ROOT / "contracts" / "abi"
LAYOUT = json.loads((EXPORTED / "AnchorRegistry.storage.json").read_text())
ID = b"\x07" * 32


def test_the_package_has_the_exported_interface():
    assert artifact() == json.loads((EXPORTED / "AnchorRegistry.json").read_text())


def test_selectors_are_those_of_the_compiler():
    computed = {f"{item.name}({','.join(item.types)})": item.selector.hex() for item in functions().values()}
    assert computed == artifact()["methodIdentifiers"]


def test_a_call_is_selector_and_arguments():
    data = encode_call("anchor", [ID, 1, 2, ID, 3, [ID]])
    types = ("bytes32", "uint64", "uint64", "bytes32", "uint32", "bytes32[]")
    assert data == keccak256(f"anchor({','.join(types)})".encode())[:4] + encode(
        types, [ID, 1, 2, ID, 3, [ID]]
    )


def test_a_deployment_is_code_and_constructor_arguments():
    data = encode_deployment("registry.example", b"\x01" * 20, 86_400)
    code = bytes.fromhex(artifact()["bytecode"].removeprefix("0x"))
    assert data[: len(code)] == code
    assert data[len(code) :] == encode(
        ("string", "address", "uint64"), ["registry.example", b"\x01" * 20, 86_400]
    )


def test_an_event_has_the_topic_of_its_signature():
    assert event_topic("Anchored") == keccak256(b"Anchored(bytes32,uint64,uint64,bytes32,uint32)")
    with pytest.raises(KeyError):
        event_topic("NoSuchEvent")


def test_a_result_is_decoded_and_another_refused():
    assert decode_result("version", (1).to_bytes(32)) == (1,)
    for data in (b"", b"\x01" * 31, b"\xff" * 40):
        with pytest.raises(ChainUnavailable, match="something else"):
            decode_result("registryName", data)


def refused(data, message="execution reverted"):
    return refusal(RpcRefused("eth_call", 3, message, data))


def test_a_custom_error_has_a_name_and_arguments():
    stale = next(error for error in errors().values() if error.name == "StaleTreeSize")
    found = refused(stale.selector + (3).to_bytes(32) + (9).to_bytes(32))
    assert (found.error, found.arguments) == ("StaleTreeSize", {"got": 3, "current": 9})
    assert str(found) == "the registry contract refused: StaleTreeSize(got=3, current=9)"


def test_bytes_in_an_error_are_shown_as_text():
    unknown = next(error for error in errors().values() if error.name == "UnknownLog")
    assert refused(unknown.selector + ID).arguments == {"logId": f"0x{ID.hex()}"}


def test_a_reason_in_words_an_unknown_error_and_no_data_are_reverts_too():
    reason = keccak256(b"Error(string)")[:4] + encode(["string"], ["why"])
    assert (refused(reason).error, refused(reason).arguments) == ("Error", {"reason": "why"})
    assert refused(b"\x01\x02\x03\x04").arguments == {"data": "0x01020304"}
    assert refused(None).error == "revert"


def test_an_error_of_the_endpoint_is_no_revert():
    assert refused(None, "insufficient funds for transfer") is None


def packed(struct, slot):
    """Names and widths of the fields of one slot of a struct, as the compiler laid them out."""
    members = LAYOUT["types"][f"t_struct({struct})_storage"]["members"]
    found = [row for row in members if row["slot"] == slot]
    position = 0
    fields = []
    for row in found:
        assert row["offset"] == position
        size = LAYOUT["types"][row["type"]]["numberOfBytes"]
        position += size
        fields.append((row["label"], 8 * size))
    return tuple(fields)


@pytest.mark.parametrize(
    ("struct", "slot", "fields"),
    [
        ("Issuer", 1, slots.ISSUER_WORD),
        ("Log", 1, slots.LOG_WORD),
        ("Log", 4, slots.LOG_STANDING_WORD),
        ("Anchor", 0, slots.ANCHOR_WORD),
        ("Suspension", 0, slots.SUSPENSION_WORD),
        ("KeyChain", 1, slots.KEY_CHAIN_WORD),
        ("Issuer", 0, (("identity", 256),)),
        ("Issuer", 2, (("custodian", 256),)),
        ("Log", 0, (("root", 256),)),
        ("Log", 2, (("key", 256),)),
        ("Log", 3, (("issuerId", 256),)),
        ("KeyChain", 0, (("firstKeyEvent", 256),)),
    ],
)
def test_the_words_are_packed_as_the_verifier_reads_them(struct, slot, fields):
    assert packed(struct, slot) == fields


def test_the_mappings_stand_where_the_verifier_looks_for_them():
    places = {row["label"]: row["slot"] for row in LAYOUT["storage"]}
    assert (places["_issuers"], places["_logs"], places["_history"]) == (4, 5, 6)
    assert places["_issuers"] == slots.ISSUERS_SLOT
    assert places["_logs"] == slots.LOGS_SLOT
    assert places["_history"] == slots.HISTORY_SLOT
    assert places["_suspensions"] == slots.SUSPENSIONS_SLOT
    assert places["_keyChains"] == slots.KEY_CHAINS_SLOT
