"""An issuer whose key was stolen and whose next key was lost: the council replaces its key chain, and it goes on."""

import asyncio
import json

import pytest

from fakes.sample_devnet import devnet_in, now, run_aside, small_class
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import TransactionSender
from testamur.node.errors import PeerMisbehaved
from testamur.node.homes import workspace_folder
from testamur.node.issuing.publishing import publish_lists
from testamur.node.service import issuer_side, recovering
from testamur.node.service.chain_access import contract_of
from testamur.node.service.devnet import SampleIssuer
from testamur.node.service.founding import RECOVERY_DELAY_SECONDS
from testamur.node.service.roles import COUNCIL
from testamur.node.service.sample import issue_sample
from testamur.registry.canonical import parse_json
from testamur.registry.credentials import credential_digest
from testamur.registry.dossiers import split_dossier
from testamur.registry.key_events import Position
from testamur.registry.status import StatusBits
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import Outcome, Step, verify_dossier

pytestmark = pytest.mark.chain


class Life:
    """A devnet's university, before, during and after the loss of its keys."""

    def __init__(self, devnet, folder):
        self.devnet, self.folder = devnet, folder
        self.workspace = workspace_folder(devnet.home, "ada")
        self.hosting = devnet.node.hostings["ada"]
        self.trust = parse_trust_file((devnet.home / "trust.json").read_bytes())

    async def issue(self, rows):
        """The dossiers of a class of this many."""
        report = await issue_sample(self.devnet, SampleIssuer(), small_class(self.folder, rows))
        return sorted(report.folder.glob("*.credential.json"))

    async def command(self, *arguments):
        result = await run_aside(*arguments, "--home", self.devnet.home, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]

    async def council(self, function, *arguments):
        account = ChainAccount(self.devnet.node.keystore.load_secp256k1(COUNCIL))
        sender = TransactionSender(self.devnet.chain.client, account)
        issuer_id = self.hosting.log.origin.issuer_id
        return await sender.call(contract_of(self.devnet.node.config), function, issuer_id, *arguments)

    async def recover(self, prepared):
        """Announced, waited for, executed and final."""
        await self.council("proposeRecovery", bytes(20), prepared.digest)
        await self.devnet.chain.client.request("evm_increaseTime", [RECOVERY_DELAY_SECONDS + 1])
        receipt = await self.council("executeRecovery")
        await self.devnet.chain.mine_until_final(receipt.block_number)
        await self.devnet.node.chain.look_up_key_chains(self.hosting)
        return self.hosting.log.key_chains

    def anchored(self):
        """The anchored size, as a place in the log."""
        return Position(1, self.devnet.node.index.find_newest_anchor(self.hosting.log.name).size)

    def leaves(self, dossiers):
        """(epoch, first, after the last) of a class, which lies in one piece."""
        found = []
        for path in dossiers:
            credential, _ = split_dossier(parse_json(path.read_bytes(), subject=path.name))
            found += self.devnet.node.index.find_credential(credential_digest(credential))
        indexes = sorted(place.leaf_index for place in found)
        assert indexes[-1] - indexes[0] == len(dossiers) - 1
        return 1, indexes[0], indexes[-1] + 1

    def with_host(self, do):
        """Something that a workspace does with its host."""
        with issuer_side.host_client(self.workspace, node_url=self.devnet.url, token_file=None) as client:
            return do(client)

    def complete(self, chains, stolen):
        return self.with_host(
            lambda client: recovering.complete(
                self.workspace,
                self.devnet.passphrase,
                key_chains=chains,
                port=client,
                now=now(),
                repudiated=[stolen],
            )
        )

    def judge(self, path):
        return verify_dossier(path.read_bytes(), trust=self.trust, now=now())


