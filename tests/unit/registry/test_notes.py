import pytest

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, PublicKey, SigningKey
from testamur.registry.line_formats import encode_base64
from testamur.registry.notes import (
    COSIGNATURE_ED25519,
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Note,
    NoteSignature,
    NoteSigner,
    VerifierKey,
    merge_signatures,
    parse_note,
    parse_signature_lines,
    parse_vkey,
    sign_note,
    verify_note,
)


def signer(number, name=None):
    key = SigningKey.from_seed(Algorithm.ED25519, bytes([number]) * 32)
    return NoteSigner(name=name or f"example.org/{number}", key=key)


ADA, BOB, EVE = signer(1), signer(2), signer(3)
TEXT = "first line\n\nthird line\n"


def test_a_note_is_its_text_an_empty_line_and_signature_lines():
    data = sign_note(TEXT, [ADA, BOB])
    head, _, tail = data.decode().rpartition("\n\n")
    assert head + "\n" == TEXT
    assert [line.split(" ")[:2] for line in tail.splitlines()] == [
        ["—", "example.org/1"],
        ["—", "example.org/2"],
    ]
    note = parse_note(data)
    assert note.text == TEXT
    assert note.to_bytes() == data


def test_the_keys_that_signed_are_given_back_in_the_order_asked():
    note = parse_note(sign_note(TEXT, [ADA, BOB]))
    assert verify_note(note, [BOB.verifier_key, ADA.verifier_key]) == (BOB.verifier_key, ADA.verifier_key)
    assert verify_note(note, [EVE.verifier_key, ADA.verifier_key]) == (ADA.verifier_key,)


def test_a_note_without_a_known_signature_is_refused():
    note = parse_note(sign_note(TEXT, [ADA]))
    for keys in ([], [BOB.verifier_key]):
        with pytest.raises(VerificationError) as caught:
            verify_note(note, keys)
        assert caught.value.reason == "note-unsigned"


def test_a_known_key_that_fails_spoils_the_whole_note():
    good = parse_note(sign_note(TEXT, [BOB])).signatures
    forged = NoteSignature(name=ADA.name, key_id=ADA.verifier_key.key_id, signature=bytes(64))
    for lines in (
        (forged, *good),
        (*good, forged),
        (*good, *parse_note(sign_note("other\n", [ADA])).signatures),
    ):
        note = merge_signatures(parse_note(sign_note(TEXT, [EVE])), lines)
        with pytest.raises(VerificationError) as caught:
            verify_note(note, [BOB.verifier_key, ADA.verifier_key])
        assert caught.value.reason == "note-signature-invalid"
        assert caught.value.parameters == {"name": ADA.name}
        assert verify_note(note, [BOB.verifier_key]) == (BOB.verifier_key,)


def test_a_signature_that_shares_only_the_name_or_only_the_id_is_ignored():
    namesake = signer(4, name=ADA.name)
    note = parse_note(sign_note(TEXT, [namesake]))
    with pytest.raises(VerificationError, match="note-unsigned"):
        verify_note(note, [ADA.verifier_key])
    same_id = NoteSignature(name="example.org/other", key_id=ADA.verifier_key.key_id, signature=bytes(64))
    note = merge_signatures(parse_note(sign_note(TEXT, [ADA])), [same_id])
    assert verify_note(note, [ADA.verifier_key]) == (ADA.verifier_key,)


def test_a_signature_of_another_text_does_not_verify():
    note = parse_note(sign_note(TEXT, [ADA]).replace(b"third", b"fifth"))
    with pytest.raises(VerificationError, match="note-signature-invalid"):
        verify_note(note, [ADA.verifier_key])


def line(name="example.org/1", material=bytes(68)):
    return f"— {name} {encode_base64(material)}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n\n",
        "\n" + line(),
        "text" + "\n" + line(),
        "text\n\n" + line()[:-1],
        "text\n\n" + line() + "\n",
        "text\n\n" + line() + "more\n",
        "text\n\n" + line(name=""),
        "text\n\n" + line(name="a+b"),
        "text\n\n" + line(name="a\u00a0b"),
        "text\n\n" + line(name="a\u2003b"),
        "text\n\n" + line(name="a" * 257),
        "text\n\n" + line(material=bytes(4)),
        "text\n\n" + line().replace("— ", "- "),
        "text\n\n" + line().replace("— ", "—"),
        "text\n\n" + line().replace("AAA=\n", "AAB=\n"),
        "text\n\n— a AAAAAAA\n",
        "text\n\n— a AAAAAAAAAAB=\n",
        "text\n\n— a\n",
        "text\n\n— a  AAAAAAAA\n",
        "text\r\n\n" + line(),
        "te\x00xt\n\n" + line(),
        "te\txt\n\n" + line(),
        "text\n\n" + line(name="a\x1fb"),
        "text\n\n" + line() * (MAX_SIGNATURES + 1),
        "x" * MAX_NOTE_BYTES + "\n\n" + line(),
    ],
)
def test_what_is_not_a_note_is_malformed(text):
    with pytest.raises(MalformedError):
        parse_note(text.encode())


def test_bytes_that_are_not_utf8_are_malformed():
    with pytest.raises(MalformedError, match="UTF-8"):
        parse_note(b"\xff\n\n" + line().encode())


