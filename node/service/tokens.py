"""Access tokens of issuers: the node keeps their digests, so a stolen data folder cannot submit anything."""

import hmac
import secrets
from datetime import datetime
from pathlib import Path

from testamur.node.errors import StoreCorrupt
from testamur.node.files import SECRET_MODE, read_file, write_atomically
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape
from testamur.registry.timestamps import format_timestamp

MAX_TOKENS_BYTES = 1 << 20
"""Some thousand issuers with a few tokens each."""

MAX_TOKENS = 8192
TOKEN_BYTES = 32
TOKEN_PREFIX = "tstm_"  # noqa: S105  what a token starts with, so that scanners for leaked secrets find it


class TokenStore:
    """Tokens of one node. A changed file is read again: the command line adds tokens to a running node."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._slugs: dict[bytes, str] = {}

    def create(self, slug: str, now: datetime) -> str:
        """A new token for the issuer `slug`. It is returned once and kept nowhere."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        rows = self._rows()
        rows.append(
            {"slug": slug, "sha256": encode_digest(sha256(token.encode())), "created": format_timestamp(now)}
        )
        document: Json = {"type": "Tokens", "version": 1, "tokens": rows}
        write_atomically(self._path, canonicalize(document), mode=SECRET_MODE)
        self._stamp = None
        return token

    def find(self, token: str) -> str | None:
        """The slug that the token belongs to. Compares digests in constant time, and every one of them."""
        self._reload()
        wanted = sha256(token.encode())
        found = None
        for digest, slug in self._slugs.items():
            if hmac.compare_digest(digest, wanted):
                found = slug
        return found

    def _reload(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._slugs, self._stamp = {}, None
            return
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._slugs = {
                Shape(row, "tokens").digest("sha256"): Shape(row, "tokens").text("slug")
                for row in self._rows()
            }
            self._stamp = stamp

    def _rows(self) -> list[Json]:
        data = read_file(self._path, max_bytes=MAX_TOKENS_BYTES)
        if data is None:
            return []
        try:
            shape = Shape(parse_json(data, subject="tokens"), "tokens")
            shape.expect("type", "Tokens")
            shape.expect("version", 1)
            return shape.items("tokens", maximum=MAX_TOKENS)
        except MalformedError as error:
            raise StoreCorrupt(
                f"{self._path}: {error}; restore it, or give every issuer a new token"
            ) from error
