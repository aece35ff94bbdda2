"""The issuer service: `/credentials/issue` and what belongs to it, for one issuer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from testamur.node.api.ports import NotFound
from testamur.node.service.vc_credentials import IssuedCredentials
from testamur.node.service.vc_entries import ListAddresses, entries_of, meant_entries
from testamur.node.service.vc_issuers import VcIssuer
from testamur.node.service.vc_lists import StatusLists
from testamur.node.service.workers import Workers
from testamur.registry.canonical import Json
from testamur.registry.credentials import DataModel, parse_credential
from testamur.registry.cryptosuites import CRYPTOSUITES, Canonicalization, Cryptosuite
from testamur.registry.documents import Documents
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import kind_of
from testamur.registry.status_lists import PURPOSES
from testamur.registry.timestamps import format_timestamp
from testamur.registry.vc_issuing import check_new_credential, issue_credential

DATA_INTEGRITY_CONTEXT = "https://w3id.org/security/data-integrity/v2"
"""Defines what version 1.1's base context lacks: without it an RDF proof would mean nothing."""

MAX_ID_CHARACTERS = 2048


class VcIssuing:
    """`IssuerPort` for one issuer."""

    def __init__(
        self,
        issuer: VcIssuer,
        folder: Path,
        *,
        base_url: str,
        documents: Documents,
        workers: Workers,
        clock: Callable[[], datetime],
        beside: Sequence["VcIssuing"] = (),
    ) -> None:
        """`beside` are all issuers of the service, this one too: no credential names entries of another's."""
        self.issuer = issuer
        self.path = issuer.path
        self.token_digest = issuer.token_digest
        self.lists = StatusLists(folder / issuer.id / "lists", issuer, base_url + issuer.path, clock=clock)
        self._kept = IssuedCredentials(folder / issuer.id / "credentials")
        self._documents = documents
        self._workers = workers
        self._clock = clock
        self._beside = beside

    async def issue(self, document: Json, options: Mapping[str, Json]) -> dict[str, Json]:
        """See IssuerPort."""
        return await self._workers.run(self._issue, document, options)

    async def set_status(
        self, credential_id: str, entry: Mapping[str, Json], value: bool
    ) -> list[dict[str, Json]]:
        """See IssuerPort."""
        return await self._workers.run(self._set_status, credential_id, entry, value)

    async def create_list(self, purpose: str) -> tuple[str, dict[str, Json]]:
        """See IssuerPort."""
        if purpose not in PURPOSES:
            raise MalformedError("body /statusPurpose", f"must be one of {', '.join(PURPOSES)}")
        return await self._workers.run(self.lists.create, purpose)

    async def status_list(self, name: str) -> dict[str, Json] | None:
        """See IssuerPort."""
        return await self._workers.run(self.lists.find, name)

    async def credential(self, credential_id: str) -> dict[str, Json] | None:
        """See IssuerPort."""
        return await self._workers.run(self._kept.find, credential_id)

    async def delete(self, credential_id: str) -> bool:
        """See IssuerPort."""
        return await self._workers.run(self._kept.forget, credential_id)

    def _issue(self, document: Json, options: Mapping[str, Json]) -> dict[str, Json]:
        if not isinstance(document, dict):
            raise MalformedError("credential", f"must be an object, not {kind_of(document)}")
        suite = self._suite(options)
        name = _credential_id(options)
        document = self._with_context(document, suite)
        # All of it before an index is used up; once more when it is signed.
        credential = check_new_credential(
            document, documents=self._documents, resources=self._documents.resources
        )
        names = tuple(item for item in (credential.id, name) if item is not None)
        for item in names:
            self._kept.check_room(item)
        self._refuse_entries_of_others(document, credential.id)
        if (
            self.issuer.status
            and "credentialStatus" not in document
            and credential.data_model is DataModel.V2_0
        ):
            entries: list[Json] = [self.lists.allocate(purpose).to_json() for purpose in self.issuer.status]
            document = {**document, "credentialStatus": entries[0] if len(entries) == 1 else entries}
            # Without any other name, what the service can revoke is known by the id of its entry.
            names = names or (str(entries_of(document)[0].to_json()["id"]),)
        signed = issue_credential(
            document,
            self.issuer.key,
            verification_method=self.issuer.verification_method,
            documents=self._documents,
            cryptosuite=suite.name,
            created=format_timestamp(self._clock()),
            resources=self._documents.resources,
        ).document
        self._kept.put(names, signed)
        return signed

    def _suite(self, options: Mapping[str, Json]) -> Cryptosuite:
        """The suite that the request chooses, when this issuer's key makes it; else the issuer's own."""
        wanted = options.get("cryptosuite")
        if wanted is None:
            return self.issuer.suite
        suite = CRYPTOSUITES.get(wanted) if isinstance(wanted, str) else None
        if suite is None or self.issuer.key.public_key.algorithm not in suite.signature_bytes:
            able = [
                name
                for name, item in CRYPTOSUITES.items()
                if self.issuer.key.public_key.algorithm in item.signature_bytes
            ]
            raise MalformedError("body /options/cryptosuite", f"must be one of {', '.join(able)} here")
        return suite

    def _with_context(self, document: dict[str, Json], suite: Cryptosuite) -> dict[str, Json]:
        """Version 1.1 with an RDF proof: the context that gives the proof a meaning is put last."""
        if suite.canonicalization is not Canonicalization.RDFC:
            return document
        contexts = document.get("@context")
        if (
            parse_credential(document).data_model is not DataModel.V1_1
            or not isinstance(contexts, list)
            or DATA_INTEGRITY_CONTEXT in contexts
        ):
            return document
        return {**document, "@context": [*contexts, DATA_INTEGRITY_CONTEXT]}

    def _refuse_entries_of_others(self, document: dict[str, Json], credential_id: str | None) -> None:
        """Lists of the service are named only by entries that it drew for this very id."""
        if "credentialStatus" not in document:
            return
        folders = (folder for item in self._beside for folder in item.lists.folders)
        for where, entry in ListAddresses(folders).named_in(document):
            if credential_id is None or not any(item.drew(entry, credential_id) for item in self._beside):
                reason = "names a status list of this service, which draws its entries itself; leave it out"
                raise MalformedError(f"credential {where}", reason)

    def drew(self, entry: Json, credential_id: str) -> bool:
        """The service gave exactly this entry to a credential with this id."""
        issued = self._kept.entries(credential_id) or ()
        return any(item.to_json() == entry and self.lists.has(item) for items in issued for item in items)

    def _set_status(
        self, credential_id: str, wanted: Mapping[str, Json], value: bool
    ) -> list[dict[str, Json]]:
        issued = self._kept.entries(credential_id)
        if issued is None:
            raise NotFound("this issuer has issued no credential with this id")
        meant = meant_entries(issued, wanted)
        # Entries of foreign lists, which credentials may bring, are not ours to set.
        own = [entry for entry in meant if self.lists.has(entry)]
        if not own:
            raise NotFound("no credential of this issuer has this status entry")
        self.lists.set_all(own, value=value)
        return [entry.to_json() for entry in own]


def _credential_id(options: Mapping[str, Json]) -> str | None:
    name = options.get("credentialId")
    if name is None:
        return None
    if not isinstance(name, str) or not 0 < len(name) <= MAX_ID_CHARACTERS:
        raise MalformedError("body /options/credentialId", f"must be 1 to {MAX_ID_CHARACTERS} characters")
    return name