@pytest.mark.parametrize("text", ["\n", "\n\n\n", "text\n\nmore\n", "\u2028é—\n", "— a b\n"])
def test_texts_with_empty_lines_and_dashes_are_kept(text):
    data = sign_note(text, [ADA])
    note = parse_note(data)
    assert (note.text, note.to_bytes()) == (text, data)
    assert verify_note(note, [ADA.verifier_key])


def test_the_most_signatures_that_are_accepted():
    assert len(parse_note(("text\n\n" + line() * MAX_SIGNATURES).encode()).signatures) == MAX_SIGNATURES


def test_merging_adds_what_is_new_and_keeps_the_order():
    ada, bob = (parse_note(sign_note(TEXT, [who])) for who in (ADA, BOB))
    merged = merge_signatures(ada, [*bob.signatures, *ada.signatures, *bob.signatures])
    assert merged.signatures == ada.signatures + bob.signatures
    assert merged.text == TEXT
    many = [
        NoteSignature(name=f"n{number}", key_id=b"1234", signature=b"s") for number in range(MAX_SIGNATURES)
    ]
    with pytest.raises(MalformedError):
        merge_signatures(ada, many)


def test_signature_lines_alone_are_a_witnesss_answer():
    lines = parse_note(sign_note(TEXT, [ADA, BOB])).signatures
    assert parse_signature_lines("".join(item.to_text() for item in lines)) == lines
    for text in ("", "\n", lines[0].to_text()[:-1]):
        with pytest.raises(MalformedError):
            parse_signature_lines(text)


# -- keys


def test_a_verifier_key_survives_its_text():
    for algorithm in (1, COSIGNATURE_ED25519):
        key = VerifierKey(name="example.org/à", algorithm=algorithm, raw=ADA.key.public_key.raw)
        assert parse_vkey(key.to_text()) == key
    ids = {VerifierKey(name="n", algorithm=a, raw=ADA.key.public_key.raw).key_id for a in (1, 4)}
    assert len(ids) == 2


def test_a_key_whose_base64_holds_a_plus_is_read():
    keys = [signer(number).verifier_key for number in range(1, 60)]
    with_plus = [key for key in keys if key.to_text().count("+") > 2]
    assert with_plus
    assert all(parse_vkey(key.to_text()) == key for key in with_plus)


GOOD = ADA.verifier_key.to_text()
RAW = ADA.key.public_key.raw
NEWLINE = b"\n"
KEY_ID = ADA.verifier_key.key_id.hex()


def vkey(material, name="example.org/1"):
    """A verifier key text whose key id is right, whatever the material."""
    return f"{name}+{sha256(name.encode() + NEWLINE + material)[:4].hex()}+{encode_base64(material)}"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is not <name>"),
        ("name", "is not <name>"),
        ("name+00000000", "is not <name>"),
        (GOOD.replace("example", "example "), "key name"),
        (GOOD.replace("example.org/1", ""), "key name"),
        (GOOD.replace("+", "+0", 1), "key id"),
        (GOOD.replace(KEY_ID, "00000000"), "key id"),
        (GOOD.replace(KEY_ID, KEY_ID.upper()), "key id"),
        (GOOD + "\n", "base64"),
        (GOOD[:-1], "base64"),
        (vkey(b""), "no key"),
        (vkey(b"\x01" + RAW[:-1]), "31 bytes"),
        (vkey(b"\x01" + RAW + b"\0"), "33 bytes"),
        (vkey(b"\x02" + RAW), "signature type 0x02"),
        (vkey(b"\x06" + bytes(1312)), "signature type 0x06"),
        (vkey(b"\x01" + bytes(32)), "small order"),
        ("\ud800+00000000+" + encode_base64(b"\x01" + RAW), "surrogate"),
    ],
)
def test_what_is_not_a_verifier_key_is_malformed(text, word):
    assert parse_vkey(vkey(b"\x01" + RAW)) == ADA.verifier_key
    with pytest.raises(MalformedError) as caught:
        parse_vkey(text)
    assert word in caught.value.reason


def test_signing_what_a_note_cannot_carry_is_refused():
    for text in ("", "no newline", "tab\t\n", "\ud800\n"):
        with pytest.raises(MalformedError):
            sign_note(text, [ADA])
    with pytest.raises(ValueError, match="signature"):
        sign_note(TEXT, [])


def test_mixing_up_the_signature_types_is_a_programming_mistake():
    cosigner = NoteSigner(name="w", key=ADA.key, algorithm=COSIGNATURE_ED25519)
    with pytest.raises(ValueError, match="checkpoints"):
        sign_note(TEXT, [cosigner])
    with pytest.raises(ValueError, match="checkpoints"):
        verify_note(parse_note(sign_note(TEXT, [ADA])), [cosigner.verifier_key])
    with pytest.raises(ValueError, match="Ed25519"):
        NoteSigner(name="w", key=SigningKey.from_seed(Algorithm.P256, bytes(31) + b"\x01"))


def test_a_signature_line_that_is_repeated_is_verified_once(monkeypatch):
    """750 kB of one good line took seconds of signature checks."""
    signer = NoteSigner(name="example.com/log", key=SigningKey.from_seed(Algorithm.ED25519, bytes(32)))
    note = parse_note(sign_note("text\n", [signer]))
    many = Note(text=note.text, signatures=note.signatures * 50)
    checked = []
    verify = PublicKey.verify

    def counting(self, signature, message):
        checked.append(signature)
        return verify(self, signature, message)

    monkeypatch.setattr(PublicKey, "verify", counting)
    assert verify_note(many, [signer.verifier_key]) == (signer.verifier_key,)
    assert len(checked) == 1
