"""The container image: built and tried by its own script, where this machine can build images at all."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

PROJECT_ROOT = Path(__file__).resolve().parents[2]
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
