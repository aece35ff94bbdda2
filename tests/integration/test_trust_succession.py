"""A real registry whose council changes: a verifier with version 1 follows, and a thief below the quorum does not."""

import asyncio
import json
import shutil

import pytest

from fakes.sample_devnet import devnet_in, now, run, run_aside, small_class
from testamur.node.errors import PeerMisbehaved
from testamur.node.fetch.registry import RegistryClient
from testamur.node.homes import workspace_folder
from testamur.node.issuing.publishing import publish_documents
from testamur.node.service import issuer_side
from testamur.node.service.devnet import SampleIssuer
from testamur.node.service.sample import issue_sample
from testamur.registry.canonical import digest
from testamur.registry.entries import EntryKind
from testamur.registry.trust import parse_trust_file
from testamur.registry.trust_successions import OWN_SLUG, version_id
from testamur.registry.verification import Outcome, verify_dossier

pytestmark = pytest.mark.chain


async def done_aside(*arguments):
    result = await run_aside(*arguments)
    assert result.exit_code == 0, result.output
    return result


def outcome_of(result):
    """The command's answer; the node in this process writes its log to the same stream."""
    return json.loads(next(line for line in result.output.splitlines() if line.startswith('{"outcome"')))


def read_trust(path):
    return parse_trust_file(path.read_bytes())


class Council:
    """Ada, who founded the registry, and Bob, who joins."""

    def __init__(self, folder):
        self.folder = folder
        self.home, self.bob = folder / "home", folder / "bob"
        self.passphrase = self.home / "devnet-passphrase"

    async def trust(self, command, *arguments, home=None):
        return await done_aside("trust", command, *arguments, "--home", home or self.home, "--json")

    async def join(self, registry):
        """Bob makes a node of his own and gives his card."""
        where = ("--registry", registry, "--member", "bob", "--home", self.bob)
        await done_aside("init", *where, "--passphrase-file", self.passphrase)
        await self.trust("member", "--out", self.folder / "bob.json", home=self.bob)

    async def rotate(self):
        """Ada makes a new attestation key beside the old one, and gives her card."""
        out = ("--out", self.folder / "ada.json", "--passphrase-file", self.passphrase)
        await self.trust("member", "--new-attestation-key", *out)

    async def sign(self, path, *, home=None):
        await self.trust(
            "sign",
            path,
            "--trust",
            self.home / "node" / "trust.json",
            "--passphrase-file",
            self.passphrase,
            home=home,
        )

    async def publish(self, path, url):
        return await self.trust("publish", path, "--node", url, "--passphrase-file", self.passphrase)


