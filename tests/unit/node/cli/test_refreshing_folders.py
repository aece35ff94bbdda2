"""`evidence FOLDER`: every dossier in place, none made worse, and what was interrupted goes on."""

import json

import pytest

from fakes.status_life import StatusLife
from fakes.whole_registry import World, trust_document
from testamur.node.cli import completing
from testamur.node.cli.completing import run_evidence
from testamur.node.errors import ConfigError, PeerUnreachable
from testamur.registry.canonical import canonicalize
from testamur.registry.dossiers import encode_dossier, parse_dossier
from testamur.registry.evidence_building import refreshed


class Node:
    """Serves what `life` is now; counts what it is asked, and dies on request."""

    life: StatusLife
    asked: list[str]
    dies_after: int

    def __init__(self, url):
        self.url = url

    def close(self):
        pass

    def _answer(self, name):
        self.asked.append(name)
        if len(self.asked) > self.dies_after:
            raise PeerUnreachable(f"{self.url} does not answer")
        return self.life.evidence()

    def evidence(self, digest):
        return self._answer("digest")

    def evidence_at(self, origin, leaf_index, digest):
        return self._answer("place")

    def refreshed(self, document, kept, credential, **given):
        return refreshed(document, kept, credential, self.life.prove_consistency, mirrored=(), **given)


@pytest.fixture
def life(monkeypatch):
    made = StatusLife()
    monkeypatch.setattr(completing, "RegistryClient", Node)
    Node.life, Node.asked, Node.dies_after = made, [], 1_000
    return made


@pytest.fixture
def folder(tmp_path, life):
    made = tmp_path / "mine"
    made.mkdir()
    for name in ("a", "b", "c"):
        (made / f"{name}.credential.json").write_bytes(canonicalize(life.credential))
    return made


def refresh(folder, capsys, code=0, **more):
    """The rows of JSON."""
    found = run_evidence([folder], node_url="http://n", out=None, as_json=True, home=folder.parent, **more)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found == code, rows
    return rows


def states(rows):
    return [row["state"] for row in rows]


def test_a_second_run_writes_nothing_and_asks_for_no_digest(folder, life, capsys):
    assert [row["changed"] for row in refresh(folder, capsys)] == [True] * 3
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    Node.asked.clear()
    assert [row["changed"] for row in refresh(folder, capsys)] == [False] * 3
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert Node.asked == ["place"] * 3


def test_a_folder_is_refreshed_in_place_and_keeps_what_it_proved(folder, life, capsys):
    refresh(folder, capsys)
    life.tick()
    life.change("suspension", 8, True)
    life.anchor()
    assert [(row["changed"], row["earlier"]) for row in refresh(folder, capsys)] == [(True, 1)] * 3
    assert len(list(folder.iterdir())) == 3


def test_a_holder_may_forget_what_older_evidence_shows(folder, life, capsys):
    refresh(folder, capsys)
    life.tick()
    life.change("suspension", 8, True)
    life.anchor()
    assert [row["earlier"] for row in refresh(folder, capsys)] == [1] * 3
    assert [row["earlier"] for row in refresh(folder, capsys, forget=True)] == [0] * 3
    assert b'"earlier"' not in (folder / "a.credential.json").read_bytes()


def test_what_is_damaged_is_named_and_what_is_no_credential_left_alone(folder, life, capsys):
    (folder / "b.credential.json").write_bytes(b"{")
    (folder / "trust.json").write_bytes(canonicalize(trust_document()))
    shown = {"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"]}
    (folder / "x.presentation.json").write_bytes(canonicalize(shown))
    rows = refresh(folder, capsys, code=1)
    assert states(rows) == ["anchored", "error", "anchored", "skipped", "skipped"]
    assert (folder / "b.credential.json").read_bytes() == b"{"


def test_a_file_that_is_named_is_not_skipped(folder, life):
    (folder / "trust.json").write_bytes(canonicalize(trust_document()))
    with pytest.raises(Exception, match="trust file"):
        run_evidence([folder / "trust.json"], node_url="http://n", out=None, as_json=True, home=folder)


