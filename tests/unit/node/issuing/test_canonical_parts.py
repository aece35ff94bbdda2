from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.issuers import NOW, SAMPLES, SETTINGS, signing_key
from testamur.node.issuing.awards import Desk
from testamur.node.issuing.canonical_parts import CanonicalParts
from testamur.node.issuing.jobs import Award
from testamur.node.issuing.tables import Row, Table
from testamur.node.issuing.templates import parse_template
from testamur.node.issuing.workspace import issuing_method
from testamur.registry.canonical import canonicalize, canonicalize_for_issuing, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.proofs import secure_document
from testamur.registry.timestamps import format_timestamp

KEY = signing_key(1)

texts = st.text(st.characters(codec="utf-8"), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(
    shared=st.lists(st.dictionaries(texts, values, max_size=3) | st.lists(values, max_size=3), max_size=3),
    own=values,
)
def test_parts_give_the_bytes_of_the_whole(shared: list[Any], own: Any) -> None:
    document = {"own": own, "shared": shared, "again": [{"z": part, "a": own} for part in shared], "é\n": 1}
    assert CanonicalParts(shared).canonicalize(document) == canonicalize(document)
    assert CanonicalParts([]).canonicalize(document) == canonicalize(document)


@pytest.mark.parametrize("names", ["\uffff\U00010000", "\ue000\U0001f600", "é\x7f", '"\\'])
def test_members_are_sorted_as_jcs_sorts_them(names: str) -> None:
    document: dict[str, Any] = {"x": dict.fromkeys(names, 1)}
    assert CanonicalParts([]).canonicalize(document) == canonicalize(document)


@pytest.mark.parametrize("value", [2**53, float("nan"), "\ud800"])
def test_what_jcs_cannot_carry_is_refused_wherever_it_stands(value: Any) -> None:
    with pytest.raises(MalformedError):
        CanonicalParts([[value]])
    with pytest.raises(MalformedError):
        CanonicalParts([]).canonicalize({"x": [value]})
    with pytest.raises(MalformedError):
        canonicalize_for_issuing({"x": [value]})


@pytest.mark.parametrize("name", ["data-literacy", "water-management"])
def test_an_award_is_signed_as_any_other_document_is(name: str) -> None:
    template = parse_template((SAMPLES / f"{name}.template.json").read_bytes(), name)
    desk, started = Desk(SETTINGS, template, KEY), format_timestamp(NOW)
    with (SAMPLES / f"{name}-2026.csv").open("rb") as file:
        rows: list[Row] = list(Table(file, name).rows())
    for number, row in enumerate(rows, 1):
        award = Award(row=number, token=number.to_bytes(16, "big"), deck=1, status_index=number, file="")
        signed = desk.sign(row, award, started)
        document: Any = parse_json(signed, subject="credential")
        del document["proof"]
        method = issuing_method(SETTINGS, KEY)
        plain = secure_document(document, KEY, verification_method=method, created=started)
        assert plain.canonical == signed


def test_a_desk_knows_the_parts_that_the_class_shares() -> None:
    template = parse_template((SAMPLES / "data-literacy.template.json").read_bytes(), "t")
    bound = template.bound({"@issuer": SETTINGS.did, "@issuer-name": SETTINGS.name})
    achievements = [part for part in bound.constants if isinstance(part, dict) and "criteria" in part]
    assert len(achievements) == 1
    assert achievements[0]["creator"] == {"id": SETTINGS.did, "type": ["Profile"], "name": SETTINGS.name}
    assert bound.columns == template.columns
