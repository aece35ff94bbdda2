"""Access tokens: found by their holder, never by whoever reads the data folder; they end, and can be ended."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from testamur.node.errors import ConfigError, StoreCorrupt, StoreLocked
from testamur.node.files import FileLock
from testamur.node.service import tokens
from testamur.node.service.tokens import MAX_LIFETIME, TokenStore

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokens.json"


def test_a_token_finds_its_issuer_and_nothing_else_does(path):
    store = TokenStore(path)
    assert store.find("anything", NOW) is None
    ada, bit = store.create("ada", NOW).secret, store.create("bit", NOW).secret
    assert (store.find(ada, NOW).slug, store.find(bit, NOW).slug) == ("ada", "bit")
    for wrong in ("", ada[:-1], ada + "x", ada.upper(), "tstm_"):
        assert store.find(wrong, NOW) is None


def test_the_file_holds_digests_and_is_its_owners_alone(path):
    token = TokenStore(path).create("ada", NOW)
    assert token.secret not in path.read_text()
    assert token.secret.removeprefix("tstm_") not in path.read_text()
    assert token.token.id not in token.secret
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_running_node_sees_what_another_process_adds_and_revokes(path):
    running, other = TokenStore(path), TokenStore(path)
    assert running.find("x", NOW) is None
    made = other.create("ada", NOW)
    assert running.find(made.secret, NOW).state(NOW) == "active"
    other.revoke(made.token.id, NOW)
    assert running.find(made.secret, NOW).state(NOW) == "revoked"


def test_a_token_ends_on_its_day_and_not_before(path):
    store = TokenStore(path)
    made = store.create("ada", NOW, lifetime=30 * DAY)
    assert made.token.expires == NOW + 30 * DAY
    found = store.find(made.secret, NOW)
    assert found.state(NOW + 30 * DAY - timedelta(seconds=1)) == "active"
    assert found.state(NOW + 30 * DAY) == "expired"


@pytest.mark.parametrize("lifetime", [timedelta(0), -DAY, MAX_LIFETIME + DAY])
def test_a_lifetime_that_cannot_be_is_refused(path, lifetime):
    with pytest.raises(ConfigError, match="--days"):
        TokenStore(path).create("ada", NOW, lifetime=lifetime)
    assert not path.exists()


def test_a_slug_that_cannot_be_is_refused(path):
    with pytest.raises(ConfigError, match="--issuer"):
        TokenStore(path).create("Not A Slug", NOW)


def test_revoking_ends_one_token_keeps_its_first_time_and_names_it_by_a_few_digits(path):
    store = TokenStore(path)
    first, second = store.create("ada", NOW), store.create("ada", NOW)
    assert store.revoke(first.token.id[:8], NOW).revoked == NOW
    assert store.revoke(first.token.id, NOW + DAY).revoked == NOW
    assert store.find(first.secret, NOW).state(NOW) == "revoked"
    assert store.find(second.secret, NOW).state(NOW) == "active"
    for unknown in ("", "f" * 16, first.token.id[:5]):
        with pytest.raises(ConfigError, match="no such token"):
            store.revoke(unknown, NOW)
    with pytest.raises(ConfigError, match="no such token"):
        store.revoke(second.token.id, NOW, slug="bit")


def test_all_of_an_issuers_tokens_are_revoked_at_once_and_nobody_elses(path):
    store = TokenStore(path)
    mine, others = [store.create("ada", NOW) for _ in range(3)], store.create("bit", NOW)
    assert [item.digest for item in store.revoke_all("ada", NOW)] == [item.token.digest for item in mine]
    assert store.revoke_all("ada", NOW) == []
    assert [item.state(NOW) for item in store.tokens("ada")] == ["revoked"] * 3
    assert store.find(others.secret, NOW).state(NOW) == "active"


def test_the_last_use_is_remembered_by_the_day_and_written_once_a_day(path):
    store = TokenStore(path)
    made = store.create("ada", NOW)
    assert store.tokens()[0].last_used is None
    store.find(made.secret, NOW)
    written = path.stat().st_mtime_ns
    store.find(made.secret, NOW + timedelta(hours=5))
    assert path.stat().st_mtime_ns == written
    assert store.tokens()[0].last_used.isoformat() == "2026-11-21"
    assert "09:30:00" in path.read_text()  # when it was made; of its use there is no time
    store.find(made.secret, NOW + DAY)
    assert store.tokens()[0].last_used.isoformat() == "2026-11-22"


def test_the_use_of_a_token_that_has_ended_is_not_remembered(path):
    store = TokenStore(path)
    made = store.create("ada", NOW, lifetime=DAY)
    store.find(made.secret, NOW + 2 * DAY)
    assert store.tokens()[0].last_used is None


def test_a_lock_that_is_held_refuses_nobody_who_only_uses_a_token(path, monkeypatch):
    monkeypatch.setattr(tokens, "LOCK_SECONDS", 0.02)
    store = TokenStore(path)
    made = store.create("ada", NOW)
    with FileLock(path.with_name("tokens.json.lock"), timeout_seconds=0):
        assert store.find(made.secret, NOW).slug == "ada"
        with pytest.raises(StoreLocked):
            store.create("ada", NOW)


CREATE_EIGHT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from testamur.node.service.tokens import TokenStore
for _ in range(8):
    TokenStore(Path(sys.argv[1])).create("ada", datetime(2026, 11, 21, tzinfo=UTC))
"""


def test_processes_that_write_at_once_lose_nothing(path):
    workers = [subprocess.Popen([sys.executable, "-c", CREATE_EIGHT, str(path)]) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert len(TokenStore(path).tokens("ada")) == 24


def test_tokens_from_before_there_was_an_expiry_go_on(path):
    made = TokenStore(path).create("ada", NOW)
    document = json.loads(path.read_text())
    del document["tokens"][0]["expires"]
    path.write_text(json.dumps(document))
    assert TokenStore(path).find(made.secret, NOW + 5000 * DAY).state(NOW + 5000 * DAY) == "active"


def test_what_has_ended_makes_room_and_what_is_in_use_does_not(path, monkeypatch):
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
    store = TokenStore(path)
    first = store.create("ada", NOW)
    store.create("ada", NOW)
    with pytest.raises(ConfigError, match="revoke"):
        store.create("ada", NOW)
    store.revoke(first.token.id, NOW)
    assert store.find(store.create("ada", NOW).secret, NOW).slug == "ada"
    assert len(store.tokens()) == 2


@pytest.mark.parametrize(
    "content",
    [
        '{"type":"Tokens"',
        '{"type":"Tokens","version":2,"tokens":[]}',
        '{"type":"Tokens","version":1,"tokens":[{"slug":"ada"}]}',
        '{"type":"Tokens","version":1,"tokens":[{"slug":"ada","sha256":"u","created":"2026-11-21T00:00:00Z"}]}',
    ],
)
def test_a_damaged_file_lets_nobody_in_and_says_so(path, content):
    path.write_text(content)
    with pytest.raises(StoreCorrupt, match=r"tokens\.json"):
        TokenStore(path).find("x", NOW)
