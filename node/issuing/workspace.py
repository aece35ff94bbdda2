"""An issuer's workspace: its settings, its ledger, and what it has published. Keys live elsewhere.

A folder with `workspace.json` (nothing secret) and `ledger.sqlite` (private), owned by one process at a time.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.files import FolderLock, make_folders, read_file, write_atomically
from testamur.node.issuing.bundles import build_bundle
from testamur.node.issuing.decks import RandomBytes, add_deck
from testamur.node.issuing.ledger import Ledger
from testamur.registry.admissions import Admission
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError, RegistryError
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.issuer_keys import parse_record, record_json
from testamur.registry.jsonld import is_absolute_iri
from testamur.registry.key_events import FIRST_POSITION, build_key_event, commitment, verification_method
from testamur.registry.keys import PublicKey, SigningKey
from testamur.registry.publications import (
    FAR_POSITION,
    Publication,
    parse_bundle,
    restore_publication,
    verify_bundle,
)
from testamur.registry.shapes import Shape
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import PURPOSES, list_id
from testamur.registry.timestamps import format_timestamp

MAX_SETTINGS_BYTES = 64 * 1024
MAX_PUBLICATION_BYTES = 256 << 20
"""About ten thousand status lists."""

MAX_KEY_CHAINS = 256
"""A council that replaces an issuer's keys more often than that is not helping it."""

SETTINGS = "workspace.json"
LEDGER = "ledger.sqlite"

_CONTROLLER = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Who issues, and where. `controller` is the address of the issuer's cold key on the chain."""

    registry: str
    slug: str
    did: str
    name: str
    controller: str
    status_base: str

    def to_json(self) -> dict[str, Json]:
        """`workspace.json`."""
        return {
            "type": "IssuerWorkspace",
            "version": 1,
            "registry": self.registry,
            "slug": self.slug,
            "did": self.did,
            "name": self.name,
            "controller": self.controller,
            "statusBase": self.status_base,
        }

    def list_id(self, purpose: str, deck: int) -> str:
        """The id of the status list of this purpose that goes with a deck."""
        return list_id(self.status_base, self.slug, purpose, deck)


