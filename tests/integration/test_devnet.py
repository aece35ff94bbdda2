"""A whole registry on a real chain: from an application to verdicts by people who never met the issuer."""

import asyncio
import json
import shutil

import pytest

from fakes.sample_devnet import devnet_in, now, run, run_aside, small_class
from testamur.node.errors import StoreLocked
from testamur.node.fetch.registry import RegistryClient
from testamur.node.homes import workspace_folder
from testamur.node.service.devnet import SampleIssuer
from testamur.node.service.issuer_side import host_url
from testamur.node.service.sample import issue_sample
from testamur.registry.dossiers import parse_dossier
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import Outcome, verify_dossier

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    """A devnet that issued three credentials and has stopped: its home, kept for the whole module."""
    home = tmp_path_factory.mktemp("devnet") / "home"

    async def make():
        async with devnet_in(home) as devnet:
            await devnet.admit_sample(SampleIssuer())
            report = await issue_sample(devnet, SampleIssuer(), small_class(home.parent, 3))
            assert (report.rows, report.signed, report.anchored) == (3, 3, 3)

    asyncio.run(make())
    return home


def dossiers(home):
    return sorted((home / "credentials").glob("*/*.credential.json"))


def test_dossiers_verify_when_node_and_chain_are_gone(issued):
    trust = parse_trust_file((issued / "trust.json").read_bytes())
    verdicts = [verify_dossier(path.read_bytes(), trust=trust, now=now()) for path in dossiers(issued)]
    assert [verdict.outcome for verdict in verdicts] == [Outcome.VALID] * 3
    assert all(verdict.development for verdict in verdicts)


def test_the_command_says_what_was_achieved_first_and_loudly_that_this_is_a_devnet(issued):
    result = run("verify", "--home", issued, "--offline", dossiers(issued)[0])
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "Data Literacy for Public Services"
    assert "did:key:" in result.output
    assert "DEVELOPMENT REGISTRY" in result.output


def test_a_dossier_altered_in_one_character_exits_with_1_and_names_the_check(issued, tmp_path):
    altered = tmp_path / "altered.json"
    altered.write_text(dossiers(issued)[0].read_text().replace("Data Literacy for", "Data Litteracy for", 1))
    result = run("verify", "--home", issued, "--json", altered)
    assert result.exit_code == 1
    failed = [check["step"] for check in json.loads(result.output)["checks"] if check["result"] == "fail"]
    assert failed == [3, 4]


def test_with_chain_and_node_stopped_and_no_evidence_it_is_indeterminate_and_the_words_say_why(
    issued, tmp_path
):
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(parse_dossier(dossiers(issued)[0].read_bytes())[0]))
    result = run("verify", "--home", issued, "--node", "http://127.0.0.1:9", bare)
    assert result.exit_code == 3
    assert "no evidence" in result.output
    assert "does not answer" in result.output
    assert "INVALID" not in result.output


def test_a_second_start_goes_on_with_the_same_chain_and_log_and_signs_nothing_twice(tmp_path):
    home = tmp_path / "home"

    async def start(*rows):
        async with devnet_in(home) as devnet:
            admitted = await devnet.admit_sample(SampleIssuer())
            reports = [
                await issue_sample(devnet, SampleIssuer(), small_class(tmp_path, count)) for count in rows
            ]
            size = devnet.node.hostings["ada"].log.writer.size
            return devnet.is_new, admitted, devnet.chain.client.identity, size, reports

    is_new, admitted, chain, size, (first,) = asyncio.run(start(3))
    assert (is_new, admitted, first.signed, first.anchored) == (True, True, 3, 3)
    is_new, admitted, same_chain, larger, (again, more) = asyncio.run(start(3, 5))
    assert (is_new, admitted, same_chain) == (False, False, chain)
    assert (again.rows, again.signed, again.anchored) == (3, 0, 3)
    assert (more.rows, more.signed, more.anchored) == (5, 5, 5)
    # Five entries and their seal: nothing was logged again.
    assert larger == size + 6


