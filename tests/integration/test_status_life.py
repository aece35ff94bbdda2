"""Revoke, suspend and reinstate on a real node and chain, as a registrar and a holder type it."""

import asyncio
import contextlib
import json
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from fakes.sample_devnet import ROOT, devnet_in, now, small_class
from testamur.node.cli.main import app
from testamur.node.errors import ConfigError
from testamur.node.service.devnet import SampleIssuer
from testamur.node.service.sample import issue_sample
from testamur.registry.contexts import BUNDLED, find_context
from testamur.registry.issuer_keys import verify_issuer_keys

ROWS = 4

pytestmark = pytest.mark.chain


async def run(*arguments, code=0):
    """A command beside the devnet; its JSON rows."""
    words = [*map(str, arguments), "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, app, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@contextlib.asynccontextmanager
async def class_of(folder, issuer=SampleIssuer()):
    """A devnet with a class, what opens the workspace, and the dossiers."""
    home = folder / "home"
    async with devnet_in(home) as devnet:
        await devnet.admit_sample(issuer)
        await issue_sample(devnet, issuer, small_class(folder, ROWS))
        dossiers = sorted((home / "credentials" / f"class-{ROWS}").glob("*.json"))
        access = ("--issuer", "ada", "--home", home, "--passphrase-file", home / "devnet-passphrase")
        yield devnet, access, dossiers


async def verified(devnet, dossier, *more, code=0):
    trust = devnet.home / "trust.json"
    (verdict,) = await run("verify", "--offline", "--trust", trust, dossier, *more, code=code)
    return verdict["outcome"], verdict["credentialStatus"]


async def next_second():
    """A moment, and then a later whole second: statements have no fractions."""
    moment = now()
    await asyncio.sleep(1 - moment.microsecond / 1_000_000)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


async def life(folder):
    async with class_of(folder) as (devnet, access, dossiers):
        home, first = devnet.home, dossiers[0]
        before = await next_second()

        (dry,) = await run("suspend", first, "--reason", "under-review", "--dry-run", *access)
        assert (dry["changed"], dry["statement"]) == (1, None)
        (done,) = await run("suspend", first, "--reason", "under-review", "--records", folder / "r", *access)
        assert (done["changed"], done["statement"], done["anchored"]) == (1, 2, True)
        (record,) = (folder / "r").glob("*.status-record.json")
        assert record.stat().st_mode & 0o077 == 0
        await run("evidence", "--refresh", "--record", record, "--home", home, first)
        assert await verified(devnet, first, code=1) == ("invalid", "suspended")
        assert await verified(devnet, first, "--as-of", before) == ("valid", "active")

        trust = home / "trust.json"
        (verdict,) = await run("verify", "--offline", "--trust", trust, first, code=1)
        shown, suspended = verdict["evidenceAt"], await next_second()
        (lifted,) = await run("reinstate", first, "--reason", "cleared", *access)
        (again,) = await run("reinstate", first, "--reason", "cleared", "--records", folder / "c", *access)
        assert (lifted["statement"], again["statement"], again["changed"], again["already"]) == (3, 3, 0, 1)
        (record,) = (folder / "c").glob("*.status-record.json")
        await run("evidence", "--refresh", "--record", record, "--home", home, first)
        assert await verified(devnet, first) == ("valid", "active")
        # The evidence of the suspension, with its record, stands in the file: up to its own moment it speaks.
        assert await verified(devnet, first, "--as-of", shown, code=1) == ("invalid", "suspended")
        assert await verified(devnet, first, "--as-of", before) == ("valid", "active")
        assert (await verified(devnet, first, "--as-of", suspended, code=3))[0] == "indeterminate"

        table = folder / "many.csv"
        names = "\n".join(f"{path},fraud" for path in dossiers[1:])
        table.write_text(f"dossier,reason\n{names}\n{dossiers[1]},fraud\nnobody.json,fraud\n", "utf-8")
        (stopped,) = await run("revoke", table, *access, code=1)
        assert (stopped["statement"], [row["where"] for row in stopped["refused"]]) == (None, ["many.csv:6"])
        (many,) = await run("revoke", table, "--on-error", "continue", *access, code=1)
        assert (many["changed"], many["already"], many["statement"]) == (3, 1, 4)
        (refused,) = await run("revoke", dossiers[1], "--reason", "because", *access)
        assert refused["already"] == 1
        (final,) = await run("reinstate", dossiers[1], "--reason", "cleared", *access, code=1)
        assert "it is revoked" in final["refused"][0]["reason"]

        untouched = dossiers[2].read_bytes()
        with pytest.raises(ConfigError, match="of another credential"):
            await run("evidence", "--refresh", "--record", record, "--home", home, dossiers[2])
        assert dossiers[2].read_bytes() == untouched  # the record is another credential's

        changes = await run("status", "history", "ada", "--node", devnet.url)
        assert [len(row["set"]) + len(row["cleared"]) for row in changes] == [0, 0, 1, 1, 3]
        assert all(row["problem"] is None and row["anchored"] for row in changes)
        own = await run("status", "history", "ada", "--node", devnet.url, "--of", first)
        assert [row["statement"] for row in own] == [2, 3]

        (watched,) = await run("issuer", "watch", "--issuer", "ada", "--home", home)
        assert (watched["state"], watched["anchoredStatement"]) == ("as-signed", 4)
        assert (done["finality"], watched["isProven"]) == ("1 of 1 member-attestations", True)
        (audited,) = await run("status", "audit", "--node", devnet.url)
        assert audited["fair"] is True


def test_a_status_has_a_life_and_every_moment_of_it_is_answered(tmp_path):
    asyncio.run(life(tmp_path))


MULTIKEY = "https://w3id.org/security/multikey/v1"
DEAD_BASE = "https://status.university.invalid"
"""An address that no name server ever answers for: the issuer is gone."""


def did_document(evidence):
    """The issuer's DID document, by URL of the document and of each method, as its web site had it."""
    events = next(log["keyEvents"] for log in evidence["logs"].values() if log["keyEvents"])
    keys = verify_issuer_keys(tuple(events))
    methods = [
        {
            "id": item.key.id,
            "type": "Multikey",
            "controller": keys.issuer,
            "publicKeyMultibase": item.public_key.to_multikey(),
        }
        for item in keys.chains[-1].intervals
    ]
    document = {
        "@context": ["https://www.w3.org/ns/did/v1", MULTIKEY],
        "id": keys.issuer,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
    return {keys.issuer: document} | {method["id"]: {"@context": MULTIKEY, **method} for method in methods}


async def seen_from_outside(program, url, dossier):
    """What Digital Bazaar's verifier says, which asks the node alone for the status lists."""
    document = json.loads(dossier.read_bytes())
    request = {
        "action": "verify",
        "credential": document["credential"],
        "documents": {name: find_context(name) for name in BUNDLED} | did_document(document["evidence"]),
        "now": now().isoformat(),
        "node": url,
        "statusBase": DEAD_BASE,
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [program, str(ROOT / "tests" / "npm" / "verifier.mjs")],
        input=json.dumps(request).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


async def outside(folder, program):
    async with class_of(folder, SampleIssuer(status_base=DEAD_BASE)) as (devnet, access, dossiers):
        before = await seen_from_outside(program, devnet.url, dossiers[0])
        assert before == {"verified": True, "errors": [], "statuses": [False, False]}, before
        await run("revoke", dossiers[0], "--reason", "fraud", *access)
        after = await seen_from_outside(program, devnet.url, dossiers[0])
        assert sorted(after["statuses"]) == [False, True], after
        other = await seen_from_outside(program, devnet.url, dossiers[1])
        assert other == before, other


def test_an_outside_verifier_sees_a_revocation_through_the_list_that_the_node_serves(tmp_path):
    program = shutil.which("node")
    if program is None or not (ROOT / "node_modules" / "@digitalbazaar" / "vc").is_dir():
        pytest.skip("needs Node.js and the npm packages of package.json: npm ci --ignore-scripts")
    asyncio.run(outside(tmp_path, program))
