"""Waiting until a statement is anchored: from then on the host cannot hide it any more."""

import time
from collections.abc import Callable

from testamur.node.fetch.registry import RegistryClient
from testamur.registry.evidence import parse_evidence
from testamur.registry.evm.anchors import ANCHOR_TYPE, parse_anchor, prove_storage
from testamur.registry.shapes import Shape
from testamur.registry.statements import parse_statement

POLL_SECONDS = 0.5


def wait_until_sealed(
    client: RegistryClient,
    origin: str,
    sequence: int,
    *,
    timeout_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> int | None:
    """The block at which the host proves the statement, or a later one, to be anchored; None: not in time.

    Raises what the client raises.
    """
    deadline = clock() + timeout_seconds
    while True:
        client.forget_logs()
        block = _anchored_at(client, origin, sequence)
        if block is not None or clock() >= deadline:
            return block
        sleep(POLL_SECONDS)


def _anchored_at(client: RegistryClient, origin: str, sequence: int) -> int | None:
    document = client.log_evidence(origin)
    if document is None:
        return None
    evidence = parse_evidence(document)
    if origin not in evidence.logs or not evidence.anchors:
        return None
    if parse_statement(evidence.logs[origin].statement).sequence < sequence:
        return None
    anchors = [item for item in evidence.anchors if Shape(item, "anchor").any("type") == ANCHOR_TYPE]
    return max((prove_storage(parse_anchor(item)).header.number for item in anchors), default=None)
