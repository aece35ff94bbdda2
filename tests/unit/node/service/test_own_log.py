"""Publishing a version: what a node would refuse never becomes a statement of the registry's own log."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.issuers import REGISTRY, RepeatableRandom, signing_key
from fakes.trust_chain import attester, first, parsed, signed, successor, unsigned
from testamur.node.errors import ConfigError, PeerUnreachable
from testamur.node.issuing.workspace import Settings, create_workspace, open_workspace
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.service import issuer_side
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.founding import founded_before
from testamur.node.service.own_log import load_trust_file, publish_version
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import VerificationError
from testamur.registry.publications import parse_bundle
from testamur.registry.trust_successions import OWN_SLUG, own_did, version_id

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
KEY = signing_key(1)
V1 = first()
V2 = successor(V1)


class Node:
    """A node that uses a version, takes statements, and can lose its answer."""

    url = "https://node.example"

    def __init__(self, used):
        self.used = used
        self.sequences = []
        self.lose_answer = False

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        return None

    def trust_file(self):
        return canonicalize(self.used)

    def publish(self, slug, bundle):
        self.sequences.append(parse_bundle(dict(bundle)).statement.sequence)
        if self.lose_answer:
            raise PeerUnreachable("the answer was lost")
        return self.sequences[-1]


@pytest.fixture
def council(tmp_path, monkeypatch):
    """The registry's workspace, and a node that uses version 1."""
    folder = tmp_path / "registry"
    settings = Settings(
        registry=REGISTRY,
        slug=OWN_SLUG,
        did=own_did(REGISTRY),
        name="Registry",
        controller="0x" + "1a" * 20,
        status_base="https://registry.example/status",
    )
    create_workspace(
        folder,
        settings,
        key=KEY,
        next_keys=[signing_key(2).public_key],
        now=NOW,
        random_bytes=RepeatableRandom(),
        documents=[(version_id(REGISTRY, 1), V1)],
    ).close()
    node = Node(V1)
    monkeypatch.setattr(issuer_side, "host_client", lambda *_, **__: node)
    monkeypatch.setattr(issuer_side, "signing_key", lambda *_: KEY)

    def publish(current, later):
        secret = Passphrase("for tests")
        return publish_version(folder, parsed(current), parsed(later), secret, node_url=node.url, now=NOW)

    return publish, node, folder


def test_a_version_becomes_one_statement_however_often_it_is_published(council):
    publish, node, _ = council
    assert publish(V1, V2).statement.sequence == 2
    # From here on the node's file on this disk is version 2.
    again = signed(unsigned(V1), [attester("cyd"), attester("bit")])
    for later in (V2, again):
        assert publish(V2, later).statement.sequence == 2
    assert node.sequences == [2]


def test_a_lost_answer_is_made_good_by_publishing_again(council):
    publish, node, _ = council
    node.lose_answer = True
    with pytest.raises(PeerUnreachable):
        publish(V1, V2)
    node.lose_answer = False
    assert publish(V2, V2).statement.sequence == 2
    assert node.sequences == [2, 2]


def test_what_the_node_would_refuse_is_refused_before_anything_is_signed(council, tmp_path):
    publish, node, folder = council
    with pytest.raises(VerificationError, match="trust-quorum-missing"):
        publish(V1, successor(V1, members=("ada",)))
    with pytest.raises(VerificationError, match="trust-version-fell"):
        publish(V2, V2)
    node.used = V2
    with pytest.raises(ConfigError, match="uses version 2"):
        publish(V1, successor(V1, lambda d: d.update(accreditors=["did:web:x.example"])))
    assert node.sequences == []
    with open_workspace(folder) as workspace:
        assert workspace.find_pending() is None
    secret = Passphrase("for tests")
    with pytest.raises(ConfigError, match="where the registry was founded"):
        publish_version(tmp_path / "none", parsed(V1), parsed(V2), secret, node_url=node.url, now=NOW)


def test_a_founding_that_a_crash_cut_short_is_finished_and_not_begun_again(tmp_path):
    config = NodeConfig(registry=REGISTRY, member="ada", contract="0x" + "11" * 20)
    folders = NodeFolders(tmp_path)
    assert founded_before(tmp_path, config) is None
    with pytest.raises(ConfigError, match="found a registry"):
        load_trust_file(folders.trust)
    folders.trust.write_bytes(canonicalize(V1))
    found = founded_before(tmp_path, config)
    assert (found.contract, found.fingerprint) == (b"\x11" * 20, parsed(V1).fingerprint)
    assert load_trust_file(folders.trust).sequence == 1
    application = Path(folders.issuer(OWN_SLUG)) / "application.json"
    application.parent.mkdir(parents=True)
    application.write_bytes(b"{}")
    assert founded_before(tmp_path, config) is None
