"""Evidence under a trust file that is older or newer than it: what the file does not know is unknown, not false."""

import pytest

from fakes.chain_state import GENESIS
from fakes.trust_chain import first, key_entry, newcomer, parsed, unsigned
from fakes.whole_registry import World, judge
from testamur.registry.evm.anchors import parse_anchor
from testamur.registry.evm.headers import parse_header
from testamur.registry.verification import Outcome

DOSSIER = World().dossier()
HEADER = parse_header(parse_anchor(DOSSIER["evidence"]["anchors"][0]).header)


def retired(number=HEADER.number, header=HEADER.hash):
    """A change: the chain ends at this block, whose header is pinned."""

    def change(document):
        document["chains"][0].update(untilBlock=number, lastHeader=f"0x{header.hex()}")

    return change


def moved_on(document):
    """A change: the chain was retired before the block of the evidence."""
    document["chains"][0].update(untilBlock=HEADER.number - 1, lastHeader="0x" + "11" * 32)


def other_keys(role):
    """A change: every member has another key in this role, and the policy names them."""

    def change(document):
        for number, member in enumerate(document["members"]):
            before = member[role][0]["key"]
            signer = newcomer(member["name"], 500 + number)
            entry = key_entry(signer, "2026-01-01T00:00:00Z")
            if role != "attestation":
                entry = {**entry, "key": before}
                entry["from"] = "2026-12-01T00:00:00Z"
            member[role] = [entry]

    return change


def end_attestation(document):
    """A change: nobody's attestation key counts any more, and so nobody can sign a next version."""
    del document["succession"]
    for member in document["members"]:
        member["attestation"][0]["until"] = "2026-02-01T00:00:00Z"


CASES = {
    "of a later epoch, whose chain began after the block": (moved_on, 6, "chain-not-trusted"),
    "of an earlier epoch, with other attestation keys": (other_keys("attestation"), 6, "finality-unproven"),
    "of a later epoch, with witness keys that began since": (other_keys("witness"), 5, "quorum-missing"),
    "of a later epoch, with mirror keys that began since": (other_keys("mirror"), 5, "quorum-missing"),
    "that ends the attestation keys before the block": (end_attestation, 6, "finality-unproven"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_trust_file_that_does_not_know_the_evidence_cannot_tell(name):
    change, step, reason = CASES[name]
    verdict = judge(DOSSIER, trust=parsed(unsigned(first(), change)))
    assert verdict.outcome == Outcome.INDETERMINATE
    check = verdict.checks[step - 1]
    assert (check.result, check.reason) == ("unknown", reason)


def test_a_later_version_with_more_in_it_verifies_what_an_earlier_one_did():
    later = unsigned(first(), lambda d: d.update(accreditors=["did:web:qa.example"]))
    assert judge(DOSSIER, trust=parsed(later)).outcome == Outcome.VALID


def test_the_last_header_of_a_retired_chain_is_final_without_any_attestation():
    bare = World(attesters=()).dossier()
    verdict = judge(bare, trust=parsed(unsigned(first(), retired())))
    assert verdict.outcome == Outcome.VALID
    assert verdict.anchored.finality == "pinned-header"
    assert judge(bare, trust=parsed(first())).outcome == Outcome.INDETERMINATE


def test_another_last_header_than_the_pinned_one_is_a_lie():
    verdict = judge(DOSSIER, trust=parsed(unsigned(first(), retired(header=GENESIS))))
    assert verdict.outcome == Outcome.INVALID
    assert verdict.checks[5].reason == "header-not-pinned"
    assert verdict.checks[5].parameters["block"] == HEADER.number
