"""A node that is behind, or that replays what suits it, takes no revocation out of a file or a verdict."""

import json

import pytest

from fakes.whole_registry import NOW, World, trust_document
from testamur.node.cli import completing, verifying
from testamur.node.cli.completing import run_evidence
from testamur.node.cli.quick_start import VerifyOptions
from testamur.node.errors import ConfigError
from testamur.node.fetch import registry as fetching
from testamur.registry.evidence_building import find_older_statement


@pytest.fixture(scope="module")
def worlds():
    return World(), World(revoked=(7,))


def node_of(world):
    """A node that serves this world's evidence of any credential."""

    class Node:
        def __init__(self, url):
            self.url = url

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.close()

        def close(self):
            pass

        def evidence(self, digest):
            return world.evidence()

        def keep_first(self, document, kept):
            return document

    return Node


def test_only_a_smaller_number_is_older(worlds):
    before, after = (world.evidence() for world in worlds)
    assert find_older_statement(before, after) == ("registry.example/ada/1", 1, 2)
    assert find_older_statement(after, before) is None
    assert find_older_statement(after, after) is None
    assert find_older_statement(after, None) is None
    assert find_older_statement(after, {"type": "something else"}) is None


def test_evidence_with_an_older_statement_is_not_taken(worlds, tmp_path, monkeypatch):
    before, after = worlds
    path = tmp_path / "a.credential.json"
    path.write_text(json.dumps(after.dossier()))
    monkeypatch.setattr(completing, "RegistryClient", node_of(before))
    with pytest.raises(ConfigError, match="serves the older 1"):
        run_evidence([path], node_url="http://n", out=None, as_json=True, home=tmp_path)
    assert json.loads(path.read_text()) == after.dossier()


@pytest.mark.parametrize("case", [(0, "older than 2"), (1, None)])
def test_a_verdict_is_about_the_newer_of_file_and_node(worlds, tmp_path, monkeypatch, capsys, case):
    served, expected = case
    path, trust = tmp_path / "a.credential.json", tmp_path / "trust.json"
    path.write_text(json.dumps(worlds[1].dossier()))
    trust.write_text(json.dumps(trust_document()))
    monkeypatch.setattr(fetching, "RegistryClient", node_of(worlds[served]))

    class Clock(verifying.datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW

    monkeypatch.setattr(verifying, "datetime", Clock)
    options = VerifyOptions(files=(path,), trust=trust, node="http://n", json=True)
    assert verifying.run_verify(options) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["credentialStatus"] == "revoked"
    assert (expected is None) == (verdict["notes"] == [])
    assert all(expected in note for note in verdict["notes"])
