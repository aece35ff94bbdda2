from dataclasses import replace

import pytest

from fakes.disks import CountingDisk, PowerCut, StoppingDisk
from fakes.memory_log import DID, LIST_ID, LOG_KEY, ORIGIN, MemoryLog, key
from testamur.node.errors import StoreCorrupt, StoreLocked
from testamur.node.gossip.mirror import Mirror
from testamur.node.gossip.mirror_keys import MirroredLog
from testamur.registry.canonical import canonicalize
from testamur.registry.checkpoints import parse_signed_checkpoint, sign_checkpoint, verify_cosignature
from testamur.registry.entries import Entry, EntryKind
from testamur.registry.errors import VerificationError
from testamur.registry.key_events import Position
from testamur.registry.notes import NoteSigner, parse_signature_lines


@pytest.fixture
def log():
    return MemoryLog().admit()


@pytest.fixture
def mirror(tmp_path):
    opened = new_mirror(tmp_path / "mirror")
    yield opened
    opened.close()


def new_mirror(folder, disk=None):
    return Mirror(folder, "mirror.example/m1", key(50), lambda: 1_700_000_000, disk=disk or CountingDisk())


def mirrored(log, *, did=DID):
    return MirroredLog(key=log.verifier_key, did=did, first_key_event=log.events[0].digest)


def cosign(mirror, log, head):
    return mirror.cosign(head, mirrored(log), log)


def assert_cosigned(mirror, log, head):
    answer = cosign(mirror, log, head)
    assert answer.reason == "cosigned", answer
    merged = head.with_signatures(parse_signature_lines(answer.line.decode()))
    assert verify_cosignature(merged, mirror.verifier_key) == 1_700_000_000


def assert_refused(mirror, log, head, reason):
    before = mirror.find_checkpoint(ORIGIN)
    answer = cosign(mirror, log, head)
    assert (answer.reason, answer.line) == (reason, None), answer
    assert mirror.find_checkpoint(ORIGIN) == before


def test_a_sealed_log_that_is_held_whole_is_cosigned(mirror, log):
    log.log_credentials(300)
    assert_cosigned(mirror, log, log.seal())
    assert mirror.find_checkpoint(ORIGIN).checkpoint.size == len(log.entries)


def test_each_later_head_is_checked_from_where_the_last_ended(mirror, log):
    reads = []
    read = log.read_entries
    log.read_entries = lambda start, count: reads.append(start) or read(start, count)
    assert_cosigned(mirror, log, log.seal())
    log.log_credentials(10)
    assert_cosigned(mirror, log, log.seal())
    assert_cosigned(mirror, log, log.seal())
    assert reads == [0, 3, 14]


def test_the_newest_head_may_be_cosigned_again(mirror, log):
    head = log.seal()
    assert_cosigned(mirror, log, head)
    assert_cosigned(mirror, log, head)


