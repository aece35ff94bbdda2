import shutil
from pathlib import Path

import pytest

from fakes.hosted_log import LOG_KEY, ORIGIN, HostedLog
from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.log.audit import MAX_FINDINGS, audit_log
from testamur.node.log.documents import DocumentStore
from testamur.registry.checkpoints import Checkpoint, sign_checkpoint
from testamur.registry.entries import Entry, EntryKind
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.notes import NoteSigner

SIZES = (3, 300, 900)
STRANGER = SigningKey.from_seed(Algorithm.ED25519, b"\x08" * 32)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    log = HostedLog(tmp_path_factory.mktemp("whole"))
    log.writer.append([Entry(kind=EntryKind.DOCUMENT, digest=log.documents.put(b'{"a":1}'))])
    for size in SIZES:
        log.grow_to(size)
    log.add(2)
    log.writer.close()
    return log.folder


@pytest.fixture
def copied(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def audit(folder, **options):
    return audit_log(folder / "log", DocumentStore(folder / "documents"), **options)


def findings(folder):
    return {str(found.path.relative_to(folder)) for found in audit(folder).findings}


def flip(path, offset=-1):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x20
    path.write_bytes(data)


def document_path(folder, log_index):
    log = HostedLog(folder)
    entry = log.writer.read_entries(log_index, 1)[0]
    log.writer.close()
    return Path("documents") / entry.digest.hex()[:2] / entry.digest.hex()[2:]


def test_a_sound_log_has_no_findings_and_is_counted(whole):
    calls = []
    report = audit(whole, progress=lambda done, size: calls.append((done, size)))
    assert report.is_sound
    assert (report.origin, report.size, report.seals, report.documents) == (ORIGIN, 900, 3, 1)
    assert report.credentials == 900 - 3 - 1
    assert calls == [(256, 900), (512, 900), (768, 900), (900, 900)]


def test_an_empty_log_is_sound(tmp_path):
    log = HostedLog(tmp_path)
    log.add(1)
    log.writer.close()
    report = audit(tmp_path)
    assert (report.is_sound, report.size) == (True, 0)


@pytest.mark.parametrize(
    "name",
    [
        "tile/entries/000",
        "tile/entries/002",
        "tile/entries/003.p/132",
        "tile/0/000",
        "tile/0/001",
        "tile/0/003.p/132",
        "tile/1/000.p/3",
        "checkpoints/000/000/000/003",
        "checkpoints/000/000/000/300",
        "checkpoints/000/000/000/900",
        "signed-head",
    ],
)
def test_one_damaged_file_is_the_one_finding(copied, name):
    original = (copied / "log" / name).read_bytes()
    for offset in (0, len(original) // 2, len(original) - 3):
        flip(copied / "log" / name, offset)
        assert findings(copied) == {f"log/{name}"}, offset
        (copied / "log" / name).write_bytes(original)
    (copied / "log" / name).unlink()
    assert findings(copied) == {f"log/{name}"}


def test_a_tile_cut_short_is_found(copied):
    path = copied / "log" / "tile" / "0" / "001"
    path.write_bytes(path.read_bytes()[:-1])
    assert findings(copied) == {"log/tile/0/001"}


def test_several_damaged_files_are_all_found(copied):
    names = ("tile/entries/000", "tile/0/001", "tile/1/000.p/3", "checkpoints/000/000/000/300")
    for name in names:
        flip(copied / "log" / name)
    assert findings(copied) == {f"log/{name}" for name in names}


def test_a_leftover_partial_tile_with_other_hashes_is_found(copied):
    leftover = copied / "log" / "tile" / "0" / "003.p" / "5"
    leftover.write_bytes(bytes(160))
    assert findings(copied) == {"log/tile/0/003.p/5"}
    leftover.write_bytes((copied / "log" / "tile" / "0" / "003.p" / "132").read_bytes()[:160])
    assert findings(copied) == set()


def test_a_damaged_or_missing_document_is_found(copied):
    path = copied / document_path(copied, 0)
    flip(path)
    assert findings(copied) == {str(path.relative_to(copied))}
    path.unlink()
    assert findings(copied) == {str(path.relative_to(copied))}


def test_a_damaged_or_missing_seal_is_found(copied):
    path = copied / document_path(copied, 299)
    flip(path)
    assert findings(copied) == {str(path.relative_to(copied))}
    path.unlink()
    assert findings(copied) == {str(path.relative_to(copied))}


def test_a_missing_statement_is_found(copied):
    documents = DocumentStore(copied / "documents")
    path = documents.path(HostedLog(copied).statement[1])
    path.unlink()
    assert findings(copied) == {str(path.relative_to(copied))}


def test_a_checkpoint_of_another_tree_is_found_although_it_is_signed(copied):
    log = HostedLog(copied)
    key = NoteSigner(name=ORIGIN, key=STRANGER).verifier_key
    log.writer.close()
    with pytest.raises(ConfigError, match="log key"):
        audit(copied, key=key)
    wrong = sign_checkpoint(Checkpoint(origin=ORIGIN, size=300, root=bytes(32)), LOG_KEY)
    (copied / "log" / "checkpoints" / "000" / "000" / "000" / "300").write_bytes(wrong)
    assert findings(copied) == {"log/checkpoints/000/000/000/300"}


def test_a_checkpoint_without_a_seal_is_found(copied):
    log = HostedLog(copied)
    root = log.writer.reader.tree().root(10)
    log.writer.close()
    extra = sign_checkpoint(Checkpoint(origin=ORIGIN, size=10, root=root), LOG_KEY)
    (copied / "log" / "checkpoints" / "000" / "000" / "000" / "010").write_bytes(extra)
    assert findings(copied) == {"log/checkpoints"}


def test_a_stranger_s_signature_is_found(copied):
    wrong = sign_checkpoint(Checkpoint(origin=ORIGIN, size=300, root=bytes(32)), STRANGER)
    (copied / "log" / "checkpoints" / "000" / "000" / "000" / "300").write_bytes(wrong)
    assert findings(copied) == {"log/checkpoints/000/000/000/300"}


def test_a_lost_newest_checkpoint_is_an_error_and_not_a_finding(copied):
    flip(copied / "log" / "checkpoint", 3)
    with pytest.raises(StoreCorrupt, match="checkpoint"):
        audit(copied)
    with pytest.raises(ConfigError, match="there is no log"):
        audit_log(copied / "nothing", DocumentStore(copied / "documents"))


def test_when_entries_and_hashes_are_both_lost_the_audit_stops_and_says_so(copied):
    (copied / "log" / "tile" / "0" / "001").unlink()
    (copied / "log" / "tile" / "entries" / "001").unlink()
    assert findings(copied) == {"log/tile/0/001", "log/tile/entries/001"}


def test_a_seal_that_skips_its_predecessor_is_found(tmp_path):
    """A host that changed its program: the writer would refuse to make such a seal, so it is made without it."""
    log = HostedLog(tmp_path)
    log.publish(1)
    log.writer._check_seal = lambda document, size: None
    make = log.make_seal
    log.make_seal = lambda size: make(size).replace(b'"previousSeal":2', b'"previousSeal":1')
    log.publish()
    log.statement = (1, log.documents.put(b"another statement of that sequence"))
    log.make_seal = make
    log.publish()
    log.writer.close()
    reasons = [found.reason for found in audit(tmp_path).findings]
    assert [reason.split(" of ")[0].split(" than ")[0] for reason in reasons] == [
        "follows a seal",
        "names another statement",
    ]


def test_a_report_has_an_end(copied):
    for path in (copied / "documents").rglob("*"):
        if path.is_file():
            path.unlink()
    log_folder = copied / "log" / "checkpoints" / "000" / "000" / "000"
    for path in log_folder.iterdir():
        path.unlink()
    assert 0 < len(audit(copied).findings) <= MAX_FINDINGS
