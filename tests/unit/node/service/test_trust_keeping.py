"""A node's trust file: forward over proven versions in the registry's own log, with nothing logged that is not."""

import contextlib
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from fakes.issuers import REGISTRY, RepeatableRandom, signing_key
from fakes.trust_chain import attester, first, parsed, signed, successor, unsigned
from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.index.store import Index
from testamur.node.issuing.apply import build_application, verify_application
from testamur.node.issuing.bundles import build_bundle
from testamur.node.issuing.publishing import publish_documents
from testamur.node.issuing.workspace import Settings, create_workspace
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.node.service.hosting import HostedLog
from testamur.node.service.opening import first_bundle
from testamur.node.service.statements import PublicationStore
from testamur.node.service.trust_keeping import TrustKeeper
from testamur.registry.canonical import canonicalize, digest
from testamur.registry.entries import EntryKind, Origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.publications import parse_bundle
from testamur.registry.trust_successions import OWN_SLUG, advance, own_did, parse_successions, version_id

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
KEY = signing_key(1)
V1 = first()
V2 = successor(V1)
V3 = successor(V2)
SETTINGS = Settings(
    registry=REGISTRY,
    slug=OWN_SLUG,
    did=own_did(REGISTRY),
    name="Registry",
    controller="0x" + "1a" * 20,
    status_base="https://registry.example/status",
)


def name_of(document):
    return version_id(REGISTRY, document["sequence"])


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own") / "registry"
    with create_workspace(
        folder,
        SETTINGS,
        key=KEY,
        next_keys=[signing_key(2).public_key],
        now=NOW,
        random_bytes=RepeatableRandom(),
        documents=[(name_of(V1), V1)],
    ) as workspace:
        return build_application(workspace)


@pytest.fixture
def own(tmp_path, application):
    """The registry's own log on disk with version 1 in it, and the keeper of a node that uses version 1."""
    documents = DocumentStore(tmp_path / "documents")
    origin = Origin(registry=REGISTRY, slug=OWN_SLUG, epoch=1)
    with contextlib.closing(Index(tmp_path / "index")) as index:
        writer = LogWriter(tmp_path / "log", str(origin), signing_key(9), documents)
        log = HostedLog(
            origin=origin,
            did=own_did(REGISTRY),
            first_key_event=verify_application(application, registry=REGISTRY).admission.first_key_event,
            writer=writer,
            index=index,
            publications=PublicationStore(tmp_path / "statements"),
            clock=lambda: NOW,
        )
        log.publish_statement(parse_bundle(first_bundle(application)))
        (tmp_path / "trust.json").write_bytes(canonicalize(V1))

        async def run(function, *arguments):
            return function(*arguments)

        keeper = TrustKeeper(tmp_path / "trust.json", REGISTRY)
        yield SimpleNamespace(
            log=log, run=run, documents=documents, index=index, keeper=keeper, path=tmp_path / "trust.json"
        )
        writer.close()


def bundle_of(own, *named):
    earlier = own.log.publications.newest()
    return parse_bundle(
        build_bundle(earlier, did=own_did(REGISTRY), lists=(), documents=named, key=KEY, now=NOW)
    )


async def publish(own, *documents):
    named = [(name_of(document), document) for document in documents]
    return await own.keeper.publish(own, bundle_of(own, *named), own.documents)


def test_version_1_is_a_document_of_the_first_statement(own):
    assert own.index.find_leaf(own.log.name, digest(V1), EntryKind.DOCUMENT) is not None
    assert list(own.log.publications.newest().documents) == [name_of(V1)]


async def test_a_proven_version_is_logged_used_and_told_about(own):
    told = []
    own.keeper.listeners.append(told.append)
    await publish(own, V2)
    assert own.keeper.trust.digest == parsed(V2).digest
    assert TrustKeeper(own.path, REGISTRY).trust.digest == parsed(V2).digest
    assert own.index.find_leaf(own.log.name, digest(V2), EntryKind.DOCUMENT) is not None
    assert [trust.sequence for trust in told] == [2]
    await publish(own, V3)
    assert own.keeper.trust.sequence == 3


async def test_several_versions_come_with_one_statement_in_any_order(own):
    await publish(own, V3, V2)
    assert own.keeper.trust.sequence == 3


