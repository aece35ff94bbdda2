"""Answers of an endpoint that are no use: an error of its own, or something untrue."""

from testamur.node.chain import values
from testamur.node.errors import ChainUnavailable


class RpcRefused(ChainUnavailable):
    """The endpoint answered with a JSON-RPC error; `data` holds the bytes of a revert, if there are any."""

    def __init__(self, method: str, code: int, message: str, data: bytes | None) -> None:
        super().__init__(f"the endpoint refused {method}: {message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class NotTaken(ChainUnavailable):
    """A transaction that no endpoint takes as it is: the account cannot pay for it, or it breaks a rule."""


class FalseAnswer(ChainUnavailable):
    """The endpoint answered, and what it answered is not true."""


def refused(method: str, error: object) -> RpcRefused:
    """What the error of a JSON-RPC answer says."""
    details = values.members(error, "error") if isinstance(error, dict) else {}
    code, message, raw = details.get("code"), details.get("message"), details.get("data")
    if isinstance(raw, dict):
        # Hardhat's and Ganache's names for the bytes of a revert.
        raw = raw.get("data", raw.get("result"))
    try:
        revert = values.data(raw, "a revert") if raw is not None else None
    except ChainUnavailable:
        revert = None
    return RpcRefused(method, code if isinstance(code, int) else 0, str(message)[:500], revert)
