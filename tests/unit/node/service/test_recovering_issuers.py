"""An issuer that lost its keys: prepared, recorded by the contract, published, and the host's part in it."""

import asyncio
import shutil

import pytest

from fakes.hostings import StoppedNode
from fakes.issuers import DID, NOW, SETTINGS, MemoryHost, RepeatableRandom, signing_key
from testamur.node.api.ports import NotReady
from testamur.node.errors import ChainUnavailable, ConfigError, PeerUnreachable
from testamur.node.issuing.bundles import build_bundle
from testamur.node.issuing.publishing import publish_lists
from testamur.node.issuing.workspace import open_workspace
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.node.service import issuer_side, recovering
from testamur.node.service.chain_tasks import ChainTasks
from testamur.registry.errors import VerificationError
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import Position, build_key_event, commitment, parse_key_event
from testamur.registry.publications import parse_bundle
from testamur.registry.status import StatusBits

PASSPHRASE = Passphrase("a passphrase to test with")
NEW = signing_key(20)
EVENT = build_key_event(
    did=DID,
    keys=[NEW],
    next_commitment=commitment([signing_key(21).public_key]),
    created="2026-11-21T10:00:00Z",
    start=Position(1, 2),
)


def record_of(event, size=3):
    return KeyChainRecord(
        first_key_event=event.digest, epoch=1, start_size=size, recorded_at=int(NOW.timestamp())
    )


RECORD = record_of(parse_key_event(EVENT))


# -------------------------------------------------------------------------------------------------------- the host


@pytest.fixture
def stopped(tmp_path):
    node = StoppedNode(tmp_path / "node")
    yield node
    node.close()


def recovery_of(log, *events):
    newest = log.publications.newest()
    return parse_bundle(build_bundle(newest, did=DID, lists=[], key=NEW, now=NOW, key_events=events))


def test_a_host_takes_a_new_chain_when_it_has_learnt_of_it_from_the_contract(stopped):
    log = stopped.host("ada").log
    log.seal()
    size = log.writer.next_index
    with pytest.raises(VerificationError, match="key-chain-mismatch"):
        log.publish_statement(recovery_of(log, EVENT))
    assert log.writer.next_index == size
    log.learn_key_chains((RECORD,))
    assert len(log.publish_statement(recovery_of(log, EVENT)).keys.chains) == 2


def test_a_host_that_knows_of_a_recovery_takes_nothing_more_by_the_lost_key(stopped):
    log = stopped.host("ada").log
    log.seal()
    log.learn_key_chains((RECORD,))
    with pytest.raises(VerificationError, match="key-chain-missing"):
        stopped.state("ada", 7)
    log.publish_statement(recovery_of(log, EVENT))
    with pytest.raises(VerificationError, match="key-not-in-force"):
        stopped.state("ada", 7)


def test_what_a_host_has_learnt_it_knows_after_a_restart_and_an_older_answer_changes_nothing(stopped):
    log = stopped.host("ada").log
    log.seal()
    log.learn_key_chains((RECORD,))
    log.publish_statement(recovery_of(log, EVENT))
    stopped.close()
    stopped.open()
    again = stopped.host("ada").log
    assert again.key_chains == (RECORD,)
    again.learn_key_chains(())
    again.publish_statement(recovery_of(again))


class SilentChain:
    """Endpoints that do not answer."""

    async def prove_now(self, _hosting):
        raise ChainUnavailable("nobody answers")


def test_while_the_chain_cannot_be_read_a_recovery_waits_and_says_why(stopped):
    hosting = stopped.host("ada")
    silent = ChainTasks.__new__(ChainTasks)
    silent._capturer = SilentChain()
    with pytest.raises(NotReady, match=r"cannot be read: .*nobody answers") as caught:
        asyncio.run(silent.look_up_key_chains(hosting))
    assert caught.value.retry_after_seconds > 0
    assert hosting.log.key_chains == ()


