"""What is behind, since when, and what to do: the states of the node's parts over time."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from testamur.node.api.ports import NodePort, PartBehind
from testamur.node.errors import NodeError

OK = "ok"

WATCH_SECONDS = 5.0
"""How exact "since when" is, and how soon the log has a line about it."""

CURES: tuple[tuple[str, str, str], ...] = (
    ("chain", "starting", "wait: the node is connecting to the chain"),
    ("chain", "wrong chain", "correct `rpc_url`, or restore the chain's state, then start the node again"),
    ("chain", "final blocks", "agree with the other members which chain counts, then start the node again"),
    (
        "chain",
        "unavailable",
        "nothing is lost; check that an endpoint of `rpc_url` answers, or add another one",
    ),
    ("chain", "", "check the endpoints of `rpc_url`"),
    ("anchoring", "cannot pay", "send gas to the operator's account (`testamur keys` shows its address)"),
    ("anchoring", "", "issuing goes on; the anchor follows when the chain takes it"),
    ("endpoint", "", "the node works without it; mend it or take it out of `rpc_url`"),
    ("clock", "", "set the machine's clock, and keep it set (NTP)"),
    ("funds", "", "send gas to the operator's account (`testamur keys` shows its address)"),
    ("logs", "verifying", "wait: the files are read anew after a long stop"),
    ("logs", "", "see docs/operating.md, Mending one log"),
)
"""(part, what its state contains, cure): the first line that fits."""

DEFAULT_CURE = "see docs/operating.md"

NOTED_OK = f"{OK}: "
"""Begins the state of a part that is well and has something to say."""

logger = structlog.get_logger(__name__)


class PartStates:
    """Since when each part is not "ok". Told by `update`, which anybody may call as often as they like."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._since: dict[str, datetime] = {}

    def update(self, parts: Mapping[str, str]) -> list[PartBehind]:
        """Every part that is behind now, in order of name. A part that comes or recovers is logged once."""
        behind = []
        for part, state in sorted(parts.items()):
            if is_ok(state):
                continue
            if part not in self._since:
                self._since[part] = self._clock()
                logger.warning("part-behind", part=part, state=state, cure=cure_of(part, state))
            since = self._since[part]
            behind.append(PartBehind(part=part, state=state, since=since, cure=cure_of(part, state)))
        for part in [name for name in self._since if is_ok(parts.get(name, OK))]:
            was_behind = self._clock() - self._since.pop(part)
            logger.info("part-recovered", part=part, seconds=round(was_behind.total_seconds()))
        return behind


def is_ok(state: str) -> bool:
    """Whether a part does its whole job."""
    return state == OK or state.startswith(NOTED_OK)


def cure_of(part: str, state: str) -> str:
    """What an operator does about it."""
    lowered = state.lower()
    return next(
        (cure for name, word, cure in CURES if part.startswith(name) and word in lowered), DEFAULT_CURE
    )


async def watch_parts(port: NodePort) -> None:
    """Until cancelled: look at the parts now and then, so that "since when" is known when somebody asks."""
    while True:
        try:
            await port.readiness()
        except NodeError as error:
            logger.warning("parts-unknown", kind=type(error).__name__)
        await asyncio.sleep(WATCH_SECONDS)
