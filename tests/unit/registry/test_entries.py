import pytest

from testamur.registry.entries import (
    Entry,
    EntryKind,
    Origin,
    check_registry_name,
    check_slug,
    parse_entry,
    parse_origin,
)
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256

DIGEST = bytes(range(32))


@pytest.mark.parametrize(
    ("kind", "code"), [(EntryKind.CREDENTIAL, 1), (EntryKind.DOCUMENT, 2), (EntryKind.SEAL, 3)]
)
def test_an_entry_is_version_kind_and_digest(kind, code):
    entry = Entry(kind=kind, digest=DIGEST)
    assert entry.to_bytes() == bytes([1, code]) + DIGEST
    assert parse_entry(entry.to_bytes()) == entry
    assert entry.leaf_hash == sha256(b"\0" + entry.to_bytes())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x01" + DIGEST[:-1],
        b"\x01\x01" + DIGEST + b"\0",
        b"\x02\x01" + DIGEST,
        b"\x01\x00" + DIGEST,
        b"\x01\x04" + DIGEST,
    ],
)
def test_other_bytes_are_no_entry(data):
    with pytest.raises(MalformedError):
        parse_entry(data)


@pytest.mark.parametrize(
    ("beginning", "reason"), [(b"\x02\x01", "unknown version 2"), (b"\x01\x04", "unknown kind 4")]
)
def test_what_is_unknown_of_an_entry_is_named(beginning, reason):
    with pytest.raises(MalformedError, match=reason):
        parse_entry(beginning + DIGEST)


def test_an_entry_of_another_digest_length_is_a_programming_mistake():
    with pytest.raises(ValueError, match="32 bytes"):
        Entry(kind=EntryKind.SEAL, digest=b"short")


def test_ids_are_digests_of_the_names():
    origin = parse_origin("registry.example/ada/1")
    assert origin == Origin(registry="registry.example", slug="ada", epoch=1)
    assert str(origin) == "registry.example/ada/1"
    assert origin.log_id == sha256(b"registry.example/ada/1")
    assert origin.issuer_id == sha256(b"registry.example/ada")
    assert parse_origin("registry.example/ada/2").issuer_id == origin.issuer_id


@pytest.mark.parametrize(
    "text", ["a/b/1", "registry.example/registry/65535", "r-1.x/" + "s" * 63 + "/9", "x" * 64 + "/a/1"]
)
def test_these_are_origins(text):
    assert str(parse_origin(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "registry.example/ada",
        "registry.example/ada/1/2",
        "registry.example/ada/0",
        "registry.example/ada/01",
        "registry.example/ada/+1",
        "registry.example/ada/65536",
        "registry.example/ada/1 ",
        "registry.example/ada/\u0661",
        "registry.example/ada/1\n",
        "registry.example//1",
        "/ada/1",
        "Registry.example/ada/1",
        "registry..example/ada/1",
        ".registry/ada/1",
        "registry.example./ada/1",
        "-registry/ada/1",
        "registry-/ada/1",
        "registry.example:80/ada/1",
        "x" * 65 + "/ada/1",
        "registry.example/Ada/1",
        "registry.example/ada-/1",
        "registry.example/-ada/1",
        "registry.example/a_b/1",
        "registry.example/" + "s" * 64 + "/1",
        "registry.example/ädä/1",
    ],
)
def test_these_are_not(text):
    with pytest.raises(MalformedError):
        parse_origin(text)


def test_the_checks_give_back_what_they_checked():
    assert check_registry_name("registry.example") == "registry.example"
    assert check_slug("ada-lovelace") == "ada-lovelace"
    with pytest.raises(MalformedError):
        check_slug("ada\n")


@pytest.mark.parametrize("epoch", [0, 65_536, -1])
def test_an_origin_cannot_be_made_with_another_epoch(epoch):
    with pytest.raises(MalformedError):
        Origin(registry="registry.example", slug="ada", epoch=epoch)
