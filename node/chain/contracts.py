"""The AnchorRegistry contract as package data: its bytecode, and how its calls and refusals are encoded.

The file is the one that scripts/export_abi.py writes; a test compares the two copies.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from testamur.node.chain.refusals import RpcRefused
from testamur.node.errors import ChainUnavailable, NodeError
from testamur.registry.hashing import keccak256

ABI_FILE: Final = "AnchorRegistry.json"

_SELECTOR_BYTES: Final = 4
_REASON: Final = keccak256(b"Error(string)")[:_SELECTOR_BYTES]


class ContractRefused(NodeError):
    """The contract reverted: repeating the same call changes nothing until its state does.

    `error` is the name of the custom error (or "Error" for a text, "revert" without data), `arguments` its
    values by name: bytes as 0x…, so that they can be shown.
    """

    def __init__(self, error: str, arguments: Mapping[str, object]) -> None:
        shown = ", ".join(f"{name}={value}" for name, value in arguments.items())
        super().__init__(f"the registry contract refused: {error}({shown})")
        self.error = error
        self.arguments = dict(arguments)


@dataclass(frozen=True, slots=True)
class Function:
    """A function, error or event of the contract; types as the ABI encoding names them."""

    name: str
    selector: bytes
    parameters: tuple[str, ...]
    types: tuple[str, ...]
    outputs: tuple[str, ...]


@cache
def artifact() -> dict[str, Any]:
    """The exported contract: `abi`, `bytecode`, `deployedBytecode`, `compiler`."""
    text = resources.files("testamur.node.chain").joinpath("abi", ABI_FILE).read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def functions() -> dict[str, Function]:
    """The contract's functions by name; the contract has no overloads."""
    return {row["name"]: _function(row) for row in artifact()["abi"] if row["type"] == "function"}


@cache
def errors() -> dict[bytes, Function]:
    """The contract's custom errors by selector."""
    rows = [_function(row) for row in artifact()["abi"] if row["type"] == "error"]
    return {row.selector: row for row in rows}


def event_topic(name: str) -> bytes:
    """The first topic of an event: Keccak-256 of its signature. Raises KeyError for an unknown one."""
    return _topics()[name]


def encode_call(name: str, arguments: Sequence[object]) -> bytes:
    """Call data. Raises KeyError for an unknown function, and what eth_abi raises for unfit arguments."""
    from eth_abi.abi import encode  # noqa: PLC0415  eth_abi takes a third of a second to import

    function = functions()[name]
    return function.selector + encode(function.types, arguments)


def encode_deployment(registry_name: str, council: bytes, recovery_delay_seconds: int) -> bytes:
    """Creation code with its constructor's arguments."""
    from eth_abi.abi import encode  # noqa: PLC0415

    arguments = encode(("string", "address", "uint64"), (registry_name, council, recovery_delay_seconds))
    return bytes.fromhex(artifact()["bytecode"].removeprefix("0x")) + arguments


def decode_result(name: str, data: bytes) -> tuple[Any, ...]:
    """What a read returned. Raises ChainUnavailable when it is not what the function returns."""
    return decode_values(functions()[name].outputs, data, f"the result of {name}")


def decode_values(types: Sequence[str], data: bytes, what: str) -> tuple[Any, ...]:
    """ABI-encoded values. Raises ChainUnavailable."""
    from eth_abi.abi import decode  # noqa: PLC0415
    from eth_abi.exceptions import DecodingError  # noqa: PLC0415

    try:
        return tuple(decode(tuple(types), data))
    except (DecodingError, UnicodeDecodeError, OverflowError) as exc:
        raise ChainUnavailable(f"the endpoint gave something else for {what}") from exc


def refusal(error: RpcRefused) -> ContractRefused | None:
    """What the contract said, when the endpoint's error is a revert; None when it is an error of its own."""
    if error.data is None:
        return ContractRefused("revert", {}) if "revert" in error.message else None
    selector, rest = error.data[:_SELECTOR_BYTES], error.data[_SELECTOR_BYTES:]
    if selector == _REASON:
        return ContractRefused("Error", {"reason": decode_values(("string",), rest, "a revert")[0]})
    known = errors().get(selector)
    if known is None:
        return ContractRefused("revert", {"data": f"0x{error.data[:68].hex()}"})
    found = decode_values(known.types, rest, "a revert")
    return ContractRefused(known.name, dict(zip(known.parameters, map(_shown, found), strict=True)))


@cache
def _topics() -> dict[str, bytes]:
    rows = [row for row in artifact()["abi"] if row["type"] == "event"]
    return {row["name"]: keccak256(_signature(row).encode()) for row in rows}


def _function(row: Mapping[str, Any]) -> Function:
    return Function(
        name=row["name"],
        selector=keccak256(_signature(row).encode())[:_SELECTOR_BYTES],
        parameters=tuple(item["name"] for item in row["inputs"]),
        types=tuple(_type(item) for item in row["inputs"]),
        outputs=tuple(_type(item) for item in row.get("outputs", ())),
    )


def _signature(row: Mapping[str, Any]) -> str:
    return f"{row['name']}({','.join(_type(item) for item in row['inputs'])})"


def _type(item: Mapping[str, Any]) -> str:
    """`tuple[]` written out as `(uint64,bytes32)[]`."""
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(part) for part in item['components'])}){kind.removeprefix('tuple')}"


def _shown(value: object) -> object:
    return f"0x{value.hex()}" if isinstance(value, bytes) else value
