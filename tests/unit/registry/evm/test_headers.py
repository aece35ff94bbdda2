import pytest

from fakes.chain_state import header_bytes
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.headers import MAX_CHAIN_INTEGER, MAX_HEADER_BYTES, encode_header, parse_header
from testamur.registry.hashing import keccak256

ROOT = b"\x05" * 32
PRAGUE = header_bytes(state_root=ROOT, number=9, timestamp=1_795_293_588)

ANVIL_GENESIS = {
    "hash": "0xd40ee3ab302745dcfdfd871d2c5c0679a588728f3ddb4588e621edd622e6ff1a",
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x0",
    "number": "0x0",
    "gasLimit": "0x1c9c380",
    "gasUsed": "0x0",
    "timestamp": "0x6b020194",
    "extraData": "0x",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000000",
    "baseFeePerGas": "0x3b9aca00",
    "withdrawalsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "blobGasUsed": "0x0",
    "excessBlobGas": "0x0",
    "parentBeaconBlockRoot": "0x" + "00" * 32,
    "requestsHash": "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "size": "0x267",
    "transactions": [],
}
MAINNET_GENESIS = {
    **{
        name: ANVIL_GENESIS[name]
        for name in ("parentHash", "sha3Uncles", "miner", "logsBloom", "number", "gasUsed")
    },
    **{name: ANVIL_GENESIS[name] for name in ("transactionsRoot", "receiptsRoot", "mixHash")},
    "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "difficulty": "0x400000000",
    "gasLimit": "0x1388",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "nonce": "0x0000000000000042",
    "baseFeePerGas": None,
}


def test_the_hash_is_that_of_the_bytes():
    header = parse_header(PRAGUE)
    assert header.hash == keccak256(PRAGUE)
    assert (header.number, header.timestamp, header.state_root) == (9, 1_795_293_588, ROOT)


@pytest.mark.parametrize("count", range(15, 22), ids=lambda count: f"{count}-fields")
def test_every_fork_from_frontier_to_prague_is_read(count):
    fields = rlp.decode_list(PRAGUE)[:count]
    assert parse_header(rlp.encode(fields)).fields == tuple(fields)


def test_fields_of_later_forks_are_kept_and_hashed():
    later = (b"\x09" * 32, b"\x2a", b"future", [b"list"])
    data = header_bytes(state_root=ROOT, number=9, timestamp=1, later=later)
    assert parse_header(data).fields[-4:] == later
    assert parse_header(data).hash == keccak256(data)


@pytest.mark.parametrize("block", [ANVIL_GENESIS, MAINNET_GENESIS], ids=["prague", "frontier"])
def test_a_block_of_the_rpc_gives_the_bytes_of_its_hash(block):
    assert parse_header(encode_header(block)).hash == bytes.fromhex(block["hash"][2:])


def test_a_block_whose_fields_do_not_give_its_hash_is_not_believed():
    with pytest.raises(VerificationError) as caught:
        encode_header({**ANVIL_GENESIS, "stateRoot": "0x" + "11" * 32})
    assert caught.value.reason == "header-hash-mismatch"
    with pytest.raises(VerificationError):
        encode_header({**ANVIL_GENESIS, "blobGasUsed": None})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stateRoot": "0x11"}, "must have 32 bytes"),
        ({"stateRoot": None}, "missing"),
        ({"stateRoot": "56" * 32}, "not a hexadecimal"),
        ({"number": "0x00"}, "not a hexadecimal"),
        ({"number": "0x"}, "not a hexadecimal"),
        ({"number": 7}, "not a string"),
        ({"extraData": "0x" + "00" * (MAX_HEADER_BYTES + 1)}, "characters"),
        ({"hash": "0x12"}, "must have 32 bytes"),
    ],
)
def test_a_block_of_another_shape_is_malformed(change, reason):
    with pytest.raises(MalformedError, match=reason):
        encode_header({**ANVIL_GENESIS, **change})


def changed(position, item):
    fields = rlp.decode_list(PRAGUE)
    fields[position] = item
    return rlp.encode(fields)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (rlp.encode(rlp.decode_list(PRAGUE)[:14]), "14 fields"),
        (rlp.encode([*rlp.decode_list(PRAGUE), *[b""] * 20]), "41 fields"),
        (changed(3, b"\x05" * 31), "must have 32 bytes"),
        (changed(3, []), "not a list"),
        (changed(8, b"\x00\x09"), "leading zeros"),
        (changed(8, rlp.encode_integer(MAX_CHAIN_INTEGER + 1)), "is above"),
        (changed(12, b"x" * MAX_HEADER_BYTES), "more than"),
        (PRAGUE + b"\x00", "after its end"),
    ],
)
def test_other_bytes_are_no_header(data, reason):
    with pytest.raises(MalformedError, match=reason):
        parse_header(data)
