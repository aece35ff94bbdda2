"""A mirror holds an issuer to its status lists as a host does: version by version, as statements name them."""

import pytest

from fakes.disks import CountingDisk
from fakes.memory_log import DID, LIST_ID, TIME, MemoryLog, key
from testamur.node.gossip.mirror import Mirror
from testamur.node.gossip.mirror_keys import MirroredLog
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import build_status_list_credential
from testamur.registry.status_records import RecordBatch, build_records


@pytest.fixture
def log():
    return MemoryLog().admit()


@pytest.fixture
def mirror(tmp_path):
    opened = Mirror(tmp_path, "mirror.example/m1", key(50), lambda: 1_700_000_000, disk=CountingDisk())
    yield opened
    opened.close()


def answer(mirror, log):
    """What the mirror says to the log sealed as it is."""
    mirrored = MirroredLog(key=log.verifier_key, did=DID, first_key_event=log.events[0].digest)
    return mirror.cosign(log.seal(), mirrored, log).reason


def stated(log, *indexes, **options):
    """A version of the list with these bits, and a statement that names it."""
    log.revoke(*indexes, **options)
    log.state()


def junk(log, *, issuer=DID, purpose="revocation", bits=None):
    """A status list under the same id that no statement names."""
    document = build_status_list_credential(
        list_id=LIST_ID, issuer=issuer, purpose=purpose, bits=bits or StatusBits(), valid_from=TIME
    )
    return log.log_document(document)


def test_revocations_that_are_added_are_cosigned(mirror, log):
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    stated(log, 5, 9)
    stated(log, 5, 9, 11)
    assert answer(mirror, log) == "cosigned"


def test_a_revocation_that_is_taken_back_is_refused(mirror, log):
    stated(log, 5, 9)
    assert answer(mirror, log) == "cosigned"
    stated(log, 5)
    assert answer(mirror, log) == "status-bit-cleared"


def test_a_revocation_that_is_taken_back_between_two_seals_is_refused(mirror, log):
    stated(log, 5)
    stated(log, 6)
    assert answer(mirror, log) == "status-bit-cleared"


def test_a_version_that_no_statement_named_binds_nobody(mirror, log):
    """As a host does that had to stop between a list and its statement."""
    log.revoke(5)
    stated(log, 6)
    assert answer(mirror, log) == "cosigned"
    stated(log, 6, 7)
    assert answer(mirror, log) == "cosigned"


def test_a_suspension_may_be_lifted(mirror, log):
    stated(log, 5, purpose="suspension")
    assert answer(mirror, log) == "cosigned"
    stated(log, purpose="suspension")
    assert answer(mirror, log) == "cosigned"


def test_a_list_of_revocations_becomes_none_of_suspensions(mirror, log):
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    stated(log, purpose="suspension")
    assert answer(mirror, log) == "status-list-changed-kind"


def test_a_version_of_another_purpose_in_between_clears_nothing(mirror, log):
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    log.revoke(purpose="suspension")
    stated(log)
    assert answer(mirror, log) == "status-bit-cleared"


def test_a_list_by_another_issuer_under_the_same_id_changes_nothing(mirror, log):
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    junk(log, issuer="did:web:mallory.example", purpose="message")
    assert answer(mirror, log) == "cosigned"
    stated(log, 5, 6)
    assert answer(mirror, log) == "cosigned"
    junk(log, issuer="did:web:mallory.example", purpose="message")
    stated(log)
    assert answer(mirror, log) == "status-bit-cleared"


def test_a_list_that_a_statement_names_and_nobody_logged_is_refused(mirror, log):
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    log.revoke()
    log.entries.pop()
    log.state()
    assert answer(mirror, log) == "statement-roots-mismatch"


def test_a_list_that_vanishes_from_the_statements_is_refused(mirror, log):
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    log.lists.clear()
    log.state()
    assert answer(mirror, log) == "statement-roots-mismatch"


def test_a_list_whose_version_stands_still_is_refused(mirror, log):
    stated(log, 5)
    log.stated.clear()
    stated(log, 5, 6)
    assert answer(mirror, log) == "statement-roots-mismatch"


def test_the_next_epoch_starts_with_the_lists_of_the_one_before(mirror, log):
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    later = log.succeed()
    assert answer(mirror, later) == "cosigned"
    stated(later, 5, 6)
    assert answer(mirror, later) == "cosigned"
    third = later.succeed()
    stated(third, 6)
    assert answer(mirror, third) == "status-bit-cleared"


def test_a_bit_cleared_in_the_first_statement_of_an_epoch_is_refused(mirror, log):
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    later = log.succeed()
    stated(later)
    assert answer(mirror, later) == "status-bit-cleared"


def test_the_next_epoch_does_not_go_back_to_an_older_statement(mirror, log):
    old = log.statements[-1]
    stated(log, 5)
    assert answer(mirror, log) == "cosigned"
    later = log.succeed()
    later.statements = [old]
    later.lists.clear()
    assert answer(mirror, later) == "mirror-statement-older"


def test_an_epoch_whose_predecessor_with_lists_was_not_mirrored_is_refused(mirror, log):
    stated(log, 5)
    later = log.succeed()
    stated(later)
    assert answer(mirror, later) == "statement-roots-mismatch"


# ---------------------------------------------------------------------------------------------- records


def batch(statement, root=b"\x01"):
    return RecordBatch(statement=statement, time=TIME, count=1, root=root * 32)


def with_records(log, *batches):
    """A version of the list with these batches of records beside it, and a statement that names both."""
    log.revoke(*range(5, 5 + len(batches)))
    log.log_document(build_records(LIST_ID, batches))
    log.name_records(LIST_ID, batches)
    log.state()


def test_records_grow_with_the_statements_that_bring_them(mirror, log):
    with_records(log, batch(2))
    assert answer(mirror, log) == "cosigned"
    log.revoke(5, 6)
    log.name_records(LIST_ID, (batch(2),))
    log.state()
    assert answer(mirror, log) == "cosigned"


def test_records_of_each_statement_stand_beside_those_before(mirror, log):
    with_records(log, batch(2))
    assert answer(mirror, log) == "cosigned"
    with_records(log, batch(2), batch(3))
    assert answer(mirror, log) == "cosigned"


def test_a_version_that_drops_the_records_is_refused(mirror, log):
    with_records(log, batch(2))
    assert answer(mirror, log) == "cosigned"
    stated(log, 5, 6)
    assert answer(mirror, log) == "statement-roots-mismatch"


@pytest.mark.parametrize(
    "batches",
    [(batch(3, b"\x02"),), (batch(2, b"\x02"), batch(3)), (batch(2), batch(4))],
    ids=["dropped", "rewritten", "of another statement"],
)
def test_records_that_rewrite_the_earlier_ones_are_refused(mirror, log, batches):
    with_records(log, batch(2))
    assert answer(mirror, log) == "cosigned"
    with_records(log, *batches)
    assert answer(mirror, log) == "statement-roots-mismatch"