def test_a_verifier_follows_the_council_from_version_1_and_a_thief_below_the_quorum_stays_behind(tmp_path):
    council = Council(tmp_path)
    drafts = {number: tmp_path / f"v{number}.json" for number in (2, 3)}
    mine, old = tmp_path / "mine.json", tmp_path / "version-1.json"

    async def life():
        async with devnet_in(council.home) as devnet:
            # A development chain's time may be ahead: what the old key attested is then dated after its end.
            await devnet.chain.client.request("evm_increaseTime", [3600])
            await devnet.admit_sample(SampleIssuer())
            early = await issue_sample(devnet, SampleIssuer(), small_class(tmp_path, 2))
            for path in (mine, old):
                shutil.copyfile(council.home / "trust.json", path)
            await council.join(devnet.node.config.registry)
            await council.rotate()
            cards = ("--member", tmp_path / "ada.json", "--member", tmp_path / "bob.json")
            quorums = ("--threshold", 2, "--witnesses", 1, "--mirrors", 1)
            await council.trust("draft", *cards, *quorums, "--out", drafts[2])
            await unsigned_is_refused(devnet)
            await council.sign(drafts[2])
            await council.publish(drafts[2], devnet.url)
            assert devnet.node.trust.sequence == 2
            late = await issue_sample(devnet, SampleIssuer(), small_class(tmp_path, 3))
            await follow(devnet)
            await thief_is_refused(devnet)
            await council.sign(drafts[3], home=council.bob)
            await council.publish(drafts[3], devnet.url)
            await logged_and_anchored(devnet)
            return early.folder, late.folder

    async def unsigned_is_refused(devnet):
        with pytest.raises(Exception, match="trust-quorum-missing"):
            await council.publish(drafts[2], devnet.url)
        assert devnet.node.trust.sequence == 1

    async def follow(devnet):
        """With the network: the file goes forward; and the way is kept for one who has none."""
        chain = ("--chain", tmp_path / "chain.json")
        fetched = await council.trust("fetch", "--node", devnet.url, "--out", mine, *chain)
        shown = outcome_of(fetched)
        assert (shown["from"]["sequence"], shown["newest"]["sequence"]) == (1, 2)
        assert read_trust(mine).digest == devnet.node.trust.digest

    async def thief_is_refused(devnet):
        """Ada's keys alone, and even the workspace of the registry's own log: one of two is no quorum."""
        alone = ("--end", "bob", "--threshold", 1, "--witnesses", 1, "--mirrors", 1)
        await council.trust("draft", *alone, "--out", drafts[3])
        await council.sign(drafts[3])
        with pytest.raises(Exception, match="trust-quorum-missing"):
            await council.publish(drafts[3], devnet.url)
        stolen = shutil.copytree(workspace_folder(council.home, OWN_SLUG), tmp_path / "stolen")
        with pytest.raises(
            PeerMisbehaved, match=r"HTTP 422: trust-quorum-missing \(sequence=3, got=1, wanted=2\)"
        ):
            await asyncio.to_thread(publish_unchecked, stolen, devnet)
        assert devnet.node.trust.sequence == 2
        refused = await asyncio.to_thread(run, "trust", "verify", drafts[3], "--from", mine, "--json")
        assert (refused.exit_code, outcome_of(refused)["reason"]) == (1, "trust-quorum-missing")

    def publish_unchecked(folder, devnet):
        with (
            issuer_side.host_client(folder, node_url=devnet.url, token_file=None) as client,
            issuer_side.open_for_issuing(folder) as workspace,
        ):
            document = json.loads(drafts[3].read_text())
            publish_documents(
                workspace,
                [(version_id(document["registry"], 3), document)],
                key=issuer_side.signing_key(folder, devnet.passphrase),
                port=client,
                now=now(),
            )

    async def logged_and_anchored(devnet):
        """Every version is a public document of the registry's own log, in its tree and on the chain."""
        node = devnet.node
        hosting = node.hostings[OWN_SLUG]
        newest = hosting.log.publications.newest().documents
        assert sorted(newest) == [version_id(node.config.registry, number) for number in (1, 2, 3)]
        index = node.index.find_leaf(hosting.log.name, digest(node.trust.json), EntryKind.DOCUMENT)
        while (hosting.captures.newest() or (0,))[0] <= index:  # noqa: ASYNC110  the node has no event for it
            await asyncio.sleep(0.1)
        with RegistryClient(devnet.url) as client:
            assert parse_trust_file(await asyncio.to_thread(client.trust_file)).sequence == 3

    early, late = asyncio.run(life())
    offline(tmp_path, early, late)

    # A crash between the log and the file: the next start goes on where the log is.
    shutil.copyfile(old, council.home / "node" / "trust.json")

    async def again():
        async with devnet_in(council.home) as devnet:
            return devnet.node.trust.sequence

    assert asyncio.run(again()) == 3


def offline(folder, early, late):
    """Everything is gone but files: version 1, the successions, and dossiers of both times."""
    first, proven = folder / "version-1.json", folder / "proven.json"
    advanced = run("trust", "verify", folder / "chain.json", "--from", first, "--out", proven)
    assert advanced.exit_code == 0, advanced.output
    assert "Proven from version 1 to 2" in advanced.output
    of_late = sorted(late.glob("*.credential.json"))
    assert len(of_late) == 3
    for path in of_late:
        before = verify_dossier(path.read_bytes(), trust=read_trust(first), now=now())
        assert (before.outcome, before.checks[5].reason) == (Outcome.INDETERMINATE, "finality-unproven")
        assert verify_dossier(path.read_bytes(), trust=read_trust(proven), now=now()).outcome == Outcome.VALID
    for path in sorted(early.glob("*.credential.json")):
        for file in (first, proven):
            verdict = verify_dossier(path.read_bytes(), trust=read_trust(file), now=now())
            assert verdict.outcome == Outcome.VALID, verdict
        # Without a handover, what the old key attested under the chain's time would count no more.
        document = json.loads(proven.read_bytes())
        document["members"][0]["attestation"][0]["until"] = document["issued"]
        at_once = parse_trust_file(json.dumps(document).encode())
        verdict = verify_dossier(path.read_bytes(), trust=at_once, now=now())
        assert (verdict.outcome, verdict.checks[5].reason) == (Outcome.INDETERMINATE, "finality-unproven")
