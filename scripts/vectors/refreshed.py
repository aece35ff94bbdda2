"""Files that were refreshed: what they go on proving of the past, and lies about it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.holding_evidence import EvidenceHolder
from fakes.status_life import OWN, StatusLife
from vectors.files import Vector, log_of

ISSUED = datetime(2026, 11, 18, tzinfo=UTC)
CLASSMATE = 8
DAY_SECONDS = 86_400


def life() -> StatusLife:
    """An issuer whose credential is as young as the other vectors'."""
    return StatusLife(now=ISSUED)


PROVEN = life().captured_at
"""As of when the older evidence proves the status."""


def classmate_suspended() -> Any:
    """Refreshed after a classmate was suspended in the same list, and after another anchor."""
    lived = life()
    holder = EvidenceHolder(lived)
    lived.tick(DAY_SECONDS)
    lived.change("suspension", CLASSMATE, True)
    for _ in range(3):
        lived.anchor()
        lived.tick(60)
    holder.refresh()
    return {"credential": lived.credential, "evidence": copy.deepcopy(holder.evidence)}


def revoked_since() -> Any:
    """Refreshed after it was revoked, without the record that says why and since when."""
    lived = life()
    holder = EvidenceHolder(lived)
    lived.tick(DAY_SECONDS)
    lived.change("revocation", OWN, True)
    lived.anchor()
    holder.refresh()
    return {"credential": lived.credential, "evidence": copy.deepcopy(holder.evidence)}


def dated() -> Any:
    """Refreshed after many anchors: one record of the history is proven by an older block."""
    lived = life()
    holder = EvidenceHolder(lived)
    for _ in range(6):
        lived.tick(60)
        lived.anchor()
    holder.refresh()
    return {"credential": lived.credential, "evidence": copy.deepcopy(holder.evidence)}


def changed(change: Callable[[Any], Any]) -> Callable[[], Any]:
    """The refreshed file with a lie in its earlier evidence."""

    def dossier() -> Any:
        found = classmate_suspended()
        change(found["evidence"]["earlier"][0])
        return found

    return dossier


def _other_place(older: Any) -> None:
    moved = StatusLife(now=ISSUED, others=1)
    older.clear()
    older.update(moved.evidence())


def _dating_record_altered() -> Any:
    found = dated()
    found["evidence"]["anchors"][1]["nodes"].pop()
    return found


def refreshed_vectors() -> list[Vector]:
    """Asked about a moment before the refresh, unless `as_of` is None."""
    during = PROVEN - timedelta(seconds=1)
    between = PROVEN + timedelta(hours=1)
    good = [
        Vector(
            name="earlier-good",
            about="A classmate was suspended since; the earlier evidence proves that this one was active.",
            outcome="valid",
            status="active",
            dossier=classmate_suspended,
            as_of=during,
        ),
        Vector(
            name="earlier-now",
            about="The same file, about now: the newest evidence decides.",
            outcome="valid",
            status="active",
            dossier=classmate_suspended,
        ),
        Vector(
            name="earlier-between",
            about="The same file, about a moment between its proofs: the list was changed, nothing says how.",
            outcome="indeterminate",
            dossier=classmate_suspended,
            as_of=between,
        ),
        Vector(
            name="earlier-before-revocation",
            about="Revoked since, and no record says since when: then it was active.",
            outcome="valid",
            status="active",
            checks=((9, "fail", "revoked"),),
            dossier=revoked_since,
            as_of=during,
        ),
        Vector(
            name="earlier-dating-anchor",
            about="The newest block proves no anchor of the entry's age; an older block in `anchors` does.",
            outcome="valid",
            status="active",
            dossier=dated,
            as_of=PROVEN - timedelta(seconds=5),
        ),
        Vector(
            name="earlier-not-final",
            about="Nobody attests the block of the earlier evidence: it counts for nothing.",
            outcome="indeterminate",
            dossier=changed(lambda older: older["anchors"][0].update(finality=[])),
            as_of=during,
        ),
    ]
    false: list[tuple[str, str, Callable[[Any], Any]]] = [
        (
            "earlier-statement-altered",
            "The statement of the earlier evidence was altered.",
            lambda older: log_of({"evidence": older})["statement"].update(time="2026-11-18T00:00:01Z"),
        ),
        (
            "earlier-status-path",
            "The earlier status is not in the earlier statement.",
            lambda older: log_of({"evidence": older})["status"][0]["path"].update(index=1),
        ),
        (
            "earlier-node-missing",
            "The earlier storage proof has a hole.",
            lambda older: older["anchors"][0]["nodes"].pop(),
        ),
        ("earlier-other-entry", "The earlier evidence is about another entry of the log.", _other_place),
    ]
    return [
        *good,
        *(
            Vector(
                name=name,
                about=about,
                outcome="invalid",
                checks=((6, "fail", "earlier-evidence-false"),),
                dossier=changed(change),
            )
            for name, about, change in false
        ),
        Vector(
            name="earlier-dating-node-missing",
            about="The storage proof of the older block has a hole.",
            outcome="invalid",
            checks=((6, "fail", "storage-proof-incomplete"),),
            dossier=_dating_record_altered,
        ),
        Vector(
            name="malformed-earlier-in-earlier",
            about="Earlier evidence that has earlier evidence of its own.",
            outcome="malformed",
            dossier=changed(lambda older: older.update(earlier=[copy.deepcopy(older)])),
        ),
        Vector(
            name="malformed-earlier-too-many",
            about="Nine pieces of earlier evidence.",
            outcome="malformed",
            dossier=lambda: {**(found := dated()), "evidence": {**found["evidence"], "earlier": [{}] * 9}},
        ),
    ]
