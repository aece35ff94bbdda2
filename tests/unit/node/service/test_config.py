"""Settings: every one is known, checked and written down; a misspelt limit is no limit."""

import tomllib
from dataclasses import fields, replace

import pytest

from testamur.node.errors import ConfigError
from testamur.node.service.config import (
    CONFIG_NAME,
    NodeConfig,
    config_from,
    load_config,
    replace_config,
    write_config,
)

GOOD = NodeConfig(registry="registry.example", member="ada", port=0, public_url='https://a.example/"x"')


def test_what_is_written_is_what_is_read_and_every_setting_is_explained(tmp_path):
    write_config(tmp_path, GOOD)
    assert load_config(tmp_path) == GOOD
    text = (tmp_path / CONFIG_NAME).read_text(encoding="utf-8")
    assert set(tomllib.loads(text)) == {item.name for item in fields(NodeConfig)}
    for item in fields(NodeConfig):
        assert f"# {item.metadata['help']}" in text


def test_a_node_is_never_written_over_another_but_its_settings_can_be_replaced(tmp_path):
    write_config(tmp_path, GOOD)
    with pytest.raises(ConfigError, match="already"):
        write_config(tmp_path, GOOD)
    replace_config(tmp_path, replace(GOOD, port=9))
    assert load_config(tmp_path).port == 9


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"prot": 80}, "prot"),
        ({"port": "80"}, "port"),
        ({"port": True}, "port"),
        ({"port": 70000}, "port"),
        ({"poll_seconds": 0}, "poll_seconds"),
        ({"did_ethr_registry": "0x12"}, "did_ethr_registry"),
        ({"registry": "No Name"}, "registry"),
        ({"registry": ""}, "registry"),
        ({"member": ""}, "member"),
        ({"rpc_url": "ftp://127.0.0.1:8545"}, "rpc_url"),
        ({"rpc_url": "http://127.0.0.1:8545, http://127.0.0.1:8546 b"}, "rpc_url"),
        ({"rpc_url": "http://127.0.0.1:8545 http://127.0.0.1:8545"}, "rpc_url"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(values, word):
    with pytest.raises(ConfigError) as caught:
        config_from({"registry": "registry.example", "member": "ada", **values}, "node.toml")
    assert word in caught.value.key


def test_an_unknown_setting_is_refused_with_the_nearest_one():
    base = {"registry": "registry.example", "member": "ada"}
    with pytest.raises(ConfigError, match=r"requests_per_secnd.*did you mean `requests_per_second`\?"):
        config_from({**base, "requests_per_secnd": 5}, "node.toml")
    with pytest.raises(ConfigError, match=r"qqqq.*is not a setting\. The settings are registry, member"):
        config_from({**base, "qqqq": 5}, "node.toml")


@pytest.mark.parametrize("data", [b"\xff", b"port = ", b"x" * 70_000], ids=["not text", "cut off", "huge"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path, data):
    (tmp_path / CONFIG_NAME).write_bytes(data)
    with pytest.raises(ConfigError):
        load_config(tmp_path)


def test_an_absent_node_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(ConfigError, match="testamur init"):
        load_config(tmp_path)
