"""What a browser sends to the page: a few files, a text, a day. Bounded before it is kept."""

import asyncio
import contextlib
import warnings
from dataclasses import dataclass
from datetime import date

from aiohttp import BodyPartReader, MultipartReader, multipart, web
from aiohttp.http_exceptions import HttpProcessingError

from testamur.node.api.problems import TooLarge, TooSlow, UnsupportedMedia
from testamur.node.api.requests import MAX_BODY_SECONDS, MAX_BUNDLE_BYTES, MAX_DOSSIER_BYTES
from testamur.registry.errors import MalformedError

MAX_FILES = 12
"""An application has a handful of diplomas. For folders there is `testamur verify`, on all cores."""

MAX_FILE_BYTES = MAX_DOSSIER_BYTES
"""A credential and its evidence, each of the largest size that is parsed at all."""

MAX_FORM_BYTES = MAX_BUNDLE_BYTES
"""Everything together: more than a dozen dossiers of the usual 30 kB, and little to keep in memory."""

MAX_PARTS = 2 * MAX_FILES
"""The form has three fields; a browser sends an empty part for a field without a file."""

MAX_FIELD_BYTES = 64
"""A day is ten characters."""

MAX_NAME_CHARACTERS = 200
"""Longer than a file system's names are wide."""

MAX_DRAIN_BYTES = 1 << 30
MAX_DRAIN_SECONDS = 15
"""How much of a refused form is read and thrown away, and for how long.

A browser shows what it was answered only once it has sent everything; cut off, it shows a broken connection.
"""

MAX_PREAMBLE_LINES = 4
"""Lines before the first part; browsers send none. Each costs the event loop some microseconds, and a body of
empty lines alone, compressed to ten kilobytes, would keep it from everything else for minutes."""

PASTED = "pasted text"

# What aiohttp cannot read of a part's head (a file's name, say), it would write to standard error, and keep.
for _category in (multipart.BadContentDispositionHeader, multipart.BadContentDispositionParam):
    warnings.filterwarnings("ignore", category=_category)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One file, or the pasted text, as it came."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was asked: judge these, as of the end of that day if there is one."""

    given: tuple[Given, ...]
    day: date | None


async def read_form(request: web.Request) -> Form:
    """The submitted form. Raises UnsupportedMedia, TooLarge, TooSlow or MalformedError with the cure."""
    if request.content_type != "multipart/form-data":
        raise UnsupportedMedia(
            "send the form of this page, or a file as the part `file` of multipart/form-data"
        )
    # A compressed body could be a thousand times larger than what was counted.
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMedia("send the form without Content-Encoding")
    try:
        if (request.content_length or 0) > MAX_FORM_BYTES:
            raise _too_large_form()
        try:
            async with asyncio.timeout(MAX_BODY_SECONDS):
                return await _read(request)
        except TimeoutError as exc:
            raise TooSlow(f"the form did not arrive within {MAX_BODY_SECONDS} seconds") from exc
        # aiohttp reports a broken multipart body with whatever exception came up in its parser.
        except (HttpProcessingError, ValueError, AssertionError, RuntimeError, LookupError, TypeError) as exc:
            raise MalformedError("form", "is not a complete multipart form; send it again") from exc
        except (web.RequestPayloadError, ConnectionError) as exc:
            raise MalformedError("form", "ended before it was complete; send it again") from exc
    except (TooLarge, MalformedError):
        await _drain(request)
        raise


class _Reader(MultipartReader):
    """A reader that does not look for the beginning of a form in megabytes of lines before it."""

    async def _read_until_first_boundary(self) -> None:
        for _ in range(MAX_PREAMBLE_LINES + 1):
            line = (await self._readline()).rstrip()
            if line in (self._boundary, self._boundary + b"--"):
                self._at_eof = line != self._boundary
                return
        raise ValueError("no boundary at the beginning")


async def _read(request: web.Request) -> Form:
    given: list[Given] = []
    day: date | None = None
    parts = total = 0
    reader = _Reader(request.headers, request.content)
    while (part := await reader.next()) is not None:
        parts += 1
        if not isinstance(part, BodyPartReader) or parts > MAX_PARTS:
            raise _too_many() if parts > MAX_PARTS else MalformedError("form", "has a part within a part")
        name, data = await _read_part(part, total)
        total += len(data)
        if part.name == "day":
            day = _day(data)
        elif data.strip() or (part.name == "file" and name):
            given.append(Given(name=name or PASTED, data=data))
        if len(given) > MAX_FILES:
            raise _too_many()
    if not given:
        raise MalformedError("form", "holds nothing to verify: choose a file, drop one, or paste its text")
    return Form(given=tuple(given), day=day)


async def _read_part(part: BodyPartReader, before: int) -> tuple[str, bytes]:
    name = (part.filename or "").rpartition("/")[2].rpartition("\\")[2][:MAX_NAME_CHARACTERS]
    limit = MAX_FIELD_BYTES if part.name == "day" else MAX_FILE_BYTES
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if before + len(data) > MAX_FORM_BYTES:
            raise _too_large_form()
        if len(data) > limit:
            raise TooLarge(
                f"{name or part.name or 'a field'} is larger than {limit >> 20} MiB"
                if limit >= 1 << 20
                else f"the field {part.name} is longer than {limit} characters",
                limit=limit,
            )
    return name, bytes(data)


def _day(data: bytes) -> date | None:
    text = data.decode("ascii", errors="replace").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise MalformedError("the date", f"must be a day like 2026-11-21, not {text[:20]!r}") from exc


def _too_many() -> TooLarge:
    reason = f"more than {MAX_FILES} files; give fewer at once, or verify a whole folder with testamur verify"
    return TooLarge(reason, limit=MAX_FILES)


def _too_large_form() -> TooLarge:
    reason = (
        f"everything together is larger than {MAX_FORM_BYTES >> 20} MiB "
        f"(and one file may have {MAX_FILE_BYTES >> 20} MiB); a dossier has about 30 kB"
    )
    return TooLarge(reason, limit=MAX_FORM_BYTES)


async def _drain(request: web.Request) -> None:
    """Let the sender finish, and keep nothing of it."""
    drained = 0
    with contextlib.suppress(TimeoutError, web.RequestPayloadError, ConnectionError, RuntimeError):
        async with asyncio.timeout(MAX_DRAIN_SECONDS):
            async for chunk in request.content.iter_any():
                drained += len(chunk)
                if drained > MAX_DRAIN_BYTES:
                    return
