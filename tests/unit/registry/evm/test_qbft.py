"""Seals of QBFT validators: a published header, headers of our own for many sizes, and every way to cheat."""

import pytest

from fakes.chain_state import header_bytes
from fakes.validators import Validator, as_qbft, extra_data, malleated, sealed_by, validators
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.headers import field_position, parse_header
from testamur.registry.evm.qbft import (
    MAX_SEALS,
    QbftSeals,
    commit_hash,
    encode_sealed_header,
    quorum_of,
    verify_seals,
)
from testamur.registry.hashing import keccak256

# Block 7528 of a Besu network of four validators, committed in round 1; with it, the hash that they signed.
# From the tests of https://github.com/datachainlab/besu-qbft-elc, elc/src/header.rs (Apache-2.0).
PUBLISHED = {
    "parentHash": "0x0af93e70b1c6d3974a88a42eb70bb61adbd523bfac0c83027ba4637c52746a0f",
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0xee3353e587cfa91625a1adaef308a726de3803d3",
    "stateRoot": "0x166ed98eea93ab2b6f6b1a425526994adc2d675bf9a0d77d600ed1e02d8f77df",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x1",
    "number": "0x1d68",
    "gasLimit": "0x47b760",
    "gasUsed": "0x0",
    "timestamp": "0x6640618b",
    "extraData": "0xf90144a00000000000000000000000000000000000000000000000000000000000000000f85494"
    "647bfdd19655e51e69d35454ff3a92f8828e630294a5c8416b9d13417b45b45ada76408f39d1e504ef94"
    "b92e91f4dcc9d28503be521afa2a8fbf3c1acf6094ee3353e587cfa91625a1adaef308a726de3803d3c001f8c9b841"
    "bc7633fd65570f610a595086e9a34e5bf6aacfb67b8f8cd01852e6b285147f04"
    "6a50577b49378b86723ac9b456ef59ef7ab57cda7139d807f10f58e8cb10c67600b841"
    "ad1defc2b0b4a48158cff24778bb5ba4d9f373c171022ab0a42e37bdb0d40257"
    "18434d303a8d94df56ef9ad5219be9f27b2f67179a7fb82d3323dde29546f9f701b841"
    "e233d3670dd97c715f72b440eeb1ccb1e22c8c23f6ab470c46c99c2d0ee6509f"
    "0341a42e0e4569782557e93c3815e8ca4294043595f69a90f73f135de8ecf41e00",
    "mixHash": "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365",
    "nonce": "0x0000000000000000",
}
PUBLISHED_COMMIT_HASH = "75ea184f58cd3f0ef89032a069df01f07ec524ef3a85cf6d3e424d62130c0a32"
PUBLISHED_VALIDATORS = [
    bytes.fromhex(text)
    for text in (
        "647bfdd19655e51e69d35454ff3a92f8828e6302",
        "a5c8416b9d13417b45b45ada76408f39d1e504ef",
        "b92e91f4dcc9d28503be521afa2a8fbf3c1acf60",
        "ee3353e587cfa91625a1adaef308a726de3803d3",
    )
]

PLAIN = header_bytes(state_root=b"\x05" * 32, number=77, timestamp=1_795_000_000)


def addresses(listed):
    return [validator.address for validator in listed]


def published():
    """The published block as an endpoint gives it, its hash by the rule: round 0 and no seals."""
    fields = []
    for name, text in PUBLISHED.items():
        is_number = name in ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
        fields.append(rlp.encode_integer(int(text, 16)) if is_number else bytes.fromhex(text[2:]))
    fields[field_position("extraData")] = as_covered(PUBLISHED["extraData"])
    return {**PUBLISHED, "hash": "0x" + keccak256(rlp.encode(fields)).hex()}


def as_covered(text):
    items = rlp.decode_list(bytes.fromhex(text[2:]))
    return rlp.encode([*items[:3], b"", []])


def test_the_published_header_has_the_published_commit_hash_and_three_of_its_four_validators():
    data, seals = encode_sealed_header(published())
    header = parse_header(data)
    assert (header.number, header.timestamp, seals.round) == (7528, 1_715_495_307, 1)
    assert f"0x{header.hash.hex()}" == published()["hash"]
    assert commit_hash(header, seals.round).hex() == PUBLISHED_COMMIT_HASH
    seen = verify_seals(header, seals, PUBLISHED_VALIDATORS)
    assert len(seen) == 3
    assert seen < set(PUBLISHED_VALIDATORS)


def test_the_published_seals_are_for_their_round_and_their_header_only():
    data, seals = encode_sealed_header(published())
    for round_number in (0, 2):
        moved = QbftSeals(round=round_number, seals=seals.seals)
        assert refusal(parse_header(data), moved, PUBLISHED_VALIDATORS) == (0, 3)
    fields = rlp.decode_list(data)
    fields[field_position("stateRoot")] = bytes(32)
    assert refusal(parse_header(rlp.encode(fields)), seals, PUBLISHED_VALIDATORS) == (0, 3)


