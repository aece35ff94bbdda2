import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fakes.issuers import DID, NOW, REGISTRY, SETTINGS, MemoryHost, copy_workspace, signing_key
from testamur.node.issuing.apply import build_application, verify_application
from testamur.node.issuing.bundles import build_bundle
from testamur.node.issuing.publishing import publish_lists
from testamur.registry.admissions import Admission
from testamur.registry.canonical import canonicalize, digest, parse_json
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.key_events import Position, build_key_event, commitment
from testamur.registry.status import StatusBits

KEY, NEXT = signing_key(1), signing_key(2)
BASE = "https://status.ada.example/ada"


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with copy_workspace(tmp_path_factory.mktemp("apply") / "ada") as workspace:
        return build_application(workspace)


def test_an_application_has_the_documented_members_and_no_secret(application: dict[str, Any]) -> None:
    assert list(application) == [
        "type",
        "version",
        "registry",
        "slug",
        "did",
        "name",
        "controller",
        "keyEvents",
        "documents",
        "statement",
        "admission",
    ]
    text = json.dumps(application)
    assert KEY.seed.hex() not in text
    assert NEXT.public_key.to_multikey() not in text


def test_the_host_learns_what_to_admit_and_what_to_log_in_which_order(application: dict[str, Any]) -> None:
    document = parse_json(canonicalize(application), subject="application")
    verified = verify_application(document, registry=REGISTRY)
    assert (verified.slug, verified.did, verified.name) == ("ada", DID, "University of Ada")
    assert verified.controller == SETTINGS.controller
    assert verified.publication.fresh == (
        *application["keyEvents"],
        *application["documents"],
        application["statement"],
    )
    assert (
        verified.admission.digest
        == Admission(
            registry=REGISTRY, slug="ada", did=DID, first_key_event=digest(application["keyEvents"][0])
        ).digest
    )


def test_an_application_for_another_registry_is_refused(application: dict[str, Any]) -> None:
    with pytest.raises(VerificationError, match="application-registry-mismatch"):
        verify_application(application, registry="other.example")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"registry": "other.example"}, "application-registry-mismatch"),
        ({"slug": "bob"}, "application-admission-mismatch"),
        ({"did": "did:web:other.example"}, "application-admission-mismatch"),
        ({"admission": {"slug": "bob"}}, "application-admission-mismatch"),
        ({"admission": {"did": "did:web:other.example"}}, "statement-issuer-mismatch"),
        ({"admission": {"firstKeyEvent": "u" + "A" * 43}}, "application-admission-mismatch"),
        ({"statement": {"time": "2026-11-21T10:00:01Z"}}, "signature-invalid"),
        ({"statement": {"statusLists": {"count": 2, "root": "u" + "A" * 43}}}, "signature-invalid"),
    ],
)
def test_whatever_does_not_fit_together_is_refused(
    application: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    changed = deepcopy(application)
    for name, value in changes.items():
        changed[name] = {**changed[name], **value} if isinstance(value, dict) else value
    with pytest.raises(VerificationError) as caught:
        verify_application(changed, registry=REGISTRY)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "Application"),
        ("version", 2),
        ("name", ""),
        ("controller", "0x12"),
        ("keyEvents", []),
        ("documents", []),
        ("documents", [{}]),
        ("statement", None),
        ("admission", {}),
        ("passphrase", "x"),
    ],
)
def test_an_application_of_another_shape_is_malformed(
    application: dict[str, Any], member: str, value: Any
) -> None:
    with pytest.raises(MalformedError):
        verify_application({**application, member: value}, registry=REGISTRY)


@pytest.mark.parametrize("index", [0, 1])
def test_a_list_that_is_missing_is_noticed(application: dict[str, Any], index: int) -> None:
    documents = [document for number, document in enumerate(application["documents"]) if number != index]
    with pytest.raises(VerificationError, match="statement-roots-mismatch"):
        verify_application({**application, "documents": documents}, registry=REGISTRY)


def rebuilt(application: dict[str, Any], start: Position, purposes: list[str]) -> dict[str, Any]:
    """A sound application in every respect but the two that are passed."""
    event = build_key_event(
        did=DID,
        keys=[KEY],
        next_commitment=commitment([NEXT.public_key]),
        created="2026-11-21T10:00:00Z",
        start=start,
    )
    lists = [(f"{BASE}/{number}", purpose, StatusBits()) for number, purpose in enumerate(purposes)]
    bundle = build_bundle(None, did=DID, lists=lists, key_events=[event], key=KEY, now=NOW)
    admission = Admission(registry=REGISTRY, slug="ada", did=DID, first_key_event=digest(event))
    return {
        **application,
        "keyEvents": [event],
        "documents": bundle["statusLists"],
        "statement": bundle["statement"],
        "admission": admission.to_json(),
    }


def test_the_first_key_takes_effect_at_the_first_leaf(application: dict[str, Any]) -> None:
    both = ["revocation", "suspension"]
    verify_application(rebuilt(application, Position(1, 0), both), registry=REGISTRY)
    for start in (Position(1, 1), Position(1, 3), Position(1, 4), Position(2, 0)):
        with pytest.raises(VerificationError, match="key-event-start-mismatch"):
            verify_application(rebuilt(application, start, both), registry=REGISTRY)


@pytest.mark.parametrize(
    "purposes", [["revocation"], ["revocation", "revocation"], ["revocation", "message"]]
)
def test_an_issuer_begins_with_a_revocation_and_a_suspension_list(
    application: dict[str, Any], purposes: list[str]
) -> None:
    with pytest.raises(VerificationError, match="application-lists-mismatch"):
        verify_application(rebuilt(application, Position(1, 0), purposes), registry=REGISTRY)


def test_a_workspace_that_has_moved_on_applies_no_more(tmp_path: Path) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        bits = StatusBits()
        bits.set(5)
        publish_lists(workspace, [(f"{BASE}/revocation/1", "revocation", bits)], key=KEY, port=host, now=NOW)
        with pytest.raises(ValueError, match="further statements"):
            build_application(workspace)


def test_an_application_with_anything_replaced_is_refused(application: dict[str, Any]) -> None:
    for member in application:
        if member in {"name", "controller"}:  # told to people and to the council, and signed by nobody
            continue
        for value in (None, 5, "x", [], {}):
            with pytest.raises(RegistryError):
                verify_application({**application, member: value}, registry=REGISTRY)
