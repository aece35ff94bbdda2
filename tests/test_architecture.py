"""The arrows of ARCHITECTURE.md, walked through the sources; imports inside functions count as well."""

import ast
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STDLIB = sys.stdlib_module_names

SIBLINGS = ("api", "chain", "fetch", "gossip", "holding", "index", "issuing", "keystore", "log")
SHARED = ("node.addresses", "node.errors", "node.files", "registry")

ALLOWED_ARROWS: dict[str, tuple[str, ...]] = {
    "registry": ("registry",),
    "node.addresses": ("node.errors",),
    "node.errors": (),
    "node.files": ("node.errors",),
    "node.homes": (),
    **{f"node.{name}": (f"node.{name}", *SHARED) for name in SIBLINGS},
    "node.service": ("node.service", *(f"node.{name}" for name in SIBLINGS), "node.homes", *SHARED),
    "node.cli": (
        *("node.cli", "node.service", "node.homes", *SHARED),
        # A command on local files or on another node has no process to compose: it uses the part itself.
        *("node.fetch", "node.holding", "node.issuing", "node.keystore", "node.log"),
    ),
}
"""Which part may import which; what is not named is forbidden. A part is one or two path components."""

FOREIGN: dict[str, tuple[str, ...]] = {
    # library: the modules (or folders, with a trailing dot) that may import it
    # chain: web3 keeps no HTTP connection alive, and loses WebSocket subscriptions
    "aiohttp": ("node.api.", "node.gossip.transport", "node.chain.transport", "node.chain.websocket"),
    "coincurve": ("registry.keys", "registry.evm.qbft", "node.chain.", "node.keystore."),
    "cryptography": ("registry.keys", "node.keystore."),
    "eth_abi": ("node.chain.",),
    "eth_account": ("node.chain.",),
    "eth_typing": ("node.chain.",),
    "eth_utils": ("node.chain.",),
    "hexbytes": ("node.chain.",),
    "jinja2": ("node.api.page.rendering",),
    "jsonschema_rs": ("registry.schemas",),
    "multibase": ("registry.multiformats",),
    "multidict": ("node.api.responses",),  # aiohttp's own headers
    "plyvel": ("node.index.store",),
    "prometheus_client": ("node.service.",),
    "pydantic": ("node.api.", "node.service."),
    "pydantic_core": ("node.api.responses", "node.chain.transport"),
    "pyld": ("registry.rdf.processor",),
    "rfc8785": ("registry.canonical",),
    "rich": ("node.cli.",),
    "segno": ("node.cli.", "node.service."),
    "sha3": ("registry.hashing",),
    "structlog": ("node.api.", "node.chain.", "node.gossip.", "node.log.", "node.service.", "node.cli."),
    "typer": ("node.cli.",),
    "typing_extensions": ("node.api.models",),  # pydantic's TypedDict before Python 3.12
    "web3": ("node.chain.transport",),
}

IMPURE_MODULES = """
    asyncio concurrent contextvars ctypes faulthandler fcntl fileinput getpass glob http io.open locale
    logging multiprocessing os pathlib random resource sched secrets select selectors shutil signal socket
    socketserver sqlite3 ssl subprocess sys syslog tempfile threading time tracemalloc urllib.request uuid
    warnings
"""
"""What `registry/` may not import: clock, chance, environment, disk, network, logging, concurrency."""

IMPURE = frozenset(IMPURE_MODULES.split())

IMPURE_CALLS = frozenset({"open", "input", "print", "eval", "exec", "compile", "__import__"})
IMPURE_ATTRIBUTES = frozenset({"environ", "getenv", "read_text", "write_text", "write_bytes"})
CLOCK_CALLS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"})

PACKAGE_DATA_READERS = ("registry.jsonld", "registry.contexts", "registry.elements.mapping")
"""The loaders of contexts and of mappings: they read bundled package data through importlib.resources alone."""

MAX_MODULE_LINES = 300


@dataclass(frozen=True)
class Import:
    """One imported module as it stands in a source file."""

    importer: str
    imported: str
    line: int
    at_top: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def sources() -> tuple[tuple[str, Path, ast.Module], ...]:
    paths = [*sorted((ROOT / "registry").rglob("*.py")), *sorted((ROOT / "node").rglob("*.py"))]
    return tuple((module_name(path), path, ast.parse(path.read_text("utf-8"))) for path in paths)


def imports_of(name: str, path: Path, tree: ast.Module) -> list[Import]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join(["testamur", *above, *([node.module] if node.module else [])])
            targets = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        at_top = id(node) not in lazy and id(node) not in typing_only
        found += [Import(name, target.removeprefix("testamur."), node.lineno, at_top) for target in targets]
    return found


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(found for name, path, tree in sources() for found in imports_of(name, path, tree))


def part_of(module: str) -> str:
    """`registry`, `node.errors`, `node.log` … or the top-level name of a foreign module."""
    top, _, rest = module.partition(".")
    if top != "node":
        return top
    return f"node.{rest.partition('.')[0]}" if rest else "node"


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in ("registry", "node")


