"""What an examination finds: one thing, how it is, what was seen, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How one thing is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: what was seen, and what to do unless it is well."""

    name: str
    state: State
    seen: str
    cure: str = ""


def ok(name: str, seen: str) -> Finding:
    """All is well."""
    return Finding(name=name, state=State.OK, seen=seen)


def warn(name: str, seen: str, cure: str) -> Finding:
    """It works, and will not for ever."""
    return Finding(name=name, state=State.WARN, seen=seen, cure=cure)


def fail(name: str, seen: str, cure: str) -> Finding:
    """It does not work."""
    return Finding(name=name, state=State.FAIL, seen=seen, cure=cure)
