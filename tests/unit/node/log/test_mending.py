"""A damaged log is made whole from another copy of it, to the bytes that it had, and never goes back."""

import http.server
import shutil
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.disks import CountingDisk
from fakes.hosted_log import LOG_KEY, ORIGIN, HostedLog, credentials
from testamur.node.errors import StoreCorrupt, StoreLocked
from testamur.node.fetch.http import HttpClient
from testamur.node.log.copying import copy_log
from testamur.node.log.documents import DocumentStore
from testamur.node.log.journal import salvage_records, write_journal
from testamur.node.log.layout import LogIdentity
from testamur.node.log.mending import LogMender
from testamur.node.log.reader import LogReader
from testamur.node.log.sources import FolderSource
from testamur.node.service.mending import HttpSource
from testamur.registry.entries import parse_origin
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.multiformats import decode_digest
from testamur.registry.notes import NoteSigner
from testamur.registry.tiles import TileId

IDENTITY = LogIdentity(origin=ORIGIN, key=NoteSigner(name=ORIGIN, key=LOG_KEY).verifier_key)
FILES = {
    "a full bundle": "log/tile/entries/001",
    "the partial bundle": "log/tile/entries/002.p/88",
    "a full tile of leaves": "log/tile/0/000",
    "the partial tile of leaves": "log/tile/0/002.p/88",
    "the partial tile above": "log/tile/1/000.p/2",
    "checkpoint": "log/checkpoint",
    "signed-head": "log/signed-head",
    "the newest head": "log/checkpoints/000/000/000/600",
    "an older head": "log/checkpoints/000/000/000/300",
    "log.json": "log/log.json",
    "journal": "log/journal",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """600 published entries and 4 pending ones."""
    log = HostedLog(tmp_path_factory.mktemp("whole"))
    for size in (300, 600):
        log.grow_to(size)
    log.add(4)
    log.writer.close()
    return log.folder


@pytest.fixture
def copied(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


def files_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def mender(folder, source, **options):
    documents = DocumentStore(folder / "documents")
    if not hasattr(source, "find_tile"):
        source = FolderSource(source / "log", source / "documents")
    return LogMender(folder / "log", IDENTITY, documents, source, **options)


class Nothing:
    """A source that has nothing."""

    def __getattr__(self, _name):
        return lambda *_arguments: None


@pytest.mark.parametrize("what", FILES)
def test_a_damaged_file_gets_its_bytes_back(whole, copied, what):
    before = files_of(copied)
    path = copied / FILES[what]
    for offset in (0, path.stat().st_size // 2, path.stat().st_size - 1):
        flip(path, offset)
        made = mender(copied, whole)
        report = made.run()
        assert (made.lost, report.findings) == ([], ())
        assert files_of(copied) == before, offset
    HostedLog(copied).writer.close()


@pytest.mark.parametrize("what", FILES)
def test_a_missing_file_gets_its_bytes_back(whole, copied, what):
    before = files_of(copied)
    (copied / FILES[what]).unlink()
    made = mender(copied, whole)
    assert made.run().is_sound
    assert made.lost == []
    assert files_of(copied) == before


def test_every_document_is_put_back(whole, copied):
    before = files_of(copied)
    for path in (copied / "documents").glob("??/*"):
        flip(path, 3)
    made = mender(copied, whole)
    assert made.run().is_sound
    assert files_of(copied) == before


def test_a_sound_log_is_left_alone(whole, copied):
    made = mender(copied, whole)
    assert made.run().is_sound
    assert (made.mended, made.lost) == ([], [])


def test_tiles_are_made_from_what_stands_below_them_without_any_copy(copied):
    before = files_of(copied)
    for name in ("tile/0/000", "tile/0/002.p/88"):
        flip(copied / "log" / name, 7)
    made = mender(copied, Nothing())
    assert made.run().is_sound
    assert files_of(copied) == before


def test_narrower_tiles_of_older_heads_are_mended_from_the_newest_one(tmp_path):
    log = HostedLog(tmp_path)
    log.grow_to(10)
    log.grow_to(20)
    log.writer.close()
    before = files_of(tmp_path)
    for name in ("tile/0/000.p/10", "tile/entries/000.p/10"):
        flip(tmp_path / "log" / name, 7)
    made = mender(tmp_path, Nothing())
    assert made.run().is_sound
    assert files_of(tmp_path) == before


def test_what_nobody_has_is_named_and_not_made_up(copied):
    flip(copied / "log" / "tile" / "entries" / "001", 200)
    flip(copied / "log" / "journal", -30)
    made = mender(copied, Nothing())
    report = made.run()
    assert not report.is_sound
    assert [path for path in made.mended if path.name != "lock"] == []
    assert any("entry 261" in line for line in made.lost)
    assert any("leaf 603 was promised and is in no copy" in line for line in made.lost)


def test_a_lost_bundle_that_the_journal_repeats_is_lost_and_no_contradiction(tmp_path):
    """As after a crash between publishing and trimming."""
    log = HostedLog(tmp_path)
    log.grow_to(10)
    log.add(3)
    pending = (tmp_path / "log" / "journal").read_bytes()
    log.publish()
    log.writer.close()
    (tmp_path / "log" / "journal").write_bytes(pending)
    shutil.rmtree(tmp_path / "log" / "tile" / "entries")
    made = mender(tmp_path, Nothing())
    made.run()
    assert not any("another entry" in line for line in made.lost)
    assert any("left as it is; the bundle with leaf 10" in line for line in made.lost)
    assert (tmp_path / "log" / "journal").read_bytes() == pending


@pytest.mark.parametrize(
    ("name", "data"), [("²", b"x"), ("5", bytes(20_000)), ("999", b"x"), ("0", b"")], ids=ascii
)
def test_a_copy_with_strange_files_has_nothing_there(tmp_path, name, data):
    folder = tmp_path / "log" / "tile" / "0" / "000.p"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(data)
    source = FolderSource(tmp_path / "log", tmp_path / "documents")
    assert source.find_tile(TileId(level=0, index=0, width=5)) is None


def test_a_copy_that_lies_changes_nothing(whole, copied, tmp_path):
    """The copy's bundle holds another entry where ours is damaged."""
    shutil.copytree(whole, tmp_path / "liar")
    flip(tmp_path / "liar" / "log" / "tile" / "entries" / "001", 205)
    flip(copied / "log" / "tile" / "entries" / "001", 206)
    damaged = files_of(copied)
    made = mender(copied, tmp_path / "liar")
    assert not made.run().is_sound
    assert any("entry 261" in line for line in made.lost)
    assert files_of(copied) == damaged


def test_an_older_copy_mends_what_it_has_and_takes_nothing_back(tmp_path):
    log = HostedLog(tmp_path / "log")
    log.grow_to(300)
    log.add(2)
    log.writer.close()
    shutil.copytree(tmp_path / "log", tmp_path / "old")
    log = HostedLog(tmp_path / "log")
    log.grow_to(400)
    log.writer.close()
    before = files_of(tmp_path / "log")
    flip(tmp_path / "log" / "log" / "tile" / "entries" / "000", 50)
    flip(tmp_path / "log" / "log" / "tile" / "entries" / "001.p" / "144", 100)
    flip(tmp_path / "log" / "log" / "checkpoint", 5)
    made = mender(tmp_path / "log", tmp_path / "old")
    assert made.run().is_sound
    assert files_of(tmp_path / "log") == before


def test_a_head_that_only_this_member_has_cosigned_is_not_gone_back_behind(tmp_path):
    log = HostedLog(tmp_path / "log")
    log.grow_to(20)
    log.writer.close()
    shutil.copytree(tmp_path / "log", tmp_path / "old")
    log = HostedLog(tmp_path / "log")
    cosigned = log.grow_to(30)
    log.writer.close()
    made = mender(tmp_path / "old", tmp_path / "old", known=[cosigned])
    assert not made.run().is_sound or made.lost
    assert LogReader(tmp_path / "old" / "log").size == 20
    made = mender(tmp_path / "old", tmp_path / "log", known=[cosigned], key=LOG_KEY)
    assert made.run().is_sound
    assert made.lost == []
    assert LogReader(tmp_path / "old" / "log").size == 30


def test_two_heads_of_one_size_are_refused(copied, tmp_path):
    other = HostedLog(tmp_path / "other")
    other.add(1)
    other.writer.append([*other.writer.read_entries(0, 1)])
    other.grow_to(600)
    other.writer.close()
    with pytest.raises(StoreCorrupt, match=r"two heads of size 600.*keep both: this log cannot go on"):
        mender(copied, tmp_path / "other").run()


def test_another_logs_key_is_nobody(whole, copied):
    stranger = SigningKey.from_seed(Algorithm.ED25519, bytes(32))
    identity = LogIdentity(origin=ORIGIN, key=NoteSigner(name=ORIGIN, key=stranger).verifier_key)
    source = FolderSource(whole / "log", whole / "documents")
    with pytest.raises(StoreCorrupt, match="signed by this log's key"):
        LogMender(copied / "log", identity, DocumentStore(copied / "documents"), source).run()


def test_a_running_log_is_not_touched(whole, copied):
    log = HostedLog(copied)
    with pytest.raises(StoreLocked):
        mender(copied, whole).run()
    log.writer.close()


@pytest.fixture
def served(whole):
    """The log as another node serves it."""
    reader, documents = LogReader(whole / "log"), DocumentStore(whole / "documents")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            prefix = f"/log/{parse_origin(ORIGIN).log_id.hex()}/"
            if self.path.startswith(prefix):
                body = reader.find_resource(self.path.removeprefix(prefix))
            else:
                body = documents.find(decode_digest(self.path.removeprefix("/v1/documents/"), "digest"))
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_arguments):
            """Not to the terminal."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with HttpClient(f"http://127.0.0.1:{server.server_port}") as client:
        yield HttpSource(client, parse_origin(ORIGIN))
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("what", [what for what in FILES if what != "journal"])
def test_another_nodes_interface_mends_all_but_the_journal(served, copied, what):
    before = files_of(copied)
    flip(copied / FILES[what], 20)
    made = mender(copied, served, key=LOG_KEY)
    assert made.run().is_sound
    assert made.lost == []
    assert files_of(copied) == before


def test_a_folder_that_is_gone_comes_back_from_another_node(served, copied):
    shutil.rmtree(copied / "log")
    shutil.rmtree(copied / "documents")
    made = mender(copied, served, key=LOG_KEY)
    assert made.run().is_sound
    assert made.lost == []
    log = HostedLog(copied)
    assert log.writer.size == 600
    log.publish(1)
    log.writer.close()


def test_a_copy_made_while_the_log_goes_on_opens_with_everything_that_was_promised(tmp_path):
    log = HostedLog(tmp_path / "log")
    log.grow_to(10)
    promised = 0
    stop = threading.Event()

    def work():
        nonlocal promised
        while not stop.is_set():
            log.add(7)
            promised = log.writer.next_index
            log.publish(3)

    writing = threading.Thread(target=work)
    writing.start()
    try:
        for number in range(5):
            before = promised
            target = tmp_path / f"copy{number}"
            copied = copy_log(tmp_path / "log" / "log", target / "log")
            assert copied.next_index >= before
            shutil.copytree(tmp_path / "log" / "documents", target / "documents")
            again = HostedLog(target)
            assert again.writer.next_index >= before
            again.publish(1)
            again.writer.close()
    finally:
        stop.set()
        writing.join()
        log.writer.close()


@given(st.binary(max_size=600))
def test_any_bytes_can_be_salvaged_for_what_is_good_in_them(data):
    found, promised = salvage_records(data)
    assert all(len(entry) == 34 for entry in found.values())
    assert promised >= 0


@given(first=st.integers(0, 2**40), count=st.integers(1, 8), lost=st.integers(0, 7))
def test_good_records_are_found_around_a_damaged_one_which_is_known_to_be_missing(
    tmp_path_factory, first, count, lost
):
    path = tmp_path_factory.mktemp("journal") / "journal"
    entries = [entry.to_bytes() for entry in credentials(0, count)]
    write_journal(path, bytes(32), first, entries, disk=CountingDisk())
    data = bytearray(path.read_bytes())
    expected = {first + number: entry for number, entry in enumerate(entries)}
    assert salvage_records(bytes(data)) == (expected, first + count)
    if lost < count:
        del expected[first + lost]
        data[-56 * (count - lost) + 20] ^= 1
        assert salvage_records(bytes(data)) == (expected, first + count)
