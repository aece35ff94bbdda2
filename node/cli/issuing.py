"""`issue`: what the command does, one job for each input."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.costs import cost_lines, cost_of, gas_price
from testamur.node.cli.output import json_line, read_input, say, warn
from testamur.node.cli.progress import Stages, progress_bar
from testamur.node.cli.settings import home_of, passphrase
from testamur.node.errors import ConfigError, NodeError
from testamur.node.homes import workspace_folder
from testamur.registry.canonical import Json
from testamur.registry.verification.words import counted

if TYPE_CHECKING:
    from testamur.node.issuing.batch import JobReport
    from testamur.node.issuing.rejects import Reject
    from testamur.node.issuing.templates import Template
    from testamur.node.issuing.workspace import Workspace
    from testamur.node.service.completion import Completed
    from testamur.node.service.issuer_side import Host
    from testamur.registry.keys import SigningKey

EXIT_REJECTED = 1
"""Rows are wrong: without --on-error continue nothing was issued, with it the other rows were."""

EXIT_NOT_ANCHORED = 3
"""Everything is signed and logged, and the anchor did not come within the time: the answer is still open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOptions:
    """What was asked of one `issue` command."""

    inputs: tuple[Path, ...]
    slug: str
    template: Path | None
    out: Path
    node_url: str | None
    rpc: str | None
    token_file: Path | None
    wait_seconds: float
    context_files: tuple[str, ...]
    documents: Path | None
    leave_out_bad: bool
    rejects: Path | None
    strict_profile: bool
    dry_run: bool
    passphrase_file: Path | None
    as_json: bool
    home: Path | None


def run_issue(options: IssueOptions) -> int:
    """Issue every input, wait for the anchor, complete the dossiers; the exit code. Raises ConfigError."""
    from testamur.node.issuing.templates import parse_template
    from testamur.node.service import issuer_side
    from testamur.node.service.supplied import load_documents

    folder = workspace_folder(home_of(options.home), options.slug)
    template = None
    if options.template is not None:
        template = parse_template(read_input(options.template), options.template.name)
    for path in options.inputs:
        if not path.exists():
            raise ConfigError(str(path), "there is no such file or folder")
        if template is not None and path.is_dir():
            raise ConfigError(str(path), "is a folder; with --template the input is a class list (CSV)")
    if options.rejects is not None and len(options.inputs) > 1:
        raise ConfigError("--rejects", "is for one input; each of several has its own file in --out")

    @cache
    def key() -> "SigningKey":
        return issuer_side.signing_key(folder, passphrase(options.passphrase_file))

    with ExitStack() as stack:
        workspace = stack.enter_context(issuer_side.open_for_issuing(folder))
        host = stack.enter_context(
            issuer_side.Host(folder, node_url=options.node_url, token_file=options.token_file)
        )
        progress = stack.enter_context(progress_bar())
        contexts = load_documents(options.documents, options.context_files)
        job = _Job(options, workspace, host, template, key, progress, contexts)
        codes = [job.run(path) for path in options.inputs]
    return next((code for code in (EXIT_REJECTED, EXIT_NOT_ANCHORED) if code in codes), 0)


