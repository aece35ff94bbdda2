"""The verifier's core: `from testamur.registry import parse_trust_file, verify`.

Each of the usual names is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testamur.registry.errors import MalformedError, RegistryError
    from testamur.registry.presentation_verdicts import verify_presentation_file
    from testamur.registry.trust import TrustFile, parse_trust_file
    from testamur.registry.verification import DEFAULT_POLICY, Outcome, Policy, Verdict, verify
    from testamur.registry.verification.policy import parse_policy_file
    from testamur.registry.verification.words import explain, sentence

__all__ = [
    "DEFAULT_POLICY",
    "MalformedError",
    "Outcome",
    "Policy",
    "RegistryError",
    "TrustFile",
    "Verdict",
    "explain",
    "parse_policy_file",
    "parse_trust_file",
    "sentence",
    "verify",
    "verify_presentation_file",
]

_HOMES = {
    "MalformedError": "errors",
    "RegistryError": "errors",
    "TrustFile": "trust",
    "explain": "verification.words",
    "parse_policy_file": "verification.policy",
    "parse_trust_file": "trust",
    "sentence": "verification.words",
    "verify_presentation_file": "presentation_verdicts",
}
"""The module of each name that is not in `verification` itself."""


def __getattr__(name: str) -> Any:
    """A name of `__all__`. Lazily: whoever wants one module of this package pays for no other."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'verification')}"), name)
    globals()[name] = found
    return found