REFUSED = {
    "too few signatures": ([(name_of(V2), successor(V1, members=("ada",)))], "trust-quorum-missing"),
    "a version left out": ([(name_of(V3), V3)], "trust-version-skipped"),
    "under another name": ([(version_id(REGISTRY, 7), V2)], "trust-version-misplaced"),
    "under a name of another kind": ([("https://registry.example/x", V2)], "trust-version-misplaced"),
    "version 1 again, changed": (
        [(name_of(V1), {**V1, "accreditors": ["did:web:x.example"]})],
        "trust-version-replaced",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_proven_is_not_logged(own, name):
    documents, reason = REFUSED[name]
    size = own.log.writer.next_index
    with pytest.raises(VerificationError) as caught:
        await own.keeper.publish(own, bundle_of(own, *documents), own.documents)
    assert caught.value.reason == reason
    assert (own.log.writer.next_index, own.keeper.trust.sequence) == (size, 1)


async def test_something_else_under_a_versions_name_is_malformed(own):
    with pytest.raises(MalformedError):
        await own.keeper.publish(own, bundle_of(own, (name_of(V2), {"type": "X"})), own.documents)


async def test_a_published_version_is_not_replaced_and_another_document_is_none_of_this(own):
    await publish(own, V2)
    again = signed(unsigned(V1), [attester("cyd"), attester("bit")])
    with pytest.raises(VerificationError, match="trust-version-replaced"):
        await publish(own, again)
    await own.keeper.publish(own, bundle_of(own, ("https://registry.example/x", {"a": 1})), own.documents)
    assert own.keeper.trust.sequence == 2


async def test_a_crash_between_log_and_file_is_made_good_at_the_next_start(own):
    await publish(own, V2)
    await publish(own, V3)
    own.path.write_bytes(canonicalize(V1))
    keeper = TrustKeeper(own.path, REGISTRY)
    keeper.adopt_published(own, own.documents)
    assert keeper.trust.sequence == 3
    keeper.adopt_published(own, own.documents)
    assert TrustKeeper(own.path, REGISTRY).trust.sequence == 3


async def test_a_lost_document_of_the_own_log_stops_and_says_so(own):
    await publish(own, V2)
    own.path.write_bytes(canonicalize(V1))
    for path in own.path.parent.joinpath("documents").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(StoreCorrupt, match="backup"):
        TrustKeeper(own.path, REGISTRY).adopt_published(own, own.documents)


async def test_whoever_has_version_1_is_led_to_the_newest(own):
    await publish(own, V2, V3)
    newest = own.log.publications.newest()
    found = parse_successions(own.keeper.successions(1, newest, own.documents))
    assert (found.newest, [item.sequence for item in found.files]) == (3, [2, 3])
    assert advance(parsed(V1), found.files).digest == own.keeper.trust.digest
    everything = parse_successions(own.keeper.successions(0, newest, own.documents))
    assert [item.sequence for item in everything.files] == [1, 2, 3]
    for after in (3, 9):
        assert parse_successions(own.keeper.successions(after, newest, own.documents)).files == ()


def test_a_node_without_the_own_log_hands_out_the_newest_version_only(tmp_path):
    (tmp_path / "trust.json").write_bytes(canonicalize(V3))
    keeper = TrustKeeper(tmp_path / "trust.json", REGISTRY)
    documents = DocumentStore(tmp_path / "documents")
    assert [item.sequence for item in parse_successions(keeper.successions(2, None, documents)).files] == [3]
    lost = parse_successions(keeper.successions(1, None, documents))
    assert (lost.newest, lost.files) == (3, ())


def test_a_node_without_a_trust_file_or_with_anothers_does_not_start(tmp_path):
    with pytest.raises(ConfigError, match="found a registry"):
        TrustKeeper(tmp_path / "trust.json", REGISTRY)
    (tmp_path / "trust.json").write_bytes(canonicalize(V1))
    with pytest.raises(ConfigError, match=r"not of other\.example"):
        TrustKeeper(tmp_path / "trust.json", "other.example")


def test_nobody_else_applies_under_the_registrys_slug(application):
    verified = verify_application(application, registry=REGISTRY)
    assert (verified.slug, verified.did) == (OWN_SLUG, own_did(REGISTRY))
    assert [name for name, _ in ((item["id"], 0) for item in application["published"])] == [name_of(V1)]


def test_an_impostor_under_the_registrys_slug_is_refused(tmp_path):
    settings = Settings(
        registry=REGISTRY,
        slug=OWN_SLUG,
        did="did:web:mallory.example",
        name="Registry",
        controller=SETTINGS.controller,
        status_base=SETTINGS.status_base,
    )
    with create_workspace(
        tmp_path / "mallory",
        settings,
        key=KEY,
        next_keys=[signing_key(2).public_key],
        now=NOW,
        random_bytes=RepeatableRandom(),
    ) as workspace:
        document = build_application(workspace)
    with pytest.raises(VerificationError, match="application-slug-reserved"):
        verify_application(document, registry=REGISTRY)


class Host:
    """A host that takes what it is given."""

    def __init__(self):
        self.bundles = []

    def publish(self, slug, bundle):
        self.bundles.append(bundle)
        return parse_bundle(dict(bundle)).statement.sequence


def test_publishing_a_document_twice_makes_one_statement(tmp_path):
    host = Host()
    with create_workspace(
        tmp_path / "registry",
        SETTINGS,
        key=KEY,
        next_keys=[signing_key(2).public_key],
        now=NOW,
        random_bytes=RepeatableRandom(),
        documents=[(name_of(V1), V1)],
    ) as workspace:
        for _ in range(2):
            publication = publish_documents(workspace, [(name_of(V2), V2)], key=KEY, port=host, now=NOW)
    assert (publication.statement.sequence, len(host.bundles)) == (2, 1)
    assert sorted(publication.documents) == [name_of(V1), name_of(V2)]