def test_a_node_that_dies_is_not_asked_again_and_the_next_run_goes_on(folder, life, capsys):
    Node.dies_after = 1
    assert states(refresh(folder, capsys, code=1)) == ["anchored", "error", "error"]
    assert len(Node.asked) == 2
    Node.dies_after = 1_000
    rows = refresh(folder, capsys)
    assert [row["changed"] for row in rows] == [False, True, True]


def test_that_a_node_does_not_answer_is_said_once(folder, life, capsys):
    Node.dies_after = 0
    run_evidence([folder], node_url="http://n", out=None, as_json=False, home=folder)
    shown = capsys.readouterr()
    assert shown.err.count("does not answer") == 1
    assert shown.out.splitlines() == [
        "3 files: 0 completed, 3 not",
        "Run it again to go on: what is completed is not done again.",
    ]


# ------------------------------------------------------------------------------------------- nothing is lost


def stripped(document):
    document["anchors"][0]["finality"] = []


def without_lists(document):
    next(iter(document["logs"].values()))["status"] = []


def without_cosignatures(document):
    log = next(iter(document["logs"].values()))
    head, _, lines = log["checkpoint"].partition("\n\n")
    log["checkpoint"] = f"{head}\n\n{lines.splitlines()[0]}\n"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (stripped, "check 6: finality-unproven"),
        (without_lists, "check 9: status-missing"),
        (without_cosignatures, "check 5: quorum-missing"),
    ],
)
def test_evidence_that_proves_less_is_not_taken(folder, capsys, monkeypatch, spoil, reason):
    life = Node.life
    (folder.parent / "trust.json").write_bytes(canonicalize(trust_document()))
    refresh(folder, capsys)
    before = (folder / "a.credential.json").read_bytes()
    life.tick()
    life.anchor()
    whole = life.evidence()
    spoil(whole)
    monkeypatch.setattr(Node, "_answer", lambda *_: whole)
    rows = refresh(folder, capsys, code=1)
    assert all(reason in row["error"] and "nothing was changed" in row["error"] for row in rows)
    assert (folder / "a.credential.json").read_bytes() == before


@pytest.mark.parametrize("is_trusted", [True, False])
def test_what_was_false_in_a_file_is_refreshed_away_where_it_can_be_told(folder, life, capsys, is_trusted):
    if is_trusted:
        (folder.parent / "trust.json").write_bytes(canonicalize(trust_document()))
    refresh(folder, capsys)
    path = folder / "a.credential.json"
    credential, evidence = parse_dossier(path.read_bytes())
    next(iter(evidence["logs"].values()))["statement"]["time"] = "2026-01-01T00:00:00Z"
    path.write_bytes(encode_dossier(credential, evidence))
    life.tick()
    life.change("suspension", 8, True)
    life.anchor()
    assert [row["earlier"] for row in refresh(folder, capsys)] == [0 if is_trusted else 1, 1, 1]


def test_a_status_that_became_bad_is_taken(folder, life, capsys):
    (folder.parent / "trust.json").write_bytes(canonicalize(trust_document()))
    refresh(folder, capsys)
    life.tick()
    life.change("revocation", 7, True)
    life.anchor()
    assert [row["statement"] for row in refresh(folder, capsys)] == [2, 2, 2]


def test_a_log_that_a_file_leans_on_is_not_lost(folder, life, capsys):
    refresh(folder, capsys)
    path = folder / "a.credential.json"
    credential, evidence = parse_dossier(path.read_bytes())
    (log,) = (
        World(origin=life.origin.__class__(registry="registry.example", slug="bit", epoch=1))
        .evidence()["logs"]
        .values()
    )
    evidence["logs"]["registry.example/bit/1"] = log
    path.write_bytes(encode_dossier(credential, evidence))
    with pytest.raises(ConfigError, match=r"of registry\.example/bit/1, and .* nothing of that log"):
        run_evidence([path], node_url="http://n", out=None, as_json=True, home=folder)
