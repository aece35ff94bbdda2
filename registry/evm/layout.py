"""What the words of AnchorRegistry's storage mean, once they are proven.

Positions and packing are in `slots`; docs/spec/storage-layout.md has both for people.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from testamur.registry.errors import VerificationError
from testamur.registry.evm.slots import (
    ADDRESS_BYTES,
    ANCHOR_WORD,
    ISSUER_WORD,
    KEY_CHAIN_WORD,
    LOG_STANDING_WORD,
    LOG_WORD,
    SLOT_BYTES,
    SUSPENSION_WORD,
    Fields,
    StorageValues,
    history_slot,
    issuer_slots,
    key_chain_slots,
    log_slots,
    suspension_slot,
    unpack,
)


class Lifecycle(enum.IntEnum):
    """Where an issuer stands; closed is final."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    CLOSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerRecord:
    """`custodian` is None unless the issuer is closed and has one; a count of zero proves that none is."""

    identity: bytes
    controller: bytes
    lifecycle: Lifecycle
    epoch: int
    statement: int
    suspensions: int
    key_chains: int
    custodian: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """A log's head and how it stands. `good_size` is None unless a later epoch superseded the log.

    `operator` and `sequence`, the number of the newest anchor, are None when their word was not proven:
    the root alone says which tree is the head.
    """

    root: bytes
    operator: bytes | None
    sequence: int | None
    key: bytes
    good_size: int | None

    @property
    def superseded(self) -> bool:
        """Whether a later epoch took over; then only entries below `good_size` count."""
        return self.good_size is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRecord:
    """The log had `size` entries in block `block_number`, mined at `timestamp` (Unix seconds)."""

    size: int
    block_number: int
    timestamp: int
    statement: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspensionRecord:
    """An interval of positions (epoch, index). `until_*` and `reinstated_at` are None while it is open."""

    from_epoch: int
    from_size: int
    until_epoch: int | None
    until_size: int | None
    suspended_at: int
    reinstated_at: int | None

    def contains(self, epoch: int, index: int) -> bool:
        """Whether entry `index` of the log of `epoch` was logged while the issuer was suspended."""
        if (epoch, index) < (self.from_epoch, self.from_size):
            return False
        if self.until_epoch is None or self.until_size is None:
            return True
        return (epoch, index) < (self.until_epoch, self.until_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChainRecord:
    """A chain of key events that replaced the one before, for positions from (epoch, start_size) on."""

    first_key_event: bytes
    epoch: int
    start_size: int
    recorded_at: int


def decode_issuer(issuer_id: bytes, values: StorageValues) -> IssuerRecord:
    """The issuer's record. The custodian's slot is needed when the issuer is closed.

    Raises VerificationError("storage-slot-missing" | "storage-layout-unknown" | "issuer-not-admitted").
    """
    identity, packed, custodian_slot = issuer_slots(issuer_id)
    fields = _fields(values, packed, ISSUER_WORD)
    if fields["lifecycle"] > Lifecycle.CLOSED:
        raise VerificationError("storage-layout-unknown", slot=_hex(packed))
    lifecycle = Lifecycle(fields["lifecycle"])
    if lifecycle is Lifecycle.NONE:
        raise VerificationError("issuer-not-admitted", issuer=_hex(issuer_id))
    custodian = _value(values, custodian_slot) if lifecycle is Lifecycle.CLOSED else 0
    return IssuerRecord(
        identity=_bytes(_value(values, identity)),
        controller=fields["controller"].to_bytes(ADDRESS_BYTES),
        lifecycle=lifecycle,
        epoch=fields["epoch"],
        statement=fields["statement"],
        suspensions=fields["suspensions"],
        key_chains=fields["keyChains"],
        custodian=_bytes(custodian) if custodian else None,
    )


def decode_log(log_id: bytes, issuer_id: bytes, values: StorageValues, *, is_current: bool) -> LogRecord:
    """The log's record. The slots that tell its issuer and its good size are needed unless `is_current`.

    The word with operator and sequence may be left out. A log is superseded exactly when its issuer is in a
    later epoch, so the current one has no good size.
    Raises VerificationError("storage-slot-missing" | "storage-layout-unknown" | "log-not-opened").
    """
    root, packed, key, issuer, standing = log_slots(log_id)
    operator = sequence = None
    if values.get(packed) is not None:
        fields = _fields(values, packed, LOG_WORD)
        if fields["operator"] == 0:
            raise VerificationError("log-not-opened", log=_hex(log_id))
        operator, sequence = fields["operator"].to_bytes(ADDRESS_BYTES), fields["sequence"]
    key_word = _value(values, key)
    if key_word == 0:  # opening a log fixes its key
        raise VerificationError("log-not-opened", log=_hex(log_id))
    good_size = None
    if not is_current:
        standing_fields = _fields(values, standing, LOG_STANDING_WORD)
        if _bytes(_value(values, issuer)) != issuer_id or standing_fields["superseded"] != 1:
            raise VerificationError("storage-layout-unknown", slot=_hex(standing))
        good_size = standing_fields["goodSize"]
    return LogRecord(
        root=_bytes(_value(values, root)),
        operator=operator,
        sequence=sequence,
        key=_bytes(key_word),
        good_size=good_size,
    )


def decode_anchor(log_id: bytes, sequence: int, values: StorageValues) -> AnchorRecord:
    """Anchor number `sequence` of the log.

    Raises VerificationError("storage-slot-missing" | "storage-layout-unknown"), the latter for an empty slot
    too: every anchor has a size of at least 1.
    """
    slot = history_slot(log_id, sequence)
    fields = _fields(values, slot, ANCHOR_WORD)
    if fields["size"] == 0:
        raise VerificationError("storage-layout-unknown", slot=_hex(slot))
    return AnchorRecord(
        size=fields["size"],
        block_number=fields["blockNumber"],
        timestamp=fields["timestamp"],
        statement=fields["statement"],
    )


def decode_suspension(issuer_id: bytes, number: int, values: StorageValues) -> SuspensionRecord:
    """Suspension `number` of the issuer. Raises VerificationError("storage-slot-missing")."""
    fields = _fields(values, suspension_slot(issuer_id, number), SUSPENSION_WORD)
    is_open = fields["reinstatedAt"] == 0
    return SuspensionRecord(
        from_epoch=fields["fromEpoch"],
        from_size=fields["fromSize"],
        until_epoch=None if is_open else fields["untilEpoch"],
        until_size=None if is_open else fields["untilSize"],
        suspended_at=fields["suspendedAt"],
        reinstated_at=None if is_open else fields["reinstatedAt"],
    )


def decode_key_chain(issuer_id: bytes, number: int, values: StorageValues) -> KeyChainRecord:
    """Replacement `number` of the issuer's key chain.

    Raises VerificationError("storage-slot-missing" | "storage-layout-unknown").
    """
    first, packed = key_chain_slots(issuer_id, number)
    fields = _fields(values, packed, KEY_CHAIN_WORD)
    return KeyChainRecord(
        first_key_event=_bytes(_value(values, first)),
        epoch=fields["epoch"],
        start_size=fields["startSize"],
        recorded_at=fields["recordedAt"],
    )


def evidence_slots(
    issuer_id: bytes, log_id: bytes, *, epoch: int, values: StorageValues, history: Sequence[int] = ()
) -> list[bytes]:
    """The slots that prove one log and its issuer, as far as `values` tell what is needed; no slot twice.

    The counts and the lifecycle stand in slots themselves: begin with empty `values`, prove what is
    returned, and ask again until everything returned is proven (two rounds). `history` names anchors to be
    proven beside the head; numbers that the log has not reached are left out.
    """
    log_word = log_slots(log_id)[1]
    slots = lean_slots(issuer_id, log_id, epoch=epoch, values=values)
    slots.insert(3, log_word)
    if issuer_slots(issuer_id)[1] in values and log_word in values:
        head = unpack(values[log_word], LOG_WORD)["sequence"]
        slots += [history_slot(log_id, sequence) for sequence in (*history, head) if 0 < sequence <= head]
    return list(dict.fromkeys(slots))


def lean_slots(
    issuer_id: bytes, log_id: bytes, *, epoch: int, values: StorageValues, history: Sequence[int] = ()
) -> list[bytes]:
    """The slots without which a verifier cannot judge: what a holder's file proves, and nothing beside it.

    Left out are the number of the newest anchor and its record: the log's root is the head's, and its size is
    what a quorum of mirrors cosigned (without one the record is needed). `history` are the anchors that date
    the holder's entries. Rounds as in `evidence_slots`.
    """
    identity, issuer_word, custodian = issuer_slots(issuer_id)
    root, _, key, log_issuer, standing = log_slots(log_id)
    slots = [identity, issuer_word, root, key, *(history_slot(log_id, number) for number in history)]
    if issuer_word in values:
        issuer = unpack(values[issuer_word], ISSUER_WORD)
        if issuer["lifecycle"] == Lifecycle.CLOSED:
            slots.append(custodian)
        if issuer["epoch"] != epoch:
            slots += [log_issuer, standing]
        slots += [suspension_slot(issuer_id, number) for number in range(issuer["suspensions"])]
        for number in range(issuer["keyChains"]):
            slots += key_chain_slots(issuer_id, number)
    return list(dict.fromkeys(slots))


def _value(values: StorageValues, slot: bytes) -> int:
    value = values.get(slot)
    if value is None:
        raise VerificationError("storage-slot-missing", slot=_hex(slot))
    return value


def _fields(values: StorageValues, slot: bytes, fields: Fields) -> dict[str, int]:
    try:
        return unpack(_value(values, slot), fields)
    except ValueError as exc:
        raise VerificationError("storage-layout-unknown", slot=_hex(slot)) from exc


def _bytes(word: int) -> bytes:
    return word.to_bytes(SLOT_BYTES)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
