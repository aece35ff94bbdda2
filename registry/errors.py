"""The two ways in which bytes from outside can disappoint: wrong shape, or untrue.

Programming mistakes stay `TypeError` and `ValueError`; nothing here is raised for them.
"""

import copyreg


class RegistryError(Exception):
    """Base of everything that this package raises on purpose; the same after `pickle` and `copy`."""

    def __reduce__(self) -> tuple[object, ...]:
        # Else the constructor would be called with the one text, and a pool of processes breaks on its error.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class MalformedError(RegistryError):
    """The input does not have the shape that its format demands; nothing was computed from it.

    `subject` names the thing ("checkpoint", "credential /proof/0"), `reason` says what is wrong with it.
    """

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason


class VerificationError(RegistryError):
    """The input is well-formed, and what it claims could not be proven.

    `reason` is a stable code of `testamur.registry.reasons`; `parameters` fill its words.
    """

    def __init__(self, reason: str, **parameters: str | int) -> None:
        detail = ", ".join(f"{name}={value}" for name, value in parameters.items())
        super().__init__(f"{reason} ({detail})" if detail else reason)
        self.reason = reason
        self.parameters = parameters
