"""QBFT: the committed seals by which validators of a Besu or GoQuorum chain made a block final at once.

`extraData` is RLP of [vanity, validators, vote, round, seals]. The block hash covers it with round 0 and no
seals; each seal signs it with the round kept and no seals. Evidence carries a header in the form that the
block hash covers, and round and seals beside it: its hash is then found as on every other chain.

https://entethalliance.github.io/client-spec/qbft_spec.html; Besu's QbftExtraDataCodec.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.headers import Header, encode_header, field_position
from testamur.registry.evm.slots import ADDRESS_BYTES
from testamur.registry.hashing import keccak256

QBFT_SEALS: Final = "qbft-seals"
"""The rule's name in trust files and in evidence."""

SEAL_BYTES: Final = 65
"""r, s and the recovery id, each as long as secp256k1 makes it."""

MAX_SEALS: Final = 256
"""One per validator; QBFT networks have four to a few dozen, since every one talks to every other."""

MAX_ROUND: Final = 2**31 - 1
"""Besu counts rounds in a Java int."""

MIX_HASH: Final = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
"""What every QBFT header has there: a header of another kind of chain is not judged by this rule."""

_SUBJECT: Final = "QBFT header"
_EXTRA_ITEMS: Final = 5
_VANITY_BYTES: Final = 32
_ROUND: Final = 3
_SEALS: Final = 4
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, slots=True, kw_only=True)
class QbftSeals:
    """The round in which a block was committed, and the seals of that round; nothing is verified yet."""

    round: int
    seals: tuple[bytes, ...]


def quorum_of(validators: int) -> int:
    """How many of so many validators must have sealed: two thirds, rounded up."""
    return -(-2 * validators // 3)


def is_qbft(block: Mapping[str, object]) -> bool:
    """Whether a block as JSON-RPC describes it says that it is of a QBFT chain.

    IBFT 2.0 has the same mixHash and other extra data; a genesis has neither round nor seals.
    """
    return block.get("mixHash") == f"0x{MIX_HASH.hex()}"


def encode_sealed_header(block: Mapping[str, object]) -> tuple[bytes, QbftSeals]:
    """The header that the block hash covers, and the seals, of a QBFT block as JSON-RPC describes it.

    Raises MalformedError, also for a block of another kind of chain, and VerificationError as `encode_header`
    does.
    """
    text = block.get("extraData")
    if not isinstance(text, str) or not text.startswith("0x"):
        raise MalformedError(_SUBJECT, "has no extra data")
    try:
        data = bytes.fromhex(text[2:])
    except ValueError as exc:
        raise MalformedError(_SUBJECT, "has extra data that is not hexadecimal") from exc
    items = _extra(data)
    seals = read_seals(items)
    covered = rlp.encode([*items[:_ROUND], b"", []])
    return encode_header({**block, "extraData": f"0x{covered.hex()}"}), seals


def read_seals(items: list[rlp.RlpItem]) -> QbftSeals:
    """Round and seals from the five items of a header's extra data. Raises MalformedError."""
    seals = items[_SEALS]
    if isinstance(seals, bytes) or len(seals) > MAX_SEALS:
        raise MalformedError(_SUBJECT, f"has no list of at most {MAX_SEALS} seals")
    found = tuple(seal for seal in seals if isinstance(seal, bytes) and len(seal) == SEAL_BYTES)
    if len(found) != len(seals):
        raise MalformedError(_SUBJECT, f"has a seal of another length than {SEAL_BYTES} bytes")
    return QbftSeals(round=_round(items), seals=found)


def verify_seals(header: Header, seals: QbftSeals, validators: Collection[bytes]) -> frozenset[bytes]:
    """The validators, as addresses, whose seals make `header` final: a quorum of `validators`.

    `validators` are those that somebody trusted for this height, never the list in the header. A seal of
    anybody else, a second one of the same validator, and one that is not in the one form that signers
    produce (low s, EIP-2) do not count. Raises MalformedError when `header` is no QBFT header in the form
    that the block hash covers, and VerificationError("seal-quorum") when too few remain.
    """
    wanted = frozenset(validators)
    if not wanted:
        raise ValueError("a quorum of nobody would prove nothing")
    digest = commit_hash(header, seals.round)
    signers = {_signer(digest, seal) for seal in seals.seals} & wanted
    if len(signers) < quorum_of(len(wanted)):
        raise VerificationError("seal-quorum", got=len(signers), wanted=quorum_of(len(wanted)))
    return frozenset(address for address in signers if address is not None)


def commit_hash(header: Header, round_number: int) -> bytes:
    """What validators sign: Keccak-256 of the header with the round it was committed in, and no seals.

    Raises MalformedError.
    """
    fields = list(header.fields)
    if fields[field_position("mixHash")] != MIX_HASH:
        raise MalformedError(_SUBJECT, "does not have the mixHash of QBFT")
    place = field_position("extraData")
    data = fields[place]
    items = _extra(data if isinstance(data, bytes) else b"")
    if _round(items) != 0 or items[_SEALS] != []:
        raise MalformedError(_SUBJECT, "holds round or seals, which the block hash does not cover")
    fields[place] = rlp.encode([*items[:_ROUND], rlp.encode_integer(round_number), []])
    return keccak256(rlp.encode(fields))


def _extra(data: bytes) -> list[rlp.RlpItem]:
    """The five items of extra data. Vote and list of validators are hashed and not read."""
    items = rlp.decode_list(data, subject=f"{_SUBJECT} extra data")
    if len(items) != _EXTRA_ITEMS:
        raise MalformedError(_SUBJECT, f"has {len(items)} items of extra data, not {_EXTRA_ITEMS}")
    vanity, listed, vote = items[:_ROUND]
    if not isinstance(vanity, bytes) or len(vanity) != _VANITY_BYTES:
        raise MalformedError(_SUBJECT, f"does not begin its extra data with {_VANITY_BYTES} bytes")
    if isinstance(vote, bytes) or isinstance(listed, bytes):
        raise MalformedError(_SUBJECT, "has bytes where validators and vote belong")
    if any(not isinstance(address, bytes) or len(address) != ADDRESS_BYTES for address in listed):
        raise MalformedError(_SUBJECT, "lists a validator that is no address")
    _round(items)
    return items


def _round(items: list[rlp.RlpItem]) -> int:
    number = rlp.decode_integer(items[_ROUND], subject=f"{_SUBJECT} round", max_bytes=4)
    if number > MAX_ROUND:
        raise MalformedError(_SUBJECT, f"has a round above {MAX_ROUND}")
    return number


def _signer(digest: bytes, seal: bytes) -> bytes | None:
    """The address whose key made this seal; None for a seal that counts for nobody."""
    if len(seal) != SEAL_BYTES or seal[-1] > 1 or int.from_bytes(seal[32:64]) > _HALF_ORDER:
        return None
    from coincurve import PublicKey  # noqa: PLC0415  for QBFT chains only

    try:
        key = PublicKey.from_signature_and_message(seal, digest, hasher=None)
    except ValueError:
        return None
    address: bytes = keccak256(key.format(compressed=False)[1:])[-ADDRESS_BYTES:]
    return address
