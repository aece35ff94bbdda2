"""Values in a document that may have any shape: found by path, and read as words."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from testamur.registry.canonical import Json
from testamur.registry.elements.mapping import Condition, PathTree, Place

MAX_VALUES = 1024
"""Values that are looked at in one place, as many as one award may have alignments or results."""

MAX_WORDS = 64
"""Languages, or members, that are looked through for one text."""

MAX_SHOWN = 60
"""Characters of a value that a problem quotes."""

_NAMES = ("@value", "prefLabel", "notation", "title", "name", "legalName", "noteLiteral", "id")
"""Members by which an object says what it is, the most telling first."""


class Value(NamedTuple):
    """A value and its JSON pointer. A tuple, because there are a hundred in every credential."""

    at: str
    json: Json


class Walk:
    """The values of one document at the paths of a mapping, found in one walk."""

    def __init__(self, document: Json, paths: PathTree) -> None:
        self._found: dict[str, list[Value]] = {}
        self._visit([Value("", document)], paths)

    def at(self, path: str) -> Sequence[Value]:
        """What stands there: lists on the way and at its end are looked through, up to `MAX_VALUES`."""
        return self._found.get(path, ())

    def _visit(self, above: list[Value], tree: PathTree) -> None:
        for step, (path, below) in tree.items():
            found: list[Value] = []
            for item in above:
                if not isinstance(item.json, dict) or step not in item.json:
                    continue
                value, at = item.json[step], f"{item.at}/{step}"
                if isinstance(value, list):
                    room = value[: MAX_VALUES - len(found)]
                    found += [Value(f"{at}/{number}", inner) for number, inner in enumerate(room)]
                elif len(found) < MAX_VALUES:
                    found.append(Value(at, value))
            if found:
                self._found[path] = found
                if below:
                    self._visit(found, below)


def values_of(walk: Walk, place: Place) -> Sequence[Value]:
    """What stands at a place, with its conditions applied."""
    found = walk.at(place.at)
    if not found:
        return found
    if place.select or place.reject:
        found = [
            item
            for item in found
            if isinstance(item.json, dict)
            and (not place.select or _meets(item.json, place.select))
            and not _meets(item.json, place.reject)
        ]
    if place.member is not None:
        name = place.member
        found = [
            Value(f"{item.at}/{name}", item.json[name])
            for item in found
            if isinstance(item.json, dict) and name in item.json
        ]
    if place.only_text:
        found = [item for item in found if isinstance(item.json, str)]
    return found


def words_of(value: Json, depth: int = 3) -> str | None:
    """The text that a value is or has: a string, one of several languages, or the label of a concept."""
    if isinstance(value, str):
        return value.strip() or None
    if depth and isinstance(value, list):
        return next(filter(None, (words_of(item, depth - 1) for item in value[:MAX_WORDS])), None)
    if depth and isinstance(value, dict):
        named = [value[name] for name in _NAMES if name in value]
        # Without any of them it is a map of languages: {"en": ["…"]}.
        items = named or [item for name, item in islice(value.items(), MAX_WORDS) if _is_language(name)]
        return next(filter(None, (words_of(item, depth - 1) for item in items)), None)
    return None


def shown(value: Json) -> str:
    """A value as a problem quotes it."""
    words = words_of(value)
    if words is None and isinstance(value, int | float):
        return "true" if value is True else "false" if value is False else _number_shown(value)
    if words is None:
        return "nothing readable"
    return repr(words if len(words) <= MAX_SHOWN else words[: MAX_SHOWN - 1] + "…")


def _number_shown(value: float) -> str:
    try:
        return f"{float(value):g}"
    except OverflowError:
        return "a huge number"


def _is_language(name: str) -> bool:
    return 2 <= len(name) <= 35 and name.replace("-", "").isalnum() and name.partition("-")[0].isalpha()


def _meets(value: dict[str, Json], conditions: tuple[Condition, ...]) -> bool:
    for condition in conditions:
        text = value.get(condition.member)
        if not isinstance(text, str):
            continue
        text = text.casefold()
        if text in condition.equals or text.startswith(condition.starts):
            return True
        if any(word in text for word in condition.contains):
            return True
    return False
