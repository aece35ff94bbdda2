"""From a learner's new key to an employer's answer, through a real node on a real chain."""

import asyncio
import json
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from testamur.node.cli.main import app
from testamur.node.service.devnet import SampleIssuer, running
from testamur.node.service.sample import SampleClass, issue_sample

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "scripts" / "samples"

pytestmark = pytest.mark.chain


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return json.loads(result.output.splitlines()[-1])


def post(url, body=b"{}"):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def class_of(did, folder):
    """The sample class with one learner, bound to this DID by the column `holder`."""
    table = next(SAMPLES.glob("data-literacy-*.csv"))
    header, first = table.read_text(encoding="utf-8").splitlines()[:2]
    cells = first.split(",")
    cells[header.split(",").index("holder")] = did
    target = folder / "class.csv"
    target.write_text(f"{header}\n{','.join(cells)}\n", encoding="utf-8")
    return SampleClass(name="class", table=target, template=SAMPLES / "data-literacy.template.json")


async def test_a_learner_shows_a_credential_to_an_employer_once(tmp_path):
    wallet, home = tmp_path / "learner", tmp_path / "devnet"
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text("correct horse\n")
    own = ("--home", wallet, "--json")
    did = (await asyncio.to_thread(run, "wallet", "new", *own, "--passphrase-file", secret))["did"]
    async with running(home, port=0, clock=lambda: datetime.now(UTC), roots=[ROOT]) as devnet:
        await devnet.admit_sample(SampleIssuer())
        report = await issue_sample(devnet, SampleIssuer(), class_of(did, tmp_path))
        assert (report.rows, report.anchored) == (1, 1)
        (dossier,) = (home / "credentials").glob("*/*.credential.json")
        added = await asyncio.to_thread(run, "wallet", "add", dossier, *own)
        assert (added["holders"], added["key"]) == ([did], "main")

        asked = json.dumps({"domain": "employer.example"}).encode()
        given = await asyncio.to_thread(post, f"{devnet.url}/v1/challenges", asked)
        file = tmp_path / "a.presentation.json"
        question = ("--challenge", given["challenge"], "--domain", given["domain"])
        present = ("wallet", "present", *question, "--out", file, "--passphrase-file", secret)
        await asyncio.to_thread(run, *present, *own)

        answers = [
            await asyncio.to_thread(post, f"{devnet.url}/v1/presentations", file.read_bytes())
            for _ in range(2)
        ]
        steps = [answer["credentials"][0]["checks"][10]["reason"] for answer in answers]
        assert [answer["outcome"] for answer in answers] == ["valid", "invalid"]
        assert steps == ["holder-proven", "challenge-used"]

        online = ("verify", "--node", devnet.url, "--home", home, "--json", *question, file)
        assert (await asyncio.to_thread(run, *online))["outcome"] == "valid"
    offline = ("verify", "--offline", "--home", home, "--json", file, "--domain", given["domain"])
    assert run(*offline, "--challenge", given["challenge"])["outcome"] == "valid"
    assert run(*offline, "--challenge", "another", code=1)["outcome"] == "invalid"