class Workspace:
    """An open workspace. Use it in a `with` block, or close it."""

    def __init__(self, folder: Path, settings: Settings, ledger: Ledger, lock: FolderLock) -> None:
        """Use `create_workspace` or `open_workspace`."""
        self.folder = folder
        self.settings = settings
        self.ledger = ledger
        self._lock = lock

    def publication(self) -> Publication:
        """What the host has accepted, as of its newest statement. Raises StoreCorrupt."""
        data = self.ledger.find_fact("publication")
        try:
            document = parse_json(data or b"", subject="publication", max_bytes=MAX_PUBLICATION_BYTES)
            return restore_publication(document)
        except RegistryError as exc:
            raise StoreCorrupt(f"{self.ledger.path}: {exc}; restore it from a backup") from exc

    def find_pending(self) -> Json:
        """The bundle of a statement that is signed and not known to be accepted, or None."""
        rows = self.ledger.run("SELECT bundle FROM statements WHERE accepted = 0")
        return parse_json(rows[0][0], subject="bundle", max_bytes=MAX_PUBLICATION_BYTES) if rows else None

    def key_chains(self) -> tuple[KeyChainRecord, ...]:
        """What the contract has recorded of replaced key chains, as far as this workspace was told."""
        data = self.ledger.find_fact("key-chains")
        if data is None:
            return ()
        records = Shape({"records": parse_json(data, subject="key chains")}, "key chains")
        return tuple(parse_record(item) for item in records.shapes("records", maximum=MAX_KEY_CHAINS))

    def learn_key_chains(self, records: Sequence[KeyChainRecord]) -> None:
        """Remember them before a statement relies on them. Durable on return."""
        listed: list[Json] = [record_json(record) for record in records]
        with self.ledger.transaction():
            self.ledger.put_fact("key-chains", canonicalize(listed))

    def first_documents(self) -> list[Json]:
        """`{"id", "document"}` of each public document that came with the first statement."""
        rows = self.ledger.run("SELECT bundle FROM statements WHERE sequence = 1")
        bundle = parse_json(rows[0][0], subject="bundle", max_bytes=MAX_PUBLICATION_BYTES) if rows else None
        found = bundle.get("documents") if isinstance(bundle, dict) else None
        return found if isinstance(found, list) else []

    def record_statement(self, bundle: Json, sequence: int) -> None:
        """Remember a signed statement before anybody sees it: one per sequence, for ever; in a transaction.

        Raises sqlite3.IntegrityError for a second one.
        """
        self.ledger.run("INSERT INTO statements VALUES (?, ?, 0)", (sequence, canonicalize(bundle)))

    def accept(self, publication: Publication) -> None:
        """The host has the statement: it and what it names are now what is published; in a transaction."""
        self.ledger.put_fact("publication", canonicalize(publication.to_json()))
        sequence = publication.statement.sequence
        self.ledger.run("UPDATE statements SET accepted = 1 WHERE sequence = ?", (sequence,))

    def close(self) -> None:
        """Close the ledger and give up the folder; a second call does nothing."""
        self.ledger.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def create_workspace(
    folder: Path,
    settings: Settings,
    *,
    key: SigningKey,
    next_keys: Iterable[PublicKey],
    now: datetime,
    random_bytes: RandomBytes,
    documents: Sequence[tuple[str, Json]] = (),
) -> Workspace:
    """A new workspace with its first key event, its first pair of status lists and its first statement.

    `next_keys` are the public halves of the keys that will follow `key`; only a commitment to them is
    published, so keep them apart from `key`. `documents` are (id, public document) that the first statement
    names. Raises ConfigError naming the setting, or when there is a
    workspace already, and StoreLocked.
    """
    _check_settings(settings)
    make_folders(folder, mode=0o700)
    lock = FolderLock(folder)
    try:
        _refuse_existing(folder)
        # A ledger without settings is what a crash in here left behind: nothing was promised with it.
        for leftover in (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm"):
            (folder / leftover).unlink(missing_ok=True)
        ledger = Ledger(folder / LEDGER)
        workspace = Workspace(folder, settings, ledger, lock)
        event = build_key_event(
            did=settings.did,
            keys=[key],
            next_commitment=commitment(next_keys),
            created=format_timestamp(now),
        )
        bundle = build_bundle(
            None,
            did=settings.did,
            lists=[(settings.list_id(purpose, 1), purpose, StatusBits()) for purpose in PURPOSES],
            key_events=[event],
            documents=documents,
            key=key,
            now=now,
        )
        publication = verify_bundle(
            None, parse_bundle(bundle), did=settings.did, published=FIRST_POSITION, logged=FAR_POSITION
        )
        with ledger.transaction():
            add_deck(ledger, 1, random_bytes)
            workspace.record_statement(bundle, 1)
            workspace.accept(publication)
        # Last, because this file is what makes the folder a workspace.
        write_atomically(folder / SETTINGS, canonicalize(settings.to_json()) + b"\n")
    except BaseException:
        lock.release()
        raise
    return workspace


def open_workspace(folder: Path) -> Workspace:
    """The workspace in `folder`. Raises ConfigError when there is none, StoreLocked, StoreCorrupt."""
    if not (folder / SETTINGS).is_file():
        raise ConfigError(
            "workspace", f"{folder} holds no issuer workspace; `testamur issuer apply` makes one"
        )
    lock = FolderLock(folder)
    try:
        return Workspace(folder, _read_settings(folder / SETTINGS), Ledger(folder / LEDGER), lock)
    except BaseException:
        lock.release()
        raise


def admission(settings: Settings, publication: Publication) -> Admission:
    """The document whose digest the council admits."""
    return Admission(
        registry=settings.registry,
        slug=settings.slug,
        did=settings.did,
        first_key_event=publication.keys.first_digest,
    )


def issuing_method(settings: Settings, key: SigningKey) -> str:
    """The verification method id that proofs by `key` name."""
    return verification_method(settings.did, key.public_key)


def _refuse_existing(folder: Path) -> None:
    if (folder / SETTINGS).exists():
        raise ConfigError("workspace", f"{folder} already holds one; open it, or choose another folder")


def _read_settings(path: Path) -> Settings:
    try:
        data = read_file(path, max_bytes=MAX_SETTINGS_BYTES)
        shape = Shape(parse_json(data or b"", subject=SETTINGS), SETTINGS)
        shape.expect("type", "IssuerWorkspace")
        shape.expect("version", 1)
        settings = Settings(
            registry=shape.text("registry"),
            slug=shape.text("slug"),
            did=shape.text("did"),
            name=shape.text("name"),
            controller=shape.text("controller"),
            status_base=shape.text("statusBase"),
        )
        shape.refuse_unknown()
        _check_settings(settings)
    except MalformedError as exc:
        raise StoreCorrupt(f"{path}: {exc}; restore it from a backup") from exc
    return settings


def _check_settings(settings: Settings) -> None:
    try:
        Admission(registry=settings.registry, slug=settings.slug, did=settings.did, first_key_event=bytes(32))
    except MalformedError as exc:
        raise ConfigError(exc.subject, exc.reason) from exc
    if not settings.name.strip() or len(settings.name) > 200 or not settings.name.isprintable():
        raise ConfigError("name", "must be 1 to 200 printable characters")
    if not _CONTROLLER.fullmatch(settings.controller):
        raise ConfigError("controller", "must be an address: 0x and 40 hexadecimal digits")
    base = settings.status_base
    if not is_absolute_iri(base) or not base.startswith(("https://", "http://")) or base.endswith("/"):
        raise ConfigError("status base", "must be an https URL without a slash at its end")
