import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.node.issuing.placeholders import Values
from testamur.node.issuing.templates import Template, conversions, parse_template
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.structures import structure_key

BUILT_IN = {"@issuer": "did:web:ada.example", "@issuer-name": "Ada", "@row": "7", "@time": "T", "@salt": "ab"}
CONTEXT = ["https://www.w3.org/ns/credentials/v2"]


def template(credential: Any, **members: Any) -> Template:
    document = {"type": "CredentialTemplate", "version": 1, "credential": credential, **members}
    return parse_template(json.dumps(document).encode(), "t.json")


def values(**cells: str) -> Values:
    return Values("class.csv, line 2", cells, BUILT_IN)


def filled(credential: Any, **cells: str) -> Any:
    return template(credential).fill(values(**cells)).credential


def refusal(credential: Any, **cells: str) -> str:
    with pytest.raises(MalformedError) as caught:
        filled(credential, **cells)
    return str(caught.value)


def test_placeholders_are_filled_wherever_they_stand() -> None:
    made = filled(
        {"name": "{{a}}", "note": "from {{ a }} to {{b}}.", "deep": [{"x": "{{b}}"}, "fixed"], "n": 5},
        a="Cork",
        b="Oslo",
    )
    assert made == {"name": "Cork", "note": "from Cork to Oslo.", "deep": [{"x": "Oslo"}, "fixed"], "n": 5}


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("text", "5", "5"),
        ("number", "5", 5),
        ("number", "5.0", 5),
        ("number", "2.5", 2.5),
        ("number", "-1", -1),
        ("boolean", "true", True),
        ("boolean", "FALSE", False),
        ("date", "2026-07-03", "2026-07-03"),
        ("time", "2026-07-03", "2026-07-03T00:00:00Z"),
        ("time", "2026-07-03T10:00:00+02:00", "2026-07-03T10:00:00+02:00"),
        ("url", "https://ada.example/x", "https://ada.example/x"),
        ("did", "did:key:z6Mk", "did:key:z6Mk"),
        ("identity-hash", "a@b.example", "sha256$" + sha256(b"a@b.exampleab").hex()),
    ],
)
def test_whole_values_may_be_typed(kind: str, cell: str, value: Any) -> None:
    made = filled({"x": "{{c:" + kind + "}}"}, c=cell)["x"]
    assert made == value
    assert type(made) is type(value)
    assert kind in conversions()


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("number", "2,5"),
        ("number", "05"),
        ("number", "1e3"),
        ("number", "NaN"),
        ("number", "5 ECTS"),
        ("number", "9" * 16),
        ("boolean", "yes"),
        ("date", "03.07.2026"),
        ("date", "2026-02-30"),
        ("time", "2026-07-03 10:00"),
        ("url", "ada.example"),
        ("did", "ada"),
    ],
)
def test_a_cell_that_does_not_fit_names_row_column_cell_and_what_was_needed(kind: str, cell: str) -> None:
    words = refusal({"x": "{{ects:" + kind + "}}"}, ects=cell)
    for part in (
        "class.csv, line 2",
        "column ects",
        repr(cell),
        "{{ects:" + kind + "}}",
        conversions()[kind],
    ):
        assert part in words


def test_an_empty_cell_is_refused_unless_the_placeholder_is_optional() -> None:
    assert "column a is empty" in refusal({"x": "{{a}}"}, a="")
    assert filled({"x": "{{a?}}", "y": ["{{a?}}", "z"]}, a="") == {"y": ["z"]}
    assert filled({"x": "{{a?:number}}"}, a="5") == {"x": 5}


