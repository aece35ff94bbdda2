import dataclasses
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fakes.issuers import (
    DID,
    NOW,
    SETTINGS,
    MemoryHost,
    RepeatableRandom,
    copy_workspace,
    make_workspace,
    signing_key,
)
from testamur.node.errors import ConfigError, PeerMisbehaved, PeerUnreachable, StoreCorrupt, StoreLocked
from testamur.node.issuing.bundles import build_bundle
from testamur.node.issuing.decks import add_deck
from testamur.node.issuing.publishing import ensure_lists, publish_lists, publish_pending
from testamur.node.issuing.status_changes import StatusChange, change_status
from testamur.node.issuing.workspace import (
    LEDGER,
    admission,
    create_workspace,
    issuing_method,
    open_workspace,
)
from testamur.node.issuing.workspace import SETTINGS as SETTINGS_FILE
from testamur.registry.errors import VerificationError
from testamur.registry.key_events import commitment
from testamur.registry.keys import SigningKey

KEY = signing_key(1)


def test_a_new_workspace_has_keys_lists_and_a_first_statement(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "ada") as workspace:
        publication = workspace.publication()
    assert publication.statement.sequence == 1
    assert [key.public_key for key in publication.keys.chains[0].keys_at(1, 0)] == [KEY.public_key]
    assert publication.keys.events[0].next_commitment == commitment([signing_key(2).public_key])
    assert set(publication.lists) == {
        "https://status.ada.example/ada/revocation/1",
        "https://status.ada.example/ada/suspension/1",
    }
    assert admission(SETTINGS, publication).first_key_event == publication.keys.first_digest


def test_a_workspace_is_the_same_after_reopening(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "ada") as workspace:
        before = workspace.publication()
    with open_workspace(tmp_path / "ada") as workspace:
        assert workspace.settings == SETTINGS
        assert workspace.publication().statement == before.statement
        assert workspace.find_pending() is None


def test_a_workspace_holds_no_secret_and_is_closed_to_others(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "ada"):
        pass
    files = {path.name: path.read_bytes() for path in (tmp_path / "ada").iterdir()}
    for key in (KEY, signing_key(2)):
        for data in files.values():
            assert key.seed not in data
            assert key.seed.hex().encode() not in data
    assert signing_key(2).public_key.to_multikey().encode() not in files[LEDGER], "only a commitment to it"
    assert (tmp_path / "ada").stat().st_mode & 0o777 == 0o700


def test_a_workspace_has_one_owner_at_a_time(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "ada"), pytest.raises(StoreLocked):
        open_workspace(tmp_path / "ada")
    open_workspace(tmp_path / "ada").close()


def test_a_workspace_is_not_made_over_another_one(tmp_path: Path) -> None:
    make_workspace(tmp_path / "ada").close()
    with pytest.raises(ConfigError, match="already holds one"):
        make_workspace(tmp_path / "ada")
    open_workspace(tmp_path / "ada").close()


def test_a_workspace_whose_making_was_cut_off_can_be_made_again(tmp_path: Path) -> None:
    make_workspace(tmp_path / "ada").close()
    (tmp_path / "ada" / SETTINGS_FILE).unlink()  # the last write had not landed
    with pytest.raises(ConfigError, match="no issuer workspace"):
        open_workspace(tmp_path / "ada")
    with make_workspace(tmp_path / "ada") as workspace:
        assert workspace.publication().statement.sequence == 1


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"registry": "Registry"}, "registry"),
        ({"slug": "Ada"}, "slug"),
        ({"did": "ada.example"}, "DID"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"controller": "1a2b"}, "controller"),
        ({"status_base": "https://status.ada.example/"}, "status base"),
        ({"status_base": "ftp://status.ada.example"}, "status base"),
        ({"status_base": "/status"}, "status base"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_workspace(tmp_path / "ada", dataclasses.replace(SETTINGS, **changes))
    assert key.lower() in caught.value.key.lower()
    assert not (tmp_path / "ada").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"type": "IssuerWorkspace", "version": 2}'])
