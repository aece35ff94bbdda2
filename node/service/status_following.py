"""Waiting until a statement is anchored: from then on the host cannot hide it any more."""

import time
from collections.abc import Callable

from testamur.node.errors import PeerMisbehaved
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.errors import RegistryError
from testamur.registry.evidence import parse_evidence
from testamur.registry.statements import parse_statement
from testamur.registry.trust import TrustFile
from testamur.registry.verification.anchored_statements import AnchoredStatement, find_anchored_statement

POLL_SECONDS = 0.5


def wait_until_sealed(
    client: RegistryClient,
    origin: str,
    sequence: int,
    *,
    trust: TrustFile | None,
    timeout_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> AnchoredStatement | None:
    """The anchor by which the host proves that the contract has this statement, or a later one.

    None: not in time. Raises what the client raises, and PeerMisbehaved for an anchor that is false.
    """
    deadline = clock() + timeout_seconds
    while True:
        client.forget_logs()
        anchored = _find_anchored(client, origin, sequence, trust)
        if anchored is not None or clock() >= deadline:
            return anchored
        sleep(POLL_SECONDS)


def _find_anchored(
    client: RegistryClient, origin: str, sequence: int, trust: TrustFile | None
) -> AnchoredStatement | None:
    document = client.log_evidence(origin)
    if document is None:
        return None
    try:
        evidence = parse_evidence(document)
        if (
            origin not in evidence.logs
            or parse_statement(evidence.logs[origin].statement).sequence < sequence
        ):
            return None
        anchored = find_anchored_statement(evidence, origin, trust)
    except RegistryError as error:
        raise PeerMisbehaved(
            f"{client.url} serves evidence of {origin} that does not hold ({error})"
        ) from error
    return anchored if anchored is not None and anchored.number >= sequence else None
