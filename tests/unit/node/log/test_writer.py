import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from fakes.disks import CountingDisk, FullDisk
from fakes.hosted_log import LOG_KEY, ORIGIN, HostedLog, credential, credentials
from testamur.node.errors import ConfigError, StoreLocked, StoreUnavailable
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.registry.canonical import canonicalize
from testamur.registry.checkpoints import verify_checkpoint
from testamur.registry.entries import Entry, EntryKind
from testamur.registry.errors import MalformedError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.merkle import root_hash
from testamur.registry.seals import parse_seal


@pytest.fixture
def log(tmp_path):
    hosted = HostedLog(tmp_path)
    yield hosted
    hosted.writer.close()


def other_key():
    return SigningKey.from_seed(Algorithm.ED25519, b"\x07" * 32)


def test_entries_get_consecutive_leaf_indexes(log):
    assert log.writer.append(credentials(0, 3)) == [0, 1, 2]
    assert log.writer.append(credentials(3, 2)) == [3, 4]
    assert (log.writer.size, log.writer.pending, log.writer.next_index) == (0, 5, 5)


def test_the_same_entry_twice_is_two_leaves(log):
    assert log.writer.append([credential(1), credential(1)]) == [0, 1]


def test_appending_nothing_promises_nothing(log):
    assert log.writer.append([]) == []
    assert log.writer.next_index == 0


def test_what_was_promised_is_there_after_reopening(log):
    log.add(3)
    again = log.reopened()
    assert again.writer.read_entries(0, 3) == credentials(0, 3)
    assert again.writer.append([credential(3)]) == [3]
    again.writer.close()


def test_a_published_head_is_signed_sealed_and_has_the_root_of_the_entries(log):
    head = log.publish(3)
    checkpoint = verify_checkpoint(head, log.writer.key)
    entries = log.writer.reader.read_entries(0, 4)
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 4)
    assert checkpoint.root == root_hash([entry.leaf_hash for entry in entries])
    assert entries[:3] == credentials(0, 3)
    seal = parse_seal(log.documents.get(entries[3].digest))
    assert (entries[3].kind, seal.size, seal.previous_seal) == (EntryKind.SEAL, 4, None)
    assert log.writer.reader.get_head() == head


def test_the_next_seal_names_the_one_before(log):
    log.publish(3)
    log.publish(1)
    seal = parse_seal(log.documents.get(log.writer.read_entries(5, 1)[0].digest))
    assert (seal.size, seal.previous_seal) == (6, 4)


def test_a_heartbeat_seals_the_same_statement_without_new_entries(log):
    log.publish(1)
    assert log.publish().checkpoint.size == 3


def test_published_and_pending_entries_are_read_as_one(log):
    log.publish(2)
    log.add(2)
    assert [entry.kind for entry in log.writer.read_entries(1, 4)] == [
        EntryKind.CREDENTIAL,
        EntryKind.SEAL,
        EntryKind.CREDENTIAL,
        EntryKind.CREDENTIAL,
    ]
    assert log.writer.read_entries(5, 0) == []
    with pytest.raises(ValueError, match="leaves"):
        log.writer.read_entries(4, 2)


def test_the_journal_is_trimmed_to_what_is_pending(log):
    log.publish(300)
    log.add(2)
    log.publish(1)
    assert (log.folder / "log" / "journal").stat().st_size == 60


def test_nobody_but_publish_makes_seals(log):
    with pytest.raises(ValueError, match="seals are made by publish"):
        log.writer.append([Entry(kind=EntryKind.SEAL, digest=bytes(32))])


def test_a_document_is_logged_only_when_it_is_kept(log):
    missing = Entry(kind=EntryKind.DOCUMENT, digest=bytes(32))
    with pytest.raises(ValueError, match="not in the document store"):
        log.writer.append([credential(0), missing])
    assert log.writer.next_index == 0
    kept = Entry(kind=EntryKind.DOCUMENT, digest=log.documents.put(b"{}"))
    assert log.writer.append([kept]) == [0]


def wrong_seals():
    def other(**changes):
        return lambda seal: canonicalize(replace(seal, **changes).to_json())

    return {
        "size": other(size=7),
        "origin": other(origin="registry.example/ada/2"),
        "previous": other(previous_seal=1),
        "statement": other(statement_digest=bytes(32)),
        "not-canonical": lambda seal: canonicalize(seal.to_json()) + b"\n",
        "not-a-seal": lambda seal: b"{}",
    }


@pytest.mark.parametrize("wrong", sorted(wrong_seals()))
def test_a_seal_of_anything_else_is_refused_and_nothing_is_changed(log, wrong):
    log.add(2)
    make = wrong_seals()[wrong]
    with pytest.raises(ValueError):  # noqa: PT011  the texts differ, and are for developers
        log.writer.publish(lambda size: make(parse_seal(log.make_seal(size))))
    assert (log.writer.next_index, log.writer.size) == (2, 0)
    assert log.publish().checkpoint.size == 3


def test_a_seal_never_goes_back_to_an_older_statement(log):
    old = log.statement
    log.statement = (2, log.documents.put(b"second"))
    log.publish(1)
    for statement in (old, (2, log.documents.put(b"another second"))):
        newest, log.statement = log.statement, statement
        with pytest.raises(ValueError, match="names statement 2"):
            log.publish()
        log.statement = newest
    assert log.publish().checkpoint.size == 3


