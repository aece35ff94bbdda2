"""A credential's first evidence: the same as step by step, read once for a whole class."""

import pytest

from fakes.whole_registry import World
from testamur.node.fetch import registry
from testamur.node.fetch.http import Response
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.canonical import canonicalize
from testamur.registry.credentials import credential_digest
from testamur.registry.hashing import sha256
from testamur.registry.tiles import TILE_WIDTH, TileTree

WORLD = World(others=40)
DIGEST = credential_digest(WORLD.credential)
ORIGIN = str(WORLD.origin)


class Node:
    """Answers a client with the world's evidence, as often as it is asked."""

    def __init__(self, world):
        self.world = world
        self.asked = 0

    def get(self, path):
        self.asked += 1
        if "newest" in path and self.world is None:
            return Response(status=404, body=b"{}")
        return Response(status=200, body=canonicalize(self.world.evidence()))

    def close(self):
        pass


@pytest.fixture
def client(monkeypatch):
    leaves = WORLD.leaves()
    assert len(leaves) < TILE_WIDTH
    client = RegistryClient("http://127.0.0.1:9")
    monkeypatch.setattr(client, "_http", Node(WORLD))
    monkeypatch.setattr(
        client, "_tile", lambda _origin, _level, _index, width: b"".join(leaves)[: 32 * width]
    )
    return client


def test_the_first_evidence_is_what_the_single_steps_give(client):
    whole = client.evidence_at(ORIGIN, WORLD.leaf_index, DIGEST)
    wanted = client.refreshed(whole, None, WORLD.credential)
    assert client.first_evidence_at(WORLD.credential, ORIGIN, WORLD.leaf_index, DIGEST) == wanted


def test_a_class_asks_for_its_log_once_and_reads_it_once(client, monkeypatch):
    parsed = []
    monkeypatch.setattr(
        registry,
        "parse_evidence",
        lambda document, real=registry.parse_evidence: parsed.append(1) or real(document),
    )
    for _ in range(5):
        client.first_evidence_at(WORLD.credential, ORIGIN, WORLD.leaf_index, DIGEST)
    # The log's evidence, and the trust file that says how much of it may be left out.
    assert (client._http.asked, len(parsed)) == (2, 1)
    client.forget_logs()
    client.first_evidence_at(WORLD.credential, ORIGIN, WORLD.leaf_index, DIGEST)
    assert (client._http.asked, len(parsed)) == (3, 2)


def test_a_credential_beyond_every_checkpoint_has_no_first_evidence(client):
    beyond = len(WORLD.leaves())
    assert client.first_evidence_at(WORLD.credential, ORIGIN, beyond, DIGEST) is None
    assert client.evidence_at(ORIGIN, beyond, DIGEST) is None


def test_the_first_evidence_names_the_digest_that_was_asked_for(client):
    other = sha256(b"another credential")
    evidence = client.first_evidence_at(WORLD.credential, ORIGIN, WORLD.leaf_index, other)
    whole = client.evidence_at(ORIGIN, WORLD.leaf_index, DIGEST)
    assert evidence["entries"][0]["digest"] != whole["entries"][0]["digest"]


def test_trees_are_kept_and_their_number_is_bounded(client):
    size = len(WORLD.leaves())
    tree = client._tree(ORIGIN, size)
    assert isinstance(tree, TileTree)
    assert client._tree(ORIGIN, size) is tree
    for other in range(1, 3 * registry.MAX_TREES):
        client._tree(ORIGIN, other)
    assert len(client._trees) <= registry.MAX_TREES
