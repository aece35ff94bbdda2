"""`node reindex`, `node backup`, `node restore`: what the commands do."""

import asyncio
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.cli.output import json_line, say
from testamur.node.cli.progress import progress_bar
from testamur.node.cli.settings import home_of, passphrase
from testamur.node.errors import ConfigError
from testamur.node.fetch.http import HttpClient
from testamur.node.homes import node_folder
from testamur.node.keystore.store import Keystore
from testamur.node.service.config import load_config
from testamur.registry.canonical import Json
from testamur.registry.verification.words import counted

EXIT_SOUND = 0
EXIT_DAMAGED = 1


def run_reindex(*, as_json: bool, home: Path | None) -> None:
    """Throw the index away and build it again."""
    from testamur.node.service.reindexing import reindex

    root = node_folder(home_of(home))
    with progress_bar() as progress:
        done = asyncio.run(reindex(root, load_config(root), progress=progress))
    if as_json:
        logs: list[Json] = [
            {"origin": log.origin, "entries": log.entries, "anchors": log.anchors} for log in done.logs
        ]
        json_line({"logs": logs, "chain": done.chain_problem})
        return
    for log in done.logs:
        say(f"  {log.origin:<40} {counted(log.entries, 'entry')}, {counted(log.anchors, 'anchor')}")
    say(f"Rebuilt the index of {counted(len(done.logs), 'log')}.")
    if done.chain_problem is not None:
        say(f"Without anchors, because the chain could not be asked: {done.chain_problem}")
        say("The node fills them in once it reaches the chain.")


def run_backup(target: Path, *, with_keys: bool, as_json: bool, home: Path | None) -> None:
    """Copy a node."""
    from testamur.node.service.backup import back_up

    root = node_folder(home_of(home))
    with progress_bar() as progress:
        done = back_up(
            root,
            load_config(root),
            target,
            with_keys=with_keys,
            now=datetime.now(UTC),
            progress=progress,
        )
    if as_json:
        logs: list[Json] = [
            {"origin": log.origin, "size": log.size, "next": log.next_index} for log in done.logs
        ]
        json_line(
            {
                "target": str(target),
                "logs": logs,
                "documents": done.documents,
                "files": done.files,
                "withKeys": with_keys,
                "outside": list(map(str, done.outside)),
            }
        )
        return
    for log in done.logs:
        say(f"  {log.origin:<40} {counted(log.size, 'published entry')}, {log.next_index - log.size} pending")
    parts = (len(done.logs), "log"), (done.documents, "document"), (done.files, "other file")
    say(f"Backed up {', '.join(counted(*part) for part in parts)}: {target}")
    for path in done.outside:
        say(f"Not in the backup, because it is outside of {root}: {path}")
    if not with_keys:
        say("Without keys: keep a copy of the folder keys/ and its passphrase in another place.")


def run_restore(
    source: Path | None,
    *,
    log: str | None,
    from_url: str | None,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> int:
    """Put a backup in place, or mend one log; the exit code."""
    if (source is None) == (from_url is None):
        raise ConfigError("SOURCE", "name a backup's folder, or another node with --from")
    if log is None and source is not None:
        return _restore_all(source, as_json=as_json, home=home)
    if log is None:
        raise ConfigError("--log", "say which log is to be mended from another node")
    return _mend(
        source, log=log, from_url=from_url, passphrase_file=passphrase_file, as_json=as_json, home=home
    )


def _restore_all(source: Path, *, as_json: bool, home: Path | None) -> int:
    from testamur.node.service.restoring import restore

    root = node_folder(home_of(home))
    with progress_bar() as progress:
        done = restore(root, source, now=datetime.now(UTC), progress=progress)
    if as_json:
        json_line(
            {
                "folder": str(root),
                "logs": dict(done.logs),
                "withKeys": done.with_keys,
                "replaced": str(done.replaced) if done.replaced else None,
                "documents": done.documents_problem,
            }
        )
        return EXIT_SOUND
    for origin, size in done.logs:
        say(f"  {origin:<40} {counted(size, 'entry')}")
    say(f"Restored {root}")
    if done.replaced is not None:
        say(f"What was there before is kept in {done.replaced}")
    if done.documents_problem is not None:
        say(f"Before it starts it needs a document that was not in the backup: {done.documents_problem}")
    say("Next: `testamur node reindex`, then `testamur node run`.")
    return EXIT_SOUND


def _mend(
    source: Path | None,
    *,
    log: str,
    from_url: str | None,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> int:
    from testamur.node.service.mending import log_mender

    root = node_folder(home_of(home))
    sign = passphrase_file is not None
    keystore = Keystore(root / "keys", passphrase(passphrase_file) if sign else None)
    with ExitStack() as stack:
        copy: Path | HttpClient | None = source
        if from_url is not None:
            copy = stack.enter_context(HttpClient(from_url))
        if copy is None:
            raise ConfigError("SOURCE", "is missing")
        mender = log_mender(root, load_config(root), log, copy, keystore, sign=sign)
        progress = stack.enter_context(progress_bar())
        report = mender.run(lambda done, total: progress("mending", done, total))
    is_sound = report.is_sound and not mender.lost
    mended = [str(path) for path in mender.mended]
    findings = [*mender.lost, *map(str, report.findings)]
    if as_json:
        json_line(
            {
                "origin": report.origin,
                "size": report.size,
                "sound": is_sound,
                "mended": list(mended),
                "findings": list(findings),
            }
        )
    else:
        say(f"{'SOUND' if is_sound else 'DAMAGED'}  {report.origin}: {counted(report.size, 'entry')}")
        for path in mended:
            say(f"  mended {path}")
        for finding in findings:
            say(f"  {finding}")
    return EXIT_SOUND if is_sound else EXIT_DAMAGED
