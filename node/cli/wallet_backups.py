"""`wallet backup|restore`: all keys and credentials in one encrypted file, and back again."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.cli.output import json_line, read_input, say, write_output
from testamur.node.cli.settings import home_of, passphrase
from testamur.node.cli.wallets import CREDENTIALS, KEYS, holdings, keystore
from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.files import DISK, SECRET_MODE, make_folders, sync_folder, write_new
from testamur.node.holding.archive import BACKUP_TYPE, Archive, encode_archive, parse_archive
from testamur.node.holding.store import FOLDER_MODE, Holdings
from testamur.node.homes import wallet_folder
from testamur.node.keystore.keyfile import MAX_KEY_FILE_BYTES, is_key_name
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.sealing import MAX_SEALED_BYTES, open_sealed, seal
from testamur.node.keystore.store import Keystore
from testamur.registry.errors import MalformedError
from testamur.registry.verification.words import counted

STAGING = "wallet.restoring"
"""Beside the wallet, until everything in it has been read back; what a crash leaves is removed."""


def run_backup(out: Path, *, passphrase_file: Path | None, as_json: bool, home: Path | None) -> None:
    """Write the backup, once the passphrase has opened every key. Raises ConfigError, StoreCorrupt."""
    infos, held = keystore(home).list(), holdings(home).credentials()
    if not infos and not held:
        raise ConfigError("wallet", f"there is none in {wallet_folder(home_of(home))}")
    secret = passphrase(passphrase_file, confirm=not infos)
    store = keystore(home, secret)
    keys = {}
    for info in infos:
        store.load(info.name)
        keys[info.name] = read_input(store.path(info.name), max_bytes=MAX_KEY_FILE_BYTES)
    write_output(
        out, seal(encode_archive(keys, held, datetime.now(UTC)), secret, kind=BACKUP_TYPE), secret=True
    )
    if as_json:
        json_line({"file": str(out), "keys": len(keys), "credentials": len(held)})
        return
    say(f"{counted(len(keys), 'key')} and {counted(len(held), 'credential')} in {out}")
    say("It opens with the wallet's passphrase and with nothing else: keep the two apart, and both.")


def run_restore(file: Path, *, passphrase_file: Path | None, as_json: bool, home: Path | None) -> None:
    """Make the wallet anew, whole or not at all. Raises ConfigError, StoreCorrupt."""
    target = wallet_folder(home_of(home))
    if target.exists() and (keystore(home).list() or holdings(home).credentials()):
        raise ConfigError("wallet", f"there is one in {target}; give another --home, or move it away")
    data = read_input(file, max_bytes=MAX_SEALED_BYTES)
    secret = passphrase(passphrase_file)
    try:
        archive = parse_archive(open_sealed(data, secret, kind=BACKUP_TYPE, path=file))
    except MalformedError as error:
        raise ConfigError(str(file), str(error)) from error
    staging = target.with_name(STAGING)
    shutil.rmtree(staging, ignore_errors=True)
    try:
        _fill(staging, archive, secret, file)
        if target.exists():
            _make_way(target)
        DISK.replace(staging, target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    if as_json:
        counts = {"keys": len(archive.keys), "credentials": len(archive.dossiers)}
        json_line({"wallet": str(target), "made": archive.made, **counts})
        return
    found = f"{counted(len(archive.keys), 'key')} and {counted(len(archive.dossiers), 'credential')}"
    say(f"Restored {found} to {target}")
    say(f"  as they were on {archive.made}")


def _fill(staging: Path, archive: Archive, secret: Passphrase, file: Path) -> None:
    """Everything written and read back: a backup that does not open is found out before it is needed."""
    make_folders(staging, mode=FOLDER_MODE)
    store = Keystore(staging / KEYS, secret)
    make_folders(store.folder, mode=FOLDER_MODE)
    for name, data in archive.keys.items():
        if not is_key_name(name):
            raise StoreCorrupt(f"{file}: {name[:80]!r} is not the name of a key; take another copy of it")
        write_new(store.path(name), data, mode=SECRET_MODE)
        store.load(name)
    kept = Holdings(staging / CREDENTIALS)
    for dossier in archive.dossiers:
        kept.add(dossier)


def _make_way(target: Path) -> None:
    """Remove a wallet without keys and credentials; anything else in it is somebody's, and is kept."""
    for folder in (target / KEYS, target / CREDENTIALS):
        (folder / "lock").unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    if any(target.iterdir()):
        raise ConfigError("wallet", f"there are other files in {target}; move them away")
