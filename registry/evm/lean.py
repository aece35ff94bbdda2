"""An anchor cut down to what the holder of one credential needs of it.

A node's capture proves a whole log, with anchors of many ages; a file needs the one that dates its entries.
Storage slots lie scattered over the contract's trie, so every slot less is two to three kilobytes less.
"""

import functools
from dataclasses import dataclass, replace

from testamur.registry.errors import RegistryError
from testamur.registry.evm.accounts import needed_nodes
from testamur.registry.evm.anchors import AnchorEvidence, prove_storage, read_anchor
from testamur.registry.evm.attestations import merge_attestations
from testamur.registry.evm.layout import lean_slots
from testamur.registry.evm.slots import history_slot, log_slots


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenLog:
    """A log that an anchor shall go on proving, and the leaves of it whose earliest anchor shall stay.

    `is_mirrored`: a quorum of mirrors cosigned the checkpoint, so that its size needs no proof by the head's
    own record.
    """

    issuer_id: bytes
    log_id: bytes
    epoch: int
    leaves: tuple[int, ...] = ()
    is_mirrored: bool


def lean_anchor(anchor: AnchorEvidence, logs: tuple[ProvenLog, ...]) -> AnchorEvidence:
    """The same anchor with the slots, history, trie nodes and notes that these logs and leaves need.

    An anchor that does not prove all of them stays as it is: nothing is cut from what is not understood.
    """
    try:
        return _cut(anchor, *_needs(anchor, logs))
    except RegistryError:
        return anchor


def dating_anchor(anchor: AnchorEvidence, log_id: bytes, sequence: int) -> AnchorEvidence:
    """The same anchor with one record of the history alone: it dates entries for ever, and says nothing else.

    Raises MalformedError and VerificationError as `prove_storage` does.
    """
    return _cut(anchor, (history_slot(log_id, sequence),), (sequence,))


def _needs(anchor: AnchorEvidence, logs: tuple[ProvenLog, ...]) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """(slots, numbers of the anchors that date the leaves)."""
    storage = prove_storage(anchor)
    slots: list[bytes] = []
    history: list[int] = []
    for log in logs:
        proven = read_anchor(storage, issuer_id=log.issuer_id, log_id=log.log_id, epoch=log.epoch)
        covering = [proven.find_covering(leaf) for leaf in log.leaves]
        numbers = sorted({found[0] for found in covering if found is not None})
        slots += lean_slots(
            log.issuer_id, log.log_id, epoch=log.epoch, values=storage.values, history=numbers
        )
        if not log.is_mirrored and proven.log.sequence:
            # Without it a verifier could not tell how large the anchored tree is.
            slots += [log_slots(log.log_id)[1], history_slot(log.log_id, proven.log.sequence)]
        history += numbers
    return tuple(dict.fromkeys(slots)), tuple(dict.fromkeys(history))


@functools.lru_cache(maxsize=32)
def _cut(anchor: AnchorEvidence, slots: tuple[bytes, ...], history: tuple[int, ...]) -> AnchorEvidence:
    # By what is needed, not by leaf: a class that was anchored together is cut once.
    header = prove_storage(anchor).header
    return replace(
        anchor,
        slots=slots,
        nodes=needed_nodes(header.state_root, anchor.contract, slots, anchor.nodes),
        history=history,
        notes=merge_attestations(anchor.notes),
    )
