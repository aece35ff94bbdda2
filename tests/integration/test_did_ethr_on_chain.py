"""did:ethr on a real chain: what an ERC-1056 registry says now, and what it said before."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from fakes.erc1056 import Erc1056, name32
from testamur.node.chain.anvil import CHAIN_ID, Anvil, find_anvil
from testamur.node.chain.client import ChainClient
from testamur.node.chain.pool import ChainPool
from testamur.node.chain.signing import ChainAccount
from testamur.node.service import did_ethr_reading
from testamur.node.service.config import NodeConfig
from testamur.node.service.did_ethr_reading import ChainEthrReader
from testamur.node.service.did_finding import DidFinder
from testamur.node.service.vc_documents import looked_up, names_in
from testamur.node.service.vc_parts import node_verifier
from testamur.node.service.workers import Workers
from testamur.registry.did_ethr import checksum_address
from testamur.registry.did_resolution import Wanted, read_request
from testamur.registry.documents import Documents
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.proofs import sign_document
from testamur.registry.vc_verification import verify_credential

pytestmark = pytest.mark.chain

ANVIL = find_anvil(Path(__file__).resolve().parents[2])
ADA, BOB, CLERK = (ChainAccount(sha256(name)) for name in (b"ada", b"bob", b"clerk"))
KEY = SigningKey.from_seed(Algorithm.ED25519, b"\x07" * 32)
DID = f"did:ethr:0x7a69:0x{ADA.address.hex()}"
HOUR, YEAR = 3600, 365 * 86400
BASE58_KEY = b"did/pub/Ed25519/veriKey/base58"


class Bench:
    """A registry on a chain, and a finder that asks it. The time is that of the newest block."""

    def __init__(self, anvil, registry, chain):
        self.anvil, self.registry, self.chain = anvil, registry, chain
        self.now = datetime.now(UTC)
        self.finder = self.finder_of(registry.address)

    def finder_of(self, address, *, chain_id=CHAIN_ID, supplied=None):
        reader = ChainEthrReader(
            self.chain, address, chain_id=chain_id, loop=asyncio.get_running_loop(), clock=lambda: self.now
        )
        return DidFinder(supplied or {}, ethr=reader)

    async def change(self, function, *arguments, account=ADA):
        """Done and final; the moment of its block."""
        block = await self.registry.call(account, function, ADA.address, *arguments)
        return await self.settle(block)

    async def settle(self, block):
        await self.anvil.mine_until_final(block)
        self.now = datetime.fromtimestamp((await self.anvil.client.head()).timestamp, UTC)
        return datetime.fromtimestamp((await self.anvil.client.header(block)).timestamp, UTC)

    async def wait(self, seconds):
        await self.anvil.client.request("evm_increaseTime", [seconds])
        await self.anvil.mine(3)
        self.now = datetime.fromtimestamp((await self.anvil.client.head()).timestamp, UTC)

    async def resolve(self, url=DID, *, finder=None, **options):
        wanted = read_request(url, options)
        assert isinstance(wanted, Wanted), wanted
        return await asyncio.to_thread((finder or self.finder).resolve, wanted)

    async def keys(self, **options):
        found = await self.resolve(**options)
        assert found.error is None, found
        return [item["id"].removeprefix(f"{DID}#") for item in found.document["verificationMethod"]]


@contextlib.asynccontextmanager
async def bench_in(folder):
    anvil = await Anvil.start(ANVIL, folder)
    pool = None
    try:
        for account in (ADA, BOB):
            await anvil.fund(account.address, 10**20)
        registry = await Erc1056.deploy(anvil.client, ADA)
        endpoints = (anvil.client.rpc_url, anvil.client.rpc_url.replace("127.0.0.1", "localhost"))
        pool = ChainPool([ChainClient(url, chain_id=CHAIN_ID) for url in endpoints])
        bench = Bench(anvil, registry, pool)
        await bench.wait(1)
        yield bench
    finally:
        if pool is not None:
            await pool.close()
        await anvil.stop()


async def test_owners_delegates_and_attributes_are_what_the_chain_says_now_and_said_before(tmp_path):
    async with bench_in(tmp_path) as bench:
        untouched = await bench.resolve()
        assert (untouched.status, untouched.document_metadata["source"]) == (200, "chain")
        assert "versionId" not in untouched.document_metadata
        assert await bench.keys() == ["controller"]

        added = await bench.change("addDelegate", name32("sigAuth"), BOB.address, YEAR)
        await bench.change("addDelegate", name32("veriKey"), CLERK.address, HOUR)
        await bench.change("setAttribute", name32("did/svc/Hub"), b"https://ada.example", YEAR)
        with_service = bench.now
        everything = await bench.resolve()
        assert await bench.keys() == ["controller", "delegate-1", "delegate-2"]
        assert everything.document["service"][0]["serviceEndpoint"] == "https://ada.example"
        assert everything.document["authentication"] == [f"{DID}#controller", f"{DID}#delegate-1"]
        account = everything.document["verificationMethod"][1]["blockchainAccountId"]
        assert account == f"eip155:31337:{checksum_address(BOB.address)}"

        await bench.wait(HOUR + 60)  # the clerk's time is over, and nobody had to say so
        assert await bench.keys() == ["controller", "delegate-1"]
        await bench.change("revokeDelegate", name32("sigAuth"), BOB.address)
        await bench.change("revokeAttribute", name32("did/svc/Hub"), b"https://ada.example")
        await bench.wait(10)
        assert await bench.keys() == ["controller"]
        assert "service" not in (await bench.resolve()).document

        moved = await bench.change("changeOwner", BOB.address)
        owned = await bench.resolve(f"{DID}#controller")
        assert owned.document["blockchainAccountId"].endswith(checksum_address(BOB.address))
        await bench.wait(10)
        await bench.change("changeOwner", b"\0" * 20, account=BOB)
        gone = await bench.resolve()
        assert (gone.status, gone.document["verificationMethod"]) == (410, [])

        # Every version is still there, by its moment and by its block.
        before = (added - timedelta(seconds=1)).isoformat()
        assert await bench.keys(versionTime=before) == ["controller"]
        then = await bench.resolve(f"{DID}?versionTime={with_service.isoformat().replace('+00:00', 'Z')}")
        assert then.document == everything.document
        version = everything.document_metadata["versionId"]
        assert then.document_metadata["versionId"] == version
        assert int(then.document_metadata["nextVersionId"]) > int(version)
        assert (await bench.resolve(versionId=version)).document == everything.document
        owned_then = await bench.resolve(versionTime=moved.isoformat())
        assert (owned_then.status, owned_then.document_metadata["updated"]) == (200, f"{moved:%FT%TZ}")


async def test_what_is_not_on_this_chain_or_not_yet_is_not_found_with_its_reason(tmp_path, monkeypatch):
    async with bench_in(tmp_path) as bench:
        mainnet = f"did:ethr:0x{ADA.address.hex()}"
        later = (bench.now + timedelta(days=1)).isoformat()
        for asked, options, word in (
            (mainnet, {}, "chain 1;"),
            (DID, {"versionTime": later}, "future"),
            (DID, {"versionId": "999999"}, "not final"),
        ):
            found = await bench.resolve(asked, **options)
            assert (found.error, found.status) == ("notFound", 404)
            assert word in found.message
        wrong = await bench.resolve("did:ethr:0x7a69:0x12")
        assert (wrong.error, wrong.status) == ("invalidDid", 400)
        nowhere = await bench.resolve(finder=bench.finder_of(b"\x01" * 20))
        assert "cannot be read" in nowhere.message
        unset = await bench.resolve(finder=DidFinder({}))
        assert "not known here" in unset.message
        supplied = await bench.resolve(
            mainnet, finder=bench.finder_of(b"", supplied={mainnet: {"id": mainnet}})
        )
        assert supplied.document_metadata == {"source": "supplied"}

        for number in range(3):
            await bench.change("setAttribute", name32("did/svc/Hub"), bytes([number]), YEAR)
        monkeypatch.setattr(did_ethr_reading, "MAX_CHANGES", 2)
        assert "more than 2" in (await bench.resolve()).message
        await bench.anvil.stop()
        assert "could not be asked" in (await bench.resolve()).message


@pytest.mark.parametrize("is_set", [True, False])
async def test_a_node_asks_the_registry_that_its_settings_name(tmp_path, is_set):
    async with bench_in(tmp_path) as bench:
        config = NodeConfig(
            registry="registry.example",
            member="ada",
            chain_id=CHAIN_ID,
            did_ethr_registry=f"0x{bench.registry.address.hex()}" if is_set else "",
        )
        node = SimpleNamespace(
            config=config,
            supplied=Documents({}),
            hostings={},
            chain=SimpleNamespace(client=bench.chain),
            clock=lambda: bench.now,
        )
        pools = [Workers("verify"), Workers("look-up")]
        try:
            found = await node_verifier(node, *pools).resolve_did(DID, {})
        finally:
            for pool in pools:
                pool.close()
        assert found.status == (200 if is_set else 404)


async def test_a_credential_of_a_did_ethr_issuer_holds_until_its_key_is_revoked(tmp_path):
    supplied = Documents({})
    credential = sign_document(
        {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": DID,
            "credentialSubject": {"id": "did:example:learner"},
        },
        KEY,
        verification_method=f"{DID}#delegate-1",
        created="2026-01-01T00:00:00Z",
    )

    class Lookups:
        def __init__(self, finder):
            self.finder = finder

        def did_document(self, did):
            found = self.finder.find(did)
            return found.document if found else None

    async def verified(bench):
        documents = await asyncio.to_thread(
            looked_up, names_in(credential, supplied), supplied, Lookups(bench.finder)
        )
        return verify_credential(credential, documents=documents, now=bench.now).verified

    async with bench_in(tmp_path) as bench:
        assert not await verified(bench)
        raw = KEY.public_key.raw
        await bench.change("setAttribute", name32(BASE58_KEY.decode()), raw, YEAR)
        assert await verified(bench)
        await bench.change("revokeAttribute", name32(BASE58_KEY.decode()), raw)
        assert not await verified(bench)
