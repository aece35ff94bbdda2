"""A host takes exactly the statements that a mirror then cosigns: chained by digest, with rising numbers."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from fakes.issuers import DID, NOW, signing_key
from testamur.node.api.ports import Stale
from testamur.node.errors import StoreUnavailable
from testamur.node.gossip.mirror import Mirror
from testamur.node.gossip.mirror_keys import MirroredLog
from testamur.node.gossip.witness import Witness
from testamur.node.index.store import Index
from testamur.node.issuing.bundles import build_bundle
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.node.service.cosigning import HostCopy, OwnCosigners
from testamur.node.service.hosting import HostedLog
from testamur.node.service.hostings import Hosting
from testamur.node.service.statements import PublicationStore
from testamur.registry.entries import Origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.key_events import Position, build_key_event, commitment, parse_key_event
from testamur.registry.proofs import sign_document
from testamur.registry.publications import parse_bundle, verify_bundle
from testamur.registry.status import StatusBits

KEY, NEXT = signing_key(1), signing_key(2)
LIST = "https://status.ada.example/ada/revocation/1"
ORIGIN = Origin(registry="registry.example", slug="ada", epoch=1)
EVENT = build_key_event(
    did=DID, keys=[KEY], next_commitment=commitment([NEXT.public_key]), created="2026-11-21T10:00:00Z"
)
FIRST_KEY_EVENT = parse_key_event(EVENT).digest
USED_UP = 16_384


def made(earlier, *revoked, number=None, above=0):
    """A bundle after `earlier` that revokes these; with a number of its own, signed anew."""
    bits = StatusBits()
    for index in revoked:
        bits.set(index)
    events = [EVENT] if earlier is None else []
    lists = [(LIST, "revocation", bits)]
    bundle = build_bundle(earlier, did=DID, lists=lists, key=KEY, now=NOW, key_events=events, above=above)
    if number is not None:
        statement = {name: value for name, value in bundle["statement"].items() if name != "proof"}
        method = bundle["statement"]["proof"]["verificationMethod"]
        signed = sign_document(
            {**statement, "sequence": number},
            KEY,
            verification_method=method,
            created="2026-11-21T10:00:00Z",
        )
        bundle = {**bundle, "statement": signed}
    return parse_bundle(bundle)


def after(earlier, bundle):
    """The publication that `bundle` makes of `earlier`, with no host asked."""
    place = Position(1, 100)
    return verify_bundle(earlier, bundle, did=DID, published=place, logged=place)


class Life:
    """A hosted log and a mirror of it."""

    def __init__(self, folder):
        self.folder = folder
        self.documents = DocumentStore(folder / "documents")
        self.index = Index(folder / "index")
        self.writer = LogWriter(folder / "log", str(ORIGIN), signing_key(50), self.documents)
        self.mirror = Mirror(folder / "mirror", "mirror.example/m1", signing_key(51), lambda: 1_795_000_000)
        self.log = self.hosted()

    def hosted(self):
        """The log as a start finds it on disk."""
        return HostedLog(
            origin=ORIGIN,
            did=DID,
            first_key_event=FIRST_KEY_EVENT,
            writer=self.writer,
            index=self.index,
            publications=PublicationStore(self.folder / "statements"),
            clock=lambda: datetime(2026, 11, 21, tzinfo=UTC),
        )

    def close(self):
        for part in (self.mirror, self.writer, self.index):
            part.close()

    def sealed(self):
        """What the mirror answers to the log as it is now."""
        head = self.log.seal()
        mirrored = MirroredLog(key=self.writer.key, did=DID, first_key_event=FIRST_KEY_EVENT)
        return self.mirror.cosign(head, mirrored, HostCopy(self.writer, self.documents)).reason

    def sealed_statement(self):
        """The statement that the published head names."""
        return self.log.seal_of(self.writer.reader.find_head()).statement_sequence


@pytest.fixture
def life(tmp_path):
    with contextlib.closing(Life(tmp_path)) as opened:
        yield opened


@pytest.fixture
def first(life):
    published = life.log.publish_statement(made(None))
    assert life.sealed() == "cosigned"
    return published


@pytest.mark.parametrize("number", [2, 3, USED_UP + 1, (1 << 32) - 1])
def test_what_the_host_takes_above_the_newest_the_mirror_cosigns(life, first, number):
    accepted = life.log.publish_statement(made(first, 7, number=number))
    assert accepted.statement.sequence == number
    assert life.sealed() == "cosigned"


def test_an_issuer_goes_on_above_the_numbers_that_a_thief_used_up(life, first):
    jumped = life.log.publish_statement(made(first, 7, above=USED_UP))
    after = life.log.publish_statement(made(jumped, 7, 8))
    assert (jumped.statement.sequence, after.statement.sequence) == (USED_UP + 1, USED_UP + 2)
    assert life.sealed() == "cosigned"
    assert life.log.seal_of(life.writer.reader.find_head()).statement_sequence == USED_UP + 2
    again = life.hosted()
    assert again.publications.newest().statement == after.statement


@pytest.mark.parametrize("number", [3, USED_UP + 1])
def test_a_statement_whose_predecessor_is_not_here_is_stale(life, first, number):
    """The issuer sends the one before it first; nothing is logged in the meantime."""
    second = made(first, 7)
    scratch = after(first, second)
    size = life.writer.next_index
    with pytest.raises(Stale) as caught:
        life.log.publish_statement(made(scratch, 7, 8, number=number))
    assert caught.value.current == {"sequence": 1}
    assert life.writer.next_index == size
    life.log.publish_statement(second)
    life.log.publish_statement(made(life.log.publications.newest(), 7, 8, number=number))
    assert life.sealed() == "cosigned"


def test_a_broken_chain_with_the_next_number_is_refused(life, first):
    scratch = after(first, made(first, 7))
    with pytest.raises(VerificationError, match="statement-chain-broken"):
        life.log.publish_statement(made(scratch, 7, 8, number=2))


def test_two_statements_with_one_number_are_refused(life, first):
    life.log.publish_statement(made(first, 7, number=USED_UP))
    with pytest.raises(VerificationError, match="statement-equivocation"):
        life.log.publish_statement(made(first, 8, number=USED_UP))
    assert life.sealed() == "cosigned"


@pytest.mark.parametrize("number", [2, USED_UP - 1])
def test_a_lower_number_is_stale_whatever_it_chains_to(life, first, number):
    newest = life.log.publish_statement(made(first, 7, number=USED_UP))
    for earlier in (first, newest):
        with pytest.raises(Stale) as caught:
            life.log.publish_statement(made(earlier, 7, 8, number=number))
        assert caught.value.current == {"sequence": USED_UP}


def test_a_second_branch_above_a_jump_is_stale(life, first):
    """By number it would be the newest; by digest it leaves a statement out, and with it a revocation."""
    newest = life.log.publish_statement(made(first, 7, number=USED_UP))
    with pytest.raises(Stale):
        life.log.publish_statement(made(first, 8, number=USED_UP + 5))
    with pytest.raises(VerificationError, match="statement-chain-broken"):
        life.log.publish_statement(made(first, 8, number=USED_UP + 1))
    assert life.log.publications.newest() is newest


@pytest.mark.parametrize("is_reopened", [False, True])
def test_a_statement_that_was_logged_and_not_kept_is_sealed_when_the_issuer_sends_it_again(
    life, first, monkeypatch, is_reopened
):
    """The disk filled up in between; a seal came before the issuer did, and leaves nothing pending."""
    revocation = made(first, 7)

    def refuse(_publication):
        raise StoreUnavailable("free space")

    with monkeypatch.context() as patch:
        patch.setattr(life.log.publications, "put", refuse)
        with pytest.raises(StoreUnavailable):
            life.log.publish_statement(revocation)
    if is_reopened:
        life.log = life.hosted()
    assert life.sealed() == "cosigned"
    assert life.sealed_statement() == 1
    life.log.publish_statement(revocation)
    assert life.writer.pending == 0
    assert life.sealed() == "cosigned"
    assert life.sealed_statement() == 2
    size = life.writer.size
    assert life.sealed() == "cosigned"
    assert life.writer.size == size, "sealed once, and not again"


def test_a_statement_that_was_kept_and_not_sealed_is_sealed_by_the_next_start(life, first):
    life.log.publish_statement(made(first, 7))
    life.log = life.hosted()
    assert life.sealed() == "cosigned"
    assert life.sealed_statement() == 2


# ------------------------------------------------------------------------------ this member's own cosigners


@pytest.fixture
def cosigners(life):
    witness = Witness(life.folder / "witness", "witness.example/w1", signing_key(52), lambda: 1_795_000_000)
    yield OwnCosigners(witness, life.mirror, life.documents)
    witness.close()


def names(head):
    """Who signed a head."""
    return {line.name for line in head.note.signatures}


def test_of_a_log_whose_next_epoch_was_opened_nothing_new_is_cosigned(life, cosigners):
    life.log.publish_statement(made(None))
    both = {str(ORIGIN), "witness.example/w1", "mirror.example/m1"}
    head = cosigners.cosign(life.log, life.log.seal())
    assert names(head) == both
    hosting = Hosting(log=life.log, captures=None, name="Ada")
    for is_superseded in (True, False):  # what is known of an earlier block takes nothing back
        hosting.learn(
            SimpleNamespace(
                issuer=SimpleNamespace(lifecycle=Lifecycle.ACTIVE),
                key_chains=(),
                log=SimpleNamespace(superseded=is_superseded),
            )
        )
    assert names(cosigners.cosign(life.log, head)) == both
    assert names(cosigners.cosign(life.log, life.log.seal(heartbeat=True))) == {str(ORIGIN)}
    hosting.close()


def test_a_head_with_an_older_statement_than_the_node_has_accepted_has_no_mirror(life, first, cosigners):
    held = made(first, 7)
    older = life.log.seal(heartbeat=True)
    cosigners.hold(life.log, held.statement)
    assert "mirror.example/m1" not in names(cosigners.cosign(life.log, older))
    life.log.publish_statement(held)
    assert "mirror.example/m1" in names(cosigners.cosign(life.log, life.log.seal()))


def test_a_status_list_of_the_issuer_is_no_document_like_any_other(life, first):
    """A mirror would look for it under the statement's lists, and cosign nothing any more."""
    bundle = made(first, 7)
    smuggled = replace(
        bundle, status_lists=(), documents=(("https://ada.example/x", bundle.status_lists[0]),)
    )
    size = life.writer.next_index
    with pytest.raises(MalformedError, match="belongs in statusLists"):
        life.log.publish_statement(smuggled)
    assert life.writer.next_index == size
