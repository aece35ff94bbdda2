"""Step 6 under the rule `qbft-seals`: validators pinned in the trust file, and nobody else, make blocks final."""

from dataclasses import dataclass, replace

import pytest

from fakes.chain_state import CONTRACT, GENESIS
from fakes.validators import as_qbft, sealed_by, validators
from fakes.whole_registry import CHAIN_ID, World, judge, trust_document
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.evm.anchors import parse_anchor
from testamur.registry.evm.headers import parse_header
from testamur.registry.finality import AttestationRule, SealRule, UnknownRule
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import ChainView, Outcome, Step

FOUR, OTHERS = validators(4), validators(4, first=50)


def pinned(*sets):
    """The trust file of a QBFT chain; each set is (first block, validators)."""
    document = trust_document()
    document["chains"][0]["finality"] = {
        "type": "qbft-seals",
        "validators": [
            {"fromBlock": block, "addresses": ["0x" + item.address.hex() for item in listed]}
            for block, listed in sets
        ],
    }
    return document


def parsed(document):
    return parse_trust_file(canonicalize(document))


@dataclass
class SealedWorld(World):
    """A registry on a QBFT chain whose block 64 the first `sealers` of four validators sealed."""

    sealers: int = 4
    round_number: int = 1

    def anchors(self):
        state = self.chain()
        anchor = state.evidence_for(self.origin.issuer_id, self.origin.log_id, history=(1,))
        header = as_qbft(anchor.header, FOUR)
        seals = sealed_by(FOUR[: self.sealers], header, self.round_number)
        return [replace(anchor, header=header, seals=seals).to_json()]


def check(document=None, *, trusted=None, **world):
    dossier = document or SealedWorld(**world).dossier()
    return judge(dossier, trust=parsed(trusted or pinned((0, FOUR))))


def test_a_quorum_of_pinned_validators_makes_a_block_final():
    verdict = check(sealers=3)
    assert verdict.outcome == Outcome.VALID
    assert verdict.anchored.finality == "3 of 4 qbft-seals"


def test_too_few_seals_are_unknown_and_never_false():
    verdict = check(sealers=2)
    anchored = verdict.check(Step.ANCHORED)
    assert (anchored.reason, verdict.outcome) == ("seals-missing", Outcome.INDETERMINATE)
    assert anchored.parameters == {"got": 2, "wanted": 3}


def test_seals_of_validators_that_the_header_lists_and_the_trust_file_does_not_prove_nothing():
    assert check(trusted=pinned((0, OTHERS))).check(Step.ANCHORED).reason == "seals-missing"


@pytest.mark.parametrize(
    ("sets", "reason"),
    [
        ([(0, OTHERS), (64, FOUR)], "anchored"),
        ([(0, FOUR), (65, OTHERS)], "anchored"),
        ([(0, FOUR), (64, OTHERS)], "seals-missing"),
        ([(65, FOUR)], "validators-unknown"),
    ],
)
def test_the_set_of_the_headers_own_range_decides(sets, reason):
    assert check(trusted=pinned(*sets)).check(Step.ANCHORED).reason == reason


def test_evidence_without_seals_is_unknown():
    dossier = SealedWorld().dossier()
    dossier["evidence"]["anchors"][0]["finality"] = []
    assert check(dossier).check(Step.ANCHORED).reason == "seals-missing"


def test_a_header_of_another_kind_of_chain_fails():
    dossier = World().dossier()
    dossier["evidence"]["anchors"][0]["finality"] = [{"type": "qbft-seals", "round": 0, "seals": []}]
    assert check(dossier).check(Step.ANCHORED).reason == "malformed"


def test_seals_do_not_help_where_the_trust_file_asks_for_attestations():
    assert judge(SealedWorld().dossier()).check(Step.ANCHORED).reason == "finality-unproven"


