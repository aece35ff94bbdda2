"""What happened in the registry contract: who was admitted, which logs were opened, what was anchored.

Events are the endpoint's word. They say where to look; what is relied on is read from storage with a proof.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, NamedTuple, TypeAlias

from testamur.node.chain.contracts import decode_values, event_topic
from testamur.node.chain.ports import Chain
from testamur.node.chain.values import data, to_hex
from testamur.node.errors import ChainUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAdmitted:
    """An issuer joined; `identity` is the digest of its admission document."""

    issuer_id: bytes
    slug: str
    did: str
    identity: bytes
    controller: bytes
    block_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOpened:
    """An epoch of an issuer's log began; `key` is the digest of its verifier key."""

    log_id: bytes
    issuer_id: bytes
    epoch: int
    operator: bytes
    key: bytes
    block_number: int


class Anchored(NamedTuple):
    """A log's head moved to `size`; anchors are counted from 1.

    A tuple, because there are as many of them as there ever were anchors: a frozen dataclass takes longer to
    make than all the rest of decoding. The fields stand in the order of `_ANCHORED`.
    """

    log_id: bytes
    sequence: int
    size: int
    root: bytes
    statement: int
    block_number: int
    block_hash: bytes
    transaction_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleChanged:
    """Something else happened to an issuer or to a log of it; its records are to be read again.

    `name` is the event's name in the ABI; `subject` its first indexed argument, an issuer id or a log id.
    """

    name: str
    subject: bytes
    block_number: int


_ANCHORED: Final = struct.Struct(">32s24xQ24xQ32s28xIQ32s32s")
"""Two topics, three words, the block's number and the two hashes, as `decode_events` puts them together.
Numbers stand at the end of their words; what is before them is zero in everything that the contract emits."""

RegistryEvent: TypeAlias = IssuerAdmitted | LogOpened | Anchored | LifecycleChanged

LIFECYCLE_EVENTS = (
    "LogSuperseded",
    "OperatorReplaced",
    "ControllerReplaced",
    "IssuerSuspended",
    "IssuerReinstated",
    "IssuerClosed",
    "KeyChainReplaced",
)
"""Events after which a record reads differently. Offers and proposals change nothing yet."""


async def read_events(client: Chain, contract: bytes, *, first: int, last: int) -> list[RegistryEvent]:
    """The contract's events in blocks `first` to `last`, in order. Raises ChainUnavailable."""
    topics = [event_topic("Anchored"), *(bytes.fromhex(topic[2:]) for topic in _decoders())]
    return decode_events(await client.event_rows(contract, first=first, last=last, topics=topics))


async def read_admissions(client: Chain, contract: bytes, *, first: int, last: int) -> list[IssuerAdmitted]:
    """Who was admitted in these blocks, in order. Raises ChainUnavailable."""
    topic = event_topic("IssuerAdmitted")
    rows = await client.event_rows(contract, first=first, last=last, topics=[topic])
    return [event for event in decode_events(rows) if isinstance(event, IssuerAdmitted)]


def decode_event(row: Any) -> RegistryEvent:
    """An event of the registry contract from its JSON-RPC form. Raises ChainUnavailable for anything else."""
    return decode_events([row])[0]


def decode_events(rows: Sequence[Any]) -> list[RegistryEvent]:
    """The same for many, in order.

    A node that starts from nothing reads every event there ever was, and nearly all are anchors: those are
    turned into bytes together and cut up by one `struct`, which refuses what has another length.
    """
    anchored_topic, decoders = to_hex(event_topic("Anchored")), _decoders()
    anchored: list[str] = []
    others: dict[int, RegistryEvent] = {}
    try:
        for place, row in enumerate(rows):
            topics = row["topics"]
            if topics[0] == anchored_topic:
                number = row["blockNumber"][2:].rjust(16, "0")
                anchored.append(
                    f"{topics[1][2:]}{topics[2][2:]}{row['data'][2:]}{number}"
                    f"{row['blockHash'][2:]}{row['transactionHash'][2:]}"
                )
            else:
                others[place] = decoders[topics[0]](row)
        packed = bytes.fromhex("".join(anchored))
        if len(packed) != len(anchored) * _ANCHORED.size:
            raise ValueError("an anchor's event has another length")  # noqa: TRY301  one answer to all of it
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as exc:
        raise ChainUnavailable(f"the endpoint gave an event that was not asked for: {_shown(rows)}") from exc
    found: list[RegistryEvent] = list(map(Anchored._make, _ANCHORED.iter_unpack(packed)))
    if others:
        anchors = iter(found)
        return [others[place] if place in others else next(anchors) for place in range(len(rows))]
    return found


@cache
def _decoders() -> dict[str, Callable[[Any], RegistryEvent]]:
    """By the first topic as it stands in JSON; anchors go another way."""
    decoders: dict[str, Callable[[Any], RegistryEvent]] = {
        to_hex(event_topic("IssuerAdmitted")): _issuer_admitted,
        to_hex(event_topic("LogOpened")): _log_opened,
    }
    return decoders | {to_hex(event_topic(name)): partial(_changed, name) for name in LIFECYCLE_EVENTS}


def _issuer_admitted(row: Any) -> IssuerAdmitted:
    types = ("string", "string", "bytes32", "address")
    slug, did, identity, controller = decode_values(types, data(row["data"], "an admission"), "an admission")
    return IssuerAdmitted(
        issuer_id=_word(row["topics"][1]),
        slug=slug,
        did=did,
        identity=identity,
        controller=bytes.fromhex(controller.removeprefix("0x")),
        block_number=int(row["blockNumber"], 16),
    )


def _log_opened(row: Any) -> LogOpened:
    words = _three_words(row["data"])
    return LogOpened(
        log_id=_word(row["topics"][1]),
        issuer_id=_word(row["topics"][2]),
        epoch=int.from_bytes(words[:32]),
        operator=words[44:64],
        key=words[64:],
        block_number=int(row["blockNumber"], 16),
    )


def _changed(name: str, row: Any) -> LifecycleChanged:
    return LifecycleChanged(
        name=name, subject=_word(row["topics"][1]), block_number=int(row["blockNumber"], 16)
    )


def _word(text: str) -> bytes:
    word = bytes.fromhex(text[2:])
    if len(word) != 32:
        raise ValueError("a word has 32 bytes")
    return word


def _three_words(text: str) -> bytes:
    """Three static arguments as 96 bytes: a general ABI decoder takes twenty times as long for the same."""
    words = bytes.fromhex(text[2:])
    if len(words) != 96:
        raise ValueError("three words have 96 bytes")
    return words


def _shown(rows: Sequence[Any]) -> str:
    return str(rows[0] if len(rows) == 1 else f"one of {len(rows)}")[:80]