def test_damaged_settings_are_called_corrupt(tmp_path: Path, text: str) -> None:
    make_workspace(tmp_path / "ada").close()
    (tmp_path / "ada" / SETTINGS_FILE).write_text(text)
    with pytest.raises(StoreCorrupt, match=r"workspace\.json"):
        open_workspace(tmp_path / "ada")
    (tmp_path / "ada" / SETTINGS_FILE).write_text(json.dumps(SETTINGS.to_json()))
    open_workspace(tmp_path / "ada").close()


def test_any_did_may_issue(tmp_path: Path) -> None:
    did = "did:key:" + KEY.public_key.to_multikey()
    settings = dataclasses.replace(SETTINGS, did=did)
    with make_workspace(tmp_path / "ada", settings) as workspace:
        assert workspace.publication().statement.issuer == did
        assert issuing_method(settings, KEY) == f"{did}#{KEY.public_key.to_multikey()}"


# -- statements on their road to the host


def issued(workspace: Any, digest: bytes = b"d" * 32) -> bytes:
    """A credential in the ledger with status index 7 of deck 1."""
    with workspace.ledger.transaction():
        workspace.ledger.run("INSERT INTO jobs VALUES (1, x'00', 't', 'i', 'f', 's', 1, 1)")
        workspace.ledger.run("INSERT INTO credentials VALUES (1, 1, x'00', 1, 7, 'a', ?, 5)", (digest,))
    return digest


def revoke(
    workspace: Any, host: MemoryHost, digest: bytes, purpose: str = "revocation", value: bool = True
) -> Any:
    change = StatusChange(digest=digest, purpose=purpose, value=value)
    return change_status(workspace, [change], key=KEY, port=host, now=NOW)


def test_a_revocation_reaches_the_host_and_the_ledger(tmp_path: Path) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        revoke(workspace, host, issued(workspace))
        for publication in (host.publication, workspace.publication()):
            assert publication.statement.sequence == 2
            bits = publication.lists["https://status.ada.example/ada/revocation/1"].data
            assert bits[0] == 0b00000001


def test_a_status_that_is_as_asked_makes_no_statement(tmp_path: Path) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        digest = issued(workspace)
        revoke(workspace, host, digest, "suspension", value=False)
        assert workspace.publication().statement.sequence == 1
        revoke(workspace, host, digest)
        revoke(workspace, host, digest)
        assert workspace.publication().statement.sequence == 2


def test_a_revocation_is_not_taken_back_and_a_suspension_is(tmp_path: Path) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        digest = issued(workspace)
        revoke(workspace, host, digest, "suspension")
        revoke(workspace, host, digest, "suspension", value=False)
        revoke(workspace, host, digest)
        with pytest.raises(ConfigError, match="final"):
            revoke(workspace, host, digest, value=False)
        assert workspace.publication().statement.sequence == 4


def test_only_what_was_issued_here_can_be_revoked_here(tmp_path: Path) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        with pytest.raises(ConfigError, match="not issued from this workspace"):
            revoke(workspace, host, b"x" * 32)
        with pytest.raises(ConfigError, match="no status list"):
            revoke(workspace, host, issued(workspace), "rebinding")


@pytest.mark.parametrize("answer_lost", [False, True])
def test_a_statement_that_was_not_accepted_is_sent_again_and_not_made_again(
    tmp_path: Path, answer_lost: bool
) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        digest = issued(workspace)
        host.fail_publish_after, host.lose_answer = 0, answer_lost
        with pytest.raises(PeerUnreachable):
            revoke(workspace, host, digest)
        assert workspace.publication().statement.sequence == 1
    with open_workspace(tmp_path / "ada") as workspace:
        pending: Any = workspace.find_pending()
        assert pending["statement"]["sequence"] == 2
        host.fail_publish_after = None
        assert publish_pending(workspace, host).statement.json == pending["statement"]
        assert workspace.find_pending() is None
        assert host.publication.statement.json == pending["statement"]