def test_new_statements_lists_and_keys_are_followed(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    log.revoke(5)
    log.state()
    assert_cosigned(mirror, log, log.seal())
    log.rotate()
    log.revoke(5, 6)
    log.state()
    log.state()
    assert_cosigned(mirror, log, log.seal())


def test_a_log_of_many_chunks_is_cosigned_in_pieces(mirror, log):
    log.log_credentials(9000)
    assert_cosigned(mirror, log, log.seal())


# ----------------------------------------------------------------------------------------------- heads


def test_a_head_that_is_not_signed_by_the_log_is_refused(mirror, log):
    head = log.seal()
    forged = parse_signed_checkpoint(sign_checkpoint(head.checkpoint, key(9)))
    assert_refused(mirror, log, forged, "note-unsigned")


def test_a_head_of_another_log_is_refused(mirror, log):
    head = log.seal()
    other = MirroredLog(key=NoteSigner(name="registry.example/bob/1", key=LOG_KEY).verifier_key)
    assert mirror.cosign(head, other, log).reason == "checkpoint-origin-mismatch"


def test_a_head_with_another_root_than_the_entries_held_is_refused(mirror, log):
    head = log.seal()
    assert_refused(mirror, log, log.signed(head.checkpoint.size, bytes(32)), "mirror-root-mismatch")
    assert_cosigned(mirror, log, head)
    assert_refused(mirror, log, log.signed(head.checkpoint.size, bytes(32)), "mirror-root-mismatch")


def test_a_log_that_was_rewritten_is_refused(mirror, log):
    log.log_credentials(5)
    assert_cosigned(mirror, log, log.seal())
    log.entries[3] = Entry(kind=EntryKind.CREDENTIAL, digest=bytes(32))
    assert_refused(mirror, log, log.seal(), "mirror-root-mismatch")


def test_an_older_head_is_refused(mirror, log):
    old = log.seal()
    assert_cosigned(mirror, log, log.seal())
    assert_refused(mirror, log, old, "mirror-size-fell")


def test_a_head_whose_entries_are_not_held_is_refused_until_they_are(mirror, log):
    log.log_credentials(10)
    head = log.seal()
    late, log.entries = log.entries[5:], log.entries[:5]
    assert_refused(mirror, log, head, "mirror-entries-missing")
    log.entries += late
    assert_cosigned(mirror, log, head)


# ------------------------------------------------------------------------------------------- documents


def test_a_missing_document_is_refused_until_it_is_held(mirror, log):
    digest = log.log_document({"some": "accreditation"})
    head = log.seal()
    kept = log.documents.pop(digest)
    assert_refused(mirror, log, head, "mirror-document-missing")
    log.documents[digest] = kept
    assert_cosigned(mirror, log, head)


def test_a_damaged_document_is_refused(mirror, log):
    digest = log.log_document({"some": "accreditation"})
    log.documents[digest] += b" "
    assert_refused(mirror, log, log.seal(), "mirror-document-damaged")


@pytest.mark.parametrize(
    "document", [b"not JSON", b"[1]", b'{"type":"Statement"}', b'{"type":["X"]}', b'{"type":7}']
)
def test_a_document_of_any_kind_may_be_published(mirror, log, document):
    log.log_document(document)
    assert_cosigned(mirror, log, log.seal())


# ----------------------------------------------------------------------------------------------- seals


def test_a_head_without_a_seal_at_its_end_is_refused(mirror, log):
    assert_refused(mirror, log, log.head(), "mirror-not-sealed")
    assert_cosigned(mirror, log, log.seal())
    log.log_credentials(1)
    assert_refused(mirror, log, log.head(), "mirror-not-sealed")


@pytest.mark.parametrize(
    "changes", [{"size": 77}, {"origin": "registry.example/bob/1"}, {"previous_seal": 1}], ids=str
)
def test_a_seal_that_says_something_else_is_refused(mirror, log, changes):
    assert_refused(mirror, log, log.seal(**changes), "mirror-seal-mismatch")


def test_a_seal_that_skips_the_one_before_is_refused(mirror, log):
    log.seal()
    log.sealed_size = None
    assert_refused(mirror, log, log.seal(), "mirror-seal-mismatch")


def test_a_seal_that_is_no_seal_is_refused(mirror, log):
    log.entries.append(Entry(kind=EntryKind.SEAL, digest=log.keep({"type": "Sealion"})))
    assert_refused(mirror, log, log.head(), "mirror-seal-malformed")


# ------------------------------------------------------------------------------------------ statements


def test_an_older_statement_than_the_last_sealed_one_is_refused(mirror, log):
    log.state()
    assert_cosigned(mirror, log, log.seal())
    assert_refused(mirror, log, log.seal(log.statements[0]), "mirror-statement-older")


def test_an_older_statement_than_the_issuer_handed_over_is_refused_until_the_host_seals_it(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    newest = log.state(logged=False)
    mirror.hold_statement(ORIGIN, newest.sequence, newest.digest)
    old = log.statements[0]
    assert_refused(mirror, log, log.seal(old), "mirror-statement-older")
    log.log_document(newest.json)
    assert_cosigned(mirror, log, log.seal())


def test_holding_an_older_statement_does_not_lower_the_bar(mirror, log):
    second = log.state()
    mirror.hold_statement(ORIGIN, second.sequence, second.digest)
    mirror.hold_statement(ORIGIN, 1, log.statements[0].digest)
    assert_refused(mirror, log, log.seal(log.statements[0]), "mirror-statement-older")


def test_two_statements_of_one_sequence_are_the_issuer_s_equivocation(mirror, log):
    mirror.hold_statement(ORIGIN, 1, bytes(32))
    assert_refused(mirror, log, log.seal(), "mirror-statement-equivocation")


def test_a_second_statement_of_the_sealed_sequence_is_refused(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    first = log.statements.pop()
    other = log.state(time="2026-11-22T10:00:00Z")
    assert other.sequence == first.sequence
    assert_refused(mirror, log, log.seal(), "mirror-statement-equivocation")


def test_a_statement_that_does_not_continue_the_chain_is_refused(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    log.state(previous="u" + "A" * 43)
    assert_refused(mirror, log, log.seal(), "statement-chain-broken")


def test_a_gap_in_the_statements_is_filled_from_the_documents_or_refused(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    log.state(logged=False)
    log.state()
    assert_refused(mirror, log, log.seal(), "mirror-statement-not-logged")


@pytest.mark.parametrize("logged_between_the_seals", [False, True])
def test_numbers_may_be_left_out_when_the_digests_chain(mirror, log, logged_between_the_seals):
    """Whoever stole the operator's key can use numbers up on the chain; the issuer goes on above them."""
    assert_cosigned(mirror, log, log.seal())
    if logged_between_the_seals:
        log.state()
    log.state(sequence=16_385)
    assert_cosigned(mirror, log, log.seal())
    log.state()
    log.state(sequence=20_000)
    assert_cosigned(mirror, log, log.seal())
    assert log.statements[-2].sequence == 16_386


def test_a_number_below_what_was_sealed_is_refused(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    log.state(sequence=16_385)
    assert_cosigned(mirror, log, log.seal())
    log.state(sequence=16_384)
    assert_refused(mirror, log, log.seal(), "mirror-statement-older")


@pytest.mark.parametrize("numbers", [(16_385, 7, 16_386), (16_385, 16_384, 16_386), (5, 5, 6)])
def test_numbers_rise_along_the_whole_chain(mirror, log, numbers):
    assert_cosigned(mirror, log, log.seal())
    for number in numbers:
        log.state(sequence=number)
    reason = "statement-sequence-fell" if len(set(numbers)) == 3 else "statement-equivocation"
    assert_refused(mirror, log, log.seal(), reason)


def test_a_chain_that_goes_round_the_sealed_statement_is_refused(mirror, log):
    first = log.statements[0]
    log.state(sequence=5)
    assert_cosigned(mirror, log, log.seal())
    log.statements.append(first)
    log.state(sequence=3)
    log.state(sequence=9)
    assert_refused(mirror, log, log.seal(), "statement-sequence-fell")


def test_a_jump_over_a_statement_that_is_not_in_the_log_is_refused(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    left_out = log.state(logged=False)
    log.state(sequence=16_385)
    head = log.seal()
    assert_refused(mirror, log, head, "mirror-statement-not-logged")
    del log.documents[left_out.digest]
    assert_refused(mirror, log, head, "mirror-document-missing")


@pytest.mark.parametrize("first_number", [2, 3, 16_385, 16_386, 20_000])
def test_a_jump_that_leaves_out_a_logged_statement_of_the_issuer_is_refused(mirror, log, first_number):
    """Two statements after the same one: by number nobody would notice."""
    assert_cosigned(mirror, log, log.seal())
    log.state(sequence=first_number)
    log.statements.pop()
    log.state(sequence=16_385, time="2026-11-22T10:00:00Z")
    same = first_number == 16_385
    reason = "mirror-statement-equivocation" if same else "mirror-statement-skipped"
    assert_refused(mirror, log, log.seal(), reason)


def test_a_statement_further_down_a_branch_is_not_left_out_either(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    log.state(logged=False)
    log.state()
    del log.statements[1:]
    log.state(sequence=16_385)
    assert_refused(mirror, log, log.seal(), "mirror-statement-skipped")


@pytest.mark.parametrize("held_before", [False, True])
def test_a_host_cannot_jump_over_a_statement_that_the_issuer_handed_over(mirror, log, held_before):
    assert_cosigned(mirror, log, log.seal())
    held = log.state(logged=False)
    if held_before:
        mirror.hold_statement(ORIGIN, held.sequence, held.digest)
        assert_refused(mirror, log, log.seal(log.statements[0]), "mirror-statement-older")
    else:
        log.seal(log.statements[0])
        mirror.hold_statement(ORIGIN, held.sequence, held.digest)
    log.statements.pop()
    log.state(sequence=16_385)
    assert_refused(mirror, log, log.seal(), "mirror-statement-skipped")


def test_a_held_statement_that_is_in_the_chain_is_no_hindrance(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    held = log.state()
    mirror.hold_statement(ORIGIN, held.sequence, held.digest)
    log.state(sequence=16_385)
    assert_cosigned(mirror, log, log.seal())


def test_what_only_looks_like_a_statement_of_the_issuer_hinders_nobody(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    log.state(signer=key(77))
    log.statements.pop()
    log.state(issuer="did:web:bob.example")
    log.statements.pop()
    unsigned = {**log.statements[-1].json, "sequence": 2, "previous": "u" + "A" * 43}
    log.log_document(unsigned)
    log.state(sequence=16_385)
    assert_cosigned(mirror, log, log.seal())


def test_a_statement_that_was_never_logged_is_refused(mirror, log):
    log.state(logged=False)
    assert_refused(mirror, log, log.seal(), "mirror-statement-not-logged")


def test_a_seal_with_another_sequence_than_its_statement_is_refused(mirror, log):
    assert_refused(mirror, log, log.seal(statement_sequence=2), "mirror-statement-mismatch")


def test_a_statement_that_is_none_is_refused(mirror, log):
    digest = log.log_document({"type": "Statement"})
    assert_refused(mirror, log, log.seal(statement_digest=digest), "mirror-statement-malformed")


def test_a_statement_by_a_stranger_is_refused(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    log.state(signer=key(77))
    assert_refused(mirror, log, log.seal(), "key-not-in-force")


def test_a_statement_whose_signature_fails_is_refused(mirror, log):
    statement = log.state()
    changed = {**statement.json, "time": "2027-01-01T00:00:00Z"}
    digest = log.log_document(changed)
    assert_refused(mirror, log, log.seal(statement_digest=digest), "signature-invalid")


def test_a_statement_by_a_key_that_was_rotated_away_is_refused(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    old = key(log.key_number)
    log.rotate()
    log.state(signer=old)
    assert_refused(mirror, log, log.seal(), "key-not-in-force")


def test_a_key_event_that_takes_effect_in_the_past_is_refused(mirror, log):
    log.log_credentials(5)
    assert_cosigned(mirror, log, log.seal())
    log.rotate(start=Position(1, 3))
    log.state()
    assert_refused(mirror, log, log.seal(), "key-event-backdated")


def test_a_key_chain_that_the_contract_does_not_know_is_refused(mirror, log):
    head = log.seal()
    stranger = MirroredLog(key=log.verifier_key, did=DID, first_key_event=bytes(32))
    assert mirror.cosign(head, stranger, log).reason == "mirror-key-chain-foreign"


def test_another_issuer_s_statement_is_refused(mirror, log):
    head = log.seal()
    other = MirroredLog(key=log.verifier_key, did="did:web:bob.example", first_key_event=log.events[0].digest)
    assert mirror.cosign(head, other, log).reason == "statement-issuer-mismatch"


def test_statements_and_lists_logged_before_a_refused_seal_count_when_it_is_mended(mirror, log):
    """A head that is refused leaves no trace in the state: everything is checked again with the next one."""
    log.revoke(1)
    log.state()
    digest = log.log_document({"lost": 1})
    head = log.seal()
    kept = log.documents.pop(digest)
    for _ in range(2):
        assert_refused(mirror, log, head, "mirror-document-missing")
    log.documents[digest] = kept
    assert_cosigned(mirror, log, head)


def test_the_first_seal_of_a_later_epoch_goes_on_with_the_statement_of_the_one_before(tmp_path, log):
    log.state()
    later = log.succeed()
    mirror = new_mirror(tmp_path)
    head = later.seal()
    assert mirror.cosign(head, mirrored(later), later).reason == "cosigned"
    later.state()
    assert mirror.cosign(later.seal(), mirrored(later), later).reason == "cosigned"
    mirror.close()


def test_of_a_superseded_log_only_the_cosigned_head_is_cosigned_again(mirror, log):
    superseded = replace(mirrored(log), superseded=True)
    head = log.seal()
    assert mirror.cosign(head, superseded, log).reason == "log-superseded"
    assert_cosigned(mirror, log, head)
    assert mirror.cosign(head, superseded, log).reason == "cosigned"
    log.log_credentials(1)
    for later in (log.seal(), log.signed(head.checkpoint.size, bytes(32))):
        assert mirror.cosign(later, superseded, log).reason == "log-superseded"


def test_a_second_statement_of_a_held_or_sealed_sequence_is_not_taken_silently(mirror, log):
    assert_cosigned(mirror, log, log.seal())
    mirror.hold_statement(ORIGIN, 2, bytes(32))
    mirror.hold_statement(ORIGIN, 2, bytes(32))
    for sequence in (1, 2):
        with pytest.raises(VerificationError, match="mirror-statement-equivocation"):
            mirror.hold_statement(ORIGIN, sequence, b"\x01" * 32)


# ---------------------------------------------------------------------------------------------- state


def test_the_state_survives_reopening(tmp_path, log):
    mirror = new_mirror(tmp_path)
    log.revoke(5)
    log.state()
    assert_cosigned(mirror, log, log.seal())
    newest = log.state(logged=False)
    mirror.hold_statement(ORIGIN, newest.sequence, newest.digest)
    mirror.close()
    again = new_mirror(tmp_path)
    assert_refused(again, log, log.seal(log.statements[-2]), "mirror-statement-older")
    log.log_document(newest.json)
    assert_cosigned(again, log, log.seal())
    log.revoke()
    log.state()
    assert_refused(again, log, log.seal(), "status-bit-cleared")
    again.close()


def test_a_second_mirror_on_the_same_folder_is_refused(tmp_path, mirror):
    with pytest.raises(StoreLocked):
        new_mirror(tmp_path / "mirror")


def test_a_lost_or_damaged_state_is_refused_by_name(tmp_path, mirror, log):
    assert_cosigned(mirror, log, log.seal())
    path = next((tmp_path / "mirror").glob("*.json"))
    original = path.read_bytes()
    for damaged in (
        b"",
        b"{}",
        original.replace(b'"size":3', b'"size":2'),
        original.replace(ORIGIN.encode(), b"x/y/1"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(StoreCorrupt, match=path.name):
            cosign(mirror, log, log.seal())
    path.unlink()
    with pytest.raises(StoreCorrupt, match="is missing beside a cosigned head"):
        cosign(mirror, log, log.seal())
    path.write_bytes(original)
    assert_cosigned(mirror, log, log.seal())


def test_whenever_the_power_is_cut_no_cosignature_that_left_is_forgotten(tmp_path, log):
    heads = [log.seal(), log.seal()]
    for stop_at in range(1, 80):
        folder = tmp_path / str(stop_at)
        disk = StoppingDisk(stop_at, landed=stop_at % 2 == 0)
        answered, opened = 0, None
        try:
            opened = new_mirror(folder, disk)
            for head in heads:
                assert cosign(opened, log, head).reason == "cosigned"
                answered = head.checkpoint.size
        except PowerCut:
            disk.lose_unsynced()
        if opened is not None:
            opened.close()
        again = new_mirror(folder)
        recorded = again.find_checkpoint(ORIGIN)
        assert (0 if recorded is None else recorded.checkpoint.size) >= answered
        assert cosign(again, log, heads[-1]).reason == "cosigned"
        again.close()
        if answered == heads[-1].checkpoint.size:
            return
    raise AssertionError("the mirror never came to its end")


def test_the_list_that_is_compared_is_the_one_that_is_held(mirror, log):
    log.revoke(5)
    log.state()
    assert_cosigned(mirror, log, log.seal())
    assert LIST_ID.encode() in canonicalize(dict.fromkeys(log.lists))
    del log.documents[log.lists[LIST_ID].digest]
    log.revoke(5, 6)
    log.state()
    assert_refused(mirror, log, log.seal(), "mirror-document-missing")
