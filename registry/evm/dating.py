"""Which anchor dates an entry, of all that a file proves: what the contract's history holds it keeps.

A record of the history says the same in every later block, so the block that decides everything else need not
be the one that proves it.
"""

from collections.abc import Iterable

from testamur.registry.evm.anchors import ProvenStorage
from testamur.registry.evm.layout import AnchorRecord, decode_anchor
from testamur.registry.evm.slots import history_slot


def covering_records(
    proven: Iterable[ProvenStorage], log_id: bytes, leaf_index: int
) -> list[tuple[int, AnchorRecord]]:
    """(number, record) of every proven anchor of the log that covers the leaf, the earliest first.

    Raises VerificationError as `decode_anchor` does.
    """
    found = [
        (sequence, decode_anchor(log_id, sequence, storage.values))
        for storage in proven
        for sequence in storage.history
        if history_slot(log_id, sequence) in storage.values
    ]
    covering = [(sequence, record) for sequence, record in found if record.size > leaf_index]
    return sorted(covering, key=lambda item: item[1].timestamp)
