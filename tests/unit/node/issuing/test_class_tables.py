import io

import pytest

from testamur.node.issuing.tables import MAX_FIELD_CHARACTERS, MAX_LINE_BYTES, Table
from testamur.registry.errors import MalformedError


def table(data: bytes | str) -> Table:
    return Table(io.BytesIO(data.encode() if isinstance(data, str) else data), "class.csv")


def rows(data: bytes | str) -> list[tuple[int, dict[str, str]]]:
    return [(row.line, row.cells) for row in table(data).rows()]


def refusal(data: bytes | str) -> str:
    with pytest.raises(MalformedError) as caught:
        rows(data)
    return str(caught.value)


def test_rows_come_with_their_line_and_stripped_cells() -> None:
    assert rows("name,ects\nAoife, 5\n Seán ,2.5 \n") == [
        (2, {"name": "Aoife", "ects": "5"}),
        (3, {"name": "Seán", "ects": "2.5"}),
    ]


def test_a_byte_order_mark_is_not_part_of_the_first_column() -> None:
    assert table(b"\xef\xbb\xbfname,ects\nA,5\n").columns == ("name", "ects")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_header_decides_the_separator(mark: str) -> None:
    assert rows(f"name{mark}ects\nA{mark}5\n") == [(2, {"name": "A", "ects": "5"})]


def test_windows_line_ends_and_a_missing_last_one_are_fine() -> None:
    assert rows("name,ects\r\nA,5\r\nB,6") == [
        (2, {"name": "A", "ects": "5"}),
        (3, {"name": "B", "ects": "6"}),
    ]


def test_quoted_cells_hold_separators_quotes_and_line_ends() -> None:
    assert rows('name,note\n"Murphy, Jr.","said ""hi"""\n"two\nlines",x\nlast,y\n') == [
        (2, {"name": "Murphy, Jr.", "note": 'said "hi"'}),
        (3, {"name": "two\nlines", "note": "x"}),
        (5, {"name": "last", "note": "y"}),
    ]


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert rows("name,ects\n\nA,5\n , \nB,6\n\n") == [
        (3, {"name": "A", "ects": "5"}),
        (5, {"name": "B", "ects": "6"}),
    ]


def test_a_table_is_read_from_its_beginning_as_often_as_asked() -> None:
    made = table("name\nA\nB\n")
    assert (
        [row.cells["name"] for row in made.rows()] == [row.cells["name"] for row in made.rows()] == ["A", "B"]
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "class.csv: is empty"),
        ("\n\n", "class.csv: is empty"),
        ("name,ects\n", "class.csv: has a header and no rows"),
        ("name,ects\nA,5\nB\n", "class.csv, line 3: has 1 cells, and the header has 2"),
        ("name,ects\nA,5,6\n", "class.csv, line 2: has 3 cells"),
        ("name,name\nA,B\n", "class.csv, line 1: has two columns named 'name'"),
        ("name,\nA,B\n", "class.csv, line 1: column 2 is named ''"),
        ("name,e cts\nA,B\n", "column 2 is named 'e cts'"),
        ('name,ects\nA,5\n"open,6\n', "class.csv, line 3: is not CSV"),
        ('name,ects\n"A"x,5\n', "class.csv, line 2: is not CSV"),
        (b"name,ects\nA,5\n\xe9,5\n", "class.csv, line 3: is not UTF-8 (byte 1 of the line)"),
        ("name,ects\nA\0,5\n", "class.csv, line 2: has a NUL"),
        ("name,ects\n" + "A" * (MAX_FIELD_CHARACTERS + 1) + ",5\n", "line 2: cell 1 has 8193 characters"),
        ("name,ects\n" + "A" * MAX_LINE_BYTES + ",5\n", "line 2: is longer than 65536 bytes"),
        (",".join(f"c{number}" for number in range(200)), "has 200 columns, more than 128"),
    ],
)
def test_every_refusal_names_the_file_and_the_line(data: bytes | str, words: str) -> None:
    assert words in refusal(data)
