"""A node that is behind, or that replays what suits it, takes no revocation out of a file or a verdict."""

import json

import pytest

from fakes.issuers import DID, signing_key
from fakes.whole_registry import ISSUER_KEY, NOW, World, trust_document
from testamur.node.cli import completing, verifying
from testamur.node.cli.completing import run_evidence
from testamur.node.cli.quick_start import VerifyOptions
from testamur.node.errors import ConfigError
from testamur.node.fetch import registry as fetching
from testamur.registry.key_events import build_key_event, commitment
from testamur.registry.newer_evidence import find_older_statement
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import Outcome


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

        def refreshed(self, document, kept, credential, **_):
            return document

        def evidence_at(self, origin, leaf_index, digest):
            return world.evidence()

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


@pytest.mark.parametrize("case", [(0, "statement 1, older than 2"), (1, None)])
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


def verdict_beside(kept, served, monkeypatch):
    """The verdict on a file with `kept` evidence, where a node serves `served` (None: nothing)."""

    class Node(node_of(None)):
        def evidence(self, digest):
            return served

    monkeypatch.setattr(fetching, "RegistryClient", Node)
    verifier = verifying.Verifier(
        trust=parse_trust_file(json.dumps(trust_document()).encode()),
        policy=verifying.DEFAULT_POLICY,
        node_url="http://n",
        rpc_urls=(),
        as_of=None,
        now=NOW,
    )
    return verifier.judge(json.dumps(kept).encode(), None)


def with_broken_signature(evidence):
    """The same log as its key did not sign it."""
    ((name, log),) = evidence["logs"].items()
    text, _, signatures = log["checkpoint"].partition("\n\n")
    dash, signer, signature = signatures.split("\n")[0].split(" ")
    bent = signature[:20] + ("B" if signature[20] == "A" else "A") + signature[21:]
    line = f"{dash} {signer} {bent}"
    lines = "\n".join([line, *signatures.split("\n")[1:]])
    return {**evidence, "logs": {name: {**log, "checkpoint": f"{text}\n\n{lines}"}}}


def test_a_node_that_is_behind_or_lies_makes_no_valid_file_invalid(worlds, monkeypatch):
    dossier, evidence = worlds[0].dossier(), worlds[0].evidence()
    for served, said in (
        (None, "does not know"),
        ({**evidence, "anchors": []}, "check 6: not-anchored"),
        (World(witnesses=()).evidence(), "check 5: quorum-missing"),
        (with_broken_signature(evidence), "check 5: note-signature-invalid"),
        (World(root_on_chain=bytes(31) + b"x").evidence(), "check 6: anchor-root-mismatch"),
        ({"type": "TestamurEvidence"}, "was not believed"),
    ):
        found = verdict_beside(dossier, served, monkeypatch)
        (note,) = found.notes
        assert (found.outcome, said in note) == (Outcome.VALID, True), note


def test_a_node_that_knows_more_is_listened_to(worlds, monkeypatch):
    before, after = worlds
    bare = {"credential": before.credential, "evidence": None}
    assert verdict_beside(bare, before.evidence(), monkeypatch).outcome is Outcome.VALID
    unanchored = {**before.dossier(), "evidence": {**before.evidence(), "anchors": []}}
    assert verdict_beside(unanchored, before.evidence(), monkeypatch).outcome is Outcome.VALID
    for served in (after.evidence(), {**after.evidence(), "anchors": []}):
        found = verdict_beside(before.dossier(), served, monkeypatch)
        assert (found.outcome, found.credential_status) == (Outcome.INVALID, "revoked")


def test_a_log_that_somebody_made_up_revokes_nothing(worlds, monkeypatch):
    """The issuer's key is public: it can stand in anybody's key event, beside a key of his own."""
    made_up = World(revoked=(7,))
    event = build_key_event(
        did=DID,
        keys=[ISSUER_KEY, signing_key(66)],
        next_commitment=commitment([signing_key(67).public_key]),
        created="2026-11-20T00:00:00Z",
    )
    (log,) = made_up.evidence()["logs"].values()
    assert event != log["keyEvents"][0]
    made_up.publication = made_up._publish(event)
    served = {**made_up.evidence(), "anchors": []}
    kept = worlds[0].dossier()
    for evidence in (kept["evidence"], {**kept["evidence"], "anchors": []}):
        before = verdict_beside({**kept, "evidence": evidence}, None, monkeypatch)
        found = verdict_beside({**kept, "evidence": evidence}, served, monkeypatch)
        assert (found.outcome, found.checks) == (before.outcome, before.checks)
        assert "proves less" in found.notes[-1]
    bare = verdict_beside({**kept, "evidence": None}, served, monkeypatch)
    assert bare.check(9).reason == "revoked"  # so it would have counted
