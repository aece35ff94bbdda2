"""The sample classes of a devnet: from CSV to anchored dossiers, as a registrar would do it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.homes import workspace_folder
from testamur.node.issuing.batch import issue
from testamur.node.issuing.templates import parse_template
from testamur.node.service import completion, issuer_side
from testamur.node.service.devnet import Devnet, SampleIssuer
from testamur.node.service.sample_dossiers import make_samples

ANCHOR_SECONDS = 60.0
"""An embedded chain takes a second; a minute means that something is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleClass:
    """A table of learners and the template of what they get."""

    name: str
    table: Path
    template: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReport:
    """What was done for one class in this run, and how many of all its rows are anchored."""

    rows: int
    signed: int
    anchored: int
    folder: Path


def sample_files(project_root: Path) -> list[SampleClass]:
    """The classes under scripts/samples. Raises ConfigError when there is none: a wheel brings no samples."""
    folder = project_root / "scripts" / "samples"
    classes = [
        SampleClass(name=table.stem, table=table, template=template)
        for template in sorted(folder.glob("*.template.json"))
        for table in sorted(folder.glob(f"{template.name.removesuffix('.template.json')}-*.csv"))
    ]
    if not classes:
        raise ConfigError("sample", f"there are no samples in {folder}; start with --no-sample")
    return classes


MAX_LOOKED_AT = 12
"""Dossiers of a class that are read for the samples of the page."""


def offer_samples(devnet: Devnet) -> None:
    """Let the node's page offer the devnet's first dossiers, and what becomes of them in the wrong hands."""
    first = next(iter(sorted((devnet.home / "credentials").glob("*/"))), None)
    dossiers = [] if first is None else sorted(first.glob("*.credential.json"))[:MAX_LOOKED_AT]
    devnet.node.samples = make_samples([path.read_bytes() for path in dossiers])


async def issue_sample(
    devnet: Devnet,
    issuer: SampleIssuer,
    sample: SampleClass,
    *,
    progress: Callable[[str, int, int], None] = lambda _stage, _done, _all: None,
) -> SampleReport:
    """Issue one class through the node's HTTP interface, and complete its dossiers. Idempotent."""
    return await asyncio.to_thread(_issue, devnet, issuer, sample, progress)


def _issue(
    devnet: Devnet, issuer: SampleIssuer, sample: SampleClass, progress: Callable[[str, int, int], None]
) -> SampleReport:
    folder = workspace_folder(devnet.home, issuer.slug)
    out = devnet.home / "credentials" / sample.name
    with (
        issuer_side.host_client(folder, node_url=devnet.url, token_file=None) as client,
        issuer_side.open_for_issuing(folder) as workspace,
    ):
        report = issue(
            workspace,
            table_path=sample.table,
            template=parse_template(sample.template.read_bytes(), sample.template.name),
            folder=out,
            key=issuer_side.signing_key(folder, devnet.passphrase),
            port=client,
            now=devnet.node.clock(),
            progress=progress,
        )
        origin = f"{workspace.settings.registry}/{issuer.slug}/1"
        issued = completion.issued_in(workspace, out)
        completion.wait_until_anchored(client, origin, issued, timeout_seconds=ANCHOR_SECONDS)
        anchored = completion.complete(client, origin, issued).anchored
    return SampleReport(rows=report.rows, signed=report.signed, anchored=anchored, folder=out)
