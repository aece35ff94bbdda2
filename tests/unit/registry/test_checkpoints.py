import base64

import pytest

from testamur.registry.checkpoints import (
    MAX_COSIGNATURE_SECONDS,
    AddCheckpointRequest,
    Checkpoint,
    SignedCheckpoint,
    cosign,
    parse_add_checkpoint,
    parse_checkpoint_text,
    parse_signed_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
    verify_cosignatures,
)
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.notes import (
    COSIGNATURE_ED25519,
    NoteSignature,
    NoteSigner,
    VerifierKey,
    sign_note,
)

ORIGIN = "registry.example/ada/1"
ROOT = sha256(b"root")
CHECKPOINT = Checkpoint(origin=ORIGIN, size=1205, root=ROOT)
SECONDS = 1_790_000_000


def key(number):
    return SigningKey.from_seed(Algorithm.ED25519, bytes([number]) * 32)


LOG, WITNESS, MIRROR = key(1), key(2), key(3)


def log_key(origin=ORIGIN, signing=LOG):
    return NoteSigner(name=origin, key=signing).verifier_key


def cosigner(name, signing):
    return VerifierKey(name=name, algorithm=COSIGNATURE_ED25519, raw=signing.public_key.raw)


def signed(checkpoint=CHECKPOINT):
    return parse_signed_checkpoint(sign_checkpoint(checkpoint, LOG))


# -- text


def test_a_checkpoint_is_three_lines():
    assert CHECKPOINT.to_text() == f"{ORIGIN}\n1205\n{base64.b64encode(ROOT).decode()}\n"
    assert parse_checkpoint_text(CHECKPOINT.to_text()) == CHECKPOINT


B64 = CHECKPOINT.to_text().split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ORIGIN}\n1205\n{B64}",
        f"\n1205\n{B64}\n",
        f"{ORIGIN}\n01205\n{B64}\n",
        f"{ORIGIN}\n-1\n{B64}\n",
        f"{ORIGIN}\n\n{B64}\n",
        f"{ORIGIN}\n9223372036854775808\n{B64}\n",
        f"{ORIGIN}\n1205\n{B64[:-1]}\n",
        f"{ORIGIN}\n1205\nAAAA\n",
        f"{ORIGIN}\n1205\n{B64}\nextension\n",
        f"{ORIGIN}\n1205\n{B64}\n\n",
        f"{ORIGIN}\n1205\n",
    ],
)
def test_other_texts_and_extension_lines_are_malformed(text):
    with pytest.raises(MalformedError):
        parse_checkpoint_text(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "", "size": 0, "root": ROOT},
        {"origin": "a\nb", "size": 0, "root": ROOT},
        {"origin": "a", "size": -1, "root": ROOT},
        {"origin": "a", "size": 1 << 63, "root": ROOT},
        {"origin": "a", "size": 1, "root": b"short"},
    ],
)
def test_a_checkpoint_that_could_not_be_read_again_cannot_be_made(fields):
    with pytest.raises(ValueError, match=r".+"):
        Checkpoint(**fields)


# -- signed by the log


def test_the_log_signs_and_its_key_proves_it():
    data = sign_checkpoint(CHECKPOINT, LOG)
    assert data.startswith(CHECKPOINT.to_text().encode() + f"\n— {ORIGIN} ".encode())
    assert parse_signed_checkpoint(data).to_bytes() == data
    assert verify_checkpoint(signed(), log_key()) == CHECKPOINT


def test_another_key_another_origin_and_another_size_are_refused():
    with pytest.raises(VerificationError, match="note-unsigned"):
        verify_checkpoint(signed(), log_key(signing=WITNESS))
    with pytest.raises(VerificationError, match="checkpoint-origin-mismatch"):
        verify_checkpoint(signed(), log_key(origin="registry.example/ada/2"))
    forged = parse_signed_checkpoint(sign_checkpoint(CHECKPOINT, LOG).replace(b"\n1205\n", b"\n1206\n"))
    with pytest.raises(VerificationError, match="note-signature-invalid"):
        verify_checkpoint(forged, log_key())


def test_a_log_key_that_signed_another_logs_checkpoint_proves_nothing():
    text = Checkpoint(origin="registry.example/eve/1", size=1, root=ROOT).to_text()
    note = parse_signed_checkpoint(sign_note(text, [NoteSigner(name=ORIGIN, key=LOG)]))
    with pytest.raises(VerificationError, match="checkpoint-origin-mismatch"):
        verify_checkpoint(note, log_key())


def test_a_note_of_another_checkpoint_cannot_be_put_beside_this_one():
    other = Checkpoint(origin=ORIGIN, size=1, root=ROOT)
    with pytest.raises(ValueError, match="another checkpoint"):
        SignedCheckpoint(checkpoint=CHECKPOINT, note=signed(other).note)


# -- cosigned


def test_a_cosignature_is_the_specified_bytes():
    line = cosign(CHECKPOINT, "witness.example/w", WITNESS, SECONDS)
    message = f"cosignature/v1\ntime {SECONDS}\n{CHECKPOINT.to_text()}".encode()
    assert line.key_id == sha256(b"witness.example/w\n\x04" + WITNESS.public_key.raw)[:4]
    assert line.signature == SECONDS.to_bytes(8, "big") + WITNESS.sign(message)


