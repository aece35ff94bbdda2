"""The application: the one file that an issuer hands to the node that is to host its log.

Everything in it is public and signed. The host verifies all of it, shows the admission to the council, and
logs key event, status lists and statement, in this order, as the first leaves. Format:
docs/spec/statements.md.
"""

import re
from dataclasses import dataclass

from testamur.node.issuing.workspace import Workspace, admission
from testamur.registry.admissions import Admission, parse_admission
from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.key_events import FIRST_POSITION, Position
from testamur.registry.publications import Publication, parse_bundle, verify_bundle
from testamur.registry.shapes import Shape
from testamur.registry.status_lists import PURPOSES
from testamur.registry.trust_successions import OWN_SLUG, own_did

MAX_APPLICATION_LISTS = 16
"""An issuer begins with one pair of status lists."""

MAX_APPLICATION_DOCUMENTS = 16
"""Public documents that an issuer has from the start: a registry its first trust file, most have none."""

MAX_NAME_CHARACTERS = 200

_CONTROLLER = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A verified application. `publication.fresh` are the documents to log, first leaf first."""

    name: str
    controller: str
    admission: Admission
    publication: Publication

    @property
    def slug(self) -> str:
        """The issuer's name in the registry."""
        return self.admission.slug

    @property
    def did(self) -> str:
        """The issuer's DID."""
        return self.admission.did


def build_application(workspace: Workspace) -> dict[str, Json]:
    """The application of a workspace that has made its first statement and no other.

    Raises ValueError for a workspace that has moved on: its host has what an application says already.
    """
    publication, settings = workspace.publication(), workspace.settings
    if publication.statement.sequence != 1:
        raise ValueError("this workspace has made further statements since it applied")
    documents = workspace.first_documents()
    return {
        "type": "IssuerApplication",
        "version": 1,
        "registry": settings.registry,
        "slug": settings.slug,
        "did": settings.did,
        "name": settings.name,
        "controller": settings.controller,
        "keyEvents": [event.json for event in publication.keys.events],
        "documents": [item.credential for item in publication.lists.values()],
        "statement": publication.statement.json,
        **({"published": documents} if documents else {}),
        "admission": admission(settings, publication).to_json(),
    }


def verify_application(document: Json, *, registry: str) -> Application:
    """Prove that an application is sound, and may become the first leaves of a log of `registry`.

    One key event that takes effect at leaf 0 of epoch 1, one status list for each of our purposes, a first
    statement that names exactly them, and an admission that says what the rest says. Raises MalformedError,
    and VerificationError: application-registry-mismatch, application-slug-reserved,
    application-admission-mismatch, application-lists-mismatch, key-event-start-mismatch, and those of
    `verify_bundle`.
    """
    shape = Shape(document, "application")
    shape.expect("type", "IssuerApplication")
    shape.expect("version", 1)
    name = shape.text("name", max_length=MAX_NAME_CHARACTERS)
    controller = shape.text("controller", max_length=42)
    if not _CONTROLLER.fullmatch(controller):
        raise MalformedError(shape.path("controller"), "must be an address: 0x and 40 hexadecimal digits")
    admitted = parse_admission(shape.any("admission"))
    named = (shape.text("registry"), shape.text("slug"), shape.text("did"))
    lists = shape.items("documents", minimum=1, maximum=MAX_APPLICATION_LISTS)
    published = shape.items("published", maximum=MAX_APPLICATION_DOCUMENTS)
    bundle = parse_bundle(
        {
            "statement": shape.any("statement"),
            "keyEvents": shape.items("keyEvents", minimum=1, maximum=1),
            "statusLists": lists,
            "documents": published,
        },
        "application",
    )
    shape.refuse_unknown()
    if named[0] != registry:
        raise VerificationError("application-registry-mismatch", got=named[0][:200], wanted=registry)
    if named[1] == OWN_SLUG and admitted.did != own_did(registry):
        raise VerificationError("application-slug-reserved", slug=OWN_SLUG, did=own_did(registry))
    # The statement is logged after the key event, the lists and the documents.
    publication = verify_bundle(
        None,
        bundle,
        did=admitted.did,
        published=FIRST_POSITION,
        logged=Position(FIRST_POSITION.epoch, 1 + len(lists) + len(published)),
    )
    if named != (admitted.registry, admitted.slug, admitted.did):
        raise VerificationError("application-admission-mismatch", member="slug")
    if admitted.first_key_event != publication.keys.first_digest:
        raise VerificationError("application-admission-mismatch", member="firstKeyEvent")
    if sorted(item.entry.purpose for item in publication.lists.values()) != sorted(PURPOSES):
        raise VerificationError("application-lists-mismatch", wanted=", ".join(PURPOSES))
    return Application(name=name, controller=controller, admission=admitted, publication=publication)
