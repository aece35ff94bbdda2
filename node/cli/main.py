"""The `testamur` command: errors as sentences, and a short way to `verify`."""

import io
import os
import sys
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from testamur.node.cli.output import ClosedPipe, warn
from testamur.node.cli.quick_start import read_verify_options
from testamur.node.errors import NodeError
from testamur.registry.errors import RegistryError

if TYPE_CHECKING:
    import typer

    app: typer.Typer

EXIT_USAGE = 2
"""Usage or configuration; also everything that is not a verdict."""

EXIT_INTERRUPTED = 130
EXIT_CLOSED_PIPE = 141
"""What a shell reports for a program that SIGPIPE ended; 1 would mean "invalid"."""


def __getattr__(name: str) -> Any:
    """`app`, loaded when somebody asks for it: `verify` does without Typer, which takes long to load."""
    if name != "app":
        raise AttributeError(name)
    from testamur.node.cli.application import app

    return app


def main() -> None:
    """Run the command line. No traceback reaches a user for anything that the world can do wrong."""
    # A terminal that cannot show a sign shows "?" instead: an answer must not depend on an encoding.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        _run(sys.argv[1:])
    except (BrokenPipeError, ClosedPipe):
        _closed_pipe()
    except KeyboardInterrupt:
        _fail("interrupted", EXIT_INTERRUPTED)
    except (NodeError, RegistryError, OSError) as error:
        _fail(_sentence(error), EXIT_USAGE)
    except BaseExceptionGroup as group:
        # Tasks of a node that failed together: each known reason is a line, anything else is our mistake.
        known, unknown = group.split((NodeError, RegistryError, OSError))
        if known is None or unknown is not None:
            _confess(group)
        _fail("; ".join(dict.fromkeys(_sentence(error) for error in _leaves(known))), EXIT_USAGE)
    except Exception as error:  # noqa: BLE001  the last before Python's own, which ends with 1
        _confess(error)


def _run(arguments: list[str]) -> None:
    options = read_verify_options(arguments)
    if options is None:
        from testamur.node.cli.application import app

        if "_TESTAMUR_COMPLETE" in os.environ:
            from testamur.node.cli.shells import prepare_completion

            prepare_completion()
        had_reader = not _goes_nowhere()
        try:
            app(prog_name="testamur")
        except SystemExit as ended:
            # Libraries answer a closed pipe with 1, which is what an invalid credential is told with.
            if ended.code == 1 and had_reader and _goes_nowhere():
                raise ClosedPipe from None
            raise
        finally:
            # Here, where a reader who has gone can still be told from a verdict; not when Python ends.
            sys.stdout.flush()
        return
    from testamur.node.cli.verifying import run_verify

    code = run_verify(options)
    sys.stdout.flush()
    raise SystemExit(code)


def _goes_nowhere() -> bool:
    """Whether standard output was pointed to where nobody reads, by its owner or by a library."""
    if type(sys.stdout).__name__ == "PacifyFlushWrapper":
        return True
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.stat(os.devnull))  # noqa: PTH116
    except (OSError, ValueError):
        return False


def _closed_pipe() -> NoReturn:
    """Whoever read our output has gone (`| head`): nothing is wrong, and nothing may look like a verdict."""
    # What is still buffered has nowhere to go; without this, Python would complain about it at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(EXIT_CLOSED_PIPE)


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


def _confess(error: BaseException) -> NoReturn:
    """Our own mistake, for whoever mends it. Python would end with 1, which means "invalid"."""
    traceback.print_exception(error)
    _fail("this is a mistake in the program, and no verdict; please report the lines above", EXIT_USAGE)


def _fail(message: str, code: int) -> NoReturn:
    warn(f"testamur: {message}")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
