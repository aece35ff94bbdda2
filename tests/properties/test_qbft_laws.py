"""Laws of seals and of agreement: whoever seals, in whatever order, with whatever garbage beside it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.chain_state import header_bytes
from fakes.validators import as_qbft, malleated, validators
from testamur.node.chain.agreement import reached
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.headers import field_position, parse_header
from testamur.registry.evm.qbft import QbftSeals, commit_hash, quorum_of, verify_seals

PLAIN = header_bytes(state_root=b"\x05" * 32, number=77, timestamp=1_795_000_000)
ALL = validators(7)
HEADER = parse_header(as_qbft(PLAIN, ALL))
SEALS = [item.seal(HEADER) for item in ALL]
ADDRESSES = [item.address for item in ALL]
STRANGERS = [item.seal(HEADER) for item in validators(3, first=90)]
NOISE = [*STRANGERS, *map(malleated, SEALS), bytes(65), b"\xff" * 65]


@given(st.data(), st.integers(min_value=1, max_value=7), st.sets(st.integers(min_value=0, max_value=6)))
def test_exactly_the_pinned_validators_that_sealed_are_counted(data, count, sealers):
    pinned = ADDRESSES[:count]
    noise = data.draw(st.lists(st.sampled_from(NOISE), max_size=5))
    order = data.draw(st.permutations([*(SEALS[number] for number in sealers), *noise]))
    expected = {ADDRESSES[number] for number in sealers if number < count}
    seals = QbftSeals(round=0, seals=tuple(order))
    if len(expected) >= quorum_of(count):
        assert verify_seals(HEADER, seals, pinned) == expected
        return
    with pytest.raises(VerificationError) as caught:
        verify_seals(HEADER, seals, pinned)
    assert caught.value.parameters == {"got": len(expected), "wanted": quorum_of(count)}


@given(st.integers(min_value=1, max_value=1000))
def test_two_quorums_share_an_honest_validator_while_fewer_than_a_third_are_false(count):
    assert 3 * quorum_of(count) >= 2 * count > 3 * (quorum_of(count) - 1)
    false = -(-count // 3) - 1
    assert 2 * quorum_of(count) - count > false


@given(st.binary(max_size=200))
def test_any_extra_data_is_hashed_or_malformed(extra):
    fields = rlp.decode_list(as_qbft(PLAIN, []))
    fields[field_position("extraData")] = extra
    with contextlib.suppress(MalformedError):
        assert len(commit_hash(parse_header(rlp.encode(fields)), 0)) == 32


@given(st.lists(st.integers(min_value=0, max_value=2**63), min_size=1, max_size=9))
def test_a_minority_can_neither_raise_nor_lower_what_is_reached(numbers):
    value = reached("a height", [(None, number) for number in numbers])
    assert 2 * sum(number >= value for number in numbers) > len(numbers)
    assert 2 * sum(number > value for number in numbers) <= len(numbers)
