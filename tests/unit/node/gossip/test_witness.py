import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.disks import CountingDisk, PowerCut, StoppingDisk
from testamur.node.errors import StoreCorrupt, StoreLocked
from testamur.node.gossip.witness import SIZE_CONTENT_TYPE, Witness
from testamur.registry.checkpoints import (
    AddCheckpointRequest,
    Checkpoint,
    cosign,
    parse_signed_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.merkle import EMPTY_ROOT, prove_consistency, root_hash
from testamur.registry.notes import NoteSigner, parse_signature_lines

ORIGIN = "registry.example/ada/1"
LEAVES = [hashlib.sha256(b"leaf %d" % number).digest() for number in range(64)]


def key(number):
    return SigningKey.from_seed(Algorithm.ED25519, bytes([number]) * 32)


LOG = NoteSigner(name=ORIGIN, key=key(1))
LOG_KEYS = {ORIGIN: LOG.verifier_key}


def head(size, root=None, signer=LOG, origin=ORIGIN):
    checkpoint = Checkpoint(origin=origin, size=size, root=root or root_hash(LEAVES[:size]))
    return parse_signed_checkpoint(sign_checkpoint(checkpoint, signer.key))


def request(old_size, new, proof=None):
    size = new.checkpoint.size
    if proof is None:
        proof = prove_consistency(LEAVES, old_size, size) if old_size <= size else []
    return AddCheckpointRequest(old_size=old_size, proof=tuple(proof), checkpoint=new).to_bytes()


class Clock:
    now = 1_700_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def witness(tmp_path, clock):
    opened = Witness(tmp_path / "witness", "witness.example/w1", key(2), clock, disk=CountingDisk())
    yield opened
    opened.close()


def cosigned(witness, old_size, new):
    answer = witness.add_checkpoint(request(old_size, new), LOG_KEYS)
    assert (answer.status, answer.reason) == (200, "cosigned"), answer
    return new.with_signatures(parse_signature_lines(answer.body.decode()))


def test_the_first_checkpoint_is_cosigned_at_the_clock_s_time(witness, clock):
    head_with_line = cosigned(witness, 0, head(5))
    assert verify_cosignature(head_with_line, witness.verifier_key) == clock.now


def test_each_extension_is_cosigned_and_recorded_with_the_log_s_line_and_its_own(witness):
    for old_size, size in ((0, 5), (5, 6), (6, 40), (40, 40), (40, 64)):
        cosigned(witness, old_size, head(size))
        recorded = witness.find_checkpoint(ORIGIN)
        assert verify_checkpoint(recorded, LOG.verifier_key).size == size
        assert verify_cosignature(recorded, witness.verifier_key)
        assert len(recorded.note.signatures) == 2


def test_an_empty_log_is_cosigned_with_the_empty_root_only(witness):
    cosigned(witness, 0, head(0, EMPTY_ROOT))
    answer = witness.add_checkpoint(request(0, head(0, bytes(32))), LOG_KEYS)
    assert answer.status == 422


def test_malformed_requests_are_400(witness):
    good = request(0, head(5))
    for body in (b"", b"old 0\n", good.replace(b"old 0", b"old 00"), good[:-9], b"\xff" + good, good[4:]):
        answer = witness.add_checkpoint(body, LOG_KEYS)
        assert (answer.status, answer.reason) == (400, "malformed")
    assert witness.find_checkpoint(ORIGIN) is None


def test_an_old_size_above_the_checkpoint_s_is_400(witness):
    cosigned(witness, 0, head(9))
    assert witness.add_checkpoint(request(9, head(5)), LOG_KEYS).status == 400


def test_an_unknown_log_is_404(witness):
    other = "registry.example/bob/1"
    answer = witness.add_checkpoint(request(0, head(5, origin=other)), LOG_KEYS)
    assert (answer.status, answer.reason) == (404, "log-unknown")
    assert witness.find_checkpoint(other) is None


def test_a_checkpoint_without_its_log_s_signature_is_403(witness):
    stranger = NoteSigner(name=ORIGIN, key=key(7))
    answer = witness.add_checkpoint(request(0, head(5, signer=stranger)), LOG_KEYS)
    assert (answer.status, answer.reason) == (403, "note-unsigned")


def test_a_line_under_the_log_s_key_that_fails_is_403(witness):
    wrong = head(5).to_bytes().replace(b"\n5\n", b"\n6\n")
    body = b"old 0\n\n" + wrong
    assert witness.add_checkpoint(body, LOG_KEYS).status == 403


def test_another_old_size_than_recorded_is_409_with_the_size(witness):
    unseen = witness.add_checkpoint(request(3, head(5)), LOG_KEYS)
    assert (unseen.status, unseen.body, unseen.content_type) == (409, b"0\n", SIZE_CONTENT_TYPE)
    cosigned(witness, 0, head(5))
    for old_size in (0, 4):
        answer = witness.add_checkpoint(request(old_size, head(9)), LOG_KEYS)
        assert (answer.status, answer.body, answer.content_type) == (409, b"5\n", "text/x.tlog.size")
    assert witness.find_checkpoint(ORIGIN).checkpoint.size == 5


def test_a_checkpoint_that_does_not_extend_the_recorded_one_is_422(witness):
    cosigned(witness, 0, head(5))
    proof = prove_consistency(LEAVES, 5, 9)
    for body in (
        request(5, head(9, bytes(32)), proof),
        request(5, head(9), proof[:-1]),
        request(5, head(9), [*proof, bytes(32)]),
        request(5, head(9), []),
    ):
        answer = witness.add_checkpoint(body, LOG_KEYS)
        assert (answer.status, answer.reason) == (422, "consistency-mismatch")
    assert witness.find_checkpoint(ORIGIN).checkpoint == head(5).checkpoint


def test_a_proof_where_none_belongs_is_422(witness):
    assert witness.add_checkpoint(request(0, head(5), [bytes(32)]), LOG_KEYS).status == 422
    cosigned(witness, 0, head(5))
    assert witness.add_checkpoint(request(5, head(5), [bytes(32)]), LOG_KEYS).status == 422


def test_two_roots_for_one_size_are_422_and_named(witness):
    cosigned(witness, 0, head(5))
    answer = witness.add_checkpoint(request(5, head(5, bytes(32)), []), LOG_KEYS)
    assert (answer.status, answer.reason) == (422, "equivocation")


def test_a_clock_that_is_set_back_never_makes_a_larger_tree_older(witness, clock):
    first = verify_cosignature(cosigned(witness, 0, head(5)), witness.verifier_key)
    clock.now -= 1000
    assert verify_cosignature(cosigned(witness, 5, head(6)), witness.verifier_key) == first
    clock.now += 5000
    assert verify_cosignature(cosigned(witness, 6, head(7)), witness.verifier_key) == clock.now


def test_lines_of_others_are_ignored_and_not_kept(witness):
    noisy = head(5).with_signatures(
        [cosign(head(5).checkpoint, f"w{n}.example", key(9), 5) for n in range(20)]
    )
    answer = witness.add_checkpoint(request(0, noisy), LOG_KEYS)
    assert answer.status == 200
    assert len(answer.body.splitlines()) == 1
    assert len(witness.find_checkpoint(ORIGIN).note.signatures) == 2


def test_the_record_survives_reopening(tmp_path, witness, clock):
    cosigned(witness, 0, head(5))
    witness.close()
    again = Witness(tmp_path / "witness", "witness.example/w1", key(2), clock)
    assert again.add_checkpoint(request(0, head(9)), LOG_KEYS).body == b"5\n"
    assert again.add_checkpoint(request(5, head(9)), LOG_KEYS).status == 200
    again.close()


def test_a_second_witness_on_the_same_folder_is_refused(tmp_path, witness, clock):
    with pytest.raises(StoreLocked):
        Witness(tmp_path / "witness", "witness.example/w1", key(2), clock)


def test_a_damaged_record_is_refused_with_the_cure(tmp_path, witness):
    cosigned(witness, 0, head(5))
    path = next((tmp_path / "witness").glob("*.checkpoint"))
    path.write_bytes(path.read_bytes().replace(b"\n5\n", b"\n4\n"))
    with pytest.raises(StoreCorrupt, match="ask the other members for the newest head"):
        witness.add_checkpoint(request(5, head(9)), LOG_KEYS)


def test_logs_are_recorded_apart(witness):
    other = NoteSigner(name="registry.example/bob/1", key=key(3))
    keys = {**LOG_KEYS, other.name: other.verifier_key}
    cosigned(witness, 0, head(5))
    answer = witness.add_checkpoint(request(0, head(3, signer=other, origin=other.name)), keys)
    assert answer.status == 200
    assert witness.find_checkpoint(ORIGIN).checkpoint.size == 5
    assert witness.find_checkpoint(other.name).checkpoint.size == 3


def test_of_many_requests_at_once_that_fork_the_log_one_history_is_cosigned(witness):
    """Thirty threads offer trees of which none extends another; only steps of one history may be answered 200."""
    cosigned(witness, 0, head(1))
    forks = {}
    for number in range(30):
        leaves = [
            LEAVES[0],
            *(hashlib.sha256(b"%d %d" % (number, at)).digest() for at in range(number % 5 + 1)),
        ]
        forks[number] = (leaves, head(len(leaves), root_hash(leaves)))
    answers = {}

    def offer(number):
        leaves, new = forks[number]
        body = request(1, new, prove_consistency(leaves, 1, len(leaves)))
        answers[number] = witness.add_checkpoint(body, LOG_KEYS)

    threads = [threading.Thread(target=offer, args=(number,)) for number in forks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    statuses = sorted(answer.status for answer in answers.values())
    assert statuses == [200] + [409] * 29
    (chosen,) = [number for number, answer in answers.items() if answer.status == 200]
    assert witness.find_checkpoint(ORIGIN).checkpoint == forks[chosen][1].checkpoint


@pytest.mark.parametrize("landed", [True, False])
def test_a_cosignature_that_left_is_on_disk_whenever_the_power_is_cut(tmp_path, clock, landed):
    for stop_at in range(1, 60):
        folder = tmp_path / str(stop_at)
        disk = StoppingDisk(stop_at, landed=landed)
        answered, opened = 0, None
        try:
            opened = Witness(folder, "w.example", key(2), clock, disk=disk)
            for old_size, size in ((0, 5), (5, 9)):
                assert opened.add_checkpoint(request(old_size, head(size)), LOG_KEYS).status == 200
                answered = size
        except PowerCut:
            disk.lose_unsynced()
        if opened is not None:
            opened.close()
        again = Witness(folder, "w.example", key(2), clock)
        recorded = again.find_checkpoint(ORIGIN)
        assert (0 if recorded is None else recorded.checkpoint.size) >= answered
        again.close()
        if answered == 9:
            return
    raise AssertionError("the witness never came to its end")


@given(st.binary(max_size=400))
def test_no_bytes_make_a_witness_raise(tmp_path_factory, body):
    opened = Witness(tmp_path_factory.mktemp("w"), "w.example", key(2), Clock(), disk=CountingDisk())
    assert opened.add_checkpoint(body, LOG_KEYS).status == 400
    opened.close()


def test_of_a_superseded_log_only_the_cosigned_head_is_cosigned_again(witness):
    ended = {ORIGIN}
    assert witness.add_checkpoint(request(0, head(5)), LOG_KEYS, superseded=ended).status == 403
    assert (
        witness.add_checkpoint(request(0, head(5)), LOG_KEYS, superseded={"registry.example/x/1"}).status
        == 200
    )
    assert witness.add_checkpoint(request(5, head(5)), LOG_KEYS, superseded=ended).status == 200
    answer = witness.add_checkpoint(request(5, head(9)), LOG_KEYS, superseded=ended)
    assert (answer.status, answer.reason) == (403, "log-superseded")
    assert witness.find_checkpoint(ORIGIN).checkpoint.size == 5
