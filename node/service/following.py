"""Final blocks, each the child of the one before: what was final stays, or the work with the chain stops."""

from typing import Final

from testamur.node.chain.follower import Follower
from testamur.node.chain.ports import Chain
from testamur.node.errors import ChainUnavailable, ReorgBeyondFinality
from testamur.registry.evm.headers import Header

MAX_GAP_BLOCKS: Final = 2048
"""Headers fetched after an outage, some seven hours of a public chain in ten seconds. After a longer one the
block that was final is looked up again, and the way from it is not walked."""

MAX_LAG_BLOCKS: Final = 64
"""Behind one address one machine may lag behind another, by two epochs of a public chain at most; what is
further behind serves an older snapshot."""


class FinalChain:
    """Follows what endpoints call final. One task at a time."""

    def __init__(self, client: Chain) -> None:
        self._client = client
        self._follower: Follower | None = None

    async def begin(self, number: int, block_hash: bytes) -> None:
        """Begin at a block that was final before, from which a gap is filled.

        Raises ReorgBeyondFinality when the chain has another one there, ChainUnavailable.
        """
        self._follower = Follower(await self._lookup(number, block_hash))

    async def advance(self) -> Header:
        """The newest final block; every block from the last one on was fetched and is its parent's child.

        An older block than before is an endpoint that lags, and changes nothing; one that is older by more
        than MAX_LAG_BLOCKS is an outage. Raises ReorgBeyondFinality when a block that was final is not in the
        chain any more; ChainUnavailable, after which the next call goes on where this one stopped.
        """
        newest = await self._client.finalized()
        behind = self._follower.final.number - newest.number if self._follower else 0
        if behind > MAX_LAG_BLOCKS:
            raise ChainUnavailable(
                f"the newest final block is {newest.number}, {behind} blocks before one that was final: "
                "the chain was restored from an older snapshot; restore the newest one"
            )
        if self._follower is None or newest.number - self._follower.final.number > MAX_GAP_BLOCKS:
            if self._follower is not None:
                known = self._follower.final
                await self._lookup(known.number, known.hash)
            self._follower = Follower(newest)
        follower = self._follower
        for number in range(follower.head.number + 1, newest.number):
            self._connect(follower, await self._client.header(number))
        if newest.number > follower.head.number:
            self._connect(follower, newest)
        follower.finalise(newest)
        return follower.final

    async def _lookup(self, number: int, block_hash: bytes) -> Header:
        found = await self._client.header(number)
        if found.hash != block_hash:
            raise ReorgBeyondFinality(
                f"block {number} was final as 0x{block_hash.hex()} and is now 0x{found.hash.hex()}"
            )
        return found

    def _connect(self, follower: Follower, header: Header) -> None:
        if follower.wants(header):
            if follower.head.hash == follower.final.hash:
                known = f"block {follower.final.number} was final as 0x{follower.final.hash.hex()}"
                raise ReorgBeyondFinality(f"{known}, and final block {header.number} is no child of it")
            # Something fetched in between was not final after all: begin again behind what was.
            self._follower = Follower(follower.final)
            raise ChainUnavailable(f"block {header.number} does not follow the blocks before it")
        follower.connect(header)
