"""Documents supplied as files, so that no context, DID document, schema or status list has to be fetched.

A document map is a JSON file: `{"URL or DID": "file", …}`, file names relative to the map's own folder.
"""

from collections.abc import Sequence
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.registry.canonical import MAX_DOCUMENT_BYTES
from testamur.registry.documents import Documents, parse_document_map
from testamur.registry.errors import MalformedError

MAX_TOTAL_BYTES = 64 << 20
"""All supplied files together: they are kept in memory, and a map with a folder of videos is a mistake."""

URL_EQUALS_FILE = "URL=FILE"


def load_documents(
    map_file: Path | None = None, pairs: Sequence[str] = (), *, pairs_from: str = "--context-file"
) -> Documents:
    """What a document map and `URL=FILE` pairs supply; a pair outranks the map.

    Raises ConfigError: it names the map or the option, the address, and what is wrong with the file.
    """
    files: dict[str, tuple[str, Path]] = {}
    if map_file is not None:
        for url, path in document_files(map_file).items():
            files[url] = (f"{map_file}: {url}", path)
    for pair in pairs:
        url, separator, name = pair.rpartition("=")
        if not separator or not name or ":" not in url:
            raise ConfigError(pairs_from, f"{pair!r} is not {URL_EQUALS_FILE}")
        files[url] = (f"{pairs_from} {url}", Path(name))
    found: dict[str, bytes] = {}
    total = 0
    for url, (where, path) in files.items():
        found[url] = data = _read(path, where)
        total += len(data)
        if total > MAX_TOTAL_BYTES:
            raise ConfigError(where, f"the files so far have more than {MAX_TOTAL_BYTES} bytes together")
    try:
        return Documents(found)
    except MalformedError as error:
        raise ConfigError(str(map_file or pairs_from), str(error)) from error


def document_files(map_file: Path) -> dict[str, Path]:
    """The file of each address in a document map, there or not. Raises ConfigError."""
    try:
        names = parse_document_map(_read(map_file, str(map_file)))
    except MalformedError as error:
        raise ConfigError(str(map_file), str(error)) from error
    return {url: map_file.parent / name for url, name in names.items()}


def _read(path: Path, where: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise ConfigError(where, f"{path} cannot be read ({error.strerror})") from error
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ConfigError(where, f"{path} has more than {MAX_DOCUMENT_BYTES} bytes")
    return data
