"""Write the consistency proofs that forge's tests check on chain: contracts/test/generated/consistency.json.

Every pair m < n <= 64, proven by the Python side, so that both implementations agree on each of them; and the
published vectors of $TESTAMUR_VECTORS (default: ../shared/vectors beside the project) when they are there.
"""

import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testamur.registry.merkle import leaf_hash, prove_consistency, root_hash

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "contracts" / "test" / "generated" / "consistency.json"

MAX_LEAVES = 64
"""Six levels: every shape of right edge that the proof algorithm tells apart occurs below it."""

WORD_BYTES = 32


def main() -> int:
    vectors_path = Path(os.environ.get("TESTAMUR_VECTORS", ROOT.parent / "shared" / "vectors"))
    published = vectors_path / "merkle" / "consistency.jsonl"
    pairs = list(proven_pairs())
    vectors = list(read_vectors(published)) if published.exists() else []
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps({"pairs": pairs, "vectors": vectors}, indent=0) + "\n", encoding="utf-8")
    print(f"{len(pairs)} pairs m < n <= {MAX_LEAVES} proven by testamur.registry.merkle")
    if vectors:
        accepted = sum(vector["accept"] for vector in vectors)
        print(f"published vectors: {accepted} to accept, {len(vectors) - accepted} to refuse")
    else:
        print(f"SKIPPED: no published vectors at {published}; set TESTAMUR_VECTORS")
    return 0


def proven_pairs() -> Iterator[dict[str, Any]]:
    leaves = [leaf_hash(b"\x01\x01" + hashlib.sha256(bytes([index])).digest()) for index in range(MAX_LEAVES)]
    for new_size in range(2, MAX_LEAVES + 1):
        for old_size in range(1, new_size):
            yield case(
                accept=True,
                old_size=old_size,
                old_root=root_hash(leaves[:old_size]),
                new_size=new_size,
                new_root=root_hash(leaves[:new_size]),
                proof=prove_consistency(leaves, old_size, new_size),
            )


def read_vectors(path: Path) -> Iterator[dict[str, Any]]:
    """The published cases. A hash that is not 32 bytes is padded or cut: the contract has no other kind."""
    for line in path.read_text("utf-8").splitlines():
        vector = json.loads(line)
        yield case(
            accept=not vector["wantErr"],
            old_size=vector["size1"],
            old_root=base64.b64decode(vector["root1"]),
            new_size=vector["size2"],
            new_root=base64.b64decode(vector["root2"]),
            proof=[base64.b64decode(one) for one in vector["proof"] or []],
        )


def case(
    *, accept: bool, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: list[bytes]
) -> dict[str, Any]:
    return {
        "accept": accept,
        "newRoot": word(new_root),
        "newSize": new_size,
        "oldRoot": word(old_root),
        "oldSize": old_size,
        "proof": [word(one) for one in proof],
    }


def word(value: bytes) -> str:
    return "0x" + value[:WORD_BYTES].ljust(WORD_BYTES, b"\0").hex()


if __name__ == "__main__":
    sys.exit(main())
