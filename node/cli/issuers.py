"""`issuer apply|add|list`: what the commands do."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.cli.costs import ANCHOR_GAS
from testamur.node.cli.output import json_line, read_input, say, write_output
from testamur.node.cli.settings import default_node, home_of, passphrase
from testamur.node.errors import ConfigError
from testamur.node.fetch.registry import RegistryClient
from testamur.node.homes import node_folder, workspace_folder
from testamur.node.keystore.store import Keystore
from testamur.registry.canonical import canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape

TOKEN_PLACE = "<home>/issuers/{slug}/token"  # noqa: S105  a place, not a token


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
    controller = document["controller"]
    say(f"Made the workspace {folder}")
    say(f"Wrote {target}")
    say("Next:")
    say(f"  1. Hand {target} to the node that is to host your log; its operator runs `testamur issuer add`.")
    say(f"  2. Put the access token that the operator gives you into {folder / 'token'} and chmod 600 it.")
    say("  3. Try `testamur issue` with --dry-run, then without.")
    say(f"Move {folder / 'cold'} off this machine: it holds the next signing key and the controller account")
    say(f"{controller}. That account needs no gas to issue: the host's operator account pays for anchors.")


def run_add(
    application: Path,
    *,
    token_out: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> None:
    """Admit an issuer and host it."""
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
                "operator": _operator(root),
            }
        )
        return
    where = f"in block {admitted.block_number}" if admitted.block_number is not None else "already"
    say(f"Admitted {admitted.did} as {admitted.slug} {where}; this node hosts {admitted.origin}")
    say(f"Access token for the issuer ({'in ' if token_out else 'shown once: '}{shown})")
    say("Next:")
    say("  1. Give the token to the issuer over a way that others cannot read; it belongs into the file")
    say(f"     {TOKEN_PLACE.format(slug=admitted.slug)} (mode 0600).")
    say("     `testamur issuer token` makes further ones, and ends them.")
    say(f"  2. Keep gas in this node's operator account {_operator(root)}: an anchor of any size takes about")
    say(f"     {ANCHOR_GAS:,} gas at most, and there is one for each batch and one a day otherwise.")
    say("  3. `testamur node doctor` says whether all is well.")


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


def _operator(root: Path) -> str:
    """The address that pays for anchors."""
    from testamur.node.service.roles import OPERATOR

    info = Keystore(root / "keys").find(OPERATOR)
    return (info.address if info else None) or "unknown"
