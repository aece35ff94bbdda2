"""Ready credentials: what is missing is added and signed; what is signed is checked and logged as it is."""

import re
import uuid
from collections.abc import Iterator, Mapping

from testamur.node.issuing import jobs
from testamur.node.issuing.awards import MAX_SHAPES, KeySource, key_from, status_entries, urn_of
from testamur.node.issuing.jobs import Award
from testamur.node.issuing.ready import Document, ReadyFiles
from testamur.node.issuing.work import Bad, Checked, Item, learner_of
from testamur.node.issuing.workspace import Workspace, issuing_method
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.credentials import check_issuable, credential_digest, parse_credential
from testamur.registry.elements import require_elements
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.jsonld import expand_safely
from testamur.registry.proofs import proofs_of, secure_document, verify_document_proof
from testamur.registry.publications import FAR_POSITION
from testamur.registry.reasons import words
from testamur.registry.structures import structure_key

_UNSAFE_IN_NAMES = re.compile(r"[^\w.-]+")
_EXAMPLE_TOKEN = bytes(16)
_EXAMPLE = Award(row=0, token=_EXAMPLE_TOKEN, deck=1, status_index=0, file="")


class ReadyWork:
    """The credentials of a folder, a JSON or an NDJSON file, for one issuer."""

    template = ""
    columns: tuple[str, ...] = ()

    def __init__(
        self,
        files: ReadyFiles,
        workspace: Workspace,
        key: KeySource,
        contexts: Mapping[str, Json] | None = None,
        *,
        strict_profile: bool = False,
    ) -> None:
        """`contexts` are JSON-LD contexts that are not bundled, by URL; `strict_profile` as for `Desk`."""
        self.name = files.name
        self._files = files
        self._ledger = workspace.ledger
        self._settings = workspace.settings
        self._keys = workspace.publication().keys
        self._key = key
        self._contexts = contexts
        self._strict_profile = strict_profile
        self._safe_shapes: set[bytes] = set()

    def key(self) -> bytes:
        """See Work."""
        return self._files.key()

    def identity(self) -> object:
        """See Work."""
        return self._files.identity()

    def items(self, bad: Bad) -> Iterator[Item]:
        """See Work."""
        for found in self._files.documents(lambda number, problem: bad(number, {}, problem)):
            yield Item(found.number, found.number, found.where, found, {})

    def check(self, item: Item, started: str) -> Checked:
        """See Work. A signed one must be ours, by a key in force; an unsigned one must become issuable."""
        found: Document = item.content
        is_signed, document = self._examined(item, started)
        token = _token_of(found.credential)
        return Checked(
            file=_file_name(found, token, self.name),
            learner=learner_of({"credentialSubject": document["credentialSubject"]}, {"id": str(token)}),
            token=token,
            is_signed=is_signed,
            logged_before=self._logged_before(found.credential, token, item.where, is_signed=is_signed),
        )

    def _examined(self, item: Item, started: str) -> tuple[bool, dict[str, Json]]:
        """(whether it is signed, the credential as it would be). Raises MalformedError naming the item."""
        found: Document = item.content
        is_signed = "proof" in found.credential
        try:
            if is_signed:
                document = found.credential
                self._check_signed(document)
            else:
                document = self._completed(found.credential, _EXAMPLE, started)
                check_issuable(parse_credential(document))
                self._check_terms(document)
            if self._strict_profile:
                require_elements(document)
        except VerificationError as error:
            raise MalformedError(item.where, words(error.reason, error.parameters)) from error
        except MalformedError as error:
            raise MalformedError(item.where, str(error)) from error
        return is_signed, document

    def sign(self, item: Item, award: Award, started: str) -> bytes:
        """See Work. Checked once more: the file may have been written anew, and a signature is for ever."""
        is_signed, _ = self._examined(item, started)
        found: Document = item.content
        if is_signed:
            return canonicalize(found.credential)
        key = key_from(self._key)
        return secure_document(
            self._completed(found.credential, award, started),
            key,
            verification_method=issuing_method(self._settings, key),
            created=started,
        ).canonical

    def _completed(self, given: Mapping[str, Json], award: Award, started: str) -> dict[str, Json]:
        """What the issuer adds: id, issuer, time and status, each only where it is missing."""
        if "credentialStatus" in given:
            raise MalformedError("credential /credentialStatus", "is written when issuing; leave it out")
        profile = given.get("issuer", {})
        named = profile.get("id") if isinstance(profile, dict) else profile
        if named not in (None, self._settings.did):
            reason = f"is {str(named)[:80]!r}, and this workspace issues as {self._settings.did}"
            raise MalformedError("credential /issuer", reason)
        issuer: Json = self._settings.did
        if isinstance(profile, dict):
            issuer = {"type": ["Profile"], "name": self._settings.name, **profile, "id": self._settings.did}
        return {
            "id": urn_of(award.token),
            "validFrom": started,
            **given,
            "issuer": issuer,
            "credentialStatus": status_entries(self._settings, award),
        }

    def _check_signed(self, document: dict[str, Json]) -> None:
        credential = parse_credential(document)
        check_issuable(credential)
        if credential.issuer_id != self._settings.did:
            reason = f"is {credential.issuer_id[:80]!r}, and this workspace issues as {self._settings.did}"
            raise MalformedError("credential /issuer", reason)
        by_us = [proof for proof in proofs_of(document, "credential") if self._verified(document, proof)]
        if not by_us:
            reason = f"has no proof by a key of {self._settings.did} that is in force"
            raise MalformedError("credential /proof", reason)
        known = jobs.find_issued(self._ledger, None, credential_digest(document))
        ours = f"{self._settings.status_base}/{self._settings.slug}/"
        if known is None and any(entry.list_id.startswith(ours) for entry in credential.status):
            reason = "names a place in this workspace's own lists that the workspace did not give away"
            raise MalformedError("credential /credentialStatus", reason)

    def _verified(self, document: dict[str, Json], proof: dict[str, Json]) -> bool:
        """Whether the proof is by one of our keys in force, and true. Raises VerificationError if untrue."""
        method = str(proof.get("verificationMethod"))
        if not self._keys.is_in_force(method, FAR_POSITION):
            return False
        verify_document_proof(document, proof, self._keys.public_key(method, FAR_POSITION))
        return True

    def _check_terms(self, document: dict[str, Json]) -> None:
        shape = structure_key(document, contexts=self._contexts)
        if shape in self._safe_shapes:
            return
        expand_safely(document, contexts=self._contexts, subject="credential")
        if len(self._safe_shapes) >= MAX_SHAPES:
            self._safe_shapes.clear()
        self._safe_shapes.add(shape)

    def _logged_before(
        self, document: dict[str, Json], token: bytes | None, where: str, *, is_signed: bool
    ) -> str | None:
        """Words for what this workspace has issued already. Raises MalformedError for an id used twice."""
        own = credential_digest(document) if is_signed else None
        known = jobs.find_issued(self._ledger, token, own)
        if known is None:
            return None
        job, file, digest, leaf_index = known
        if is_signed and digest == own:
            place = f"as entry {leaf_index}" if leaf_index is not None else "and waits to be logged"
            return f"{where}: is issued already, {place} (job {job}, {file})"
        raise MalformedError(where, f"its id was issued before (job {job}, {file}) for another credential")


def _token_of(document: Mapping[str, Json]) -> bytes | None:
    """The sixteen bytes of the id that the credential brings, or None."""
    given = document.get("id")
    if not isinstance(given, str) or not given.startswith("urn:uuid:"):
        return None
    try:
        return uuid.UUID(given.removeprefix("urn:uuid:")).bytes
    except ValueError:
        return None


def _file_name(found: Document, token: bytes | None, source: str) -> str:
    """Its own name, else its id, else the input's name and its number: several inputs may share a folder."""
    numbered = f"{source.partition('.')[0]}-{found.number}"
    name = found.file or (str(uuid.UUID(bytes=token)) if token else numbered)
    return _UNSAFE_IN_NAMES.sub("-", name).strip(".-")[:100] or str(found.number)
