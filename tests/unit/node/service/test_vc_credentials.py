"""What was issued is kept beside what was issued before, and what is forgotten leaves its status entries."""

import errno
from pathlib import Path

import pytest

from testamur.node.errors import StoreUnavailable
from testamur.node.files import DamagedFile
from testamur.node.service import vc_credentials
from testamur.node.service.vc_credentials import IssuedCredentials
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.status_lists import StatusListEntry


def entry(index):
    return StatusListEntry(purpose="revocation", index=index, list_id="https://a.example/status-lists/r-1")


def credential(number, **more):
    return {"type": ["VerifiableCredential"], "name": f"n{number}", **more}


def with_entry(number):
    return credential(number, credentialStatus=entry(number).to_json())


@pytest.fixture
def kept(tmp_path):
    return IssuedCredentials(tmp_path)


def test_the_newest_is_found_and_the_entries_of_all(kept, tmp_path):
    assert (kept.find("id"), kept.entries("id"), kept.forget("id")) == (None, None, False)
    for number in (1, 2):
        kept.put(("id",), with_entry(number))
    kept.put(("id", "name"), credential(3))
    again = IssuedCredentials(tmp_path)
    assert again.find("id") == again.find("name") == credential(3)
    assert again.entries("id") == [(entry(1),), (entry(2),), ()]
    assert again.entries("name") == [()]
    assert again.entries("other") is None
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.json")} == {0o600}


def test_one_name_given_twice_is_one(kept):
    kept.put(("id", "id"), with_entry(1))
    assert kept.entries("id") == [(entry(1),)]


def test_whichever_name_is_forgotten_nothing_is_left_under_either(kept, tmp_path):
    for name in ("id", "name"):
        kept.put(("id", "name"), with_entry(1))
        assert kept.forget(name)
        assert kept.find("id") is kept.find("name") is None
        assert not kept.forget("id")
        assert not kept.forget("name")
    assert not any(b"n1" in path.read_bytes() for path in tmp_path.rglob("*.json"))
    assert kept.entries("id") == kept.entries("name") == [(entry(1),), (entry(1),)]
    kept.put(("id",), with_entry(2))
    assert kept.find("id") == with_entry(2)


def test_no_name_has_more_than_the_bound_and_a_full_second_name_keeps_nothing(kept, monkeypatch):
    monkeypatch.setattr(vc_credentials, "MAX_ISSUES", 2)
    for number in (1, 2):
        kept.put(("full",), with_entry(number))
    with pytest.raises(MalformedError, match="2 times"):
        kept.put(("id", "full"), with_entry(3))
    assert kept.entries("id") is None
    assert len(kept.entries("full")) == 2


def test_what_was_kept_before_there_were_several_is_the_first(kept, tmp_path):
    digest = sha256(b"id").hex()
    (tmp_path / digest[:2]).mkdir()
    (tmp_path / digest[:2] / f"{digest}.json").write_bytes(canonicalize(with_entry(1)))
    assert kept.find("id") == with_entry(1)
    kept.put(("id",), with_entry(2))
    assert kept.entries("id") == [(entry(1),), (entry(2),)]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"sameAs":"00"}'])
def test_a_damaged_file_is_an_error_of_ours_with_its_name(kept, tmp_path, data):
    kept.put(("id",), with_entry(1))
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(data)
    for read in (kept.find, kept.entries, kept.forget):
        with pytest.raises(DamagedFile) as caught:
            read("id")
        assert str(tmp_path) in str(caught.value)


def test_a_disk_that_does_not_answer_is_not_an_unknown_name(kept, monkeypatch):
    kept.put(("id",), with_entry(1))

    def exists(_path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "exists", exists)
    for read in (kept.find, kept.entries, kept.forget):
        with pytest.raises(StoreUnavailable):
            read("id")


def test_a_name_that_is_no_text_for_a_file_is_a_name(kept):
    for name in ("", "../../etc/passwd", "\ud800", "x" * 5000, "\x00"):
        kept.put((name,), with_entry(1))
        assert kept.find(name) == with_entry(1)
