"""What a learner keeps: dossiers in a folder of their own, each under the digest of its credential."""

from dataclasses import dataclass, replace
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import SECRET_MODE, DamagedFile, FileLock, make_folders, read_file, write_atomically
from testamur.registry.canonical import Json
from testamur.registry.checkpoints import verify_checkpoint
from testamur.registry.credentials import Credential, credential_digest, parse_credential
from testamur.registry.data_model import subject_ids
from testamur.registry.descriptions import Description, describe
from testamur.registry.dossiers import MAX_DOSSIER_BYTES, encode_dossier, parse_dossier
from testamur.registry.entries import Entry, EntryKind
from testamur.registry.errors import MalformedError, RegistryError
from testamur.registry.evidence import Evidence, parse_evidence
from testamur.registry.merkle import verify_inclusion
from testamur.registry.newer_evidence import with_kept
from testamur.registry.notes import parse_vkey

SUFFIX = ".credential.json"
REPLACED = ".replaced"
"""Ends the name of the dossier that newer evidence has replaced last: nothing here was verified."""

FOLDER_MODE = 0o700

MAX_CREDENTIALS = 2_000
"""In one wallet: the badges of a long life; more is somebody else's collection."""

MIN_NAME_CHARACTERS = 4
"""Of a digest's beginning, as `wallet list` shows it: 65 536 different ones."""

