"""Any bytes in one file that opens with a passphrase: how a wallet is backed up (docs/spec/keystore.md)."""

import json
import secrets
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import DamagedFile
from testamur.node.keystore.encryption import (
    DEFAULT_SCRYPT,
    NONCE_BYTES,
    SALT_BYTES,
    ScryptParameters,
    derive_wrapping_key,
    encrypt,
    find_decrypted,
)
from testamur.node.keystore.passphrases import Passphrase
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.shapes import Shape

MAX_SEALED_BYTES = 32 << 20
"""Of the file. Twenty credentials with their evidence have one; a larger file is no backup of a person's."""

MAX_SEALED_CONTENT_BYTES = 23 << 20
"""What fits into such a file in base64."""


def seal(
    content: bytes, passphrase: Passphrase, *, kind: str, parameters: ScryptParameters = DEFAULT_SCRYPT
) -> bytes:
    """A file of the type `kind` that only the passphrase opens. Raises ConfigError for what is too large."""
    if len(content) > MAX_SEALED_CONTENT_BYTES:
        raise ConfigError(kind, f"has {len(content)} bytes, more than {MAX_SEALED_CONTENT_BYTES}")
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    document = _document(kind, parameters, salt, nonce)
    key = derive_wrapping_key(passphrase.reveal(), salt, parameters)
    ciphertext = encrypt(key, nonce, content, canonicalize(document))
    # All of it is ASCII with sorted members, which is what RFC 8785 makes of it, only faster.
    document["cipher"] = {**_cipher(nonce), "ciphertext": encode_multibase("u", ciphertext)}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def open_sealed(data: bytes, passphrase: Passphrase, *, kind: str, path: Path) -> bytes:
    """What `seal` put in. Raises ConfigError for the wrong passphrase, StoreCorrupt naming the `path`."""
    try:
        parameters, salt, nonce, ciphertext = _parse(data, kind)
    except MalformedError as exc:
        raise DamagedFile(path, f"{exc.subject} {exc.reason}", "take another copy of it") from exc
    key = derive_wrapping_key(passphrase.reveal(), salt, parameters)
    bound = canonicalize(_document(kind, parameters, salt, nonce))
    content = find_decrypted(key, nonce, ciphertext, bound)
    if content is None:
        raise ConfigError("passphrase", f"is wrong for {path}, or the file was altered")
    return content


def _parse(data: bytes, kind: str) -> tuple[ScryptParameters, bytes, bytes, bytes]:
    shape = Shape(parse_json(data, subject="sealed file", max_bytes=MAX_SEALED_BYTES), "sealed file")
    shape.expect("type", kind)
    shape.expect("version", 1)
    kdf, cipher = shape.shape("kdf"), shape.shape("cipher")
    kdf.expect("name", "scrypt")
    cipher.expect("name", "chacha20-poly1305")
    try:
        parameters = ScryptParameters(n=kdf.integer("n"), r=kdf.integer("r"), p=kdf.integer("p"))
    except ValueError as exc:
        raise MalformedError("sealed file /kdf", str(exc)) from exc
    found = (
        _bytes(kdf, "salt", SALT_BYTES),
        _bytes(cipher, "nonce", NONCE_BYTES),
        decode_multibase(
            cipher.text("ciphertext", max_length=MAX_SEALED_BYTES),
            subject=cipher.path("ciphertext"),
            allowed="u",
        ),
    )
    for part in (shape, kdf, cipher):
        part.refuse_unknown()
    return (parameters, *found)


def _bytes(shape: Shape, name: str, length: int) -> bytes:
    value = decode_multibase(shape.text(name, max_length=256), subject=shape.path(name), allowed="u")
    if len(value) != length:
        raise MalformedError(shape.path(name), f"has {len(value)} bytes, not {length}")
    return value


def _document(kind: str, parameters: ScryptParameters, salt: bytes, nonce: bytes) -> dict[str, Json]:
    return {
        "type": kind,
        "version": 1,
        "kdf": {
            "name": "scrypt",
            "n": parameters.n,
            "r": parameters.r,
            "p": parameters.p,
            "salt": encode_multibase("u", salt),
        },
        "cipher": _cipher(nonce),
    }


def _cipher(nonce: bytes) -> dict[str, Json]:
    return {"name": "chacha20-poly1305", "nonce": encode_multibase("u", nonce)}
