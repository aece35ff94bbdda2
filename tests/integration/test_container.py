"""The container image: built and tried by its own script, where this machine can build images at all."""

import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DOCKER = PROJECT_ROOT / "docker"
VARIABLE = re.compile(r"TESTAMUR_\w+").findall
TOOLS = ("podman", "buildah", "runc", "mmdebstrap")


def _can_build() -> bool:
    if shutil.which("docker"):
        engine = subprocess.run(["docker", "info"], capture_output=True, timeout=60, check=False)
        if engine.returncode == 0:
            return True
    return os.geteuid() == 0 and all(shutil.which(tool) for tool in TOOLS)


@pytest.mark.needs_privileges
@pytest.mark.timeout(900)
def test_the_image_is_built_and_a_node_lives_in_it() -> None:
    if not _can_build():
        pytest.skip(f"no Docker engine, and not root with {', '.join(TOOLS)}")
    tried = subprocess.run(
        [PROJECT_ROOT / "docker" / "try.sh"], capture_output=True, text=True, timeout=800, check=False
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "came back with the same keys" in tried.stdout


class TestComposeFile:
    def node(self) -> dict:
        return yaml.safe_load((PROJECT_ROOT / "docker" / "compose.yaml").read_text())["services"]["node"]

    def test_the_passphrase_is_a_mounted_secret_and_never_in_the_environment(self) -> None:
        node = self.node()
        assert node["secrets"] == ["testamur-passphrase"]
        assert not [name for name in node["environment"] if "PASS" in name.upper()]

    def test_the_port_is_published_to_this_machine_only_and_the_root_is_read_only(self) -> None:
        node = self.node()
        assert all(port.startswith("127.0.0.1:") for port in node["ports"])
        assert node["read_only"] is True
        assert node["cap_drop"] == ["ALL"]

    def test_every_variable_is_one_that_the_entry_point_reads(self) -> None:
        entrypoint = (PROJECT_ROOT / "docker" / "entrypoint.sh").read_text()
        for name in self.node()["environment"]:
            assert f"${{{name}:-" in entrypoint


class TestHealthCheck:
    """What the image asks is the node in the container, wherever its settings let it listen."""

    @pytest.fixture
    def port(self):
        class Node(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/healthz" else 404)
                self.end_headers()

            def log_message(self, *_):
                """Nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Node) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server.server_port
            server.shutdown()

    def check(self, home, port) -> int:
        (home / "node").mkdir()
        (home / "node" / "node.toml").write_text(f"port = {port}\n")
        words = re.search(r"HEALTHCHECK [^\[]*CMD (\[.*\])", (DOCKER / "Dockerfile").read_text())
        command = json.loads(words[1])
        assert command.pop(0) == "testamur-node"
        environment = {**os.environ, "TESTAMUR_HOME": str(home)}
        return subprocess.run(
            [DOCKER / "entrypoint.sh", *command],
            env=environment,
            capture_output=True,
            timeout=30,
            check=False,
        ).returncode

    def test_it_asks_on_the_port_of_the_settings(self, tmp_path, port) -> None:
        assert self.check(tmp_path, port) == 0

    def test_a_node_that_does_not_answer_is_not_healthy(self, tmp_path) -> None:
        assert self.check(tmp_path, 9) != 0


class TestOperatingPage:
    def test_every_variable_of_the_entry_point_is_in_its_table(self) -> None:
        read = set(re.findall(r"\$\{(TESTAMUR_\w+)", (DOCKER / "entrypoint.sh").read_text()))
        page = (PROJECT_ROOT / "docs" / "operating.md").read_text()
        table = {
            name for line in page.splitlines() if line.startswith("| `TESTAMUR_") for name in VARIABLE(line)
        }
        assert table == read - {"TESTAMUR_HOME"}


class TestDockerfile:
    def test_everything_is_installed_by_hash_and_the_node_is_not_root(self) -> None:
        text = (PROJECT_ROOT / "docker" / "Dockerfile").read_text()
        installs = [line for line in text.splitlines() if "pip install" in line]
        assert installs
        assert all("--require-hashes" in line or "--no-deps ." in line for line in installs)
        assert "\nUSER 10001:10001\n" in text

    def test_what_it_copies_is_let_through_to_the_builder_and_nothing_else(self) -> None:
        copied = {
            word
            for line in (PROJECT_ROOT / "docker" / "Dockerfile").read_text().splitlines()
            if line.startswith("COPY ") and "--from" not in line
            for word in line.split()[1:-1]
        }
        lines = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
        assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied
        assert "*" in lines
