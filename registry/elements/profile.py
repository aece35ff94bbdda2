"""The elements looked for in one credential."""

from typing import NamedTuple

from testamur.registry.canonical import Json
from testamur.registry.elements.checks import CHECKS, Outcome
from testamur.registry.elements.finding import ElementReport, Finding, Need, Problem, State
from testamur.registry.elements.mapping import Element, Mapping, mappings
from testamur.registry.elements.rules import RULES, Surroundings
from testamur.registry.elements.values import Value, Walk, values_of, words_of
from testamur.registry.errors import MalformedError

MAX_PROBLEMS = 16
"""Problems that are named of one element; whoever mends these will see the next."""


def check_elements(document: Json) -> ElementReport | None:
    """The sixteen elements in a credential, or None for one of a data model that no mapping describes.

    For any JSON value: a document of an unexpected shape lacks elements, and that is the answer. Whether it
    is well-formed, signed or true is not asked.
    """
    mapping = _mapping_of(document)
    if mapping is None:
        return None
    walk = Walk(document, mapping.tree)
    around = _surroundings(mapping, walk)
    findings = tuple(_finding(element, _look(walk, element, around)) for element in mapping.elements)
    return ElementReport(mapping=mapping.name, findings=findings)


def element_problems(document: Json, *, of_claimed: bool = False) -> list[str]:
    """A sentence for each element that the strict reading refuses; with how to fill it, if it is missing.

    Empty for a data model without a mapping, and with `of_claimed` for what claims to be no micro-credential.
    """
    mapping = _mapping_of(document)
    if mapping is None or (of_claimed and not _claims(mapping, document)):
        return []
    walk = Walk(document, mapping.tree)
    around = _surroundings(mapping, walk)
    found = ((element, _look(walk, element, around)) for element in mapping.elements)
    return [_finding(element, seen).sentence() for element, seen in found if _fails(element, seen)]


def claims_elements(document: Json) -> bool:
    """Whether a credential says that it is a micro-credential, and therefore has the elements."""
    mapping = _mapping_of(document)
    return mapping is not None and _claims(mapping, document)


def require_elements(document: Json, subject: str = "credential") -> None:
    """The strict reading, for issuers: every mandatory element is there, and no value is wrong.

    Raises MalformedError naming every element that fails, and how to fill it.
    """
    if _mapping_of(document) is None:
        reason = "is no micro-credential: neither an Open Badge nor in the European Learning Model"
        raise MalformedError(subject, reason)
    problems = element_problems(document)
    if problems:
        raise MalformedError(subject, f"is no whole micro-credential: {'; '.join(problems)}")


class _Seen(NamedTuple):
    """What was found of an element; see `Finding`."""

    state: State
    good: list[Value]
    bad: list[Problem]
    weak: list[Problem]
    notes: list[Problem]


def _mapping_of(document: Json) -> Mapping | None:
    if not isinstance(document, dict):
        return None
    given = document.get("type")
    types = {item for item in (given if isinstance(given, list) else [given]) if isinstance(item, str)}
    for mapping in mappings():
        if not types.isdisjoint(mapping.types):
            return mapping
    for mapping in mappings():
        if any(Walk(document, mapping.tree).at(path) for path in mapping.members):
            return mapping
    return None


def _claims(mapping: Mapping, document: Json) -> bool:
    walk = Walk(document, mapping.claim_tree)
    return any(
        word in item.json.casefold()
        for path, words in mapping.claims
        for item in walk.at(path)
        if isinstance(item.json, str)
        for word in words
    )


def _surroundings(mapping: Mapping, walk: Walk) -> Surroundings:
    named = [words_of(item.json) for path in mapping.awarding_bodies for item in walk.at(path)]
    awarding = frozenset(text.casefold() for text in named if text)
    return Surroundings(awarding=awarding, agents=mapping.agents, kinds=mapping.kinds)


def _look(walk: Walk, element: Element, around: Surroundings) -> _Seen:
    good: list[Value] = []
    weak: list[Problem] = []
    bad: list[Problem] = []
    roles: dict[str, list[Value]] = {}
    for place in element.places:
        for item in values_of(walk, place):
            wrong = RULES[place.rule](item.json, around) if place.rule is not None else None
            if wrong is not None:
                bad.append(Problem(at=item.at, text=wrong))
                continue
            if place.role:
                roles.setdefault(place.role, []).append(item)
            if place.alone is not None:
                weak.append(Problem(at=item.at, text=place.alone))
            elif place.rule is not None:
                good.append(item)
    outcome = Outcome()
    for name in element.checks:
        CHECKS[name](walk, element, roles, outcome)
    if element.is_some_enough and good:
        bad = []
    bad += outcome.problems
    state = State.FOUND
    if bad or (weak and not good):
        state = State.DOUBTFUL
    elif not good:
        state = State.MISSING
    return _Seen(state, good, bad, weak, outcome.notes)


def _fails(element: Element, seen: _Seen) -> bool:
    return bool(seen.bad) or (seen.state is not State.FOUND and element.need is Need.MANDATORY)


def _finding(element: Element, seen: _Seen) -> Finding:
    problems = seen.bad or ([] if seen.good else seen.weak)
    return Finding(
        number=element.number,
        name=element.name,
        need=element.need,
        state=seen.state,
        found_at=tuple(item.at for item in seen.good),
        looked_at=element.looked_at,
        problems=tuple(problems[:MAX_PROBLEMS]),
        notes=tuple(seen.notes[:MAX_PROBLEMS]),
        is_implausible=bool(seen.bad),
        fill=element.fill,
    )
