"""Status entries inside credentials, and the credential that carries a status list.

https://www.w3.org/TR/vc-bitstring-status-list/ ; bits and chunks are in `status`.
"""

import re
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.contexts import CREDENTIALS_V2
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape
from testamur.registry.status import MIN_STATUS_LIST_BITS, StatusBits, decode_list, encode_list
from testamur.registry.timestamps import parse_timestamp

ENTRY_TYPE = "BitstringStatusListEntry"
LIST_TYPE = "BitstringStatusListCredential"

REVOCATION = "revocation"
SUSPENSION = "suspension"
PURPOSES = (REVOCATION, SUSPENSION)
"""The purposes that we issue; `message` and `refresh` are only read."""

MAX_STATUS_ENTRIES = 16
"""Entries in one credential: we write two, others have been seen with four."""

MAX_STATUS_SIZE_BITS = 8
"""256 messages for one credential; nobody has shown a use for more."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusListEntry:
    """Where one status of a credential is written: entry `index` of the list `list_id`, `size` bits wide."""

    purpose: str
    index: int
    list_id: str
    size: int = 1

    def to_json(self) -> dict[str, Json]:
        """The member of `credentialStatus`; its id is the list's with the index as fragment."""
        entry: dict[str, Json] = {
            "id": f"{self.list_id}#{self.index}",
            "type": ENTRY_TYPE,
            "statusPurpose": self.purpose,
            "statusListIndex": str(self.index),
            "statusListCredential": self.list_id,
        }
        if self.size != 1:
            entry["statusSize"] = self.size
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """A parsed status list credential: whose it is, from when, and its entries, eight a byte."""

    id: str
    issuer: str
    purposes: tuple[str, ...]
    valid_from: str | None
    data: bytes

    @property
    def purpose(self) -> str:
        """The first purpose; our own lists have exactly one."""
        return self.purposes[0]

    @property
    def bits(self) -> StatusBits:
        """A copy of the list to work on."""
        return StatusBits.from_bytes(self.data)


def parse_status_entry(value: Json, subject: str = "credentialStatus") -> StatusListEntry | None:
    """A BitstringStatusListEntry, or None for a type that is not known: its status is then unknown, not good.

    The index is a string in base 10 without leading zeros. Raises MalformedError.
    """
    shape = Shape(value, subject)
    if ENTRY_TYPE not in _types(shape):
        return None
    purpose = shape.text("statusPurpose", max_length=128)
    index = shape.text("statusListIndex", max_length=32)
    if not _INDEX.fullmatch(index):
        raise MalformedError(shape.path("statusListIndex"), f"must be a number as a string, not {index!r}")
    size = 1
    if shape.has("statusSize"):
        size = shape.integer("statusSize", minimum=1, maximum=MAX_STATUS_SIZE_BITS)
    if size > 1 and len(shape.items("statusMessage", maximum=1 << size)) != 1 << size:
        raise MalformedError(shape.path("statusMessage"), f"must have {1 << size} messages")
    list_id = shape.text("statusListCredential")
    return StatusListEntry(purpose=purpose, index=int(index), list_id=list_id, size=size)


def build_status_list_credential(
    *, list_id: str, issuer: str, purpose: str, bits: StatusBits, valid_from: str
) -> dict[str, Json]:
    """The unsigned BitstringStatusListCredential for these bits."""
    return {
        "@context": [CREDENTIALS_V2],
        "id": list_id,
        "type": ["VerifiableCredential", LIST_TYPE],
        "issuer": issuer,
        "validFrom": valid_from,
        "credentialSubject": {
            "id": f"{list_id}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encode_list(bits),
        },
    }


def parse_status_list(credential: Json, subject: str = "status list") -> StatusList:
    """A status list that the specification allows: its shape and its bits, not its proof.

    At least 131 072 entries. Raises MalformedError.
    """
    shape = Shape(credential, subject)
    if LIST_TYPE not in _types(shape):
        raise MalformedError(shape.path("type"), f"must contain {LIST_TYPE}")
    issuer = shape.any("issuer")
    if isinstance(issuer, dict):
        issuer = shape.shape("issuer").text("id")
    if not isinstance(issuer, str) or not issuer:
        raise MalformedError(shape.path("issuer"), "must be a URL or an object with an id")
    valid_from = shape.optional_text("validFrom", max_length=64)
    if valid_from is not None:
        parse_timestamp(valid_from, shape.path("validFrom"))
    body = shape.shape("credentialSubject")
    if "BitstringStatusList" not in _types(body):
        raise MalformedError(body.path("type"), "must be BitstringStatusList")
    purposes = body.any("statusPurpose")
    purposes = [purposes] if isinstance(purposes, str) else purposes
    if not isinstance(purposes, list) or not purposes:
        raise MalformedError(body.path("statusPurpose"), "must be one or more strings")
    named = tuple(purpose for purpose in purposes if isinstance(purpose, str) and purpose)
    if len(named) != len(purposes):
        raise MalformedError(body.path("statusPurpose"), "must be one or more strings")
    where = body.path("encodedList")
    data = decode_list(body.text("encodedList", max_length=1 << 20), subject=where)
    if 8 * len(data) < MIN_STATUS_LIST_BITS:
        raise MalformedError(where, f"has {8 * len(data)} entries, fewer than {MIN_STATUS_LIST_BITS}")
    return StatusList(id=shape.text("id"), issuer=issuer, purposes=named, valid_from=valid_from, data=data)


def list_id(status_base: str, slug: str, purpose: str, number: int) -> str:
    """`<status base>/<slug>/<purpose>/<number>`: where the list is served, and its id for ever."""
    return f"{status_base}/{slug}/{purpose}/{number}"


def _types(shape: Shape) -> frozenset[str]:
    """The names in `type`, which may be one string or a list."""
    value = shape.any("type")
    items = value if isinstance(value, list) else [value]
    return frozenset([item for item in items if isinstance(item, str)])
