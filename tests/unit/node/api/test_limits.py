"""The token bucket, with a clock of its own."""

import pytest

from testamur.node.api.limits import RateLimit


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_burst_passes_and_the_next_waits(clock):
    limit = RateLimit(per_second=2, burst=3, clock=clock)
    assert [limit.seconds_to_wait("a") for _ in range(4)] == [0, 0, 0, 1]


def test_time_refills_up_to_the_burst(clock):
    limit = RateLimit(per_second=2, burst=3, clock=clock)
    for _ in range(3):
        limit.seconds_to_wait("a")
    clock.now += 0.5
    assert [limit.seconds_to_wait("a") for _ in range(2)] == [0, 1]
    clock.now += 3600
    assert [limit.seconds_to_wait("a") for _ in range(4)] == [0, 0, 0, 1]


def test_a_refused_request_costs_nothing(clock):
    limit = RateLimit(per_second=1, burst=1, clock=clock)
    assert [limit.seconds_to_wait("a") for _ in range(10)] == [0, *[1] * 9]
    clock.now += 1
    assert limit.seconds_to_wait("a") == 0


def test_a_slow_rate_says_how_long_to_wait(clock):
    limit = RateLimit(per_second=0.1, burst=1, clock=clock)
    assert [limit.seconds_to_wait("a") for _ in range(2)] == [0, 10]


def test_addresses_do_not_share(clock):
    limit = RateLimit(per_second=1, burst=1, clock=clock)
    assert [limit.seconds_to_wait(address) for address in "aba"] == [0, 0, 1]


def test_a_clock_that_goes_back_gives_nothing_away(clock):
    limit = RateLimit(per_second=1, burst=1, clock=clock)
    limit.seconds_to_wait("a")
    clock.now -= 1000
    assert limit.seconds_to_wait("a") == 1


def test_memory_is_bounded_and_the_longest_silent_address_is_forgotten(clock):
    limit = RateLimit(per_second=1, burst=1, clock=clock, max_addresses=2)
    limit.seconds_to_wait("a")
    limit.seconds_to_wait("b")
    limit.seconds_to_wait("a")
    limit.seconds_to_wait("c")
    assert limit.seconds_to_wait("a") == 1
    assert limit.seconds_to_wait("b") == 0


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_limit_that_lets_nothing_pass_is_a_mistake(per_second, burst, clock):
    with pytest.raises(ValueError, match="rate limit"):
        RateLimit(per_second=per_second, burst=burst, clock=clock)
