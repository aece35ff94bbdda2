"""A log has one host and one key, those that the contract took first; whoever comes later is told so, and makes none."""

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.anvil_registry import registry_on
from fakes.issuers import NOW, REGISTRY, SETTINGS, copy_workspace, make_workspace
from testamur.node.chain.anvil import find_anvil
from testamur.node.chain.contracts import decode_result, encode_call
from testamur.node.errors import ConfigError
from testamur.node.issuing.apply import build_application
from testamur.node.keystore.encryption import ScryptParameters
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.node.service.admitting import admit
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.roles import COUNCIL, OPERATOR
from testamur.registry.entries import Origin
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm
from testamur.registry.notes import ED25519, VerifierKey

pytestmark = pytest.mark.chain

ANVIL = find_anvil(Path(__file__).resolve().parents[2])
ORIGIN = Origin(registry=REGISTRY, slug="ada", epoch=1)
LOG_KEY = "log-ada-1"


@pytest.fixture
async def registry(tmp_path):
    async with registry_on(ANVIL, tmp_path / "chain") as made:
        yield made


@pytest.fixture
def application(tmp_path):
    with copy_workspace(tmp_path / "ada") as workspace:
        return build_application(workspace)


class Member:
    """A node's folder with the council's key and an operator's of its own."""

    def __init__(self, registry, folder):
        self.registry, self.folder = registry, folder
        self.folders = NodeFolders(folder)
        self.config = NodeConfig(
            registry=REGISTRY, member=folder.name, contract=f"0x{registry.address.hex()}"
        )
        self.keys = Keystore(self.folders.keys, Passphrase("x"), parameters=ScryptParameters(n=2, r=1, p=1))
        self.keys.create(COUNCIL, Algorithm.SECP256K1, secret=sha256(b"council"))
        self.keys.create(OPERATOR, Algorithm.SECP256K1)

    async def admit(self, application):
        return await admit(self.folder, self.config, self.keys, self.registry.client, application, now=NOW)

    def hosts(self):
        """Whether it would host the log, or let the issuer in."""
        return (self.folders.issuer("ada") / "application.json").exists() or self.folders.tokens.exists()

    def lose(self, name):
        self.keys.path(name).unlink()


@pytest.fixture
def member(registry, tmp_path):
    return Member(registry, tmp_path / "first")


async def key_in_contract(registry):
    call = encode_call("log", [ORIGIN.log_id])
    return decode_result("log", await registry.client.call(registry.address, call))[0][3]


def digest_of(info):
    return sha256(
        VerifierKey(name=str(ORIGIN), algorithm=ED25519, raw=info.public_key.raw).to_text().encode()
    )


async def test_the_key_that_the_contract_takes_is_the_one_that_the_host_keeps(registry, member, application):
    admitted = await member.admit(application)
    assert admitted.block_number is not None
    assert member.hosts()
    assert await key_in_contract(registry) == digest_of(member.keys.find(LOG_KEY))


async def test_a_host_that_died_after_the_transaction_finishes_with_the_same_key(member, application):
    first = await member.admit(application)
    key = member.keys.find(LOG_KEY)
    (member.folders.issuer("ada") / "application.json").unlink()
    again = await member.admit(application)
    assert (again.block_number, again.origin) == (None, first.origin)
    assert again.token != first.token
    assert member.keys.find(LOG_KEY) == key
    assert (member.folders.issuer("ada") / "application.json").exists()


async def test_a_second_member_is_told_who_hosts_the_log_and_makes_no_key(
    registry, member, application, tmp_path
):
    await member.admit(application)
    second = Member(registry, tmp_path / "second")
    with pytest.raises(ConfigError, match=member.keys.find(OPERATOR).address.lower()) as refused:
        await second.admit(application)
    assert refused.value.key == OPERATOR
    assert "its host is another node" in refused.value.reason
    assert second.keys.find(LOG_KEY) is None
    assert not second.hosts()


@pytest.mark.parametrize("has_another", [False, True])
async def test_a_host_that_lost_the_logs_key_is_told_to_restore_it_and_makes_no_other(
    member, application, has_another
):
    await member.admit(application)
    member.lose(LOG_KEY)
    if has_another:
        member.keys.create(LOG_KEY, Algorithm.ED25519)
    kept = member.keys.find(LOG_KEY)
    tokens = member.folders.tokens.read_bytes()
    with pytest.raises(ConfigError, match="another one" if has_another else "missing") as refused:
        await member.admit(application)
    assert refused.value.key == LOG_KEY
    assert "restore its keys/" in refused.value.reason
    assert member.keys.find(LOG_KEY) == kept
    assert member.folders.tokens.read_bytes() == tokens


async def test_another_issuer_under_the_same_slug_is_refused(member, application, tmp_path):
    await member.admit(application)
    with make_workspace(tmp_path / "eve", replace(SETTINGS, did="did:web:eve.example")) as workspace:
        other = build_application(workspace)
    with pytest.raises(ConfigError, match="admitted ada with another DID or key"):
        await member.admit(other)


async def test_a_member_without_the_councils_key_is_refused_by_the_contract(member, application):
    member.lose(COUNCIL)
    member.keys.create(COUNCIL, Algorithm.SECP256K1)
    with pytest.raises(ConfigError, match="the contract refused it"):
        await member.admit(application)
    assert not member.hosts()
