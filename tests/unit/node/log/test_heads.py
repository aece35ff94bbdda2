import pytest

from fakes.hosted_log import HostedLog
from testamur.registry.checkpoints import cosign, verify_cosignatures
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.notes import COSIGNATURE_ED25519, NoteSigner


def cosigner(number):
    key = SigningKey.from_seed(Algorithm.ED25519, bytes([number]) * 32)
    return NoteSigner(name=f"w{number}.example", key=key, algorithm=COSIGNATURE_ED25519)


ONE, TWO = cosigner(1), cosigner(2)
KEYS = [ONE.verifier_key, TWO.verifier_key]


def line(signer, head, time=1_700_000_000):
    return cosign(head.checkpoint, signer.name, signer.key, time).to_text().encode()


@pytest.fixture
def log(tmp_path):
    hosted = HostedLog(tmp_path)
    hosted.publish(1)
    hosted.publish(1)
    yield hosted
    hosted.writer.close()


def test_cosignatures_are_added_to_the_published_head_and_served(log):
    head = log.writer.reader.get_head()
    log.writer.attach_cosignatures(4, line(ONE, head), KEYS)
    answer = log.writer.attach_cosignatures(4, line(TWO, head, 1_700_000_005), KEYS)
    assert verify_cosignatures(answer, KEYS) == {
        ONE.verifier_key: 1_700_000_000,
        TWO.verifier_key: 1_700_000_005,
    }
    assert log.writer.reader.find_resource("checkpoint") == answer.to_bytes()
    assert log.writer.reader.get_head(4) == answer


def test_cosignatures_survive_reopening_and_the_next_head_has_none_of_them(log):
    head = log.writer.reader.get_head()
    cosigned = log.writer.attach_cosignatures(4, line(ONE, head), KEYS)
    again = log.reopened()
    assert again.writer.reader.get_head() == cosigned
    newer = again.publish(1)
    assert verify_cosignatures(newer, KEYS) == {}
    assert again.writer.reader.get_head(4) == cosigned
    again.writer.close()


def test_a_late_cosignature_goes_to_its_own_size(log):
    old = log.writer.reader.get_head(2)
    log.writer.attach_cosignatures(2, line(ONE, old), KEYS)
    assert verify_cosignatures(log.writer.reader.get_head(2), KEYS)
    assert not verify_cosignatures(log.writer.reader.get_head(), KEYS)


def test_the_first_cosignature_of_a_key_is_kept(log):
    head = log.writer.reader.get_head()
    first = log.writer.attach_cosignatures(4, line(ONE, head, 100), KEYS)
    assert log.writer.attach_cosignatures(4, line(ONE, head, 200), KEYS) == first
    assert log.writer.attach_cosignatures(4, line(ONE, head, 100), KEYS) == first


def test_lines_of_unknown_keys_are_dropped(log):
    head = log.writer.reader.get_head()
    both = line(cosigner(9), head) + line(ONE, head)
    answer = log.writer.attach_cosignatures(4, both, [ONE.verifier_key])
    assert [signature.name for signature in answer.note.signatures] == [log.writer.origin, ONE.name]


def test_a_line_under_a_known_name_that_is_not_its_is_refused(log):
    older = log.writer.reader.get_head(2)
    with pytest.raises(VerificationError, match="note-signature-invalid"):
        log.writer.attach_cosignatures(4, line(ONE, older), KEYS)
    assert verify_cosignatures(log.writer.reader.get_head(), KEYS) == {}


@pytest.mark.parametrize("wrong", [b"\n", b"hello\n", b"\xff\n", "— w1.example !!!\n".encode()])
def test_what_is_no_signature_line_is_refused(log, wrong):
    with pytest.raises(MalformedError):
        log.writer.attach_cosignatures(4, wrong, KEYS)


def test_no_lines_change_nothing(log):
    head = log.writer.reader.get_head()
    assert log.writer.attach_cosignatures(4, b"", KEYS) == head == log.writer.reader.get_head()


def test_a_size_that_was_never_published_is_refused(log):
    with pytest.raises(KeyError):
        log.writer.attach_cosignatures(3, line(ONE, log.writer.reader.get_head()), KEYS)
