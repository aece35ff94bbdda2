"""The few JSON-RPC questions that a verifier puts to its own endpoints: is this block final, is there news?

Several endpoints must agree. Deliberately not web3: a verifier starts in a fraction of a second.
"""

from collections.abc import Sequence
from typing import Self

from testamur.node.errors import PeerMisbehaved, PeerUnreachable, WrongChain
from testamur.node.fetch.http import HttpClient
from testamur.registry.canonical import Json


class RpcEndpoint:
    """One JSON-RPC endpoint that the user named."""

    def __init__(self, url: str) -> None:
        self._client = HttpClient(url)
        self.url = self._client.shown_url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.close()

    def call(self, method: str, params: list[Json]) -> Json:
        """The result of one call. Raises PeerUnreachable or PeerMisbehaved."""
        answer = self._client.post("", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        if answer.status != 200:
            raise PeerUnreachable(f"{self.url} answered {method} with HTTP {answer.status}")
        document = answer.json(f"answer to {method}")
        if not isinstance(document, dict) or "error" in document or "result" not in document:
            raise PeerMisbehaved(f"{self.url} answered {method} with an error")
        return document["result"]

    def block_hash(self, block: int | str) -> tuple[int, bytes]:
        """(number, hash) of a block by number or tag."""
        tag = hex(block) if isinstance(block, int) else block
        result = self.call("eth_getBlockByNumber", [tag, False])
        if not isinstance(result, dict):
            raise PeerUnreachable(f"{self.url} does not have block {block}")
        try:
            number, digest = (
                int(str(result["number"]), 16),
                bytes.fromhex(str(result["hash"]).removeprefix("0x")),
            )
        except (KeyError, ValueError) as error:
            raise PeerMisbehaved(f"{self.url} described block {block} unreadably") from error
        if len(digest) != 32:
            raise PeerMisbehaved(f"{self.url} described block {block} unreadably")
        return number, digest

    def storage_word(self, contract: bytes, slot: bytes) -> int:
        """A storage slot of the contract at the newest final block."""
        result = self.call("eth_getStorageAt", ["0x" + contract.hex(), "0x" + slot.hex(), "finalized"])
        try:
            return int(str(result), 16)
        except ValueError as error:
            raise PeerMisbehaved(f"{self.url} answered a storage question unreadably") from error


def final_block_hash(
    endpoints: Sequence[RpcEndpoint], *, chain_id: int, genesis_hash: bytes, number: int
) -> bytes:
    """The hash of block `number`, final by the word of every endpoint.

    Raises WrongChain when an endpoint serves another chain, PeerUnreachable when it does not answer or the
    block is not final yet, PeerMisbehaved when endpoints disagree.
    """
    hashes = set()
    for endpoint in endpoints:
        served = endpoint.call("eth_chainId", [])
        if served != hex(chain_id) or endpoint.block_hash(0)[1] != genesis_hash:
            raise WrongChain(f"{endpoint.url} serves another chain than the evidence names ({chain_id})")
        if endpoint.block_hash("finalized")[0] < number:
            raise PeerUnreachable(f"block {number} is not final for {endpoint.url} yet")
        hashes.add(endpoint.block_hash(number)[1])
    if len(hashes) != 1:
        raise PeerMisbehaved(f"the endpoints disagree about block {number}")
    return hashes.pop()
