"""What the anchorer asks for, tells, and is told: its port, its options and its states."""

import enum
from dataclasses import dataclass
from typing import Final, Protocol

from testamur.node.chain.capture import LogHead
from testamur.node.chain.contracts import ContractRefused
from testamur.node.chain.intents import AnchorRequest

DEFAULT_MAX_FEE_WEI: Final = 500_000_000_000
"""500 gwei: an anchor of 100 k gas then costs 0.05 ether. Above it, waiting is cheaper than anchoring."""


class AnchorSource(Protocol):
    """What the anchorer needs from whoever keeps the logs. Called from its task only, one call at a time."""

    async def newest(self, log_id: bytes, old_size: int) -> AnchorRequest | None:
        """The newest checkpoint that may be anchored, proven from `old_size`; None when it is not larger."""

    async def anchored(self, head: LogHead, transaction_hash: bytes | None) -> None:
        """The log's head, final and proven. Durable on return; may be repeated after a crash.

        Compare the root with the log's own: another one means that somebody else holds the operator's key.
        """

    async def refused(self, log_id: bytes, error: ContractRefused) -> None:
        """The contract takes no such anchor; it is tried again when the log is woken again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorerOptions:
    """How an anchorer paces itself, and what it may pay per gas.

    A transaction is sent again after `resend_seconds` without being mined (mempools forget), and outbid after
    `stuck_seconds`.
    """

    poll_seconds: float = 2.0
    resend_seconds: float = 30.0
    stuck_seconds: float = 180.0
    max_batch: int = 64
    max_fee_wei: int = DEFAULT_MAX_FEE_WEI


class AnchorState(enum.StrEnum):
    """What the anchorer is doing; `waiting` is for the chain, the money or the fees, as `reason` says."""

    IDLE = "idle"
    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorerStatus:
    """For people and metrics: the state, the logs concerned, and why it waits.

    `block_number` is the block whose finality is waited for.
    """

    state: AnchorState
    log_ids: tuple[bytes, ...] = ()
    transaction_hash: bytes | None = None
    block_number: int | None = None
    reason: str = ""


class Pace(enum.Enum):
    """When the next step is due: at once, after a pause, or when a log is woken."""

    AGAIN = enum.auto()
    LATER = enum.auto()
    IDLE = enum.auto()
