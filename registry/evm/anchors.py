"""Anchors in an evidence file: a block header, trie nodes, and what they prove about a log and its issuer.

Two steps, kept apart: what the header's state says is proven here; that the header is a final block of the
right chain is for the attestations (`attestations`) and the trust file. Format:
docs/spec/evidence.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.evm.accounts import MAX_SLOTS, verify_storage
from testamur.registry.evm.headers import MAX_HEADER_BYTES, Header, parse_header
from testamur.registry.evm.layout import (
    AnchorRecord,
    IssuerRecord,
    KeyChainRecord,
    LogRecord,
    SuspensionRecord,
    decode_anchor,
    decode_issuer,
    decode_key_chain,
    decode_log,
    decode_suspension,
)
from testamur.registry.evm.qbft import MAX_ROUND, MAX_SEALS, QBFT_SEALS, SEAL_BYTES, QbftSeals
from testamur.registry.evm.slots import ADDRESS_BYTES, SLOT_BYTES, history_slot
from testamur.registry.evm.tries import MAX_NODE_BYTES, MAX_NODES
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.remembered import remembering, remembering_json
from testamur.registry.shapes import Shape

ANCHOR_TYPE = "evm-storage-proof"
"""The proof format's own name: a verifier dispatches on it, and other formats may stand beside it."""

MEMBER_ATTESTATIONS = "member-attestations"
"""Finality shown by members' signatures. Types that are not known are kept by name and prove nothing."""

MAX_FINALITY_ENTRIES = 8
"""Ways to show that one block is final; two are defined."""

MAX_NOTES = 256
"""One per member of the largest consortium imagined."""

MAX_NOTE_CHARACTERS = 65_536
"""A note signed by many members at once, post-quantum signatures included."""

MAX_HISTORY = 256
"""Anchors proven beside the head; a credential needs one, the first that covers its leaf."""

MAX_REMEMBERED_PROOFS = 16
"""Anchors of as many logs, each some twenty kilobytes, and a mebibyte if somebody means ill."""