def test_the_specifications_example_checkpoint_is_read_with_its_cosignature():
    example = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nP"
        "Zqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    ).encode()
    read = parse_signed_checkpoint(example)
    assert read.to_bytes() == example
    assert (read.checkpoint.origin, read.checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert int.from_bytes(read.note.signatures[1].signature[:8], "big") == 1679315147
    assert [len(line.signature) for line in read.note.signatures] == [64, 72]


def test_cosignatures_are_counted_by_key_with_their_time():
    both = signed().with_signatures(
        [cosign(CHECKPOINT, "w", WITNESS, SECONDS), cosign(CHECKPOINT, "m", MIRROR, SECONDS + 5)]
    )
    keys = [cosigner("w", WITNESS), cosigner("m", MIRROR), cosigner("x", key(9))]
    assert verify_cosignatures(both, keys) == {keys[0]: SECONDS, keys[1]: SECONDS + 5}
    assert verify_cosignatures(both, []) == {}
    assert verify_cosignature(both, keys[0]) == SECONDS
    with pytest.raises(VerificationError, match="note-unsigned"):
        verify_cosignature(both, keys[2])
    assert parse_signed_checkpoint(both.to_bytes()) == both
    assert verify_checkpoint(both, log_key()) == CHECKPOINT


def test_of_two_cosignatures_by_one_key_the_earlier_time_counts():
    for order in ((SECONDS, SECONDS + 9), (SECONDS + 9, SECONDS)):
        twice = signed().with_signatures([cosign(CHECKPOINT, "w", WITNESS, when) for when in order])
        assert verify_cosignature(twice, cosigner("w", WITNESS)) == SECONDS


def altered(line, **changes):
    fields = {"name": line.name, "key_id": line.key_id, "signature": line.signature, **changes}
    return NoteSignature(**fields)


GOOD_LINE = cosign(CHECKPOINT, "w", WITNESS, SECONDS)


@pytest.mark.parametrize(
    "signature",
    [
        (SECONDS + 1).to_bytes(8, "big") + GOOD_LINE.signature[8:],
        GOOD_LINE.signature[:-1],
        GOOD_LINE.signature + b"\0",
        GOOD_LINE.signature[:4],
        b"\xff" * 8 + GOOD_LINE.signature[8:],
        cosign(Checkpoint(origin=ORIGIN, size=1204, root=ROOT), "w", WITNESS, SECONDS).signature,
        SECONDS.to_bytes(8, "big") + WITNESS.sign(CHECKPOINT.to_text().encode()),
    ],
)
def test_a_known_cosigner_that_fails_spoils_the_whole_checkpoint(signature):
    note = signed().with_signatures([GOOD_LINE, altered(GOOD_LINE, signature=signature)])
    with pytest.raises(VerificationError) as caught:
        verify_cosignatures(note, [cosigner("w", WITNESS)])
    assert caught.value.reason == "note-signature-invalid"
    assert verify_cosignatures(note, [cosigner("m", MIRROR)]) == {}


def test_a_plain_signature_is_no_cosignature_even_by_the_same_key_and_name():
    note = parse_signed_checkpoint(sign_note(CHECKPOINT.to_text(), [NoteSigner(name="w", key=WITNESS)]))
    assert verify_cosignatures(note, [cosigner("w", WITNESS)]) == {}
    with pytest.raises(ValueError, match="cosign"):
        verify_cosignatures(note, [NoteSigner(name="w", key=WITNESS).verifier_key])


@pytest.mark.parametrize("seconds", [0, -1, MAX_COSIGNATURE_SECONDS + 1])
def test_a_cosignature_without_a_time_cannot_be_made(seconds):
    with pytest.raises(ValueError, match="when"):
        cosign(CHECKPOINT, "w", WITNESS, seconds)


# -- add-checkpoint


def test_an_add_checkpoint_request_survives_its_bytes():
    for proof in ((), (ROOT,), (ROOT,) * 63):
        request = AddCheckpointRequest(old_size=1200, proof=proof, checkpoint=signed())
        assert parse_add_checkpoint(request.to_bytes()) == request
    assert (
        AddCheckpointRequest(old_size=0, proof=(), checkpoint=signed())
        .to_bytes()
        .startswith(b"old 0\n\nregistry")
    )


NOTE = sign_checkpoint(CHECKPOINT, LOG)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 1200\n",
        b"old 1200\n" + NOTE,
        b"old 01200\n\n" + NOTE,
        b"old -1\n\n" + NOTE,
        b"old\n\n" + NOTE,
        b"new 1200\n\n" + NOTE,
        b"old 1206\n\n" + NOTE,
        b"old 1200\nAAAA\n\n" + NOTE,
        b"old 1200\n" + (B64 + "\n").encode() * 64 + b"\n" + NOTE,
        b"old 1200\n\n" + NOTE[:-1],
        b"old 1200\n\n\n" + NOTE,
        b"old 1200\n\xff\n\n" + NOTE,
        b"old 1200\n\n" + b"x" * 300_000,
    ],
)
def test_other_requests_are_malformed(data):
    with pytest.raises(MalformedError):
        parse_add_checkpoint(data)
