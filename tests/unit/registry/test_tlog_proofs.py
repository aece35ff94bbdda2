import pytest

from testamur.registry.checkpoints import Checkpoint, parse_signed_checkpoint, sign_checkpoint
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.line_formats import encode_base64
from testamur.registry.tlog_proofs import MAX_EXTRA_BYTES, TlogProof, parse_tlog_proof

NOTE = sign_checkpoint(
    Checkpoint(origin="registry.example/ada/1", size=9, root=sha256(b"r")),
    SigningKey.from_seed(Algorithm.ED25519, bytes(32)),
)
HASH = sha256(b"h")
LINE = encode_base64(HASH)


def test_the_text_is_header_extra_index_hashes_and_the_checkpoint_verbatim():
    proof = TlogProof(index=7, hashes=(HASH, HASH), checkpoint_note=NOTE, extra=b"abc")
    assert (
        proof.to_text() == f"c2sp.org/tlog-proof@v1\nextra YWJj\nindex 7\n{LINE}\n{LINE}\n\n{NOTE.decode()}"
    )
    assert parse_tlog_proof(proof.to_text()) == proof
    assert parse_signed_checkpoint(proof.checkpoint_note).checkpoint.size == 9


def test_extra_and_hashes_may_be_absent():
    proof = TlogProof(index=0, hashes=(), checkpoint_note=NOTE)
    assert proof.to_text().startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nregistry.example")
    assert parse_tlog_proof(proof.to_text()) == proof


HEAD = "c2sp.org/tlog-proof@v1\n"
TAIL = "\n" + NOTE.decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        HEAD + "index 0\n",
        HEAD + "index 0\n\n",
        "c2sp.org/tlog-proof@v2\nindex 0\n" + TAIL,
        "\n" + HEAD + "index 0\n" + TAIL,
        HEAD + TAIL,
        HEAD + "index 00\n" + TAIL,
        HEAD + "index -1\n" + TAIL,
        HEAD + "index 9223372036854775807\n" + TAIL,
        HEAD + "index 0\nAAAA\n" + TAIL,
        HEAD + f"index 0\n{LINE}=\n" + TAIL,
        HEAD + f"index 0\n{LINE} \n" + TAIL,
        HEAD + f"index 0\r\n{LINE}\n" + TAIL,
        HEAD + "index 0\n" + (LINE + "\n") * 64 + TAIL,
        HEAD + "extra \nindex 0\n" + TAIL,
        HEAD + "extra YQ\nindex 0\n" + TAIL,
        HEAD + "extra YQ==\nextra YQ==\nindex 0\n" + TAIL,
        HEAD + "index 0\nextra YQ==\n" + TAIL,
        HEAD + f"extra {encode_base64(bytes(MAX_EXTRA_BYTES + 1))}\nindex 0\n" + TAIL,
        HEAD + "index 0\n\n\ud800",
        HEAD + "index 0\n\n" + "x" * 400_000,
    ],
)
def test_other_texts_are_malformed(text):
    with pytest.raises(MalformedError):
        parse_tlog_proof(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"index": -1, "hashes": ()},
        {"index": (1 << 63) - 1, "hashes": ()},
        {"index": 0, "hashes": (b"short",)},
        {"index": 0, "hashes": (HASH,) * 64},
        {"index": 0, "hashes": (), "extra": b""},
    ],
)
def test_a_proof_that_could_not_be_read_again_cannot_be_made(fields):
    with pytest.raises(ValueError, match="proof"):
        TlogProof(checkpoint_note=NOTE, **fields)