@pytest.mark.parametrize(
    ("count", "wanted"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7), (22, 15)]
)
def test_two_thirds_rounded_up_are_enough_and_one_less_is_not(count, wanted):
    listed = validators(count)
    data = as_qbft(PLAIN, listed)
    header = parse_header(data)
    assert quorum_of(count) == wanted
    for round_number in (0, 3):
        good = sealed_by(listed[:wanted], data, round_number)
        assert verify_seals(header, good, addresses(listed)) == set(addresses(listed[:wanted]))
    few = sealed_by(listed[: wanted - 1], data)
    assert refusal(header, few, addresses(listed)) == (wanted - 1, wanted)


def test_the_list_in_the_header_says_nothing():
    ours, theirs = validators(4), validators(4, first=100)
    data = as_qbft(PLAIN, theirs)
    assert refusal(parse_header(data), sealed_by(theirs, data), addresses(ours)) == (0, 3)
    assert len(verify_seals(parse_header(data), sealed_by(ours, data), addresses(ours))) == 4
    contract_mode = as_qbft(PLAIN, [])
    assert (
        len(verify_seals(parse_header(contract_mode), sealed_by(ours, contract_mode), addresses(ours))) == 4
    )


def test_a_seal_twice_a_stranger_and_a_mirrored_seal_do_not_count():
    listed = validators(4)
    data = as_qbft(PLAIN, listed)
    header, two = parse_header(data), sealed_by(listed[:2], data).seals
    stranger = Validator(99).seal(header)
    third = listed[2].seal(header)
    for extra in (two[0], malleated(two[0]), malleated(third), stranger, bytes(65), third[:64] + b"\x1b"):
        assert refusal(header, QbftSeals(round=0, seals=(*two, extra)), addresses(listed)) == (2, 3)
    assert (
        len(verify_seals(header, QbftSeals(round=0, seals=(*two, third, stranger)), addresses(listed))) == 3
    )


def test_a_vote_is_covered_by_the_seals():
    listed = validators(4)
    voted = as_qbft(PLAIN, listed, vote=(b"\x09" * 20, b"\xff"))
    seals = sealed_by(listed, voted)
    assert len(verify_seals(parse_header(voted), seals, addresses(listed))) == 4
    assert refusal(parse_header(as_qbft(PLAIN, listed)), seals, addresses(listed)) == (0, 3)


def test_evidence_carries_the_header_that_the_block_hash_covers():
    listed = validators(4)
    seals = sealed_by(listed, as_qbft(PLAIN, listed))
    for extra in ({"round_number": 1}, {"seals": seals.seals}):
        header = parse_header(as_qbft(PLAIN, listed, **extra))
        with pytest.raises(MalformedError, match="which the block hash does not cover"):
            verify_seals(header, seals, addresses(listed))


def test_a_header_of_another_kind_of_chain_is_not_judged_by_seals():
    seals = QbftSeals(round=0, seals=())
    with pytest.raises(MalformedError, match="mixHash"):
        verify_seals(parse_header(PLAIN), seals, [b"\x01" * 20])
    with pytest.raises(ValueError, match="nobody"):
        verify_seals(parse_header(PLAIN), seals, [])


BAD_EXTRA = {
    "no list": b"",
    "four items": rlp.encode([bytes(32), [], [], b""]),
    "short vanity": rlp.encode([bytes(31), [], [], b"", []]),
    "no address": rlp.encode([bytes(32), [b"\x01" * 19], [], b"", []]),
    "validators as bytes": rlp.encode([bytes(32), b"\x01", [], b"", []]),
    "vote as bytes": rlp.encode([bytes(32), [], b"", b"", []]),
    "round too large": rlp.encode([bytes(32), [], [], b"\xff\xff\xff\xff", []]),
    "round with a zero before it": rlp.encode([bytes(32), [], [], b"\0\x01", []]),
    "something behind": extra_data([]) + b"\0",
}


@pytest.mark.parametrize("name", BAD_EXTRA)
def test_extra_data_of_another_shape_is_refused(name):
    fields = rlp.decode_list(as_qbft(PLAIN, []))
    fields[field_position("extraData")] = BAD_EXTRA[name]
    header = parse_header(rlp.encode(fields))
    with pytest.raises(MalformedError):
        commit_hash(header, 0)
    with pytest.raises(MalformedError):
        encode_sealed_header({**published(), "extraData": "0x" + BAD_EXTRA[name].hex()})


@pytest.mark.parametrize("seals", [[b"\x01" * 64], [bytes(65)] * (MAX_SEALS + 1), [[]], b""])
def test_seals_of_another_shape_are_refused(seals):
    extra = rlp.encode([bytes(32), [], [], b"", seals])
    with pytest.raises(MalformedError, match="seal"):
        encode_sealed_header({**published(), "extraData": "0x" + extra.hex()})


@pytest.mark.parametrize("extra", [None, 7, "f8", "0xzz", "0x"])
def test_a_block_without_extra_data_is_no_qbft_block(extra):
    with pytest.raises(MalformedError):
        encode_sealed_header({**published(), "extraData": extra})


def test_a_block_whose_hash_covers_something_else_is_refused():
    with pytest.raises(VerificationError, match="header-hash-mismatch"):
        encode_sealed_header({**published(), "hash": "0x" + "00" * 32})


def refusal(header, seals, trusted):
    """(got, wanted) of a quorum that was missed."""
    with pytest.raises(VerificationError) as caught:
        verify_seals(header, seals, trusted)
    assert caught.value.reason == "seal-quorum"
    return caught.value.parameters["got"], caught.value.parameters["wanted"]