def matches(module: str, patterns: tuple[str, ...]) -> bool:
    return any(module.startswith(p) if p.endswith(".") else module == p for p in patterns)


def arrow_violations(imports: tuple[Import, ...]) -> list[str]:
    return [
        f"{found.importer}:{found.line} imports {found.imported}"
        for found in imports
        if is_ours(found.imported) and part_of(found.imported) not in ALLOWED_ARROWS[part_of(found.importer)]
    ]


def foreign_violations(imports: tuple[Import, ...]) -> list[str]:
    return [
        f"{found.importer}:{found.line} imports {found.imported}"
        for found in imports
        if not is_ours(found.imported)
        and (top := found.imported.partition(".")[0]) not in STDLIB
        and not matches(found.importer, FOREIGN.get(top, ()))
    ]


def impure_imports(imports: tuple[Import, ...]) -> list[str]:
    return [
        f"{found.importer}:{found.line} imports {found.imported}"
        for found in imports
        if part_of(found.importer) == "registry"
        and any(found.imported == name or found.imported.startswith(f"{name}.") for name in IMPURE)
    ]


def impure_uses(name: str, tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            found.append(f"{name}:{node.lineno} calls {node.func.id}")
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_ATTRIBUTES:
            found.append(f"{name}:{node.lineno} uses .{node.attr}")
        if isinstance(node, ast.Attribute) and any(ast.unparse(node).endswith(call) for call in CLOCK_CALLS):
            found.append(f"{name}:{node.lineno} asks the clock")
    return found


def parsed(source: str, name: str) -> tuple[Import, ...]:
    return tuple(imports_of(name, Path(f"{name.replace('.', '/')}.py"), ast.parse(source)))


def test_every_import_follows_an_allowed_arrow():
    assert arrow_violations(all_imports()) == []


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("registry.merkle", "from testamur.node.errors import NodeError"),
        ("node.log.store", "from testamur.node.index.store import Index"),
        ("node.log.store", "def late():\n    from testamur.node import index"),
        ("node.log.store", "from ..index import store"),
        ("node.chain.client", "import testamur.node.service.devnet"),
        ("node.service.compose", "from testamur.node.cli.main import app"),
        ("node.errors", "from testamur.registry.errors import RegistryError"),
    ],
)
def test_a_forbidden_arrow_is_seen(importer, source):
    assert arrow_violations(parsed(source, importer))


def test_foreign_libraries_stay_behind_their_adapter():
    assert foreign_violations(all_imports()) == []


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("node.chain.follower", "from web3 import Web3"),
        ("node.index.keys", "import plyvel"),
        ("node.gossip.witness", "def late():\n    import aiohttp.web"),
        ("registry.credentials", "import pyld"),
        ("node.api.app", "import requests"),
    ],
)
def test_a_foreign_library_in_the_wrong_place_is_seen(importer, source):
    assert foreign_violations(parsed(source, importer))


def test_registry_imports_nothing_impure():
    assert impure_imports(all_imports()) == []


def test_registry_uses_nothing_impure():
    found = [
        use
        for name, _, tree in sources()
        if part_of(name) == "registry" and name not in PACKAGE_DATA_READERS
        for use in impure_uses(name, tree)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "open('x')",
        "datetime.now()",
        "datetime.date.today()",
        "path.read_text()",
        "def f():\n    return os.environ['HOME']",
    ],
)
def test_an_impure_use_is_seen(source):
    assert impure_uses("registry.merkle", ast.parse(source))


@pytest.mark.parametrize(
    "source", ["import os", "from time import time", "def f():\n    import urllib.request"]
)
def test_an_impure_import_is_seen(source):
    assert impure_imports(parsed(source, "registry.merkle"))


def test_package_data_is_read_only_by_the_context_loader():
    readers = {found.importer for found in all_imports() if found.imported.startswith("importlib.resources")}
    assert {name for name in readers if part_of(name) == "registry"} <= set(PACKAGE_DATA_READERS)


def test_json_ld_and_web3_are_loaded_on_first_use_only():
    slow = [
        found
        for found in all_imports()
        if found.at_top and found.imported.partition(".")[0] in ("pyld", "web3")
    ]
    assert slow == []


def test_modules_have_at_most_300_lines():
    paths = [
        path for folder in ("registry", "node", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in paths}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_MODULE_LINES} == {}


def test_the_folder_names_are_never_imported_as_packages():
    folders = ("registry", "node", "scripts", "tests")
    wrong = []
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            wrong += [f"{path}: {name}" for name in names if is_ours(name)]
    assert wrong == []


def test_test_module_names_are_unique():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_the_command_line_starts_without_the_heavy_libraries():
    heavy = ["web3", "aiohttp", "plyvel", "pydantic", "structlog", "prometheus_client", "pyld", "asyncio"]
    code = f"import sys, testamur.node.cli.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
