"""Which list an id means, when several logs know it; and which version was in force."""

from datetime import timedelta

import pytest

from fakes.hostings import LIST, StoppedNode
from fakes.issuers import DID
from testamur.node.service.status_lookup import find_status_list, published_documents
from testamur.registry.canonical import parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.status_lists import parse_status_list


@pytest.fixture
def node(tmp_path):
    stopped = StoppedNode(tmp_path / "node")
    stopped.host("ada")
    yield stopped
    stopped.close()


def find(node, *, list_id=LIST, issuer=None, at=None, logs=None):
    logs = [item.log for item in node.hostings.values()] if logs is None else logs
    return find_status_list(logs, node.index, node.documents, list_id=list_id, issuer=issuer, at=at)


def revoked(data):
    bits = parse_status_list(parse_json(data, subject="list")).bits
    return {index for index in range(20) if bits.get(index)}


class OfAnother:
    """The same log as seen by a node that hosts it for another issuer."""

    def __init__(self, log, did):
        self.log, self.did = log, did

    def __getattr__(self, name):
        return getattr(self.log, name)


def test_the_newest_version_is_found_by_its_id(node):
    assert revoked(find(node)) == set()
    node.state("ada", 3)
    assert revoked(find(node)) == {3}
    assert find(node, list_id="https://elsewhere.example/1") is None


@pytest.mark.parametrize("order", [("ada", "bit"), ("bit", "ada")])
def test_of_two_logs_of_one_issuer_the_newest_statement_counts_whatever_the_order(node, order):
    node.host("bit")
    node.state("ada", 3)
    logs = [node.hostings[slug].log for slug in order]
    assert revoked(find(node, logs=logs)) == {3}
    node.state("bit", 5)
    node.state("bit", 5, 6)
    assert revoked(find(node, logs=logs)) == {5, 6}


def test_of_two_issuers_neither_is_taken_for_the_other(node):
    node.host("bit")
    node.state("bit", 7)
    logs = [node.hostings["ada"].log, OfAnother(node.hostings["bit"].log, "did:web:bit.example")]
    with pytest.raises(MalformedError, match=r"did:web:bit\.example"):
        find(node, logs=logs)
    assert revoked(find(node, logs=logs, issuer=DID)) == set()
    assert revoked(find(node, logs=logs, issuer="did:web:bit.example")) == {7}
    assert find(node, logs=logs, issuer="did:web:nobody.example") is None


def test_the_version_in_force_at_a_moment_is_found(node):
    start = node.clock()
    for number in range(1, 6):
        node.clock.forward(hours=1)
        node.state("ada", *range(number))
    for hours in range(6):
        at = start + timedelta(hours=hours, minutes=30)
        assert revoked(find(node, at=at)) == set(range(hours))
    assert find(node, at=start - timedelta(days=1)) is None


def test_what_a_statement_names_is_listed_once_by_kind_and_id(node):
    sequence, found = published_documents(node.hostings["ada"].log, "", 10)
    assert (sequence, [(item.kind, item.id) for item in found]) == (1, [("status-list", LIST)])
    assert published_documents(node.hostings["ada"].log, f"status-list:{LIST}", 10) == (1, [])
    assert len(published_documents(node.hostings["ada"].log, f"document:{LIST}", 10)[1]) == 1
