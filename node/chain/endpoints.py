"""One endpoint among several: whether it is asked now, in which order, and what to say of it."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from testamur.node.chain.ports import Chain
from testamur.node.chain.refusals import FalseAnswer, RpcRefused
from testamur.node.chain.values import ChainIdentity
from testamur.node.errors import ChainUnavailable, WrongChain

Answer = TypeVar("Answer")

MAX_REST_SECONDS: Final = 60.0
"""An endpoint that is back is noticed within a minute; one that hangs costs little until then."""

OK: Final = "ok"


class Endpoint:
    """A client, and what was learnt of it. Chain and genesis are checked before anything it says counts."""

    def __init__(self, client: Chain, name: str, clock: Callable[[], float]) -> None:
        self.client = client
        self.name = name
        self.identity: ChainIdentity | None = None
        self.refused = ""
        self._clock = clock
        self._failures = 0
        self._false = 0
        self._rest_until = 0.0
        self._state = "not asked yet"
        self._behind = 0
        self._contradiction = ""

    @property
    def is_resting(self) -> bool:
        """It failed a short while ago, or serves another chain: it is not asked for now."""
        return self._clock() < self._rest_until

    @property
    def rank(self) -> tuple[int, int, int]:
        """Who is asked first: who said the fewest untrue things, then who failed least and lags least."""
        return self._false, self._failures, self._behind

    @property
    def state(self) -> str:
        """In a word or a sentence."""
        if self.refused:
            return f"refused: {self.refused}"
        if self._state == OK and self._contradiction:
            return f"contradicted: {self._contradiction}"
        if self._state == OK and self._behind:
            return f"{self._behind} blocks behind"
        return self._state

    async def ask(self, question: Callable[[Chain], Awaitable[Answer]]) -> Answer:
        """One answer. Raises ChainUnavailable and WrongChain after taking note of them."""
        try:
            answer = await question(self.client)
        except RpcRefused:
            raise
        except WrongChain as exc:
            self.refuse(str(exc))
            raise
        except ChainUnavailable as exc:
            self.fail(str(exc), is_false=isinstance(exc, FalseAnswer))
            raise
        self._failures = 0
        self._state = OK
        return answer

    async def admit(self, expected: ChainIdentity | None) -> None:
        """Check chain and genesis, if that is to be done; what comes of it is in `identity` and `state`."""
        if self.identity is not None:
            return
        try:
            identity = await self.ask(lambda client: client.check())
        except RpcRefused as exc:
            self.fail(str(exc), is_false=False)
            return
        except (ChainUnavailable, WrongChain):
            return
        if expected is not None and identity != expected:
            self.refuse(f"serves a chain that begins with 0x{identity.genesis_hash.hex()}")
            return
        self.identity, self.refused = identity, ""

    def refuse(self, reason: str) -> None:
        """It serves another chain or registry: nothing it says counts until it was checked again."""
        self.identity, self.refused = None, reason
        self._rest_until = self._clock() + MAX_REST_SECONDS

    def fail(self, reason: str, *, is_false: bool) -> None:
        """It gave no answer, or an untrue one, and is checked again before the next."""
        self._false += is_false
        self._failures += 1
        self.identity, self._state = None, f"unavailable: {reason}"
        self._rest_until = self._clock() + min(2.0 ** min(self._failures - 1, 16), MAX_REST_SECONDS)

    def contradicted(self, reason: str) -> None:
        """Most endpoints say something else."""
        self._false += 1
        self._contradiction = reason

    def agreed(self) -> None:
        """It says what most endpoints say."""
        self._contradiction = ""

    def measure(self, number: int, newest: int) -> None:
        """It stands at block `number` while another one stands at `newest`."""
        self._behind = newest - number

    def reconsider(self) -> None:
        """Ask it again now, from the beginning."""
        self.identity, self.refused, self._rest_until = None, "", 0.0
