"""The part of a trust file that says which chain and which contract count for which blocks."""

from dataclasses import dataclass

from testamur.registry.errors import MalformedError
from testamur.registry.finality import FinalityRule, parse_finality_rule, parse_hex
from testamur.registry.shapes import Shape

MAX_MEMBERS = 256
"""As many universities as one consortium is imagined to have; the bound is on parsing, not on growth."""

MAX_CHAINS = 32
"""Chains retire; thirty changes of chain are a century."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedChain:
    """The one chain and contract that count for headers `from_block` to `until_block` (None: open).

    `last_header` is the hash of block `until_block`, pinned when it was closed: that needs no other proof.
    """

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    from_block: int
    until_block: int | None
    finality: FinalityRule
    last_header: bytes | None = None


def parse_chains(trust: Shape) -> tuple[TrustedChain, ...]:
    """The member `chains` of a trust file; no block of a chain is in two of them. Raises MalformedError."""
    chains = tuple(_chain(item) for item in trust.shapes("chains", maximum=MAX_CHAINS))
    _check_ranges(chains, trust.path("chains"))
    return chains


def _chain(shape: Shape) -> TrustedChain:
    chain = TrustedChain(
        chain_id=shape.integer("chainId", minimum=1),
        genesis_hash=_hex(shape, "genesisHash", 32),
        contract=_hex(shape, "contract", 20),
        from_block=shape.integer("fromBlock"),
        until_block=shape.optional_integer("untilBlock"),
        finality=parse_finality_rule(shape.shape("finality"), max_members=MAX_MEMBERS),
        last_header=_hex(shape, "lastHeader", 32) if shape.has("lastHeader") else None,
    )
    shape.refuse_unknown()
    if chain.until_block is None and chain.last_header is not None:
        raise MalformedError(shape.path("lastHeader"), "is the hash of block untilBlock, which is missing")
    if chain.until_block is not None and chain.until_block < chain.from_block:
        raise MalformedError(shape.path("untilBlock"), f"is below fromBlock {chain.from_block}")
    return chain


def _check_ranges(chains: tuple[TrustedChain, ...], subject: str) -> None:
    """No block of a chain has two contracts that count for it: which one is asked must not be a choice."""
    ends: dict[tuple[int, bytes], int | None] = {}
    for chain in sorted(chains, key=lambda item: item.from_block):
        place = (chain.chain_id, chain.genesis_hash)
        if place in ends:
            end = ends[place]
            if end is None or chain.from_block <= end:
                raise MalformedError(
                    subject, f"give block {chain.from_block} of chain {chain.chain_id} twice"
                )
        ends[place] = chain.until_block


def _hex(shape: Shape, name: str, length: int) -> bytes:
    return parse_hex(shape.text(name, max_length=2 + 2 * length), length, shape.path(name))
