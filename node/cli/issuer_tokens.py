"""`issuer token create|list|revoke`: who may submit to a hosted log, decided on the machine of the node."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from testamur.node.cli.output import json_line, say, write_output
from testamur.node.cli.settings import home_of
from testamur.node.errors import ConfigError
from testamur.node.homes import node_folder
from testamur.node.service.config import load_config
from testamur.node.service.folders import NodeFolders
from testamur.node.service.opening import application_slugs
from testamur.node.service.tokens import Token, TokenStore
from testamur.registry.canonical import Json
from testamur.registry.timestamps import format_timestamp


def run_create(slug: str, *, days: int, out: Path | None, as_json: bool, home: Path | None) -> None:
    """Make a token for an issuer that is hosted here; the running node knows it at once."""
    folders = _folders(home)
    hosted = application_slugs(folders)
    if slug not in hosted:
        known = ", ".join(hosted) or "none; `testamur issuer add` admits one"
        raise ConfigError("--issuer", f"{slug} is not hosted here (hosted: {known})")
    made = TokenStore(folders.tokens).create(slug, _now(), lifetime=timedelta(days=days))
    if out is not None:
        write_output(out, f"{made.secret}\n".encode(), secret=True)
    if as_json:
        where = str(out) if out else None
        json_line({**_row(made.token), "token": None if out else made.secret, "tokenFile": where})
        return
    until = _day(made.token.expires)
    say(f"Made token {made.token.id} for {slug}, good until {until}")
    say(f"  in {out}" if out else f"  shown once: {made.secret}")
    say("Older tokens of this issuer stay good; `testamur issuer token revoke` ends them.")


def run_list(slug: str | None, *, as_json: bool, home: Path | None) -> None:
    """Every token by its id; the tokens themselves are not kept."""
    tokens = TokenStore(_folders(home).tokens).tokens(slug)
    if as_json:
        json_line([_row(token) for token in tokens])
        return
    for token in tokens:
        used = f"last used {token.last_used.isoformat()}" if token.last_used else "never used"
        life = f"{_day(token.created)} to {_day(token.expires)}"
        say(f"{token.id:<18} {token.slug:<20} {token.state(_now()):<8} {life}, {used}")
    if not tokens:
        say("No tokens; `testamur issuer token create` makes one.")


def run_revoke(token_id: str | None, *, slug: str | None, as_json: bool, home: Path | None) -> None:
    """End one token, or all of an issuer's; the running node refuses them at once."""
    store = TokenStore(_folders(home).tokens)
    if token_id is not None:
        revoked = [store.revoke(token_id, _now(), slug=slug)]
    elif slug is not None:
        revoked = store.revoke_all(slug, _now())
    else:
        raise ConfigError("TOKEN", "name a token by its id, or --issuer for all tokens of an issuer")
    if as_json:
        json_line([_row(token) for token in revoked])
        return
    for token in revoked:
        say(f"Revoked {token.id} of {token.slug}: whoever has it is refused from now on")
    if not revoked:
        say(f"{slug} has no token that could be revoked")


def _folders(home: Path | None) -> NodeFolders:
    root = node_folder(home_of(home))
    load_config(root)  # Says what to do when there is no node here.
    return NodeFolders(root)


def _row(token: Token) -> dict[str, Json]:
    return {
        "id": token.id,
        "issuer": token.slug,
        "state": token.state(_now()),
        "created": format_timestamp(token.created),
        "expires": format_timestamp(token.expires) if token.expires else None,
        "revoked": format_timestamp(token.revoked) if token.revoked else None,
        "lastUsed": token.last_used.isoformat() if token.last_used else None,
    }


def _day(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d") if moment else "no end"


def _now() -> datetime:
    return datetime.now(UTC)
