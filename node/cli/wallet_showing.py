"""`wallet present`: which credentials, by which keys, in one file for one verifier."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from testamur.node.cli.output import json_line, say, write_output
from testamur.node.cli.settings import passphrase
from testamur.node.cli.verify_inputs import check_asked
from testamur.node.cli.wallets import did_of, holdings, keystore, line, names_of_keys
from testamur.node.errors import ConfigError
from testamur.node.holding.store import Held, Holdings
from testamur.node.keystore.keyfile import KeyInfo
from testamur.registry.dids import did_key
from testamur.registry.errors import MalformedError
from testamur.registry.presentation_files import encode_presentation_file
from testamur.registry.presentations import MAX_PRESENTED, make_presentation
from testamur.registry.timestamps import format_timestamp

DEFAULT_NAME = "wallet.presentation.json"


def run_present(
    words: list[str],
    *,
    every: bool,
    challenge: str,
    domain: str,
    key: str | None,
    minutes: int,
    cryptosuite: str,
    out: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
    now: datetime | None = None,
) -> None:
    """Write the presentation. Raises ConfigError, naming the credential that nobody here can show."""
    check_asked(challenge, domain)
    chosen = _chosen(holdings(home), words, every=every)
    infos = keystore(home).list()
    signers = _signers(chosen, infos, key)
    store = keystore(home, passphrase(passphrase_file))
    keys = [store.load(info.name) for info in signers]
    created = (now or datetime.now(UTC)).replace(microsecond=0)
    expires = created + timedelta(minutes=minutes)
    try:
        presentation = make_presentation(
            [held.credential.json for held in chosen],
            keys,
            challenge=challenge,
            domain=domain,
            created=created,
            expires=expires,
            cryptosuite=cryptosuite,
        )
        data = encode_presentation_file(presentation, [held.evidence for held in chosen])
    except MalformedError as error:
        raise ConfigError("presentation", str(error)) from error
    path = out or Path(DEFAULT_NAME)
    write_output(path, data, secret=True)
    if as_json:
        json_line(
            {
                "file": str(path),
                "holders": [did_of(info) for info in signers],
                "challenge": challenge,
                "domain": domain,
                "created": format_timestamp(created),
                "expires": format_timestamp(expires),
                "credentials": [held.name for held in chosen],
            }
        )
        return
    named = names_of_keys(home)
    for held in chosen:
        say(line(held, named))
    say(f"Shown by {', '.join(did_key(item.public_key) for item in keys)}")
    say(f"  to {domain}, until {format_timestamp(expires)}, in {path}")
    say("Whoever gets this file sees everything in it; whoever else shows it, is refused.")


def _chosen(store: Holdings, words: list[str], *, every: bool) -> list[Held]:
    """The credentials that are meant, each once, in the order in which they were named."""
    if every and words:
        raise ConfigError("--all", "shows every credential; name none beside it")
    if words:
        found = list({held.digest: held for held in map(store.find, words)}.values())
    else:
        found = list(store.credentials())
        if not found:
            raise ConfigError("wallet", "holds no credentials; `testamur wallet add FILE` keeps one")
        if len(found) > 1 and not every:
            raise ConfigError("CREDENTIALS", f"name some of the {len(found)}, or give --all")
    if len(found) > MAX_PRESENTED:
        raise ConfigError("CREDENTIALS", f"are {len(found)}; one presentation shows at most {MAX_PRESENTED}")
    return found


def _signers(chosen: list[Held], infos: tuple[KeyInfo, ...], key: str | None) -> list[KeyInfo]:
    """The keys that the credentials name, the first one's first; one of ours when they name nobody."""
    if not infos:
        raise ConfigError("wallet", "has no key; `testamur wallet new` makes one")
    by_did, by_name = {did_of(info): info for info in infos}, {info.name: info for info in infos}
    if key is not None and key not in by_name:
        raise ConfigError("--key", f"there is no key {key!r}; there are {', '.join(sorted(by_name))}")
    signers: dict[str, KeyInfo] = {}
    for held in chosen:
        ours = [by_did[did] for did in held.holders if did in by_did]
        if held.holders and not ours:
            who = held.holders[0]
            raise ConfigError(held.name, f"names {who} as its holder, whose key is not in this wallet")
        signers.update({info.name: info for info in ours[:1]})
    if key is not None:
        signers.setdefault(key, by_name[key])
    if not signers:
        if len(infos) > 1:
            raise ConfigError("--key", f"say who shows them: one of {', '.join(sorted(by_name))}")
        return list(infos)
    return list(signers.values())
