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
    aoife, twice, nobody = read_wanted(
        [str(tmp_path / f"{name}.credential.json") for name in ("aoife", "twice", "nobody")], workspace
    )
    assert isinstance(aoife, Wanted)
    assert aoife.digest == b"a" * 32
    assert "several" in twice.reason
    assert "no credential in the ledger" in nobody.reason


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