@dataclass(frozen=True, slots=True)
class _Job:
    """One command; `run` is one input."""

    options: IssueOptions
    workspace: "Workspace"
    host: "Host"
    template: "Template | None"
    key: "Callable[[], SigningKey]"
    progress: Stages
    contexts: Mapping[str, Json]

    def run(self, path: Path) -> int:
        from testamur.node.issuing.batch import issue
        from testamur.node.issuing.rejects import RowsRejected

        options = self.options
        try:
            report = issue(
                self.workspace,
                table_path=path,
                template=self.template,
                folder=options.out,
                key=self.key,
                port=self.host,
                now=datetime.now(UTC),
                dry_run=options.dry_run,
                contexts=self.contexts,
                progress=self.progress,
                leave_out_bad=options.leave_out_bad,
                rejects_path=self._rejects_file(path),
                strict_profile=options.strict_profile,
            )
        except RowsRejected as error:
            self._tell_rejects(path, error.rejects, error.count, error.path)
            if options.as_json:
                rejects = _rejects_json(error.rejects, error.count, error.path)
                json_line({"input": str(path), "rows": 0, **rejects})
            else:
                warn("nothing was signed; mend these rows, or leave them out with --on-error continue")
            return EXIT_REJECTED
        if options.dry_run:
            self._show_dry_run(path, report)
            return EXIT_REJECTED if report.planning.rejected else 0
        done = self._complete() if options.wait_seconds > 0 else None
        self._show(path, report, done)
        if report.planning.rejected:
            return EXIT_REJECTED
        return EXIT_NOT_ANCHORED if done is not None and done.anchored < done.completed else 0

    def _rejects_file(self, path: Path) -> Path | None:
        if self.options.dry_run and self.options.rejects is None:
            return None
        suffix = "csv" if self.template is not None else "ndjson"
        return self.options.rejects or self.options.out / f"{path.stem}.rejects.{suffix}"

    def _complete(self) -> "Completed | None":
        """Wait for the anchor and put the evidence into the dossiers; None when the host cannot be asked."""
        from testamur.node.service import completion

        settings, client = self.workspace.settings, self.host.reader
        origin = f"{settings.registry}/{settings.slug}/1"
        issued = completion.issued_in(self.workspace, self.options.out)
        wait_seconds = self.options.wait_seconds
        self.progress("waiting for the anchor", 0, 0)
        try:
            if not completion.wait_until_anchored(client, origin, issued, timeout_seconds=wait_seconds):
                warn(f"not anchored within {wait_seconds:g} s; `testamur evidence` completes dossiers later")
            return completion.complete(
                client, origin, issued, progress=lambda done, total: self.progress("evidence", done, total)
            )
        except ConfigError:
            raise
        except NodeError as error:
            warn(f"everything is signed and logged, but the evidence could not be fetched: {error}")
            warn("`testamur evidence` completes the dossiers later")
            return completion.Completed(completed=len(issued), anchored=0)

    def _show(self, path: Path, report: "JobReport", done: "Completed | None") -> None:
        found = report.planning
        self._tell_rejects(path, found.rejects, found.rejected, found.rejects_file)
        for warning in found.warnings:
            warn(f"note: {warning}")
        if self.options.as_json:
            json_line(
                {
                    "input": str(path),
                    "rows": report.rows,
                    "signed": report.signed,
                    "logged": report.logged,
                    "anchored": done.anchored if done else 0,
                    "missing": done.missing if done else 0,
                    "damaged": done.damaged if done else 0,
                    "resumed": report.resumed,
                    "complete": report.already_complete,
                    "alreadyLogged": found.known_before,
                    "folder": str(report.folder),
                    **_rejects_json(found.rejects, found.rejected, found.rejects_file),
                }
            )
            return
        say(report.words)
        if found.known_before:
            say(f"{counted(found.known_before, 'credential')} issued before, left alone")
        if found.rejected and found.rejects_file is not None:
            how = "mend and issue" if self.template is not None else "mend and issue what is listed in"
            say(f"{found.rejected} left out: {how} {found.rejects_file}, not the whole input again")
        if done is not None:
            say(f"{counted(done.anchored, 'dossier')} in {report.folder} with anchored evidence")
            if done.missing:
                gone = counted(done.missing, "dossier")
                warn(f"{gone} not in {report.folder} any more: no evidence was written")
            if done.damaged:
                bad = counted(done.damaged, "damaged dossier")
                warn(f"{bad} left alone: `testamur evidence {report.folder}` names each; restore a copy")

    def _show_dry_run(self, path: Path, report: "JobReport") -> None:
        found = report.planning
        price = gas_price(self.options.rpc, home_of(self.options.home))
        self._tell_rejects(path, found.rejects, found.rejected, found.rejects_file)
        for warning in found.warnings:
            warn(f"note: {warning}")
        if self.options.as_json:
            json_line(
                {
                    "input": str(path),
                    "dryRun": True,
                    "rows": report.rows,
                    "complete": report.already_complete,
                    "alreadyLogged": found.known_before,
                    "cost": cost_of(report.rows, found.mean_bytes, price) if found.rows else None,
                    **_rejects_json(found.rejects, found.rejected, found.rejects_file),
                }
            )
            return
        say(f"{path.name}: {report.words}")
        if found.rows:
            for line in cost_lines(report.rows, found.mean_bytes, price):
                say(line)

    def _tell_rejects(self, path: Path, rejects: "tuple[Reject, ...]", count: int, file: Path | None) -> None:
        for reject in rejects:
            warn(f"testamur: {reject.where}: {reject.reason}")
        if count > len(rejects):
            warn(f"testamur: {path.name}: and {counted(count - len(rejects), 'more wrong row')}")
        if count and file is not None:
            warn(f"testamur: {counted(count, 'wrong row')} in {file}")


def _rejects_json(rejects: "tuple[Reject, ...]", count: int, file: Path | None) -> dict[str, Json]:
    first: list[Json] = [{"line": item.line, "where": item.where, "reason": item.reason} for item in rejects]
    return {"rejected": count, "rejects": first, "rejectsFile": str(file) if file and count else None}
