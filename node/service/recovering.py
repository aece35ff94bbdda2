"""An issuer that lost its keys: new ones for the council to propose, and the first statement by them.

`prepare` makes the keys and the key event whose digest the council proposes (`proposeRecovery`). Once that is
executed, `complete` publishes the event and puts the new keys in the place of the lost ones.

<workspace>/recovery/keys, /cold     the new keys, until they are in place
<workspace>/recovery/key-event.json  what the council proposes the digest of
"""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import make_folders, read_file, sync_folder, write_atomically
from testamur.node.issuing.bundles import LeafRange
from testamur.node.issuing.ports import RegistryPort
from testamur.node.issuing.publishing import publish_key_chain
from testamur.node.issuing.workspace import open_workspace
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.node.service.issuer_side import NEXT_KEY, SIGNING_KEY
from testamur.registry.canonical import canonicalize, parse_json
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import KeyEvent, Position, build_key_event, commitment, parse_key_event
from testamur.registry.keys import Algorithm
from testamur.registry.publications import Publication
from testamur.registry.timestamps import format_timestamp

RECOVERY = "recovery"
EVENT_NAME = "key-event.json"
MAX_EVENT_BYTES = 1 << 16

PLACES = (("keys", SIGNING_KEY), ("cold", NEXT_KEY))
"""Folder and name of the key that signs from now on, and of the one after it."""


def prepare(folder: Path, passphrase: Passphrase, *, anchored: Position, now: datetime) -> KeyEvent:
    """The first key event of the new chain; the same one on every call, until `complete`.

    `anchored` is the log's anchored size now: the chain will begin where the log is anchored when the council
    executes the recovery, which is not before. Raises ConfigError, StoreLocked.
    """
    place = folder / RECOVERY
    with open_workspace(folder) as workspace:
        make_folders(place, mode=0o700)
        path = place / EVENT_NAME
        if not path.exists():
            hot, cold = (Keystore(place / where, passphrase) for where, _ in PLACES)
            for store, name in ((hot, SIGNING_KEY), (cold, NEXT_KEY)):
                if store.find(name) is None:
                    store.create(name, Algorithm.ED25519)
            document = build_key_event(
                did=workspace.settings.did,
                keys=[hot.load(SIGNING_KEY)],
                next_commitment=commitment([cold.load(NEXT_KEY).public_key]),
                created=format_timestamp(now),
                start=anchored,
            )
            write_atomically(path, canonicalize(document))
        return _event(path)


def complete(
    folder: Path,
    passphrase: Passphrase,
    *,
    key_chains: tuple[KeyChainRecord, ...],
    port: RegistryPort,
    now: datetime,
    repudiated: Sequence[LeafRange] = (),
) -> Publication:
    """Publish the prepared chain, and sign with its key from now on. Repeating it finishes what a crash left.

    `key_chains` are the contract's records. Raises ConfigError when nothing is prepared, and what
    `publish_key_chain` raises.
    """
    place = folder / RECOVERY
    with open_workspace(folder) as workspace:
        event = _event(place / EVENT_NAME)
        publication = publish_key_chain(
            workspace,
            event.json,
            key_chains=key_chains,
            key=Keystore(_where_now(folder), passphrase).load(SIGNING_KEY),
            port=port,
            now=now,
            repudiated=repudiated,
        )
        for where, name in PLACES:
            new = Keystore(place / where).path(name)
            if new.exists():
                make_folders(folder / where, mode=0o700)
                new.replace(Keystore(folder / where).path(name))
                sync_folder(folder / where)
        shutil.rmtree(place)
    return publication


def _where_now(folder: Path) -> Path:
    """Where the new signing key is: a crash may have come after it was put in place."""
    prepared = folder / RECOVERY / "keys"
    return prepared if Keystore(prepared).find(SIGNING_KEY) is not None else folder / "keys"


def _event(path: Path) -> KeyEvent:
    data = read_file(path, max_bytes=MAX_EVENT_BYTES)
    if data is None:
        raise ConfigError(str(path), "is missing: no recovery is prepared in this workspace")
    return parse_key_event(parse_json(data, subject=EVENT_NAME))