_HEX = re.compile(r"0x[0-9a-f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorEvidence:
    """One member of `anchors` in an evidence file, its shape checked and nothing else.

    `history` names the sequence numbers, beside the heads', whose history slots are among `slots`: the slot
    of a mapping cannot be turned back into its key. `header` is what the block hash covers; on a QBFT chain
    `seals` stand beside it. `other_finality` names types of finality that are not understood.
    """

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    header: bytes
    nodes: tuple[bytes, ...]
    slots: tuple[bytes, ...]
    history: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    seals: QbftSeals | None = None
    other_finality: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def with_notes(self, notes: Sequence[str]) -> "AnchorEvidence":
        """The same with these member attestations, each once, in the order given."""
        return replace(self, notes=tuple(dict.fromkeys(notes)))

    def to_json(self) -> dict[str, Json]:
        """The JSON form; `parse_anchor` gives this value back, as far as it is understood."""
        finality: list[Json] = []
        if self.notes:
            finality.append({"type": MEMBER_ATTESTATIONS, "notes": list(self.notes)})
        if self.seals is not None:
            texts: list[Json] = [encode_multibase("u", seal) for seal in self.seals.seals]
            finality.append({"type": QBFT_SEALS, "round": self.seals.round, "seals": texts})
        document: dict[str, Json] = {
            "type": ANCHOR_TYPE,
            "chainId": self.chain_id,
            "genesisHash": _to_hex(self.genesis_hash),
            "contract": _to_hex(self.contract),
            "header": encode_multibase("u", self.header),
            "nodes": [encode_multibase("u", node) for node in self.nodes],
            "slots": [_to_hex(slot) for slot in self.slots],
            "finality": finality,
        }
        if self.history:
            document["history"] = list(self.history)
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenStorage:
    """The contract's words in the state of one header; that the header is final is not yet shown."""

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    header: Header
    history: tuple[int, ...]
    values: Mapping[bytes, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenAnchor:
    """What the contract recorded about one log and its issuer when `header` was mined.

    `head` is None for a log that was opened and never anchored, and when the evidence leaves its record out:
    then `log.root` alone is the head. `history` holds every anchor the evidence proved, by sequence number.
    `suspensions` and `key_chains` are complete.
    """

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    header: Header
    issuer_id: bytes
    log_id: bytes
    epoch: int
    issuer: IssuerRecord
    log: LogRecord
    head: AnchorRecord | None
    history: Mapping[int, AnchorRecord]
    suspensions: tuple[SuspensionRecord, ...]
    key_chains: tuple[KeyChainRecord, ...]

    def find_covering(self, leaf_index: int) -> tuple[int, AnchorRecord] | None:
        """The earliest proven anchor that covers the leaf, with its number: the leaf existed by its time.

        An earlier anchor that was not proven may cover it as well, so this is an upper bound.
        """
        for sequence in sorted(self.history):
            if self.history[sequence].size > leaf_index:
                return sequence, self.history[sequence]
        return None

    def find_suspension(self, leaf_index: int) -> SuspensionRecord | None:
        """The suspension inside which the leaf of this log was logged, if there is one."""
        return next((record for record in self.suspensions if record.contains(self.epoch, leaf_index)), None)


@remembering_json
def parse_anchor(document: Json) -> AnchorEvidence:
    """An anchor of type `evm-storage-proof` as a value. Members that are not known are named in `unknown`.

    Raises MalformedError naming the member.
    """
    shape = Shape(document, "anchor")
    shape.expect("type", ANCHOR_TYPE)
    notes: list[str] = []
    seals: QbftSeals | None = None
    other: list[str] = []
    unknown: list[str] = []
    for entry in shape.shapes("finality", maximum=MAX_FINALITY_ENTRIES):
        kind = entry.text("type", max_length=64)
        if kind == MEMBER_ATTESTATIONS:
            notes += entry.texts("notes", maximum=MAX_NOTES, max_length=MAX_NOTE_CHARACTERS)
            entry.report_unknown(unknown)
        elif kind == QBFT_SEALS and seals is None:
            seals = _seals(entry)
            entry.report_unknown(unknown)
        elif kind == QBFT_SEALS:
            raise MalformedError(shape.path("finality"), f"has {QBFT_SEALS} twice")
        else:
            other.append(kind)
    header_text = shape.text("header", max_length=2 * MAX_HEADER_BYTES)
    anchor = AnchorEvidence(
        chain_id=shape.integer("chainId", minimum=1),
        genesis_hash=_from_hex(shape.text("genesisHash"), 32, shape.path("genesisHash")),
        contract=_from_hex(shape.text("contract"), ADDRESS_BYTES, shape.path("contract")),
        header=decode_multibase(header_text, subject=shape.path("header"), allowed="u"),
        nodes=tuple(
            decode_multibase(text, subject=f"{shape.path('nodes')}/{number}", allowed="u")
            for number, text in enumerate(
                shape.texts("nodes", maximum=MAX_NODES, max_length=2 * MAX_NODE_BYTES)
            )
        ),
        slots=tuple(
            _from_hex(text, SLOT_BYTES, f"{shape.path('slots')}/{number}")
            for number, text in enumerate(shape.texts("slots", maximum=MAX_SLOTS, max_length=66))
        ),
        history=_sequences(shape),
        notes=tuple(notes),
        seals=seals,
        other_finality=tuple(other),
    )
    shape.report_unknown(unknown)
    return replace(anchor, unknown=tuple(unknown))


@remembering(MAX_REMEMBERED_PROOFS)
def prove_storage(anchor: AnchorEvidence) -> ProvenStorage:
    """The words that the anchor's nodes prove under its header's state root, all of them needed.

    Remembered: the credentials of a year share one anchor. A proof that fails is walked every time.
    Raises MalformedError, and VerificationError as `verify_storage` does.
    """
    header = parse_header(anchor.header)
    return ProvenStorage(
        chain_id=anchor.chain_id,
        genesis_hash=anchor.genesis_hash,
        contract=anchor.contract,
        header=header,
        history=anchor.history,
        values=verify_storage(header.state_root, anchor.contract, anchor.slots, anchor.nodes),
    )


def read_anchor(storage: ProvenStorage, *, issuer_id: bytes, log_id: bytes, epoch: int) -> ProvenAnchor:
    """The records of one log and its issuer from proven words; one storage proof may serve several logs.

    Raises VerificationError("storage-slot-missing") when a word that matters was not proven, and as the
    decoders of `layout` do.
    """
    values = storage.values
    issuer = decode_issuer(issuer_id, values)
    log = decode_log(log_id, issuer_id, values, is_current=epoch == issuer.epoch)
    wanted = {sequence for sequence in storage.history if history_slot(log_id, sequence) in values}
    if log.sequence:
        wanted.add(log.sequence)  # whoever proves which anchor is the newest proves its record as well
    history = {sequence: decode_anchor(log_id, sequence, values) for sequence in sorted(wanted)}
    return ProvenAnchor(
        chain_id=storage.chain_id,
        genesis_hash=storage.genesis_hash,
        contract=storage.contract,
        header=storage.header,
        issuer_id=issuer_id,
        log_id=log_id,
        epoch=epoch,
        issuer=issuer,
        log=log,
        head=history.get(log.sequence) if log.sequence else None,
        history=history,
        suspensions=tuple(
            decode_suspension(issuer_id, number, values) for number in range(issuer.suspensions)
        ),
        key_chains=tuple(decode_key_chain(issuer_id, number, values) for number in range(issuer.key_chains)),
    )


def prove_anchor(anchor: AnchorEvidence, *, issuer_id: bytes, log_id: bytes, epoch: int) -> ProvenAnchor:
    """Prove the records of one log and its issuer from the header's state root.

    Raises MalformedError and VerificationError as `prove_storage` and `read_anchor` do.
    """
    return read_anchor(prove_storage(anchor), issuer_id=issuer_id, log_id=log_id, epoch=epoch)


def _seals(shape: Shape) -> QbftSeals:
    found = []
    for number, text in enumerate(shape.texts("seals", maximum=MAX_SEALS, max_length=2 * SEAL_BYTES)):
        where = f"{shape.path('seals')}/{number}"
        found.append(decode_multibase(text, subject=where, allowed="u"))
        if len(found[-1]) != SEAL_BYTES:
            raise MalformedError(where, f"must have {SEAL_BYTES} bytes, not {len(found[-1])}")
    return QbftSeals(round=shape.integer("round", maximum=MAX_ROUND), seals=tuple(found))


def _sequences(shape: Shape) -> tuple[int, ...]:
    items = shape.items("history", maximum=MAX_HISTORY)
    for number, item in enumerate(items):
        if isinstance(item, bool) or not isinstance(item, int) or not 0 < item < 2**53:
            raise MalformedError(
                f"{shape.path('history')}/{number}", "must be a sequence number of at least 1"
            )
    return tuple(item for item in items if isinstance(item, int))


def _from_hex(text: str, length: int, subject: str) -> bytes:
    """`0x` and lower-case digits: one text for one value, so that equal evidence is equal text."""
    if not _HEX.fullmatch(text) or len(text) != 2 + 2 * length:
        raise MalformedError(subject, f"must be 0x and {2 * length} lower-case hexadecimal digits")
    return bytes.fromhex(text[2:])


def _to_hex(data: bytes) -> str:
    return f"0x{data.hex()}"
