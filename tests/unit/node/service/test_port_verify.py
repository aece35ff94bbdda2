"""What the HTTP interface does with a dossier: a verdict, and never a failure of the node."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from fakes.whole_registry import NOW, World, trust
from testamur.node.api.ports import NotReady
from testamur.node.service.port import ServicePort
from testamur.node.service.workers import Workers
from testamur.registry.errors import MalformedError

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
