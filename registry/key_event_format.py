"""One key event: which keys speak for an issuer from a leaf on, and a commitment to the keys after them.

A thief of today's key cannot rotate, and an issuer who lost it can, because the next event must be signed by
the keys that this one committed to. The chain of events is proven in `key_events`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from testamur.registry.canonical import Json, digest
from testamur.registry.dids import parse_did
from testamur.registry.entries import MAX_EPOCH
from testamur.registry.errors import MalformedError
from testamur.registry.keys import PublicKey, SigningKey, parse_multikey
from testamur.registry.multiformats import encode_digest
from testamur.registry.proofs import MAX_VERIFICATION_METHOD_CHARACTERS, proofs_of, sign_document
from testamur.registry.shapes import Shape, without_duplicates

MAX_KEYS = 16
"""Keys in force at once: one per signing desk of a university; each must sign the event that reveals it."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the logs of one issuer: epoch first, then leaf index."""

    epoch: int
    index: int

    def to_json(self) -> dict[str, Json]:
        """`{"epoch": e, "index": i}`."""
        return {"epoch": self.epoch, "index": self.index}


FIRST_POSITION = Position(1, 0)
"""Where the first event of an issuer takes effect; it is also its first leaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerKey:
    """A key by the verification method id that proofs name it with."""

    id: str
    public_key: PublicKey

    @property
    def multibase(self) -> str:
        """The key as `publicKeyMultibase`."""
        return self.public_key.to_multikey()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEvent:
    """One event: from leaf `start` on, exactly `keys` speak for `issuer`. `digest` covers the proofs."""

    issuer: str
    sequence: int
    previous: bytes | None
    start: Position
    keys: tuple[IssuerKey, ...]
    next_commitment: bytes
    retired: tuple[str, ...]
    compromised: tuple[str, ...]
    digest: bytes
    json: dict[str, Json] = field(repr=False)


def commitment(keys: Iterable[PublicKey]) -> bytes:
    """What an event says about the next one: SHA-256 of the JCS list of its keys' multibase texts, sorted."""
    texts: list[Json] = []
    texts += sorted(key.to_multikey() for key in keys)
    return digest(texts)


def verification_method(did: str, key: PublicKey) -> str:
    """The id that we give a key of `did`: `<did>#<publicKeyMultibase>`."""
    return f"{did}#{key.to_multikey()}"


def parse_key_event(document: Json, subject: str = "key event") -> KeyEvent:
    """A key event in exactly this form; whether it may follow another is for `verify_key_events`.

    Raises MalformedError.
    """
    shape = Shape(document, subject)
    shape.expect("type", "KeyEvent")
    shape.expect("version", 1)
    issuer = shape.text("issuer")
    parse_did(issuer, subject=shape.path("issuer"))
    sequence = shape.integer("sequence", minimum=1)
    previous = shape.optional_digest("previous")
    if (previous is None) != (sequence == 1):
        raise MalformedError(shape.path("previous"), "must be null in the first event, and only there")
    start = shape.shape("from")
    event = KeyEvent(
        issuer=issuer,
        sequence=sequence,
        previous=previous,
        start=Position(start.integer("epoch", minimum=1, maximum=MAX_EPOCH), start.integer("index")),
        keys=tuple(_key(item, issuer) for item in shape.shapes("keys", minimum=1, maximum=MAX_KEYS)),
        next_commitment=shape.digest("next"),
        retired=tuple(shape.texts("retired", maximum=MAX_KEYS)),
        compromised=tuple(shape.texts("compromised", maximum=MAX_KEYS)),
        digest=digest(document),
        json=document if isinstance(document, dict) else {},
    )
    shape.any("proof")
    start.refuse_unknown()
    shape.refuse_unknown()
    proofs_of(event.json, subject)
    without_duplicates((key.id for key in event.keys), shape.path("keys"))
    without_duplicates((key.multibase for key in event.keys), shape.path("keys"))
    without_duplicates((*event.retired, *event.compromised), shape.path("retired"))
    return event


def build_key_event(
    *,
    did: str,
    keys: Sequence[SigningKey],
    next_commitment: bytes,
    created: str,
    previous: KeyEvent | None = None,
    start: Position = FIRST_POSITION,
    compromised: Sequence[str] = (),
) -> dict[str, Json]:
    """The event after `previous` (or the first one), signed by every key that it puts in force.

    `keys` must be those that `previous` committed to; its keys that are missing from them are retired, except
    the `compromised` ones. `created` is a timestamp as text, for people only. Verifying it is the caller's.
    """
    public = {verification_method(did, key.public_key): key for key in keys}
    left = [key.id for key in previous.keys if key.id not in public] if previous else []
    named: list[Json] = [
        {"id": key_id, "publicKeyMultibase": key.public_key.to_multikey()} for key_id, key in public.items()
    ]
    document: dict[str, Json] = {
        "type": "KeyEvent",
        "version": 1,
        "issuer": did,
        "sequence": previous.sequence + 1 if previous else 1,
        "previous": encode_digest(previous.digest) if previous else None,
        "from": start.to_json(),
        "keys": named,
        "next": encode_digest(next_commitment),
        "retired": [key_id for key_id in left if key_id not in compromised],
        "compromised": list(compromised),
    }
    for key_id, key in public.items():
        document = sign_document(document, key, verification_method=key_id, created=created)
    return document


def _key(shape: Shape, issuer: str) -> IssuerKey:
    key_id = shape.text("id", max_length=MAX_VERIFICATION_METHOD_CHARACTERS)
    if not key_id.startswith(f"{issuer}#") or len(key_id) == len(issuer) + 1:
        raise MalformedError(shape.path("id"), f"must be {issuer}# and a fragment")
    where = shape.path("publicKeyMultibase")
    key = IssuerKey(id=key_id, public_key=parse_multikey(shape.text("publicKeyMultibase"), subject=where))
    shape.refuse_unknown()
    return key
