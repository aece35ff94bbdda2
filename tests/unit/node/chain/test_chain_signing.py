import pytest
from eth_account import Account

from testamur.node.chain.signing import ChainAccount, Transaction
from testamur.registry.hashing import sha256

SECRET = sha256(b"operator")


def transaction(**changes):
    fields = {
        "chain_id": 31337,
        "nonce": 7,
        "tip_wei": 10**9,
        "max_fee_wei": 3 * 10**9,
        "gas": 120_000,
        "to": b"\x05" * 20,
        "value_wei": 0,
        "data": b"\x01\x02\x03" * 40,
    }
    return Transaction(**{**fields, **changes})


def by_eth_account(item):
    fields = {
        "type": 2,
        "chainId": item.chain_id,
        "nonce": item.nonce,
        "maxPriorityFeePerGas": item.tip_wei,
        "maxFeePerGas": item.max_fee_wei,
        "gas": item.gas,
        "value": item.value_wei,
        "data": item.data,
    }
    if item.to is not None:
        fields["to"] = item.to
    return Account.from_key(SECRET).sign_transaction(fields)


@pytest.mark.parametrize(
    "changes",
    [{}, {"to": None}, {"nonce": 0, "data": b""}, {"value_wei": 10**18}, {"chain_id": 1, "gas": 21_000}],
    ids=["call", "deployment", "zeros", "value", "mainnet"],
)
def test_a_transaction_is_signed_as_eth_account_does(changes):
    item = transaction(**changes)
    signed, other = ChainAccount(SECRET).sign(item), by_eth_account(item)
    assert (signed.raw, signed.hash) == (bytes(other.raw_transaction), bytes(other.hash))


def test_many_nonces_are_signed_as_eth_account_does():
    # r and s with leading zeros occur once in 256 signatures
    for nonce in range(300):
        item = transaction(nonce=nonce)
        assert ChainAccount(SECRET).sign(item).raw == bytes(by_eth_account(item).raw_transaction)


def test_the_address_is_that_of_the_key():
    assert "0x" + ChainAccount(SECRET).address.hex() == Account.from_key(SECRET).address.lower()


def test_a_secret_is_never_shown():
    shown = repr(ChainAccount(SECRET))
    assert SECRET.hex() not in shown
    assert ChainAccount(SECRET).address.hex() in shown


@pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32, b"\x01" * 31])
def test_a_secret_is_a_scalar_of_the_curve(secret):
    with pytest.raises(ValueError, match=r"secret|scalar|[Ss]ecret"):
        ChainAccount(secret)
