"""`testamur trust`: a file goes forward by what is proven, is never blindly replaced, and each refusal has its code."""

import json

import pytest
from typer.testing import CliRunner

from fakes.trust_chain import chain_of, copied, first, parsed, successor
from testamur.node.cli.main import app
from testamur.node.errors import ConfigError, PeerMisbehaved
from testamur.node.fetch import registry
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import encode_digest
from testamur.registry.trust_successions import encode_successions

V1 = first()
V2 = successor(V1)
V3 = successor(V2)
THIEF = successor(V1, lambda d: d.update(accreditors=["did:web:thief.example"]), members=("ada",))


class StubNode:
    """A node's answers about the trust file; `versions` is what it has, two at once."""

    def __init__(self, *versions, newest=None):
        self.versions = versions
        self.newest = newest or versions[-1]["sequence"]
        self.url = "https://node.example"

    def __call__(self, url):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        return None

    def trust_file(self):
        return canonicalize(self.versions[-1])

    def trust_successions(self, after):
        found = [item for item in self.versions if item["sequence"] > after][:2]
        return encode_successions(self.versions[-1]["registry"], self.newest, found)


@pytest.fixture
def at(tmp_path, monkeypatch):
    def serve(*versions, **options):
        monkeypatch.setattr(registry, "RegistryClient", StubNode(*versions, **options))
        return tmp_path

    for number, document in enumerate((V1, V2, V3), 1):
        (tmp_path / f"v{number}.json").write_bytes(canonicalize(document))
    return serve


def run(*arguments):
    result = CliRunner().invoke(app, ["trust", *[str(argument) for argument in arguments]])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def fetch(folder, *more):
    return run("fetch", "--node", "https://node.example", "--out", folder / "mine.json", "--json", *more)


def test_show_names_the_version_its_predecessor_and_the_rule_for_the_next(tmp_path, at):
    folder = at(V1)
    said = run("show", folder / "v2.json").output
    for word in (
        "Trust file 2",
        "succeeds to  version 1",
        "with 2 signatures",
        "signatures of 2 of 3 members",
    ):
        assert word in said
    row = json.loads(run("show", folder / "v2.json", "--json").output)
    assert (row["sequence"], row["succession"]) == (2, {"threshold": 2})
    assert row["previous"] == encode_digest(parsed(V1).digest)
    assert json.loads(run("show", folder / "v1.json", "--json").output)["previous"] is None


def test_verify_without_a_start_says_that_nothing_is_proven(at):
    folder = at(V1)
    result = run("verify", folder / "v3.json")
    assert result.exit_code == 0
    assert "not proven" in result.output
    with pytest.raises(ConfigError, match="--from"):
        run("verify", folder / "v3.json", "--out", folder / "x.json")
    (folder / "broken.json").write_bytes(canonicalize({**V1, "sequence": 0}))
    with pytest.raises(MalformedError):
        run("verify", folder / "broken.json")


def test_verify_proves_files_and_documents_of_successions_and_writes_the_newest(at):
    folder = at(V1)
    (folder / "chain.json").write_bytes(chain_of(V2, V3))
    for given in ([folder / "v2.json", folder / "v3.json"], [folder / "chain.json"]):
        out = folder / "out.json"
        result = run("verify", *given, "--from", folder / "v1.json", "--out", out, "--json")
        assert json.loads(result.output)["newest"]["sequence"] == 3
        assert parsed(json.loads(out.read_text())).digest == parsed(V3).digest
        out.unlink()


@pytest.mark.parametrize(
    ("document", "reason"),
    [(THIEF, "trust-quorum-missing"), (V3, "trust-version-skipped"), (V1, "trust-version-fell")],
)
def test_verify_refuses_with_exit_1_and_the_reason_and_writes_nothing(at, document, reason):
    folder = at(V1)
    (folder / "given.json").write_bytes(canonicalize(document))
    where = (folder / "given.json", "--from", folder / "v1.json", "--out", folder / "out.json")
    result = run("verify", *where, "--json")
    assert (result.exit_code, json.loads(result.output)["reason"]) == (1, reason)
    assert "refused" in run("verify", *where).output
    assert not (folder / "out.json").exists()


def test_fetch_goes_forward_in_as_many_answers_as_it_takes_and_keeps_the_way(at):
    folder = at(V1, V2, V3, successor(V3))
    (folder / "mine.json").write_bytes(canonicalize(V1))
    result = fetch(folder, "--chain", folder / "chain.json")
    assert json.loads(result.output)["newest"]["sequence"] == 4
    offline = run("verify", folder / "chain.json", "--from", folder / "v1.json", "--json")
    assert json.loads(offline.output)["newest"]["sequence"] == 4
    again = fetch(folder)
    assert json.loads(again.output)["from"]["sequence"] == 4


def test_fetch_keeps_the_file_when_the_node_has_something_that_no_quorum_signed(at):
    for versions in ((THIEF,), (V2, successor(V2, members=("cyd",)))):
        folder = at(*versions)
        (folder / "mine.json").write_bytes(canonicalize(V1))
        result = fetch(folder)
        assert (result.exit_code, json.loads(result.output)["outcome"]) == (1, "refused")
        assert (folder / "mine.json").read_bytes() == canonicalize(V1)


def test_fetch_says_when_a_node_lacks_the_way_or_is_another_registrys(at):
    folder = at(V3)
    (folder / "mine.json").write_bytes(canonicalize(V1))
    assert fetch(folder).exit_code == 1
    folder = at(V1, newest=5)
    with pytest.raises(PeerMisbehaved, match="lacks version 2"):
        fetch(folder)
    other = copied(V2)
    other["registry"] = "other.example"
    at(other)
    with pytest.raises(ConfigError, match=r"is of other\.example"):
        fetch(folder)
    assert (folder / "mine.json").read_bytes() == canonicalize(V1)


def test_a_first_file_is_taken_as_it_is_unless_its_fingerprint_is_known_to_be_another(at):
    folder = at(V2)
    with pytest.raises(ConfigError, match="nothing was written"):
        fetch(folder, "--fingerprint", parsed(V1).fingerprint)
    assert not (folder / "mine.json").exists()
    assert fetch(folder, "--fingerprint", parsed(V2).fingerprint.upper()).exit_code == 0
    assert parsed(json.loads((folder / "mine.json").read_text())).digest == parsed(V2).digest


def test_a_draft_says_what_it_changes_and_lacks_signatures(at):
    folder = at(V1)
    where = ("--trust", folder / "v1.json", "--out", folder / "draft.json", "--json")
    row = json.loads(run("draft", "--end", "cyd", "--threshold", 1, *where).output)
    assert row["sequence"] == 2
    assert any("sets succession" in line for line in row["changes"])
    # Who left stays listed, and is not among those who could sign.
    assert "signatures of 1 of 2 members" in run("show", folder / "draft.json").output
    refused = run("verify", folder / "draft.json", "--from", folder / "v1.json", "--json")
    assert json.loads(refused.output)["reason"] == "trust-quorum-missing"
