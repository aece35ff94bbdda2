"""What the contract holds, read with proofs: heads of logs, and anchors for evidence files.

`eth_getProof` works near the head of the chain only (about 128 blocks on a pruning node), so evidence is
captured soon after an anchor became final. A missed height is no loss: a later block proves the same
records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from testamur.node.chain.contracts import ContractRefused
from testamur.node.chain.ports import Chain
from testamur.node.chain.refusals import FalseAnswer
from testamur.node.chain.values import StorageAnswer
from testamur.node.errors import WrongChain
from testamur.registry.errors import RegistryError, VerificationError
from testamur.registry.evm.accounts import verify_storage
from testamur.registry.evm.anchors import AnchorEvidence
from testamur.registry.evm.headers import Header, parse_header
from testamur.registry.evm.layout import decode_anchor, decode_log, evidence_slots
from testamur.registry.evm.slots import history_slot, log_slots


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """The newest anchor of a log in the state of one block; all zero before the first one."""

    log_id: bytes
    sequence: int = 0
    size: int = 0
    root: bytes = bytes(32)
    statement: int = 0
    block_number: int = 0
    timestamp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLog:
    """A log whose records an anchor shall prove; `history` names anchors beside the head, by number."""

    issuer_id: bytes
    log_id: bytes
    epoch: int
    history: tuple[int, ...] = ()


def attestable_height(block_number: int, interval_blocks: int) -> int:
    """The first height at which members attest headers and that is not below `block_number`."""
    return -(-block_number // interval_blocks) * interval_blocks


def newest_attestable_height(final_number: int, interval_blocks: int) -> int:
    """The last height at which members attest headers and that is not above `final_number`."""
    return final_number // interval_blocks * interval_blocks


async def read_log_head(client: Chain, contract: bytes, log_id: bytes, header: Header) -> LogHead:
    """The log's newest anchor in the state of `header`, proven against its state root.

    Raises ContractRefused("UnknownLog") when the log was never opened, WrongChain, ChainUnavailable.
    """
    values = await _read_words(client, contract, log_slots(log_id)[:3], header)
    try:
        # Who the issuer is and whether the log is superseded does not change what was anchored.
        log = decode_log(log_id, b"", values, is_current=True)
        if not log.sequence:
            return LogHead(log_id=log_id)
        values = await _read_words(client, contract, [history_slot(log_id, log.sequence)], header)
        record = decode_anchor(log_id, log.sequence, values)
    except VerificationError as exc:
        if exc.reason == "log-not-opened":
            raise ContractRefused("UnknownLog", {"logId": f"0x{log_id.hex()}"}) from exc
        raise WrongChain(f"the contract at 0x{contract.hex()} is no anchor registry: {exc}") from exc
    return LogHead(
        log_id=log_id,
        sequence=log.sequence,
        size=record.size,
        root=log.root,
        statement=record.statement,
        block_number=record.block_number,
        timestamp=record.timestamp,
    )


async def capture_anchor(
    client: Chain, contract: bytes, logs: Sequence[WantedLog], block_number: int
) -> AnchorEvidence:
    """An anchor for evidence files that proves `logs` in the state of the canonical block `block_number`.

    The caller has made sure that the block is final and at an attestable height; members' notes are added
    with `AnchorEvidence.with_notes`. Everything was proven here as a verifier will prove it. Raises
    ChainUnavailable.
    """
    data = await client.header_bytes(block_number)
    header = parse_header(data)
    values: Mapping[bytes, int] = {}
    while True:
        slots = _wanted_slots(logs, values)
        nodes, values = await _read(client, contract, slots, header)
        if set(_wanted_slots(logs, values)) <= set(values):
            break
    identity = client.identity
    return AnchorEvidence(
        chain_id=identity.chain_id,
        genesis_hash=identity.genesis_hash,
        contract=contract,
        header=data,
        nodes=nodes,
        slots=tuple(slots),
        history=tuple(dict.fromkeys(sequence for log in logs for sequence in log.history)),
        seals=await client.find_seals(block_number),
    )


def _wanted_slots(logs: Sequence[WantedLog], values: Mapping[bytes, int]) -> list[bytes]:
    wanted = [
        slot
        for log in logs
        for slot in evidence_slots(
            log.issuer_id, log.log_id, epoch=log.epoch, values=values, history=log.history
        )
    ]
    return list(dict.fromkeys(wanted))


async def _read_words(
    client: Chain, contract: bytes, slots: Sequence[bytes], header: Header
) -> dict[bytes, int]:
    return (await _read(client, contract, slots, header))[1]


async def _read(
    client: Chain, contract: bytes, slots: Sequence[bytes], header: Header
) -> tuple[tuple[bytes, ...], dict[bytes, int]]:
    """Trie nodes, and the words that they prove. A false proof is one endpoint's fault."""
    proven: dict[bytes, int] = {}

    def accept(answer: StorageAnswer) -> None:
        proven.update(_proven(header, contract, slots, answer.nodes))

    answer = await client.get_proof(contract, slots, header.number, accept=accept)
    return answer.nodes, proven


def _proven(
    header: Header, contract: bytes, slots: Sequence[bytes], nodes: Sequence[bytes]
) -> dict[bytes, int]:
    try:
        return verify_storage(header.state_root, contract, slots, nodes)
    except RegistryError as exc:
        # Also when the block was replaced between two questions: asking again is the cure for both.
        raise FalseAnswer(f"the endpoint did not prove the contract's storage: {exc}") from exc
