"""From a log alone: which entries changed, by which key, with which statement; and what counts for nothing."""

from datetime import timedelta

import pytest

from fakes.issuers import DID, NOW, signing_key
from testamur.node.issuing.bundles import build_bundle
from testamur.registry.entries import EntryKind
from testamur.registry.issuer_keys import verify_issuer_keys
from testamur.registry.key_events import (
    FIRST_POSITION,
    Position,
    build_key_event,
    commitment,
    verification_method,
)
from testamur.registry.proofs import sign_document
from testamur.registry.publications import parse_bundle, verify_bundle
from testamur.registry.seals import Seal
from testamur.registry.status import StatusBits
from testamur.registry.status_history import read_history
from testamur.registry.status_lists import build_status_list_credential

KEY, STRANGER = signing_key(1), signing_key(9)
LIST = "https://status.ada.example/ada/{}/1"
EVENT = build_key_event(
    did=DID,
    keys=[KEY],
    next_commitment=commitment([signing_key(2).public_key]),
    created="2026-11-21T10:00:00Z",
)


class Log:
    """Documents in their order, as a host logs them; every statement is sealed a minute later."""

    def __init__(self):
        self.entries = []
        self.publication = None

    def add(self, purpose, *indexes, key=KEY, sealed=True):
        bits = StatusBits()
        for index in indexes:
            bits.set(index)
        number = 1 + (self.publication.statement.sequence if self.publication else 0)
        now = NOW + timedelta(days=number)
        events = [] if self.publication else [EVENT]
        lists = [(LIST.format(purpose), purpose, bits)]
        bundle = build_bundle(self.publication, did=DID, lists=lists, key=key, now=now, key_events=events)
        for document in (*events, *bundle["statusLists"], bundle["statement"]):
            self.entries.append((len(self.entries), EntryKind.DOCUMENT, document))
        if key is KEY:
            self.publication = verify_bundle(
                self.publication,
                parse_bundle(bundle),
                did=DID,
                published=FIRST_POSITION,
                logged=Position(1, 1000),
            )
            if sealed:
                self.seal(now + timedelta(minutes=1))

    def seal(self, moment):
        statement = self.publication.statement
        seal = Seal(
            origin="registry.example/ada/1",
            size=len(self.entries) + 1,
            time=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            statement_sequence=statement.sequence,
            statement_digest=statement.digest,
            previous_seal=None,
        )
        self.entries.append((len(self.entries), EntryKind.SEAL, seal.to_json()))

    def read(self):
        return list(read_history(self.entries, keys=self.publication.keys, epoch=1))


@pytest.fixture
def log():
    made = Log()
    made.add("suspension")
    return made


def test_every_version_says_what_changed_by_whom_and_when(log):
    log.add("suspension", 7, 131_071)
    log.add("suspension", 7)
    first, second, third = log.read()
    assert (first.set_indexes, first.cleared_indexes, first.version) == ((), (), 1)
    assert (second.set_indexes, second.cleared_indexes) == ((7, 131_071), ())
    assert (third.set_indexes, third.cleared_indexes, third.version) == ((), (131_071,), 3)
    assert (second.statement, second.stated, second.sealed) == (
        *(2, "2026-11-23T10:00:00Z", "2026-11-23T10:01:00Z"),
    )
    assert second.method.startswith(f"{DID}#")
    assert all(change.problem is None for change in log.read())


def test_what_no_seal_covers_is_given_without_a_time(log):
    log.add("suspension", 7, sealed=False)
    assert (log.read()[-1].sealed, log.read()[-1].statement) == ("", 2)


def test_a_list_that_its_issuer_did_not_sign_changes_nothing(log):
    log.add("suspension", 7, key=STRANGER)
    log.add("suspension", 8)
    *_, forged, honest = log.read()
    assert "not signed by its issuer" in forged.problem
    assert (honest.set_indexes, honest.version, honest.problem) == ((8,), 2, None)


