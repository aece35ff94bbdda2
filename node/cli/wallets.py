"""`wallet new|add|list|show`: what a learner keeps, and what it says."""

from pathlib import Path

from testamur.node.cli.output import json_line, read_input, say, warn, write_output
from testamur.node.cli.settings import home_of, passphrase
from testamur.node.errors import ConfigError
from testamur.node.files import make_folders
from testamur.node.holding.store import FOLDER_MODE, Added, Held, Holdings
from testamur.node.homes import wallet_folder
from testamur.node.keystore.keyfile import KeyInfo
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.registry.canonical import Json
from testamur.registry.dids import did_key
from testamur.registry.dossiers import encode_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.keys import Algorithm
from testamur.registry.multiformats import encode_digest
from testamur.registry.verification.words import safe

KEYS = "keys"
CREDENTIALS = "credentials"
NOBODY = "nobody can show it as theirs: it names no holder"


def run_new(name: str, *, passphrase_file: Path | None, as_json: bool, home: Path | None) -> None:
    """Make a key. The passphrase is asked twice for the first one. Raises ConfigError."""
    make_folders(wallet_folder(home_of(home)), mode=FOLDER_MODE)
    known = keystore(home).list()
    store = keystore(home, passphrase(passphrase_file, confirm=not known))
    info = store.create(name, Algorithm.ED25519)
    if as_json:
        json_line({"key": info.name, "did": did_of(info), "file": str(store.path(info.name))})
        return
    say(f"Your DID is {did_of(info)}")
    say(f"  key {info.name!r}, encrypted in {store.path(info.name)}")
    say("Give the DID to your university: credentials that it binds to it, nobody else can show as theirs.")
    if not known:
        say("Make a copy now (`testamur wallet backup FILE`): nobody can give you a lost key again.")


def run_add(files: list[Path], *, as_json: bool, home: Path | None) -> None:
    """Keep credentials: all of the files, or an error that names the first that is none."""
    make_folders(wallet_folder(home_of(home)), mode=FOLDER_MODE)
    read = [(path, read_input(path)) for path in files]
    keys = names_of_keys(home)
    for path, data in read:
        try:
            added = holdings(home).add(data)
        except MalformedError as error:
            raise ConfigError(str(path), str(error)) from error
        if as_json:
            json_line(
                {
                    "file": str(path),
                    "isNew": added.is_new,
                    "isUpdated": added.is_updated,
                    **row(added.held, keys),
                }
            )
            continue
        say(f"{_became(added)} {line(added.held, keys)}")
        strangers = [did for did in added.held.holders if did not in keys]
        if added.held.holders and len(strangers) == len(added.held.holders):
            warn(f"testamur: {added.held.name} names {strangers[0]}, whose key is not in this wallet")
    if not as_json:
        say("Kept, and not verified: `testamur verify` with a trust file says whether they hold.")


def run_list(*, as_json: bool, home: Path | None) -> None:
    """Everything in the wallet."""
    infos, held = keystore(home).list(), holdings(home).credentials()
    keys = {did_of(info): info.name for info in infos}
    if as_json:
        json_line(
            {
                "keys": [{"key": info.name, "did": did_of(info)} for info in infos],
                "credentials": [row(item, keys) for item in held],
            }
        )
        return
    for info in infos:
        say(f"{'key ' + info.name:<14} {did_of(info)}")
    if not infos:
        say("No key yet; `testamur wallet new` makes one.")
    for item in held:
        say(line(item, keys))
    if not held:
        say("No credentials yet; `testamur wallet add FILE` keeps one.")


def run_show(word: str, *, out: Path | None, as_json: bool, home: Path | None) -> None:
    """One credential in words, or whole. Raises ConfigError when the wallet does not have it."""
    held, keys = holdings(home).find(word), names_of_keys(home)
    if out is not None:
        write_output(out, encode_dossier(held.credential.json, held.evidence), secret=True)
    if as_json:
        json_line({**row(held, keys), "dossier": held.document, "out": str(out) if out else None})
        return
    say(line(held, keys))
    for name, text in held.described.lines():
        say(f"  {name:<14} {safe(text)}")
    say(f"  {'digest':<14} {encode_digest(held.digest)}")
    has_evidence = "yes" if held.evidence is not None else "none yet; `testamur evidence` fetches it"
    say(f"  {'evidence':<14} {has_evidence}")
    if out is not None:
        say(f"Written to {out}")


def keystore(home: Path | None, secret: Passphrase | None = None) -> Keystore:
    """The keys of the wallet."""
    return Keystore(wallet_folder(home_of(home)) / KEYS, secret)


def holdings(home: Path | None) -> Holdings:
    """The credentials of the wallet."""
    return Holdings(wallet_folder(home_of(home)) / CREDENTIALS)


def did_of(info: KeyInfo) -> str:
    """The DID that a key is."""
    return did_key(info.public_key)


def names_of_keys(home: Path | None) -> dict[str, str]:
    """DID → name, of every key in the wallet."""
    return {did_of(info): info.name for info in keystore(home).list()}


def row(held: Held, keys: dict[str, str]) -> dict[str, Json]:
    """A credential for `--json`."""
    described = held.described
    return {
        "name": held.name,
        "digest": encode_digest(held.digest),
        "id": held.credential.id,
        "achievement": described.title,
        "issuer": held.credential.issuer_id,
        "issuerName": held.credential.issuer_name,
        "awarded": described.awarded or described.valid_from,
        "holders": list(held.holders),
        "key": next((keys[did] for did in held.holders if did in keys), None),
        "hasEvidence": held.evidence is not None,
    }


def line(held: Held, keys: dict[str, str]) -> str:
    """A credential on one line, a stranger's text made safe."""
    issuer = held.credential.issuer_name or held.credential.issuer_id
    named = [keys[did] for did in held.holders if did in keys]
    holder = f"key {named[0]}" if named else ("another's" if held.holders else NOBODY)
    evidence = "" if held.evidence is not None else ", no evidence yet"
    title = held.described.title or "without a title"
    return f"{held.name:<14} {safe(title)} · {safe(issuer)} ({holder}{evidence})"


def _became(added: Added) -> str:
    return "added  " if added.is_new else "updated" if added.is_updated else "known  "
