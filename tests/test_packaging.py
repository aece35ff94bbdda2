"""What a stranger installs: the wheel, the locks, the data files."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-node.lock", "requirements-dev.lock", "requirements-build.lock")
ADDRESS = re.compile(r"(https?|git|file|ssh)(\+\w+)?://|--(extra-)?index-url|--find-links|@ /")


@cache
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pinned(lock: str) -> dict[str, str]:
    """Distribution → its whole requirement block."""
    text = (ROOT / lock).read_text("utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9][A-Za-z0-9._-]*==)", text, flags=re.MULTILINE)[1:]
    return {re.sub(r"[-_.]+", "-", block.partition("==")[0]).lower(): block for block in blocks}


def version_of(block: str) -> str:
    return re.split(r"[ ;\\\n]", block.partition("==")[2], maxsplit=1)[0]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """A wheel of this checkout, built outside of it so that no earlier build can leak in."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "registry", "node"):
        (source / name).symlink_to(ROOT / name)
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(place),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (built,) = place.glob("*.whl")
    return zipfile.ZipFile(built)


def test_every_sub_package_is_listed():
    folders = {
        ".".join(("testamur", *path.parent.relative_to(ROOT).parts))
        for top in ("registry", "node")
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert set(project()["tool"]["setuptools"]["packages"]) == folders


def test_every_folder_with_modules_is_a_package():
    for top in ("registry", "node"):
        for path in (ROOT / top).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path.parent


def test_the_wheel_installs_testamur_and_nothing_else(wheel):
    tops = {name.split("/", 1)[0] for name in wheel.namelist() if ".dist-info/" not in name}
    assert tops == {"testamur"}


def test_the_namespace_has_no_init_so_that_others_may_extend_it(wheel):
    assert "testamur/__init__.py" not in wheel.namelist()


def test_every_module_and_data_file_is_in_the_wheel(wheel):
    wanted = {
        f"testamur/{path.relative_to(ROOT)}"
        for top in ("registry", "node")
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - set(wheel.namelist()) == set()


def test_the_wheel_carries_the_licences(wheel):
    licences = [name for name in wheel.namelist() if ".dist-info/licenses/" in name]
    assert any(name.endswith("/LICENSE") for name in licences)
    assert any(name.endswith("/LICENSES.md") for name in licences)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_distribution_has_hashes(lock):
    blocks = pinned(lock)
    assert blocks
    assert [name for name, block in blocks.items() if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", [*LOCKS, "package-lock.json", "package.json", "pyproject.toml"])
def test_no_pin_names_an_address(lock):
    text = (ROOT / lock).read_text("utf-8")
    # Links for people, a list or an object: nothing is fetched from them.
    without_funding = re.sub(r'"funding": (\[.*?\]|\{.*?\})', "", text, flags=re.DOTALL)
    assert ADDRESS.findall(without_funding) == []


def test_every_npm_package_is_pinned_by_integrity():
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    unpinned = [
        name
        for name, entry in packages.items()
        # What a package brings inside its own archive is covered by that archive's digest.
        if name and not entry.get("inBundle") and not entry.get("integrity", "").startswith("sha512-")
    ]
    assert unpinned == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


@pytest.mark.parametrize("smaller", ["requirements.lock", "requirements-node.lock"])
def test_what_is_tested_is_what_is_shipped(smaller):
    tested = {name: version_of(block) for name, block in pinned("requirements-dev.lock").items()}
    shipped = {name: version_of(block) for name, block in pinned(smaller).items()}
    assert {
        name: (version, tested.get(name)) for name, version in shipped.items() if tested.get(name) != version
    } == {}


def test_the_core_lock_has_no_node_library():
    node_only = {
        re.split(r"[<>=\[]", item)[0].lower()
        for item in project()["project"]["optional-dependencies"]["node"]
    }
    node_only.discard("pydantic")  # typer brings it along; nothing of the core imports it
    core = {name.replace("-", "_") for name in pinned("requirements.lock")}
    assert {name.replace("-", "_") for name in node_only} & core == set()


def test_the_build_tools_are_the_locked_ones():
    (required,) = project()["build-system"]["requires"]
    assert required in (ROOT / "requirements-build.lock").read_text("utf-8")
