"""Strict JSON in, RFC 8785 canonical bytes out: the only road from a document to a digest."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NoReturn, TypeAlias, cast

import rfc8785

from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
"""A JSON value as `parse_json` returns it."""

MAX_DOCUMENT_BYTES: Final = 1 << 20
"""Largest document (1 MiB): credentials are kilobytes, and a node parses what strangers send."""

MAX_DOCUMENT_DEPTH: Final = 64
"""Deepest nesting of objects and arrays: far beyond any credential, far below Python's recursion limit."""

MAX_BLIND_BRACKETS: Final = 512
"""Text with more opening brackets is measured before it is decoded. The decoder recurses in C, bounded only
by Python's recursion limit, and libraries raise that (py_ecc, under web3, to 100 000) beyond what the stack
holds: half a megabyte of brackets would end the process."""

MAX_SAFE_INTEGER: Final = (1 << 53) - 1
"""Largest integer that JCS carries exactly (RFC 8785 §3.2.2.3, I-JSON)."""

MAX_INTEGER_DIGITS: Final = 309
"""Digits of the largest double. Longer integers would be infinite in ECMAScript, and cost quadratic time."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SUBJECT: Final = "canonical JSON"


class _RefusedError(ValueError):
    """Raised inside the decoder's hooks, which do not know what is being parsed."""


def parse_json(
    data: bytes,
    *,
    subject: str,
    max_bytes: int = MAX_DOCUMENT_BYTES,
    max_depth: int = MAX_DOCUMENT_DEPTH,
) -> Json:
    """The one value that `data` has for every strict reader: UTF-8, no duplicate keys, nothing after it.

    A byte order mark is skipped. Integers stay exact. Raises MalformedError(`subject`) for anything else:
    lone surrogates, NaN and Infinity, numbers beyond a double, too many bytes, too deep. RFC 8259, RFC 7493.
    """
    if len(data) > max_bytes:
        raise MalformedError(subject, f"is larger than {max_bytes} bytes")
    brackets = data.count(b"{") + data.count(b"[")
    try:
        text = data.removeprefix(_BYTE_ORDER_MARK).decode("utf-8")
        if brackets > MAX_BLIND_BRACKETS:
            _check_text_depth(text, subject, max_depth)
        value = cast("Json", _DECODER.decode(text))
    except UnicodeDecodeError as exc:
        raise MalformedError(subject, f"is not UTF-8 (byte {exc.start})") from exc
    except json.JSONDecodeError as exc:
        raise MalformedError(
            subject, f"is not JSON: {exc.msg} (line {exc.lineno}, column {exc.colno})"
        ) from exc
    except _RefusedError as exc:
        raise MalformedError(subject, str(exc)) from exc
    except RecursionError as exc:
        raise MalformedError(subject, f"is nested deeper than {max_depth}") from exc
    if brackets > max_depth:
        _check_depth(value, subject, max_depth)
    # Strict UTF-8 holds no surrogates, so only an escape can bring one in.
    if "\\u" in text:
        _check_surrogates(value, subject)
    return value


def canonicalize(value: Json) -> bytes:
    """The RFC 8785 (JCS) bytes of `value`.

    Integers beyond 2^53 become the double that ECMAScript would read (issuing refuses them:
    `canonicalize_for_issuing`). Raises MalformedError for what JCS cannot carry (NaN, infinities, lone
    surrogates, nesting that exhausts the stack) and TypeError for values that are not JSON.
    """
    try:
        if _are_plain((value,)):
            # The standard library's encoder, in C, differs from JCS in three things only: floats, integers
            # beyond 2^53 (both excluded), and the order of keys outside of the Basic Multilingual Plane.
            text = _encode(value)
            if text.isascii():
                return text.encode("ascii")
            if len(text.encode("utf-16-le")) == 2 * len(text):
                return text.encode("utf-8")
        return rfc8785.dumps(_as_ecmascript(value))
    except rfc8785.FloatDomainError as exc:
        raise MalformedError(_SUBJECT, "holds a number that is not finite") from exc
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as exc:
        raise MalformedError(_SUBJECT, "holds a lone surrogate") from exc
    except RecursionError as exc:
        raise MalformedError(_SUBJECT, "is nested too deep") from exc


