import pytest

from fakes.chain import FakeChain
from testamur.node.chain.contracts import ContractRefused, encode_call
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import (
    MAX_GAS,
    SendRefusal,
    TransactionSender,
    classify_refusal,
    estimate,
)
from testamur.node.errors import ChainUnavailable
from testamur.registry.hashing import sha256

LOG, ISSUER, ROOT = sha256(b"log"), sha256(b"issuer"), sha256(b"root")


@pytest.fixture
def chain():
    made = FakeChain()
    made.open_log(LOG, ISSUER)
    return made


def sender(chain, polls=5):
    async def sleep(seconds):
        chain.mine()

    return TransactionSender(chain, ChainAccount(sha256(b"operator")), sleep=sleep, polls=polls)


async def test_a_call_returns_when_it_is_mined(chain):
    receipt = await sender(chain).call(chain.contract, "anchor", LOG, 0, 5, ROOT, 1, [])
    assert receipt.succeeded
    assert chain.log_word(LOG)["sequence"] == 1


async def test_calls_follow_one_after_the_other_with_their_own_nonces(chain):
    one = sender(chain)
    for old, size in ((0, 5), (5, 9)):
        await one.call(chain.contract, "anchor", LOG, old, size, ROOT, 1, [])
    assert chain.nonces[one.address] == 2


async def test_what_would_be_reverted_is_not_sent(chain):
    with pytest.raises(ContractRefused, match=r"StaleTreeSize\(got=3, current=0\)"):
        await sender(chain).call(chain.contract, "anchor", LOG, 3, 5, ROOT, 1, [])
    assert chain.sent == []


async def test_what_was_reverted_after_all_is_refused_too(chain, monkeypatch):
    async def estimate_gas(sender, contract, data, value_wei=0):
        return 50_000

    monkeypatch.setattr(chain, "estimate_gas", estimate_gas)
    with pytest.raises(ContractRefused, match="revert"):
        await sender(chain).call(chain.contract, "anchor", LOG, 3, 5, ROOT, 1, [])


async def test_gas_is_bounded_whatever_an_endpoint_says_is_needed(chain, monkeypatch):
    async def estimate_gas(sender, contract, data, value_wei=0):
        return 40_000_000

    monkeypatch.setattr(chain, "estimate_gas", estimate_gas)
    assert await estimate(chain, b"\x01" * 20, chain.contract, b"") == MAX_GAS


async def test_an_endpoint_that_cannot_estimate_is_no_contract_that_refuses(chain, monkeypatch):
    async def estimate_gas(sender, contract, data, value_wei=0):
        raise RpcRefused("eth_estimateGas", -32000, "insufficient funds for transfer", None)

    monkeypatch.setattr(chain, "estimate_gas", estimate_gas)
    with pytest.raises(ChainUnavailable, match="insufficient funds"):
        await sender(chain).send(chain.contract, encode_call("version", []))


async def test_a_transaction_that_is_not_mined_in_time_is_said_so(chain):
    async def sleep(seconds):
        pass

    slow = TransactionSender(chain, ChainAccount(sha256(b"operator")), sleep=sleep, polls=3)
    with pytest.raises(ChainUnavailable, match="may still be"):
        await slow.call(chain.contract, "anchor", LOG, 0, 5, ROOT, 1, [])


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("already known", SendRefusal.KNOWN),
        ("transaction already imported", SendRefusal.KNOWN),
        ("Known transaction", SendRefusal.KNOWN),
        ("AlreadyKnown", SendRefusal.KNOWN),
        (
            "the tx doesn't have the correct nonce. account has nonce of: 3 tx has nonce of: 1",
            SendRefusal.KNOWN,
        ),
        ("nonce too low: next nonce 5, tx nonce 4", SendRefusal.KNOWN),
        ("OldNonce", SendRefusal.KNOWN),
        ("replacement transaction underpriced", SendRefusal.UNDERPRICED),
        ("max fee per gas less than block base fee", SendRefusal.UNDERPRICED),
        ("Gas price below configured minimum gas price", SendRefusal.UNDERPRICED),
        ("insufficient funds for gas * price + value", SendRefusal.UNFUNDED),
        ("Upfront cost exceeds account balance", SendRefusal.UNFUNDED),
        ("Insufficient funds for gas * price + value: max fee", SendRefusal.UNFUNDED),
        ("unknown transaction type", SendRefusal.OTHER),
        ("internal error", SendRefusal.OTHER),
    ],
)
def test_the_words_of_endpoints_are_understood(message, meaning):
    assert classify_refusal(RpcRefused("eth_sendRawTransaction", -32000, message, None)) is meaning
