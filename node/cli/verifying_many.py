"""`verify` on folders: every file one row, in the order of names, on all cores, in constant memory."""

import os
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.dossier_files import Found, count_files, find_files
from testamur.node.cli.output import STANDARD_INPUT, Source, json_line, read_source, say
from testamur.node.cli.progress import bar
from testamur.node.cli.reports import Report
from testamur.node.cli.rows import (
    SHOWN_SKIPPED,
    SKIPPED,
    Row,
    exit_code,
    row_of,
    row_of_error,
    row_of_several,
    row_of_skipped,
    summary,
)
from testamur.node.errors import ConfigError, NodeError
from testamur.registry.dossiers import OtherFile
from testamur.registry.errors import MalformedError
from testamur.registry.verification.development import is_for_development
from testamur.registry.verification.verdict import Verdict

if TYPE_CHECKING:
    from concurrent.futures import Future

    from testamur.node.cli.verifying import Verifier

CHUNK_FILES = 16
"""Files that one process checks at a time: enough that handing them over costs nothing, few enough that the
last ones do not keep a single core busy."""

CHUNKS_AHEAD = 4
"""Chunks per process that are under way or waiting for their turn to be printed: the bound on memory."""

MIN_FILES_FOR_PROCESSES = 48
"""Below this, starting processes takes longer than the files."""


def verify_many(
    verifier: "Verifier",
    arguments: tuple[Source, ...],
    *,
    evidence_file: Path | None = None,
    report: Path | None = None,
    jobs: int | None = None,
    as_json: bool = False,
) -> int:
    """Print and report a row for every file; the exit code of the worst.

    What cannot be read or is no dossier is a row with its error, not the end; what is certainly no credential
    is counted, and named in JSON and in the report. Raises ConfigError before the
    first file for an empty folder or a report that cannot be written.
    """
    started, counts, skipped = time.monotonic(), Counter[str](), list[str]()
    total = count_files(arguments, leave_out=report)
    with ExitStack() as stack:
        writer = stack.enter_context(Report(report)) if report is not None else None
        advance = stack.enter_context(bar(total))
        found = find_files(arguments, leave_out=report)
        judged = _rows(
            verifier,
            found,
            total,
            evidence_file=evidence_file,
            jobs=jobs,
            full=as_json,
            in_one_process=verifier.uses_network
            or any(not isinstance(item, Path) or str(item) == STANDARD_INPUT for item in arguments),
        )
        rows = stack.enter_context(closing(judged))
        for row in rows:
            counts[row.outcome] += 1
            if writer is not None:
                writer.add(row)
            if row.outcome == SKIPPED and len(skipped) < SHOWN_SKIPPED:
                skipped.append(Path(row.file).name)
            if row.outcome != SKIPPED or as_json:
                _show(row, as_json=as_json)
            advance()
        words = summary(counts, time.monotonic() - started, skipped)
        if writer is not None:
            writer.finish({"files": sum(counts.values()), **counts})
    if as_json:
        json_line({"type": "TestamurVerificationSummary", "files": sum(counts.values()), **counts})
    else:
        say(words)
        if is_for_development(verifier.trust):
            from testamur.node.cli.render import DEVNET_WARNING

            say(DEVNET_WARNING)
    return exit_code(counts)


def _show(row: Row, *, as_json: bool) -> None:
    if not as_json:
        say(row.to_line())
    elif isinstance(row.verdict, dict):
        json_line({"file": row.file, **row.verdict})
    else:
        json_line({"file": row.file, "outcome": row.outcome, "error": row.error})


# ------------------------------------------------------------------------------------------------ judging


def _rows(
    verifier: "Verifier",
    found: Iterator[Found],
    total: int,
    *,
    evidence_file: Path | None,
    jobs: int | None,
    full: bool,
    in_one_process: bool,
) -> Generator[Row, None, None]:
    """The rows in the order of the files, from this process or from several."""
    processes = min(jobs or _cores(), -(-total // CHUNK_FILES))
    alone = in_one_process or total < MIN_FILES_FOR_PROCESSES
    if alone or processes < 2:
        for item in found:
            yield _judge(verifier, item, evidence_file, full=full)
        return
    yield from _rows_of_processes(verifier, found, processes, full=full)


def _judge(verifier: "Verifier", item: Found, evidence_file: Path | None, *, full: bool) -> Row:
    # A name that is not text on this system must not break the line, the report, or the rows after it.
    name = os.fsencode(item.path).decode("utf-8", "replace")
    if item.problem is not None:
        return row_of_error(name, item.problem)
    try:
        verdict = verifier.judge(read_source(item.path), evidence_file)
    except ConfigError as error:
        return row_of_error(name, error.reason)
    except MalformedError as error:
        if isinstance(error, OtherFile) and item.may_be_other:
            return row_of_skipped(name, error.reason)
        return row_of_error(name, str(error))
    if not isinstance(verdict, Verdict):
        whole = verdict.to_json() if full else None
        return row_of_several(name, verdict.outcome, verdict.verdicts, verdict=whole)
    return row_of(name, verdict, with_verdict=full)


def _cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rows_of_processes(
    verifier: "Verifier", found: Iterator[Found], processes: int, *, full: bool
) -> Generator[Row, None, None]:
    """A sliding window of chunks: submitted ahead, taken in order, so that order costs no memory."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # Spawned, not forked: the same on every system, and nothing of this process comes along.
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(verifier, full)
    )
    window: deque[Future[list[Row]]] = deque()
    try:
        while True:
            while len(window) < CHUNKS_AHEAD * processes and (chunk := list(islice(found, CHUNK_FILES))):
                window.append(pool.submit(_judge_chunk, chunk))
            if not window:
                break
            yield from window.popleft().result()
    except BrokenProcessPool as error:
        raise NodeError("a verifying process was ended from outside; try --jobs 1") from error
    finally:
        pool.shutdown(cancel_futures=True)


_worker: list[tuple["Verifier", bool]] = []
"""What this process verifies with; set once when it starts, because every chunk would carry it otherwise."""


def _start_worker(verifier: "Verifier", full: bool) -> None:
    import signal

    # Ctrl-C reaches every process of the terminal; only the first one answers, and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.append((verifier, full))


def _judge_chunk(chunk: Iterable[Found]) -> list[Row]:
    verifier, full = _worker[0]
    return [_judge(verifier, item, None, full=full) for item in chunk]
