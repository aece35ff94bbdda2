"""Repudiations: leaves that an issuer says it never issued, because somebody else had its key.

An issuer who could disown whatever it signed would be as good as one who can rewrite its log. So a range
counts only inside the interval of a key that was lost, for what that key signed, and it says since when.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.entries import MAX_EPOCH
from testamur.registry.errors import VerificationError
from testamur.registry.issuer_keys import IssuerKeys
from testamur.registry.key_events import KeyInterval, Position
from testamur.registry.seals import parse_time
from testamur.registry.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Repudiation:
    """Leaves from `start` up to but not including `end`; recorded by statement `statement` of `time`."""

    epoch: int
    start: int
    end: int
    statement: int
    time: str

    def covers(self, position: Position) -> bool:
        """Whether the leaf is among them."""
        return self.epoch == position.epoch and self.start <= position.index < self.end

    def is_inside(self, interval: KeyInterval) -> bool:
        """Whether the key may have signed every one of them, and no other key's time is touched."""
        if interval.end is None or Position(self.epoch, self.end) > interval.end:
            return False
        return interval.start <= Position(self.epoch, self.start)

    def to_json(self) -> dict[str, Json]:
        """`{"epoch": e, "from": a, "until": b, "statement": n, "time": t}`."""
        return {
            "epoch": self.epoch,
            "from": self.start,
            "until": self.end,
            "statement": self.statement,
            "time": self.time,
        }


def parse_repudiation(shape: Shape, *, newest_statement: int) -> Repudiation:
    """A range in a statement with this sequence. Raises MalformedError."""
    start = shape.integer("from")
    found = Repudiation(
        epoch=shape.integer("epoch", minimum=1, maximum=MAX_EPOCH),
        start=start,
        end=shape.integer("until", minimum=start + 1),
        statement=shape.integer("statement", minimum=1, maximum=newest_statement),
        time=parse_time(shape),
    )
    shape.refuse_unknown()
    return found


def verify_repudiations(repudiated: Iterable[Repudiation], keys: IssuerKeys) -> None:
    """Prove that each range lies in the interval of one lost key, which ended no earlier than the range.

    Raises VerificationError("repudiation-out-of-bounds").
    """
    lost = keys.lost_intervals()
    for item in repudiated:
        if not any(item.is_inside(interval) for interval in lost):
            raise VerificationError(
                "repudiation-out-of-bounds", epoch=item.epoch, start=item.start, end=item.end
            )


def find_repudiation(
    repudiated: Iterable[Repudiation], keys: IssuerKeys, *, method: str, position: Position
) -> Repudiation | None:
    """The range that voids what the key of this verification method signed and had logged at `position`.

    None when no range covers it, and when those that do are out of bounds: they count for nothing.
    """
    lost = [item for item in keys.lost_intervals() if item.key.id == method]
    for item in repudiated:
        if item.covers(position) and any(item.is_inside(interval) for interval in lost):
            return item
    return None
