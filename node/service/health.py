"""Whether a hosted log may sign: it was verified lately, and nobody has found a damaged file since."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from testamur.node.api.ports import NotReady
from testamur.node.files import DamagedFile

logger = structlog.get_logger(__name__)


class LogHealth:
    """What scrubbing has found out about one log. Callable from any thread.

    Without `longest` nothing becomes stale: for a log whose files are verified by somebody else.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        name: str = "",
        longest: timedelta | None = None,
        verified_at: datetime | None = None,
    ) -> None:
        """`verified_at` is when the last whole pass that found nothing ended; None: never, or not known."""
        self._clock = clock
        self._name = name
        self._longest = longest
        self._lock = threading.Lock()
        self._verified_at = verified_at
        self._damage: DamagedFile | None = None

    @property
    def damage(self) -> DamagedFile | None:
        """The damage that was found and not mended yet."""
        return self._damage

    @property
    def verified_at(self) -> datetime | None:
        """The end of the last whole pass that found nothing."""
        return self._verified_at

    @property
    def is_stale(self) -> bool:
        """Whether the last whole pass is longer ago than it may be."""
        if self._longest is None:
            return False
        return self._verified_at is None or self._clock() - self._verified_at > self._longest

    def check(self) -> None:
        """The log may sign. Raises DamagedFile (file and cure), NotReady while its files are not verified."""
        if self._damage is not None:
            raise DamagedFile(self._damage.path, self._damage.reason, self._damage.cure)
        if self.is_stale:
            raise NotReady("this log's files are being verified, and it signs nothing meanwhile")

    def report(self, error: DamagedFile) -> None:
        """A file is damaged: from now on the log signs nothing, until a whole pass finds nothing."""
        with self._lock:
            is_news = self._damage is None or self._damage.path != error.path
            self._damage = error
            self._verified_at = None
        if is_news:
            logger.error(
                "log-damaged", log=self._name, file=str(error.path), reason=error.reason, cure=error.cure
            )

    def verified(self) -> None:
        """A whole pass has found nothing, just now."""
        with self._lock:
            was, self._damage = self._damage, None
            self._verified_at = self._clock()
        if was is not None:
            logger.warning("log-mended", log=self._name, file=str(was.path))

    def state(self) -> str:
        """The state in a word or a sentence, for /readyz: no path outside of the log's folder."""
        damage = self._damage
        if damage is not None:
            name = "/".join(damage.path.parts[-4:])
            return f"damaged: {name} {damage.reason}; {damage.cure}"
        return "verifying" if self.is_stale else "ok"
