"""An ERC-1056 registry on a development chain: contracts/test/Erc1056.sol, deployed and called."""

import json
from pathlib import Path

from eth_abi import encode

from testamur.node.chain.transactions import TransactionSender

ARTIFACT = json.loads(Path(__file__).with_name("Erc1056.json").read_text("utf-8"))


class Erc1056:
    """The contract at `address`; `account` sends, and may change only what it owns."""

    def __init__(self, chain, address):
        self.chain, self.address = chain, address

    @classmethod
    async def deploy(cls, chain, account):
        sender = TransactionSender(chain, account, poll_seconds=0.01)
        receipt = await sender.send(None, bytes.fromhex(ARTIFACT["bytecode"].removeprefix("0x")))
        return cls(chain, receipt.contract)

    async def call(self, account, function, *arguments):
        """The number of the block in which it happened."""
        sender = TransactionSender(self.chain, account, poll_seconds=0.01)
        return (await sender.send(self.address, call_data(function, *arguments))).block_number


def call_data(function, *arguments):
    signature = next(name for name in ARTIFACT["methodIdentifiers"] if name.startswith(f"{function}("))
    types = signature.partition("(")[2].removesuffix(")").split(",")
    return bytes.fromhex(ARTIFACT["methodIdentifiers"][signature]) + encode(types, arguments)


def name32(text):
    """Text in a bytes32."""
    return text.encode().ljust(32, b"\0")