def test_a_revocation_that_is_cleared_is_pointed_out(log):
    log.add("revocation", 7)
    honest = log.read()[-1]
    assert honest.problem is None
    # The same list by itself, as a host of its own making would log it: nobody would seal it.
    document = build_bundle(
        None,
        did=DID,
        lists=[(LIST.format("revocation"), "revocation", StatusBits())],
        key=KEY,
        now=NOW,
        key_events=[EVENT],
    )["statusLists"][0]
    log.entries.append((len(log.entries), EntryKind.DOCUMENT, document))
    assert "clears a revocation" in log.read()[-1].problem


def test_documents_that_are_anything_else_are_passed_over(log):
    before = log.read()
    for document in (None, [], {"type": "Statement"}, {"type": ["BitstringStatusListCredential"]}, {"x": 1}):
        log.entries.append((len(log.entries), EntryKind.DOCUMENT, document))
    log.entries.append((len(log.entries), EntryKind.SEAL, {"type": "Seal"}))
    assert log.read() == before


# ------------------------------------------------------------------------------------------------ whose keys


def test_somebody_else_s_key_event_in_the_log_spoils_nothing(log):
    """A host, or a thief of the operator's key, may log any document."""
    foreign = build_key_event(
        did="did:web:evil.example",
        keys=[STRANGER],
        next_commitment=commitment([STRANGER.public_key]),
        created="2026-11-21T10:00:00Z",
    )
    forged = build_key_event(
        did=DID,
        keys=[STRANGER],
        next_commitment=commitment([STRANGER.public_key]),
        created="2026-11-21T10:00:00Z",
    )
    for document in (foreign, forged):
        log.entries.append((len(log.entries), EntryKind.DOCUMENT, document))
    log.add("suspension", 7)
    assert [change.problem for change in log.read()] == [None, None]
    log.add("suspension", key=STRANGER)
    assert "not signed by its issuer" in log.read()[-1].problem


def signed_list(key, *indexes):
    bits = StatusBits()
    for index in indexes:
        bits.set(index)
    unsigned = build_status_list_credential(
        list_id=LIST.format("suspension"),
        issuer=DID,
        purpose="suspension",
        bits=bits,
        valid_from="2026-11-24T00:00:00Z",
    )
    method = verification_method(DID, key.public_key)
    return sign_document(unsigned, key, verification_method=method, created="2026-11-24T00:00:00Z")


def test_after_a_recovery_the_lists_of_both_chains_are_the_issuer_s(log):
    """Also what was logged after the size from which the new chain counts, and before anybody knew of it."""
    start = len(log.entries)
    log.add("suspension", 7)
    new = signing_key(5)
    event = build_key_event(
        did=DID,
        keys=[new],
        next_commitment=commitment([signing_key(6).public_key]),
        created="2026-11-21T10:00:00Z",
        start=Position(1, start),
    )
    keys = verify_issuer_keys([EVENT, event])
    log.entries.append((len(log.entries), EntryKind.DOCUMENT, event))
    log.entries.append((len(log.entries), EntryKind.DOCUMENT, signed_list(new, 7, 8)))
    changes = list(read_history(log.entries, keys=keys, epoch=1))
    assert [(change.set_indexes, change.problem) for change in changes] == [
        ((), None),
        ((7,), None),
        ((8,), None),
    ]
    log.entries.append((len(log.entries), EntryKind.DOCUMENT, signed_list(KEY, 7)))
    assert "not signed by its issuer" in list(read_history(log.entries, keys=keys, epoch=1))[-1].problem


def test_in_a_later_epoch_the_keys_of_the_earlier_ones_count(log):
    (entry,) = [entry for entry in log.entries if "BitstringStatusListCredential" in entry[2]["type"]]
    (change,) = read_history([(0, *entry[1:])], keys=log.publication.keys, epoch=2)
    assert change.problem is None


def test_a_statement_that_its_issuer_did_not_sign_dates_nothing(log):
    log.add("suspension", 7)
    *before, statement = [entry for entry in log.entries if entry[1] is EntryKind.DOCUMENT]
    forged = {**statement[2], "sequence": 9, "time": "2020-01-01T00:00:00Z"}
    entries = [*before, (statement[0], EntryKind.DOCUMENT, forged), (statement[0] + 1, *statement[1:])]
    assert list(read_history(entries, keys=log.publication.keys, epoch=1))[-1].statement == 2
