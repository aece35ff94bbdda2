"""The crash table of `publication`, walked: power is cut at every operation of a log's life, then it is opened again."""

import pytest

from fakes.disks import CountingDisk, PowerCut, StoppingDisk
from fakes.hosted_log import LOG_KEY, ORIGIN, HostedLog, credentials
from testamur.node.log.audit import audit_log
from testamur.node.log.heads import Heads
from testamur.node.log.layout import LogFolder, find_identity
from testamur.registry.checkpoints import cosign, verify_cosignatures
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.notes import COSIGNATURE_ED25519, NoteSigner

WITNESS = NoteSigner(
    name="witness.example",
    key=SigningKey.from_seed(Algorithm.ED25519, b"\x05" * 32),
    algorithm=COSIGNATURE_ED25519,
)


class Life:
    """What a log promised to others before the power went: leaf indexes, heads, cosignatures."""

    def __init__(self, folder, disk):
        self.folder = folder
        self.disk = disk
        self.promised = {}
        self.shown = {}
        self.cosigned = set()
        self.log = None

    def run(self):
        self.log = HostedLog(self.folder, disk=self.disk)
        self.append(3)
        self.publish()
        self.append(2)
        self.append(254)
        self.publish()
        self.cosign()
        self.append(1)
        self.publish()
        self.log = self.log.reopened(disk=self.disk)
        self.append(1)

    def append(self, count):
        entries = credentials(self.log.writer.next_index, count)
        self.promised.update(zip(self.log.writer.append(entries), entries, strict=True))

    def publish(self):
        self.show(self.log.writer.publish(self.log.make_seal))

    def cosign(self):
        head = self.log.writer.reader.get_head()
        line = cosign(head.checkpoint, WITNESS.name, WITNESS.key, 1_700_000_000)
        self.log.writer.attach_cosignatures(
            head.checkpoint.size, line.to_text().encode(), [WITNESS.verifier_key]
        )
        self.cosigned.add(head.checkpoint.size)

    def show(self, head):
        """A head that others may have seen: from now on it binds the log."""
        self.shown[head.checkpoint.size] = head.checkpoint.root

    def show_what_is_visible(self):
        folder = LogFolder(self.folder / "log")
        identity = find_identity(folder)
        if identity is not None:
            head = Heads(folder, identity).find_published()
            if head is not None:
                self.show(head)


def operations_of_a_life(folder):
    disk = CountingDisk()
    life = Life(folder, disk)
    life.run()
    life.log.writer.close()
    return disk.operations


def assert_kept(life):
    """The promises hold after reopening, and the log goes on."""
    log = HostedLog(life.folder)
    writer = log.writer
    entries = writer.read_entries(0, writer.next_index)
    assert {index: entries[index] for index in life.promised} == life.promised
    assert writer.size >= max(life.shown, default=0)
    for size in life.cosigned:
        assert verify_cosignatures(writer.reader.get_head(size), [WITNESS.verifier_key])
    log.publish(1)
    for size, root in life.shown.items():
        assert writer.reader.tree().root(size) == root
    writer.close()
    report = audit_log(life.folder / "log", log.documents)
    assert report.findings == ()
    assert report.size == writer.size


@pytest.mark.parametrize(
    ("landed", "lost", "zeros", "stride"),
    [(True, False, False, 2), (False, True, False, 1), (False, True, True, 4)],
    ids=["landed-and-kept", "not-landed-and-unsynced-lost", "not-landed-and-unsynced-zeros"],
)
def test_whenever_the_power_is_cut_every_promise_is_kept(tmp_path, landed, lost, zeros, stride):
    count = operations_of_a_life(tmp_path / "whole")
    assert count > 100
    for stop_at in range(1, count + 1, stride):
        life = Life(tmp_path / str(stop_at), StoppingDisk(stop_at, landed=landed))
        with pytest.raises(PowerCut):
            life.run()
        life.show_what_is_visible()
        if life.log is not None:
            life.log.writer.close()
        if lost:
            life.disk.lose_unsynced(zeros=zeros)
        assert_kept(life)


def test_a_second_cut_while_recovering_from_the_first_is_no_worse(tmp_path):
    count = operations_of_a_life(tmp_path / "whole")
    for stop_at in range(count // 3, count, 7):
        folder = tmp_path / str(stop_at)
        first = Life(folder, StoppingDisk(stop_at, landed=True))
        with pytest.raises(PowerCut):
            first.run()
        if first.log is not None:
            first.log.writer.close()
        for again in range(1, 400, 5):
            disk = StoppingDisk(again, landed=False)
            try:
                HostedLog(folder, disk=disk).writer.close()
            except PowerCut:
                disk.lose_unsynced()
                first.show_what_is_visible()
                continue
            break
        assert_kept(first)


def test_a_head_that_was_signed_before_the_crash_is_the_head_that_is_published_after(tmp_path):
    whole = HostedLog(tmp_path / "whole")
    expected = whole.publish(5)
    whole.writer.close()
    for stop_at in range(1, 200):
        folder = tmp_path / str(stop_at)
        life = Life(folder, StoppingDisk(stop_at, landed=True))
        try:
            life.log = HostedLog(folder, disk=life.disk)
            life.log.publish(5)
        except PowerCut:
            if life.log is not None:
                life.log.writer.close()
        else:
            return
        signed = LogFolder(folder / "log").signed_head
        if signed.exists():
            assert signed.read_bytes() == expected.to_bytes()
            again = HostedLog(folder)
            assert again.writer.reader.get_head() == expected
            again.writer.close()
    raise AssertionError("the log was never published")


def test_the_seal_of_a_crashed_publication_is_published_when_the_log_is_opened(tmp_path):
    disk = StoppingDisk(10**9, landed=True)
    log = HostedLog(tmp_path, disk=disk)
    log.add(2)
    journal = log.folder / "log" / "journal"
    before = journal.stat().st_size
    disk.stop_at = disk.operations + 12
    with pytest.raises(PowerCut):
        log.publish()
    log.writer.close()
    assert journal.stat().st_size > before
    again = HostedLog(tmp_path)
    assert (again.writer.size, again.writer.pending) == (3, 0)
    assert (ORIGIN, LOG_KEY.public_key.raw) == (again.writer.origin, again.writer.key.raw)
    again.writer.close()
