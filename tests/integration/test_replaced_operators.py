"""An issuer's controller says who anchors its log: a thief of the host's account is out, and the host goes on."""

import json
import time

import pytest

from fakes.anvil_registry import COUNCIL, OPERATOR, REGISTRY, GrowingLog, registry_on
from fakes.sample_devnet import ROOT, devnet_in, now, run_aside, small_class
from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions
from testamur.node.chain.anvil import find_anvil
from testamur.node.chain.contracts import decode_result, encode_call
from testamur.node.chain.intents import IntentStore
from testamur.node.chain.signing import ChainAccount
from testamur.node.errors import ConfigError
from testamur.node.homes import node_folder, workspace_folder
from testamur.node.keystore.encryption import ScryptParameters
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.node.service.config import NodeConfig
from testamur.node.service.devnet import SampleIssuer
from testamur.node.service.founding import create_member_keys, genesis_trust_file
from testamur.node.service.issuer_side import CONTROLLER
from testamur.node.service.sample import issue_sample
from testamur.registry.did_ethr import checksum_address
from testamur.registry.entries import Origin
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm

pytestmark = pytest.mark.chain

ORIGIN = Origin(registry=REGISTRY, slug="ada", epoch=1)
NEXT = ChainAccount(sha256(b"the host's next account"))
NEXT_TEXT = f"0x{NEXT.address.hex()}"
OPERATOR_TEXT = f"0x{OPERATOR.address.hex()}"


class Issuer:
    """A cold folder, a trust file, and the registry on a chain whose council controls the log "ada"."""

    def __init__(self, registry, home):
        self.registry, self.home = registry, home
        self.secret = home / "passphrase"
        self.cold = workspace_folder(home, "ada") / "cold"
        self.url = registry.anvil.rpc_url

    def prepare(self, controller):
        self.home.mkdir(parents=True)
        self.secret.write_text("x\n")
        self.secret.chmod(0o600)
        cheap = ScryptParameters(n=2, r=1, p=1)
        Keystore(self.cold, Passphrase("x"), parameters=cheap).create(
            CONTROLLER, Algorithm.SECP256K1, secret=controller
        )
        member = Keystore(self.home / "member", Passphrase("x"), parameters=cheap)
        create_member_keys(member)
        config = NodeConfig(
            registry=REGISTRY,
            member="ada",
            chain_id=31337,
            genesis_hash=f"0x{self.registry.client.identity.genesis_hash.hex()}",
            contract=f"0x{self.registry.address.hex()}",
        )
        trust = genesis_trust_file(config, member, from_block=0, now=now())
        (self.home / "trust.json").write_bytes(trust)
        return self

    async def replace(self, address=NEXT_TEXT, issuer="ada"):
        words = ("issuer", "replace-operator", address, "--issuer", issuer, "--rpc", self.url, "--json")
        return await run_aside(*words, "--home", self.home, "--passphrase-file", self.secret)

    async def operator(self):
        call = encode_call("log", [ORIGIN.log_id])
        return decode_result("log", await self.registry.client.call(self.registry.address, call))[0][1]


@pytest.fixture
async def registry(tmp_path):
    async with registry_on(find_anvil(ROOT), tmp_path / "chain") as made:
        await made.admit("ada")
        yield made


@pytest.fixture
def issuer(registry, tmp_path):
    return Issuer(registry, tmp_path / "home").prepare(sha256(b"council"))


async def anchors(registry, account, log, folder):
    """Whether this account's anchorer brings the log's head to the chain."""
    made = Anchorer(
        registry.client,
        registry.address,
        account,
        IntentStore(folder / account.address.hex()),
        log,
        clock=time.monotonic,
        options=AnchorerOptions(poll_seconds=0.01),
    )
    made.wake(log.origin.log_id)
    for _ in range(200):
        await made.advance()
        await registry.client.request("anvil_mine", ["0x10"])
        if log.refusals or (log.heads and log.heads[-1].size == log.size):
            break
    return not log.refusals


