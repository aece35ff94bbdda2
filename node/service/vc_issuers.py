"""Issuers of the opt-in issuer service: one DID, one key and one cryptosuite each, from a file.

The service runs in a process of its own, never in the one that hosts logs: who breaks into a host gets no key
that signs credentials.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testamur.node.errors import ConfigError
from testamur.registry.cryptosuites import CRYPTOSUITES, Cryptosuite
from testamur.registry.dids import did_key, did_key_verification_method, parse_did
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.keys import SigningKey
from testamur.registry.status_lists import PURPOSES
from testamur.registry.verification_methods import controller_of

MAX_ISSUERS = 64
"""Instances in one process: one per suite and institution that it stands for."""

MAX_FILE_BYTES = 262_144

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._-]{1,64}){0,8}")
_NEEDED = frozenset({"id", "suite", "key", "token_file"})
_MEMBERS = _NEEDED | {"path", "did", "verification_method", "status"}

_TOKEN = re.compile(r"[!-~]{16,512}")
"""What fits into a header, and is not guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VcIssuer:
    """Who signs under `path`, with what. `status` are the purposes of the entries that it adds by itself.

    `token_digest` is SHA-256 of the token of whoever may issue; None: anybody who reaches the port.
    """

    id: str
    path: str
    suite: Cryptosuite
    key: SigningKey
    did: str
    verification_method: str
    status: tuple[str, ...] = ()
    token_digest: bytes | None = None


def make_issuer(
    name: str,
    *,
    suite: str,
    key: SigningKey,
    path: str | None = None,
    did: str | None = None,
    verification_method: str | None = None,
    status: tuple[str, ...] = (),
    token: str | None = None,
) -> VcIssuer:
    """An issuer; without `did` it is the did:key of its key. Raises ConfigError naming what does not fit."""
    where = f"issuer {name!r}"
    if not _NAME.fullmatch(name):
        raise ConfigError(where, "id must be a-z, 0-9, '.' and '-', at most 63 characters")
    path = f"/issuers/{name}" if path is None else path.rstrip("/")
    if not _PATH.fullmatch(path) or "/.." in path:
        raise ConfigError(where, f"path {path!r} is not a path like /issuers/{name}")
    found = CRYPTOSUITES.get(suite)
    if found is None or key.public_key.algorithm not in found.signature_bytes:
        known = ", ".join(CRYPTOSUITES)
        raise ConfigError(where, f"suite {suite!r} is none of {known}, or does not go with its key")
    if strange := [purpose for purpose in status if purpose not in PURPOSES]:
        raise ConfigError(where, f"status {strange[0]!r} is none of {', '.join(PURPOSES)}")
    if token is not None and not _TOKEN.fullmatch(token):
        raise ConfigError(where, "token must have 16 to 512 visible ASCII characters and no spaces")
    if did is None:
        did, verification_method = did_key(key.public_key), did_key_verification_method(key.public_key)
    try:
        parse_did(did)
        if verification_method is None or controller_of(verification_method) != did:
            raise ConfigError(where, f"verification_method must be a key of {did}, with its fragment")
    except MalformedError as error:
        raise ConfigError(where, str(error)) from error
    return VcIssuer(
        id=name,
        path=path,
        suite=found,
        key=key,
        did=did,
        verification_method=verification_method,
        status=status,
        token_digest=None if token is None else sha256(token.encode()),
    )


def load_issuers(
    path: Path, load_key: Callable[[str], SigningKey], load_token: Callable[[Path], str]
) -> tuple[VcIssuer, ...]:
    """The issuers of a TOML file with one `[[issuer]]` table each.

    `load_key` opens a key by its name, `load_token` reads a token's file; its path counts from the folder of
    the TOML file. Every issuer has one: a token opens the issuers whose tables name it, and no other.
    Raises ConfigError naming the file, the issuer and the member.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ConfigError(str(path), f"has more than {MAX_FILE_BYTES} bytes")
        document = tomllib.loads(data.decode())
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML ({error})") from error
    tables = document.get("issuer")
    if set(document) != {"issuer"} or not isinstance(tables, list) or not 1 <= len(tables) <= MAX_ISSUERS:
        raise ConfigError(str(path), f"must have 1 to {MAX_ISSUERS} tables [[issuer]] and nothing else")
    issuers = tuple(
        _issuer(table, f"{path}: issuer {number}", load_key, lambda name: load_token(path.parent / name))
        for number, table in enumerate(tables)
    )
    check_apart(issuers, str(path))
    return issuers


def check_apart(issuers: tuple[VcIssuer, ...], where: str) -> None:
    """No two issuers share an id or a path. Raises ConfigError."""
    for member in ("id", "path"):
        values = [getattr(issuer, member) for issuer in issuers]
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise ConfigError(where, f"two issuers have the {member} {twice[0]!r}")


def _issuer(
    table: Any, where: str, load_key: Callable[[str], SigningKey], load_token: Callable[[str], str]
) -> VcIssuer:
    if not isinstance(table, dict):
        raise ConfigError(where, "must be a table")
    strange = sorted(set(table) - _MEMBERS)
    if strange:
        raise ConfigError(where, f"{strange[0]!r} is not a setting; they are {', '.join(sorted(_MEMBERS))}")
    texts = {name: table.get(name) for name in _MEMBERS - {"status"}}
    for name, value in texts.items():
        if (name in _NEEDED or value is not None) and not isinstance(value, str):
            raise ConfigError(f"{where}: {name}", "must be a string")
    status = table.get("status", [])
    if not isinstance(status, list) or not all(isinstance(item, str) for item in status):
        raise ConfigError(f"{where}: status", "must be a list of purposes")
    return make_issuer(
        str(texts["id"]),
        suite=str(texts["suite"]),
        key=load_key(str(texts["key"])),
        path=texts["path"],
        did=texts["did"],
        verification_method=texts["verification_method"],
        status=tuple(dict.fromkeys(status)),
        token=load_token(str(texts["token_file"])),
    )
