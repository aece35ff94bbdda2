"""Where a DID's document comes from: its name, a supplied file, the issuer's own log, the web, the chain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from testamur.node.fetch.dids import DidWebFetcher
from testamur.registry.canonical import Json
from testamur.registry.did_ethr import EthrDid, parse_did_ethr
from testamur.registry.did_resolution import Resolution, Wanted, answer, computed, failed
from testamur.registry.errors import MalformedError
from testamur.registry.verification_methods import resolve_controller


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDocument:
    """A DID document, and what DID resolution says about it."""

    document: Json
    metadata: Mapping[str, Json] = field(default_factory=dict)


Snapshots = Callable[[str], FoundDocument | None]
"""The newest document that an issuer has logged under its own DID."""


EthrReader = Callable[[EthrDid, datetime | None, int | None], FoundDocument | str]
"""The document of a did:ethr, now or as of a moment or a block; or why there is none. May take seconds."""


class DidFinder:
    """DID documents for verification and for resolution. May be used from several threads at once."""

    def __init__(
        self,
        supplied: Mapping[str, Json],
        *,
        web: DidWebFetcher | None = None,
        snapshots: Snapshots = lambda _: None,
        ethr: EthrReader | None = None,
    ) -> None:
        """Without `web` nothing is fetched, and without `ethr` no chain is asked."""
        self._supplied = supplied
        self._web = web
        self._snapshots = snapshots
        self._ethr = ethr

    def find(self, did: str) -> FoundDocument | None:
        """The document as it is now, or None."""
        try:
            if did.startswith(("did:key:", "did:jwk:")):
                return FoundDocument(document=resolve_controller(did, {}))
        except MalformedError:
            return None
        method = did.split(":")[1] if did.count(":") > 1 else ""
        try:
            found = self._look_up(did, method, None, None)
        except MalformedError:
            return None
        return None if isinstance(found, str) else found

    def resolve(self, wanted: Wanted) -> Resolution:
        """The result of DID resolution or dereferencing."""
        document = computed(wanted)
        if isinstance(document, Resolution):
            return document
        if document is not None:
            return answer(wanted, document)
        try:
            found = self._look_up(str(wanted.did), wanted.did.method, wanted.version_time, wanted.version_id)
        except MalformedError as error:
            return failed("invalidDid", str(error), is_url=wanted.is_url)
        if isinstance(found, str):
            return failed("notFound", found, is_url=wanted.is_url)
        return answer(wanted, found.document, metadata=found.metadata)

    def _look_up(
        self, did: str, method: str, at: datetime | None, version: int | None
    ) -> FoundDocument | str:
        """Raises MalformedError for what is no DID of its method."""
        is_newest = at is None and version is None
        if did in self._supplied and is_newest:
            return FoundDocument(document=self._supplied[did], metadata={"source": "supplied"})
        logged = self._snapshots(did) if is_newest else None
        if logged is not None:
            return logged
        if method == "ethr":
            parsed = parse_did_ethr(did)
            if self._ethr is not None:
                return self._ethr(parsed, at, version)
        if method != "web":
            return f"{did[:120]} is not known here; the node's operator can supply its document as a file"
        if not is_newest:
            return "of a did:web only the newest version is known here"
        if self._web is None:
            return "this node fetches no DID documents; its operator can supply this one as a file"
        fetched = self._web.find(did)
        return (
            fetched
            if isinstance(fetched, str)
            else FoundDocument(document=fetched, metadata={"source": "web"})
        )
