"""C2SP signed-note: the specification's example note and verifier key."""

import json

import pytest

from testamur.registry.errors import VerificationError
from testamur.registry.notes import parse_note, parse_vkey, verify_note


def test_the_specifications_example_verifies_and_nothing_beside_it(vectors):
    example = json.loads((vectors / "signed-note" / "example.json").read_text())
    data = (vectors / "signed-note" / "example.note").read_bytes()
    assert data == example["note"].encode()
    key = parse_vkey(example["vkey"])
    assert key.to_text() == example["vkey"]
    note = parse_note(data)
    assert note.text == example["text"]
    assert note.to_bytes() == data
    assert verify_note(note, [key]) == (key,)
    with pytest.raises(VerificationError, match="note-signature-invalid"):
        verify_note(parse_note(data.replace(b"example message", b"another message")), [key])
