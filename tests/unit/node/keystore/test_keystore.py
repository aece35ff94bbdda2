import json
import stat

import coincurve
import pytest

from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.keystore import encryption
from testamur.node.keystore.encryption import DEFAULT_SCRYPT, ScryptParameters
from testamur.node.keystore.keyfile import parse_key_file, public_key_of
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.registry.keys import Algorithm, SigningKey, parse_multikey

CHEAP = ScryptParameters(n=4, r=1, p=1)
SECRET = bytes(range(1, 33))


def keystore(folder, passphrase="correct horse", parameters=CHEAP):
    return Keystore(folder, Passphrase(passphrase) if passphrase else None, parameters=parameters)


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519, Algorithm.P256])
def test_a_new_key_is_loaded_by_another_store_with_the_same_passphrase(tmp_path, algorithm):
    info = keystore(tmp_path).create("log-ada-1", algorithm)
    loaded = keystore(tmp_path).load("log-ada-1")
    assert loaded.public_key == info.public_key
    info.public_key.verify(loaded.sign(b"message"), b"message")


def test_two_new_keys_are_different(tmp_path):
    store = keystore(tmp_path)
    assert (
        store.create("one", Algorithm.ED25519).public_key != store.create("two", Algorithm.ED25519).public_key
    )


def test_a_given_secret_is_kept(tmp_path):
    store = keystore(tmp_path)
    store.create("witness", Algorithm.ED25519, secret=SECRET)
    assert store.load("witness").seed == SECRET


def test_an_ethereum_account_keeps_its_secret_and_shows_its_address(tmp_path):
    secret = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    info = keystore(tmp_path).create("operator", Algorithm.SECP256K1, secret=secret)
    assert info.address == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert keystore(tmp_path).load_secp256k1("operator") == secret
    assert info.public_key.raw == coincurve.PrivateKey(secret).public_key.format(compressed=True)


def test_a_new_ethereum_account_has_a_valid_secret(tmp_path):
    info = keystore(tmp_path).create("operator", Algorithm.SECP256K1)
    secret = keystore(tmp_path).load_secp256k1("operator")
    assert public_key_of(Algorithm.SECP256K1, secret) == info.public_key


def test_keys_leave_only_by_the_door_of_their_algorithm(tmp_path):
    store = keystore(tmp_path)
    store.create("operator", Algorithm.SECP256K1)
    store.create("witness", Algorithm.ED25519)
    with pytest.raises(ValueError, match="verify here, they do not sign"):
        store.load("operator")
    with pytest.raises(ValueError, match="not a secp256k1 key"):
        store.load_secp256k1("witness")


def test_the_public_part_is_read_without_the_passphrase(tmp_path):
    created = [
        keystore(tmp_path).create(name, Algorithm.ED25519) for name in ("witness", "mirror", "attestation")
    ]
    public = Keystore(tmp_path)
    assert [info.name for info in public.list()] == ["attestation", "mirror", "witness"]
    assert public.find("witness") == created[0]
    assert parse_multikey(public.find("witness").public_key.to_multikey()) == created[0].public_key
    assert public.find("witness").address is None
    assert (public.find("nobody"), public.find("../witness")) == (None, None)
    with pytest.raises(ConfigError, match="passphrase: is needed"):
        public.load("witness")


def test_fingerprints_differ_and_can_be_read_aloud(tmp_path):
    store = keystore(tmp_path)
    one, two = store.create("one", Algorithm.ED25519), store.create("two", Algorithm.ED25519)
    assert one.fingerprint != two.fingerprint
    assert set(one.fingerprint) <= set("abcdefghijklmnopqrstuvwxyz234567-")


def test_a_wrong_passphrase_opens_nothing(tmp_path):
    keystore(tmp_path).create("witness", Algorithm.ED25519)
    with pytest.raises(ConfigError, match="passphrase: is wrong"):
        keystore(tmp_path, "wrong").load("witness")


def test_a_second_key_under_another_passphrase_is_refused(tmp_path):
    keystore(tmp_path).create("witness", Algorithm.ED25519)
    with pytest.raises(ConfigError, match="passphrase: is wrong"):
        keystore(tmp_path, "wrong").create("mirror", Algorithm.ED25519)
    assert [info.name for info in Keystore(tmp_path).list()] == ["witness"]


def test_an_existing_key_is_never_overwritten(tmp_path):
    before = keystore(tmp_path).create("witness", Algorithm.ED25519)
    with pytest.raises(ConfigError, match="exists and is kept"):
        keystore(tmp_path).create("witness", Algorithm.ED25519)
    assert keystore(tmp_path).load("witness").public_key == before.public_key


@pytest.mark.parametrize("name", ["", "../x", "a/b", "UPPER", "-x", "x.", "x" * 101, "k\n"])
def test_names_that_are_no_names_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="key name"):
        keystore(tmp_path).create(name, Algorithm.ED25519)
    with pytest.raises(ConfigError, match="there is no key"):
        keystore(tmp_path).load(name)


def test_an_absent_key_is_named(tmp_path):
    with pytest.raises(ConfigError, match="there is no key 'witness'"):
        keystore(tmp_path).load("witness")
    assert keystore(tmp_path / "nothing").list() == ()


@pytest.mark.parametrize("algorithm", [Algorithm.P384, Algorithm.P521])
def test_algorithms_that_nobody_signs_with_here_are_refused(tmp_path, algorithm):
    with pytest.raises(ValueError, match="not kept here"):
        keystore(tmp_path).create("key", algorithm)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33)])
