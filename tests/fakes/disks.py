"""Disks that stop: at the Nth operation, with the operation landed or not, and with unsynced data kept or lost."""

import os
from pathlib import Path

from testamur.node.files import Disk


class PowerCut(BaseException):
    """The machine is off. Not an Exception: nothing in the node may catch it and go on."""


class CountingDisk(Disk):
    """A disk without the waiting, that counts operations and syncs."""

    def __init__(self):
        self.operations = 0
        self.syncs = 0

    def step(self, perform):
        self.operations += 1
        return perform()

    def write(self, descriptor, data):
        self.step(lambda: super(CountingDisk, self).write(descriptor, data))

    def fsync(self, descriptor):
        self.syncs += 1
        self.step(lambda: None)

    def replace(self, source, target):
        self.step(lambda: super(CountingDisk, self).replace(source, target))

    def link(self, source, target):
        self.step(lambda: super(CountingDisk, self).link(source, target))

    def truncate(self, descriptor, size):
        self.step(lambda: super(CountingDisk, self).truncate(descriptor, size))

    def unlink(self, path):
        self.step(lambda: super(CountingDisk, self).unlink(path))

    def make_folder(self, path, mode):
        self.step(lambda: super(CountingDisk, self).make_folder(path, mode))

    def remove_folder(self, path):
        self.step(lambda: super(CountingDisk, self).remove_folder(path))


class StoppingDisk(CountingDisk):
    """Goes dark at operation `stop_at` (counted from 1), after performing it when `landed`.

    `lose_unsynced` then takes away what no sync had made durable: appended bytes, and names given by a rename.
    """

    def __init__(self, stop_at, *, landed):
        super().__init__()
        self.stop_at = stop_at
        self.landed = landed
        self._synced_sizes = {}
        self._renames = []

    def step(self, perform):
        if self.operations >= self.stop_at:
            raise PowerCut
        self.operations += 1
        if self.operations < self.stop_at:
            return perform()
        if self.landed:
            perform()
        raise PowerCut

    def write(self, descriptor, data):
        path = _path_of(descriptor)
        self._synced_sizes.setdefault(path, os.fstat(descriptor).st_size)
        super().write(descriptor, data)

    def fsync(self, descriptor):
        path = _path_of(descriptor)
        super().fsync(descriptor)
        self._synced_sizes.pop(path, None)
        self._renames = [rename for rename in self._renames if rename[0].parent != path]

    def replace(self, source, target):
        old = target.read_bytes() if target.exists() else None
        self._renames.append((target, old))
        super().replace(source, target)
        # A name can be durable while what it names is not.
        if source in self._synced_sizes:
            self._synced_sizes[target] = self._synced_sizes.pop(source)

    def lose_unsynced(self, *, zeros=False):
        for path, size in self._synced_sizes.items():
            if path.exists():
                lost = path.stat().st_size - size
                os.truncate(path, size)
                if zeros:
                    os.truncate(path, size + lost)
        for target, old in reversed(self._renames):
            if old is None:
                target.unlink(missing_ok=True)
            else:
                target.write_bytes(old)


class FullDisk(CountingDisk):
    """Refuses every write once `room` writes were made, like a disk without space."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, descriptor, data):
        if self.room <= 0:
            raise OSError(28, "No space left on device")
        self.room -= 1
        super().write(descriptor, data)


def _path_of(descriptor):
    return Path(f"/proc/self/fd/{descriptor}").readlink()
