"""Taking JSON apart: every helper returns a value of the asked type or says which member is wrong.

The one place where "is it a string?" is written; parsers above it read like the format they parse.
"""

from collections.abc import Iterable

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import decode_digest


class Shape:
    """A JSON object on its way to becoming a value; remembers where it is for error messages."""

    __slots__ = ("_members", "_seen", "subject")

    def __init__(self, value: Json, subject: str) -> None:
        if not isinstance(value, dict):
            raise MalformedError(subject, f"must be an object, not {kind_of(value)}")
        self._members = value
        self._seen: set[str] = set()
        self.subject = subject

    def path(self, name: str) -> str:
        """Where a member stands, for messages and for shapes below this one."""
        return f"{self.subject} /{name}" if " /" not in self.subject else f"{self.subject}/{name}"

    def has(self, name: str) -> bool:
        """Whether the member is present and not null."""
        self._seen.add(name)
        return self._members.get(name) is not None

    def any(self, name: str) -> Json:
        """The member as it is, or null when it is absent."""
        self._seen.add(name)
        return self._members.get(name)

    def text(self, name: str, *, max_length: int = 2048) -> str:
        """A non-empty string of at most `max_length` characters."""
        value = self.any(name)
        if not isinstance(value, str) or not value:
            raise MalformedError(self.path(name), f"must be a non-empty string, not {kind_of(value)}")
        if len(value) > max_length:
            raise MalformedError(self.path(name), f"has {len(value)} characters, more than {max_length}")
        return value

    def optional_text(self, name: str, *, max_length: int = 2048) -> str | None:
        """The same, or None when the member is absent or null."""
        return self.text(name, max_length=max_length) if self.has(name) else None

    def integer(self, name: str, *, minimum: int = 0, maximum: int = 2**53 - 1) -> int:
        """An integer within the bounds; a boolean or a float is refused."""
        value = self.any(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise MalformedError(self.path(name), f"must be an integer, not {kind_of(value)}")
        if not minimum <= value <= maximum:
            raise MalformedError(self.path(name), f"is {value}, outside {minimum} to {maximum}")
        return value

    def optional_integer(self, name: str, *, minimum: int = 0) -> int | None:
        """The same, or None when the member is absent or null."""
        return self.integer(name, minimum=minimum) if self.has(name) else None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean; `default` when absent."""
        value = self.any(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise MalformedError(self.path(name), f"must be true or false, not {kind_of(value)}")
        return value

    def digest(self, name: str) -> bytes:
        """A SHA-256 digest in multibase `u`."""
        return decode_digest(self.text(name, max_length=64), self.path(name))

    def optional_digest(self, name: str) -> bytes | None:
        """The same, or None when the member is absent or null."""
        return self.digest(name) if self.has(name) else None

    def items(self, name: str, *, maximum: int, minimum: int = 0) -> list[Json]:
        """A list with between `minimum` and `maximum` items; an absent one is empty."""
        value = self.any(name)
        if value is None:
            value = []
        if not isinstance(value, list):
            raise MalformedError(self.path(name), f"must be a list, not {kind_of(value)}")
        if not minimum <= len(value) <= maximum:
            raise MalformedError(self.path(name), f"has {len(value)} items, outside {minimum} to {maximum}")
        return value

    def texts(self, name: str, *, maximum: int, max_length: int = 2048) -> list[str]:
        """A list of non-empty strings."""
        found: list[str] = []
        for number, item in enumerate(self.items(name, maximum=maximum)):
            if not isinstance(item, str) or not item or len(item) > max_length:
                where = f"{self.path(name)}/{number}"
                raise MalformedError(where, f"must be a string of 1 to {max_length} characters")
            found.append(item)
        return found

    def shape(self, name: str) -> "Shape":
        """An object member, to be taken apart further."""
        return Shape(self.any(name), self.path(name))

    def shapes(self, name: str, *, maximum: int, minimum: int = 0) -> list["Shape"]:
        """A list of objects."""
        items = self.items(name, maximum=maximum, minimum=minimum)
        return [Shape(item, f"{self.path(name)}/{number}") for number, item in enumerate(items)]

    def expect(self, name: str, wanted: Json) -> None:
        """The member has exactly this value, or the document is of another format."""
        value = self.any(name)
        if value != wanted or type(value) is not type(wanted):
            shown = value if isinstance(value, str | int | float | bool) else kind_of(value)
            raise MalformedError(self.path(name), f"must be {wanted!r}, not {str(shown)[:80]!r}")

    def unknown(self) -> tuple[str, ...]:
        """Members that nobody asked for, in order; a caller keeps and reports them, or refuses them."""
        return tuple(name for name in self._members if name not in self._seen)

    def report_unknown(self, report: list[str]) -> None:
        """Add what nobody asked for to a report: a later minor version may know more than this reader."""
        report.extend(self.path(name) for name in self.unknown())

    def refuse_unknown(self) -> None:
        """Nothing but the members taken so far: a misspelt member must not be silently without effect."""
        unknown = self.unknown()
        if unknown:
            raise MalformedError(self.subject, f"has unknown members: {', '.join(unknown)[:200]}")


def kind_of(value: object) -> str:
    """What a person would call the JSON value, for error messages."""
    if value is None:
        return "nothing"
    for kind, word in ((bool, "true or false"), (str, "a string"), (int, "a number"), (float, "a number")):
        if isinstance(value, kind):
            return word
    return "a list" if isinstance(value, list) else "an object"


def without_duplicates(values: Iterable[str], subject: str) -> None:
    """Every value occurs once: two entries under one name would let the reader pick the wrong one."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise MalformedError(subject, f"names {value[:120]!r} twice")
        seen.add(value)