def test_the_block_hash_of_an_own_endpoint_is_the_hash_of_the_header_in_evidence():
    dossier = SealedWorld(sealers=0).dossier()
    header = parse_header(parse_anchor(dossier["evidence"]["anchors"][0]).header)
    own = ChainView(headers={(CHAIN_ID, header.number): header.hash})
    assert judge(dossier, trust=parsed(pinned((0, FOUR))), chain=own).outcome == Outcome.VALID


def test_seals_survive_being_written_and_read():
    document = SealedWorld().dossier()["evidence"]["anchors"][0]
    anchor = parse_anchor(document)
    assert (anchor.seals.round, len(anchor.seals.seals)) == (1, 4)
    assert parse_anchor(anchor.to_json()) == anchor
    assert anchor.unknown == () == anchor.other_finality


@pytest.mark.parametrize(
    "entry",
    [
        {"round": -1, "seals": []},
        {"round": 2**31, "seals": []},
        {"seals": []},
        {"round": 0, "seals": ["uAA"]},
        {"round": 0, "seals": ["z" + "1" * 65]},
    ],
)
def test_seals_of_another_shape_are_refused(entry):
    document = SealedWorld().dossier()["evidence"]["anchors"][0]
    document["finality"] = [{"type": "qbft-seals", **entry}]
    with pytest.raises(MalformedError, match=r"round|seals"):
        parse_anchor(document)


def test_seals_are_given_once():
    document = SealedWorld().dossier()["evidence"]["anchors"][0]
    document["finality"] *= 2
    with pytest.raises(MalformedError, match="twice"):
        parse_anchor(document)


# ------------------------------------------------------------------------------------------------------ trust files


def test_the_rule_of_a_chain_is_read():
    rule = parsed(pinned((0, FOUR), (10, OTHERS))).chains[0].finality
    assert isinstance(rule, SealRule)
    assert rule.validators_at(9) == {item.address for item in FOUR}
    assert rule.validators_at(10) == {item.address for item in OTHERS}
    assert rule.words == "3 of 4 validators, qbft-seals"
    attested = parsed(trust_document()).chains[0].finality
    assert attested == AttestationRule(threshold=2, interval_blocks=4)
    assert attested.words == "2 member-attestations"


def test_a_rule_from_the_future_is_kept_by_its_name_whatever_it_holds():
    document = trust_document()
    document["chains"][0]["finality"] = {"type": "zero-knowledge-2040", "circuit": [1]}
    rule = parsed(document).chains[0].finality
    assert rule == UnknownRule(type="zero-knowledge-2040")
    assert "does not understand" in rule.words


def changed_rule(**changes):
    document = pinned((0, FOUR))
    document["chains"][0]["finality"].update(changes)
    return document


ONE = "0x" + "01" * 20


@pytest.mark.parametrize(
    "document",
    [
        changed_rule(validators=[]),
        changed_rule(validators=[{"fromBlock": 0, "addresses": []}]),
        changed_rule(validators=[{"fromBlock": 0, "addresses": [ONE, ONE]}]),
        changed_rule(validators=[{"fromBlock": 0, "addresses": [ONE.upper()]}]),
        changed_rule(validators=[{"fromBlock": -1, "addresses": [ONE]}]),
        changed_rule(validators=[{"addresses": [ONE]}]),
        changed_rule(validators=[{"fromBlock": 0, "addresses": [ONE], "untilBlock": 9}]),
        changed_rule(quorum=1),
        pinned((9, FOUR), (0, OTHERS)),
        pinned((9, FOUR), (9, OTHERS)),
    ],
)
def test_a_rule_that_says_something_else_than_it_could_mean_is_refused(document):
    with pytest.raises(MalformedError):
        parsed(document)


def test_the_fakes_chain_is_the_one_in_the_trust_file():
    chain = parsed(pinned((0, FOUR))).chains[0]
    assert (chain.contract, chain.genesis_hash) == (CONTRACT, GENESIS)
