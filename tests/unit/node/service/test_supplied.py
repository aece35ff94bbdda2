"""Document maps and URL=FILE pairs: what they load, and what is said when they cannot."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from testamur.node.errors import ConfigError
from testamur.node.keystore.store import Keystore
from testamur.node.service import supplied
from testamur.node.service.config import NodeConfig
from testamur.node.service.node import Node
from testamur.node.service.supplied import load_documents

URL = "https://rooms.example/v1"


def test_names_are_relative_to_the_map_and_pairs_outrank_it(tmp_path: Path) -> None:
    (tmp_path / "contexts").mkdir()
    (tmp_path / "contexts" / "rooms").write_bytes(b'{"@context": {}}')
    (tmp_path / "mine").write_bytes(b'{"@context": {"a": "https://a.example/#a"}}')
    map_file = tmp_path / "map.json"
    map_file.write_bytes(b'{"%s": "contexts/rooms"}' % URL.encode())
    assert load_documents(map_file)[URL] == {"@context": {}}
    both = load_documents(map_file, [f"{URL}={tmp_path / 'mine'}"])
    assert both[URL] == {"@context": {"a": "https://a.example/#a"}}
    assert len(load_documents()) == 0


def test_an_address_with_an_equals_sign_is_split_at_the_last_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"{}")
    assert list(load_documents(None, [f"https://a.example/?v=1={tmp_path / 'file'}"])) == [
        "https://a.example/?v=1"
    ]


def test_what_cannot_be_read_names_the_address_and_the_file(tmp_path: Path) -> None:
    map_file = tmp_path / "map.json"
    with pytest.raises(ConfigError, match="cannot be read"):
        load_documents(map_file)
    map_file.write_bytes(b'{"%s": "missing.json"}' % URL.encode())
    with pytest.raises(ConfigError) as caught:
        load_documents(map_file)
    assert URL in str(caught.value)
    assert "missing.json" in str(caught.value)


@pytest.mark.parametrize("pair", ["rooms.json", "=rooms.json", f"{URL}=", "rooms=rooms.json"])
def test_a_pair_that_is_none_is_refused_with_the_option(pair: str) -> None:
    with pytest.raises(ConfigError, match="--context-file") as caught:
        load_documents(None, [pair])
    assert "URL=FILE" in str(caught.value)


def test_a_file_that_is_not_json_and_a_map_that_is_no_map_are_refused(tmp_path: Path) -> None:
    map_file = tmp_path / "map.json"
    map_file.write_bytes(b'{"%s": "rooms"}' % URL.encode())
    (tmp_path / "rooms").write_bytes(b"<html>")
    with pytest.raises(ConfigError, match="is not JSON"):
        load_documents(map_file)
    map_file.write_bytes(b"[]")
    with pytest.raises(ConfigError, match="must be an object"):
        load_documents(map_file)


def test_files_that_are_too_large_alone_or_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supplied, "MAX_DOCUMENT_BYTES", 100)
    monkeypatch.setattr(supplied, "MAX_TOTAL_BYTES", 150)
    (tmp_path / "large").write_bytes(b" " * 101)
    (tmp_path / "fair").write_bytes(b"1" + b" " * 90)
    with pytest.raises(ConfigError, match="more than 100 bytes"):
        load_documents(None, [f"{URL}={tmp_path / 'large'}"])
    with pytest.raises(ConfigError, match="more than 150 bytes together"):
        load_documents(None, [f"{URL}/{number}={tmp_path / 'fair'}" for number in range(2)])


def test_a_node_says_what_is_wrong_with_its_documents_before_it_opens_anything(tmp_path: Path) -> None:
    config = NodeConfig(registry="registry.example", member="ada", documents="map.json")
    with pytest.raises(ConfigError, match=r"map\.json cannot be read"):
        Node(tmp_path, config, Keystore(tmp_path / "keys", b""), clock=lambda: datetime.now(UTC))
    assert list(tmp_path.iterdir()) == []
