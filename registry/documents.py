"""Documents supplied so that nothing has to be fetched: contexts, DID documents, schemas, status lists.

One map, URL or DID → file, serves all of them; where its files lie is the caller's business.
"""

from collections.abc import Mapping
from typing import Final

from testamur.registry.canonical import parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.jsonld import is_absolute_iri
from testamur.registry.rdf.compiled_contexts import ContextSet

MAX_DOCUMENTS: Final = 1_000
"""Documents in one map: every context in use is a few dozen, the rest are schemas, DIDs and status lists."""

MAX_NAME_CHARACTERS: Final = 2_048
"""Of an address, and of a file's name."""


class Documents(ContextSet):
    """The supplied documents by URL or DID, parsed, with the bytes that they came as.

    A mapping of parsed JSON, which contexts are compiled from once. It cannot replace a bundled context: that
    is what signatures were made over. `resources` holds the bytes, which digests of related resources are of.
    """

    __slots__ = ("resources",)

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Parse every file. Raises MalformedError, naming the address."""
        if len(files) > MAX_DOCUMENTS:
            raise MalformedError("documents", f"are {len(files)}, more than {MAX_DOCUMENTS}")
        for url in files:
            _check_address(url)
        super().__init__({url: parse_json(data, subject=f"document {url}") for url, data in files.items()})
        self.resources: Mapping[str, bytes] = dict(files)

    def __reduce__(self) -> tuple[object, ...]:
        """To another process as the bytes that it was made of."""
        return type(self), (self.resources,)


def parse_document_map(data: bytes, *, subject: str = "document map") -> dict[str, str]:
    """URL or DID → name of a file, from a JSON object of strings. Raises MalformedError."""
    value = parse_json(data, subject=subject)
    if not isinstance(value, dict):
        raise MalformedError(subject, 'must be an object: {"URL or DID": "file name"}')
    if len(value) > MAX_DOCUMENTS:
        raise MalformedError(subject, f"names {len(value)} documents, more than {MAX_DOCUMENTS}")
    names = {}
    for url, name in value.items():
        _check_address(url, subject)
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARACTERS or "\0" in name:
            raise MalformedError(f"{subject} /{url}", "must be the name of a file")
        names[url] = name
    return names


def _check_address(url: str, subject: str = "documents") -> None:
    if len(url) > MAX_NAME_CHARACTERS or not is_absolute_iri(url):
        raise MalformedError(subject, f"{url[:200]!r} is neither a URL nor a DID")
