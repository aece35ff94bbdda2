"""`testamur verify …`, read without Typer, whose loading takes about as long as all else for one file.

Only plain spellings are read here. Whatever else it is (help, a mistake, an abbreviation, Windows patterns),
the answer is None, and Typer reads the line; what is read here, Typer reads alike.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testamur.node.cli.output import Source, source_of

COMMAND = "verify"
FLAGS = {"--offline": "offline", "--json": "json", "--verbose": "verbose"}
VALUES = {
    "--trust": "trust",
    "--evidence": "evidence",
    "--node": "node",
    "--as-of": "as_of",
    "--policy": "policy",
    "--report": "report",
    "--jobs": "jobs",
    "--documents": "documents",
    "--home": "home",
    "--challenge": "challenge",
    "--domain": "domain",
}
LISTS = {"--rpc": "rpc", "--context-file": "context_file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What was asked of one `verify` command; nothing is checked yet."""

    files: tuple[Source, ...]
    trust: Path | None = None
    evidence: Path | None = None
    node: str | None = None
    rpc: tuple[str, ...] = ()
    offline: bool = False
    as_of: str | None = None
    policy: Path | None = None
    report: Path | None = None
    jobs: int | None = None
    json: bool = False
    verbose: bool = False
    context_file: tuple[str, ...] = ()
    documents: Path | None = None
    home: Path | None = None
    challenge: str | None = None
    domain: str | None = None


def read_verify_options(arguments: Sequence[str]) -> VerifyOptions | None:
    """The options of a `verify` command in plain spelling, or None for Typer to decide."""
    if not arguments or arguments[0] != COMMAND or os.name == "nt":
        return None
    files: list[Source] = []
    flags: set[str] = set()
    values: dict[str, str] = {}
    lists: dict[str, list[str]] = {field: [] for field in LISTS.values()}
    rest = iter(arguments[1:])
    for word in rest:
        if not word.startswith("-") or word == "-":
            files.append(source_of(word))
            continue
        if word in FLAGS:
            flags.add(FLAGS[word])
            continue
        name, assigned, value = word.partition("=")
        if not assigned:
            value = next(rest, "-")
            if value.startswith("-"):
                return None
        if name in LISTS:
            lists[LISTS[name]].append(value)
        elif name in VALUES and VALUES[name] not in values:
            values[VALUES[name]] = value
        else:
            return None
    jobs = values.get("jobs")
    if not files or (jobs is not None and not _is_count(jobs)):
        return None
    return VerifyOptions(
        files=tuple(files),
        trust=_path(values.get("trust")),
        evidence=_path(values.get("evidence")),
        node=values.get("node"),
        rpc=tuple(lists["rpc"]),
        offline="offline" in flags,
        as_of=values.get("as_of"),
        policy=_path(values.get("policy")),
        report=_path(values.get("report")),
        jobs=int(jobs) if jobs is not None else None,
        json="json" in flags,
        verbose="verbose" in flags,
        context_file=tuple(lists["context_file"]),
        documents=_path(values.get("documents")),
        home=_path(values.get("home")),
        challenge=values.get("challenge"),
        domain=values.get("domain"),
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4 and int(text) >= 1
