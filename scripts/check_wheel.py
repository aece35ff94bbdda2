"""Prove the built wheel: install it with the core lock alone into a fresh environment, and use it there.

What passes here is what somebody gets who only wants to verify: no web3, aiohttp or plyvel exists in that
environment, the sources are not on the path, and the command line must still answer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_ONLY = ("aiohttp", "plyvel", "prometheus_client", "segno", "structlog", "web3")
"""Top-level modules of the `node` extra; pydantic is not among them because typer needs it."""

PURITY = f"""
import importlib.util, sys
present = [name for name in {NODE_ONLY!r} if importlib.util.find_spec(name)]
assert not present, f"the core lock installs {{present}}"
import testamur.registry.merkle, testamur.registry.credentials, testamur.registry.verification
import testamur.node.cli.main
from testamur.registry import jsonld
from importlib.resources import files
names = [entry.name for entry in files("testamur.registry.contexts").iterdir()]
from testamur.registry import parse_trust_file, sentence, verify
try:
    verify(b"no credential", trust=None, now=__import__("datetime").datetime.now(__import__("datetime").UTC))
except testamur.registry.MalformedError:
    pass
else:
    raise AssertionError("anything is a credential file")
contexts = [name for name in names if name.endswith((".json", ".jsonld"))]
assert contexts, "the bundled contexts are not in the wheel"
assert "site-packages" in testamur.registry.merkle.__file__, testamur.registry.merkle.__file__
print(f"imports and {{len(contexts)}} bundled contexts are there, node libraries are not")
"""

LIBRARY = """
import json, sys
from datetime import datetime
from pathlib import Path
from testamur.registry import parse_trust_file, verify
vector = json.loads(Path(sys.argv[2]).read_bytes())
trust = parse_trust_file(Path(sys.argv[1]).read_bytes())
dossier = json.dumps(vector["dossier"]).encode()
verdict = verify(dossier, trust=trust, now=datetime.fromisoformat(vector["now"]))
assert verdict.outcome == "valid", verdict.to_json()
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed; its whole output is shown when it does not."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.stderr.write(f"check_wheel: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}\n")
        raise SystemExit(1)
    return done.stdout


def build_wheel(target: Path) -> Path:
    """The wheel of this checkout, built with the pinned build tools of the running environment."""
    # An earlier build's output would be packed again, modules that were deleted since included.
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT, cwd=ROOT)
    (wheel,) = target.glob("testamur-*.whl")
    return wheel


def top_level(wheel: Path) -> set[str]:
    """First path components inside the wheel, its own metadata left out."""
    with zipfile.ZipFile(wheel) as archive:
        return {name.split("/", 1)[0] for name in archive.namelist() if ".dist-info/" not in name}


def _use(binaries: Path, place: Path) -> None:
    """Verify a published sample on the command line and as the library's page says, in this environment."""
    vectors = ROOT / "tests" / "vectors" / "evidence"
    run(binaries / "python", "-I", "-c", LIBRARY, vectors / "trust.json", vectors / "good.json", cwd=place)
    script = run(binaries / "testamur", "completion", "bash", cwd=place)
    if "_TESTAMUR_COMPLETE" not in script:
        raise SystemExit("check_wheel: testamur completion prints no script")
    secret = place / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text("only to see whether a learner can have a wallet here\n", "utf-8")
    run(binaries / "testamur", "wallet", "new", "--home", place, "--passphrase-file", secret, cwd=place)
    if "did:key:" not in run(binaries / "testamur", "wallet", "list", "--home", place, cwd=place):
        raise SystemExit("check_wheel: testamur wallet keeps no key")


def main() -> None:
    """Build, inspect, install and use the wheel; exit 1 at the first thing that does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="an already built wheel, instead of building one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="testamur-wheel-") as folder:
        place = Path(folder)
        wheel = (arguments.wheel or build_wheel(place / "dist")).resolve()
        if top_level(wheel) != {"testamur"}:
            raise SystemExit(
                f"check_wheel: {wheel.name} installs {sorted(top_level(wheel))}, not testamur alone"
            )
        venv.create(place / "venv", with_pip=True)
        binaries = place / "venv" / "bin"
        pip = (binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "--require-hashes", "-r", ROOT / "requirements-build.lock", cwd=place)
        run(*pip, "--require-hashes", "--no-build-isolation", "-r", ROOT / "requirements.lock", cwd=place)
        run(*pip, "--no-deps", wheel, cwd=place)
        print("check_wheel:", run(binaries / "python", "-I", "-c", PURITY, cwd=place).strip())
        for verbs in ((), ("verify",)):
            text = run(binaries / "testamur", *verbs, "--help", cwd=place)
            if "Usage" not in text:
                raise SystemExit(f"check_wheel: testamur {' '.join(verbs)} --help prints no usage")
        _use(binaries, place)
        print(f"check_wheel: {wheel.name} installs alone and answers")


if __name__ == "__main__":
    main()
