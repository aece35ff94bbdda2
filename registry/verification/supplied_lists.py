"""Step 9 for status lists of older formats: what they say where the caller of a verification supplies them.

A Bitstring list is proven from the issuer's newest statement, and stands in the evidence. The older formats
have no proof that theirs is the newest: they count from the caller's own documents alone, never from the file
that is being verified, whose bearer would choose an old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.errors import VerificationError
from testamur.registry.status_lists import ENTRY_TYPE
from testamur.registry.verification.context import Context, Undecided
from testamur.registry.verification.verdict import Facts

INFORMATIVE = frozenset({"message", "refresh"})
"""Purposes that say something to the holder and take nothing away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedStatus:
    """`found`: purposes that are set; `unknown`: why something cannot be told, None when all can."""

    found: frozenset[str]
    unknown: Undecided | None
    lists: tuple[Facts, ...]
    """One for each list that was read, for the facts of the check."""


def read_supplied(context: Context) -> SuppliedStatus:
    """What the supplied documents say of the entries that are not Bitstring ones; noted in the verdict."""
    # Hardly any credential needs it, and it imports this package itself.
    from testamur.registry.vc_status import read_statuses  # noqa: PLC0415

    found: set[str] = set()
    problems: list[Undecided] = []
    lists: list[Facts] = []
    for result in read_statuses(
        context.need_credential().json,
        context.contexts or {},
        lambda document: _verify(context, document),
        but_for=ENTRY_TYPE,
    ):
        if result.purpose in INFORMATIVE:
            continue
        if result.problem is not None:
            problems.append(_undecided(result.problem.reason, result.problem.parameters))
        if result.value is None or result.purpose is None:
            continue
        entry = result.entry if isinstance(result.entry, dict) else {}
        address = str(entry.get("statusListCredential") or entry.get("id"))[:200]
        lists.append(
            {"purpose": result.purpose, "list": address, "type": result.type, "set": bool(result.value)}
        )
        context.status_notes.append(f"{result.purpose}: as in the supplied list {address}, however old it is")
        if result.value:
            found.add(result.purpose)
    return SuppliedStatus(
        found=frozenset(found), unknown=problems[0] if problems else None, lists=tuple(lists)
    )


def _undecided(reason: str, parameters: Mapping[str, str | int]) -> Undecided:
    return Undecided("status-list-not-supplied" if reason == "status-missing" else reason, **parameters)


def _verify(context: Context, document: Json) -> None:
    """A list holds by its own proof and period. Raises VerificationError("status-list-unproven")."""
    from testamur.registry.vc_verification import verify_credential  # noqa: PLC0415  as above

    result = verify_credential(
        document,
        documents=_with_issuer(context),
        now=context.now,
        checks=("proof", "issuer", "validity"),
    )
    if not result.verified:
        problem = result.problems[0].words if result.problems else "it has no proof"
        raise VerificationError("status-list-unproven", problem=problem[:300].rstrip("."))


def _with_issuer(context: Context) -> Mapping[str, Json]:
    """The supplied documents; the issuer's, unless it is there, with its keys in force."""
    documents = context.contexts or {}
    if context.keys is None or context.keys.issuer in documents:
        return documents
    issuer = context.keys.issuer
    keys = [item.key for item in context.keys.chains[-1].intervals if item.end is None]
    methods: list[Json] = [
        {
            "id": key.id,
            "type": "Multikey",
            "controller": issuer,
            "publicKeyMultibase": key.public_key.to_multikey(),
        }
        for key in keys
    ]
    named: list[Json] = [key.id for key in keys]
    return {**documents, issuer: {"id": issuer, "verificationMethod": methods, "assertionMethod": named}}
