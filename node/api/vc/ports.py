"""What the VC API and DID resolution need from a node, and from an issuer service.

Every method may be called concurrently; none of them raises for what a credential, a presentation or a DID
says. `NotReady`, when too much is asked at once, is a refusal of `api.ports`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from testamur.registry.canonical import Json
from testamur.registry.did_resolution import Resolution
from testamur.registry.presentations import PresentationResult
from testamur.registry.vc_result import VcResult


class VerifierPort(Protocol):
    """Judges credentials by their own proofs, and resolves DIDs. Nothing that is sent is kept."""

    async def verify_credential(self, document: Json, checks: Collection[str] | None) -> VcResult:
        """The result; `checks` are names of its parts, None for all."""

    async def verify_presentation(
        self, document: Json, *, domain: str | None, challenge: str | None, checks: Collection[str] | None
    ) -> PresentationResult:
        """The result; `domain` and `challenge` have to be those that the proof was made for."""

    async def resolve_did(self, text: str, options: Mapping[str, str]) -> Resolution:
        """The result for a DID or a DID URL, with the options of the query."""


class IssuerPort(Protocol):
    """One issuer of the issuer service. Raises MalformedError and VerificationError for what was sent."""

    @property
    def path(self) -> str:
        """Where it is served: "" or /like/this."""

    @property
    def token_digest(self) -> bytes | None:
        """SHA-256 of the token of whoever may issue; None: everybody."""

    async def issue(self, document: Json, options: Mapping[str, Json]) -> dict[str, Json]:
        """The checked and signed credential, durably kept beside all that were issued under its id before.

        Options that are not known are left.
        """

    async def set_status(
        self, credential_id: str, entry: Mapping[str, Json], value: bool
    ) -> Sequence[dict[str, Json]]:
        """Set or clear the bits of everything issued under the id, or of the one entry that is named.

        The changed entries; all of them or none, durable on return. Raises NotFound.
        """

    async def create_list(self, purpose: str) -> tuple[str, dict[str, Json]]:
        """A new status list: its URL, and the signed credential."""

    async def status_list(self, name: str) -> dict[str, Json] | None:
        """A signed status list as it is now, or None."""

    async def credential(self, credential_id: str) -> dict[str, Json] | None:
        """The newest that was issued under this id, or None."""

    async def delete(self, credential_id: str) -> bool:
        """Forget all that was issued under this id but for its status entries; whether it was there."""
