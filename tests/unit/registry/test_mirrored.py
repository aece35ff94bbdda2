"""The size of a log is left to the mirrors only where a quorum of them vouches for it."""

import pytest

from fakes.whole_registry import World, judge, trust_document
from testamur.registry.canonical import canonicalize
from testamur.registry.evidence import parse_evidence
from testamur.registry.evidence_building import tailored
from testamur.registry.mirrored import mirrored_logs
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import Outcome


def without_mirrors():
    """A trust file that asks for no mirror at all."""
    document = trust_document()
    document["policies"]["mirror"] = "quorum none\n"
    return parse_trust_file(canonicalize(document))


def test_where_no_mirror_is_asked_for_a_holders_file_is_as_good_as_the_nodes():
    world = World(mirrors=())
    whole, trust = world.evidence(), without_mirrors()
    assert mirrored_logs(parse_evidence(whole).logs.values(), trust) == frozenset()
    kept = tailored(whole, world.credential, mirrored=())
    found = [
        judge({"credential": world.credential, "evidence": item}, trust=trust)
        for item in (whole, kept, tailored(whole, world.credential, mirrored={str(world.origin)}))
    ]
    assert [verdict.outcome for verdict in found] == [Outcome.VALID, Outcome.VALID, Outcome.INDETERMINATE]


@pytest.mark.parametrize(("mirrors", "is_mirrored"), [((), False), (("ada",), False), (("ada", "bit"), True)])
def test_a_log_is_mirrored_when_the_quorum_of_the_trust_file_cosigned_it(mirrors, is_mirrored):
    logs = parse_evidence(World(mirrors=mirrors).evidence()).logs.values()
    assert bool(mirrored_logs(logs, parse_trust_file(canonicalize(trust_document())))) == is_mirrored
