"""Any life of a log, with power cuts wherever they hurt, keeps every promise that was made in it."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.disks import PowerCut, StoppingDisk
from fakes.hosted_log import HostedLog, credentials
from testamur.node.log.audit import audit_log

NEVER = 10**9
APPEND = st.tuples(st.just("append"), st.sampled_from([0, 1, 2, 5, 253, 254, 255, 256, 600]))
PUBLISH = st.tuples(st.just("publish"), st.just(0))
CUT = st.tuples(st.just("cut"), st.integers(1, 60))
REOPEN = st.tuples(st.just("reopen"), st.just(0))
STEPS = st.lists(st.one_of(APPEND, APPEND, PUBLISH, PUBLISH, CUT, REOPEN), min_size=1, max_size=14)


class Model:
    """The log, and what it has promised."""

    def __init__(self, folder, *, landed, zeros):
        self.folder, self.landed, self.zeros = folder, landed, zeros
        self.promised, self.shown = {}, {}
        self.disk, self.log = None, None
        self.open()

    def open(self):
        self.disk = StoppingDisk(NEVER, landed=self.landed)
        self.log = HostedLog(self.folder, disk=self.disk)

    def step(self, what, number):
        try:
            if what == "append":
                entries = credentials(1000 * len(self.promised), number)
                self.promised.update(zip(self.log.writer.append(entries), entries, strict=True))
            elif what == "publish":
                self.log.publish()
            elif what == "cut":
                self.disk.stop_at = min(self.disk.stop_at, self.disk.operations + number)
            else:
                self.log.writer.close()
                self.open()
        except PowerCut:
            self.remember_head()
            self.log.writer.close()
            self.disk.lose_unsynced(zeros=self.zeros) if not self.landed else None
            self.open()
        self.remember_head()

    def remember_head(self):
        """What is visible may have been seen, and binds the log."""
        head = self.log.writer.reader.find_head()
        if head is not None:
            self.shown[head.checkpoint.size] = head.checkpoint.root

    def check(self):
        writer = self.log.writer
        entries = writer.read_entries(0, writer.next_index)
        assert {index: entries[index] for index in self.promised} == self.promised
        for size, root in self.shown.items():
            assert writer.reader.tree().root(size) == root
        writer.close()
        assert audit_log(self.folder / "log", self.log.documents).findings == ()


@settings(max_examples=30)
@given(steps=STEPS, landed=st.booleans(), zeros=st.booleans())
def test_a_log_keeps_its_promises(steps, landed, zeros):
    with tempfile.TemporaryDirectory() as folder:
        model = Model(Path(folder), landed=landed, zeros=zeros)
        for what, number in steps:
            model.step(what, number)
        model.check()
