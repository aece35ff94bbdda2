"""Parameters of paths and queries: the schema that /openapi.json shows is the one that they are judged by."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from aiohttp import web

from testamur.node.api.models import LOG_ID_PATTERN, MAX_ID_CHARACTERS, SLUG_PATTERN
from testamur.node.api.ports import NotFound
from testamur.node.api.schemas import DIGEST_IN_PATH_PATTERN, Schema, text
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import decode_digest
from testamur.registry.timestamps import MAX_TIMESTAMP_CHARACTERS, parse_timestamp

MAX_PAGE = 1000
"""Items on one page: an answer of some 400 kB."""

DEFAULT_PAGE = 100

MAX_NUMBER = 999_999_999
MAX_EPOCH = 65_535
"""The contract keeps an epoch in 16 bits."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_HEX_DIGITS = 64


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A path parameter when the path names it, else a query parameter.

    `missing`: something in a path that cannot be the name of anything is nothing that exists, and the answer
    is NotFound with this text; without it, MalformedError.
    """

    name: str
    schema: Schema
    description: str = ""
    is_required: bool = False
    missing: str = ""

    @cached_property
    def _accepts(self) -> Callable[[str], object] | None:
        """For the most common kind of schema, which has a pattern and nothing else."""
        return (
            re.compile(self.schema["pattern"]).fullmatch if set(self.schema) == {"type", "pattern"} else None
        )

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        found = self.schema.get("pattern")
        return None if found is None else re.compile(found)

    def check(self, value: str) -> None:
        """The text fits the schema. Raises NotFound or MalformedError."""
        if self._accepts is not None and self._accepts(value):
            return
        reason = self._reason(value)
        if reason and self.missing:
            raise NotFound(self.missing)
        if reason:
            raise MalformedError(self.name, reason)

    def _reason(self, value: str) -> str:
        schema = self.schema
        if schema["type"] == "boolean":
            return "" if value in {"true", "false"} else "must be true or false"
        if schema["type"] == "integer":
            lowest, highest = schema["minimum"], schema["maximum"]
            if not _INTEGER.fullmatch(value) or not lowest <= int(value) <= highest:
                return f"must be a decimal number from {lowest} to {highest}"
            return ""
        if len(value) < schema.get("minLength", 0):
            return "is empty"
        if len(value) > schema.get("maxLength", MAX_ID_CHARACTERS):
            return f"has {len(value)} characters, more than {schema.get('maxLength', MAX_ID_CHARACTERS)}"
        # Not `search`: `$` also matches before a line feed at the end.
        if self._pattern is not None and not self._pattern.fullmatch(value):
            return (
                f"must be {self.description}" if self.description else f"does not match {schema['pattern']}"
            )
        if "enum" in schema and value not in schema["enum"]:
            return f"must be one of {', '.join(schema['enum'])}"
        return ""

    def in_path(self, request: web.Request) -> str:
        """The path's value. Raises as `check`."""
        value = request.match_info[self.name]
        self.check(value)
        return value

    def find(self, request: web.Request) -> str | None:
        """The query's value, or None when it is absent and may be. Raises MalformedError."""
        value = request.query.get(self.name)
        if value is None:
            if self.is_required:
                raise MalformedError(self.name, "is missing from the query")
            return None
        self.check(value)
        return value

    def get(self, request: web.Request) -> str:
        """The query's value, or "" when it is absent and may be. Raises MalformedError."""
        return self.find(request) or ""


def check_query(request: web.Request, parameters: Sequence[Parameter]) -> None:
    """The query names what the route knows, and each once: `?asof=` would answer another question silently.

    Raises MalformedError.
    """
    known = {parameter.name for parameter in parameters}
    seen: set[str] = set()
    for name, _ in request.query.items():  # noqa: PERF102  keys would come once each
        if name not in known:
            shown = name[:40].encode("ascii", "replace").decode()
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            raise MalformedError("query", f"has a parameter {shown!r} that this route does not take; {takes}")
        if name in seen:
            raise MalformedError(name, "is in the query twice")
        seen.add(name)


