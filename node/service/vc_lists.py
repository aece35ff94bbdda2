"""Status lists of one issuer of the issuer service: indexes given once, bits durable before they are told."""

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from testamur.node.api.ports import NotFound
from testamur.node.files import DamagedFile, make_folders, read_file, write_atomically
from testamur.node.service.vc_issuers import VcIssuer
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.proofs import sign_document
from testamur.registry.shapes import Shape
from testamur.registry.status import StatusBits, decode_list, encode_list
from testamur.registry.status_lists import REVOCATION, StatusListEntry, build_status_list_credential
from testamur.registry.timestamps import format_timestamp

MAX_LISTS = 1024
"""Lists of one issuer: a hundred million credentials."""

MAX_LIST_FILE_BYTES = 1 << 20

MAX_URL_CHARACTERS = 4096

MAX_TRIES = 64
"""Random indexes before the next free one is taken; a list that is half full needs two."""


@dataclass(slots=True)
class _List:
    name: str
    url: str
    purpose: str
    taken: StatusBits
    used: int
    bits: StatusBits
    signed: dict[str, Json] | None = None


class StatusLists:
    """The lists of one issuer in one folder. May be used from several threads at once."""

    def __init__(
        self, folder: Path, issuer: VcIssuer, base_url: str, *, clock: Callable[[], datetime]
    ) -> None:
        """`base_url` is where this issuer is reached; new lists are named by it, for ever. StoreCorrupt."""
        self._folder = folder
        self._issuer = issuer
        self._base = base_url
        self._clock = clock
        self._lock = threading.Lock()
        make_folders(folder, mode=0o700)
        paths = sorted(folder.glob("*.json"))
        self._lists = {path.stem: _load(path, self._url_of(path.stem)) for path in paths}

    @property
    def folders(self) -> set[str]:
        """Where lists of this issuer are and will be: those that were made at another address keep theirs."""
        with self._lock:
            return {self._url_of("")} | {item.url.removesuffix(item.name) for item in self._lists.values()}

    def create(self, purpose: str) -> tuple[str, dict[str, Json]]:
        """A new list: its URL and the signed credential. Raises MalformedError when there are too many."""
        with self._lock:
            made = self._new(purpose)
            return made.url, self._signed(made)

    def allocate(self, purpose: str) -> StatusListEntry:
        """An index that nobody has had, chosen at random so that it tells nothing; durable on return."""
        with self._lock:
            chosen = next((item for item in self._lists.values() if self._is_open(item, purpose)), None)
            chosen = chosen or self._new(purpose)
            index = next(
                index
                for _ in range(MAX_TRIES)
                if not chosen.taken.get(index := secrets.randbelow(chosen.taken.length))
            )
            chosen.taken.set(index)
            chosen.used += 1
            self._save(chosen)
            return StatusListEntry(purpose=purpose, index=index, list_id=chosen.url)

    def has(self, entry: StatusListEntry) -> bool:
        """Somebody was given this entry here."""
        with self._lock:
            return self._list_of(entry) is not None

    def set_all(self, entries: Sequence[StatusListEntry], *, value: bool) -> None:
        """Set or clear the bits of entries that were given here, all or, when it raises before, none of them.

        Durable on return. Raises NotFound for an entry that was not, VerificationError when a revocation
        would be cleared.
        """
        with self._lock:
            changed: dict[str, StatusBits] = {}
            for entry in entries:
                found = self._list_of(entry)
                if found is None:
                    raise NotFound("no credential of this issuer has this status entry")
                if found.purpose == REVOCATION and found.bits.get(entry.index) and not value:
                    raise VerificationError("status-bit-cleared", list=entry.list_id[:200])
                if found.name not in changed:
                    changed[found.name] = StatusBits.from_bytes(found.bits.to_bytes())
                changed[found.name].set(entry.index, value)
            for name, bits in changed.items():
                made = replace(self._lists[name], bits=bits, signed=None)
                self._save(made)
                self._lists[name] = made

    def find(self, name: str) -> dict[str, Json] | None:
        """The signed list as it is now, or None."""
        with self._lock:
            found = self._lists.get(name)
            return None if found is None else self._signed(found)

    def find_by_url(self, url: str) -> dict[str, Json] | None:
        """The same by its URL."""
        with self._lock:
            found = next((item for item in self._lists.values() if item.url == url), None)
            return None if found is None else self._signed(found)

    def _url_of(self, name: str) -> str:
        return f"{self._base}/status-lists/{name}"

    def _is_open(self, item: _List, purpose: str) -> bool:
        """For new entries: half of it is free, and it is served where this issuer is reached now."""
        is_here = item.url == self._url_of(item.name)
        return is_here and item.purpose == purpose and item.used < item.taken.length // 2

    def _list_of(self, entry: StatusListEntry) -> _List | None:
        found = next((item for item in self._lists.values() if item.url == entry.list_id), None)
        if found is None or (found.purpose, 1) != (entry.purpose, entry.size):
            return None
        return found if entry.index < found.taken.length and found.taken.get(entry.index) else None

    def _new(self, purpose: str) -> _List:
        if len(self._lists) >= MAX_LISTS:
            raise MalformedError("statusPurpose", f"there are {MAX_LISTS} lists already")
        number = sum(item.purpose == purpose for item in self._lists.values()) + 1
        name = f"{purpose}-{number}"
        made = _List(
            name=name,
            url=self._url_of(name),
            purpose=purpose,
            taken=StatusBits(),
            used=0,
            bits=StatusBits(),
        )
        self._save(made)
        self._lists[made.name] = made
        return made

    def _signed(self, found: _List) -> dict[str, Json]:
        if found.signed is None:
            now = format_timestamp(self._clock())
            unsigned = build_status_list_credential(
                list_id=found.url,
                issuer=self._issuer.did,
                purpose=found.purpose,
                bits=found.bits,
                valid_from=now,
            )
            found.signed = sign_document(
                unsigned,
                self._issuer.key,
                verification_method=self._issuer.verification_method,
                created=now,
                cryptosuite=self._issuer.suite.name,
            )
        return found.signed

    def _save(self, item: _List) -> None:
        document: dict[str, Json] = {
            "purpose": item.purpose,
            "url": item.url,
            "taken": encode_list(item.taken),
            "bits": encode_list(item.bits),
        }
        write_atomically(self._folder / f"{item.name}.json", canonicalize(document), mode=0o600)


def _load(path: Path, here: str) -> _List:
    data = read_file(path, max_bytes=MAX_LIST_FILE_BYTES) or b""
    try:
        shape = Shape(parse_json(data, subject="status list"), "status list")
        taken, bits = (
            StatusBits.from_bytes(decode_list(shape.text(name, max_length=MAX_LIST_FILE_BYTES)))
            for name in ("taken", "bits")
        )
        purpose = shape.text("purpose", max_length=64)
        url = shape.optional_text("url", max_length=MAX_URL_CHARACTERS) or here
    except (MalformedError, ValueError) as error:
        raise DamagedFile(path, str(error)) from error
    used = int.from_bytes(taken.to_bytes(), "big").bit_count()
    return _List(name=path.stem, url=url, purpose=purpose, taken=taken, used=used, bits=bits)
