"""Proof sets and chains: which proofs another one builds on, and in which order they are proven.

https://www.w3.org/TR/vc-data-integrity/#proof-sets and #proof-chains.
"""

from collections.abc import Mapping, Sequence

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.proof_format import MAX_PROOFS, as_list
from testamur.registry.shapes import kind_of


def previous_proofs(proof: Mapping[str, Json], proofs: Sequence[dict[str, Json]]) -> list[Json]:
    """The proofs that a chained proof names in `previousProof`, one or several; empty without it.

    They are part of what it signs: https://www.w3.org/TR/vc-data-integrity/#verify-proof-sets-and-chains.
    Raises MalformedError, and VerificationError("proof-previous-missing").
    """
    if "previousProof" not in proof:
        return []
    found: list[Json] = []
    wanted_ids = as_list(proof["previousProof"])
    if not wanted_ids:
        raise MalformedError("proof /previousProof", "names no proof; leave the member out")
    if len(wanted_ids) > MAX_PROOFS:
        raise MalformedError(
            "proof /previousProof", f"names {len(wanted_ids)} proofs, more than {MAX_PROOFS}"
        )
    for position, wanted in enumerate(wanted_ids):
        if not isinstance(wanted, str):
            raise MalformedError("proof /previousProof", f"must name proofs, not {kind_of(wanted)}")
        if wanted in wanted_ids[:position]:
            # Every repetition would be hashed as a whole proof: a few kilobytes of names, gigabytes to hash.
            raise MalformedError("proof /previousProof", f"names {wanted[:120]!r} twice")
        matching = [item for item in proofs if item.get("id") == wanted]
        if not matching:
            raise VerificationError("proof-previous-missing", id=wanted[:200])
        found += matching
    return found


def in_chain_order(proofs: Sequence[dict[str, Json]]) -> list[int]:
    """The positions of `proofs`, each after all those that it builds on.

    So a chain fails at its first broken link. Raises as `previous_proofs`, and
    VerificationError("proof-chain-circular"): no signature can cover itself.
    """
    before = [
        {number for number, item in enumerate(proofs) if any(item is earlier for earlier in named)}
        for named in (previous_proofs(proof, proofs) for proof in proofs)
    ]
    order: list[int] = []
    while len(order) < len(proofs):
        ready = [n for n in range(len(proofs)) if n not in order and before[n] <= set(order)]
        if not ready:
            raise VerificationError("proof-chain-circular")
        order += ready
    return order
