"""Write contracts/abi/ from a build of its own, or with --check compare that build with what is committed.

The committed files are what the Python side, the devnet and a member who audits the chain work with: only a
developer of the contracts needs forge. The build compiles nothing but the registry and its imports, so its
bytecode depends on no test and no cache.
"""

import argparse
import difflib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ABI_DIR = ROOT / "contracts" / "abi"
PACKAGE_DIR = ROOT / "node" / "chain" / "abi"
"""Package data: an installed node deploys and calls without a checkout."""

BUILD_DIR = ROOT / ".cache" / "contracts"
CONTRACT = "AnchorRegistry"

TEST_DIR = ROOT / "tests" / "fakes"
TEST_CONTRACT = "Erc1056"
"""What tests deploy beside the registry; no node has it."""

AST_ID = re.compile(r"(?<=\))\d+(?=_storage)|(?<=\))\d+$")
"""solc numbers the types of a layout by position in its syntax tree: noise in a published format."""

SETTINGS = ("optimizer", "evmVersion", "viaIR", "remappings", "libraries")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a rebuild differs")
    check: bool = parser.parse_args().check
    artifact = build(f"contracts/src/{CONTRACT}.sol")
    interface = render(interface_of(artifact))
    rendered = {
        ABI_DIR / f"{CONTRACT}.json": interface,
        ABI_DIR / f"{CONTRACT}.storage.json": render(layout_of(artifact)),
        PACKAGE_DIR / f"{CONTRACT}.json": interface,
        TEST_DIR / f"{TEST_CONTRACT}.json": render(
            interface_of(build(f"contracts/test/{TEST_CONTRACT}.sol"), TEST_CONTRACT)
        ),
    }
    if check:
        return compare(rendered)
    for path, text in rendered.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def build(source: str) -> dict[str, Any]:
    """Compile one contract alone, from nothing, and return forge's artifact."""
    shutil.rmtree(BUILD_DIR, ignore_errors=True)
    command = [str(ROOT / "scripts" / "forge"), "build", source, "--force"]
    command += ["--out", str(BUILD_DIR / "out"), "--cache-path", str(BUILD_DIR / "cache")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"forge build failed:\n{done.stdout}{done.stderr}")
    artifact: dict[str, Any] = json.loads(
        (BUILD_DIR / "out" / Path(source).name / f"{Path(source).stem}.json").read_text("utf-8")
    )
    return artifact


def interface_of(artifact: Mapping[str, Any], name: str = CONTRACT) -> dict[str, Any]:
    """What a client or an auditor needs. `immutables`: bytes of `deployedBytecode` set at deployment."""
    metadata = artifact["metadata"]
    references = artifact["deployedBytecode"].get("immutableReferences", {})
    return {
        "contract": name,
        "compiler": {
            "version": metadata["compiler"]["version"],
            "settings": {key: metadata["settings"].get(key) for key in SETTINGS},
        },
        "abi": artifact["abi"],
        "methodIdentifiers": artifact["methodIdentifiers"],
        "bytecode": artifact["bytecode"]["object"],
        "deployedBytecode": artifact["deployedBytecode"]["object"],
        "immutables": sorted(
            (
                {"start": one["start"], "length": one["length"]}
                for some in references.values()
                for one in some
            ),
            key=lambda one: one["start"],
        ),
    }


def layout_of(artifact: Mapping[str, Any]) -> dict[str, Any]:
    """The storage layout without the compiler's own numbers: slots, and within structs slots and offsets."""
    layout = artifact["storageLayout"]

    def variable(row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "label": row["label"],
            "slot": int(row["slot"]),
            "offset": row["offset"],
            "type": AST_ID.sub("", row["type"]),
        }

    types: dict[str, Any] = {}
    for name, entry in layout["types"].items():
        kept: dict[str, Any] = {
            key: AST_ID.sub("", entry[key]) for key in ("encoding", "key", "value", "label") if key in entry
        }
        kept["numberOfBytes"] = int(entry["numberOfBytes"])
        if "members" in entry:
            kept["members"] = [variable(row) for row in entry["members"]]
        types[AST_ID.sub("", name)] = kept
    return {"contract": CONTRACT, "storage": [variable(row) for row in layout["storage"]], "types": types}


def render(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def compare(rendered: Mapping[Path, str]) -> int:
    differing = 0
    for path, text in rendered.items():
        shown = path.relative_to(ROOT)
        committed = path.read_text("utf-8") if path.exists() else ""
        if committed == text:
            print(f"{shown} equals a rebuild")
            continue
        differing += 1
        print(f"{shown} differs from a rebuild:")
        lines = difflib.unified_diff(
            committed.splitlines(), text.splitlines(), "committed", "rebuilt", n=1, lineterm=""
        )
        for line in lines:
            print("  " + (line if len(line) <= 160 else line[:157] + "..."))
    if differing:
        print("cure: scripts/export_abi.py, and commit what it wrote")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
