"""What is known of one element, and of all of them."""

from dataclasses import dataclass
from enum import StrEnum

from testamur.registry.canonical import Json


class State(StrEnum):
    """`doubtful`: something stands there, and it cannot be what the Recommendation asks for."""

    FOUND = "found"
    MISSING = "missing"
    DOUBTFUL = "doubtful"


class Need(StrEnum):
    """Whether the Recommendation asks for an element; `if-applicable` is the issuer's to know."""

    MANDATORY = "mandatory"
    IF_APPLICABLE = "if-applicable"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with the value at a JSON pointer (RFC 6901): a predicate such as "is sixty months"."""

    at: str
    text: str

    def __str__(self) -> str:
        return f"{self.at} {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One element. `found_at` are pointers of values; `looked_at` are paths, where lists are looked through.

    `problems` are why it is doubtful, `notes` what is unusual and no reason to doubt. `is_implausible` tells
    a value that is wrong from one that is merely too little.
    """

    number: int
    name: str
    need: Need
    state: State
    found_at: tuple[str, ...]
    looked_at: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    is_implausible: bool
    fill: str

    @property
    def is_needed(self) -> bool:
        """Whether a micro-credential without it is none, whatever it certifies."""
        return self.need is Need.MANDATORY

    @property
    def fails(self) -> bool:
        """Whether the strict reading refuses it: a mandatory element not found, or a value that is wrong."""
        return self.is_implausible or (self.is_needed and self.state is not State.FOUND)

    def sentence(self) -> str:
        """What is wrong, and what to do about it, on one line."""
        named = f"micro-credential element {self.number} ({self.name})"
        if self.state is State.MISSING:
            return f"{named} is missing: {self.fill}"
        return f"{named} is {self.state}: {'; '.join(map(str, self.problems))}"

    def to_json(self) -> dict[str, Json]:
        """As `testamur check-profile --json` prints it."""
        return {
            "number": self.number,
            "name": self.name,
            "need": str(self.need),
            "state": str(self.state),
            "foundAt": list(self.found_at),
            "lookedAt": list(self.looked_at),
            "problems": [{"at": item.at, "text": item.text} for item in self.problems],
            "notes": [{"at": item.at, "text": item.text} for item in self.notes],
            "fill": None if self.state is State.FOUND else self.fill,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementReport:
    """All sixteen, in order, and the mapping by which they were looked for."""

    mapping: str
    findings: tuple[Finding, ...]

    def in_state(self, state: State) -> tuple[Finding, ...]:
        """Those in this state."""
        return tuple(item for item in self.findings if item.state is state)

    @property
    def lacking(self) -> tuple[Finding, ...]:
        """Mandatory elements that are missing: without them it is no micro-credential."""
        return tuple(item for item in self.findings if item.is_needed and item.state is State.MISSING)

    @property
    def failing(self) -> tuple[Finding, ...]:
        """What the strict reading refuses."""
        return tuple(item for item in self.findings if item.fails)

    def to_json(self) -> dict[str, Json]:
        """As `testamur check-profile --json` prints it."""
        counts: dict[str, Json] = {str(state): len(self.in_state(state)) for state in State}
        return {"mapping": self.mapping, **counts, "elements": [item.to_json() for item in self.findings]}
