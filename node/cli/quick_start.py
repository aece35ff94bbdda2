"""`testamur verify …`, read without Typer, whose loading takes about as long as all else for one file.

Only plain spellings are read here. Whatever else it is (help, a mistake, an abbreviation, Windows patterns),
the answer is None, and Typer reads the line; what is read here, Typer reads alike.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND = "verify"
FLAGS = {"--offline": "offline", "--json": "json"}
VALUES = {
    "--trust": "trust",
    "--evidence": "evidence",
    "--node": "node",
    "--as-of": "as_of",
    "--policy": "policy",
    "--report": "report",
    "--jobs": "jobs",
    "--home": "home",
}
LISTS = {"--rpc": "rpc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What was asked of one `verify` command; nothing is checked yet."""

    files: tuple[Path, ...]
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
    home: Path | None = None


def read_verify_options(arguments: Sequence[str]) -> VerifyOptions | None:
    """The options of a `verify` command in plain spelling, or None for Typer to decide."""
    if not arguments or arguments[0] != COMMAND or os.name == "nt":
        return None
    files: list[Path] = []
    flags: set[str] = set()
    values: dict[str, str] = {}
    rpc: list[str] = []
    rest = iter(arguments[1:])
    for word in rest:
        if not word.startswith("-") or word == "-":
            files.append(Path(word))
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
            rpc.append(value)
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
        rpc=tuple(rpc),
        offline="offline" in flags,
        as_of=values.get("as_of"),
        policy=_path(values.get("policy")),
        report=_path(values.get("report")),
        jobs=int(jobs) if jobs is not None else None,
        json="json" in flags,
        home=_path(values.get("home")),
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4 and int(text) >= 1
