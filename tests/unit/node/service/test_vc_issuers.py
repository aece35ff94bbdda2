"""The file with the issuers of the issuer service: everything that does not fit is named."""

from pathlib import Path

import pytest

from testamur.node.errors import ConfigError
from testamur.node.service.vc_issuers import load_issuers, make_issuer
from testamur.registry.dids import did_key
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey

ED = SigningKey.from_seed(Algorithm.ED25519, b"\x01" * 32)
P256 = SigningKey.from_seed(Algorithm.P256, b"\x01" * 32)
GOOD = '[[issuer]]\nid = "ada"\nsuite = "eddsa-rdfc-2022"\nkey = "one"\ntoken_file = "ada.token"\n'
TOKEN = "a-token-of-the-service"


def load(folder: Path, text: str):
    file = folder / "issuers.toml"
    file.write_text(text)
    tokens = {folder / "ada.token": TOKEN, folder / "bob.token": "another-token-entirely"}
    return load_issuers(file, lambda name: {"one": ED, "two": P256}[name], lambda path: tokens[path])


def test_without_a_did_an_issuer_is_its_key(tmp_path):
    (issuer,) = load(tmp_path, GOOD + 'status = ["revocation", "revocation"]\n')
    assert (issuer.did, issuer.path) == (did_key(ED.public_key), "/issuers/ada")
    assert issuer.verification_method.startswith(issuer.did + "#")
    assert issuer.status == ("revocation",)


def test_a_did_and_a_path_of_ones_own(tmp_path):
    did = "did:web:ada.example"
    more = f'did = "{did}"\nverification_method = "{did}#key-1"\npath = ""\n'
    (issuer,) = load(tmp_path, GOOD + more)
    assert (issuer.did, issuer.path, issuer.verification_method) == (did, "", f"{did}#key-1")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "1 to"),
        ("issuer = 5", "1 to"),
        ("[issuer", "not TOML"),
        (GOOD + GOOD, "two issuers"),
        (GOOD + "[other]\nx = 1\n", "nothing else"),
        (GOOD + 'keys = "x"\n', "'keys'"),
        (GOOD + "path = 5\n", "path"),
        (GOOD + 'path = "no-slash"\n', "path"),
        (GOOD + 'path = "/../secret"\n', "path"),
        (GOOD + 'status = "revocation"\n', "status"),
        (GOOD + 'status = ["refresh"]\n', "refresh"),
        (GOOD + 'did = "ada.example"\n', "DID"),
        (GOOD + 'did = "did:web:ada.example"\n', "verification_method"),
        (
            GOOD + 'did = "did:web:a.example"\nverification_method = "did:web:b.example#1"\n',
            "did:web:a.example",
        ),
        (GOOD.replace("eddsa-rdfc-2022", "ecdsa-rdfc-2019"), "does not go with its key"),
        (GOOD.replace("eddsa-rdfc-2022", "Ed25519Signature2020"), "none of"),
        (GOOD.replace('id = "ada"', 'id = "../ada"'), "id must be"),
        (GOOD.replace('id = "ada"', "id = 5"), "id"),
        (GOOD.replace('token_file = "ada.token"\n', ""), "token_file"),
        (GOOD.replace('"ada.token"', "5"), "token_file"),
        (GOOD + 'token = "in-the-file-for-all-to-read"\n', "'token'"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, text, named):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert named in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_issuers(tmp_path / "missing.toml", lambda _: ED, lambda _: TOKEN)


def test_every_issuer_has_the_token_that_its_table_names(tmp_path):
    bob = GOOD.replace("ada", "bob")
    ada, other = load(tmp_path, GOOD + bob)
    assert ada.token_digest == sha256(TOKEN.encode())
    assert other.token_digest not in {None, ada.token_digest}
    assert TOKEN not in repr(ada)


@pytest.mark.parametrize("token", ["short", "has a space in it, alas", "", "x" * 513, "schlüssel-für-alle"])
def test_a_token_that_could_not_be_sent_or_could_be_guessed_is_refused(token):
    with pytest.raises(ConfigError, match="token"):
        make_issuer("x", suite="eddsa-jcs-2022", key=ED, token=token)


def test_every_suite_goes_with_the_keys_that_sign_it():
    assert make_issuer("x", suite="ecdsa-jcs-2019", key=P256).suite.name == "ecdsa-jcs-2019"
    with pytest.raises(ConfigError):
        make_issuer("x", suite="eddsa-jcs-2022", key=P256)
