"""`evidence` for several files, and `issuer token`: what they say, and what they refuse."""

import json
from pathlib import Path

import pytest

from fakes.whole_registry import World
from testamur.node.cli import completing
from testamur.node.cli.completing import run_evidence
from testamur.node.cli.issuer_tokens import run_create, run_list, run_revoke
from testamur.node.cli.settings import host_of_issuer, only_issuer
from testamur.node.errors import ConfigError
from testamur.node.service.config import NodeConfig, write_config
from testamur.registry.canonical import canonicalize
from testamur.registry.dossiers import parse_dossier

BARE = canonicalize(World().credential)


class Node:
    """Answers with the evidence of one world, whatever it is asked."""

    def __init__(self, url: str) -> None:
        self.url = url

    def evidence(self, digest: bytes):
        return World().evidence()

    def refreshed(self, document, kept, credential, *, records=(), trust=None):
        return document

    def evidence_at(self, origin, leaf_index, digest):
        return World().evidence()

    def close(self):
        """Nothing to close."""


@pytest.fixture
def node(monkeypatch):
    monkeypatch.setattr(completing, "RegistryClient", Node)


# -- evidence


def test_several_files_and_folders_are_completed_in_place(tmp_path, node, capsys):
    for name in ("a.json", "more/b.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(BARE)
    (tmp_path / "a.json").chmod(0o600)
    (tmp_path / "more" / "b.json").chmod(0o644)
    files = [tmp_path / "a.json", tmp_path / "more"]
    assert run_evidence(files, node_url="http://n", out=None, as_json=False, home=tmp_path) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 files: 2 completed, 0 not"
    for name, mode in (("a.json", 0o600), ("more/b.json", 0o644)):
        assert parse_dossier((tmp_path / name).read_bytes())[1] is not None
        assert (tmp_path / name).stat().st_mode & 0o777 == mode


def test_one_that_cannot_be_completed_is_named_and_the_others_are(tmp_path, node, capsys):
    (tmp_path / "a.json").write_bytes(b"?")
    (tmp_path / "b.json").write_bytes(BARE)
    assert run_evidence([tmp_path], node_url="http://n", out=None, as_json=True, home=tmp_path) == 1
    bad, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert (bad["state"], good["state"]) == ("error", "anchored")
    assert "not JSON" in bad["error"]


def test_evidence_alone_is_written_for_one_file_only(tmp_path, node):
    (tmp_path / "a.json").write_bytes(BARE)
    (tmp_path / "b.json").write_bytes(BARE)
    out = tmp_path / "e.json"
    with pytest.raises(ConfigError, match="--out: is for one file"):
        run_evidence([tmp_path], node_url="http://n", out=out, as_json=False, home=tmp_path)
    assert (
        run_evidence([tmp_path / "a.json"], node_url="http://n", out=out, as_json=False, home=tmp_path) == 0
    )
    assert json.loads(out.read_bytes())["type"] == "TestamurEvidence"
    assert (tmp_path / "a.json").read_bytes() == BARE


def workspace(home: Path, slug: str, did: str) -> None:
    folder = home / "issuers" / slug
    folder.mkdir(parents=True)
    (folder / "workspace.json").write_text(json.dumps({"did": did}))
    (folder / "host.json").write_text(json.dumps({"node": f"https://{slug}.example"}))


def test_the_host_of_the_credentials_issuer_is_asked(tmp_path):
    workspace(tmp_path, "ada", "did:web:ada.example")
    workspace(tmp_path, "bob", "did:web:bob.example")
    assert host_of_issuer(tmp_path, "did:web:bob.example") == "https://bob.example"
    assert host_of_issuer(tmp_path, "did:web:eve.example") is None


def test_the_only_issuer_is_meant(tmp_path):
    with pytest.raises(ConfigError, match="issuer apply"):
        only_issuer(tmp_path)
    workspace(tmp_path, "ada", "did:web:ada.example")
    assert only_issuer(tmp_path) == "ada"
    workspace(tmp_path, "bob", "did:web:bob.example")
    with pytest.raises(ConfigError, match="ada, bob"):
        only_issuer(tmp_path)


# -- tokens


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "node").mkdir()
    write_config(tmp_path / "node", NodeConfig(registry="registry.example", member="ada"))
    monkeypatch.setattr("testamur.node.cli.issuer_tokens.application_slugs", lambda _: ["ada"])
    return tmp_path


def test_a_token_is_made_listed_and_ended(home, capsys):
    run_create("ada", days=10, out=None, as_json=True, home=home)
    made = json.loads(capsys.readouterr().out)
    assert made["token"].startswith("tstm_")
    assert (made["issuer"], made["state"]) == ("ada", "active")
    run_list(None, as_json=False, home=home)
    listed = capsys.readouterr().out
    assert made["id"] in listed
    assert made["token"] not in listed
    run_revoke(made["id"][:8], slug=None, as_json=False, home=home)
    assert made["id"] in capsys.readouterr().out
    run_list("ada", as_json=True, home=home)
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["revoked"]


def test_a_token_can_go_to_a_file_that_only_its_owner_reads(home, tmp_path, capsys):
    out = tmp_path / "token"
    run_create("ada", days=10, out=out, as_json=True, home=home)
    assert json.loads(capsys.readouterr().out)["token"] is None
    assert out.read_text().startswith("tstm_")
    assert out.stat().st_mode & 0o777 == 0o600


def test_all_tokens_of_an_issuer_end_together(home, capsys):
    for _ in range(2):
        run_create("ada", days=10, out=None, as_json=True, home=home)
    capsys.readouterr()
    run_revoke(None, slug="ada", as_json=True, home=home)
    assert len(json.loads(capsys.readouterr().out)) == 2


@pytest.mark.parametrize(
    ("slug", "days", "words"),
    [("eve", 10, "not hosted here"), ("ada", 0, "must be 1 to"), ("ada", 99_999, "1 to")],
)
def test_a_token_for_nobody_or_for_ever_is_refused(home, slug, days, words):
    with pytest.raises(ConfigError, match=words):
        run_create(slug, days=days, out=None, as_json=True, home=home)


def test_nothing_is_revoked_by_saying_nothing(home):
    with pytest.raises(ConfigError, match="name a token"):
        run_revoke(None, slug=None, as_json=False, home=home)
    with pytest.raises(ConfigError, match="no such token"):
        run_revoke("abcdef12", slug=None, as_json=False, home=home)
