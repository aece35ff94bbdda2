"""Other people's systems, each in a folder of its own below build/peers/, at the versions named here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "build" / "peers"

MAX_SECONDS = 600
"""Of one installation; what takes longer is reported as not measured."""

NPM_FLAGS = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")


class Missing(Exception):
    """This system could not be installed here, or did not do its job; the text says why."""


@dataclass(frozen=True, slots=True)
class Python:
    """A package for Python, in a virtual environment."""

    name: str
    requirement: str

    def install(self) -> list[str]:
        """The command that runs its interpreter. Raises Missing."""
        folder = PEERS / self.name
        interpreter = folder / "bin" / "python"
        if not _is_ready(folder, self.requirement):
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _run([*pip, self.requirement, *_OLD_BUILDS])
            _set_ready(folder, self.requirement)
        return [str(interpreter)]

    @property
    def folder(self) -> Path:
        """Where its scripts run."""
        return PEERS / self.name


_OLD_BUILDS = ("setuptools<81",)
"""Older packages import pkg_resources, which newer setuptools no longer bring."""


@dataclass(frozen=True, slots=True)
class Npm:
    """Packages for Node; `unpack` takes one as it is published, without what it depends on."""

    name: str
    packages: tuple[str, ...]
    unpack: bool = False

    def install(self) -> list[str]:
        """The command that runs Node. Raises Missing."""
        node = shutil.which("node")
        if node is None or shutil.which("npm") is None:
            raise Missing("Node and npm are not installed")
        wanted = " ".join(self.packages)
        folder = PEERS / self.name
        if not _is_ready(folder, wanted):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            if self.unpack:
                _run(["npm", "pack", "--silent", *self.packages], folder)
                (archive,) = folder.glob("*.tgz")
                _run(["tar", "xzf", archive.name], folder)
            else:
                (folder / "package.json").write_text('{"private": true}\n', "utf-8")
                _run(["npm", "install", *NPM_FLAGS, *self.packages], folder)
            _set_ready(folder, wanted)
        return [node]

    @property
    def folder(self) -> Path:
        """Where its scripts run."""
        return PEERS / self.name / ("package" if self.unpack else "")


def _run(command: list[str], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=MAX_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise Missing(f"not installed: {type(exc).__name__}") from exc
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Missing(f"not installed: {lines[-1][:160] if lines else done.returncode}")


def _is_ready(folder: Path, wanted: str) -> bool:
    stamp = folder / ".ready"
    return stamp.is_file() and stamp.read_text("utf-8") == wanted


def _set_ready(folder: Path, wanted: str) -> None:
    (folder / ".ready").write_text(wanted, "utf-8")
