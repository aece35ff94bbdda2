"""Whose fault it is and what to do next: one class for each different answer."""

import copyreg


class NodeError(Exception):
    """Base of everything that the node raises on purpose; its text is fit to be shown to an operator."""

    def __reduce__(self) -> tuple[object, ...]:
        # As `testamur.registry.errors` has it: the same after `pickle`, whatever the constructor takes.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class ConfigError(NodeError):
    """A setting or argument is missing or wrong; `key` names it. The command line exits with 2."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


class ChainUnavailable(NodeError):
    """No RPC endpoint gave a usable answer; back off and try again, nothing is lost."""


class WrongChain(NodeError):
    """The endpoint serves another chain, genesis or contract than configured; the operator decides."""


class ReorgBeyondFinality(NodeError):
    """The chain contradicts a block that was final; the operator decides."""


class StoreCorrupt(NodeError):
    """Files on disk contradict each other; the text names the file and how to mend it."""


class StoreUnavailable(NodeError):
    """The disk refused to read, write or sync; nothing is promised about it. Mend the disk, then reopen."""


class StoreLocked(NodeError):
    """Another process owns this data folder."""


class SchemaMismatch(NodeError):
    """The index was written by another version; it can be rebuilt from files and chain."""


class PeerUnreachable(NodeError):
    """A peer, node or server did not answer; back off."""


class PeerMisbehaved(NodeError):
    """A peer, node or server answered with something that breaks a rule, named in the text."""
