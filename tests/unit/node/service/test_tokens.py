"""Access tokens: found by their holder, never by whoever reads the data folder."""

from datetime import UTC, datetime

import pytest

from testamur.node.errors import StoreCorrupt
from testamur.node.service.tokens import TokenStore

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_token_finds_its_issuer_and_nothing_else_does(tmp_path):
    store = TokenStore(tmp_path / "tokens.json")
    assert store.find("anything") is None
    ada, bit = store.create("ada", NOW), store.create("bit", NOW)
    assert (store.find(ada), store.find(bit)) == ("ada", "bit")
    for wrong in ("", ada[:-1], ada + "x", ada.upper(), "tstm_"):
        assert store.find(wrong) is None


def test_the_file_holds_digests_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "tokens.json"
    token = TokenStore(path).create("ada", NOW)
    assert token not in path.read_text()
    assert token.removeprefix("tstm_") not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_running_node_sees_a_token_that_another_process_adds(tmp_path):
    path = tmp_path / "tokens.json"
    running = TokenStore(path)
    assert running.find("x") is None
    token = TokenStore(path).create("ada", NOW)
    assert running.find(token) == "ada"


def test_a_damaged_file_lets_nobody_in_and_says_so(tmp_path):
    path = tmp_path / "tokens.json"
    path.write_text('{"type":"Tokens"')
    with pytest.raises(StoreCorrupt, match=r"tokens\.json"):
        TokenStore(path).find("x")