def test_a_secret_of_another_length_is_refused(tmp_path, secret):
    with pytest.raises(ValueError, match="32"):
        keystore(tmp_path).create("key", Algorithm.ED25519, secret=secret)


@pytest.mark.parametrize("algorithm", [Algorithm.P256, Algorithm.SECP256K1])
@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32])
def test_a_scalar_outside_of_the_group_is_refused(tmp_path, algorithm, secret):
    with pytest.raises(ValueError):  # noqa: PT011  the libraries' words
        keystore(tmp_path).create("key", algorithm, secret=secret)


def test_only_the_owner_may_read_files_and_folder(tmp_path):
    folder = tmp_path / "keys"
    keystore(folder).create("witness", Algorithm.ED25519)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_the_secret_is_nowhere_in_the_file_nor_in_any_text(tmp_path):
    store = keystore(tmp_path)
    info = store.create("witness", Algorithm.ED25519, secret=SECRET)
    store.load("witness")
    data = store.path("witness").read_bytes()
    for shown in (
        repr(store),
        repr(info),
        repr(Passphrase("correct horse")),
        str(Passphrase("correct horse")),
    ):
        assert "correct horse" not in shown
        assert SECRET.hex() not in shown
    assert SECRET not in data
    assert SECRET.hex().encode() not in data


def changed(path, change):
    document = json.loads(path.read_bytes())
    change(document)
    path.write_bytes(json.dumps(document).encode())


OTHER = SigningKey.from_seed(Algorithm.ED25519, b"\x09" * 32).public_key.to_multikey()


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.update(publicKeyMultibase=OTHER),
        lambda file: file["kdf"].update(n=8),
        lambda file: file["kdf"].update(salt="u" + "A" * 43),
        lambda file: file["cipher"].update(nonce="u" + "A" * 16),
        lambda file: file["cipher"].update(ciphertext="u" + "A" * 64),
    ],
    ids=["public key", "cost", "salt", "nonce", "ciphertext"],
)
def test_nothing_in_a_file_can_be_exchanged(tmp_path, change):
    store = keystore(tmp_path)
    store.create("witness", Algorithm.ED25519)
    changed(store.path("witness"), change)
    with pytest.raises(ConfigError, match=r"is wrong for .*witness\.key\.json, or the file was altered"):
        keystore(tmp_path).load("witness")


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.update(name="mirror"),
        lambda file: file.update(version=2),
        lambda file: file.update(algorithm="P-256"),
        lambda file: file.update(more=1),
        lambda file: file["kdf"].update(n=3),
        lambda file: file["kdf"].update(n=1 << 30),
        lambda file: file["kdf"].update(p=1000),
        lambda file: file["kdf"].update(name="pbkdf2"),
        lambda file: file["kdf"].update(salt="uAA"),
        lambda file: file["cipher"].update(name="rot13"),
        lambda file: file["cipher"].pop("ciphertext"),
    ],
)
def test_a_file_of_another_form_is_damage_that_names_it(tmp_path, change):
    store = keystore(tmp_path)
    store.create("witness", Algorithm.ED25519)
    changed(store.path("witness"), change)
    with pytest.raises(StoreCorrupt, match=r"witness\.key\.json.*restore this file"):
        keystore(tmp_path).load("witness")


def test_a_renamed_file_is_not_another_key(tmp_path):
    store = keystore(tmp_path)
    store.create("witness", Algorithm.ED25519)
    store.path("witness").rename(store.path("mirror"))
    with pytest.raises(StoreCorrupt, match=r"mirror\.key\.json"):
        store.load("mirror")


def test_a_file_round_trips(tmp_path):
    store = keystore(tmp_path)
    store.create("witness", Algorithm.P256)
    path = store.path("witness")
    assert parse_key_file(path.read_bytes(), name="witness", path=path).to_bytes() == path.read_bytes()


def test_ten_keys_cost_one_derivation(tmp_path, monkeypatch):
    for number in range(10):
        keystore(tmp_path).create(f"key-{number}", Algorithm.ED25519)
    calls = []
    derive = encryption.derive_wrapping_key
    monkeypatch.setattr(
        "testamur.node.keystore.store.derive_wrapping_key", lambda *args: calls.append(1) or derive(*args)
    )
    store = keystore(tmp_path)
    for number in range(10):
        store.load(f"key-{number}")
    assert len(calls) == 1


def test_weaker_parameters_are_never_taken_over_from_a_file(tmp_path):
    keystore(tmp_path, parameters=CHEAP).create("old", Algorithm.ED25519)
    dearer = ScryptParameters(n=16, r=1, p=1)
    store = keystore(tmp_path, parameters=dearer)
    store.create("new", Algorithm.ED25519)
    document = json.loads(store.path("new").read_bytes())
    assert document["kdf"]["n"] == 16
    assert document["kdf"]["salt"] != json.loads(store.path("old").read_bytes())["kdf"]["salt"]
    assert keystore(tmp_path).load("new").public_key == keystore(tmp_path).find("new").public_key


def test_the_default_costs_128_mebibytes_a_guess():
    assert 128 * DEFAULT_SCRYPT.n * DEFAULT_SCRYPT.r == 128 << 20


@pytest.mark.parametrize(
    "wrong",
    [{"n": 3}, {"n": 0}, {"n": 1}, {"r": 0}, {"p": 0}, {"p": 17}, {"n": 1 << 24}, {"n": 1 << 16, "r": 1}],
)
def test_scrypt_parameters_have_bounds(wrong):
    with pytest.raises(ValueError, match="scrypt"):
        ScryptParameters(**{"n": 16, "r": 8, "p": 1, **wrong})
