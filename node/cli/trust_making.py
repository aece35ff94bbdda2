"""`trust member|draft|sign|publish`: how the council makes the next version of the trust file."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from testamur.node.cli.output import json_line, read_input, say, write_output
from testamur.node.cli.settings import default_node, home_of, passphrase
from testamur.node.cli.trusting import trust_row
from testamur.node.errors import ConfigError
from testamur.node.homes import node_folder, workspace_folder
from testamur.node.keystore.store import Keystore
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.notes import COSIGNATURE_ED25519, VerifierKey
from testamur.registry.timestamps import format_timestamp
from testamur.registry.trust import MAX_TRUST_FILE_BYTES, TrustFile, parse_trust_file
from testamur.registry.trust_changes import describe_changes
from testamur.registry.trust_drafts import MAX_CARD_BYTES, MemberCard, draft_successor, parse_card
from testamur.registry.trust_successions import OWN_SLUG, sign_succession


def run_member(
    *, new_key: bool, out: Path | None, passphrase_file: Path | None, as_json: bool, home: Path | None
) -> None:
    """This member's card for the council; with `new_key` it names a new attestation key."""
    from testamur.node.service.config import load_config
    from testamur.node.service.member_keys import attestation_keys, attestation_vkey, create_attestation_key
    from testamur.node.service.roles import MIRROR, WITNESS, key_name

    root = node_folder(home_of(home))
    config = load_config(root)
    keystore = Keystore(root / "keys", passphrase(passphrase_file) if new_key else None)
    if new_key:
        create_attestation_key(keystore)
    keys: dict[str, tuple[str, ...]] = {}
    for role in (WITNESS, MIRROR):
        info = keystore.find(role)
        if info is None:
            raise ConfigError(role, "this member has no such key; `testamur init` makes it")
        raw = info.public_key.raw
        key = VerifierKey(name=key_name(config, role), algorithm=COSIGNATURE_ED25519, raw=raw)
        keys[role] = (key.to_text(),)
    newest = attestation_keys(keystore)[-1:]
    keys["attestation"] = tuple(attestation_vkey(config, info) for info in newest)
    card = MemberCard(name=config.member, url=config.public_url or None, keys=keys).to_json()
    if out is not None:
        write_output(out, canonicalize(card) + b"\n")
    if as_json or out is None:
        json_line(card)
        return
    say(f"Wrote {out}: hand it to whoever drafts the next trust file (`testamur trust draft --member`).")


def run_draft(
    *,
    out: Path,
    trust: Path | None,
    members: Sequence[Path],
    ended: Sequence[str],
    threshold: int | None,
    witness_quorum: int | None,
    mirror_quorum: int | None,
    handover_days: int,
    as_json: bool,
    home: Path | None,
) -> None:
    """Write the unsigned next version, and say what it changes."""
    current = _current(trust, home)
    quorums = {
        role: count
        for role, count in (("witness", witness_quorum), ("mirror", mirror_quorum))
        if count is not None
    }
    data = draft_successor(
        current,
        issued=format_timestamp(datetime.now(UTC)),
        cards=[parse_card(read_input(path, max_bytes=MAX_CARD_BYTES)) for path in members],
        ended=ended,
        threshold=threshold,
        quorums=quorums,
        handover=timedelta(days=handover_days),
    )
    write_output(out, data)
    _say_version(current, parse_trust_file(data), out, as_json=as_json)
    if not as_json:
        say(f"Signatures needed: {current.succession_threshold or 'none can be given: the rule is missing'}")
        say("Every member reads it and runs `testamur trust sign` on it; then `testamur trust publish`.")


def run_sign(
    file: Path,
    *,
    out: Path | None,
    trust: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> None:
    """Add this member's signature to the next version, after everything in it was checked."""
    from testamur.node.service.config import load_config
    from testamur.node.service.member_keys import MemberKeys

    root = node_folder(home_of(home))
    current, later = _current(trust, home), _read(file)
    keystore = Keystore(root / "keys", passphrase(passphrase_file))
    keys = MemberKeys(load_config(root), keystore, current)
    data = sign_succession(current, later, keys.attester_at(later.issued))
    write_output(out or file, data)
    signed = parse_trust_file(data)
    _say_version(current, signed, out or file, as_json=as_json)
    if not as_json:
        say(f"Signed: {len(signed.signatures)} of {current.succession_threshold or '?'}")


def run_publish(
    file: Path, *, node_url: str | None, passphrase_file: Path | None, as_json: bool, home: Path | None
) -> None:
    """Publish the next version in the registry's own log; the node uses and serves it from then on."""
    from testamur.node.service.own_log import publish_version

    current, later = _current(None, home), _read(file)
    publication = publish_version(
        workspace_folder(home_of(home), OWN_SLUG),
        current,
        later,
        passphrase(passphrase_file),
        node_url=node_url or default_node(home),
        now=datetime.now(UTC),
    )
    if as_json:
        statement = publication.statement.sequence
        json_line({**trust_row(later), "statement": statement, "origin": f"{later.registry}/{OWN_SLUG}/1"})
        return
    say(f"Published version {later.sequence}, fingerprint {later.fingerprint}")
    say("The node serves it now; it is sealed and anchored like everything else in the registry's own log.")
    say("Verifiers run `testamur trust fetch`; other members put it into their node's folder and restart.")


def _current(given: Path | None, home: Path | None) -> TrustFile:
    """The version to succeed to: the node's own, unless another one is given."""
    path = given or node_folder(home_of(home)) / "trust.json"
    return parse_trust_file(read_input(path, max_bytes=MAX_TRUST_FILE_BYTES))


def _read(path: Path) -> TrustFile:
    return parse_trust_file(read_input(path, max_bytes=MAX_TRUST_FILE_BYTES))


def _say_version(current: TrustFile, later: TrustFile, path: Path, *, as_json: bool) -> None:
    changes = describe_changes(current, later)
    if as_json:
        shown: list[Json] = list(changes)
        json_line({**trust_row(later), "file": str(path), "changes": shown})
        return
    say(f"{path}: version {later.sequence} of {later.registry}, fingerprint {later.fingerprint}")
    for line in changes or ["changes nothing but its number"]:
        say(f"  {line}")
