from dataclasses import replace

import pytest

from testamur.node.chain.intents import AnchorRequest, Attempt, Intent, IntentOwner, IntentStore
from testamur.node.chain.values import ChainIdentity
from testamur.node.errors import WrongChain

OWNER = IntentOwner(
    identity=ChainIdentity(chain_id=1, genesis_hash=b"\x01" * 32), contract=b"\x02" * 20, account=b"\x03" * 20
)


def attempt(size, log_id=b"\x05" * 32):
    request = AnchorRequest(
        log_id=log_id, old_size=1, size=size, root=b"\x06" * 32, statement=2, proof=(b"\x07" * 32,)
    )
    return Attempt(
        raw=b"raw", transaction_hash=b"\x08" * 32, tip_wei=10**10, max_fee_wei=10**20, requests=(request,)
    )


INTENT = Intent(nonce=4, attempts=(attempt(7), attempt(9)))


def test_an_intent_is_read_back(tmp_path):
    store = IntentStore(tmp_path / "new" / "intent.json")
    assert store.load(OWNER) is None
    store.save(INTENT, OWNER)
    assert IntentStore(store.path).load(OWNER) == INTENT
    store.clear()
    store.clear()
    assert store.load(OWNER) is None


@pytest.mark.parametrize(
    "change",
    [
        {"identity": ChainIdentity(chain_id=2, genesis_hash=b"\x01" * 32)},
        {"identity": ChainIdentity(chain_id=1, genesis_hash=b"\x02" * 32)},
        {"contract": b"\x00" * 20},
        {"account": b"\x00" * 20},
    ],
)
def test_bytes_signed_for_elsewhere_are_not_sent(tmp_path, change):
    store = IntentStore(tmp_path / "intent.json")
    store.save(INTENT, OWNER)
    with pytest.raises(WrongChain, match="remove it"):
        store.load(replace(OWNER, **change))


def test_an_intent_knows_its_logs_and_the_smallest_outcome():
    both = Intent(nonce=1, attempts=(attempt(7), attempt(9), attempt(3, b"\x09" * 32)))
    assert both.log_ids == {b"\x05" * 32, b"\x09" * 32}
    assert (both.smallest_size(b"\x05" * 32), both.smallest_size(b"\x09" * 32)) == (7, 3)
    assert both.newest == both.attempts[2]