def test_built_in_values_need_no_column() -> None:
    made = template({"creator": {"id": "{{@issuer}}", "name": "{{@issuer-name}}"}, "n": "{{@row}} {{@time}}"})
    assert made.columns == ()
    assert made.fill(values()).credential == {
        "creator": {"id": "did:web:ada.example", "name": "Ada"},
        "n": "7 T",
    }


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        ({"x": "{{}}"}, "{{}} is no placeholder"),
        ({"x": "{{a b}}"}, "{{a b}} is no placeholder"),
        ({"x": "{{a"}, "braces that are no placeholder"),
        ({"x": "a}}"}, "braces that are no placeholder"),
        ({"x": "{{a:nummer}}"}, "{{a:nummer}} has an unknown type; known are text"),
        ({"x": "{{@isuer}}"}, "{{@isuer}} is not one of the built-in values"),
        ({"x": "n {{a:number}}"}, "{{a:number}} must be the whole value"),
        ({"x": "n {{a?}}"}, "{{a?}} must be the whole value"),
        ({"{{a}}": 1}, "the member name '{{a}}' has a placeholder"),
        ({"type": ["VerifiableCredential", "{{a}}"]}, "/credential/type/1: type cannot come from a column"),
        ({"@context": "{{a}}"}, "@context cannot come from a column"),
        ({"id": "urn:x"}, "/credential/id: is written when issuing"),
        ({"proof": {}}, "/credential/proof: is written when issuing"),
        ({"credentialStatus": []}, "/credential/credentialStatus: is written when issuing"),
        ({"issuer": "did:web:ada.example"}, "/credential/issuer: must be an object"),
        ([], "/credential: must be an object"),
    ],
)
def test_a_template_that_is_wrong_is_refused_by_file_and_place(credential: Any, words: str) -> None:
    with pytest.raises(MalformedError) as caught:
        template(credential)
    assert "template t.json" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "members", [{"type": "Template"}, {"version": 2}, {"fileNmae": "x"}, {"fileName": ""}]
)
def test_an_envelope_that_is_wrong_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match=r"template t\.json"):
        template({}, **members)


def test_a_table_needs_exactly_the_columns_of_the_template() -> None:
    made = template({"a": "{{a}}", "b": "{{b}} {{a}}"}, fileName="{{c}}")
    assert made.columns == ("a", "b", "c")
    made.check_columns(("c", "b", "a"), "class.csv")
    with pytest.raises(MalformedError, match=r"class.csv: has no column for \{\{b\}\}, \{\{c\}\}"):
        made.check_columns(("a",), "class.csv")
    with pytest.raises(MalformedError, match="does not use: phone"):
        made.check_columns(("a", "b", "c", "phone"), "class.csv")


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("2026 0001", "2026-0001"),
        ("../../etc/passwd", "etc-passwd"),
        ("Ó Dónaill/x", "Ó-Dónaill-x"),
        ("a" * 200, "a" * 100),
    ],
)
def test_file_names_stay_in_their_folder(cell: str, name: str) -> None:
    assert template({}, fileName="{{c}}").file_name(values(c=cell)) == name


def test_files_are_numbered_unless_the_template_names_them() -> None:
    assert template({}).file_name(values()) == "7"


@pytest.mark.parametrize("letter", ["東", "𠀋", "é", "a"])
def test_a_file_name_leaves_room_in_255_bytes_whatever_the_script(letter: str) -> None:
    """Otherwise the batch would stop at this row, after others were signed."""
    name = template({}, fileName="{{c}}").file_name(values(c=200 * letter))
    assert len(f".{name}.credential.json.tmp".encode()) <= 255
    assert set(name) == {letter}


def test_an_empty_file_name_is_refused() -> None:
    with pytest.raises(MalformedError, match="empty file name"):
        template({}, fileName="{{c}}").file_name(values(c="///"))


def test_what_does_not_differ_between_rows_is_shared() -> None:
    made = template({"fixed": {"a": [1]}, "x": "{{c}}"})
    first, second = made.fill(values(c="1")).credential, made.fill(values(c="2")).credential
    assert first["fixed"] is second["fixed"]
    assert first["x"] != second["x"]


cells = st.sampled_from(["x", "urn:x", "_:b", "@id", "@1", "5", ""]) | st.text(max_size=5)


@given(first=st.tuples(cells, cells, cells), second=st.tuples(cells, cells, cells))
def test_equal_shapes_have_equal_structures(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    made = template(
        {
            "@context": CONTEXT,
            "type": ["VerifiableCredential"],
            "name": "{{a?}}",
            "issuer": {"id": "{{b?}}", "list": ["{{c?}}", "{{a?}}", {"x": "{{c?}}"}]},
            "note": "{{@issuer}} {{@row}}",
        }
    )
    one, other = (made.fill(values(a=row[0], b=row[1], c=row[2])) for row in (first, second))
    if one.shape == other.shape:
        assert structure_key(one.credential) == structure_key(other.credential)