# ------------------------------------------------------------------------------------------------------ the issuer


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuers") / "ada"
    issuer_side.apply(
        folder,
        registry=SETTINGS.registry,
        slug=SETTINGS.slug,
        did=SETTINGS.did,
        name=SETTINGS.name,
        status_base=SETTINGS.status_base,
        node_url="http://127.0.0.1:1",
        passphrase=PASSPHRASE,
        now=NOW,
        random_bytes=RepeatableRandom(),
    )
    return folder


@pytest.fixture
def office(pattern, tmp_path):
    return shutil.copytree(pattern, tmp_path / "ada")


def host_of(folder):
    with open_workspace(folder) as workspace:
        return MemoryHost(workspace.publication())


def prepare(folder):
    return recovering.prepare(folder, PASSPHRASE, anchored=Position(1, 2), now=NOW)


def complete(folder, host, chains):
    return recovering.complete(folder, PASSPHRASE, key_chains=chains, port=host, now=NOW)


def key_in_use(folder):
    return Keystore(folder / "keys", PASSPHRASE).load(issuer_side.SIGNING_KEY).public_key


def test_what_the_council_is_given_is_the_same_on_every_call(office):
    assert prepare(office).digest == prepare(office).digest
    assert prepare(office).start == Position(1, 2)


def test_a_recovery_puts_the_new_keys_in_the_place_of_the_lost_ones(office):
    host, lost = host_of(office), key_in_use(office)
    event = prepare(office)
    host.key_chains = (record_of(event),)
    published = complete(office, host, host.key_chains)
    assert published.keys.head == event.digest
    assert key_in_use(office) == event.keys[0].public_key != lost
    cold = Keystore(office / "cold", PASSPHRASE).load(issuer_side.NEXT_KEY).public_key
    assert commitment([cold]) == event.next_commitment
    assert not (office / recovering.RECOVERY).exists()
    with pytest.raises(ConfigError, match="no recovery is prepared"):
        complete(office, host, host.key_chains)


def test_a_recovery_whose_answer_was_lost_is_finished_by_giving_it_again(office):
    host = host_of(office)
    event = prepare(office)
    host.key_chains = (record_of(event),)
    host.fail_publish_after, host.lose_answer = 0, True
    with pytest.raises(PeerUnreachable):
        complete(office, host, host.key_chains)
    host.fail_publish_after = None
    published = complete(office, host, host.key_chains)
    assert (published.statement.sequence, published.keys.head) == (2, event.digest)
    assert key_in_use(office) == event.keys[0].public_key


def test_a_statement_by_the_lost_key_that_the_host_has_taken_stands_in_nobody_s_way(office):
    """Its answer was lost, and the keys after it."""
    host = host_of(office)
    host.fail_publish_after, host.lose_answer = 0, True
    bits = StatusBits()
    bits.set(7)
    with open_workspace(office) as workspace, pytest.raises(PeerUnreachable):
        publish_lists(
            workspace,
            [(workspace.settings.list_id("revocation", 1), "revocation", bits)],
            key=Keystore(office / "keys", PASSPHRASE).load(issuer_side.SIGNING_KEY),
            port=host,
            now=NOW,
        )
    host.fail_publish_after = None
    event = prepare(office)
    host.key_chains = (record_of(event),)
    assert complete(office, host, host.key_chains).statement.sequence == 3


def test_nothing_is_signed_for_a_chain_that_the_contract_does_not_have(office):
    host = host_of(office)
    event = prepare(office)
    lost = key_in_use(office)
    for chains in ((), (RECORD,), (record_of(event, 1),)):
        with pytest.raises(VerificationError, match=r"key-chain-mismatch|key-event-start-mismatch"):
            complete(office, host, chains)
    assert (host.bundles, key_in_use(office)) == ([], lost)
    host.key_chains = (record_of(event),)
    complete(office, host, host.key_chains)
