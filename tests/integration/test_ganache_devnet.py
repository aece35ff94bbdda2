"""A whole registry on Ganache: issued, anchored and verified as on Anvil, and believed on its own chain only."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from fakes.sample_devnet import devnet_in, now, small_class
from testamur.node.chain.devchains import DevChain
from testamur.node.cli.main import app
from testamur.node.errors import ConfigError
from testamur.node.service.devnet import SampleIssuer
from testamur.node.service.sample import issue_sample
from testamur.registry.canonical import canonicalize
from testamur.registry.dossiers import parse_dossier
from testamur.registry.evm.anchors import parse_anchor
from testamur.registry.evm.headers import parse_header
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import Outcome, verify_dossier

OTHER_GENESIS = "0x" + "17" * 32

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    """A Ganache devnet that was started twice and has stopped; the second start was told no chain."""
    home = tmp_path_factory.mktemp("devnet") / "home"

    async def life():
        async with devnet_in(home, DevChain.GANACHE) as devnet:
            await devnet.admit_sample(SampleIssuer())
            first = await issue_sample(devnet, SampleIssuer(), small_class(home.parent, 2))
            identity = devnet.chain.client.identity
        async with devnet_in(home, None) as devnet:
            assert devnet.is_new is False
            assert devnet.chain.client.identity == identity
            assert identity.chain_id == 1337
            again = await issue_sample(devnet, SampleIssuer(), small_class(home.parent, 2))
            more = await issue_sample(devnet, SampleIssuer(), small_class(home.parent, 3))
        return [(report.signed, report.anchored) for report in (first, again, more)]

    assert asyncio.run(life()) == [(2, 2), (0, 2), (3, 3)]
    return home


def dossiers(home):
    return sorted((home / "credentials").glob("*/*.credential.json"))


def trust_of(home, **changes):
    """The trust file of `home`, with other words in its chain."""
    document = json.loads((home / "trust.json").read_bytes())
    document["chains"][0].update(changes)
    return parse_trust_file(canonicalize(document))


def test_dossiers_verify_when_node_and_ganache_are_gone(issued):
    found = dossiers(issued)
    assert len(found) == 5
    for path in found:
        verdict = verify_dossier(path.read_bytes(), trust=trust_of(issued), now=now())
        assert verdict.outcome == Outcome.VALID, verdict
        assert verdict.development
    by_command = CliRunner().invoke(app, ["verify", "--home", str(issued), "--offline", str(found[0])])
    assert by_command.exit_code == 0
    assert "DEVELOPMENT REGISTRY" in by_command.output


def test_its_headers_are_of_shanghai(issued):
    """Fewer fields than Anvil's, and the block hash covers exactly those."""
    _, evidence = parse_dossier(dossiers(issued)[0].read_bytes())
    anchor = parse_anchor(evidence["anchors"][0])
    header = parse_header(anchor.header)
    assert anchor.chain_id == 1337
    assert header.number % 4 == 0
    assert len(anchor.header) < 600


@pytest.mark.parametrize(
    "changes",
    [
        {"chainId": 31337},
        {"genesisHash": OTHER_GENESIS},
        {"contract": "0x" + "17" * 20},
        {"fromBlock": 1 << 40},
    ],
)
def test_under_the_trust_file_of_another_chain_it_is_not_anchored(issued, changes):
    data = dossiers(issued)[0].read_bytes()
    verdict = verify_dossier(data, trust=trust_of(issued, **changes), now=now())
    anchored = verdict.checks[5]
    assert (verdict.outcome, anchored.reason) == (Outcome.INDETERMINATE, "chain-not-trusted")


@pytest.mark.parametrize("changes", [{"chainId": 31337}, {"genesisHash": OTHER_GENESIS}])
def test_evidence_that_claims_another_chain_is_not_attested_for_it(issued, changes):
    """Same contract, same header, same proof: what the members signed names the chain."""
    document = json.loads(dossiers(issued)[0].read_bytes())
    for anchor in document["evidence"]["anchors"]:
        anchor.update(changes)
    verdict = verify_dossier(json.dumps(document).encode(), trust=trust_of(issued, **changes), now=now())
    assert verdict.outcome != Outcome.VALID
    assert verdict.checks[5].result != "pass"


def test_a_home_with_ganache_is_not_continued_on_anvil(issued):
    async def start(kind):
        async with devnet_in(issued, kind):
            pass

    with pytest.raises(ConfigError, match="has a chain of ganache"):
        asyncio.run(start("anvil"))
    with pytest.raises(ConfigError, match="'geth' is no development chain: anvil or ganache"):
        asyncio.run(start("geth"))
