"""What `revoke` is asked about: every row names one credential, or says what is wrong with it."""

import json

import pytest

from fakes.awards import award
from fakes.issuers import copy_workspace
from testamur.node.cli.status_inputs import Unusable, Wanted, read_wanted
from testamur.node.errors import ConfigError
from testamur.registry.credentials import credential_digest
from testamur.registry.multiformats import encode_digest

DIGEST = bytes(range(32))


@pytest.fixture
def workspace(tmp_path):
    with copy_workspace(tmp_path / "ada") as opened:
        with opened.ledger.transaction():
            for job in (1, 2):
                opened.ledger.run(
                    "INSERT INTO jobs VALUES (?, ?, 't', 'i', 'f', 's', 1, 1)", (job, bytes([job]))
                )
            for row, (job, name, digest) in enumerate(
                [(1, "aoife", b"a" * 32), (1, "twice", b"b" * 32), (2, "twice", b"c" * 32)]
            ):
                values = (job, row, row, name, digest)
                opened.ledger.run("INSERT INTO credentials VALUES (?, ?, x'00', 1, ?, ?, ?, 5)", values)
        yield opened


def table(folder, text):
    path = folder / "rows.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def test_a_digest_is_taken_in_both_spellings(workspace):
    found = list(read_wanted([encode_digest(DIGEST), DIGEST.hex()], workspace))
    assert [item.digest for item in found] == [DIGEST, DIGEST]


def test_a_dossier_is_its_credential_and_knows_since_when_it_counts(workspace, tmp_path):
    path = tmp_path / "a.credential.json"
    path.write_text(json.dumps({"credential": award(), "evidence": None}))
    (found,) = read_wanted([str(path)], workspace)
    assert found.digest == credential_digest(award())
    assert found.issued_at is not None


def test_a_dossier_that_was_given_away_is_found_by_its_name_unless_two_had_it(workspace, tmp_path):
    names = [f"{name}.credential.json" for name in ("aoife", "twice", "nobody")]
    aoife, twice, nobody = read_wanted(names, workspace)
    assert isinstance(aoife, Wanted)
    assert aoife.digest == b"a" * 32
    assert "several" in twice.reason
    assert "no credential in the ledger" in nobody.reason


@pytest.mark.parametrize("write", [str, lambda path: f"dossier\n{path}\n"])
def test_a_folder_that_is_named_has_to_be_the_one_it_was_written_to(workspace, tmp_path, write):
    """Names are numbers of rows: a mistyped folder must not revoke somebody else's credential."""
    there, elsewhere = tmp_path / "f", tmp_path / "g"
    with workspace.ledger.transaction():
        workspace.ledger.run("UPDATE jobs SET folder = ? WHERE id = 1", (str(there),))
    for folder, is_meant in ((there, True), (elsewhere, False)):
        path = write(folder / "aoife.credential.json")
        (found,) = read_wanted([path if write is str else table(tmp_path, path)], workspace)
        assert isinstance(found, Wanted) is is_meant
        assert is_meant or f"was written to {there}" in found.reason
    (found,) = read_wanted([str(there / "twice.credential.json")], workspace)
    assert found.digest == b"b" * 32


def test_a_row_outranks_the_options_and_wrong_ones_are_named_by_their_line(workspace, tmp_path):
    rows = (
        "digest,reason,effective,note\n"
        f"{DIGEST.hex()},fraud,2026-03-01T12:00:00Z,A note\n"
        f"{DIGEST.hex()},,yesterday,\n"
        "u123,,,\n"
        ",fraud,,\n"
        "\n"
        f"{DIGEST.hex()}\n"
    )
    good, *bad = read_wanted([table(tmp_path, rows)], workspace)
    assert (good.reason, good.note, good.effective.year) == ("fraud", "A note", 2026)
    assert all(isinstance(item, Unusable) for item in bad)
    assert [item.where for item in bad] == [f"rows.csv:{line}" for line in (3, 4, 5, 7)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("name\nAoife\n", "needs a header"),
        ("digest,digest\n", "needs a header"),
        (b"digest\n\xff\n", "not UTF-8"),
        ('digest\n"open\n', "not CSV"),
    ],
)
def test_a_table_that_is_none_is_refused_as_a_whole(workspace, tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        list(read_wanted([table(tmp_path, text)], workspace))
