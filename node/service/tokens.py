"""Access tokens of issuers: the node keeps their digests, so a stolen data folder cannot submit anything.

A token belongs to one issuer, ends on a day that was fixed when it was made, and can be revoked before. The
command line changes the file while the node runs: writers take a lock, and the node reads what changed.
"""

import hmac
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import structlog

from testamur.node.errors import ConfigError, NodeError, StoreCorrupt
from testamur.node.files import SECRET_MODE, FileLock, read_file, write_atomically
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.entries import check_slug
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape
from testamur.registry.timestamps import format_timestamp, parse_timestamp

MAX_TOKENS_BYTES = 4 << 20
"""`MAX_TOKENS` rows of at most 300 bytes, with room to spare."""

MAX_TOKENS = 8192
"""Some thousand issuers with a few tokens each; every one of them is compared at each request."""

TOKEN_BYTES = 32
TOKEN_PREFIX = "tstm_"  # noqa: S105  what a token starts with, so that scanners for leaked secrets find it

ID_DIGITS = 16
"""Hex digits of a token's id, which are the first of its digest: enough to tell 8 192 apart; no secret."""

DEFAULT_LIFETIME = timedelta(days=366)
"""A token that somebody forgot on a machine ends by itself; a year is one academic cycle."""

MAX_LIFETIME = timedelta(days=3660)
"""Ten years: longer than any machine that a token is given to."""

LOCK_SECONDS = 10.0
"""A writer holds the lock for one write and sync; one that waits longer waits for something broken."""

ACTIVE, EXPIRED, REVOKED = "active", "expired", "revoked"

