"""A devnet with a small class of the samples, and commands as a person types them beside it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from testamur.node.cli.main import app
from testamur.node.service.devnet import running
from testamur.node.service.sample import SampleClass

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "scripts" / "samples"


def now():
    return datetime.now(UTC)


def devnet_in(home, kind=None):
    return running(home, port=0, clock=now, roots=[ROOT], chain_kind=kind)


def small_class(folder, rows):
    """The first rows of a sample class as a class of their own."""
    lines = (SAMPLES / "data-literacy-2026.csv").read_text(encoding="utf-8").splitlines()[: rows + 1]
    table = folder / f"class-{rows}.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SampleClass(name=table.stem, table=table, template=SAMPLES / "data-literacy.template.json")


def run(*arguments):
    """The result of a command; what it did not foresee is raised here."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def run_aside(*arguments):
    """A command beside a running devnet: off the event loop, as another process would be."""
    return await asyncio.to_thread(run, *arguments)
