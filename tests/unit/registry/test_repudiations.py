"""What an issuer may disown: what a lost key signed inside its interval, and nothing else, for ever."""

from typing import Any

import pytest

from fakes.issuers import DID, signing_key
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.issuer_keys import verify_issuer_keys
from testamur.registry.key_events import (
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
)
from testamur.registry.repudiations import (
    Repudiation,
    find_repudiation,
    parse_repudiation,
    verify_repudiations,
)
from testamur.registry.shapes import Shape

TIME = "2026-11-21T10:00:00Z"
DESK, STOLEN, NEXT = (signing_key(number) for number in (1, 2, 3))
METHOD = {
    name: verification_method(DID, key.public_key) for name, key in (("desk", DESK), ("stolen", STOLEN))
}


def keys(*, compromised: bool = True, at: Position = Position(1, 40)) -> Any:
    """Two desks; the second one's key was stolen, and left at `at`."""
    first = build_key_event(
        did=DID,
        keys=[DESK, STOLEN],
        next_commitment=commitment([DESK.public_key, NEXT.public_key]),
        created=TIME,
    )
    second = build_key_event(
        did=DID,
        keys=[DESK, NEXT],
        next_commitment=commitment([signing_key(4).public_key]),
        created=TIME,
        previous=parse_key_event(first),
        start=at,
        compromised=[METHOD["stolen"]] if compromised else [],
    )
    return verify_issuer_keys([first, second])


def leaves(start: int, end: int, *, epoch: int = 1) -> Repudiation:
    return Repudiation(epoch=epoch, start=start, end=end, statement=2, time=TIME)


@pytest.mark.parametrize(("start", "end"), [(0, 40), (0, 1), (39, 40), (10, 20)])
def test_a_range_inside_the_interval_of_a_compromised_key_counts(start: int, end: int) -> None:
    verify_repudiations([leaves(start, end)], keys())


@pytest.mark.parametrize(
    "item", [leaves(0, 41), leaves(39, 41), leaves(40, 41), leaves(0, 1, epoch=2), leaves(0, 10**9)]
)
def test_a_range_that_reaches_beyond_it_is_refused(item: Repudiation) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_repudiations([leaves(0, 40), item], keys())
    assert caught.value.reason == "repudiation-out-of-bounds"


def test_a_key_that_was_only_retired_can_disown_nothing() -> None:
    with pytest.raises(VerificationError, match="repudiation-out-of-bounds"):
        verify_repudiations([leaves(0, 1)], keys(compromised=False))


def test_a_range_may_end_with_an_epoch_that_the_key_outlived() -> None:
    outlived = keys(at=Position(2, 5))
    verify_repudiations([leaves(0, 10**6), leaves(0, 5, epoch=2)], outlived)
    with pytest.raises(VerificationError, match="repudiation-out-of-bounds"):
        verify_repudiations([leaves(0, 6, epoch=2)], outlived)


def test_only_what_the_lost_key_itself_signed_is_void() -> None:
    said = leaves(10, 20)

    def found(method: str, index: int, *repudiated: Repudiation) -> Repudiation | None:
        return find_repudiation(
            repudiated or (said,), keys(), method=METHOD[method], position=Position(1, index)
        )

    assert {index: found("stolen", index) for index in (9, 10, 19, 20)} == {
        9: None,
        10: said,
        19: said,
        20: None,
    }
    assert found("desk", 15) is None
    # Out of bounds, it voids nothing at all; the good one beside it does.
    assert found("stolen", 15, leaves(10, 10**9)) is None
    assert found("stolen", 15, leaves(10, 10**9), said) == said


def test_a_range_says_which_statement_recorded_it_and_when() -> None:
    assert parse_repudiation(Shape(leaves(1, 2).to_json(), "r"), newest_statement=2) == leaves(1, 2)
    for changes in (
        {"statement": 3},
        {"statement": 0},
        {"time": "yesterday"},
        {"time": None},
        {"until": 1},
        {"x": 1},
    ):
        with pytest.raises(MalformedError):
            parse_repudiation(Shape({**leaves(1, 2).to_json(), **changes}, "r"), newest_statement=2)
