"""The status of a credential from lists that the caller supplies: Bitstring, StatusList2021, 1EdTech's.

https://www.w3.org/TR/vc-bitstring-status-list/ and its predecessor
https://www.w3.org/TR/2023/WD-vc-status-list-20230427/; 1EdTech's revocation list is in `revocation_lists`.
What cannot be read is *unknown*: never revoked, never active.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.credentials import with_text_index
from testamur.registry.data_model import issuer_of, objects_of
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.revocation_lists import REVOCATION_LIST, is_revoked
from testamur.registry.shapes import Shape
from testamur.registry.status import MIN_STATUS_LIST_BITS, decode_list, is_set
from testamur.registry.status_lists import (
    ENTRY_TYPE,
    LIST_TYPE,
    MAX_STATUS_ENTRIES,
    REVOCATION,
    SUSPENSION,
    StatusListEntry,
    parse_status_entry,
)
from testamur.registry.vc_result import Part, Problem, StatusResult, problem_of
from testamur.registry.verification.verdict import CredentialStatus

ENTRY_2021 = "StatusList2021Entry"
LIST_2021 = "StatusList2021Credential"
INFORMATIVE = frozenset({"message", "refresh"})
"""Purposes that say something to the holder and take nothing away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """What one generation of status lists calls things."""

    list_type: str
    subject_type: str
    has_multibase: bool


_FORMATS = {
    ENTRY_TYPE: _Format(list_type=LIST_TYPE, subject_type="BitstringStatusList", has_multibase=True),
    ENTRY_2021: _Format(list_type=LIST_2021, subject_type="StatusList2021", has_multibase=False),
}

KNOWN_TYPES = frozenset({*_FORMATS, REVOCATION_LIST})
"""Types of status entries that can be read where their list is supplied."""


def read_statuses(
    document: dict[str, Json],
    documents: Mapping[str, Json],
    verify_list: Callable[[Json], None],
    *,
    but_for: str | None = None,
) -> tuple[StatusResult, ...]:
    """What the lists in `documents` say of each entry of `credentialStatus`, in the document's order.

    `verify_list` raises for a list whose own proof does not hold: what such a list says is unknown. 1EdTech's
    have no proof. Entries of the type `but_for` are left out: somebody else reads them.
    """
    results = []
    for where, entry in objects_of(document, "credentialStatus", "credential", MAX_STATUS_ENTRIES):
        types = _types(entry)
        if but_for in types:
            continue
        value, error, purpose = None, None, None
        kind = next((item for item in types if item in KNOWN_TYPES), types[0] if types else "")
        try:
            if kind == REVOCATION_LIST:
                purpose = REVOCATION
                value = _read_revocations(document, Shape(entry, where), documents)
            else:
                wanted = _entry(entry, kind, where)
                purpose = wanted.purpose
                value = _read(wanted, _FORMATS[kind], documents, verify_list)
        except (MalformedError, VerificationError) as caught:
            error = caught
        results.append(
            StatusResult(
                entry=entry,
                type=kind,
                purpose=purpose,
                value=value,
                problem=_problem(error, where) if error else None,
            )
        )
    return tuple(results)


def combined(results: tuple[StatusResult, ...]) -> tuple[CredentialStatus, tuple[Problem, ...]]:
    """One word for all entries, and why it is not `active`.

    Revocation outranks everything, whatever the order of the entries; then *unknown*; then suspension.
    """
    said = {(result.purpose, bool(result.value)) for result in results if result.value is not None}
    unknown = tuple(result.problem for result in results if result.problem is not None)
    if (REVOCATION, True) in said:
        return CredentialStatus.REVOKED, (Problem(part=Part.STATUS, reason="revoked-by-list"),)
    if unknown:
        return CredentialStatus.UNKNOWN, unknown
    if (SUSPENSION, True) in said:
        return CredentialStatus.SUSPENDED, (Problem(part=Part.STATUS, reason="suspended-by-list"),)
    return CredentialStatus.ACTIVE, ()


def _types(entry: dict[str, Json]) -> list[str]:
    types = entry.get("type")
    return [item for item in (types if isinstance(types, list) else [types]) if isinstance(item, str)]


def _read_revocations(document: dict[str, Json], entry: Shape, documents: Mapping[str, Json]) -> int:
    """1 or 0 from 1EdTech's list, which names credentials by their ids."""
    list_id = entry.text("id")
    if list_id not in documents:
        raise VerificationError("status-missing", list=list_id[:200])
    credential_id = Shape(document, "credential").text("id")
    issuer, _ = issuer_of(document, "credential")
    return int(is_revoked(documents[list_id], list_id=list_id, issuer=issuer, credential_id=credential_id))


def _entry(entry: dict[str, Json], kind: str, where: str) -> StatusListEntry:
    if kind not in _FORMATS:
        raise VerificationError("status-type-unknown", type=kind[:200])
    as_bitstring: dict[str, Json] = {**with_text_index(entry), "type": ENTRY_TYPE}
    wanted = parse_status_entry(as_bitstring, where)
    if wanted is None:
        raise VerificationError("status-type-unknown", type=kind[:200])
    if wanted.purpose not in {REVOCATION, SUSPENSION, *INFORMATIVE}:
        raise VerificationError("status-type-unknown", type=wanted.purpose[:200])
    return wanted


def _read(
    wanted: StatusListEntry,
    form: _Format,
    documents: Mapping[str, Json],
    verify_list: Callable[[Json], None],
) -> int:
    credential = documents.get(wanted.list_id)
    if credential is None:
        raise VerificationError("status-missing", list=wanted.list_id[:200])
    verify_list(credential)
    shape = Shape(credential, "status list")
    _check_type(shape, form.list_type)
    body = shape.shape("credentialSubject")
    _check_type(body, form.subject_type)
    purposes = body.any("statusPurpose")
    if wanted.purpose not in (purposes if isinstance(purposes, list) else [purposes]):
        raise VerificationError("status-purpose-mismatch", purpose=wanted.purpose[:100])
    text = body.text("encodedList", max_length=1 << 21)
    where = body.path("encodedList")
    if not form.has_multibase:
        text = "u" + text.rstrip("=").translate(str.maketrans("+/", "-_"))
    data = decode_list(text, subject=where)
    end = (wanted.index + 1) * wanted.size
    if end > 8 * len(data):
        raise VerificationError("status-index-outside-list", index=wanted.index, length=8 * len(data))
    bits = range(wanted.index * wanted.size, end)
    value = int("".join("1" if is_set(data, bit) else "0" for bit in bits), 2)
    if not value and 8 * len(data) < MIN_STATUS_LIST_BITS:
        # A set bit counts in a list of any length: its issuer signed it. A clear one in a list that is
        # shorter than the specification allows may as well be somebody's cut.
        raise VerificationError("status-list-short", length=8 * len(data), wanted=MIN_STATUS_LIST_BITS)
    return value


def _check_type(shape: Shape, wanted: str) -> None:
    types = shape.any("type")
    if wanted not in (types if isinstance(types, list) else [types]):
        raise MalformedError(shape.path("type"), f"must contain {wanted}")


def _problem(error: RegistryError, where: str) -> Problem:
    return problem_of(Part.STATUS, error, where)
