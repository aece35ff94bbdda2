"""Laws of the text formats: what is written is read back, and what is read is written again byte for byte."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.registry.checkpoints import (
    AddCheckpointRequest,
    Checkpoint,
    cosign,
    parse_add_checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from testamur.registry.errors import VerificationError
from testamur.registry.keys import Algorithm, SigningKey, parse_multikey
from testamur.registry.multiformats import SUPPORTED_PREFIXES, decode_multibase, encode_multibase
from testamur.registry.notes import (
    COSIGNATURE_ED25519,
    NoteSignature,
    NoteSigner,
    VerifierKey,
    merge_signatures,
    parse_note,
    parse_vkey,
    sign_note,
    verify_note,
)
from testamur.registry.tiles import (
    TILE_WIDTH,
    TileId,
    encode_entry_bundle,
    parse_entry_bundle,
    parse_tile_path,
)
from testamur.registry.tlog_proofs import TlogProof, parse_tlog_proof

DIGESTS = st.binary(min_size=32, max_size=32)
SEEDS = st.binary(min_size=32, max_size=32)
SIZES = st.integers(0, (1 << 63) - 1)
NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="+"),
    min_size=1,
    max_size=20,
)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32))))
).flatmap(lambda text: st.lists(st.just(text) | st.just(""), min_size=1, max_size=4))
LINES = st.builds(
    NoteSignature,
    name=NAMES,
    key_id=st.binary(min_size=4, max_size=4),
    signature=st.binary(min_size=1, max_size=80),
)


def ed25519(seed):
    return SigningKey.from_seed(Algorithm.ED25519, seed)


@given(st.sampled_from(SUPPORTED_PREFIXES), st.integers(0, 5), st.binary(max_size=300))
def test_multibase_round_trips_with_leading_zeros(prefix, zeros, data):
    data = bytes(zeros) + data
    text = encode_multibase(prefix, data)
    assert text[0] == prefix
    assert decode_multibase(text) == data


@given(SEEDS)
def test_multikeys_and_verifier_keys_round_trip(seed):
    public = ed25519(seed).public_key
    assert parse_multikey(public.to_multikey()) == public
    key = VerifierKey(name="example.org/w", algorithm=COSIGNATURE_ED25519, raw=public.raw)
    assert parse_vkey(key.to_text()) == key


@given(TEXTS, SEEDS, NAMES, st.lists(LINES, max_size=5))
def test_notes_round_trip_and_verify_whatever_else_has_signed(lines, seed, name, others):
    text = "\n".join(lines) + "\n"
    signer = NoteSigner(name=name, key=ed25519(seed))
    note = merge_signatures(parse_note(sign_note(text, [signer])), others)
    assert note.text == text
    again = parse_note(note.to_bytes())
    assert again == note
    assert again.to_bytes() == note.to_bytes()
    if not any(line.is_claimed_by(signer.verifier_key) for line in others):
        assert verify_note(again, [signer.verifier_key]) == (signer.verifier_key,)


CHECKPOINTS = st.builds(Checkpoint, origin=NAMES, size=SIZES, root=DIGESTS)


@given(CHECKPOINTS, SEEDS, SEEDS, st.integers(1, (1 << 63) - 1))
def test_checkpoints_and_cosignatures_round_trip_and_bind_every_field(checkpoint, log, witness, seconds):
    line = cosign(checkpoint, "witness", ed25519(witness), seconds)
    signed = parse_signed_checkpoint(sign_checkpoint(checkpoint, ed25519(log))).with_signatures([line])
    assert parse_signed_checkpoint(signed.to_bytes()) == signed
    key = VerifierKey(name="witness", algorithm=COSIGNATURE_ED25519, raw=ed25519(witness).public_key.raw)
    assert verify_cosignature(signed, key) == seconds
    log_key = NoteSigner(name=checkpoint.origin, key=ed25519(log)).verifier_key
    assert verify_checkpoint(signed, log_key) == checkpoint
    for changed in (
        replace(checkpoint, size=checkpoint.size ^ 1),
        replace(checkpoint, root=bytes([checkpoint.root[0] ^ 1]) + checkpoint.root[1:]),
    ):
        moved = parse_signed_checkpoint(
            signed.to_bytes().replace(checkpoint.to_text().encode(), changed.to_text().encode(), 1)
        )
        with pytest.raises(VerificationError):
            verify_checkpoint(moved, log_key)
        with pytest.raises(VerificationError):
            verify_cosignature(moved, key)


@given(SIZES, SIZES, DIGESTS, st.lists(DIGESTS, max_size=63))
def test_add_checkpoint_requests_round_trip(one, two, root, proof):
    checkpoint = Checkpoint(origin="example.org/log", size=max(one, two), root=root)
    signed = parse_signed_checkpoint(sign_checkpoint(checkpoint, ed25519(bytes(32))))
    request = AddCheckpointRequest(old_size=min(one, two), proof=tuple(proof), checkpoint=signed)
    assert parse_add_checkpoint(request.to_bytes()) == request


@given(
    st.integers(0, (1 << 63) - 2),
    st.lists(DIGESTS, max_size=63),
    st.none() | st.binary(min_size=1, max_size=99),
)
def test_tlog_proofs_round_trip(index, hashes, extra):
    note = sign_checkpoint(Checkpoint(origin="o", size=1, root=bytes(32)), ed25519(bytes(32)))
    proof = TlogProof(index=index, hashes=tuple(hashes), checkpoint_note=note, extra=extra)
    again = parse_tlog_proof(proof.to_text())
    assert again == proof
    assert again.to_text() == proof.to_text()


@given(st.none() | st.integers(0, 63), SIZES, st.integers(1, TILE_WIDTH))
def test_tile_paths_round_trip(level, index, width):
    tile = TileId(level=level, index=index, width=width)
    assert parse_tile_path(tile.path) == tile


@given(st.lists(st.binary(max_size=50), max_size=TILE_WIDTH))
def test_entry_bundles_round_trip(entries):
    assert parse_entry_bundle(encode_entry_bundle(entries), count=len(entries)) == entries