def test_an_issuer_goes_on_above_the_numbers_that_a_thief_used_up(tmp_path: Path) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        again = publish_lists(workspace, [], key=KEY, port=host, now=NOW, above=16_384)
        assert again.statement.sequence == host.publication.statement.sequence == 16_385
        revoke(workspace, host, issued(workspace))
        assert host.publication.statement.sequence == 16_386
    with open_workspace(tmp_path / "ada") as workspace:
        assert workspace.publication().statement.json == host.publication.statement.json
        assert workspace.find_pending() is None


def test_a_host_with_another_statement_is_found_out(tmp_path: Path) -> None:
    class Ahead(MemoryHost):
        def publish(self, slug: str, bundle: Any) -> int:
            return super().publish(slug, bundle) + 5

    with copy_workspace(tmp_path / "ada") as workspace:
        host = Ahead(workspace.publication())
        with pytest.raises(PeerMisbehaved, match="newest statement is 7, not 2"):
            revoke(workspace, host, issued(workspace))
        assert workspace.find_pending() is not None


def test_a_copied_workspace_that_was_overtaken_says_how_to_go_on(tmp_path: Path) -> None:
    class Refusing(MemoryHost):
        def publish(self, slug: str, bundle: Any) -> int:
            raise PeerMisbehaved("HTTP 422: There are two statements with the sequence 2.")

    with copy_workspace(tmp_path / "ada") as workspace:
        with pytest.raises(PeerMisbehaved) as caught:
            revoke(workspace, Refusing(workspace.publication()), issued(workspace))
        said = str(caught.value)
        assert "two statements with the sequence 2" in said
        assert f"Statement 2, which is signed and kept in {tmp_path / 'ada'}" in said
        assert "set it aside" in said
        assert "testamur issuer watch --issuer ada" in said


def test_there_is_one_statement_per_sequence_for_ever(tmp_path: Path) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        bundle = build_bundle(workspace.publication(), did=DID, lists=[], key=KEY, now=NOW)
        with workspace.ledger.transaction():
            workspace.record_statement(bundle, 2)
        with pytest.raises(sqlite3.IntegrityError), workspace.ledger.transaction():
            workspace.record_statement(bundle, 2)


def test_a_new_deck_brings_a_new_pair_of_lists(tmp_path: Path) -> None:
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        ensure_lists(workspace, key=KEY, port=host, now=NOW)
        assert host.bundles == [], "the first pair is published already"
        with workspace.ledger.transaction():
            add_deck(workspace.ledger, 2, RepeatableRandom())
        ensure_lists(workspace, key=KEY, port=host, now=NOW)
        assert set(host.publication.lists) >= {
            "https://status.ada.example/ada/revocation/2",
            "https://status.ada.example/ada/suspension/2",
        }
        assert host.publication.statement.status_count == 4


def test_a_workspace_with_another_key_makes_no_statement(tmp_path: Path) -> None:
    stranger: SigningKey = signing_key(9)
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        change = StatusChange(digest=issued(workspace), purpose="revocation", value=True)
        with pytest.raises(VerificationError, match="key-not-in-force"):
            change_status(workspace, [change], key=stranger, port=host, now=NOW)
        assert workspace.find_pending() is None, "what the host would refuse is not even recorded"


def test_the_passed_key_decides_the_first_key_event(tmp_path: Path) -> None:
    workspace = create_workspace(
        tmp_path / "b",
        SETTINGS,
        key=signing_key(5),
        next_keys=[signing_key(6).public_key, signing_key(7).public_key],
        now=NOW,
        random_bytes=RepeatableRandom(),
    )
    with workspace:
        (event,) = workspace.publication().keys.events
    assert [key.public_key for key in event.keys] == [signing_key(5).public_key]
    assert event.next_commitment == commitment([signing_key(7).public_key, signing_key(6).public_key])
