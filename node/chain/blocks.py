"""Blocks as an endpoint describes them, and whether they belong to the chain that was meant."""

from testamur.node.chain import values
from testamur.node.chain.refusals import FalseAnswer, refused
from testamur.node.chain.values import ChainIdentity
from testamur.node.chain.websocket import Ask
from testamur.node.errors import ChainUnavailable, WrongChain
from testamur.registry.errors import RegistryError
from testamur.registry.evm.headers import Header, encode_header, parse_header
from testamur.registry.evm.qbft import QbftSeals, encode_sealed_header, is_qbft


def encoded_block(answer: object, tag: str, name: str) -> tuple[bytes, QbftSeals | None]:
    """The header that the block hash covers, and the seals that stand beside it on a QBFT chain.

    Raises FalseAnswer for anything that is no block, or does not hash to the hash that it gives.
    """
    try:
        block = values.members(answer, f"block {tag}")
        data, seals = encode_sealed_header(block) if is_qbft(block) else (encode_header(block), None)
        parse_header(data)
    except RegistryError as exc:
        raise FalseAnswer(f"{name} described block {tag} unreadably: {exc}") from exc
    return data, seals


def refuse_another_chain(
    name: str, found: ChainIdentity, *, chain_id: int, genesis_hash: bytes | None
) -> None:
    """Raise WrongChain unless the endpoint serves the chain that is meant; None: any genesis is."""
    if found.chain_id != chain_id:
        raise WrongChain(f"{name} serves chain {found.chain_id}, not {chain_id}: correct `rpc_url`")
    if genesis_hash is not None and found.genesis_hash != genesis_hash:
        raise WrongChain(
            f"{name} serves a chain that begins with 0x{found.genesis_hash.hex()}, not "
            f"0x{genesis_hash.hex()}: restore the chain's state, or start a new registry on it"
        )


async def verify_same_chain(ask: Ask, name: str, expected: ChainIdentity, last_final: Header | None) -> None:
    """The endpoint serves this chain, and still has the block that it last called final.

    Raises WrongChain; ChainUnavailable when it has not come as far as that block again, which may be a
    machine that lags behind the one before it, or an older snapshot.
    """
    found = ChainIdentity(
        chain_id=values.quantity(await _result(ask, "eth_chainId"), "the chain id"),
        genesis_hash=await _block_hash(ask, name, "0x0") or b"",
    )
    refuse_another_chain(name, found, chain_id=expected.chain_id, genesis_hash=expected.genesis_hash)
    if last_final is None:
        return
    now = await _block_hash(ask, name, values.to_hex(last_final.number))
    if now is None:
        raise ChainUnavailable(
            f"{name} has no block {last_final.number}, which was final: it lags, or its chain was restored "
            "from an older snapshot; restore the newest one"
        )
    if now != last_final.hash:
        raise WrongChain(
            f"block {last_final.number} was final as 0x{last_final.hash.hex()} and is now 0x{now.hex()}: "
            "this is another chain"
        )


async def _block_hash(ask: Ask, name: str, tag: str) -> bytes | None:
    """The hash of a block, computed from its fields; None when there is no such block."""
    answer = await _result(ask, "eth_getBlockByNumber", tag, False)
    return None if answer is None else parse_header(encoded_block(answer, tag, name)[0]).hash


async def _result(ask: Ask, method: str, *params: object) -> object:
    answer = await ask(method, list(params))
    if answer.get("error") is not None:
        raise refused(method, answer["error"])
    return answer.get("result")
