"""For any bytes, a parser raises MalformedError or gives a value that is written as those bytes again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testamur.registry import (
    canonical,
    checkpoints,
    dids,
    entries,
    keys,
    multiformats,
    notes,
    policies,
    tiles,
)
from testamur.registry.errors import MalformedError
from testamur.registry.tlog_proofs import TlogProof, parse_tlog_proof

KEY = keys.SigningKey.from_seed(keys.Algorithm.ED25519, bytes(range(32)))
CHECKPOINT = checkpoints.Checkpoint(origin="registry.example/ada/1", size=9, root=bytes(32))
NOTE = checkpoints.sign_checkpoint(CHECKPOINT, KEY)
SIGNED = checkpoints.parse_signed_checkpoint(NOTE).with_signatures(
    [checkpoints.cosign(CHECKPOINT, "w", KEY, 5)]
)
WITNESS = notes.VerifierKey(name="w", algorithm=notes.COSIGNATURE_ED25519, raw=KEY.public_key.raw)


def over_text(parse):
    """A parser of text as a parser of bytes: Latin-1 for odd characters, surrogate escapes for worse."""
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


# name: (parser of bytes, a good input, how to write the value again or None)
PARSERS = {
    "json": (
        lambda data: canonical.parse_json(data, subject="document"),
        b'{"a":[1,2.5,null,true,"\\u00e9"],"b":{}}',
        None,
    ),
    "multibase": (over_text(multiformats.decode_multibase), b"z11ZiCa", None),
    "digest": (
        over_text(multiformats.decode_digest),
        b"u" + b"A" * 43,
        lambda value: multiformats.encode_digest(value).encode(),
    ),
    "multicodec": (
        multiformats.parse_multicodec,
        b"\xed\x01" + bytes(32),
        lambda value: multiformats.encode_multicodec(*value),
    ),
    "multikey": (
        over_text(keys.parse_multikey),
        KEY.public_key.to_multikey().encode(),
        lambda value: value.to_multikey().encode(),
    ),
    "P-256 point": (
        lambda data: keys.parse_public_key(keys.Algorithm.P256, data),
        b"\x02" + bytes(31) + b"\x05",
        lambda value: value.raw,
    ),
    "DID": (over_text(dids.parse_did), b"did:web:a.example%3A80:x", lambda value: str(value).encode()),
    "DID URL": (over_text(dids.parse_did_url), b"did:web:a/p?q#f", lambda value: str(value).encode()),
    "did:key": (
        over_text(dids.resolve_did_key),
        dids.did_key(KEY.public_key).encode(),
        lambda value: value["id"].encode(),
    ),
    "entry": (entries.parse_entry, b"\x01\x02" + bytes(32), lambda value: value.to_bytes()),
    "origin": (over_text(entries.parse_origin), b"registry.example/ada/1", lambda value: str(value).encode()),
    "note": (notes.parse_note, NOTE, lambda value: value.to_bytes()),
    "signature lines": (
        over_text(notes.parse_signature_lines),
        SIGNED.note.signatures[0].to_text().encode(),
        lambda value: "".join(line.to_text() for line in value).encode(),
    ),
    "vkey": (over_text(notes.parse_vkey), WITNESS.to_text().encode(), lambda value: value.to_text().encode()),
    "checkpoint text": (
        over_text(checkpoints.parse_checkpoint_text),
        CHECKPOINT.to_text().encode(),
        lambda value: value.to_text().encode(),
    ),
    "signed checkpoint": (
        checkpoints.parse_signed_checkpoint,
        SIGNED.to_bytes(),
        lambda value: value.to_bytes(),
    ),
    "add-checkpoint": (
        checkpoints.parse_add_checkpoint,
        checkpoints.AddCheckpointRequest(old_size=3, proof=(bytes(32),), checkpoint=SIGNED).to_bytes(),
        lambda value: value.to_bytes(),
    ),
    "tlog-proof": (
        over_text(parse_tlog_proof),
        TlogProof(index=3, hashes=(bytes(32),), checkpoint_note=NOTE, extra=b"x").to_text().encode(),
        lambda value: value.to_text().encode(),
    ),
    "tile path": (
        over_text(tiles.parse_tile_path),
        b"tile/0/x001/234.p/5",
        lambda value: value.path.encode(),
    ),
    "entry bundle": (
        lambda data: tiles.parse_entry_bundle(data, count=2),
        b"\0\x01a\0\x02bc",
        tiles.encode_entry_bundle,
    ),
    "policy": (
        policies.parse_policy,
        f"witness w {WITNESS.to_text()}\ngroup g 1 w\nquorum g\n".encode(),
        None,
    ),
}


@st.composite
def damaged(draw, good):
    """A good input with a few bytes cut, repeated, replaced or put in."""
    data = good
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 8)))
        piece = draw(
            st.binary(max_size=4)
            | st.sampled_from([b"\n", b"\n\n", b" ", b"\0", b"=", b"+", b"0", data[start:end] * 2])
        )
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
def test_a_parser_refuses_or_understands_and_never_breaks(name, data):
    parse, good, write = PARSERS[name]
    tried = data.draw(st.binary(max_size=200) | damaged(good))
    try:
        value = parse(tried)
    except MalformedError:
        return
    if write is not None:
        assert write(value) == tried


@pytest.mark.parametrize("name", PARSERS)
def test_the_good_input_of_each_parser_is_understood(name):
    parse, good, write = PARSERS[name]
    value = parse(good)
    assert write is None or write(value) == good


@given(st.text())
@example("\x00")
@example("\ud800")
def test_text_is_refused_by_every_text_parser_or_understood(text):
    for parse in (
        multiformats.decode_multibase,
        multiformats.decode_digest,
        keys.parse_multikey,
        dids.parse_did,
        dids.parse_did_url,
        entries.parse_origin,
        notes.parse_vkey,
        notes.parse_signature_lines,
        checkpoints.parse_checkpoint_text,
        parse_tlog_proof,
        tiles.parse_tile_path,
        policies.parse_policy,
    ):
        try:
            parse(text)
        except MalformedError:
            continue
