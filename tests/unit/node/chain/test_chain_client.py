"""The adapter: what an endpoint answers becomes values or errors of ours, whatever it answers."""

import asyncio

import pytest

from fakes.validators import as_qbft, extra_data, sealed_by, validators
from testamur.node.chain import client as client_module
from testamur.node.chain.client import ChainClient
from testamur.node.chain.refusals import FalseAnswer, RpcRefused
from testamur.node.chain.values import ChainIdentity, Fees
from testamur.node.errors import ChainUnavailable, ConfigError, WrongChain
from testamur.registry.evm.headers import encode_header, parse_header
from testamur.registry.evm.qbft import MIX_HASH, verify_seals

ZERO = "0x" + "00" * 32
GENESIS = {
    "hash": "0xd40ee3ab302745dcfdfd871d2c5c0679a588728f3ddb4588e621edd622e6ff1a",
    **dict.fromkeys(("parentHash", "mixHash", "parentBeaconBlockRoot"), ZERO),
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    **dict.fromkeys(
        ("stateRoot", "transactionsRoot", "receiptsRoot", "withdrawalsRoot"),
        "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    ),
    "logsBloom": "0x" + "00" * 256,
    **dict.fromkeys(("difficulty", "number", "gasUsed", "blobGasUsed", "excessBlobGas"), "0x0"),
    "gasLimit": "0x1c9c380",
    "timestamp": "0x6b020194",
    "extraData": "0x",
    "nonce": "0x0000000000000000",
    "baseFeePerGas": "0x3b9aca00",
    "requestsHash": "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}
GENESIS_HASH = bytes.fromhex(GENESIS["hash"][2:])
CONTRACT = b"\x01" * 20


class Endpoint:
    """Stands where web3's provider stands. Answers are JSON-RPC responses, exceptions, or functions."""

    def __init__(self, **answers):
        self.answers = {
            "eth_chainId": {"result": "0x7a69"},
            "eth_getBlockByNumber": {"result": GENESIS},
            **answers,
        }
        self.asked = []
        self.closed = 0

    async def make_request(self, method, params):
        self.asked.append((method, params))
        answer = self.answers[method]
        if callable(answer):
            answer = answer(*params)
        if isinstance(answer, BaseException):
            raise answer
        if answer == "silence":
            await asyncio.Event().wait()
        return answer

    async def disconnect(self):
        self.closed += 1


def connected(genesis_hash=None, **answers):
    made = ChainClient("http://127.0.0.1:1", chain_id=31337, genesis_hash=genesis_hash, call_seconds=0.05)
    made._provider = Endpoint(**answers)
    return made


async def test_the_genesis_is_learned_once_and_compared_afterwards():
    client = connected()
    with pytest.raises(ConfigError, match="genesis_hash"):
        _ = client.identity
    assert await client.check() == ChainIdentity(chain_id=31337, genesis_hash=GENESIS_HASH)
    assert client.identity.genesis_hash == GENESIS_HASH
    assert await connected(genesis_hash=GENESIS_HASH).check() == client.identity


async def test_another_genesis_or_chain_id_is_the_wrong_chain():
    with pytest.raises(WrongChain, match="begins with"):
        await connected(genesis_hash=bytes(32)).check()
    with pytest.raises(WrongChain, match="serves chain 1, not 31337"):
        await connected(eth_chainId={"result": "0x1"}).check()


async def test_a_contract_has_code():
    await connected(eth_getCode={"result": "0x6001"}).check_contract(CONTRACT)
    with pytest.raises(WrongChain, match="no contract at 0x0101"):
        await connected(eth_getCode={"result": "0x"}).check_contract(CONTRACT)


async def test_a_block_that_was_final_is_still_there():
    client = connected()
    await client.check_contains(0, GENESIS_HASH)
    await client.check_contains(0)
    with pytest.raises(WrongChain, match="this is another chain"):
        await client.check_contains(0, bytes(32))


async def test_a_chain_that_fell_behind_names_the_cure():
    client = connected(
        eth_getBlockByNumber=lambda tag, full: {"result": GENESIS if tag == "latest" else None}
    )
    with pytest.raises(WrongChain, match=r"ends at block 0, before block 9.*restore the newest"):
        await client.check_contains(9, bytes(32))


async def test_a_header_is_what_its_bytes_hash_to():
    client = connected()
    assert (await client.header(0)).hash == GENESIS_HASH
    assert await client.header_bytes(0) == encode_header(GENESIS)
    assert parse_header(await client.header_bytes(0)) == await client.head() == await client.finalized()


@pytest.mark.parametrize("tag", ["finalized", "latest"])
async def test_what_is_final_is_asked_for_as_configured(tag):
    client = ChainClient("http://127.0.0.1:1", chain_id=31337, final_tag=tag)
    client._provider = Endpoint()
    await client.finalized()
    assert client._provider.asked == [("eth_getBlockByNumber", [tag, False])]


@pytest.mark.parametrize(
    "block",
    [
        None,
        7,
        {},
        {**GENESIS, "stateRoot": ZERO},
        {**GENESIS, "number": "zero"},
        {**GENESIS, "hash": None},
        {**GENESIS, "extraData": "0x" + "00" * 20_000},
    ],
)
async def test_a_block_that_is_none_is_no_answer(block):
    with pytest.raises(ChainUnavailable):
        await connected(eth_getBlockByNumber={"result": block}).head()


async def test_a_block_that_is_not_there_yet_is_none():
    assert await connected(eth_getBlockByNumber={"result": None}).find_header(5) is None
    assert (await connected().find_header(0)).number == 0


async def test_silence_ends_in_bounded_time():
    with pytest.raises(ChainUnavailable, match=r"within 0\.05 s"):
        await connected(eth_chainId="silence").check()


@pytest.mark.parametrize("error", [OSError("refused"), ValueError("not JSON"), RuntimeError("library")])
async def test_whatever_the_libraries_raise_is_unavailability(error):
    with pytest.raises(ChainUnavailable) as caught:
        await connected(eth_chainId=error).check()
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("answer", [None, [], "x", 5, True])
async def test_an_answer_that_is_no_object_is_no_answer(answer):
    client = connected(eth_gasPrice=answer)
    with pytest.raises(ChainUnavailable, match="no answer to eth_gasPrice"):
        await client.request("eth_gasPrice", [])


async def test_cancelling_is_not_unavailability():
    with pytest.raises(asyncio.CancelledError):
        await connected(eth_chainId=asyncio.CancelledError()).check()


async def test_an_error_keeps_its_code_words_and_data():
    error = {"code": 3, "message": "execution reverted", "data": "0x01020304"}
    with pytest.raises(RpcRefused) as caught:
        await connected(eth_call={"error": error}).call(CONTRACT, b"")
    assert (caught.value.code, caught.value.message, caught.value.data) == (
        3,
        "execution reverted",
        b"\1\2\3\4",
    )


@pytest.mark.parametrize(
    ("error", "data"),
    [
        ({}, None),
        ("text", None),
        ({"data": "0x1"}, None),
        ({"data": {"data": "0x05"}}, b"\5"),
        ({"data": {"result": "0x05", "reason": None}}, b"\5"),
        ({"data": 7}, None),
    ],
)
async def test_errors_of_other_shapes_are_refusals_too(error, data):
    with pytest.raises(RpcRefused) as caught:
        await connected(eth_call={"error": error}).call(CONTRACT, b"")
    assert caught.value.data == data


async def test_storage_keys_have_32_bytes_and_nodes_come_once():
    client = connected(
        eth_getProof={
            "result": {
                "accountProof": ["0xaa", "0xbb"],
                "storageProof": [{"proof": ["0xcc", "0xbb"]}, {"proof": ["0xcc", "0x80"]}],
            }
        }
    )
    answer = await client.get_proof(CONTRACT, [bytes(32)], 5)
    assert answer.nodes == (b"\xaa", b"\xbb", b"\xcc")
    assert client._provider.asked == [("eth_getProof", ["0x" + "01" * 20, [ZERO], "0x5"])]


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        {},
        {"accountProof": ["0xa"]},
        {"accountProof": [], "storageProof": [{}]},
        {"accountProof": 7},
    ],
)
async def test_a_storage_proof_of_another_shape_is_no_answer(result):
    with pytest.raises(ChainUnavailable):
        await connected(eth_getProof={"result": result}).get_proof(CONTRACT, [], 5)