async def test_the_account_that_the_controller_names_anchors_from_then_on_and_the_other_no_more(
    registry, issuer, tmp_path
):
    log = GrowingLog("ada", size=5)
    assert await anchors(registry, OPERATOR, log, tmp_path)
    result = await issuer.replace(checksum_address(NEXT.address))
    shown = json.loads(result.stdout)
    assert (shown["origin"], shown["operator"], shown["before"]) == (str(ORIGIN), NEXT_TEXT, OPERATOR_TEXT)
    assert shown["block"] > 0
    await registry.anvil.fund(NEXT.address, 10**18)
    log.size = 9
    assert not await anchors(registry, OPERATOR, log, tmp_path)
    assert log.refusals.pop().error == "NotOperator"
    assert await anchors(registry, NEXT, log, tmp_path)
    assert log.heads[-1].size == 9


async def test_a_host_with_another_account_goes_on_when_the_controllers_have_said_so(tmp_path):
    home = tmp_path / "home"
    async with devnet_in(home) as devnet:
        await devnet.admit_sample(SampleIssuer())
        before = (await issue_sample(devnet, SampleIssuer(), small_class(tmp_path, 2))).anchored
    # The way in docs/operating.md: a key that was made for another node, under the same passphrase.
    secret, keys = home / "devnet-passphrase", Keystore(node_folder(home) / "keys")
    words = ("init", "--registry", REGISTRY, "--member", "ada", "--passphrase-file", secret)
    await run_aside(*words, "--home", tmp_path / "new")
    fresh = Keystore(node_folder(tmp_path / "new") / "keys").path("operator")
    address = Keystore(fresh.parent).find("operator").address
    keys.path("operator").rename(tmp_path / "old-operator.key.json")
    fresh.rename(keys.path("operator"))
    (node_folder(home) / "anchoring" / "intent").unlink(missing_ok=True)
    async with devnet_in(home) as devnet:
        await devnet.chain.fund(bytes.fromhex(address[2:]), 10**18)
        for slug in ("ada", "registry"):
            cold = Keystore(workspace_folder(home, slug) / "cold").find(CONTROLLER).address
            await devnet.chain.fund(bytes.fromhex(cold[2:]), 10**18)
            words = ("issuer", "replace-operator", address, "--issuer", slug, "--rpc", devnet.chain.rpc_url)
            done = await run_aside(*words, "--home", home, "--passphrase-file", secret)
            assert f"{address} anchors" in done.stdout
        after = (await issue_sample(devnet, SampleIssuer(), small_class(tmp_path, 3))).anchored
    assert (before, after) == (2, 3)


async def test_repeating_it_sends_nothing(registry, issuer):
    await issuer.replace()
    nonce = await registry.client.transaction_count(COUNCIL.address)
    assert json.loads((await issuer.replace()).stdout)["block"] is None
    assert await registry.client.transaction_count(COUNCIL.address) == nonce


async def test_another_key_than_the_controllers_is_told_so_and_changes_nothing(registry, tmp_path):
    other = Issuer(registry, tmp_path / "other").prepare(sha256(b"thief"))
    with pytest.raises(ConfigError, match=f"has 0x{COUNCIL.address.hex()} for ada"):
        await other.replace()
    assert await other.operator() == OPERATOR_TEXT


async def test_a_controller_that_cannot_pay_is_told_so(registry, issuer):
    await registry.client.request("anvil_setBalance", [f"0x{COUNCIL.address.hex()}", "0x1"])
    with pytest.raises(ConfigError, match="cannot pay for gas"):
        await issuer.replace()
    assert await issuer.operator() == OPERATOR_TEXT


async def test_an_issuer_that_the_contract_does_not_know_is_refused(issuer):
    (issuer.cold.parents[1] / "eve").symlink_to(issuer.cold.parent)
    with pytest.raises(ConfigError, match=r"the contract knows no eve of registry\.example"):
        await issuer.replace(issuer="eve")


@pytest.mark.parametrize(
    "address",
    ["", "ada", "0x1234", NEXT_TEXT[2:], "0x" + "0" * 40, checksum_address(NEXT.address).swapcase()],
)
async def test_what_is_no_account_is_refused_before_the_chain_is_asked(issuer, address):
    issuer.url = "http://127.0.0.1:9"
    with pytest.raises(ConfigError, match="ADDRESS"):
        await issuer.replace(address)
    mistyped = checksum_address(NEXT.address)
    mistyped = mistyped[:-1] + ("0" if mistyped[-1] != "0" else "1")
    with pytest.raises(ConfigError, match="is mistyped"):
        await issuer.replace(mistyped)
