"""The doctor: what is well, what is not, and what to do about it."""

from datetime import UTC, datetime, timedelta

import pytest

from fakes.whole_registry import trust_document
from testamur.node.keystore.encryption import ScryptParameters
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.node.service import chain_findings, doctor
from testamur.node.service.config import NodeConfig, write_config
from testamur.node.service.doctor import examine
from testamur.node.service.findings import State
from testamur.node.service.founding import create_member_keys
from testamur.node.service.tokens import TokenStore
from testamur.registry.canonical import canonicalize

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHEAP = ScryptParameters(n=16, r=8, p=1)


@pytest.fixture
def root(tmp_path):
    """A node that is made and not running, without a chain that answers."""
    folder = tmp_path / "node"
    folder.mkdir(mode=0o700)
    write_config(
        folder,
        NodeConfig(
            registry="registry.example", member="ada", port=9, rpc_url="http://127.0.0.1:9", chain_id=4242
        ),
    )
    create_member_keys(Keystore(folder / "keys", Passphrase("a passphrase"), parameters=CHEAP))
    (folder / "trust.json").write_bytes(canonicalize(trust_document()))
    return folder


async def found(root, **options):
    findings = await examine(root, clock=lambda: NOW, **options)
    assert all(finding.cure for finding in findings if finding.state != State.OK)
    return {finding.name: finding for finding in findings}


async def test_a_node_that_is_not_running_is_examined_from_its_files(root):
    seen = await found(root)
    assert {name for name, item in seen.items() if item.state == State.OK} >= {"settings", "disk", "keys"}
    assert seen["trust file"].state == State.OK
    assert (seen["node"].state, seen["node"].cure) == (
        State.WARN,
        "`testamur node run`, or start its service",
    )
    assert seen["chain"].state == State.FAIL
    assert "issuing goes on" in seen["chain"].cure
    assert "clock" not in seen  # nobody was there to compare with


async def test_no_node_at_all_is_one_finding(tmp_path):
    (finding,) = await examine(tmp_path, clock=lambda: NOW)
    assert finding.state == State.FAIL
    assert "testamur init" in finding.cure


@pytest.mark.parametrize(
    ("free", "state"), [(100 << 30, State.OK), (1 << 30, State.WARN), (1 << 20, State.FAIL)]
)
async def test_free_space_is_told_before_it_is_gone(root, free, state):
    assert (await found(root, free_bytes=lambda _: free))["disk"].state == state


async def test_a_folder_that_cannot_be_written_fails(root, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    disk = (await found(root))["disk"]
    assert disk.state == State.FAIL
    assert "cannot be written (Permission denied)" in disk.seen


async def test_keys_that_others_can_read_and_keys_that_are_missing(root):
    (root / "keys" / "operator.key.json").chmod(0o644)
    seen = await found(root)
    assert seen["keys"].state == State.WARN
    assert "chmod 600" in seen["keys"].cure
    (root / "keys" / "operator.key.json").unlink()
    assert (await found(root))["keys"].state == State.FAIL


async def test_a_foreign_or_missing_trust_file_fails(root):
    document = trust_document()
    document["registry"] = "other.example"
    (root / "trust.json").write_bytes(canonicalize(document))
    assert (await found(root))["trust file"].state == State.FAIL
    (root / "trust.json").unlink()
    assert (await found(root))["trust file"].state == State.FAIL


async def test_a_damaged_index_is_to_be_built_anew(root):
    (root / "index").mkdir()
    (root / "index" / "CURRENT").write_bytes(b"MANIFEST-gone\n")
    seen = await found(root)
    assert seen["index"].state == State.FAIL
    assert "reindex" in seen["index"].cure


@pytest.mark.parametrize(
    ("days", "state"), [(None, State.WARN), (10, State.WARN), (300, State.OK)], ids=["none", "ending", "good"]
)
async def test_an_issuer_without_a_token_cannot_submit(root, monkeypatch, days, state):
    monkeypatch.setattr(doctor, "application_slugs", lambda _: ["ada"])
    if days is not None:
        TokenStore(root / "tokens.json").create("ada", NOW, lifetime=timedelta(days=days))
    assert (await found(root))["tokens"].state == state


async def test_peers_that_do_not_answer_are_named(root):
    document = trust_document()
    for member in document["members"]:
        member["url"] = "http://127.0.0.1:9"
    (root / "trust.json").write_bytes(canonicalize(document))
    peers = [item for name, item in (await found(root)).items() if name.startswith("peer ")]
    assert peers
    assert {item.state for item in peers} == {State.WARN}


@pytest.mark.parametrize(
    ("seconds", "state"), [(600, State.FAIL), (10, State.OK), (-60, State.OK), (-86_400, State.WARN)]
)
def test_the_clock_is_compared_with_the_chain(seconds, state):
    assert chain_findings._clock(int(NOW.timestamp()) + seconds, NOW).state == state


@pytest.mark.parametrize(("ether", "state"), [(1.0, State.OK), (0.005, State.WARN), (0.0, State.FAIL)])
def test_funds_are_counted_in_anchors(ether, state):
    finding = chain_findings._funds("0x12", int(ether * 10**18), 10**9)
    assert finding.state == state
    assert "anchors" in finding.seen