def canonicalize_for_issuing(value: Json) -> bytes:
    """The same bytes as `canonicalize`, for values that every reader will read alike.

    Raises MalformedError for integers of 2^53 and more, which other languages would round.
    """
    canonical = canonicalize(value)
    for level in _levels(value):
        for item in level:
            if isinstance(item, int) and abs(item) > MAX_SAFE_INTEGER:
                raise MalformedError(
                    _SUBJECT, "holds an integer beyond 2^53, which other readers would round"
                )
    return canonical


def digest(value: Json) -> bytes:
    """SHA-256 of the canonical bytes of `value` (32 bytes)."""
    return sha256(canonicalize(value))


# --------------------------------------------------------------------------------------------------- encoding


def _are_plain(values: Iterable[Any]) -> bool:
    """Whether the C encoder writes `values` as JCS does, apart from the order of unusual keys.

    Exact types only: subclasses (enumerations, say) may write themselves in their own way. This walk is a
    quarter of the cost of a canonical form, hence one call per container, not per value.
    """
    for item in values:
        kind = type(item)
        if kind is str:
            continue
        if kind is dict:
            "".join(item)  # TypeError for a key that is not text: the C encoder would make it text
            if not _are_plain(item.values()):
                return False
        elif kind is list:
            if not _are_plain(item):
                return False
        elif kind is int:
            if not -MAX_SAFE_INTEGER <= item <= MAX_SAFE_INTEGER:
                return False
        elif item is not None and kind is not bool:
            return False
    return True


def _as_ecmascript(value: object) -> Json:
    """`value` with the integers that ECMAScript would round already rounded."""
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, int):
        if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            return int(value)
        try:
            return float(value)
        except OverflowError as exc:
            raise MalformedError(_SUBJECT, "holds a number that is not finite") from exc
    if isinstance(value, list | tuple):
        return [_as_ecmascript(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("the keys of a JSON object are strings")
        return {key: _as_ecmascript(item) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} is not a JSON type")


# --------------------------------------------------------------------------------------------------- decoding


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RefusedError(f"has two members {json.dumps(key)} in one object")
            seen.add(key)
    return members


def _integer(text: str) -> int:
    if len(text) <= 16:
        return int(text)
    if len(text) > MAX_INTEGER_DIGITS + 1:
        raise _RefusedError("holds an integer beyond the range of a double")
    value = int(text)
    try:
        float(value)
    except OverflowError:
        raise _RefusedError("holds an integer beyond the range of a double") from None
    return value


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _RefusedError("holds a number beyond the range of a double")
    return value


def _constant(text: str) -> NoReturn:
    raise _RefusedError(f"holds {text}, which is not JSON")


def _levels(value: Json) -> Iterator[list[Json]]:
    """The values of a document, level by level: all at depth 0, all at depth 1, …"""
    level: list[Json] = [value]
    while level:
        yield level
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = below


def _check_text_depth(text: str, subject: str, max_depth: int) -> None:
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        first = token[0][0]
        depth += (first in "[{") - (first in "]}")
        if depth > max_depth:
            raise MalformedError(subject, f"is nested deeper than {max_depth}")


def _check_depth(value: Json, subject: str, max_depth: int) -> None:
    for depth, level in enumerate(_levels(value)):
        if depth >= max_depth and any(isinstance(item, dict | list) for item in level):
            raise MalformedError(subject, f"is nested deeper than {max_depth}")


def _check_surrogates(value: Json, subject: str) -> None:
    try:
        for level in _levels(value):
            for item in level:
                if isinstance(item, str):
                    item.encode("utf-8")
                elif isinstance(item, dict):
                    "".join(item).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise MalformedError(subject, "holds a lone surrogate") from exc


# A string that never ends runs to the end of the text, so that no text is scanned twice.
_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)

_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def _encode_once() -> Callable[[Json], str]:
    """What `_ENCODER.encode` does, without making its C part anew for each of thousands of documents."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # another Python than CPython
        return _ENCODER.encode
    quote = json.encoder.encode_basestring
    chunks = make(None, _ENCODER.default, quote, None, ":", ",", True, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode: Final = _encode_once()
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_integer, parse_constant=_constant
)
