"""Signs that status lists were made to track their holders, instead of hiding each among many.

A list is fetched whole, so its address must not say whose status is looked at: not by being used for one
credential alone, not by what it carries, and an index must not tell when somebody was awarded something.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from testamur.registry.canonical import Json
from testamur.registry.credentials import Credential
from testamur.registry.evidence import LogEvidence
from testamur.registry.statements import parse_status_entry_of_statement
from testamur.registry.status import MIN_STATUS_LIST_BITS
from testamur.registry.status_lists import StatusListEntry

MIN_COMPARED = 8
"""Credentials of one issuer before their indexes are compared: eight in order by chance is 1 in 40 320."""

ENTRIES_FOR_A_LIST = MIN_STATUS_LIST_BITS // 2
"""An issuer who begins a new list before an old one is half full has no need of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What could track holders, and how."""

    subject: str
    problem: str

    def to_json(self) -> dict[str, Json]:
        """`{"subject", "problem"}`."""
        return {"subject": self.subject, "problem": self.problem}


def audit_lists(log: LogEvidence) -> list[Finding]:
    """What an issuer's lists tell by themselves: their number against the log's size, and their addresses."""
    findings: list[Finding] = []
    by_purpose: dict[str, list[str]] = defaultdict(list)
    for proof in log.status:
        entry = parse_status_entry_of_statement(proof.entry)
        by_purpose[entry.purpose].append(entry.id)
        findings += _address(entry.id)
    size = log.checkpoint.checkpoint.size
    for purpose, names in sorted(by_purpose.items()):
        if len(names) > 1 + size // ENTRIES_FOR_A_LIST:
            problem = (
                f"has {len(names)} {purpose} lists for at most {size} credentials: small ones single out"
            )
            findings.append(Finding(subject=log.origin, problem=problem))
    return findings


def audit_dossiers(credentials: Sequence[tuple[int | None, Credential]]) -> list[Finding]:
    """What the entries of one issuer's credentials tell together; each with its leaf index, if known."""
    findings: list[Finding] = []
    users: dict[tuple[str, str], list[tuple[int | None, StatusListEntry]]] = defaultdict(list)
    for leaf_index, credential in credentials:
        for entry in credential.status:
            users[entry.purpose, entry.list_id].append((leaf_index, entry))
    for (purpose, list_id), entries in sorted(users.items()):
        findings += _address(list_id)
        if len(credentials) >= MIN_COMPARED and len(entries) == 1:
            problem = f"is named by one of {len(credentials)} credentials: whoever fetches it says whose"
            findings.append(Finding(subject=list_id, problem=problem))
        findings += _order(purpose, list_id, entries)
    return findings


def _order(
    purpose: str, list_id: str, entries: Sequence[tuple[int | None, StatusListEntry]]
) -> list[Finding]:
    """Indexes that are used twice, and indexes that follow the order of issuing."""
    indexes = [entry.index for _, entry in entries]
    findings = []
    if len(set(indexes)) < len(indexes):
        problem = f"gives one {purpose} entry to several credentials: they are revoked together"
        findings.append(Finding(subject=list_id, problem=problem))
    known = sorted((leaf, entry.index) for leaf, entry in entries if leaf is not None)
    logged = [index for _, index in known]
    if len(logged) >= MIN_COMPARED and logged in (sorted(logged), sorted(logged, reverse=True)):
        problem = "has its entries in the order of issuing: an index says when, and with whom"
        findings.append(Finding(subject=list_id, problem=problem))
    return findings


def _address(list_id: str) -> list[Finding]:
    parts = urlsplit(list_id)
    problem = None
    if parts.query or parts.fragment:
        problem = "carries a query or a fragment, which can differ from holder to holder"
    elif parts.username or parts.password:
        problem = "carries a user name, which can differ from holder to holder"
    return [] if problem is None else [Finding(subject=list_id, problem=problem)]
