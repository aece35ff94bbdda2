"""The name of one request: in its answer, in its problem document and in the log."""

import random
import re

MAX_CHARACTERS = 36
"""A UUID fits, and a digest (43 or 64 characters) does not: ids are logged, and digests are not."""

_WELL_FORMED = re.compile(rf"[A-Za-z0-9][A-Za-z0-9-]{{7,{MAX_CHARACTERS - 1}}}")

# Ids are no secrets, and asking the operating system for each would cost more than all the rest of it.
_chance = random.Random()  # noqa: S311  seeded by the operating system, once


def new_request_id() -> str:
    """An id that hardly any other request has."""
    return _chance.randbytes(8).hex()


def request_id_from(sent: str | None) -> str:
    """The id that a client or a proxy gave its request, when it is well-formed; else a new one."""
    if sent is not None and _WELL_FORMED.fullmatch(sent):
        return sent
    return new_request_id()
