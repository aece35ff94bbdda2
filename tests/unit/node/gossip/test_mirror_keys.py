"""A mirror and an issuer's keys: recoveries as the contract has them, repudiations within bounds, nothing taken back."""

import pytest

from fakes.disks import CountingDisk
from fakes.memory_log import DID, TIME, MemoryLog, key
from testamur.node.gossip.mirror import Mirror
from testamur.node.gossip.mirror_keys import MirroredLog
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import (
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
)


class Life:
    """A log, a mirror of it, and what the contract has recorded."""

    def __init__(self, folder):
        self.log = MemoryLog().admit()
        self.mirror = Mirror(folder, "mirror.example/m1", key(50), lambda: 1_700_000_000, disk=CountingDisk())
        self.first, self.records = self.log.events[0].digest, []

    def answer(self):
        mirrored = MirroredLog(
            key=self.log.verifier_key, did=DID, first_key_event=self.first, key_chains=self.records
        )
        return self.mirror.cosign(self.log.seal(), mirrored, self.log).reason

    def recover(self, number, *, at=None, recorded=True):
        """The contract replaces the chain where the log is sealed; the event is logged, named by no statement."""
        start = self.log.sealed_size if at is None else at
        event = self.event(number, start=Position(1, start))
        if recorded:
            digest = parse_key_event(event).digest
            self.records.append(
                KeyChainRecord(first_key_event=digest, epoch=1, start_size=start, recorded_at=1_700_000_000)
            )
        return event

    def event(self, number, **options):
        event = build_key_event(
            did=DID,
            keys=[key(number)],
            next_commitment=commitment([key(number + 1).public_key]),
            created=TIME,
            **options,
        )
        self.log.key_number = number
        self.log.events.append(parse_key_event(event))
        self.log.log_document(event)
        return event

    def lose(self):
        """The key in force was stolen, and the next one takes its place."""
        number, start = self.log.key_number, Position(1, len(self.log.entries))
        method = verification_method(DID, key(number).public_key)
        self.event(number + 1, previous=self.log.events[-1], start=start, compromised=[method])
        return start.index

    def disown(self, start, end, **changes):
        sequence = self.log.statements[-1].sequence + 1
        item = {"epoch": 1, "from": start, "until": end, "statement": sequence, "time": TIME, **changes}
        kept = [known.to_json() for known in self.log.statements[-1].repudiated]
        self.log.state(repudiated=[*kept, item])


@pytest.fixture
def life(tmp_path):
    made = Life(tmp_path / "mirror")
    made.log.log_credentials(5)
    assert made.answer() == "cosigned"
    yield made
    made.mirror.close()


def test_an_issuer_goes_on_with_the_chain_that_the_contract_recorded(life):
    life.recover(20)
    life.log.state()
    assert life.answer() == "cosigned"
    life.log.log_credentials(2)
    life.log.rotate()
    life.log.state()
    assert life.answer() == "cosigned"


def test_a_chain_that_the_contract_did_not_record_is_foreign(life):
    life.recover(20, recorded=False)
    life.log.state()
    assert life.answer() == "mirror-key-chain-foreign"


def test_what_the_lost_key_signed_before_the_recovery_was_published_stays_cosigned(life):
    """Nobody knows of a recovery before it is recorded; a fresh mirror sees all at once."""
    life.log.log_credentials(1)
    life.log.state()
    life.log.seal()
    life.recover(20, at=8)
    life.log.state()
    assert life.answer() == "cosigned"


def test_nobody_goes_back_to_the_chain_that_was_replaced(life):
    lost, events = key(life.log.key_number), list(life.log.events)
    life.recover(20)
    life.log.state()
    assert life.answer() == "cosigned"
    life.log.events = events
    life.log.state(signer=lost)
    assert life.answer() == "statement-key-events-fell"


def test_nobody_goes_back_by_adding_to_the_replaced_chain_either(life):
    events = list(life.log.events)
    life.recover(20)
    life.log.state()
    assert life.answer() == "cosigned"
    life.log.events = events
    for number in (2, 3):
        life.event(number, previous=life.log.events[-1], start=Position(1, len(life.log.entries)))
    life.log.state()
    assert life.answer() == "statement-key-events-fell"


def test_a_recovery_after_a_recovery_that_was_never_used(life):
    life.recover(20)
    life.recover(30)
    life.log.state()
    assert life.answer() == "cosigned"


def test_the_number_of_key_events_is_that_of_all_chains(life):
    life.recover(20)
    named = life.log.state(logged=False).json["keyEvents"]
    life.log.statements.pop()
    life.log.state(keyEvents={**named, "count": named["count"] + 1})
    assert life.answer() == "statement-key-events-mismatch"


def test_what_a_stolen_key_had_logged_may_be_disowned(life):
    end = life.lose()
    life.disown(2, end)
    assert life.answer() == "cosigned"
    life.disown(0, 1)
    assert life.answer() == "cosigned"


def test_nothing_else_may_be_disowned_ever(life):
    end = life.lose()
    life.disown(2, end + 1)
    assert life.answer() == "repudiation-out-of-bounds"


def test_without_a_lost_key_nothing_may_be_disowned(life):
    life.disown(0, 10**9)
    assert life.answer() == "repudiation-out-of-bounds"


def test_a_repudiation_cannot_be_made_to_look_older(life):
    end = life.lose()
    life.disown(2, end, statement=1)
    assert life.answer() == "statement-repudiation-backdated"


def test_after_a_recovery_what_the_lost_key_had_logged_may_be_disowned(life):
    life.log.state()
    assert life.answer() == "cosigned"
    start = life.log.sealed_size
    life.recover(20)
    life.disown(2, start)
    assert life.answer() == "cosigned"
    life.log.state(repudiated=[item.to_json() for item in life.log.statements[-1].repudiated])
    assert life.answer() == "cosigned"
    life.disown(start, start + 1)
    assert life.answer() == "repudiation-out-of-bounds"
