"""Every anchor of a log that the contract's history holds, each proven against one block's state."""

from collections.abc import Sequence
from dataclasses import dataclass

from testamur.node.chain.events import Anchored, read_events
from testamur.node.chain.ports import Chain
from testamur.node.chain.refusals import FalseAnswer
from testamur.node.chain.values import StorageAnswer
from testamur.node.errors import WrongChain
from testamur.registry.errors import RegistryError, VerificationError
from testamur.registry.evm.accounts import verify_storage
from testamur.registry.evm.headers import Header
from testamur.registry.evm.layout import AnchorRecord, decode_anchor
from testamur.registry.evm.slots import history_slot

PROVEN_AT_ONCE = 64
"""Slots in one question for a proof: an answer of some 200 kB, which every endpoint gives within its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """Anchor number `sequence` of a log. `transaction` is the endpoint's word, all the rest is proven."""

    sequence: int
    record: AnchorRecord
    transaction: bytes | None


async def read_history(
    client: Chain,
    contract: bytes,
    log_id: bytes,
    sequences: Sequence[int],
    header: Header,
    *,
    transactions: dict[tuple[bytes, int], bytes],
) -> list[HistoryEntry]:
    """These anchors of the log in the state of `header`, in the order asked for.

    Raises WrongChain when the contract holds no such anchor, ChainUnavailable.
    """
    found = []
    for start in range(0, len(sequences), PROVEN_AT_ONCE):
        wanted = sequences[start : start + PROVEN_AT_ONCE]
        values = await _read_words(client, contract, [history_slot(log_id, item) for item in wanted], header)
        try:
            records = [decode_anchor(log_id, sequence, values) for sequence in wanted]
        except VerificationError as exc:
            raise WrongChain(f"the contract at 0x{contract.hex()} is no anchor registry: {exc}") from exc
        found += [
            HistoryEntry(sequence=sequence, record=record, transaction=transactions.get((log_id, sequence)))
            for sequence, record in zip(wanted, records, strict=True)
        ]
    return found


async def _read_words(
    client: Chain, contract: bytes, slots: Sequence[bytes], header: Header
) -> dict[bytes, int]:
    proven: dict[bytes, int] = {}

    def accept(answer: StorageAnswer) -> None:
        try:
            proven.update(verify_storage(header.state_root, contract, slots, answer.nodes))
        except RegistryError as exc:
            raise FalseAnswer(f"the endpoint did not prove the contract's storage: {exc}") from exc

    await client.get_proof(contract, slots, header.number, accept=accept)
    return proven


async def read_anchoring_transactions(
    client: Chain, contract: bytes, *, first: int, last: int
) -> dict[tuple[bytes, int], bytes]:
    """Which transaction made which anchor, by (log id, sequence). Raises ChainUnavailable."""
    events = await read_events(client, contract, first=first, last=last)
    return {
        (event.log_id, event.sequence): event.transaction_hash
        for event in events
        if isinstance(event, Anchored)
    }
