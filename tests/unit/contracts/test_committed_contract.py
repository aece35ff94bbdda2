"""The committed contract is whole, and its storage is where the documents and the verifier say it is."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from testamur.registry.evm import slots
from testamur.registry.hashing import keccak256

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT / "contracts"
LAYOUT_DOC = (ROOT / "docs" / "spec" / "storage-layout.md").read_text("utf-8")
CONTRACT_DOC = (ROOT / "docs" / "spec" / "contract.md").read_text("utf-8")
INTERFACE: dict[str, Any] = json.loads((CONTRACTS / "abi" / "AnchorRegistry.json").read_text("utf-8"))
LAYOUT: dict[str, Any] = json.loads((CONTRACTS / "abi" / "AnchorRegistry.storage.json").read_text("utf-8"))

EIP_170_MAX_CODE_BYTES = 24_576


def structs() -> dict[str, list[tuple[int, int, int, str]]]:
    """Records as the compiler packs them: (word, first bit, last bit, field)."""
    found = {}
    for name, entry in LAYOUT["types"].items():
        if struct := re.fullmatch(r"t_struct\((\w+)\)_storage", name):
            found[struct[1]] = [
                (row["slot"], row["offset"] * 8, row["offset"] * 8 + bits(row["type"]) - 1, row["label"])
                for row in entry["members"]
            ]
    return found


def bits(type_name: str) -> int:
    size: int = LAYOUT["types"][type_name]["numberOfBytes"]
    return size * 8


def documented_structs() -> dict[str, list[tuple[int, int, int, str]]]:
    found: dict[str, list[tuple[int, int, int, str]]] = {}
    for section in re.split(r"^### ", LAYOUT_DOC, flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| (\d+) \| (\d+)\u2013(\d+) \| `(\w+)` \|", section, flags=re.MULTILINE)
        found[section.split("\n", 1)[0].strip()] = [(int(w), int(a), int(b), name) for w, a, b, name in rows]
    return found


def signature(row: dict[str, Any]) -> str:
    return f"{row['name']}({','.join(type_of(item) for item in row['inputs'])})"


def type_of(item: dict[str, Any]) -> str:
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    inside = ",".join(map(type_of, item["components"]))
    return f"({inside}){item['type'].removeprefix('tuple')}"


def changing_functions() -> set[str]:
    return {
        row["name"]
        for row in INTERFACE["abi"]
        if row["type"] == "function" and row["stateMutability"] not in {"view", "pure"}
    }


def test_the_documented_variables_are_those_the_compiler_lays_out() -> None:
    documented = re.findall(r"^\| (\d+) \| `(_\w+)` \|", LAYOUT_DOC, flags=re.MULTILINE)
    compiled = [(str(row["slot"]), row["label"]) for row in LAYOUT["storage"]]
    assert documented == compiled
    assert all(row["offset"] == 0 for row in LAYOUT["storage"])


def test_the_documented_records_are_those_the_compiler_packs() -> None:
    assert documented_structs() == structs()


@pytest.mark.parametrize(
    ("variable", "slot"),
    [
        ("_issuers", slots.ISSUERS_SLOT),
        ("_logs", slots.LOGS_SLOT),
        ("_history", slots.HISTORY_SLOT),
        ("_suspensions", slots.SUSPENSIONS_SLOT),
        ("_keyChains", slots.KEY_CHAINS_SLOT),
    ],
)
def test_the_verifier_looks_where_the_variable_stands(variable: str, slot: int) -> None:
    assert {row["label"]: row["slot"] for row in LAYOUT["storage"]}[variable] == slot


@pytest.mark.parametrize(
    ("record", "word", "fields"),
    [
        ("Issuer", 1, slots.ISSUER_WORD),
        ("Log", 1, slots.LOG_WORD),
        ("Log", 4, slots.LOG_STANDING_WORD),
        ("Anchor", 0, slots.ANCHOR_WORD),
        ("Suspension", 0, slots.SUSPENSION_WORD),
        ("KeyChain", 1, slots.KEY_CHAIN_WORD),
    ],
)
def test_the_verifier_unpacks_words_as_the_compiler_packs_them(
    record: str, word: int, fields: slots.Fields
) -> None:
    packed = [(name, last - first + 1) for at, first, last, name in structs()[record] if at == word]
    assert packed == list(fields)


def test_the_example_of_the_document_is_a_packed_anchor() -> None:
    match = re.search(r"^word\s+= 0x ([0-9a-f ]+)$", LAYOUT_DOC, flags=re.MULTILINE)
    assert match
    word = int(match[1].replace(" ", ""), 16)
    assert slots.unpack(word, slots.ANCHOR_WORD) == {
        "size": 100,
        "blockNumber": 1001,
        "timestamp": 1_800_000_005,
        "statement": 7,
    }


def test_selectors_are_those_of_the_functions() -> None:
    functions = [signature(row) for row in INTERFACE["abi"] if row["type"] == "function"]
    expected = {text: keccak256(text.encode())[:4].hex() for text in functions}
    assert INTERFACE["methodIdentifiers"] == expected


def test_no_two_errors_share_a_selector_and_no_two_functions_a_name() -> None:
    errors = [signature(row) for row in INTERFACE["abi"] if row["type"] == "error"]
    assert len({keccak256(text.encode())[:4] for text in errors}) == len(errors)
    names = [row["name"] for row in INTERFACE["abi"] if row["type"] == "function"]
    assert len(set(names)) == len(names)


def test_the_bytecode_is_whole_and_small_enough_for_any_chain() -> None:
    creation = bytes.fromhex(INTERFACE["bytecode"].removeprefix("0x"))
    runtime = bytes.fromhex(INTERFACE["deployedBytecode"].removeprefix("0x"))
    assert 0 < len(runtime) <= EIP_170_MAX_CODE_BYTES
    assert len(creation) > len(runtime)
    for hole in INTERFACE["immutables"]:
        assert runtime[hole["start"] : hole["start"] + hole["length"]] == bytes(hole["length"])


def test_the_contract_was_compiled_with_the_committed_settings() -> None:
    profile = tomllib.loads((CONTRACTS / "foundry.toml").read_text("utf-8"))["profile"]["default"]
    deployed = next(one for one in profile["additional_compiler_profiles"] if one["name"] == "deployed")
    settings = INTERFACE["compiler"]["settings"]
    assert settings["evmVersion"] == profile["evm_version"]
    assert settings["viaIR"] is deployed["via_ir"]
    assert settings["optimizer"] == {"enabled": True, "runs": deployed["optimizer_runs"]}
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]["solc"]
    assert INTERFACE["compiler"]["version"].startswith(wanted + "+")
    for source in (CONTRACTS / "src").glob("*.sol"):
        assert f"pragma solidity {wanted};" in source.read_text("utf-8"), source.name


def test_every_function_that_changes_something_is_documented() -> None:
    assert not {name for name in changing_functions() if f"`{name}`" not in CONTRACT_DOC}


def test_every_function_that_changes_something_says_what_a_stolen_key_could_do() -> None:
    told: dict[str, bool] = {}
    for name in ("AnchorRegistry", "IssuerLifecycle", "IssuerControl"):
        source = (CONTRACTS / "src" / f"{name}.sol").read_text("utf-8")
        functions = re.findall(r"((?: {4}///.*\n)+) {4}function (\w+)\([^)]*\)\s+external([^{]*)", source)
        told |= {
            function: "Stolen" in comment
            for comment, function, modifiers in functions
            if not re.search(r"\b(view|pure)\b", modifiers)
        }
    own = changing_functions() - {"transferOwnership", "acceptOwnership"}
    assert told == dict.fromkeys(own, True)
