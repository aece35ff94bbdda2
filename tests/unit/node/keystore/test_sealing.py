"""Sealed files: what went in comes out with the passphrase, and with nothing else."""

import json
from pathlib import Path

import pytest

from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.keystore import sealing
from testamur.node.keystore.encryption import ScryptParameters
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.sealing import open_sealed, seal
from testamur.registry.canonical import canonicalize, parse_json

FAST = ScryptParameters(n=2, r=8, p=1)
PASSPHRASE = Passphrase("correct horse")
KIND, PATH = "TestamurWalletBackup", Path("wallet.backup")
CONTENT = b"all that somebody has learnt"
SEALED = seal(CONTENT, PASSPHRASE, kind=KIND, parameters=FAST)


def opened(data=SEALED, passphrase=PASSPHRASE, kind=KIND):
    return open_sealed(data, passphrase, kind=kind, path=PATH)


def test_what_was_sealed_is_opened():
    assert opened() == CONTENT
    assert CONTENT not in SEALED
    assert canonicalize(parse_json(SEALED, subject="file")) + b"\n" == SEALED


def test_two_seals_of_one_content_have_nothing_in_common():
    other = json.loads(seal(CONTENT, PASSPHRASE, kind=KIND, parameters=FAST))
    mine = json.loads(SEALED)
    assert other["kdf"]["salt"] != mine["kdf"]["salt"]
    assert other["cipher"]["ciphertext"] != mine["cipher"]["ciphertext"]


def test_another_passphrase_does_not_open_it():
    with pytest.raises(ConfigError, match=r"wrong for wallet\.backup"):
        opened(passphrase=Passphrase("correct house"))


@pytest.mark.parametrize(
    ("part", "member"), [("kdf", "salt"), ("cipher", "nonce"), ("cipher", "ciphertext"), ("kdf", "n")]
)
def test_an_altered_member_is_noticed(part, member):
    document = json.loads(SEALED)
    value = document[part][member]
    document[part][member] = 4 if member == "n" else value[:5] + ("A" if value[5] != "A" else "B") + value[6:]
    with pytest.raises(ConfigError, match="altered"):
        opened(json.dumps(document).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Another"},
        {"version": 2},
        {"kdf": None},
        {"more": 1},
        {"cipher": {"name": "aes"}},
        {"kdf": {"name": "scrypt", "n": 3, "r": 8, "p": 1, "salt": "uAA"}},
        {"kdf": {"name": "scrypt", "n": 1 << 30, "r": 8, "p": 1, "salt": "uAA"}},
    ],
)
def test_a_file_of_another_form_is_damaged_and_named(change):
    with pytest.raises(StoreCorrupt, match="take another copy"):
        opened(json.dumps({**json.loads(SEALED), **change}).encode())


def test_no_byte_can_be_cut_off():
    for data in (b"", SEALED[:-3], SEALED + b"x"):
        with pytest.raises(StoreCorrupt, match=r"wallet\.backup"):
            opened(data)


def test_more_than_can_be_opened_again_is_not_sealed(monkeypatch):
    monkeypatch.setattr(sealing, "MAX_SEALED_CONTENT_BYTES", 10)
    with pytest.raises(ConfigError, match="more than 10"):
        seal(CONTENT, PASSPHRASE, kind=KIND, parameters=FAST)
