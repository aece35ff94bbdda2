"""Appending to a Merkle tree: ours beside the plain loop over hashlib that no implementation can avoid."""

from __future__ import annotations

import hashlib

from _report import compare, report

from testamur.registry.merkle import CompactRange, leaf_hash, prove_inclusion, verify_inclusion

LEAVES = 20_000
PROOFS = 2_000


def plain_loop(entries: list[bytes]) -> bytes:
    """The root of the tree over `entries` with nothing but hashlib and a list: the raw limit."""
    sha256 = hashlib.sha256
    edge: list[bytes] = []
    for size, entry in enumerate(entries):
        carry, bits = sha256(b"\x00" + entry).digest(), size
        while bits & 1:
            carry, bits = sha256(b"\x01" + edge.pop() + carry).digest(), bits >> 1
        edge.append(carry)
    root = edge.pop()
    while edge:
        root = sha256(b"\x01" + edge.pop() + root).digest()
    return root


def appended(entries: list[bytes]) -> bytes:
    """The same root through the project's streaming tree."""
    edge = CompactRange()
    edge.extend(leaf_hash(entry) for entry in entries)
    return edge.root()


def plain_climb(leaf: bytes, index: int, proof: list[bytes]) -> bytes:
    """The hashing of one inclusion proof in a complete tree, without any check: the raw limit."""
    sha256 = hashlib.sha256
    for height, sibling in enumerate(proof):
        pair = sibling + leaf if index >> height & 1 else leaf + sibling
        leaf = sha256(b"\x01" + pair).digest()
    return leaf


def main() -> None:
    """Print the table; first make sure that both sides compute the same root."""
    entries = [b"\x01\x01" + hashlib.sha256(str(number).encode()).digest() for number in range(LEAVES)]
    if appended(entries) != plain_loop(entries):
        raise SystemExit("merkle: the roots differ")
    small = [leaf_hash(entry) for entry in entries[:1024]]
    proof = prove_inclusion(small, 700, 1024)
    root = plain_climb(small[700], 700, proof)
    rows = [
        compare(
            f"append, per leaf of {LEAVES}",
            ours=lambda: appended(entries),
            limit=lambda: plain_loop(entries),
            beside="plain loop",
            count=LEAVES,
            at_most=2,
        ),
        compare(
            "verify an inclusion proof in 1 024 leaves",
            ours=lambda: [verify_inclusion(small[700], 700, 1024, proof, root) for _ in range(PROOFS)],
            limit=lambda: [plain_climb(small[700], 700, proof) for _ in range(PROOFS)],
            beside="the hashes alone",
            count=PROOFS,
            at_most=2.5,
        ),
    ]
    report(rows)


if __name__ == "__main__":
    main()
