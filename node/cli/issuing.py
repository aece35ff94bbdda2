"""`issuer apply|add|list` and `issue`: what the commands do."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.cli.output import json_line, read_input, say, warn, write_output
from testamur.node.cli.settings import default_node, home_of, passphrase
from testamur.node.errors import ConfigError
from testamur.node.fetch.registry import RegistryClient
from testamur.node.homes import node_folder, workspace_folder
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape

EXIT_NOT_ANCHORED = 3
"""Everything is signed and logged, and the anchor did not come within the time: the answer is still open."""


def run_apply(
    *,
    slug: str,
    did: str,
    name: str,
    registry: str,
    node_url: str,
    status_base: str | None,
    out: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> None:
    """Make a workspace and write the application."""
    from testamur.node.service import issuer_side

    folder = workspace_folder(home_of(home), slug)
    document = issuer_side.apply(
        folder,
        registry=registry,
        slug=slug,
        did=did,
        name=name,
        status_base=status_base or f"{node_url.rstrip('/')}/status",
        node_url=node_url,
        passphrase=passphrase(passphrase_file, confirm=True),
        now=datetime.now(UTC),
    )
    target = out or Path("application.json")
    write_output(target, canonicalize(document) + b"\n")
    if as_json:
        json_line({"workspace": str(folder), "application": str(target), "did": did})
        return
    say(f"Made the workspace {folder}")
    say(f"Wrote {target}: hand it to the node that is to host your log (`testamur issuer add`).")
    say(f"Move {folder / 'cold'} off this machine: it holds the next signing key and the controller account.")


def run_add(
    application: Path,
    *,
    token_out: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> None:
    """Admit an issuer and host it."""
    from testamur.node.keystore.store import Keystore
    from testamur.node.service.admitting import Admitted, admit
    from testamur.node.service.chain_access import connected
    from testamur.node.service.config import load_config

    root = node_folder(home_of(home))
    config = load_config(root)
    try:
        document = parse_json(read_input(application), subject="application")
    except MalformedError as error:
        raise ConfigError(str(application), str(error)) from error
    keystore = Keystore(root / "keys", passphrase(passphrase_file))

    async def run() -> Admitted:
        async with connected(config) as client:
            return await admit(root, config, keystore, client, document, now=datetime.now(UTC))

    admitted = asyncio.run(run())
    if token_out is not None:
        write_output(token_out, f"{admitted.token}\n".encode(), secret=True)
    shown = str(token_out) if token_out else admitted.token
    if as_json:
        json_line(
            {
                "slug": admitted.slug,
                "did": admitted.did,
                "origin": admitted.origin,
                "logId": admitted.log_id.hex(),
                "block": admitted.block_number,
                "token": None if token_out else admitted.token,
                "tokenFile": str(token_out) if token_out else None,
            }
        )
        return
    where = f"in block {admitted.block_number}" if admitted.block_number is not None else "already"
    say(f"Admitted {admitted.did} as {admitted.slug} {where}; this node hosts {admitted.origin}")
    say(f"Access token for the issuer ({'in ' if token_out else 'shown once: '}{shown})")


def run_list(*, node_url: str | None, as_json: bool, home: Path | None) -> None:
    """The issuers that a node knows."""
    with RegistryClient(node_url or default_node(home)) as client:
        answer = client.issuers()
    if as_json:
        json_line(answer)
        return
    rows = Shape(answer, "issuers").shapes("issuers", maximum=100_000)
    for row in rows:
        say(f"{row.text('slug'):<20} {row.text('lifecycle'):<10} {row.text('did')}")
    if not rows:
        say("No issuers yet; `testamur issuer add` admits one.")


def run_issue(
    table: Path,
    *,
    slug: str,
    template: Path,
    out: Path,
    node_url: str | None,
    token_file: Path | None,
    wait_seconds: float,
    context_files: list[str],
    dry_run: bool,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> int:
    """Issue a class, wait for the anchor, complete the dossiers; the exit code."""
    from testamur.node.issuing.batch import issue
    from testamur.node.issuing.templates import parse_template
    from testamur.node.service import completion, issuer_side

    folder = workspace_folder(home_of(home), slug)
    parsed = parse_template(read_input(template), template.name)
    if not table.is_file():
        raise ConfigError(str(table), "there is no such file")
    secret = passphrase(passphrase_file)
    with (
        issuer_side.host_client(folder, node_url=node_url, token_file=token_file) as client,
        issuer_side.open_for_issuing(folder) as workspace,
        progress_bar() as progress,
    ):
        report = issue(
            workspace,
            table_path=table,
            template=parsed,
            folder=out,
            key=issuer_side.signing_key(folder, secret),
            port=client,
            now=datetime.now(UTC),
            dry_run=dry_run,
            contexts=_contexts(context_files),
            progress=progress,
        )
        done = None
        if not dry_run and wait_seconds > 0:
            origin = f"{workspace.settings.registry}/{slug}/1"
            issued = completion.issued_in(workspace, out)
            progress("waiting for the anchor", 0, 0)
            if not completion.wait_until_anchored(client, origin, issued, timeout_seconds=wait_seconds):
                warn(f"not anchored within {wait_seconds:g} s; `testamur evidence` completes a dossier later")
            done = completion.complete(
                client, origin, issued, progress=lambda done, total: progress("evidence", done, total)
            )
    code = EXIT_NOT_ANCHORED if done is not None and done.anchored < done.completed else 0
    if as_json:
        json_line(
            {
                "rows": report.rows,
                "signed": report.signed,
                "logged": report.logged,
                "anchored": done.anchored if done else 0,
                "resumed": report.resumed,
                "folder": str(report.folder),
            }
        )
        return code
    say(report.words)
    if done is not None:
        say(f"{done.anchored} of {report.rows} dossiers in {report.folder} carry anchored evidence")
        if done.missing:
            warn(f"{done.missing} dossiers are not in {report.folder} any more: no evidence was written")
    return code


def _contexts(options: list[str]) -> dict[str, Json]:
    """JSON-LD contexts from `URL=FILE` options. Raises ConfigError."""
    found: dict[str, Json] = {}
    for option in options:
        url, separator, file = option.rpartition("=")
        if not separator or not url.startswith(("https://", "http://")):
            raise ConfigError("--context-file", f"{option!r} is not URL=FILE")
        try:
            found[url] = parse_json(read_input(Path(file)), subject=f"context {file}")
        except MalformedError as error:
            raise ConfigError("--context-file", str(error)) from error
    return found


@contextlib.contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal; nothing in a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        tasks: dict[str, int] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total or None)
            bar.update(tasks[stage], completed=done, total=total or None)  # type: ignore[arg-type]

        yield show
