"""What the options of `verify` mean, once they are read: refused with the option's name."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.output import read_input
from testamur.node.errors import ConfigError
from testamur.registry.errors import MalformedError
from testamur.registry.timestamps import parse_past_moment
from testamur.registry.verification.policy import Policy, parse_policy_file

if TYPE_CHECKING:
    from testamur.node.cli.quick_start import VerifyOptions
    from testamur.registry.documents import Documents

MAX_ASKED_CHARACTERS = 256
"""Of a challenge and a domain; no proof may contain longer ones."""


def check_asked(challenge: str | None, domain: str | None) -> None:
    """A challenge and a domain that a proof could contain. Raises ConfigError."""
    for name, value in (("--challenge", challenge), ("--domain", domain)):
        if value is not None and not 0 < len(value) <= MAX_ASKED_CHARACTERS:
            raise ConfigError(name, f"must have 1 to {MAX_ASKED_CHARACTERS} characters")


def documents_of(options: "VerifyOptions") -> "Documents | None":
    """What was supplied instead of fetched; nothing is loaded for it when there is nothing."""
    if options.documents is None and not options.context_file:
        return None
    from testamur.node.service.supplied import load_documents

    return load_documents(options.documents, options.context_file)


def moment_of(text: str, now: datetime) -> datetime:
    """The moment of `--as-of`, which is not after `now`. Raises ConfigError."""
    try:
        return parse_past_moment(text, now)
    except MalformedError as error:
        raise ConfigError("--as-of", error.reason) from error


def policy_of(path: Path) -> Policy:
    """The policy in a file. Raises ConfigError."""
    try:
        return parse_policy_file(read_input(path))
    except MalformedError as error:
        raise ConfigError(f"--policy {path}", str(error)) from error
