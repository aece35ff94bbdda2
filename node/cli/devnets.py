"""`devnet`: start everything, show what happened and where to look, and keep running until interrupted."""

import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.cli.output import json_line, say
from testamur.node.cli.settings import home_of
from testamur.node.files import make_folders
from testamur.node.service.devnet import Devnet, SampleIssuer, running
from testamur.node.service.logs import configure_logs
from testamur.node.service.sample import SampleClass, issue_sample, offer_samples, sample_files
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import verify_dossier
from testamur.registry.verification.words import counted, sentence

LOG_NAME = "node.log"
COMMAND = Path(sys.executable).with_name("testamur")
PROJECT_ROOT = Path(__file__).resolve().parents[2]


def run_devnet(
    *,
    port: int,
    sample: bool,
    chain: str | None,
    as_json: bool,
    home: Path | None,
    documents: Path | None = None,
) -> None:
    """Run a devnet until SIGINT or SIGTERM."""
    from testamur.node.cli.operating import until_signalled

    folder = home_of(home)
    make_folders(folder)
    configure_logs(folder / LOG_NAME)
    documents = None if documents is None else documents.absolute()
    work = _serve(folder, port=port, sample=sample, chain=chain, as_json=as_json, documents=documents)
    asyncio.run(until_signalled(work))
    if not as_json:
        say("\nStopped; the next start goes on with the same chain, log and index.")


async def _serve(
    home: Path, *, port: int, sample: bool, chain: str | None, as_json: bool, documents: Path | None
) -> None:
    roots = [Path.cwd(), PROJECT_ROOT]
    async with running(
        home, port=port, clock=_now, roots=roots, chain_kind=chain, documents=documents
    ) as devnet:
        # As JSON, standard output is one document; what goes on meanwhile is told beside it.
        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            say(
                f"{'Founded' if devnet.is_new else 'Went on with'} the registry {devnet.node.config.registry}"
            )
            if sample:
                await devnet.admit_sample(SampleIssuer())
                classes = sample_files(PROJECT_ROOT)
                for sample_class in classes:
                    await _issue(devnet, sample_class)
                await asyncio.to_thread(offer_samples, devnet)
        if as_json:
            _show_json(devnet)
        else:
            _show(devnet)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def _issue(devnet: Devnet, sample_class: SampleClass) -> None:
    report = await issue_sample(devnet, SampleIssuer(), sample_class)
    if report.signed:
        signed = counted(report.signed, "credential")
        say(f"Issued {signed} of {sample_class.name}; {report.anchored} anchored")
    else:
        say(f"{sample_class.name}: issued before, {report.anchored} of {report.rows} anchored")


def _show(devnet: Devnet) -> None:
    """One verification, and where to look."""
    trust_path = devnet.home / "trust.json"
    trust = parse_trust_file(trust_path.read_bytes())
    first = next(iter(sorted((devnet.home / "credentials").glob("*/*.credential.json"))), None)
    if first is not None:
        verdict = verify_dossier(first.read_bytes(), trust=trust, now=_now())
        say(f"Verified one of them, offline: {verdict.outcome.upper()}. {sentence(verdict)}")
    say("")
    say("DEVELOPMENT REGISTRY: everything below is worth nothing outside this machine.")
    say(f"  page         {devnet.url}/  (open it in a browser)")
    say(f"  API          {devnet.url}/openapi.json")
    say(f"  chain        {devnet.chain.rpc_url} (chain {devnet.node.config.chain_id})")
    say(f"  log          {_shown(devnet.home / LOG_NAME)}")
    say(f"  trust file   {_shown(trust_path)}  fingerprint {trust.fingerprint}")
    if first is not None:
        say(f"  credentials  {_shown(first.parent.parent)}")
        say(f"  try          {_shown(COMMAND)} verify --trust {_shown(trust_path)} {_shown(first)}")
    say("")
    say("Running. Ctrl-C stops it.")


def _show_json(devnet: Devnet) -> None:
    """Where to look, for a program that waits for this line."""
    trust_path = devnet.home / "trust.json"
    json_line(
        {
            "registry": devnet.node.config.registry,
            "development": True,
            "node": devnet.url,
            "chain": devnet.chain.rpc_url,
            "chainId": devnet.node.config.chain_id,
            "trust": str(trust_path),
            "fingerprint": parse_trust_file(trust_path.read_bytes()).fingerprint,
            "credentials": str(devnet.home / "credentials"),
        }
    )
    sys.stdout.flush()


def _shown(path: Path) -> str:
    """The path as it can be typed from here."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _now() -> datetime:
    return datetime.now(UTC)
