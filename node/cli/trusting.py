"""Trust files on the command line: where they lie, what they say, where they came from."""

from pathlib import Path

from testamur.node.cli.output import json_line, read_input, say
from testamur.node.errors import ConfigError
from testamur.node.homes import default_home
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import encode_digest
from testamur.registry.timestamps import format_timestamp
from testamur.registry.trust import MAX_TRUST_FILE_BYTES, TrustFile, parse_trust_file

TRUST_FILE_NAME = "trust.json"


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


def fetch_trust(node_url: str, fingerprint: str | None) -> bytes:
    """A node's trust file, refused when its fingerprint is not the one that the user knows."""
    from testamur.node.fetch.registry import RegistryClient

    with RegistryClient(node_url) as client:
        data = client.trust_file()
    found = parse_trust_file(data).fingerprint
    if fingerprint is not None and fingerprint.replace("-", "").lower() != found.replace("-", ""):
        raise ConfigError("--fingerprint", f"the node's trust file has {found}; nothing was written")
    return data


def describe_trust(data: bytes, *, as_json: bool) -> None:
    """What a trust file says, for a person who compares it with a printed one."""
    trust = parse_trust_file(data)
    if as_json:
        json_line(
            {
                "registry": trust.registry,
                "sequence": trust.sequence,
                "digest": encode_digest(trust.digest),
                "fingerprint": trust.fingerprint,
                "development": trust.development,
                "members": [member.name for member in trust.members],
            }
        )
        return
    say(f"Trust file {trust.sequence} of {trust.registry}, issued {format_timestamp(trust.issued)}")
    say(f"  fingerprint  {trust.fingerprint}")
    for member in trust.members:
        roles = [role for role in ("witness", "mirror", "attestation") if getattr(member, role)]
        say(f"  member       {member.name}: {', '.join(roles)}")
    for chain in trust.chains:
        until = "" if chain.until_block is None else f" to {chain.until_block}"
        blocks = f"from block {chain.from_block}{until}"
        say(f"  chain        {chain.chain_id}, contract 0x{chain.contract.hex()}, {blocks}")
        say(f"  finality     {chain.finality.words}")
    if trust.development:
        say("  DEVELOPMENT REGISTRY: worth nothing outside this machine")
