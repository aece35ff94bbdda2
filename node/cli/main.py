"""The `testamur` command. Every command imports what it needs when it runs, so that `--help` is instant."""

import sys
from collections.abc import Iterator
from typing import NoReturn

import typer

from testamur.node.cli import commands_issuer, commands_node, commands_verify
from testamur.node.errors import NodeError
from testamur.registry.errors import RegistryError

EXIT_USAGE = 2
"""Usage or configuration; also everything that is not a verdict."""

EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="testamur",
    help="A credential registry that outlives issuers, vendors and chains.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands_verify.register(app)
commands_issuer.register(app)
commands_node.register(app)


def main() -> None:
    """Run the command line. No traceback reaches a user for anything that the world can do wrong."""
    try:
        app()
    except KeyboardInterrupt:
        _fail("interrupted", EXIT_INTERRUPTED)
    except (NodeError, RegistryError, OSError) as error:
        _fail(_sentence(error), EXIT_USAGE)
    except BaseExceptionGroup as group:
        # Tasks of a node that failed together: each known reason is a line, anything else is our mistake.
        known, unknown = group.split((NodeError, RegistryError, OSError))
        if known is None or unknown is not None:
            raise
        _fail("; ".join(dict.fromkeys(_sentence(error) for error in _leaves(known))), EXIT_USAGE)


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'system'}: {error.strerror or error}"
    return str(error)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"testamur: {message}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
