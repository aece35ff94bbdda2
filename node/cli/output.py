"""Reading and writing for commands: standard streams, files replaced whole, one JSON document a line."""

import json
import re
import sys
import unicodedata
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import PUBLIC_MODE, SECRET_MODE, make_folders, write_atomically
from testamur.registry.canonical import Json

STANDARD_INPUT = "-"

Source = Path | str
"""Where something is read from: a file, `-` for standard input, or an http(s) address, which stays text."""

MAX_INPUT_BYTES = 4 << 20
"""Twice the largest dossier; a larger file is refused before it is read."""


_UNPRINTABLE = re.compile("[\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What the JSON encoder leaves as it is, and a terminal obeys or cannot be sent."""


def printable(text: str) -> str:
    """Text for a terminal: control, format and direction characters become U+FFFD, lines stay lines.

    Errors quote what they refuse, and a file or a server must not write its own verdict.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "\ufffd" for c in text)


class ClosedPipe(Exception):
    """Whoever read our output has gone. Not an OSError, because libraries take those for their own."""


def say(text: str) -> None:
    """A line for a person, on standard output."""
    _write(f"{printable(text)}\n")


def warn(text: str) -> None:
    """A line for a person, on standard error, so that a pipe stays clean."""
    sys.stderr.write(f"{printable(text)}\n")


def json_line(document: Json) -> None:
    """One JSON document on one line."""
    text = json.dumps(document, ensure_ascii=False)
    _write(_UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def source_of(word: str) -> Source:
    """An argument as it was meant: `Path` would take a slash out of an address."""
    return word if word.startswith(("https://", "http://")) else Path(word)


def read_source(source: Source) -> bytes:
    """A file's bytes, standard input, or what is at an address. Raises ConfigError."""
    if isinstance(source, Path):
        return read_input(source)
    from testamur.node.fetch.documents import fetch_document

    return fetch_document(source, max_bytes=MAX_INPUT_BYTES)


def read_input(path: Path, *, max_bytes: int = MAX_INPUT_BYTES) -> bytes:
    """A file's bytes, or standard input for `-`. Raises ConfigError for what cannot be read."""
    try:
        if str(path) == STANDARD_INPUT:
            data = sys.stdin.buffer.read(max_bytes + 1)
        else:
            with path.open("rb") as file:
                data = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise ConfigError(str(path), "there is no such file") from None
    except IsADirectoryError:
        raise ConfigError(str(path), "is a folder; name the files in it") from None
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    if len(data) > max_bytes:
        raise ConfigError(str(path), f"is larger than {max_bytes} bytes; no credential file is")
    return data


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise ClosedPipe from None


def write_output(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Replace a file whole: a crash leaves the old one or the new one. `secret`: for its owner alone.

    Raises StoreUnavailable.
    """
    make_folders(path.parent)
    write_atomically(path, data, mode=SECRET_MODE if secret else PUBLIC_MODE)