async def test_fees_leave_room_for_the_base_fee_to_double():
    client = connected(eth_maxPriorityFeePerGas={"result": "0x5"})
    assert await client.fees() == Fees(max_fee_wei=2_000_000_005, tip_wei=5)


async def test_a_tip_that_is_not_suggested_is_usual():
    client = connected(eth_maxPriorityFeePerGas={"error": {"code": -32601, "message": "Method not found"}})
    assert (await client.fees()).tip_wei == client_module.DEFAULT_TIP_WEI


async def test_a_chain_without_base_fee_is_named():
    old = {name: value for name, value in GENESIS.items() if name != "baseFeePerGas"}
    with pytest.raises(ChainUnavailable, match="EIP-1559"):
        await connected(eth_getBlockByNumber={"result": old}).fees()


RECEIPT = {
    "transactionHash": "0x" + "0a" * 32,
    "blockNumber": "0x10",
    "blockHash": "0x" + "0b" * 32,
    "status": "0x1",
    "gasUsed": "0x5208",
    "contractAddress": None,
}
EVENT = {"address": "0x" + "01" * 20, "topics": ["0x" + "0c" * 32], "data": "0x", "blockNumber": "0x10"}


async def test_a_receipt_is_read_and_a_missing_one_is_none():
    receipt = await connected(eth_getTransactionReceipt={"result": RECEIPT}).find_receipt(b"\x0a" * 32)
    assert (receipt.block_number, receipt.succeeded, receipt.gas_used, receipt.contract) == (
        16,
        True,
        21_000,
        None,
    )
    assert await connected(eth_getTransactionReceipt={"result": None}).find_receipt(b"\x0a" * 32) is None
    failed = await connected(eth_getTransactionReceipt={"result": {**RECEIPT, "status": "0x0"}}).find_receipt(
        b""
    )
    assert not failed.succeeded