def test_what_the_seal_maker_raises_passes_through_and_changes_nothing(log):
    def fail(size):
        raise LookupError("no statement yet")

    log.add(1)
    with pytest.raises(LookupError):
        log.writer.publish(fail)
    assert log.publish().checkpoint.size == 2


def test_the_seal_maker_may_look_at_the_log(log):
    log.add(2)

    def make_seal(size):
        assert log.writer.read_entries(0, 2) == credentials(0, 2)
        return log.make_seal(size)

    assert log.writer.publish(make_seal).checkpoint.size == 3


def test_a_wrong_key_is_refused_by_name(log):
    log.publish(1)
    with pytest.raises(ConfigError, match="log key"):
        log.reopened(key=other_key())


def test_a_wrong_key_is_refused_before_anything_was_published(log):
    with pytest.raises(ConfigError, match="log key"):
        log.reopened(key=other_key())


def test_another_log_s_folder_is_refused(log):
    with pytest.raises(ConfigError, match=r"holds the log registry\.example/ada/1"):
        log.reopened(origin="registry.example/ada/2")


def test_an_origin_that_is_none_makes_no_log(tmp_path):
    with pytest.raises(MalformedError, match="origin"):
        HostedLog(tmp_path, origin="not an origin")
    assert not (tmp_path / "log").exists()


def test_a_second_writer_in_this_process_is_refused(log):
    with pytest.raises(StoreLocked, match="in use by process"):
        LogWriter(log.folder / "log", ORIGIN, LOG_KEY, log.documents)
    log.add(1)


def test_a_second_process_is_refused(log):
    code = (
        "import sys; from pathlib import Path\n"
        "from testamur.node.errors import StoreLocked\n"
        "from testamur.node.files import FolderLock\n"
        "try: FolderLock(Path(sys.argv[1]))\n"
        "except StoreLocked as exc: print(exc)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(log.folder / "log")], capture_output=True, text=True, check=True
    )
    assert "in use by process" in done.stdout


def test_the_folder_is_free_again_after_closing_and_after_a_failed_open(log):
    with pytest.raises(ConfigError):
        log.reopened(key=other_key())
    again = log.reopened()
    again.writer.close()


def test_a_closed_writer_refuses(log):
    log.writer.close()
    with pytest.raises(StoreUnavailable):
        log.add(1)


def test_after_a_full_disk_the_log_refuses_until_it_is_opened_again(tmp_path):
    disk = FullDisk(room=1000)
    log = HostedLog(tmp_path, disk=disk)
    log.publish(3)
    disk.room = 0
    with pytest.raises(StoreUnavailable, match="No space left on device; free space"):
        log.add(1)
    disk.room = 1000
    with pytest.raises(StoreUnavailable, match="reopen"):
        log.add(1)
    with pytest.raises(StoreUnavailable):
        log.publish()
    again = log.reopened()
    assert again.writer.append([credential(9)]) == [4]
    again.writer.close()


def test_threads_that_append_together_get_every_leaf_once_and_find_their_entry_there(log):
    results, errors = {}, []

    def work(worker):
        try:
            for round_number in range(20):
                batch = credentials(1000 * worker + 3 * round_number, 3)
                results.update(zip(log.writer.append(batch), batch, strict=True))
                if worker == 0 and round_number % 5 == 4:
                    log.publish()
        except Exception as exc:  # noqa: BLE001  a thread's failure has to reach the test
            errors.append(exc)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    log.publish()
    assert errors == []
    assert len(results) == 6 * 20 * 3
    entries = log.writer.reader.read_entries(0, log.writer.size)
    assert {index: entries[index] for index in results} == results
    assert len(entries) == len(results) + 5


def test_appending_syncs_once_whatever_the_batch(tmp_path):
    disk = CountingDisk()
    log = HostedLog(tmp_path, disk=disk)
    before = disk.syncs
    log.add(1000)
    assert disk.syncs == before + 1


def test_partial_tiles_stay_until_the_full_one_is_there(log):
    folder = log.folder / "log" / "tile"
    log.grow_to(10)
    log.grow_to(20)
    assert sorted(path.name for path in (folder / "0" / "000.p").iterdir()) == ["10", "20"]
    log.grow_to(300)
    assert not (folder / "0" / "000.p").exists()
    assert not (folder / "entries" / "000.p").exists()
    assert (folder / "0" / "000").stat().st_size == 8192
    assert sorted(path.name for path in (folder / "0" / "001.p").iterdir()) == ["44"]


def test_the_writer_needs_no_document_store_of_its_own(tmp_path):
    documents = DocumentStore(tmp_path / "shared")
    statement = documents.put(b"{}")
    writers = [
        LogWriter(tmp_path / slug, f"registry.example/{slug}/1", LOG_KEY, documents)
        for slug in ("ada", "bob")
    ]
    kept = Entry(kind=EntryKind.DOCUMENT, digest=statement)
    assert [writer.append([kept]) for writer in writers] == [[0], [0]]
    for writer in writers:
        writer.close()
