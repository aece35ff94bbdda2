"""What the HTTP interface does with a dossier: a verdict, and never a failure of the node."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from fakes.whole_registry import NOW, World, trust
from testamur.node.service.port import ServicePort
from testamur.registry.errors import MalformedError

PORT = ServicePort(SimpleNamespace(trust=trust(), clock=lambda: NOW))
DOSSIER = World().dossier()


async def test_a_dossier_is_judged_as_of_now_or_a_moment_before():
    assert (await PORT.verify(DOSSIER, None))["outcome"] == "valid"
    assert (await PORT.verify(DOSSIER, NOW))["at"] == "valid"


async def test_a_moment_in_the_future_is_the_callers_mistake_and_not_the_nodes():
    with pytest.raises(MalformedError, match="future"):
        await PORT.verify(DOSSIER, NOW + timedelta(seconds=1))
