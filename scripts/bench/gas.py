"""Gas of a further anchor, checked by the chain for consistency, on a real Anvil: the worst pairs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the report that `make gas` prints

from _report import bounded, report
from gas_report import Registry, anvil, measure_anchors

MILLION = 1_000_000
MAX_PER_CREDENTIAL = 0.1


def main() -> None:
    """Print the table."""
    with anvil() as chain:
        registry = Registry(chain=chain)
        registry.deploy()
        anchors = measure_anchors(registry)
    rows = [
        bounded(one.name, value=one.newer, unit="gas", at_most=one.goal)
        for one in anchors
        if one.goal is not None
    ]
    (batch,) = (one for one in anchors if one.name == "1 M → 2 M in one batch")
    rows.append(
        bounded(
            "the batch of a million, per credential",
            value=batch.newer / MILLION,
            unit="gas",
            at_most=MAX_PER_CREDENTIAL,
        )
    )
    report(rows)


if __name__ == "__main__":
    main()