REFUSED = {EXPIRED: "has expired", REVOKED: "was revoked"}
"""What the holder of a token is told."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What the node knows about a token, which is everything but the token.

    `expires` is None only for tokens that were made before tokens expired. `last_used` is a day: enough to
    see that nobody needs it any more, and not a record of when somebody works.
    """

    digest: bytes
    slug: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    last_used: date | None = None

    @property
    def id(self) -> str:
        """The name of the token for people and logs; it cannot be turned into the token."""
        return self.digest.hex()[:ID_DIGITS]

    def state(self, now: datetime) -> str:
        """Whether it lets anybody in: "active", "expired" or "revoked"."""
        if self.revoked is not None:
            return REVOKED
        return EXPIRED if self.expires is not None and now >= self.expires else ACTIVE

    def to_json(self) -> dict[str, Json]:
        """The row of `tokens.json`."""
        row: dict[str, Json] = {
            "slug": self.slug,
            "sha256": encode_digest(self.digest),
            "created": format_timestamp(self.created),
        }
        for name, moment in (("expires", self.expires), ("revoked", self.revoked)):
            if moment is not None:
                row[name] = format_timestamp(moment)
        if self.last_used is not None:
            row["lastUsed"] = self.last_used.isoformat()
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that was just made. `secret` is what the issuer sends; it is shown once and kept nowhere."""

    secret: str
    token: Token


class TokenStore:
    """The tokens of one node, in one file. Methods block, and may be called from any thread or process.

    For the command line: `create`, `revoke`, `revoke_all` and `tokens`. For the running node: `find`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._known: tuple[Token, ...] = ()
        self._reading = threading.Lock()

    def create(self, slug: str, now: datetime, *, lifetime: timedelta = DEFAULT_LIFETIME) -> NewToken:
        """A new token for the issuer `slug`, durable on return. Other tokens of this issuer stay as they are.

        Raises ConfigError for a slug or lifetime that cannot be, or when there are `MAX_TOKENS`; StoreLocked,
        StoreCorrupt, StoreUnavailable.
        """
        try:
            check_slug(slug)
        except MalformedError as error:
            raise ConfigError("--issuer", error.reason) from error
        if not timedelta(0) < lifetime <= MAX_LIFETIME:
            raise ConfigError("--days", f"must be 1 to {MAX_LIFETIME.days}")
        secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        moment = now.astimezone(UTC).replace(microsecond=0)
        token = Token(digest=sha256(secret.encode()), slug=slug, created=moment, expires=moment + lifetime)

        def add(tokens: list[Token]) -> list[Token]:
            if len(tokens) >= MAX_TOKENS:
                # What cannot be used any more makes room; a revocation is kept as long as there is room.
                tokens = [item for item in tokens if item.state(now) == ACTIVE]
            if len(tokens) >= MAX_TOKENS:
                raise ConfigError("tokens", f"there are {MAX_TOKENS} in use; revoke what nobody needs")
            return [*tokens, token]

        self._change(add)
        return NewToken(secret=secret, token=token)

    def revoke(self, token_id: str, now: datetime, *, slug: str | None = None) -> Token:
        """The token with this id (or its first 6 digits or more) is refused from now on.

        Repeating it is harmless, and keeps the first time. With `slug`, only a token of that issuer.
        Raises ConfigError when there is no such token, or more than one.
        """
        found: list[Token] = []

        def mark(tokens: list[Token]) -> list[Token]:
            found[:] = [
                item
                for item in tokens
                if len(token_id) >= 6 and item.id.startswith(token_id) and slug in {None, item.slug}
            ]
            if len(found) != 1:
                reason = (
                    "several tokens begin like this; give more digits" if found else "there is no such token"
                )
                raise ConfigError("token", f"{reason}; `testamur issuer token list` shows their ids")
            if found[0].revoked is None:
                found[0] = replace(found[0], revoked=now.astimezone(UTC).replace(microsecond=0))
            return [found[0] if item.digest == found[0].digest else item for item in tokens]

        self._change(mark)
        return found[0]

    def revoke_all(self, slug: str, now: datetime) -> list[Token]:
        """Every token of the issuer is refused from now on; returns those that were not before."""
        moment = now.astimezone(UTC).replace(microsecond=0)
        revoked: list[Token] = []

        def mark(tokens: list[Token]) -> list[Token]:
            changed = [
                replace(item, revoked=moment) if item.slug == slug and item.revoked is None else item
                for item in tokens
            ]
            revoked[:] = [new for new, old in zip(changed, tokens, strict=True) if new is not old]
            return changed

        self._change(mark)
        return revoked

    def tokens(self, slug: str | None = None) -> list[Token]:
        """All tokens, or one issuer's, in order of creation. Raises StoreCorrupt, StoreUnavailable."""
        return [token for token in self._rows() if slug in {None, token.slug}]

    def find(self, secret: str, now: datetime) -> Token | None:
        """The token that `secret` is, expired and revoked ones too, or None: look at its `state`.

        Compares digests in constant time, and every one of them. Remembers the day on which an active token
        was used; that the disk refuses to is no reason to refuse the issuer.
        """
        self._reload()
        wanted = sha256(secret.encode())
        found = None
        for token in self._known:
            if hmac.compare_digest(token.digest, wanted):
                found = token
        today = now.astimezone(UTC).date()
        if found is not None and found.state(now) == ACTIVE and found.last_used != today:
            self._remember_use(found.digest, today)
        return found

    def _remember_use(self, digest: bytes, today: date) -> None:
        def mark(tokens: list[Token]) -> list[Token]:
            return [replace(item, last_used=today) if item.digest == digest else item for item in tokens]

        try:
            self._change(mark)
        except NodeError as error:
            logger.warning("token-use-not-recorded", kind=type(error).__name__)
            # Not again at each request: the next day, or the next start, tries again.
            self._known = tuple(mark(list(self._known)))

    def _change(self, change: Callable[[list[Token]], list[Token]]) -> None:
        """Read, change and write as one step for all processes."""
        lock = FileLock(self._path.with_name(f"{self._path.name}.lock"), timeout_seconds=LOCK_SECONDS)
        with lock:
            rows: list[Json] = [token.to_json() for token in change(self._rows())]
            document: Json = {"type": "Tokens", "version": 1, "tokens": rows}
            write_atomically(self._path, canonicalize(document), mode=SECRET_MODE)
        with self._reading:
            self._stamp = None

    def _reload(self) -> None:
        with self._reading:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                self._known, self._stamp = (), None
                return
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp != self._stamp:
                self._known, self._stamp = tuple(self._rows()), stamp

    def _rows(self) -> list[Token]:
        data = read_file(self._path, max_bytes=MAX_TOKENS_BYTES)
        if data is None:
            return []
        try:
            shape = Shape(parse_json(data, subject="tokens", max_bytes=MAX_TOKENS_BYTES), "tokens")
            shape.expect("type", "Tokens")
            shape.expect("version", 1)
            return [_token(row) for row in shape.shapes("tokens", maximum=MAX_TOKENS)]
        except MalformedError as error:
            raise StoreCorrupt(
                f"{self._path}: {error}; restore it, or give every issuer a new token"
            ) from error


def _token(row: Shape) -> Token:
    """A row of the file. Raises MalformedError."""

    def moment(name: str) -> datetime | None:
        text = row.optional_text(name, max_length=64)
        return None if text is None else parse_timestamp(text, row.path(name))

    used = row.optional_text("lastUsed", max_length=10)
    last_used = None
    if used is not None:
        # A day that is none says nothing about who may do what: it is forgotten, not an outage.
        with suppress(ValueError):
            last_used = date.fromisoformat(used)
    return Token(
        digest=row.digest("sha256"),
        slug=row.text("slug"),
        created=parse_timestamp(row.text("created", max_length=64), row.path("created")),
        expires=moment("expires"),
        revoked=moment("revoked"),
        last_used=last_used,
    )
