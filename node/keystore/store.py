"""A folder of encrypted keys under one passphrase."""

import contextlib
import secrets
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import DISK, SECRET_MODE, DamagedFile, Disk, make_folders, read_file, write_new
from testamur.node.keystore.encryption import (
    DEFAULT_SCRYPT,
    NONCE_BYTES,
    SALT_BYTES,
    ScryptParameters,
    derive_wrapping_key,
    encrypt,
    find_decrypted,
)
from testamur.node.keystore.keyfile import (
    KEPT_ALGORITHMS,
    MAX_KEY_FILE_BYTES,
    SECRET_BYTES,
    KeyFile,
    KeyInfo,
    is_key_name,
    parse_key_file,
    public_key_of,
)
from testamur.node.keystore.passphrases import Passphrase
from testamur.registry.keys import Algorithm, SigningKey

KEY_FILE_SUFFIX = ".key.json"
FOLDER_MODE = 0o700


class Keystore:
    """Keys that lie encrypted on disk and leave it only through `load`.

    All keys of a folder share one passphrase and, as long as the parameters stay, one salt: a node with
    ten keys pays for scrypt once. Nothing secret is in `repr`, in errors, or on disk in the clear.
    """

    def __init__(
        self,
        folder: Path,
        passphrase: Passphrase | None = None,
        *,
        parameters: ScryptParameters = DEFAULT_SCRYPT,
        disk: Disk = DISK,
    ) -> None:
        """Touches nothing yet. Without a passphrase only the public parts can be read."""
        self.folder = folder
        self._passphrase = passphrase
        self._parameters = parameters
        self._disk = disk
        self._wrapping_keys: dict[tuple[bytes, ScryptParameters], bytes] = {}

    def list(self) -> tuple[KeyInfo, ...]:
        """The public part of every key, by name; needs no passphrase. Raises StoreCorrupt."""
        return tuple(self._read(name).info for name in self._names())

    def find(self, name: str) -> KeyInfo | None:
        """The public part of one key, or None; needs no passphrase. Raises StoreCorrupt."""
        return self._read(name).info if is_key_name(name) and self.path(name).exists() else None

    def create(self, name: str, algorithm: Algorithm, *, secret: bytes | None = None) -> KeyInfo:
        """Keep a new random key, or the 32 bytes of `secret`, durably under `name` (file mode 0600).

        Raises ConfigError when the name is taken or not allowed, or when the passphrase is not that of the
        keys already here; ValueError for an algorithm that is not kept or a secret that is none of its.
        """
        if not is_key_name(name):
            raise ConfigError("key name", f"{name!r} is not a-z, 0-9, '.', '_', '-' (at most 100 characters)")
        if secret is None:
            secret = _random_secret(algorithm)
        info = KeyInfo(name=name, public_key=public_key_of(algorithm, secret))
        unsealed = KeyFile(
            info=info,
            parameters=self._parameters,
            salt=self._salt_for_new_key(),
            nonce=secrets.token_bytes(NONCE_BYTES),
            ciphertext=b"",
        )
        ciphertext = encrypt(self._wrapping_key(unsealed), unsealed.nonce, secret, unsealed.bound)
        sealed = KeyFile(
            info=info,
            parameters=unsealed.parameters,
            salt=unsealed.salt,
            nonce=unsealed.nonce,
            ciphertext=ciphertext,
        )
        make_folders(self.folder, mode=FOLDER_MODE, disk=self._disk)
        try:
            write_new(self.path(name), sealed.to_bytes(), mode=SECRET_MODE, disk=self._disk)
        except FileExistsError as exc:
            raise ConfigError("key name", f"{self.path(name)} exists and is kept") from exc
        return info

    def load(self, name: str) -> SigningKey:
        """The signing key (Ed25519 or P-256).

        Raises ConfigError when there is no such key or the passphrase is wrong, ValueError for a key of
        another algorithm, StoreCorrupt when the file is damaged.
        """
        file, secret = self._open(name)
        return SigningKey.from_seed(file.info.public_key.algorithm, secret)

    def load_secp256k1(self, name: str) -> bytes:
        """The 32 secret bytes of a secp256k1 account, for the chain client. Raises as `load` does."""
        file, secret = self._open(name)
        if file.info.public_key.algorithm is not Algorithm.SECP256K1:
            raise ValueError(f"{name} is not a secp256k1 key")
        return secret

    def path(self, name: str) -> Path:
        """The file of a key."""
        return self.folder / f"{name}{KEY_FILE_SUFFIX}"

    def __repr__(self) -> str:
        return f"Keystore({str(self.folder)!r})"

    def _names(self) -> tuple[str, ...]:
        names = (path.name.removesuffix(KEY_FILE_SUFFIX) for path in self.folder.glob(f"*{KEY_FILE_SUFFIX}"))
        return tuple(sorted(name for name in names if is_key_name(name)))

    def _read(self, name: str) -> KeyFile:
        path = self.path(name)
        data = read_file(path, max_bytes=MAX_KEY_FILE_BYTES) if is_key_name(name) else None
        if data is None:
            raise ConfigError("key", f"there is no key {name!r} in {self.folder}")
        return parse_key_file(data, name=name, path=path)

    def _open(self, name: str) -> tuple[KeyFile, bytes]:
        file = self._read(name)
        secret = find_decrypted(self._wrapping_key(file), file.nonce, file.ciphertext, file.bound)
        if secret is None:
            raise ConfigError("passphrase", f"is wrong for {self.path(name)}, or the file was altered")
        if public_key_of(file.info.public_key.algorithm, secret) != file.info.public_key:
            raise DamagedFile(self.path(name), "the secret is not that of the public key")
        return file, secret

    def _salt_for_new_key(self) -> bytes:
        """The salt of the keys already here, once one of them has shown that the passphrase is theirs."""
        for name in self._names():
            file, _ = self._open(name)
            # Weaker parameters than ours are never taken over from a file that somebody put here.
            if file.parameters == self._parameters:
                return file.salt
        return secrets.token_bytes(SALT_BYTES)

    def _wrapping_key(self, file: KeyFile) -> bytes:
        if self._passphrase is None:
            raise ConfigError("passphrase", f"is needed to use the keys in {self.folder}")
        cached = (file.salt, file.parameters)
        if cached not in self._wrapping_keys:
            self._wrapping_keys[cached] = derive_wrapping_key(
                self._passphrase.reveal(), file.salt, file.parameters
            )
        return self._wrapping_keys[cached]


def _random_secret(algorithm: Algorithm) -> bytes:
    """32 random bytes that are a secret of the algorithm: all are, or all but one in 2^32."""
    if algorithm not in KEPT_ALGORITHMS:
        raise ValueError(f"{algorithm} keys are not kept here")
    while True:
        secret = secrets.token_bytes(SECRET_BYTES)
        with contextlib.suppress(ValueError):
            public_key_of(algorithm, secret)
            return secret
