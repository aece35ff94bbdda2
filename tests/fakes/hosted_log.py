"""A log on disk with the issuer's statement and the seals that it needs; nothing here is faked but the disk."""

import hashlib

from fakes.disks import CountingDisk
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.registry.canonical import canonicalize
from testamur.registry.entries import Entry, EntryKind
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.seals import Seal

ORIGIN = "registry.example/ada/1"
LOG_KEY = SigningKey.from_seed(Algorithm.ED25519, b"log key of ada for its tests ...")
TIME = "2026-11-21T10:00:00Z"


def credential(number):
    return Entry(kind=EntryKind.CREDENTIAL, digest=hashlib.sha256(b"credential %d" % number).digest())


def credentials(start, count):
    return [credential(number) for number in range(start, start + count)]


class HostedLog:
    """A writer and its documents in one folder, with `append`, `seal` and `publish` in a line each."""

    def __init__(self, folder, *, origin=ORIGIN, key=LOG_KEY, disk=None):
        self.folder = folder
        self.disk = disk or CountingDisk()
        self.documents = DocumentStore(folder / "documents", disk=self.disk)
        self.statement = (1, self.documents.put(b'{"type":"Statement","sequence":1}'))
        self.writer = LogWriter(folder / "log", origin, key, self.documents, disk=self.disk)

    def add(self, count):
        """Append so many credentials, numbered by their leaf index."""
        return self.writer.append(credentials(self.writer.next_index, count))

    def make_seal(self, size):
        sequence, digest = self.statement
        seal = Seal(
            origin=self.writer.origin,
            size=size,
            time=TIME,
            statement_sequence=sequence,
            statement_digest=digest,
            previous_seal=self.writer.size or None,
        )
        return canonicalize(seal.to_json())

    def publish(self, count=0):
        """Append so many credentials, seal and publish; the new head."""
        if count:
            self.add(count)
        return self.writer.publish(self.make_seal)

    def grow_to(self, size):
        """Publish exactly `size` entries, the seal included."""
        return self.publish(size - self.writer.next_index - 1)

    def reopened(self, **options):
        """The same folder, closed and opened again."""
        self.writer.close()
        return HostedLog(self.folder, **options)
