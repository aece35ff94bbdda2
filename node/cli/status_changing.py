"""`revoke`, `suspend`, `reinstate`: what they do, with one signed statement and one anchor for all of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.output import json_line, say, warn, write_output
from testamur.node.cli.progress import progress_bar
from testamur.node.cli.settings import home_of, passphrase
from testamur.node.cli.status_inputs import Unusable, parse_moment, read_wanted
from testamur.node.cli.trusting import find_trust
from testamur.node.cli.watching import HOST_SAYS
from testamur.node.errors import ConfigError, NodeError
from testamur.node.homes import workspace_folder
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.multiformats import encode_digest
from testamur.registry.status_lists import REVOCATION, SUSPENSION
from testamur.registry.verification.words import counted

if TYPE_CHECKING:
    from testamur.node.issuing.status_changes import Plan, StatusChange
    from testamur.node.issuing.workspace import Workspace
    from testamur.registry.verification.anchored_statements import AnchoredStatement

EXIT_REFUSED = 1
"""Some of it cannot be done: without --on-error continue nothing was, with it the rest."""

EXIT_NOT_ANCHORED = 3
"""It is signed and accepted, and the anchor did not come within the time."""

SHOWN_REFUSALS = 20
"""Lines on a terminal; --json names all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A verb of ours: which bit it writes."""

    verb: str
    done: str
    purpose: str
    value: bool


ACTIONS = {
    "revoke": Action(verb="revoke", done="Revoked", purpose=REVOCATION, value=True),
    "suspend": Action(verb="suspend", done="Suspended", purpose=SUSPENSION, value=True),
    "reinstate": Action(verb="reinstate", done="Reinstated", purpose=SUSPENSION, value=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOptions:
    """What was asked of one command."""

    action: Action
    what: tuple[str, ...]
    reason: str | None
    effective: str | None
    note: str | None
    slug: str
    records: Path | None
    leave_out_bad: bool
    dry_run: bool
    wait_seconds: float
    node_url: str | None
    token_file: Path | None
    passphrase_file: Path | None
    as_json: bool
    home: Path | None


def run_change(options: ChangeOptions) -> int:
    """Change the status of everything that was named; the exit code. Raises ConfigError."""
    from testamur.node.issuing.outputs import check_folder
    from testamur.node.issuing.publishing import publish_pending
    from testamur.node.issuing.status_changes import plan_changes, publish_plan
    from testamur.node.service import issuer_side
    from testamur.node.service.status_following import wait_until_sealed

    started = time.monotonic()
    folder, now = workspace_folder(home_of(options.home), options.slug), datetime.now(UTC)
    with (
        progress_bar() as progress,
        issuer_side.open_for_issuing(folder) as workspace,
        issuer_side.Host(folder, node_url=options.node_url, token_file=options.token_file) as host,
    ):
        if options.records is not None:
            check_folder(options.records, "--records")
        progress("reading", 0, 0)
        changes, unusable = _changes(options, workspace)
        pending = workspace.find_pending() is not None
        # What a crash left behind comes first: the bits to compare with are in it.
        published = workspace.publication() if options.dry_run else publish_pending(workspace, host)
        plan = plan_changes(workspace, published, changes, now=now)
        refused = [
            *unusable,
            *(Unusable(where=item.change.where, reason=item.reason) for item in plan.refused),
        ]
        if options.dry_run or (refused and not options.leave_out_bad):
            _show_plan(options, plan, refused, pending=pending)
            return EXIT_REFUSED if refused else 0
        progress("publishing", 0, 0)
        key = issuer_side.signing_key(folder, passphrase(options.passphrase_file)) if plan.lists else None
        if key is not None:
            published = publish_plan(workspace, plan, key=key, port=host, now=now)
        records = _write_records(options, workspace, [*plan.changed, *plan.already])
        anchored: AnchoredStatement | None = None
        if options.wait_seconds > 0:
            progress("waiting for the anchor", 0, 0)
            settings, sequence = workspace.settings, published.statement.sequence
            try:
                anchored = wait_until_sealed(
                    host.reader,
                    f"{settings.registry}/{settings.slug}/1",
                    sequence,
                    trust=find_trust(options.home),
                    timeout_seconds=options.wait_seconds,
                )
            except ConfigError:
                raise
            except NodeError as error:
                warn(f"statement {sequence} is accepted, but the anchor could not be asked for: {error}")
    seconds = time.monotonic() - started
    _show(options, plan, refused, records, published.statement.sequence, anchored, seconds)
    if refused:
        return EXIT_REFUSED
    return EXIT_NOT_ANCHORED if anchored is None and options.wait_seconds > 0 else 0


def _changes(options: ChangeOptions, workspace: "Workspace") -> tuple[list["StatusChange"], list[Unusable]]:
    from testamur.node.issuing.status_changes import StatusChange

    effective = parse_moment(options.effective, "--effective") if options.effective else None
    changes: list[StatusChange] = []
    unusable: list[Unusable] = []
    for item in read_wanted(options.what, workspace):
        if isinstance(item, Unusable):
            unusable.append(item)
            continue
        reason = item.reason or options.reason
        if reason is None:
            unusable.append(Unusable(where=item.where, reason="has no reason; give --reason, or a column"))
            continue
        changes.append(
            StatusChange(
                digest=item.digest,
                purpose=options.action.purpose,
                value=options.action.value,
                reason=reason,
                effective=item.effective or effective,
                note=item.note or options.note,
                issued_at=item.issued_at,
                where=item.where,
            )
        )
    if not changes and not unusable:
        raise ConfigError("WHAT", "names no credential at all")
    return changes, unusable


def _write_records(options: ChangeOptions, workspace: "Workspace", digests: list[bytes]) -> list[Path]:
    """One file for each holder: why, since when, and the proof of it."""
    from testamur.node.issuing.status_records import record_files

    if options.records is None:
        return []
    written = []
    for name, document in record_files(workspace, digests, options.action.purpose):
        written.append(options.records / name)
        write_output(written[-1], canonicalize(document) + b"\n", secret=True)
    return written


def _show_plan(options: ChangeOptions, plan: "Plan", refused: Sequence[Unusable], *, pending: bool) -> None:
    if options.as_json:
        json_line(
            {
                **_row(options, plan, refused),
                "dryRun": options.dry_run,
                "pendingStatement": pending,
                "lists": list(plan.lists),
                "statement": None,
            }
        )
        return
    if options.dry_run and plan.changed:
        lists = counted(len(plan.lists), "status list")
        say(f"Would {options.action.verb} {counted(len(plan.changed), 'credential')} in {lists},")
        say("with one statement and one anchor; nothing was signed.")
    if options.dry_run:
        _show_already(options, plan)
        if pending:
            say("  a statement that an earlier run left behind would be sent first")
    _show_refused(refused)
    if refused and not options.dry_run:
        warn("nothing was signed; mend these, or leave them out with --on-error continue")


def _show(
    options: ChangeOptions,
    plan: "Plan",
    refused: Sequence[Unusable],
    records: Sequence[Path],
    statement: int,
    anchored: "AnchoredStatement | None",
    seconds: float,
) -> None:
    if options.as_json:
        json_line(
            {
                **_row(options, plan, refused),
                "dryRun": False,
                "lists": list(plan.lists),
                "statement": statement,
                "anchored": anchored is not None,
                "block": anchored.block if anchored else None,
                "finality": anchored.finality if anchored else None,
                "records": [str(path) for path in records],
                "seconds": round(seconds, 3),
            }
        )
        return
    if plan.changed:
        say(f"{options.action.done} {counted(len(plan.changed), 'credential')} with statement {statement}.")
    _show_already(options, plan)
    if anchored is not None:
        block = f"anchored at block {anchored.block}, {HOST_SAYS}"
        if anchored.finality is not None:
            block = f"anchored and final at block {anchored.block}"
        say(f"  {block}, after {seconds:.1f} s")
    elif options.wait_seconds > 0:
        say(f"  not anchored within {options.wait_seconds:g} s; the host goes on, nothing is to be repeated")
    if records:
        each = records[0] if len(records) == 1 else f"{len(records)} files in {options.records}"
        say(f"  for the {'holder' if len(records) == 1 else 'holders'}: {each}")
    _show_refused(refused)


def _show_already(options: ChangeOptions, plan: "Plan") -> None:
    if plan.already:
        already = f"{options.action.done.lower()} already"
        say(f"Nothing to do for {counted(len(plan.already), 'credential')}: {already}.")


def _show_refused(refused: Sequence[Unusable]) -> None:
    for item in refused[:SHOWN_REFUSALS]:
        warn(f"testamur: {item.where}: {item.reason}")
    if len(refused) > SHOWN_REFUSALS:
        warn(f"testamur: and {len(refused) - SHOWN_REFUSALS} more; --json names all")


def _row(options: ChangeOptions, plan: "Plan", refused: Sequence[Unusable]) -> dict[str, Json]:
    rows: list[Json] = [{"where": item.where, "reason": item.reason} for item in refused]
    row: dict[str, Json] = {
        "action": options.action.verb,
        "issuer": options.slug,
        "changed": len(plan.changed),
        "already": len(plan.already),
        "refused": rows,
    }
    if len(plan.changed) == 1:
        row["digest"] = encode_digest(plan.changed[0])
    return row