SHOWN_CHARACTERS = 8
LOCK_SECONDS = 10.0
"""How long another command may be busy with the same wallet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A credential in the wallet. `evidence` is None while there is none yet."""

    digest: bytes
    credential: Credential
    evidence: Json
    path: Path

    @property
    def name(self) -> str:
        """What it is called in the wallet: the beginning of its digest in hex."""
        return self.digest.hex()[:SHOWN_CHARACTERS]

    @property
    def holders(self) -> list[str]:
        """Whom it names: DIDs of its subjects; empty when it binds to nobody."""
        return subject_ids(self.credential.json)

    @property
    def described(self) -> Description:
        """What it is about, for people."""
        return describe(self.credential)

    @property
    def document(self) -> dict[str, Json]:
        """The dossier."""
        return {"credential": self.credential.json, "evidence": self.evidence}


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a file: `is_new`, or known; `is_updated` when it brought newer evidence."""

    held: Held
    is_new: bool
    is_updated: bool


class Holdings:
    """The credentials of one wallet. Files are whole or absent, and readable by their owner alone."""

    def __init__(self, folder: Path) -> None:
        """Touches nothing yet."""
        self.folder = folder

    def credentials(self) -> tuple[Held, ...]:
        """All of them, in the order of their digests. Raises StoreCorrupt."""
        return tuple(self._read(self.folder / name) for name in self._names())

    def find(self, word: str) -> Held:
        """The one that `word` means: the beginning of its digest (hex), or its id. Raises ConfigError."""
        found = [held for held in self.credentials() if _is_meant(held, word)]
        if not found:
            raise ConfigError("CREDENTIAL", f"{word} is not in this wallet; `testamur wallet list` shows all")
        if len(found) > 1:
            names = ", ".join(held.digest.hex()[:16] for held in found)
            raise ConfigError("CREDENTIAL", f"{word} may mean any of {names}; give more of it")
        return found[0]

    def add(self, data: bytes) -> Added:
        """Keep a dossier or a bare credential; one that is kept already keeps the newer evidence of the two.

        Newer is what the very log of the kept evidence signed, with the credential in it; who else has
        cosigned or anchored it takes a trust file to say, so the replaced dossier stays beside it. What the
        older alone shows stays in the newer. Raises MalformedError, ConfigError for a full wallet.
        """
        credential, evidence = parse_dossier(data)
        held = _held(credential, evidence, self.folder)
        make_folders(self.folder, mode=FOLDER_MODE)
        with FileLock(self.folder / "lock", timeout_seconds=LOCK_SECONDS):
            known = self._read(held.path) if held.path.exists() else None
            if known is None and len(self._names()) >= MAX_CREDENTIALS:
                raise ConfigError("wallet", f"holds {MAX_CREDENTIALS} credentials, which is its most")
            is_updated = known is not None and _age(held) > _age(known)
            if known is not None and not is_updated:
                return Added(held=known, is_new=False, is_updated=False)
            if known is not None:
                _check_replacement(held, known)
                before = encode_dossier(known.credential.json, known.evidence)
                write_atomically(known.path.with_suffix(REPLACED), before, mode=SECRET_MODE)
                evidence = with_kept(held.evidence, known.evidence, held.credential.json)
                held = replace(held, evidence=evidence)
            data = encode_dossier(held.credential.json, held.evidence)
            write_atomically(held.path, data, mode=SECRET_MODE)
        return Added(held=held, is_new=known is None, is_updated=is_updated)

    def _names(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if path.name.endswith(SUFFIX))

    def _read(self, path: Path) -> Held:
        data = read_file(path, max_bytes=MAX_DOSSIER_BYTES)
        if data is None:
            raise DamagedFile(path, "is gone")
        try:
            held = _held(*parse_dossier(data), self.folder)
        except MalformedError as exc:
            raise DamagedFile(path, str(exc)) from exc
        if held.path != path:
            raise DamagedFile(path, "holds another credential than its name says")
        return held


def _held(credential: Json, evidence: Json, folder: Path) -> Held:
    if credential is None:
        raise MalformedError("file", "holds evidence but no credential; add the dossier")
    parsed = parse_credential(credential, strict=False)
    digest = credential_digest(credential)
    if evidence is not None and not parse_evidence(evidence).entries_for(digest):
        raise MalformedError("evidence", "is about another credential")
    path = folder / f"{digest.hex()}{SUFFIX}"
    return Held(digest=digest, credential=parsed, evidence=evidence, path=path)


def _check_replacement(held: Held, known: Held) -> None:
    """Newer evidence is of the logs of the kept, under their keys. Raises MalformedError.

    Without this anybody's file with a larger number in it would take the place of what is true.
    """
    if known.evidence is None:
        return
    kept, offered = parse_evidence(known.evidence), parse_evidence(held.evidence)
    keys = {entry.origin: kept.logs[entry.origin].key for entry in kept.entries_for(held.digest)}
    try:
        places = {entry.origin for entry in offered.entries_for(held.digest)}
        for origin, key in keys.items():
            if origin not in places:
                raise MalformedError("evidence", f"has no entry in {origin}")
            _verify_entry(offered, origin, held.digest, key)
    except RegistryError as error:
        reason = f"does not follow from what is kept ({error}); nothing was changed"
        cure = f"if the kept one is wrong, move {known.path} away and add this one again"
        raise MalformedError("evidence", f"{reason}: {cure}") from error


def _verify_entry(evidence: Evidence, origin: str, digest: bytes, key: str) -> None:
    """The log with this key signed a checkpoint, and the credential is in it. Raises RegistryError."""
    log = evidence.logs[origin]
    verify_checkpoint(log.checkpoint, parse_vkey(key))
    tree = log.checkpoint.checkpoint
    leaf = Entry(kind=EntryKind.CREDENTIAL, digest=digest).leaf_hash
    for entry in evidence.entries_for(digest):
        if entry.origin == origin:
            verify_inclusion(leaf, entry.proof.index, tree.size, entry.proof.hashes, tree.root)


def _is_meant(held: Held, word: str) -> bool:
    if word == held.credential.id:
        return True
    return len(word) >= MIN_NAME_CHARACTERS and held.digest.hex().startswith(word.lower())


def _age(held: Held) -> tuple[bool, bool, int]:
    """Greater for newer evidence: some, anchored, of a larger tree."""
    if held.evidence is None:
        return False, False, 0
    evidence = parse_evidence(held.evidence)
    logs = [evidence.logs.get(entry.origin) for entry in evidence.entries_for(held.digest)]
    sizes = [log.checkpoint.checkpoint.size for log in logs if log is not None]
    return True, bool(evidence.anchors), max(sizes, default=0)
