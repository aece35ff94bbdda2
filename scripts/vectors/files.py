"""What a vector file holds, and the small changes that make one dossier into another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fakes.whole_registry import NOW, World
from testamur.registry.timestamps import format_timestamp

LOG = "/evidence/logs/registry.example~1ada~11"
BASE = "good"


@dataclass(frozen=True, kw_only=True)
class Vector:
    """One file: a whole dossier, changes to the good one, or text; and the expectation."""

    name: str
    about: str
    outcome: str
    status: str = "unknown"
    checks: tuple[tuple[int, str, str], ...] = ()
    dossier: Callable[[], Any] | None = None
    patch: Callable[[Any], list[dict[str, Any]]] | None = None
    text: Callable[[Any], str] | None = None
    days_later: int = 0
    as_of: datetime | None = None

    def to_json(self, good: Any) -> dict[str, Any]:
        """The file's content."""
        expected: dict[str, Any] = {"outcome": self.outcome}
        if self.outcome != "malformed":
            expected["credentialStatus"] = self.status
            expected["checks"] = [
                {"step": step, "result": result, "reason": reason} for step, result, reason in self.checks
            ]
        document: dict[str, Any] = {
            "about": self.about,
            "trust": "trust.json",
            "now": format_timestamp(NOW + timedelta(days=self.days_later)),
            **({"asOf": format_timestamp(self.as_of)} if self.as_of else {}),
            "expected": expected,
        }
        if self.patch is not None:
            return {**document, "base": f"{BASE}.json", "patch": self.patch(good)}
        if self.text is not None:
            return {**document, "text": self.text(good)}
        return {**document, "dossier": self.dossier() if self.dossier else good}


def world(**changes: Any) -> Callable[[], Any]:
    """The dossier of a registry that differs from the honest one in this."""
    return lambda: World(**changes).dossier()


def replace(path: str, value: Any) -> Callable[[Any], list[dict[str, Any]]]:
    """One member with another value."""
    return lambda _: [{"op": "replace", "path": path, "value": value}]


def add(path: str, value: Any) -> Callable[[Any], list[dict[str, Any]]]:
    """One member more."""
    return lambda _: [{"op": "add", "path": path, "value": value}]


def remove(path: str) -> Callable[[Any], list[dict[str, Any]]]:
    """One member less."""
    return lambda _: [{"op": "remove", "path": path}]


def log_of(dossier: Any) -> Any:
    """The one log of the dossier."""
    return next(iter(dossier["evidence"]["logs"].values()))


def flipped(text: str, at: int) -> str:
    """The text with another letter at a place; both belong to every base64 alphabet."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def edited(path: str, read: Callable[[Any], str], change: Callable[[str], str]) -> Callable[[Any], Any]:
    """One text changed."""
    return lambda good: [{"op": "replace", "path": path, "value": change(read(good))}]


def compact(document: Any) -> str:
    """JSON without spaces."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
