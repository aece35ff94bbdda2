"""The passphrase of a key store, and the three places it may come from; never an argument or a variable."""

import secrets
import unicodedata
from collections.abc import Callable
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import SECRET_MODE, read_file, write_new

MAX_PASSPHRASE_BYTES = 1024
"""A sentence has a hundred; more is a wrong file, not a passphrase."""

GENERATED_BYTES = 24
"""192 random bits: guessing a generated passphrase is no easier than guessing the key it protects."""

CREDENTIAL_NAME = "testamur-passphrase"
"""Name of the systemd credential (`LoadCredentialEncrypted=testamur-passphrase:…`)."""

_GROUP_WRITE_OR_OTHERS = 0o027


class Passphrase:
    """A secret that unlocks a key store; neither `repr` nor `str` shows it."""

    __slots__ = ("_secret",)

    def __init__(self, text: str) -> None:
        """Text in any Unicode form; raises ConfigError when it is empty or too long."""
        # Keyboards differ in how they compose an ö; the same sentence opens the same store (RFC 8265 §4.2).
        secret = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
        if not secret:
            raise ConfigError("passphrase", "is empty")
        if len(secret) > MAX_PASSPHRASE_BYTES:
            raise ConfigError("passphrase", f"is longer than {MAX_PASSPHRASE_BYTES} bytes")
        self._secret = secret

    def reveal(self) -> bytes:
        """The bytes from which keys are derived."""
        return self._secret

    def __repr__(self) -> str:
        return "Passphrase(…)"

    def __reduce__(self) -> "str | tuple[object, ...]":
        raise TypeError("a passphrase is not serialised")


def read_passphrase_file(path: Path, *, key: str = "--passphrase-file") -> Passphrase:
    """The first line of the file. Raises ConfigError(`key`) when it is absent, or open to other users."""
    data = read_file(path, max_bytes=4 * MAX_PASSPHRASE_BYTES)
    if data is None:
        raise ConfigError(key, f"there is no file {path}")
    if path.stat().st_mode & _GROUP_WRITE_OR_OTHERS:
        raise ConfigError(key, f"{path} is open to other users; chmod 600 it")
    try:
        return Passphrase(data.decode("utf-8").partition("\n")[0].removesuffix("\r"))
    except UnicodeDecodeError as exc:
        raise ConfigError(key, f"{path} is not text") from exc


def find_passphrase(
    *,
    file: Path | None = None,
    credentials_folder: Path | None = None,
    prompt: Callable[[], str] | None = None,
) -> Passphrase:
    """The passphrase from the first source that is there: the file, the systemd credential, the terminal.

    `credentials_folder` is what systemd calls $CREDENTIALS_DIRECTORY; `prompt` asks without echo.
    Raises ConfigError when there is none.
    """
    if file is not None:
        return read_passphrase_file(file)
    if credentials_folder is not None and (credentials_folder / CREDENTIAL_NAME).is_file():
        return read_passphrase_file(credentials_folder / CREDENTIAL_NAME, key=f"credential {CREDENTIAL_NAME}")
    if prompt is not None:
        return Passphrase(prompt())
    reason = f"give --passphrase-file, a systemd credential {CREDENTIAL_NAME}, or a terminal to ask on"
    raise ConfigError("passphrase", reason)


def generate_passphrase_file(path: Path) -> Passphrase:
    """A new random passphrase in a new file that only its owner can read (0600). For development only.

    Raises ConfigError when the file exists, StoreUnavailable when it cannot be written.
    """
    text = secrets.token_urlsafe(GENERATED_BYTES)
    try:
        write_new(path, f"{text}\n".encode("ascii"), mode=SECRET_MODE)
    except FileExistsError as exc:
        raise ConfigError("--passphrase-file", f"{path} exists and is kept") from exc
    return Passphrase(text)
