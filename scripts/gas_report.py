"""What the contract costs, beside the goals: gas of real transactions on a fresh Anvil, as committed.

Each figure is `gasUsed` of a receipt: 21 000 for the transaction and the price of its calldata included.
Exits 1 when a goal is missed. `--markdown` writes the figures into docs/spec/contract.md, `--check` exits 1
when other figures stand there: the same code on the same Anvil costs the same gas, to the unit.
Trees of a million or 2^30 leaves have equal leaves here, so that the hash of a subtree is known per level;
the contract cannot tell, because it sees roots and proofs only.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _anvil import ANVIL, Chain, anvil
from eth_abi.abi import encode

from testamur.registry.merkle import consistency_ranges, leaf_hash, node_hash

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "spec" / "contract.md"
BLOCK = re.compile(
    r"(?<=<!-- gas: scripts/gas_report\.py --markdown -->\n).*?(?=<!-- end of gas -->)", re.DOTALL
)
REGISTRY = "gas.example"
DELAY_SECONDS = 1
MILLION = 1 << 20
BILLION = 1 << 30
BATCH = 1024
WORD = bytes.fromhex("11" * 32)
OTHER_WORD = bytes.fromhex("22" * 32)


class EqualLeaves:
    """Roots and consistency proofs of trees whose leaves are all the same, of any size."""

    def __init__(self) -> None:
        self._complete = [leaf_hash(b"entry")]

    def root(self, size: int) -> bytes:
        """RFC 9162 §2.1.1."""
        level = size.bit_length() - 1
        while len(self._complete) <= level:
            self._complete.append(node_hash(self._complete[-1], self._complete[-1]))
        rest = size - (1 << level)
        return node_hash(self._complete[level], self.root(rest)) if rest else self._complete[level]

    def proof(self, old_size: int, size: int) -> list[bytes]:
        """RFC 9162 §2.1.4.1."""
        return [self.root(end - start) for start, end in consistency_ranges(old_size, size)]


@dataclass(slots=True, kw_only=True)
class Registry:
    """The contract as deployed from contracts/abi/, and one account per role."""

    chain: Chain
    tree: EqualLeaves = field(default_factory=EqualLeaves)
    methods: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    address: str = ""
    count: int = 0

    def deploy(self) -> int:
        """Gas of the deployment."""
        built = json.loads((ROOT / "contracts" / "abi" / "AnchorRegistry.json").read_text("utf-8"))
        for signature, selector in built["methodIdentifiers"].items():
            name, _, types = signature.partition("(")
            self.methods[name] = types.removesuffix(")"), bytes.fromhex(selector)
        arguments = encode(["string", "address", "uint64"], [REGISTRY, self.council, DELAY_SECONDS])
        receipt = self.chain.send(
            self.council, bytes.fromhex(built["bytecode"].removeprefix("0x")) + arguments
        )
        self.address = receipt["contractAddress"]
        return int(receipt["gasUsed"], 16)

    @property
    def council(self) -> str:
        """Owner of the registry."""
        return self.chain.accounts[0]

    @property
    def controller(self) -> str:
        """Controller of every issuer."""
        return self.chain.accounts[1]

    @property
    def operator(self) -> str:
        """Operator of every log."""
        return self.chain.accounts[2]

    def call(self, sender: str, name: str, *values: Any) -> int:
        """Gas of one transaction; the argument types come from the committed ABI."""
        types, selector = self.methods[name]
        # A tuple occurs as an only argument (anchorMany), so splitting at commas is enough elsewhere.
        arguments = encode([types] if types.startswith("(") else types.split(","), values)
        return int(self.chain.send(sender, selector + arguments, self.address)["gasUsed"], 16)

    def admit(self) -> tuple[int, str, bytes, bytes]:
        """Gas, slug, issuer id and log id of a new issuer."""
        self.count += 1
        slug = f"university-{self.count:04d}"
        values = (slug, f"did:web:{slug}.example", WORD, self.controller, self.operator, WORD)
        gas = self.call(self.council, "admit", *values)
        digests = [hashlib.sha256(f"{REGISTRY}/{slug}{end}".encode()).digest() for end in ("", "/1")]
        return gas, slug, digests[0], digests[1]

    def anchor(self, log_id: bytes, old_size: int, size: int, statement: int) -> int:
        """Gas of one `anchor`."""
        return self.call(self.operator, "anchor", *self.arguments(log_id, old_size, size, statement))

    def arguments(self, log_id: bytes, old_size: int, size: int, statement: int) -> tuple[Any, ...]:
        """The arguments of one `anchor`, in order."""
        proof = self.tree.proof(old_size, size) if old_size else []
        return log_id, old_size, size, self.tree.root(size), statement, proof

    def step(self, old_size: int, size: int) -> tuple[int, int]:
        """Gas of old size → size with the statement as before, and with a newer one."""
        gas = []
        for statement in (1, 2):
            log_id = self.admit()[3]
            self.anchor(log_id, 0, old_size, 1)
            gas.append(self.anchor(log_id, old_size, size, statement))
        return gas[0], gas[1]


ANCHORS: Sequence[tuple[str, int, int, int | None]] = (
    ("2 000 → 3 000", 2000, 3000, None),
    ("2 047 → 3 071", 2047, 3071, None),
    ("1 000 000 → 1 001 000", 1_000_000, 1_001_000, 100_000),
    ("1 048 575 → 1 049 599, worst pair", MILLION - 1, MILLION - 1 + BATCH, 100_000),
    ("1 M → 2 M in one batch", 1_000_000, 2_000_000, 100_000),
    ("2^30 → 2^30 + 1 000", BILLION, BILLION + 1000, 115_000),
    ("2^30 - 1 → 2^30 + 1 023, worst pair", BILLION - 1, BILLION + BATCH - 1, 115_000),
)
"""Name, sizes and goal: gas with a newer statement, the dearer case. 100 000 for 1 M are 0.1 each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What one `anchor` costs: with the statement of the head, and with a newer one."""

    name: str
    nodes: int
    same: int
    newer: int
    goal: int | None

    @property
    def is_missed(self) -> bool:
        """Whether the dearer case is above the goal."""
        return self.goal is not None and self.newer > self.goal


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, default=PAGE, help="where the figures stand")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--markdown", action="store_true", help="write the figures into the page")
    mode.add_argument("--check", action="store_true", help="exit 1 when the page has other figures")
    options = parser.parse_args()
    if not ANVIL.exists():
        sys.exit("anvil is not installed: npm ci --ignore-scripts")
    with anvil() as chain:
        registry = Registry(chain=chain)
        deployment = registry.deploy()
        anchors = measure_anchors(registry)
        others = measure_others(registry, deployment)
    show(anchors, others)
    page = options.page.read_text("utf-8")
    written, found = BLOCK.subn(lambda _: markdown(anchors, others), page)
    if found != 1:
        sys.exit(f"{options.page} has no place for the figures")
    if options.markdown:
        options.page.write_text(written, encoding="utf-8")
    if options.check and written != page:
        sys.exit(f"{options.page} has other figures: run scripts/gas_report.py --markdown")
    return 1 if any(anchor.is_missed for anchor in anchors) else 0


def measure_anchors(registry: Registry) -> list[Anchor]:
    """One for each of `ANCHORS`."""
    measured = []
    for name, old_size, size, goal in ANCHORS:
        same, newer = registry.step(old_size, size)
        nodes = len(registry.tree.proof(old_size, size))
        measured.append(Anchor(name=name, nodes=nodes, same=same, newer=newer, goal=goal))
    return measured


def measure_others(registry: Registry, deployment: int) -> list[tuple[str, int]]:
    """Name and gas of everything else that is sent."""
    call = registry.call
    council, controller, other = registry.council, registry.controller, registry.chain.accounts[3]
    admission, slug, issuer_id, log_id = registry.admit()
    rows = [
        ("deployment", deployment),
        ("`admit`, with epoch 1", admission),
        ("first `anchor` of a log", registry.anchor(log_id, 0, 2000, 1)),
        ("`anchor` that repeats the head", registry.anchor(log_id, 0, 2000, 1)),
        ("`anchorMany` of 10 logs, worst pair at 1 M, newer statements, each", many(registry, 10)),
        ("`replaceOperator`", call(controller, "replaceOperator", log_id, other)),
        ("`openEpoch`", call(controller, "openEpoch", slug, 1, other, OTHER_WORD, 2000)),
        ("`suspend`", call(council, "suspend", issuer_id)),
        ("`reinstate`", call(council, "reinstate", issuer_id)),
        ("`transferController`", call(controller, "transferController", issuer_id, other)),
        ("`acceptController`", call(other, "acceptController", issuer_id)),
        ("`proposeRecovery`", call(council, "proposeRecovery", issuer_id, controller, WORD)),
        ("`vetoRecovery`", call(other, "vetoRecovery", issuer_id)),
    ]
    call(council, "proposeRecovery", issuer_id, controller, WORD)
    registry.chain.call("evm_increaseTime", DELAY_SECONDS)
    rows.append(("`executeRecovery`", call(council, "executeRecovery", issuer_id)))
    heir = registry.admit()[2]
    rows.append(("`close` with a custodian", call(controller, "close", issuer_id, heir, 0)))
    rows.append(("`setSuccessor`", call(council, "setSuccessor", other)))
    return rows


def show(anchors: Sequence[Anchor], others: Sequence[tuple[str, int]]) -> None:
    """The figures for a terminal."""
    print(f"{'anchor':38} {'proof':>5} {'same statement':>15} {'newer':>8} {'goal':>8}")
    for one in anchors:
        verdict = "" if one.goal is None else "MISSED" if one.is_missed else "pass"
        print(f"{one.name:38} {one.nodes:5} {one.same:15,} {one.newer:8,} {one.goal or '':>8} {verdict}")
    print()
    for name, gas in others:
        print(f"{name.replace('`', ''):66} {gas:11,}")


def markdown(anchors: Sequence[Anchor], others: Sequence[tuple[str, int]]) -> str:
    """The figures as two tables."""
    lines = ["| `anchor` | proof nodes | gas, same statement | gas, newer statement | goal |"]
    lines.append("|---|---|---|---|---|")
    lines += [
        f"| {one.name} | {one.nodes} | {spaced(one.same)} | {spaced(one.newer)} | {spaced(one.goal)} |"
        for one in anchors
    ]
    lines += ["", "| other transactions | gas |", "|---|---|"]
    lines += [f"| {name} | {spaced(gas)} |" for name, gas in others]
    return "\n".join(lines) + "\n"


def spaced(number: int | None) -> str:
    """A number as the documents write it."""
    return "" if number is None else f"{number:,}".replace(",", " ")


def many(registry: Registry, logs: int) -> int:
    """Gas per log of one `anchorMany`."""
    ids = [registry.admit()[3] for _ in range(logs)]
    firsts = [registry.arguments(one, 0, MILLION - 1, 1) for one in ids]
    registry.call(registry.operator, "anchorMany", firsts)
    nexts = [registry.arguments(one, MILLION - 1, MILLION - 1 + BATCH, 2) for one in ids]
    return registry.call(registry.operator, "anchorMany", nexts) // logs


if __name__ == "__main__":
    sys.exit(main())
