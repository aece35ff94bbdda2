"""Seals: the last entry of every published checkpoint, made by the host, naming the newest statement.

Authentic because the checkpoint is; a seal cannot name the root that it is part of. Format:
docs/spec/statements.md.
"""

from dataclasses import dataclass

from testamur.registry.canonical import Json, digest, parse_json
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape
from testamur.registry.timestamps import parse_timestamp

MAX_SEAL_BYTES = 4096
"""A seal has a handful of short members; it is fetched and stored for every checkpoint."""

MAX_STATEMENT_SEQUENCE = 2**32 - 1
"""The contract keeps the statement's sequence in 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The last entry of a published checkpoint. `size` counts the seal's own leaf."""

    origin: str
    size: int
    time: str
    statement_sequence: int
    statement_digest: bytes
    previous_seal: int | None

    def to_json(self) -> dict[str, Json]:
        """The document; its JCS bytes are what is stored and hashed."""
        return {
            "type": "Seal",
            "version": 1,
            "origin": self.origin,
            "size": self.size,
            "time": self.time,
            "statement": {
                "sequence": self.statement_sequence,
                "digest": encode_digest(self.statement_digest),
            },
            "previousSeal": self.previous_seal,
        }

    @property
    def digest(self) -> bytes:
        """SHA-256 of the JCS form: the digest in the seal's log entry."""
        return digest(self.to_json())


def parse_seal(document: bytes | Json) -> Seal:
    """A seal in exactly this form, so that equal seals have equal digests. Raises MalformedError."""
    if isinstance(document, bytes):
        document = parse_json(document, subject="seal", max_bytes=MAX_SEAL_BYTES)
    shape = Shape(document, "seal")
    shape.expect("type", "Seal")
    shape.expect("version", 1)
    named = shape.shape("statement")
    if isinstance(document, dict) and "previousSeal" not in document:
        raise MalformedError(shape.path("previousSeal"), "is missing; the first seal has null")
    seal = Seal(
        origin=str(parse_origin(shape.text("origin", max_length=256))),
        size=shape.integer("size", minimum=1),
        time=parse_time(shape),
        statement_sequence=named.integer("sequence", minimum=1, maximum=MAX_STATEMENT_SEQUENCE),
        statement_digest=named.digest("digest"),
        previous_seal=shape.optional_integer("previousSeal", minimum=1),
    )
    named.refuse_unknown()
    shape.refuse_unknown()
    if seal.previous_seal is not None and seal.previous_seal >= seal.size:
        raise MalformedError(
            shape.path("previousSeal"), f"is {seal.previous_seal}, not below the size {seal.size}"
        )
    return seal


def parse_time(shape: Shape) -> str:
    """The member `time` of a seal or a statement, as written; for people, because order is leaf order."""
    text = shape.text("time", max_length=64)
    parse_timestamp(text, shape.path("time"))
    return text
