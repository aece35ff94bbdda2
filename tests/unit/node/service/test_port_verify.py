"""What the HTTP interface does with a dossier: a verdict, and never a failure of the node."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from fakes.hostings import StoppedNode
from fakes.whole_registry import NOW, World, trust
from testamur.node.api.ports import NotReady
from testamur.node.service.log_evidence import log_evidence
from testamur.node.service.port import ServicePort
from testamur.node.service.workers import Workers
from testamur.registry.canonical import parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.newer_evidence import newest_statements

WORKERS = Workers("test", workers=1)


def port(workers):
    return ServicePort(
        SimpleNamespace(trust=trust(), clock=lambda: NOW, supplied={}, hostings={}, workers=workers)
    )


PORT = port(WORKERS)
DOSSIER = World().dossier()


async def test_a_dossier_is_judged_as_of_now_or_a_moment_before():
    assert (await PORT.verify(DOSSIER, None))["outcome"] == "valid"
    assert (await PORT.verify(DOSSIER, NOW))["at"] == "valid"


async def test_a_moment_in_the_future_is_the_callers_mistake_and_not_the_nodes():
    with pytest.raises(MalformedError, match="future"):
        await PORT.verify(DOSSIER, NOW + timedelta(seconds=1))


@pytest.mark.parametrize("asked", ["verify", "judge"])
async def test_when_too_much_is_judged_already_more_is_refused_and_does_not_wait(asked):
    busy = Workers("busy", workers=1, max_waiting=0)
    with pytest.raises(NotReady):
        await getattr(port(busy), asked)(DOSSIER, None)


async def test_beside_its_anchored_evidence_a_node_has_that_of_its_newest_head(tmp_path):
    """What is sealed and not anchored yet is served to nobody as evidence of a credential, and judged by."""
    node, digest = StoppedNode(tmp_path / "node"), sha256(b"diploma")
    hosting = node.host("ada")
    hosting.log.submit([digest])
    head = hosting.log.seal()
    hosting.captures.put(head.checkpoint.size, log_evidence(hosting.log, head, []))
    node.state("ada", 7)
    hosting.log.seal()
    own = ServicePort(
        SimpleNamespace(
            clock=lambda: NOW,
            index=node.index,
            hostings=node.hostings,
            hosting_of=lambda name: hosting,
            workers=WORKERS,
        )
    )
    for newest, statement in ((False, 1), (True, 2)):
        served = parse_json(await own.evidence(digest, newest=newest), subject="evidence")
        ((_, _, number),) = newest_statements(served).values()
        assert (number, len(served["entries"])) == (statement, 1)
    assert await own.evidence(digest) == await own.evidence(digest, newest=False)
    node.close()
