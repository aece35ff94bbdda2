import pytest

from fakes.chain_state import header_bytes
from testamur.node.chain import follower
from testamur.node.chain.follower import Follower, Step
from testamur.node.errors import ChainUnavailable, ReorgBeyondFinality
from testamur.registry.evm import rlp
from testamur.registry.evm.headers import parse_header


def block(number, parent=None, salt=0):
    fields = rlp.decode_list(
        header_bytes(state_root=bytes(32), number=number, timestamp=1000 + number + salt)
    )
    fields[0] = parent.hash if parent else bytes(32)
    return parse_header(rlp.encode(fields))


GENESIS = block(0)
A1 = block(1, GENESIS)
A2 = block(2, A1)
A3 = block(3, A2)
B2 = block(2, A1, salt=500)
B3 = block(3, B2)


def names(steps):
    known = {
        header.hash: name for name, header in (("A1", A1), ("A2", A2), ("A3", A3), ("B2", B2), ("B3", B3))
    }
    return [f"{step.step.name.lower()} {known[step.header.hash]}" for step in steps]


@pytest.fixture
def followed():
    made = Follower(GENESIS)
    for header in (A1, A2):
        made.connect(header)
    return made


def test_blocks_connect_one_after_the_other():
    made = Follower(GENESIS)
    assert names(made.connect(A1)) == ["connected A1"]
    assert (made.head, made.final) == (A1, GENESIS)


def test_a_known_block_changes_nothing(followed):
    assert followed.connect(A1) == []
    assert followed.head == A2


def test_a_fork_disconnects_what_it_replaces(followed):
    followed.connect(A3)
    assert names(followed.connect(B2)) == ["disconnected A3", "disconnected A2", "connected B2"]
    assert followed.head == B2


def test_a_block_whose_parent_is_missing_is_asked_for_first(followed):
    assert followed.wants(B3)
    with pytest.raises(ValueError, match="does not follow"):
        followed.connect(B3)
    followed.connect(B2)
    assert not followed.wants(B3)
    assert names(followed.connect(B3)) == ["connected B3"]


def test_a_block_of_another_height_than_its_place_does_not_connect(followed):
    with pytest.raises(ValueError, match="does not follow"):
        followed.connect(block(9, A2))


def test_blocks_become_final_in_order_and_once(followed):
    assert names(followed.finalise(A2)) == ["finalised A1", "finalised A2"]
    assert followed.finalise(A2) == followed.finalise(A1) == []
    assert (followed.final, followed.head) == (A2, A2)


def test_a_block_is_not_final_before_it_is_connected(followed):
    for header in (A3, B2):
        with pytest.raises(ValueError, match="not connected"):
            followed.finalise(header)
    assert followed.final == GENESIS


def test_a_final_block_is_never_replaced(followed):
    followed.finalise(A2)
    with pytest.raises(ReorgBeyondFinality, match="block 2 was final"):
        followed.connect(B2)
    with pytest.raises(ReorgBeyondFinality, match="block 2 was final"):
        followed.finalise(B2)
    assert followed.head == A2


def test_a_chain_that_never_becomes_final_is_bounded(monkeypatch, followed):
    monkeypatch.setattr(follower, "MAX_UNFINALISED", 2)
    with pytest.raises(ChainUnavailable, match="none of them is final"):
        followed.connect(A3)
    followed.finalise(A1)
    assert [step.step for step in followed.connect(A3)] == [Step.CONNECTED]