SLUG = Parameter(
    name="slug",
    schema=text(pattern=SLUG_PATTERN, maxLength=63),
    description="the issuer's slug",
    missing="no issuer has this slug",
)
DIGEST = Parameter(
    name="digest",
    schema=text(pattern=DIGEST_IN_PATH_PATTERN),
    description="SHA-256 in multibase base64url, or in hex",
)
LOG_ID = Parameter(
    name="log_id",
    schema=text(pattern=LOG_ID_PATTERN),
    description="SHA-256 of the log's origin, lower-case hex",
)
TILE = Parameter(
    name="tile",
    schema=text(
        pattern=r"^([0-9]|[1-5][0-9]|6[0-3]|entries)/"
        r"(x(00[1-9]|0[1-9][0-9]|[1-9][0-9]{2})/(x[0-9]{3}/){0,3})?[0-9]{3}"
        r"(\.p/([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?$"
    ),
    description="the rest of the tlog-tiles path, e.g. 0/x001/234.p/5",
)
PREFIX = Parameter(
    name="prefix",
    schema=text(pattern="^[0-9a-fA-F]{0,64}$"),
    description="leading hex digits of the digest, none or more; too few where many match are malformed",
    is_required=True,
)
AS_OF = Parameter(
    name="asOf",
    schema=text(format="date-time", maxLength=MAX_TIMESTAMP_CHARACTERS),
    description="judge as of this time, which is not in the future; default now",
)
EPOCH = Parameter(
    name="epoch",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_EPOCH},
    description="default: the current one",
)
NEWEST = Parameter(
    name="newest",
    schema={"type": "boolean", "default": False},
    description="true: at the newest checkpoint, anchored or not",
)
LIST_ID = Parameter(
    name="id",
    schema=text(format="uri", minLength=1, maxLength=MAX_ID_CHARACTERS),
    description="the list's id",
    is_required=True,
)
LIST_ISSUER = Parameter(
    name="issuer",
    schema=text(minLength=1, maxLength=MAX_ID_CHARACTERS),
    description="the DID of the list's issuer, where several issuers publish a list with this id",
)
TIMESTAMP = Parameter(
    name="timestamp",
    schema=text(format="date-time", maxLength=MAX_TIMESTAMP_CHARACTERS),
    description="the version that was in force then; default: the newest",
)
PURPOSE = Parameter(
    name="purpose",
    schema=text(pattern="^[a-z]{1,32}$"),
    description="revocation, suspension …",
    missing="no status list has this purpose",
)
NUMBER = Parameter(
    name="number",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_NUMBER},
    missing="no status list has this number",
)
AFTER_SLUG = Parameter(
    name="after",
    schema=text(pattern=SLUG_PATTERN),
    description="`next` of the page before",
)
AFTER_ID = Parameter(
    name="after",
    schema=text(pattern=r"^(document|status-list):[^\r\n]+$", maxLength=MAX_ID_CHARACTERS + 16),
    description="`next` of the page before",
)
AFTER_VERSION = Parameter(
    name="after",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_NUMBER},
    description="the version of the trust file that the client has; 0 for none",
    is_required=True,
)
LIMIT = Parameter(
    name="limit",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
    description="items on a page",
)


def digest_in_path(request: web.Request) -> bytes:
    """The path's `digest`: multibase `u`, or 64 hex digits. Raises MalformedError."""
    value = DIGEST.in_path(request)
    return bytes.fromhex(value) if len(value) == _HEX_DIGITS else decode_digest(value, "digest")


def moment_in_query(request: web.Request, parameter: Parameter) -> datetime | None:
    """A moment, an XML dateTimeStamp, or None. Raises MalformedError."""
    value = parameter.find(request)
    return None if value is None else parse_timestamp(value, parameter.name)


def number_in_query(request: web.Request, parameter: Parameter) -> int | None:
    """An integer, the schema's default, or None. Raises MalformedError."""
    value = parameter.find(request)
    return parameter.schema.get("default") if value is None else int(value)
