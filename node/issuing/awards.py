"""One award: from a row of a table to a signed credential, checked in full before anything is signed."""

from collections.abc import Callable, Mapping

from testamur.node.issuing.canonical_parts import CanonicalParts
from testamur.node.issuing.jobs import Award, id_bytes
from testamur.node.issuing.placeholders import SALT, Values
from testamur.node.issuing.tables import Row
from testamur.node.issuing.templates import Filled, Template
from testamur.node.issuing.workspace import Settings, issuing_method
from testamur.registry.canonical import Json
from testamur.registry.credentials import check_issuable, parse_credential
from testamur.registry.elements import require_elements
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.jsonld import expand_safely
from testamur.registry.keys import SigningKey
from testamur.registry.proofs import ProofMaker, join_at
from testamur.registry.status_lists import PURPOSES, StatusListEntry

MAX_SHAPES = 4096
"""Structures that are remembered as safe; beyond it they are forgotten and expanded again."""

KeySource = SigningKey | Callable[[], SigningKey]
"""A key, or a way to get it that is not taken before something has to be signed: it may ask somebody."""

EXAMPLE = Award(row=0, token=bytes(16), deck=1, status_index=0, file="")
"""Stands for the award's own token and place while its row is only checked."""


class Desk:
    """Where the awards of one job are checked and signed: one issuer, one template, one key."""

    def __init__(
        self,
        settings: Settings,
        template: Template,
        key: KeySource,
        contexts: Mapping[str, Json] | None = None,
        *,
        strict_profile: bool = False,
    ) -> None:
        """Nothing is computed yet. `contexts` are JSON-LD contexts beside the bundled ones, by URL.

        With `strict_profile`, or where the template asks for it, awards have the elements of a European
        micro-credential.
        """
        self.template = template.bound({"@issuer": settings.did, "@issuer-name": settings.name})
        self._settings = settings
        self._key = key
        self._contexts = contexts
        self._strict_profile = strict_profile or template.strict_profile
        self._parts = CanonicalParts(self.template.constants)
        self._maker: tuple[str, Json, ProofMaker] | None = None
        self._safe_shapes: set[str] = set()

    def check(self, row: Row, number: int, started: str, where: str) -> tuple[Filled, str]:
        """A row whose credential may be signed, filled in, and its file's name. Raises MalformedError.

        The whole credential is validated; its JSON-LD is expanded once for each structure.
        """
        values = self._values(row, number, EXAMPLE.token, started, where)
        filled, file_name = self.template.fill(values), self.template.file_name(values)
        credential = self._assemble(filled, EXAMPLE, started)
        try:
            check_issuable(parse_credential(credential))
            if self._strict_profile:
                require_elements(credential)
            shape = filled.shape
            if shape not in self._safe_shapes:
                expand_safely(credential, contexts=self._contexts, subject="credential")
                if len(self._safe_shapes) >= MAX_SHAPES:
                    self._safe_shapes.clear()
                self._safe_shapes.add(shape)
        except MalformedError as exc:
            raise MalformedError(f"{where}, template {self.template.name}", str(exc)) from exc
        return filled, file_name

    def sign(self, row: Row, award: Award, started: str) -> bytes:
        """The signed credential of a checked row, in canonical form; the same input gives the same bytes.

        It is what `registry.proofs.secure_document` makes, in a third of the time.
        """
        filled = self.template.fill(self._values(row, award.row, award.token, started, f"row {award.row}"))
        document = self._assemble(filled, award, started)
        before = self._parts.canonicalize({name: item for name, item in document.items() if name < "proof"})
        after = self._parts.canonicalize({name: item for name, item in document.items() if name > "proof"})
        maker = self._proof_maker(document.get("@context"), started)
        _, proof = maker.make(join_at(before, "proof", None, after))
        return join_at(before, "proof", proof, after)

    def _proof_maker(self, context: Json, started: str) -> ProofMaker:
        """One for the whole job: time and contexts are the same in every award."""
        if self._maker is None or self._maker[:2] != (started, context):
            key = key_from(self._key)
            maker = ProofMaker(
                key,
                verification_method=issuing_method(self._settings, key),
                created=started,
                options={"@context": context},
            )
            self._maker = (started, context, maker)
        return self._maker[2]

    def _values(self, row: Row, number: int, token: bytes, started: str, where: str) -> Values:
        built_in = {
            "@issuer": self._settings.did,
            "@issuer-name": self._settings.name,
            "@row": str(number),
            "@time": started,
            SALT: salt_of(token),
        }
        return Values(where, row.cells, built_in)

    def _assemble(self, filled: Filled, award: Award, started: str) -> dict[str, Json]:
        """The filled template with what the issuer adds: id, issuer, times and status."""
        return {
            "validFrom": started,
            **filled.credential,
            "id": urn_of(award.token),
            "issuer": self._profile(filled.credential.get("issuer")),
            "credentialStatus": status_entries(self._settings, award),
        }

    def _profile(self, given: Json) -> dict[str, Json]:
        """The template's profile of the issuer under the workspace's DID, and its name if it has no other."""
        profile: Mapping[str, Json] = given if isinstance(given, dict) else {}
        named = profile.get("id", self._settings.did)
        if named != self._settings.did:
            reason = (
                f"is {str(named)[:80]!r}, and this workspace issues as {self._settings.did}; leave it out"
            )
            raise MalformedError(f"template {self.template.name} /credential/issuer/id", reason)
        return {"type": ["Profile"], "name": self._settings.name, **profile, "id": self._settings.did}


def key_from(source: KeySource) -> SigningKey:
    """The key that a source gives."""
    return source() if callable(source) else source


def status_entries(settings: Settings, award: Award) -> list[Json]:
    """An award's entries in the issuer's status lists: one index, a list for each purpose."""
    return [
        StatusListEntry(
            purpose=purpose, index=award.status_index, list_id=settings.list_id(purpose, award.deck)
        ).to_json()
        for purpose in PURPOSES
    ]


def urn_of(token: bytes) -> str:
    """The `urn:uuid:` of version 4 that a random token makes (RFC 9562 §5.4)."""
    text = id_bytes(token).hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def salt_of(token: bytes) -> str:
    """128 bits for identity hashes, as unpredictable as the token and not to be confused with the id."""
    return sha256(b"testamur/salt/v1" + token)[:16].hex()


def dossier(canonical_credential: bytes) -> bytes:
    """The `.credential.json` file of a fresh credential: canonical JSON, no evidence yet, a final newline."""
    return b'{"credential":' + canonical_credential + b',"evidence":null}\n'