def thief_goes_on(life):
    """The stolen key and the token, after the contract has recorded the recovery."""
    key = issuer_side.signing_key(life.workspace, life.devnet.passphrase)

    def publish(client):
        with issuer_side.open_for_issuing(life.workspace) as workspace:
            mine = workspace.settings.list_id("revocation", 2)
            publish_lists(workspace, [(mine, "revocation", StatusBits())], key=key, port=client, now=now())

    life.with_host(publish)


async def lost_and_recovered(life):
    honest = await life.issue(2)
    at = life.anchored()
    prepared = await asyncio.to_thread(
        recovering.prepare, life.workspace, life.devnet.passphrase, anchored=at, now=now()
    )
    # The log grows while the council waits: nobody knows beforehand where the new chain will begin.
    stolen = await life.issue(3)
    before = [path.read_bytes() for path in honest]
    chains = await life.recover(prepared)
    assert (len(chains), chains[0].first_key_event) == (1, prepared.digest)
    assert at < Position(chains[0].epoch, chains[0].start_size) == life.anchored()
    published = await asyncio.to_thread(life.complete, chains, life.leaves(stolen))
    assert [len(chain.events) for chain in published.keys.chains] == [1, 1]
    assert not (life.workspace / recovering.RECOVERY).exists()
    after = await life.issue(4)
    for path, data in zip(honest, before, strict=True):
        assert verify_dossier(data, trust=life.trust, now=now()).outcome == Outcome.VALID, path
    return honest, stolen, after


async def life_of(folder):
    async with devnet_in(folder / "home") as devnet:
        await devnet.admit_sample(SampleIssuer())
        life = Life(devnet, folder)
        honest, stolen, after = await lost_and_recovered(life)
        access = ("--issuer", "ada", "--passphrase-file", devnet.home / "devnet-passphrase")
        await life.command("revoke", honest[0], "--reason", "fraud", *access)
    # Whatever the host knows of the recovery, it knows again.
    async with devnet_in(folder / "home") as devnet:
        life = Life(devnet, folder)
        await life.command("suspend", after[0], "--reason", "under-review", *access)
        for path in (*honest, *stolen, *after):
            await life.command("evidence", "--refresh", path)
        outcomes = {path: life.judge(path) for path in (*honest, *stolen, *after)}
        said = [(verdict.outcome, verdict.credential_status) for verdict in outcomes.values()]
        assert [outcome for outcome, _ in said] == [
            *(Outcome.INVALID, Outcome.VALID),
            *3 * [Outcome.INVALID],
            *(Outcome.INVALID, *3 * [Outcome.VALID]),
        ], outcomes
        assert [status for _, status in said][:2] == ["revoked", "active"]
        for path in stolen:
            check = outcomes[path].check(Step.SIGNING_KEY)
            assert (check.reason, check.parameters["statement"]) == ("entry-repudiated", 2), check
        history = await life.command("status", "history", "ada", "--node", devnet.url)
        assert [row["problem"] for row in history] == [None] * len(history)
        assert [len(row["set"]) for row in history] == [0, 0, 1, 1]
        assert len({row["key"] for row in history}) == 2


def test_an_issuer_whose_keys_are_gone_goes_on_with_those_that_the_council_recorded(tmp_path):
    asyncio.run(life_of(tmp_path))


async def refused(folder):
    async with devnet_in(folder / "home") as devnet:
        await devnet.admit_sample(SampleIssuer())
        life = Life(devnet, folder)
        await life.issue(2)
        prepared = await asyncio.to_thread(
            recovering.prepare, life.workspace, devnet.passphrase, anchored=life.anchored(), now=now()
        )
        with pytest.raises(Exception, match="key-chain-mismatch"):
            await asyncio.to_thread(life.complete, (), (1, 0, 1))
        await life.recover(prepared)
        with pytest.raises(PeerMisbehaved, match="key-chain-missing"):
            await asyncio.to_thread(thief_goes_on, life)


def test_nobody_goes_on_with_the_lost_key_nor_begins_a_chain_that_the_contract_does_not_have(tmp_path):
    asyncio.run(refused(tmp_path))
