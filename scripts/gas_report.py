"""What the contract costs, beside the goals: gas of real transactions on a fresh Anvil, as committed.

Each figure is `gasUsed` of a receipt: 21 000 for the transaction and the price of its calldata included.
Exits 1 when a goal is missed. Trees of a million or 2^30 leaves have equal leaves here, so that the hash of a
subtree is known per level; the contract cannot tell, because it sees roots and proofs only.
"""

import ctypes
import hashlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from testamur.registry.merkle import consistency_ranges, leaf_hash, node_hash

ROOT = Path(__file__).resolve().parent.parent
ANVIL = ROOT / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
REGISTRY = "gas.example"
DELAY_SECONDS = 1
PR_SET_PDEATHSIG = 1
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


class Chain:
    """JSON-RPC to an Anvil that mines a block per transaction and signs for its own accounts."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.accounts: list[str] = self.call("eth_accounts")

    def call(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC call. Raises RuntimeError with the node's own words."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def send(self, sender: str, data: bytes, to: str | None = None) -> Any:
        """The receipt of a transaction that succeeded."""
        sent = {"from": sender, "data": "0x" + data.hex(), **({"to": to} if to else {})}
        transaction = self.call("eth_sendTransaction", sent)
        while (receipt := self.call("eth_getTransactionReceipt", transaction)) is None:
            pass  # mined at once, but answered a moment before
        if receipt["status"] != "0x1":
            raise RuntimeError(f"reverted: {receipt}")
        return receipt


@contextmanager
def anvil() -> Iterator[Chain]:
    """A fresh chain on a free port, gone afterwards whatever happens here."""
    libc = ctypes.CDLL(None, use_errno=True)
    command = [str(ANVIL), "--port", "0", "--host", "127.0.0.1"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509  # no threads here
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("Listening on "):
                    yield Chain("http://" + line.removeprefix("Listening on ").strip())
                    return
            raise RuntimeError("anvil ended before it listened")
        finally:
            process.terminate()


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


def main() -> int:
    if not ANVIL.exists():
        sys.exit("anvil is not installed: npm ci --ignore-scripts")
    with anvil() as chain:
        registry = Registry(chain=chain)
        deployment = registry.deploy()
        missed = anchors(registry)
        others(registry, deployment)
    return 1 if missed else 0


ANCHORS: Sequence[tuple[str, int, int, int | None]] = (
    ("2 000 leaves", 2000, 3000, None),
    ("2 047 → 3 071", 2047, 3071, None),
    ("1 M leaves", 1_000_000, 1_001_000, 100_000),
    ("1 048 575 → 1 049 599 (worst pair)", MILLION - 1, MILLION - 1 + BATCH, 100_000),
    ("1 M in one batch: 1 M → 2 M", 1_000_000, 2_000_000, 100_000),
    ("2^30 leaves", BILLION, BILLION + 1000, 115_000),
    ("2^30-1 → 2^30+1 023 (worst pair)", BILLION - 1, BILLION + BATCH - 1, 115_000),
)
"""Name, sizes and goal: gas with a newer statement, the dearer case. 100 000 for 1 M are 0.1 each."""


def anchors(registry: Registry) -> int:
    print(f"{'anchor':38} {'proof':>5} {'same statement':>15} {'newer':>8} {'goal':>8}")
    missed = 0
    for name, old_size, size, goal in ANCHORS:
        same, newer = registry.step(old_size, size)
        verdict = "" if goal is None else "pass" if newer <= goal else "MISSED"
        missed += verdict == "MISSED"
        nodes = len(registry.tree.proof(old_size, size))
        print(f"{name:38} {nodes:5} {same:15,} {newer:8,} {goal or '':>8} {verdict}")
    return missed


def others(registry: Registry, deployment: int) -> None:
    call = registry.call
    council, controller, other = registry.council, registry.controller, registry.chain.accounts[3]
    admission, slug, issuer_id, log_id = registry.admit()
    rows = [
        ("deploy", deployment),
        ("admit (with epoch 1)", admission),
        ("first anchor", registry.anchor(log_id, 0, 2000, 1)),
        ("repeat of the head (no-op)", registry.anchor(log_id, 0, 2000, 1)),
        ("anchorMany of 10, worst pair at 1 M, newer, each", many(registry, 10)),
        ("replaceOperator", call(controller, "replaceOperator", log_id, other)),
        ("openEpoch", call(controller, "openEpoch", slug, other, OTHER_WORD, 2000)),
        ("suspend", call(council, "suspend", issuer_id)),
        ("reinstate", call(council, "reinstate", issuer_id)),
        ("transferController", call(controller, "transferController", issuer_id, other)),
        ("acceptController", call(other, "acceptController", issuer_id)),
        ("proposeRecovery", call(council, "proposeRecovery", issuer_id, controller, WORD)),
        ("vetoRecovery", call(other, "vetoRecovery", issuer_id)),
    ]
    call(council, "proposeRecovery", issuer_id, controller, WORD)
    registry.chain.call("evm_increaseTime", DELAY_SECONDS)
    rows.append(("executeRecovery", call(council, "executeRecovery", issuer_id)))
    rows.append(("close with a custodian", call(controller, "close", issuer_id, registry.admit()[2])))
    rows.append(("setSuccessor", call(council, "setSuccessor", other)))
    print()
    for name, gas in rows:
        print(f"{name:50} {gas:11,}")


def many(registry: Registry, logs: int) -> int:
    """Gas per log of one `anchorMany`."""
    ids = [registry.admit()[3] for _ in range(logs)]
    firsts = [registry.arguments(one, 0, MILLION - 1, 1) for one in ids]
    registry.call(registry.operator, "anchorMany", firsts)
    nexts = [registry.arguments(one, MILLION - 1, MILLION - 1 + BATCH, 2) for one in ids]
    return registry.call(registry.operator, "anchorMany", nexts) // logs


if __name__ == "__main__":
    sys.exit(main())
