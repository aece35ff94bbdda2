"""The verifier behind the VC API: credentials and presentations by their own proofs, and DID resolution."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from testamur.node.service.did_finding import DidFinder
from testamur.node.service.vc_documents import Lookups, looked_up, names_in
from testamur.node.service.workers import Workers
from testamur.registry.canonical import Json
from testamur.registry.did_resolution import Resolution, read_request
from testamur.registry.documents import Documents
from testamur.registry.presentations import PresentationResult, verify_presentation
from testamur.registry.rdf.compiled_contexts import ContextSet
from testamur.registry.vc_result import VcResult
from testamur.registry.vc_verification import ALL_CHECKS, verify_credential

ALIASES = {"credentialStatus": "status", "credentialSchema": "schema"}
"""Checks as others name them."""

Lists = Callable[[str, str], Json | None]
"""A status list that this process publishes, by its URL, or None."""


class Verifier:
    """`VerifierPort`. Nothing that is sent is kept.

    What computes is done in `workers`, what may wait for others in `waiters`: a slow web server holds up
    nobody who does not need it.
    """

    def __init__(
        self,
        supplied: Documents,
        finder: DidFinder,
        *,
        workers: Workers,
        waiters: Workers,
        clock: Callable[[], datetime],
        lists: Lists = lambda _url, _issuer: None,
    ) -> None:
        self._supplied = supplied
        self._finder = finder
        self._workers = workers
        self._waiters = waiters
        self._clock = clock
        self._lookups: Lookups = _Lookups(finder, lists)

    async def verify_credential(self, document: Json, checks: Collection[str] | None) -> VcResult:
        """See VerifierPort."""
        documents = await self._documents(document)
        return await self._workers.run(
            verify_credential,
            document,
            documents=documents,
            now=self._clock(),
            checks=_known(checks),
            resources=self._supplied.resources,
        )

    async def verify_presentation(
        self, document: Json, *, domain: str | None, challenge: str | None, checks: Collection[str] | None
    ) -> PresentationResult:
        """See VerifierPort."""
        documents = await self._documents(document)
        return await self._workers.run(
            verify_presentation,
            document,
            documents=documents,
            now=self._clock(),
            domain=domain,
            challenge=challenge,
            checks=_known(checks),
            resources=self._supplied.resources,
        )

    async def resolve_did(self, text: str, options: Mapping[str, str]) -> Resolution:
        """See VerifierPort."""
        wanted = read_request(text, options)
        if isinstance(wanted, Resolution):
            return wanted
        return await self._waiters.run(self._finder.resolve, wanted)

    async def _documents(self, document: Json) -> ContextSet:
        """Those that are supplied, and what has to be looked up, by threads that may wait for the web."""
        names = await self._workers.run(names_in, document, self._supplied)
        if not names:
            return self._supplied
        return await self._waiters.run(looked_up, names, self._supplied, self._lookups)


class _Lookups:
    def __init__(self, finder: DidFinder, lists: Lists) -> None:
        self._finder = finder
        self._lists = lists

    def did_document(self, did: str) -> Json | None:
        found = self._finder.find(did)
        return found.document if found is not None else None

    def status_list(self, url: str, issuer: str) -> Json | None:
        return self._lists(url, issuer)


def _known(checks: Collection[str] | None) -> Collection[str]:
    return ALL_CHECKS if checks is None else [ALIASES.get(name, name) for name in checks]
