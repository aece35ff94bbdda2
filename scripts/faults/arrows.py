"""The arrows of a credential's life, and where in the running code each of them is.

An arrow of the disk is one operation on one file, by its path; the others are one call. `life` is the command
whose process takes the step.
"""

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

OUTCOMES: Final = ("before", "after", "landed")
"""Died before the step, died after it, and told that it failed although it landed."""

BATCH: Final = 6
"""Credentials of one fault."""


class Operation(StrEnum):
    """How a step is recognised."""

    WRITE = "write"
    FSYNC = "fsync"
    REPLACE = "replace"
    CALL = "call"


@dataclass(frozen=True, kw_only=True)
class Step:
    """The `nth` operation on a path that `where` finds, or call of `where`.`method`, after arming."""

    operation: Operation
    where: str
    method: str = ""
    nth: int = 1
    loses: str = "store"
    is_async: bool = False
    accepts: Callable[[Sequence[Any]], bool] = lambda _arguments: True

    def matches(self, operation: str, what: str) -> bool:
        """Whether this operation, on this path or of this method, is the step."""
        if operation != self.operation:
            return False
        if self.operation is Operation.CALL:
            return what == f"{self.where}.{self.method}"
        return re.search(self.where, what) is not None

    def find(self) -> tuple[Any, str]:
        """(class or module, name) of the method."""
        module, _, owner = self.where.partition(":")
        found = importlib.import_module(module)
        return (getattr(found, owner) if owner else found), self.method


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """One arrow by its name in the table."""

    name: str
    life: str
    step: Step


def _file(operation: Operation, path: str, nth: int = 1) -> Step:
    return Step(operation=operation, where=path, nth=nth)


def _call(where: str, method: str, **options: Any) -> Step:
    return Step(operation=Operation.CALL, where=where, method=method, **options)


def _is_mined(arguments: Sequence[Any]) -> bool:
    return str(arguments[1]) == "mined"


WRITE, FSYNC, REPLACE = Operation.WRITE, Operation.FSYNC, Operation.REPLACE
JOURNAL, TEMPORARY = r"/logs/[0-9a-f]+/journal$", r"\.[0-9]+\.tmp$"
NODE: Final = {
    "submission journalled": _file(WRITE, JOURNAL),
    "journal synced": _file(FSYNC, JOURNAL),
    "submission indexed": _call("testamur.node.index.store:Index", "put_entries"),
    "submission answered": _call("testamur.node.service.port:ServicePort", "submit", is_async=True),
    "seal document stored": _file(REPLACE, r"/documents/"),
    "seal journalled": _file(FSYNC, JOURNAL, 2),
    "tiles synced": _file(FSYNC, r"/logs/[0-9a-f]+/tile/"),
    "tiles in place": _file(REPLACE, r"/logs/[0-9a-f]+/tile/"),
    "checkpoint signed": _file(REPLACE, r"/signed-head$"),
    "checkpoint published": _file(REPLACE, r"/logs/[0-9a-f]+/checkpoint$"),
    "journal trimmed": _file(REPLACE, JOURNAL),
    "witness persisted": _file(REPLACE, r"/witness/[0-9a-f]+\.checkpoint$"),
    "mirror persisted": _file(REPLACE, r"/mirror/[0-9a-f]+\.checkpoint$"),
    "cosignatures attached": _call("testamur.node.log.writer:LogWriter", "attach_cosignatures"),
    "intent synced": _file(FSYNC, r"/anchoring/intent" + TEMPORARY),
    "signed transaction stored": _file(REPLACE, r"/anchoring/intent$"),
    "transaction sent": _call(
        "testamur.node.chain.client:ChainClient", "send_raw", is_async=True, loses="chain"
    ),
    "transaction mined": _call(
        "testamur.node.chain.anchorer:Anchorer", "_report", accepts=_is_mined, loses="chain"
    ),
    "anchor final": _call(
        "testamur.node.service.anchoring:LogAnchors", "anchored", is_async=True, loses="chain"
    ),
    "anchor recorded": _call("testamur.node.index.store:Index", "put_anchor"),
    "intent cleared": _call("testamur.node.chain.intents:IntentStore", "clear"),
    "evidence captured": _file(REPLACE, r"/captures/[0-9a-f]+/[0-9]+\.evidence\.json$"),
    "statement logged": _call("testamur.node.service.hosting:HostedLog", "_log_documents"),
    "statement kept": _call("testamur.node.service.statements:PublicationStore", "put"),
}
STATEMENTS: Final = ("statement logged", "statement kept")
"""Arrows of the node that a statement passes, and no credential."""

DOSSIER = r"/[^/]+\.credential\.json"
ISSUER: Final = {
    "class planned": _call("testamur.node.issuing.planning:Planner", "plan"),
    "dossiers synced": _file(FSYNC, DOSSIER + TEMPORARY),
    "dossiers in place": _file(REPLACE, DOSSIER + "$"),
    "signatures recorded": _call("testamur.node.issuing.batch:_Run", "_sign"),
    "digests submitted": _call("testamur.node.service.issuer_side:Host", "submit", loses="host"),
    "leaf indexes recorded": _call("testamur.node.issuing.batch:_Run", "_finish"),
    "anchor awaited": _call("testamur.node.service.completion", "wait_until_anchored"),
    "evidence in place": _file(REPLACE, DOSSIER + "$", BATCH + 1),
    "dossiers complete": _call("testamur.node.service.completion", "complete"),
}
ARROWS: Final = {
    name: Arrow(name=name, life=life, step=step)
    for life, steps in (("node", NODE), ("issue", ISSUER))
    for name, step in steps.items()
}
