"""One damaged dossier keeps no other one from its evidence, and nothing is left beside the dossiers."""

import pytest

from fakes.whole_registry import World
from testamur.node.errors import PeerUnreachable
from testamur.node.service.completion import MAX_DOSSIER_BYTES, Issued, complete
from testamur.registry.canonical import canonicalize
from testamur.registry.dossiers import encode_dossier, parse_dossier

ORIGIN = "registry.example/ada/1"


class Node:
    """Has evidence of everything, until it has answered `answers` times."""

    def __init__(self, evidence, answers=100):
        self.evidence, self.answers = evidence, answers

    def first_evidence_at(self, credential, origin, leaf_index, digest):
        self.answers -= 1
        if self.answers < 0:
            raise PeerUnreachable("gone")
        return self.evidence


@pytest.fixture(scope="module")
def whole():
    return parse_dossier(canonicalize(World().dossier()))


@pytest.fixture
def issued(tmp_path, whole):
    made = [
        Issued(path=tmp_path / f"{number}.credential.json", digest=bytes(32), leaf_index=number)
        for number in range(3)
    ]
    for item in made:
        item.path.write_bytes(encode_dossier(whole[0], None))
    return made


def has_evidence(item):
    return parse_dossier(item.path.read_bytes())[1] is not None


@pytest.mark.parametrize("damage", [b'{"credential":', b"", b"[]", b" " * (MAX_DOSSIER_BYTES + 1)])
def test_a_damaged_dossier_is_counted_and_left_alone_and_the_others_are_completed(issued, whole, damage):
    issued[1].path.write_bytes(damage)
    done = complete(Node(whole[1]), ORIGIN, issued)
    assert (done.completed, done.anchored, done.damaged, done.missing) == (2, 2, 1, 0)
    assert issued[1].path.read_bytes() == damage
    assert has_evidence(issued[0])
    assert has_evidence(issued[2])


def test_a_missing_dossier_is_no_damaged_one(issued, whole):
    issued[1].path.unlink()
    done = complete(Node(whole[1]), ORIGIN, issued)
    assert (done.completed, done.damaged, done.missing) == (2, 0, 1)


def test_a_run_that_breaks_off_leaves_the_dossiers_and_nothing_beside_them(tmp_path, issued, whole):
    with pytest.raises(PeerUnreachable):
        complete(Node(whole[1], answers=1), ORIGIN, issued)
    assert sorted(tmp_path.iterdir()) == [item.path for item in issued]
    assert complete(Node(whole[1]), ORIGIN, issued).completed == 3
