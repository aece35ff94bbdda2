"""Which statement of an issuer the contract holds, as a log's evidence proves it."""

from dataclasses import dataclass

from testamur.registry.entries import parse_origin
from testamur.registry.errors import VerificationError
from testamur.registry.evidence import Evidence
from testamur.registry.evm.anchors import (
    ANCHOR_TYPE,
    ProvenStorage,
    parse_anchor,
    prove_storage,
    read_anchor,
)
from testamur.registry.shapes import Shape
from testamur.registry.trust import TrustFile
from testamur.registry.verification.context import Undecided
from testamur.registry.verification.steps_anchor import SLOT_MISSING, prove_final


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredStatement:
    """The number of the newest statement that the contract holds of an issuer in one block.

    `finality` is the rule of the trust file by which the block is final. None: no trust file was given, and
    that the chain has such a block is the word of whoever serves the evidence.
    """

    number: int
    block: int
    finality: str | None


def find_anchored_statement(
    evidence: Evidence, origin: str, trust: TrustFile | None
) -> AnchoredStatement | None:
    """What the newest anchor of this log's checkpoint proves; None without one.

    With a trust file an anchor counts when its block is final by that file. Raises MalformedError, and
    VerificationError for an anchor that is false, or of another tree than the log's checkpoint.
    """
    name, log = parse_origin(origin), evidence.logs[origin]
    found: list[tuple[int, AnchoredStatement]] = []
    for document in evidence.anchors:
        if Shape(document, "anchor").any("type") != ANCHOR_TYPE:
            continue
        storage: ProvenStorage
        try:
            storage, finality = (
                (prove_storage(parse_anchor(document)), None)
                if trust is None
                else prove_final(trust, document, {})
            )
            proven = read_anchor(storage, issuer_id=name.issuer_id, log_id=name.log_id, epoch=name.epoch)
        except Undecided:
            continue
        except VerificationError as error:
            if error.reason != SLOT_MISSING:
                raise
            continue  # of other logs
        if proven.log.root != log.checkpoint.checkpoint.root:
            raise VerificationError("anchor-root-mismatch", size=log.checkpoint.checkpoint.size)
        header = storage.header
        statement = AnchoredStatement(number=proven.issuer.statement, block=header.number, finality=finality)
        found.append((header.timestamp, statement))
    return max(found, key=lambda pair: pair[0], default=(0, None))[1]
