"""Whatever is done to a dossier, the only ways out are a documented error and a verdict, and never a better one."""

import contextlib
import copy
import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.whole_registry import NOW, World, judge, trust
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.verification import Outcome, verify_dossier

NEGATIVE = {
    "revoked": {"revoked": (7,)},
    "suspended": {"suspended": (7,)},
    "unwitnessed": {"witnesses": ("ada",)},
    "unanchored": {"anchored": False},
    "unattested": {"attesters": ()},
    "other-root": {"root_on_chain": b"\x07" * 32},
    "outdated": {"statement_on_chain": 2},
    "stranger": {"identity": b"\x07" * 32},
    "suspended-issuer": {
        "suspension": {
            "fromEpoch": 1,
            "fromSize": 6,
            "untilEpoch": 1,
            "untilSize": 20,
            "suspendedAt": 5,
            "reinstatedAt": 9,
        }
    },
}
TRUST = trust()


@functools.cache
def dossier(name):
    worlds = {"honest": World(), "closed": World(lifecycle=Lifecycle.CLOSED)}
    return (worlds[name] if name in worlds else World(**NEGATIVE[name])).dossier()


def places(value, path=()):
    """Every place in a JSON value, containers included."""
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, child in children:
        yield from places(child, (*path, name))


@functools.cache
def places_of(name):
    return tuple(path for path in places(dossier(name)) if path)


def at(document, path):
    for name in path:
        document = document[name]
    return document


def text_mutations(text):
    flip = st.integers(0, max(len(text) - 1, 0)).map(
        lambda i: text[:i] + chr(ord(text[i]) ^ 1) + text[i + 1 :] if text else "x"
    )
    cut = st.integers(0, max(len(text) - 1, 0)).map(lambda i: text[:i])
    return st.one_of(flip, cut, st.just(text + text[-1:]), st.just(""))


@st.composite
def mutated(draw, name):
    """A dossier with one or two members flipped, cut, swapped, dropped, repeated or replaced."""
    document = copy.deepcopy(dossier(name))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(places_of(name)))
        try:
            parent, last, value = at(document, path[:-1]), path[-1], at(document, path)
        except (KeyError, IndexError, TypeError):
            continue
        if isinstance(value, str):
            parent[last] = draw(text_mutations(value))
        elif isinstance(value, bool) or value is None:
            parent[last] = draw(st.sampled_from([None, True, False, 0, "x", [], {}]))
        elif isinstance(value, int):
            parent[last] = draw(
                st.sampled_from([value + 1, value - 1, -value, 0, 2**53, 2**70, 1.5, str(value)])
            )
        elif isinstance(value, list) and value:
            parent[last] = draw(
                st.sampled_from([value[::-1], value[:-1], value + value[:1], [], [None], value * 9])
            )
        elif isinstance(parent, dict):
            parent.pop(last)
    return document


@given(st.data())
def test_no_mutation_of_an_honest_dossier_raises_anything_but_the_documented_error(data):
    with contextlib.suppress(MalformedError):
        verify_dossier(canonicalize(data.draw(mutated("honest"))), trust=TRUST, now=NOW)


@pytest.mark.parametrize("name", sorted(NEGATIVE))
@given(data=st.data())
def test_no_mutation_turns_a_verdict_that_was_not_valid_into_valid(name, data):
    assert judge(dossier(name), trust=TRUST).outcome != Outcome.VALID
    try:
        verdict = verify_dossier(canonicalize(data.draw(mutated(name))), trust=TRUST, now=NOW)
    except MalformedError:
        return
    assert verdict.outcome != Outcome.VALID


@given(data=st.data())
def test_no_part_of_another_honest_dossier_makes_a_bad_one_good(data):
    """Swapping: members of the honest world's evidence in place of the bad one's, at the same place."""
    name = data.draw(st.sampled_from(sorted(NEGATIVE)))
    good, bad = dossier("honest"), copy.deepcopy(dossier(name))
    common = [path for path in places_of(name) if path[0] == "evidence" and len(path) > 1]
    for path in data.draw(st.lists(st.sampled_from(common), min_size=1, max_size=3)):
        try:
            at(bad, path[:-1])[path[-1]] = copy.deepcopy(at(good, path))
        except (KeyError, IndexError, TypeError):
            continue
    # The honest evidence is about the very same credential in these worlds only when nothing of the credential
    # differs; a complete swap of evidence *is* honest evidence, and is not what is tested here.
    if bad["evidence"] == good["evidence"]:
        return
    try:
        verdict = verify_dossier(canonicalize(bad), trust=TRUST, now=NOW)
    except MalformedError:
        return
    if verdict.outcome == Outcome.VALID:
        assert {key: bad["evidence"][key] for key in ("anchors", "logs")} == {
            key: good["evidence"][key] for key in ("anchors", "logs")
        }


@given(st.integers(0, 60_000), st.binary(min_size=1, max_size=4))
def test_no_damage_to_the_bytes_of_a_file_raises_anything_but_the_documented_error(offset, noise):
    data = canonicalize(dossier("honest"))
    offset %= len(data)
    with contextlib.suppress(MalformedError):
        verify_dossier(data[:offset] + noise + data[offset + len(noise) :], trust=TRUST, now=NOW)
