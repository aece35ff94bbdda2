"""The files that docs/operating.md tells operators to copy: they parse, and they fit the node as it is."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import yaml

from testamur.node.api.requests import MAX_BUNDLE_BYTES
from testamur.node.cli.settings import SYSTEMD_VARIABLE
from testamur.node.service.config import NodeConfig, config_from
from testamur.node.service.metrics import METRICS

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"
UNIT = EXAMPLES / "testamur.service"
LARGEST_BODY_MIB = 8


def text_of(name):
    return (EXAMPLES / name).read_text(encoding="utf-8")


def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read_string(text_of("testamur.service"))
    return parser


def test_the_guide_names_every_example_and_there_are_no_others():
    guide = (EXAMPLES.parent / "operating.md").read_text(encoding="utf-8")
    names = {path.name for path in EXAMPLES.iterdir()}
    assert set(re.findall(r"\(examples/([^)]+)\)", guide)) == names


class TestUnit:
    def test_the_passphrase_is_an_encrypted_credential_and_nowhere_else(self):
        service = unit()["Service"]
        assert service["LoadCredentialEncrypted"] == "testamur-passphrase"
        assert SYSTEMD_VARIABLE == "CREDENTIALS_DIRECTORY"
        assert "passphrase" not in service["ExecStart"] + service["Environment"]

    def test_the_node_has_no_rights_and_writes_in_one_folder_only(self):
        service = unit()["Service"]
        assert service["User"] not in {"root", "0"}
        assert service["CapabilityBoundingSet"] == ""
        assert (service["ProtectSystem"], service["NoNewPrivileges"]) == ("strict", "yes")
        assert f"TESTAMUR_HOME=/var/lib/{service['StateDirectory']}" in service["Environment"]
        assert "ReadWritePaths" not in service

    def test_systemd_understands_it_and_finds_little_exposed(self, tmp_path):
        if shutil.which("systemd-analyze") is None:
            return  # what systemd says is known where systemd is
        copy = tmp_path / UNIT.name
        # Only the program is another one: this machine has none in /opt.
        copy.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text_of(UNIT.name)), encoding="utf-8")
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(copy)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", str(copy)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        level = re.search(r"Overall exposure level for .*: ([0-9.]+)", rated.stdout)
        assert level, rated.stdout + rated.stderr
        assert float(level[1]) <= 2.5


class TestProxies:
    def test_what_a_client_says_of_its_own_address_is_replaced(self):
        assert "proxy_set_header X-Forwarded-For $remote_addr;" in text_of("nginx.conf")
        assert "header_up X-Forwarded-For {remote_host}" in text_of("Caddyfile")
        for name in ("nginx.conf", "Caddyfile"):
            assert "add_x_forwarded_for" not in text_of(name)

    def test_the_settings_that_they_name_are_settings(self):
        for name in ("nginx.conf", "Caddyfile"):
            values = dict(re.findall(r'(\w+) = "([^"]*)"', text_of(name)))
            assert set(values) == {"trusted_proxies", "public_url"}
            config = config_from({"registry": "registry.example", "member": "ada", **values}, name)
            assert config.public_url == "https://node.example"

    def test_bodies_that_the_node_takes_come_through_and_figures_do_not(self):
        assert f"client_max_body_size {LARGEST_BODY_MIB}m;" in text_of("nginx.conf")
        assert MAX_BUNDLE_BYTES <= LARGEST_BODY_MIB << 20
        assert f"max_size {LARGEST_BODY_MIB}MB" in text_of("Caddyfile")
        assert re.search(r"location = /metrics \{\s+return 404;", text_of("nginx.conf"))
        assert "respond /metrics 404" in text_of("Caddyfile")

    def test_they_lead_to_the_default_port_and_every_block_is_closed(self):
        default = next(
            item for item in NodeConfig.__dataclass_fields__.values() if item.name == "port"
        ).default
        for name in ("nginx.conf", "Caddyfile"):
            text = text_of(name)
            assert f"127.0.0.1:{default}" in text
            assert text.count("{") == text.count("}")


class TestAlerts:
    def rules(self):
        (group,) = yaml.safe_load(text_of("alerts.yml"))["groups"]
        return group["rules"]

    def test_every_metric_is_one_that_the_node_gives(self):
        used = {name for rule in self.rules() for name in re.findall(r"testamur_\w+", rule["expr"])}
        assert used
        assert used <= set(METRICS)

    def test_every_rule_says_how_urgent_it_is_and_what_it_means(self):
        for rule in self.rules():
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert rule["annotations"]["summary"].endswith(".")
            assert re.fullmatch(r"\d+[mh]", rule["for"])
        names = [rule["alert"] for rule in self.rules()]
        assert len(set(names)) == len(names)

    def test_every_part_is_one_that_readiness_has(self):
        source = "".join(
            path.read_text(encoding="utf-8")
            for path in (EXAMPLES.parents[1] / "node" / "service").glob("*.py")
        )
        for rule in self.rules():
            for parts in re.findall(r'part=~?"([^"]+)"', rule["expr"]):
                for part in parts.split("|"):
                    assert f'"{part}"' in source
