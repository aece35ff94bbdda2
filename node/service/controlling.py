"""What an issuer's controller decides on the chain: who anchors the issuer's log."""

from dataclasses import dataclass

from testamur.node.chain.contracts import decode_result, encode_call
from testamur.node.chain.ports import Chain
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import SendRefusal, TransactionSender, classify_refusal
from testamur.node.errors import ConfigError
from testamur.node.keystore.store import Keystore
from testamur.node.service.issuer_side import CONTROLLER
from testamur.registry.entries import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Whose anchors of `origin` the contract takes; `block_number` is None when they were the same before."""

    origin: Origin
    operator: str
    before: str
    block_number: int | None


async def replace_operator(
    client: Chain, contract: bytes, cold: Keystore, operator: bytes, *, registry: str, slug: str
) -> Replaced:
    """Let `operator` anchor the issuer's current log, and nobody else; repeating it changes nothing.

    `cold` has the controller's key. Raises ConfigError without it, for an issuer that the contract does not
    know, another controller, and one that cannot pay; ContractRefused for a closed issuer; ChainUnavailable.
    """
    controller = ChainAccount(cold.load_secp256k1(CONTROLLER))
    await client.check()
    await client.check_contract(contract)
    own, new = f"0x{controller.address.hex()}", f"0x{operator.hex()}"
    first = Origin(registry=registry, slug=slug, epoch=1)
    answer = await client.call(contract, encode_call("issuer", [first.issuer_id]))
    _, known, _, epoch, *_ = decode_result("issuer", answer)[0]
    if not epoch:
        raise ConfigError("--issuer", f"the contract knows no {slug} of {registry}")
    if known != own:
        raise ConfigError(CONTROLLER, f"the contract has {known} for {slug}, and this key is {own}")
    origin = Origin(registry=registry, slug=slug, epoch=epoch)
    answer = await client.call(contract, encode_call("log", [origin.log_id]))
    _, before, *_ = decode_result("log", answer)[0]
    block = None
    if before != new:
        try:
            receipt = await TransactionSender(client, controller).call(
                contract, "replaceOperator", origin.log_id, operator
            )
        except RpcRefused as refused:
            if classify_refusal(refused) is not SendRefusal.UNFUNDED:
                raise
            reason = f"account {own} cannot pay for gas: send it a little, and give the command again"
            raise ConfigError(CONTROLLER, reason) from refused
        block = receipt.block_number
    return Replaced(origin=origin, operator=new, before=before, block_number=block)
