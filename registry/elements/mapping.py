"""The mappings as values: which element stands where, read from the data beside this file."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from testamur.registry.elements.finding import Need

PathTree = dict[str, tuple[str, "PathTree"]]
"""Member name → (path so far, what is below it)."""

MAPPING_FILES = ("open-badges-3.json", "elm-3.json")
"""In the order in which they are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """On one text member of an object, without regard to case: it equals, contains, or starts with a word."""

    member: str
    equals: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to look: a path from the document's top (lists are looked through), and by which rule.

    Of the objects found there, those of `select` (all, when empty) and not of `reject`; `member` is then
    taken of each. Without a `rule` values are only collected, under `role`, for the element's checks. `alone`
    says why what stands here is not enough by itself.
    """

    at: str
    rule: str | None
    role: str
    member: str | None
    only_text: bool
    alone: str | None
    select: tuple[Condition, ...]
    reject: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element in one mapping. With `is_some_enough` one good value makes up for bad ones."""

    number: int
    name: str
    need: Need
    fill: str
    places: tuple[Place, ...]
    looked_at: tuple[str, ...]
    """The paths of the places that count, for people and for JSON."""
    is_some_enough: bool
    checks: tuple[str, ...]
    orders: tuple[tuple[str, str], ...]
    """Pairs of paths to times, the first of which is not after the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A data model: how its credentials are known, which of them claim to be micro-credentials, and where.

    `agents` and `kinds` are members of what describes quality assurance.
    """

    name: str
    types: frozenset[str]
    members: tuple[str, ...]
    claims: tuple[tuple[str, tuple[str, ...]], ...]
    awarding_bodies: tuple[str, ...]
    agents: tuple[str, ...]
    kinds: tuple[str, ...]
    elements: tuple[Element, ...]
    tree: PathTree
    """All paths of the mapping."""
    claim_tree: PathTree
    """Those of `claims` alone: most credentials claim nothing, and nothing else has to be found in them."""


@cache
def mappings() -> tuple[Mapping, ...]:
    """All that are bundled."""
    described = {item["number"]: item for item in _read("elements.json")["elements"]}
    return tuple(_mapping(_read(name), described) for name in MAPPING_FILES)


@cache
def countries() -> tuple[frozenset[str], frozenset[str]]:
    """ISO 3166-1 codes of two and of three letters."""
    found = _read("countries.json")
    return frozenset(" ".join(found["alpha2"]).split()), frozenset(" ".join(found["alpha3"]).split())


def _read(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(name).read_bytes())


def _mapping(found: Any, described: dict[int, Any]) -> Mapping:
    selections = {
        name: tuple(_condition(item) for item in items) for name, items in found.get("selections", {}).items()
    }
    return Mapping(
        name=found["name"],
        types=frozenset(found["types"]),
        members=tuple(found["members"]),
        claims=tuple((item["at"], tuple(item["contains"])) for item in found["claims"]),
        awarding_bodies=tuple(found["awardingBodies"]),
        agents=tuple(found["agents"]),
        kinds=tuple(found["kinds"]),
        elements=tuple(_element(item, described[item["number"]], selections) for item in found["elements"]),
        tree=_tree(_paths(found)),
        claim_tree=_tree(item["at"] for item in found["claims"]),
    )


def _element(found: Any, described: Any, selections: dict[str, tuple[Condition, ...]]) -> Element:
    return Element(
        number=found["number"],
        name=described["name"],
        need=Need(described["need"]),
        fill=found["fill"],
        places=tuple(_place(item, selections) for item in found["places"]),
        looked_at=tuple(dict.fromkeys(_path(item) for item in found["places"] if "rule" in item)),
        is_some_enough=found.get("enough") == "some",
        checks=tuple(found.get("checks", ())),
        orders=tuple((first, second) for first, second in found.get("orders", ())),
    )


def _place(found: Any, selections: dict[str, tuple[Condition, ...]]) -> Place:
    return Place(
        at=found["at"],
        rule=found.get("rule"),
        role=found.get("as", ""),
        member=found.get("member"),
        only_text=found.get("kind") == "text",
        alone=found.get("alone"),
        select=tuple(item for name in found.get("select", ()) for item in selections[name]),
        reject=tuple(item for name in found.get("reject", ()) for item in selections[name]),
    )


def _path(found: Any) -> str:
    return f"{found['at']}/{found['member']}" if "member" in found else str(found["at"])


def _condition(found: Any) -> Condition:
    return Condition(
        member=found["member"],
        equals=tuple(word.casefold() for word in found.get("is", ())),
        contains=tuple(word.casefold() for word in found.get("contains", ())),
        starts=tuple(word.casefold() for word in found.get("startsWith", ())),
    )


def _paths(found: Any) -> Iterator[str]:
    yield from found["members"]
    yield from found["awardingBodies"]
    for element in found["elements"]:
        yield from (place["at"] for place in element["places"])
        yield from (path for pair in element.get("orders", ()) for path in pair)


def _tree(paths: Iterable[str]) -> PathTree:
    tree: PathTree = {}
    for path in paths:
        below, so_far = tree, ""
        for step in path.removeprefix("/").split("/"):
            so_far = f"{so_far}/{step}"
            below = below.setdefault(step, (so_far, {}))[1]
    return tree