@pytest.mark.parametrize("name", [*RECEIPT])
async def test_a_receipt_of_another_shape_is_no_answer(name):
    with pytest.raises(ChainUnavailable):
        await connected(eth_getTransactionReceipt={"result": {**RECEIPT, name: 7}}).find_receipt(b"")


async def test_events_are_asked_for_in_bounded_ranges(monkeypatch):
    monkeypatch.setattr(client_module, "MAX_EVENT_BLOCKS", 10)
    client = connected(eth_getLogs={"result": [EVENT]})
    assert len(await client.event_rows(CONTRACT, first=5, last=25, topics=[b"\x0c" * 32])) == 3
    ranges = [(params[0]["fromBlock"], params[0]["toBlock"]) for _, params in client._provider.asked]
    assert ranges == [("0x5", "0xe"), ("0xf", "0x18"), ("0x19", "0x19")]
    assert client._provider.asked[0][1][0]["topics"] == [["0x" + "0c" * 32]]


async def test_an_address_that_is_none_is_a_configuration_error():
    with pytest.raises(ConfigError, match="rpc_url"):
        ChainClient("ftp://127.0.0.1:8545", chain_id=1)


async def test_a_client_can_be_closed_before_it_was_used():
    await ChainClient("http://127.0.0.1:1", chain_id=1).close()
    client = connected()
    endpoint = client._provider
    await client.close()
    assert (endpoint.closed, client._provider) == (1, None)


def qbft_block(*, seals=4, round_number=2):
    """The block of a QBFT chain as its endpoint gives it: seals inside, the hash without them."""
    listed = validators(4)
    plain = as_qbft(encode_header(GENESIS), listed)
    sealed = sealed_by(listed[:seals], plain, round_number)
    extra = extra_data(listed, round_number=round_number, seals=sealed.seals)
    return {
        **GENESIS,
        "extraData": "0x" + extra.hex(),
        "mixHash": "0x" + MIX_HASH.hex(),
        "hash": "0x" + parse_header(plain).hash.hex(),
    }, parse_header(plain)


async def test_a_qbft_block_is_read_without_its_seals_and_they_are_there_when_asked_for():
    block, header = qbft_block()
    client = connected(eth_getBlockByNumber={"result": block})
    assert await client.head() == header
    seals = await client.find_seals(0)
    assert (seals.round, len(seals.seals)) == (2, 4)
    addresses = [item.address for item in validators(4)]
    assert len(verify_seals(header, seals, addresses)) == 4
    assert await connected().find_seals(0) is None


async def test_a_qbft_block_that_lies_about_its_hash_is_not_believed():
    block, _ = qbft_block()
    for changes in ({"hash": "0x" + "11" * 32}, {"extraData": "0x"}, {"stateRoot": "0x" + "11" * 32}):
        client = connected(eth_getBlockByNumber={"result": {**block, **changes}})
        with pytest.raises(FalseAnswer, match="unreadably"):
            await client.head()


@pytest.mark.parametrize(
    "quoted",
    [
        "https://user:word@rpc.example/v3/0123456789?key=s3cret",
        "https://rpc.example/v3/0123456789?key=s3cret",
        "/v3/0123456789",
    ],
)
async def test_what_an_endpoint_says_never_shows_the_key_in_its_address(quoted):
    url = "https://user:word@rpc.example/v3/0123456789?key=s3cret"
    client = ChainClient(url, chain_id=31337)
    client._provider = Endpoint(eth_chainId=OSError(f"cannot connect to {quoted}"))
    with pytest.raises(ChainUnavailable, match=r"https://rpc\.example did not answer") as caught:
        await client.check()
    assert not any(word in str(caught.value) for word in ("0123456789", "s3cret", "word@"))
