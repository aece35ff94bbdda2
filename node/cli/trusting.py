"""Trust files on the command line: where they lie, what they say, and what is proven of their successions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.output import json_line, read_input, say, warn, write_output
from testamur.node.errors import ConfigError, PeerMisbehaved
from testamur.node.homes import default_home
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.multiformats import encode_digest
from testamur.registry.reasons import words
from testamur.registry.timestamps import format_timestamp
from testamur.registry.trust import MAX_TRUST_FILE_BYTES, ROLES, TrustFile, parse_trust_file
from testamur.registry.trust_successions import (
    MAX_SUCCESSIONS,
    MAX_SUCCESSIONS_BYTES,
    SUCCESSIONS_TYPE,
    advance,
    encode_successions,
    parse_successions,
)

if TYPE_CHECKING:
    from testamur.node.fetch.registry import RegistryClient

TRUST_FILE_NAME = "trust.json"

EXIT_REFUSED = 1
"""A succession that is not proven, like a credential that is invalid."""


def trust_path(given: Path | None, home: Path | None) -> Path:
    """The trust file that a command means."""
    return given if given is not None else (home or default_home()) / TRUST_FILE_NAME


def load_trust(given: Path | None, home: Path | None) -> TrustFile:
    """The trust file, parsed. Raises ConfigError that says how to get one."""
    path = trust_path(given, home)
    if given is None and not path.exists():
        raise ConfigError(
            "--trust",
            f"no trust file given and none at {path}; get one from someone you trust, or "
            "`testamur trust fetch --node URL` and compare its fingerprint",
        )
    try:
        return parse_trust_file(read_input(path, max_bytes=MAX_TRUST_FILE_BYTES))
    except MalformedError as error:
        raise ConfigError(f"--trust {path}", str(error)) from error


def find_trust(home: Path | None) -> TrustFile | None:
    """The trust file of the home folder, or None without one. Raises ConfigError for a damaged one."""
    return load_trust(None, home) if trust_path(None, home).exists() else None


def run_show(path: Path, *, as_json: bool) -> None:
    """What a trust file says."""
    describe_trust(parse_trust_file(read_input(path, max_bytes=MAX_TRUST_FILE_BYTES)), as_json=as_json)


def run_verify(files: Sequence[Path], *, start: Path | None, out: Path | None, as_json: bool) -> int:
    """The form of trust files, and with `start` the proof that the last one follows; the exit code."""
    versions = [trust for path in files for trust in _read_versions(path)]
    if start is None:
        if out is not None:
            raise ConfigError("--out", "is for the version that is proven from --from, which is missing")
        for trust in versions:
            describe_trust(trust, as_json=as_json)
        if not as_json:
            say("The form is right. Who made it is not proven: compare the fingerprint, or give --from FILE.")
        return 0
    trusted = parse_trust_file(read_input(start, max_bytes=MAX_TRUST_FILE_BYTES))
    try:
        newest = advance(trusted, versions)
    except VerificationError as error:
        return _refuse(error, as_json=as_json)
    if out is not None:
        write_output(out, canonicalize(newest.json) + b"\n")
    _say_advanced(trusted, newest, out, as_json=as_json)
    return 0


def run_fetch(
    node_url: str, *, target: Path, fingerprint: str | None, chain_out: Path | None, as_json: bool
) -> int:
    """Bring a trust file up to date from a node, or get a first one; the exit code.

    A file that is there is replaced only by what a quorum of it, and so on, has signed.
    """
    from testamur.node.fetch.registry import RegistryClient

    known = target.exists()
    with RegistryClient(node_url) as client:
        if known:
            trusted = parse_trust_file(read_input(target, max_bytes=MAX_TRUST_FILE_BYTES))
            files = _fetch_successions(client, trusted)
        else:
            trusted, files = parse_trust_file(client.trust_file()), []
    try:
        newest = advance(trusted, files)
    except VerificationError as error:
        return _refuse(error, as_json=as_json)
    if fingerprint is not None and _letters(fingerprint) != _letters(newest.fingerprint):
        raise ConfigError("--fingerprint", f"the newest one has {newest.fingerprint}; nothing was written")
    if not known or newest.sequence != trusted.sequence:
        write_output(target, canonicalize(newest.json) + b"\n")
    if chain_out is not None:
        items: list[Json] = [item.json for item in files]
        write_output(chain_out, encode_successions(newest.registry, newest.sequence, items) + b"\n")
    if known:
        _say_advanced(trusted, newest, target, as_json=as_json)
        return 0
    describe_trust(newest, as_json=as_json)
    if fingerprint is None and not as_json:
        say("Compare the fingerprint with one that did not come from this node before you rely on it.")
    return 0


def describe_trust(trust: TrustFile, *, as_json: bool) -> None:
    """What a trust file says, for a person who compares it with a printed one."""
    if as_json:
        json_line(trust_row(trust))
        return
    say(f"Trust file {trust.sequence} of {trust.registry}, issued {format_timestamp(trust.issued)}")
    say(f"  fingerprint  {trust.fingerprint}")
    if trust.previous is not None:
        lines = "1 signature" if len(trust.signatures) == 1 else f"{len(trust.signatures)} signatures"
        say(f"  succeeds to  version {trust.sequence - 1}, {encode_digest(trust.previous)}, with {lines}")
    for member in trust.members:
        roles = [role for role in ROLES if getattr(member, role)]
        say(f"  member       {member.name}: {', '.join(roles)}")
    say(f"  next version {_rule(trust)}")
    for chain in trust.chains:
        until = "" if chain.until_block is None else f" to {chain.until_block}"
        blocks = f"from block {chain.from_block}{until}"
        say(f"  chain        {chain.chain_id}, contract 0x{chain.contract.hex()}, {blocks}")
        say(f"  finality     {chain.finality.words}")
    if trust.development:
        say("  DEVELOPMENT REGISTRY: worth nothing outside this machine")


def trust_row(trust: TrustFile) -> dict[str, Json]:
    """The same as a document."""
    return {
        "registry": trust.registry,
        "sequence": trust.sequence,
        "digest": encode_digest(trust.digest),
        "fingerprint": trust.fingerprint,
        "previous": None if trust.previous is None else encode_digest(trust.previous),
        "issued": format_timestamp(trust.issued),
        "signatures": [line.name for line in trust.signatures],
        "succession": None
        if trust.succession_threshold is None
        else {"threshold": trust.succession_threshold},
        "development": trust.development,
        "members": [member.name for member in trust.members],
    }


def _rule(trust: TrustFile) -> str:
    if trust.succession_threshold is None:
        return "none: this file does not say who may sign one"
    able = sum(member.may_sign_after(trust.issued) for member in trust.members)
    return f"needs the signatures of {trust.succession_threshold} of {able} members"


def _read_versions(path: Path) -> list[TrustFile]:
    """One trust file, or all that a document of successions holds. Raises MalformedError, ConfigError."""
    data = read_input(path, max_bytes=MAX_SUCCESSIONS_BYTES)
    document = parse_json(data, subject=str(path), max_bytes=len(data))
    if isinstance(document, dict) and document.get("type") == SUCCESSIONS_TYPE:
        return list(parse_successions(data).files)
    return [parse_trust_file(data)]


def _fetch_successions(client: "RegistryClient", trusted: TrustFile) -> list[TrustFile]:
    """Every version after the trusted one, as far as the node has them. Raises PeerMisbehaved."""
    files: list[TrustFile] = []
    while len(files) < MAX_SUCCESSIONS:
        after = trusted.sequence + len(files)
        try:
            found = parse_successions(client.trust_successions(after))
        except MalformedError as error:
            raise PeerMisbehaved(f"{client.url} served malformed successions ({error})") from error
        if found.registry != trusted.registry:
            raise ConfigError(
                "--node", f"{client.url} is of {found.registry}, your file of {trusted.registry}"
            )
        files += found.files
        if found.newest <= trusted.sequence + len(files):
            return files
        if not found.files:
            raise PeerMisbehaved(
                f"{client.url} uses version {found.newest} and lacks version {after + 1}: ask another node, "
                "best the one that hosts the registry's own log"
            )
    return files


def _refuse(error: VerificationError, *, as_json: bool) -> int:
    if as_json:
        json_line({"outcome": "refused", "reason": error.reason, "parameters": dict(error.parameters)})
    else:
        warn(f"testamur: refused, and nothing was written: {words(error.reason, error.parameters)}")
    return EXIT_REFUSED


def _say_advanced(trusted: TrustFile, newest: TrustFile, out: Path | None, *, as_json: bool) -> None:
    if as_json:
        json_line(
            {
                "outcome": "proven",
                "from": trust_row(trusted),
                "newest": trust_row(newest),
                "file": None if out is None else str(out),
            }
        )
        return
    if newest.sequence == trusted.sequence:
        say(f"Version {trusted.sequence} is the newest; your file stays as it is.")
    else:
        say(
            f"Proven from version {trusted.sequence} to {newest.sequence}, each signed by a quorum before it."
        )
    describe_trust(newest, as_json=False)


def _letters(text: str) -> str:
    return text.replace("-", "").lower()
