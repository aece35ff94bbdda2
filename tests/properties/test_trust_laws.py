"""No change of a valid chain of successions is accepted with another meaning, and only documented errors come."""

import copy
import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from fakes.trust_chain import (
    attester,
    close_chain,
    first,
    key_entry,
    newcomer,
    parsed,
    rotate,
    signed,
    successor,
    unsigned,
)
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.reasons import FAILED, REFUSED
from testamur.registry.trust import parse_trust_file
from testamur.registry.trust_successions import advance, encode_successions, parse_successions

V1 = first()
V2 = successor(V1, rotate("ada", newcomer("ada"), "2026-02-01T00:00:00Z"), close_chain)
V3 = signed(unsigned(V2, lambda d: d.update(succession={"threshold": 3})), [newcomer("ada"), attester("cyd")])
CHAIN = [V2, V3]
TRUSTED = parsed(V1)
DOCUMENTED = {**FAILED, **REFUSED}
MEANINGS = {parsed(document).digest for document in (V1, *CHAIN)}

VALUES = st.sampled_from(
    [None, True, 0, 1, 2, 3, 2**53, 1.5, "", "x", "u" + "A" * 43, "0x" + "11" * 32, [], {}, ["x"]]
)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in items:
        yield from places(child, (*path, name))


PLACES = [path for path in places(CHAIN) if path]


def advanced(data):
    """The digest of the newest proven version, or None for a documented refusal."""
    try:
        return advance(TRUSTED, parse_successions(data).files).digest
    except MalformedError:
        return None
    except VerificationError as error:
        return None if error.reason in DOCUMENTED else f"the undocumented {error.reason}"


def encoded(documents):
    try:
        return canonicalize(
            {
                "type": "TestamurTrustSuccessions",
                "version": 1,
                "registry": "registry.example",
                "newest": 3,
                "successions": documents,
            }
        )
    except MalformedError:
        return b"{}"


def test_the_chain_itself_is_accepted():
    assert advanced(encoded(CHAIN)) == parsed(V3).digest
    assert encoded(CHAIN) == encode_successions("registry.example", 3, CHAIN)


@given(st.sampled_from(PLACES), VALUES)
def test_a_changed_member_is_refused_or_means_what_was_signed(path, value):
    changed = copy.deepcopy(CHAIN)
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert advanced(encoded(changed)) in {None, *MEANINGS}


KEY = attester("cyd").verifier_key
TIMES = st.sampled_from([f"2026-0{month}-01T00:00:00Z" for month in range(1, 7)])
HOLDERS = st.sampled_from(["cyd", "cyd", "bit", None])


def given_to(holder, since, until):
    """A change: Cyd's key stands with this member or nobody, and has this time."""

    def change(document):
        for member in document["members"]:
            kept = [item for item in member["attestation"] if item["key"] != KEY.to_text()]
            own = [key_entry(attester("cyd"), since, until)] if member["name"] == holder else []
            member["attestation"] = kept + own

    return change


@given(st.lists(st.tuples(HOLDERS, TIMES, st.one_of(st.none(), TIMES)), max_size=5))
def test_whatever_versions_follow_a_key_keeps_its_holder_and_what_is_over_never_grows(plan):
    documents = [V1]
    for holder, since, until in plan:
        document = successor(documents[-1], given_to(holder, since, until))
        with suppress(VerificationError):
            advance(parsed(documents[-1]), [parsed(document)])
            documents.append(document)
    versions = [parsed(document) for document in documents]
    for number, later in enumerate(versions):
        (after,) = [dated for dated in later.members[2].attestation if dated.key == KEY]
        for earlier in versions[:number]:
            before = earlier.dated_key("attestation", KEY)
            assert after.since >= before.since
            if before.is_over_at(later.issued):
                assert after.until <= before.until


@given(st.lists(st.sampled_from([V1, V2, V3]), max_size=5))
def test_versions_in_any_order_lead_nowhere_but_forward(documents):
    assert advanced(encoded(documents)) in {None, *MEANINGS}


@given(st.data())
def test_signatures_moved_between_versions_prove_nothing_new(data):
    lines = [line for document in CHAIN for line in document["signatures"]]
    changed = copy.deepcopy(CHAIN)
    for document in changed:
        document["signatures"] = data.draw(st.lists(st.sampled_from(lines), max_size=4))
    assert advanced(encoded(changed)) in {None, *MEANINGS}


@given(st.integers(0, len(encoded(CHAIN)) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_means_what_was_signed(position, mask):
    data = bytearray(encoded(CHAIN))
    data[position] ^= mask
    assert advanced(bytes(data)) in {None, *MEANINGS}


@given(st.binary(max_size=400))
def test_any_bytes_are_malformed_and_nothing_else_is_raised(data):
    for parse in (parse_trust_file, parse_successions):
        try:
            parse(data)
        except MalformedError:
            continue
        raise AssertionError(json.dumps(repr(data)))
