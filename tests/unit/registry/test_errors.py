"""Errors of the library and of the node go from one process to another whole: kind, words and fields."""

import copy
import importlib
import inspect
import pickle
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import testamur.node
import testamur.registry
from testamur.node.errors import NodeError
from testamur.node.issuing.rejects import Reject
from testamur.registry.errors import MalformedError, RegistryError, VerificationError

SAMPLES = {
    "path": Path("/somewhere/file.json"),
    "limit": 7,
    "count": 3,
    "retry_after_seconds": 9,
    "rejects": (Reject(line=2, where="row 2 /name", reason="is missing"),),
    "current": {"size": 17},
    "arguments": {"got": 3, "current": 4},
    "parameters": {"issuer": "did:example:one", "limit": 5, "self": "too"},
}
"""Arguments by name; every other one is text."""


def _modules(package: ModuleType) -> None:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def _kinds() -> list[type[Exception]]:
    _modules(testamur.registry)
    _modules(testamur.node)
    found: list[type[Exception]] = []
    waiting: list[type[Exception]] = [RegistryError, NodeError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("testamur."):
            found.append(kind)
    return sorted(found, key=lambda kind: kind.__qualname__)


def _made(kind: type[Exception]) -> Exception:
    """One of it, with an argument for everything that it takes."""
    arguments, named = [], {}
    if kind.__init__ is not Exception.__init__:
        for name, parameter in inspect.signature(kind).parameters.items():
            value = SAMPLES.get(name, f"some {name}")
            if parameter.kind is parameter.VAR_KEYWORD:
                named |= {key: item for key, item in value.items() if key != "self"}
            elif parameter.kind is parameter.KEYWORD_ONLY:
                named[name] = value
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                arguments.append(value)
    return kind(*arguments or ["what happened"], **named)


@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: kind.__qualname__)
def test_every_error_is_the_same_after_pickling_and_copying(kind):
    error = _made(kind)
    error.add_note("while it was tried")
    copies = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for again in (*copies, copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.args == error.args
        assert vars(again) == vars(error)


def test_the_two_of_the_library_keep_what_their_readers_ask_for():
    malformed = pickle.loads(pickle.dumps(MalformedError("credential /proof/0", "must be an object")))
    assert (malformed.subject, malformed.reason) == ("credential /proof/0", "must be an object")
    assert str(malformed) == "credential /proof/0: must be an object"
    untrue = pickle.loads(pickle.dumps(VerificationError("issuer-key-mismatch", issuer="did:a", n=1)))
    assert (untrue.reason, untrue.parameters) == ("issuer-key-mismatch", {"issuer": "did:a", "n": 1})
    assert str(untrue) == "issuer-key-mismatch (issuer=did:a, n=1)"
