"""Every hosted log's files verified again and again, a little at a time, in the log's own thread."""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from testamur.node.errors import StoreCorrupt
from testamur.node.files import DamagedFile, make_folders, read_file, write_atomically
from testamur.node.log.scrubber import Scrubber
from testamur.node.service.health import LogHealth
from testamur.node.service.hostings import Hosting
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape
from testamur.registry.timestamps import format_timestamp, parse_timestamp

MAX_PROGRESS_BYTES = 4096
"""A position and a time."""

MAX_STEPS_AT_ONCE = 8
"""Bundles between two turns for everybody else in the log's thread: some 20 ms."""

LONGEST_PAUSE_SECONDS = 60.0
"""A small log is verified more often than it must be: damage in it is found within minutes."""

SAVE_SECONDS = 60.0
"""A crash costs at most so much of a pass."""


class ScrubProgress:
    """How far the pass is and when the last one ended, in a file. Losing it costs one pass."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.position = 0
        self.verified_at: datetime | None = None
        try:
            data = read_file(path, max_bytes=MAX_PROGRESS_BYTES)
            if data is not None:
                shape = Shape(parse_json(data, subject="scrub progress"), "scrub progress")
                shape.expect("type", "ScrubProgress")
                shape.expect("version", 1)
                self.verified_at = (
                    parse_timestamp(shape.text("verifiedAt")) if shape.has("verifiedAt") else None
                )
                self.position = shape.integer("position")
        except (StoreCorrupt, MalformedError):
            self.position, self.verified_at = 0, None

    def save(self, position: int, verified_at: datetime | None) -> None:
        """Remember both, durably."""
        self.position, self.verified_at = position, verified_at
        make_folders(self._path.parent)
        verified = None if verified_at is None else format_timestamp(verified_at)
        document: Json = {"type": "ScrubProgress", "version": 1, "position": position, "verifiedAt": verified}
        write_atomically(self._path, canonicalize(document))


def health_of(
    progress: ScrubProgress, *, name: str, hours: float, clock: Callable[[], datetime]
) -> LogHealth:
    """The health of a log as it was left: nobody vouches for its disk since the last pass."""
    return LogHealth(clock, name=name, longest=timedelta(hours=hours), verified_at=progress.verified_at)


class LogScrub:
    """Scrubs one hosted log. `run` is a task of the node's; `step` blocks, in the log's thread."""

    def __init__(self, hosting: Hosting, progress: ScrubProgress, *, hours: float) -> None:
        writer = hosting.log.writer
        self._hosting = hosting
        self._progress = progress
        self._seconds = hours * 3600
        self._scrubber = Scrubber(writer.reader.folder, writer.reader.identity, writer.documents)
        self._position = progress.position
        self._unsaved_seconds = 0.0

    async def run(self) -> None:
        """Go round for ever; in a hurry while the last pass is too long ago, else evenly."""
        while True:
            count, pause = await self._hosting.run(self._pace)
            try:
                await self._hosting.run(self.step, count)
            except DamagedFile:
                # `Hosting.run` has reported it. From the beginning, and again: only a whole pass mends.
                pause = LONGEST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            self._unsaved_seconds += pause

    def step(self, count: int = 1) -> None:
        """Check the next pieces, at most to the end of the pass. Raises DamagedFile, StoreUnavailable."""
        health = self._hosting.log.health
        try:
            for _ in range(count):
                is_last = self._scrubber.check(self._position)
                self._position += 1
                if is_last:
                    self._hosting.log.writer.check_pending()
                    self._position = 0
                    health.verified()
                    break
        except DamagedFile:
            self._position = 0
            self._save(None)
            raise
        if self._position == 0 or self._unsaved_seconds >= SAVE_SECONDS:
            self._save(health.verified_at)

    def _pace(self) -> tuple[int, float]:
        """How many pieces to check at once, and how long to pause after them."""
        health = self._hosting.log.health
        try:
            steps = self._scrubber.steps()
        except DamagedFile:
            return 1, LONGEST_PAUSE_SECONDS
        if health.is_stale and health.damage is None:
            return MAX_STEPS_AT_ONCE, 0.0
        # Half of the time: an hour of downtime must not make a log stale.
        return pace(steps, self._seconds / 2)

    def _save(self, verified_at: datetime | None) -> None:
        self._unsaved_seconds = 0.0
        self._progress.save(self._position, verified_at)


def pace(steps: int, seconds: float) -> tuple[int, float]:
    """(pieces at once, seconds to pause) so that `steps` pieces are checked within `seconds`."""
    interval = seconds / steps
    if interval >= 1:
        return 1, min(interval, LONGEST_PAUSE_SECONDS)
    count = min(MAX_STEPS_AT_ONCE, math.ceil(1 / interval))
    return count, min(1.0, count * interval)