def test_a_workspace_finds_the_devnet_again_that_listens_on_another_port_now(issued, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(issued, home)

    async def start():
        async with devnet_in(home) as devnet:
            told = [host_url(workspace_folder(home, slug)) for slug in ("ada", "registry")]
            audit = await run_aside("issuer", "watch", "--issuer", "ada", "--home", home, "--json")
            return devnet.url, told, audit.exit_code

    url, told, code = asyncio.run(start())
    assert told == [url, url]
    assert code == 0


def test_a_running_node_answers_for_its_credentials_and_learns_a_prefix_only(issued, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(issued, home)
    path = dossiers(home)[0]
    credential, evidence = parse_dossier(path.read_bytes())
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(credential))

    async def ask():
        async with devnet_in(home) as devnet:
            await devnet.admit_sample(SampleIssuer())
            by_node = await run_aside("verify", "--home", home, "--node", devnet.url, bare)
            by_rpc = await run_aside("verify", "--home", home, "--rpc", devnet.chain.rpc_url, "--json", path)
            completed = await run_aside("evidence", bare, "--node", devnet.url, "--home", home)
            status = await run_aside("node", "status", "--url", devnet.url)
            listed = await run_aside("issuer", "list", "--node", devnet.url)
            with RegistryClient(devnet.url) as client:
                issuers = await asyncio.to_thread(client.issuers)
            return by_node, by_rpc, completed, status, listed, issuers

    by_node, by_rpc, completed, status, listed, issuers = asyncio.run(ask())
    assert by_node.exit_code == 0, by_node.output
    assert json.loads(by_rpc.output)["anchored"]["finality"] == "own-rpc"
    assert completed.exit_code == 0, completed.output
    assert run("verify", "--home", home, "--offline", bare).exit_code == 0
    assert status.exit_code == 0, status.output
    assert "did:web:ada.example" in listed.output
    assert issuers["issuers"][0]["lifecycle"] == "active"
    assert evidence["registry"] == issuers["registry"]


def test_two_processes_cannot_own_one_home(issued, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(issued, home)

    async def both():
        async with devnet_in(home):
            with pytest.raises(StoreLocked):
                async with devnet_in(home):
                    pass

    asyncio.run(both())


def test_the_log_of_a_stopped_node_audits_as_sound_and_a_flipped_bit_is_found(issued, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(issued, home)
    log = next((home / "node" / "logs").iterdir())
    assert run("audit", log).exit_code == 0
    bundle = next((log / "tile" / "entries").rglob("*.p/*"))
    data = bytearray(bundle.read_bytes())
    data[10] ^= 1
    bundle.write_bytes(bytes(data))
    damaged = run("audit", log, "--json")
    assert damaged.exit_code == 1
    assert json.loads(damaged.output)["findings"]


def test_keys_are_listed_without_a_passphrase_and_without_secrets(issued):
    result = run("keys", "--home", issued, "--json")
    names = {row["name"] for row in json.loads(result.output)}
    assert {"witness", "mirror", "attestation", "operator", "council", "log-ada-1"} <= names
    assert "secret" not in result.output
    own = json.loads(run("keys", "--issuer", "ada", "--home", issued, "--json").output)
    assert {row["name"] for row in own} == {"signing-1", "signing-2", "controller"}


def test_two_registries_run_in_one_process_each_with_its_own_folder_port_and_chain(issued, tmp_path):
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        shutil.copytree(issued, home)

    async def both():
        async with devnet_in(homes[0]) as one, devnet_in(homes[1]) as two:
            await asyncio.gather(one.admit_sample(SampleIssuer()), two.admit_sample(SampleIssuer()))
            table = small_class(tmp_path, 2)
            reports = await asyncio.gather(*(issue_sample(net, SampleIssuer(), table) for net in (one, two)))
            return one.url, two.url, one.chain.rpc_url, two.chain.rpc_url, reports

    *addresses, reports = asyncio.run(both())
    assert len(set(addresses)) == 4
    assert [(report.signed, report.anchored) for report in reports] == [(2, 2), (2, 2)]
