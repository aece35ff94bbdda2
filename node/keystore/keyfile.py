"""One key in one JSON file: the public part in the clear, the secret encrypted (docs/spec/keystore.md)."""

import re
from dataclasses import dataclass
from pathlib import Path

import coincurve

from testamur.node.files import DamagedFile
from testamur.node.keystore.encryption import NONCE_BYTES, SALT_BYTES, ScryptParameters
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import keccak256, sha256
from testamur.registry.keys import Algorithm, PublicKey, SigningKey, parse_multikey
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.shapes import Shape
from testamur.registry.trust import fingerprint

MAX_KEY_FILE_BYTES = 4096
"""A key file has some 600 bytes."""

SECRET_BYTES = 32
"""Every key kept here has a secret of 32 bytes: an Ed25519 seed, a P-256 or secp256k1 scalar."""

KEPT_ALGORITHMS = (Algorithm.ED25519, Algorithm.P256, Algorithm.SECP256K1)

MAX_NAME_CHARACTERS = 100
"""Room for a role and an issuer's slug ("log-<63 characters>-65535"), within every file system's names."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_CIPHERTEXT_BYTES = SECRET_BYTES + 16


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """What anybody may know of a key: read without the passphrase, and proven when the key is loaded."""

    name: str
    public_key: PublicKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the Multikey text, shortened: for comparing by voice."""
        return fingerprint(sha256(self.public_key.to_multikey().encode("ascii")))

    @property
    def address(self) -> str | None:
        """The Ethereum address ("0x…", lower case) of a secp256k1 key, else None."""
        if self.public_key.algorithm is not Algorithm.SECP256K1:
            return None
        point = coincurve.PublicKey(self.public_key.raw).format(compressed=False)
        return "0x" + keccak256(point[1:])[12:].hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """The content of one key file."""

    info: KeyInfo
    parameters: ScryptParameters
    salt: bytes
    nonce: bytes
    ciphertext: bytes

    @property
    def bound(self) -> bytes:
        """What the ciphertext is bound to: everything else in the file, so that none can be exchanged."""
        return canonicalize(self._to_json(with_ciphertext=False))

    def to_bytes(self) -> bytes:
        """The file."""
        return canonicalize(self._to_json(with_ciphertext=True)) + b"\n"

    def _to_json(self, *, with_ciphertext: bool) -> Json:
        cipher: dict[str, Json] = {"name": "chacha20-poly1305", "nonce": encode_multibase("u", self.nonce)}
        if with_ciphertext:
            cipher["ciphertext"] = encode_multibase("u", self.ciphertext)
        return {
            "type": "TestamurKey",
            "version": 1,
            "name": self.info.name,
            "algorithm": str(self.info.public_key.algorithm),
            "publicKeyMultibase": self.info.public_key.to_multikey(),
            "kdf": {
                "name": "scrypt",
                "n": self.parameters.n,
                "r": self.parameters.r,
                "p": self.parameters.p,
                "salt": encode_multibase("u", self.salt),
            },
            "cipher": cipher,
        }


def parse_key_file(data: bytes, *, name: str, path: Path) -> KeyFile:
    """The key file that `to_bytes` wrote for `name`. Raises StoreCorrupt, which names the `path`."""
    try:
        shape = Shape(parse_json(data, subject="key file", max_bytes=MAX_KEY_FILE_BYTES), "key file")
        shape.expect("type", "TestamurKey")
        shape.expect("version", 1)
        shape.expect("name", name)
        public_key = parse_multikey(shape.text("publicKeyMultibase"))
        shape.expect("algorithm", str(public_key.algorithm))
        kdf, cipher = shape.shape("kdf"), shape.shape("cipher")
        kdf.expect("name", "scrypt")
        cipher.expect("name", "chacha20-poly1305")
        parsed = KeyFile(
            info=KeyInfo(name=name, public_key=public_key),
            parameters=_parse_parameters(kdf),
            salt=_bytes(kdf, "salt", SALT_BYTES),
            nonce=_bytes(cipher, "nonce", NONCE_BYTES),
            ciphertext=_bytes(cipher, "ciphertext", _CIPHERTEXT_BYTES),
        )
        for part in (shape, kdf, cipher):
            part.refuse_unknown()
    except MalformedError as exc:
        raise DamagedFile(path, f"{exc.subject} {exc.reason}") from exc
    return parsed


def is_key_name(name: str) -> bool:
    """Whether `name` can name a key: a-z, 0-9, '.', '_', '-', no mark at either end, up to 100 characters."""
    return len(name) <= MAX_NAME_CHARACTERS and _NAME.fullmatch(name) is not None


def public_key_of(algorithm: Algorithm, secret: bytes) -> PublicKey:
    """The public key of a 32-byte secret. Raises ValueError when the secret is not one of that algorithm."""
    if len(secret) != SECRET_BYTES or algorithm not in KEPT_ALGORITHMS:
        raise ValueError(f"not a {SECRET_BYTES}-byte secret of {', '.join(KEPT_ALGORITHMS)}")
    if algorithm is Algorithm.SECP256K1:
        point = coincurve.PrivateKey(secret).public_key.format(compressed=True)
        return PublicKey(algorithm=algorithm, raw=point)
    return SigningKey.from_seed(algorithm, secret).public_key


def _parse_parameters(kdf: Shape) -> ScryptParameters:
    try:
        return ScryptParameters(n=kdf.integer("n"), r=kdf.integer("r"), p=kdf.integer("p"))
    except ValueError as exc:
        raise MalformedError("key file /kdf", str(exc)) from exc


def _bytes(shape: Shape, name: str, length: int) -> bytes:
    value = decode_multibase(shape.text(name, max_length=256), subject=shape.path(name), allowed="u")
    if len(value) != length:
        raise MalformedError(shape.path(name), f"has {len(value)} bytes, not {length}")
    return value
