"""The trust file goes forward over quorum-signed successions, and nothing else moves it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.trust_chain import (
    LAST_HEADER,
    attester,
    chain_of,
    close_chain,
    copied,
    first,
    key_entry,
    member_of,
    newcomer,
    parsed,
    rotate,
    signed,
    successor,
    unsigned,
)
from fakes.whole_registry import role_signer
from testamur.registry.canonical import canonicalize, parse_json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.attestations import HeaderAttestation, parse_attestation
from testamur.registry.trust import fingerprint, parse_trust_file
from testamur.registry.trust_changes import describe_changes
from testamur.registry.trust_drafts import HANDOVER, MemberCard, draft_successor, parse_card
from testamur.registry.trust_successions import (
    MAX_SUCCESSIONS,
    advance,
    parse_successions,
    sign_succession,
    succession_text,
    verify_successor,
)

V1 = first()
FEBRUARY, MARCH = "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"


def reason(*documents, start=V1):
    """Why the versions are refused."""
    with pytest.raises(VerificationError) as caught:
        advance(parsed(start), [parsed(document) for document in documents])
    return caught.value.reason


def test_each_version_is_proven_by_the_quorum_that_the_one_before_states():
    second = successor(V1, lambda d: d.update(succession={"threshold": 3}))
    assert advance(parsed(V1), [parsed(second)]).digest == parsed(second).digest
    # Version 2 asks for three, so two are too few for version 3, and one was for version 2.
    assert reason(successor(V1, members=("ada",))) == "trust-quorum-missing"
    assert reason(second, successor(second)) == "trust-quorum-missing"
    third = successor(second, members=("ada", "bit", "cyd"))
    assert advance(parsed(V1), [parsed(second), parsed(third)]).sequence == 3
    assert verify_successor(parsed(second), parsed(third)) == {"ada", "bit", "cyd"}
    assert advance(parsed(V1), []).sequence == 1


def test_a_rotated_key_signs_from_its_version_on_and_the_old_one_no_more():
    second = successor(V1, rotate("ada", newcomer("ada"), FEBRUARY))
    by_new = signed(unsigned(second), [newcomer("ada"), attester("bit")])
    assert advance(parsed(V1), [parsed(second), parsed(by_new)]).sequence == 3
    assert reason(second, successor(second)) == "trust-signer-expired"
    assert reason(signed(unsigned(V1), [newcomer("ada"), attester("bit")])) == "trust-signer-foreign"


def test_two_keys_of_one_member_are_one_signature_and_are_refused_as_two():
    second = successor(
        V1, lambda d: member_of(d, "ada")["attestation"].append(key_entry(newcomer("ada"), FEBRUARY))
    )
    twice = signed(unsigned(second), [attester("ada"), newcomer("ada")])
    assert reason(second, twice) == "trust-signer-repeated"


def test_two_successors_of_one_version_are_refused_by_name_whichever_comes_first():
    one, other = successor(V1), successor(V1, lambda d: d.update(accreditors=["did:web:qa.example"]))
    for pair in ((one, other), (other, one)):
        with pytest.raises(VerificationError) as caught:
            advance(parsed(V1), [parsed(item) for item in pair])
        assert caught.value.reason == "trust-equivocation"
        shown = {caught.value.parameters["first"], caught.value.parameters["second"]}
        assert shown == {fingerprint(parsed(item).digest) for item in pair}
    # Without a quorum under it, the second one is no contradiction of anybody's.
    lone = successor(V1, lambda d: d.update(accreditors=["did:web:qa.example"]), members=("cyd",))
    assert reason(one, lone) == "trust-quorum-missing"
    # The same version under other signatures is the same version.
    again = signed(unsigned(V1), [attester("cyd"), attester("bit")])
    assert advance(parsed(V1), [parsed(one), parsed(again)]).digest == parsed(one).digest


def test_a_file_that_states_no_rule_has_no_successor():
    silent = first(threshold=None)
    assert reason(successor(silent), start=silent) == "trust-rule-missing"


def drop_member(document):
    document["members"] = [item for item in document["members"] if item["name"] != "cyd"]
    for role in ("witness", "mirror"):
        lines = document["policies"][role].splitlines()
        kept = [line for line in lines if not line.startswith("witness cyd ")]
        document["policies"][role] = "\n".join(kept).replace(" cyd", "") + "\n"


def void_key(document):
    """Cyd's attestation key never counted."""
    key = member_of(document, "cyd")["attestation"][0]
    key["until"] = key["from"]


ALLOWED = {
    "nothing": lambda d: None,
    "another accreditor": lambda d: d.update(accreditors=["did:web:qa.example"]),
    "another rule": lambda d: d.update(succession={"threshold": 1}),
    "a key counts for nothing": void_key,
    "a key ends": lambda d: member_of(d, "cyd")["attestation"][0].update(until=FEBRUARY),
    "a key is added": lambda d: member_of(d, "ada")["attestation"].append(
        key_entry(newcomer("ada"), FEBRUARY)
    ),
    "the chain is retired": close_chain,
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_the_council_may_change(name):
    second = successor(V1, ALLOWED[name])
    assert advance(parsed(V1), [parsed(second)]).sequence == 2


def pinned_first():
    document = first()
    close_chain(document)
    return document


REFUSED = {
    "another registry": (lambda d: d.update(registry="other.example"), "trust-registry-mismatch"),
    "a version left out": (lambda d: d.update(sequence=3), "trust-version-skipped"),
    "another predecessor": (lambda d: d.update(previous="u" + "A" * 43), "trust-predecessor-mismatch"),
    "development hidden": (lambda d: d.update(development=True), "trust-development-changed"),
    "issued before": (lambda d: d.update(issued="2025-12-31T00:00:00Z"), "trust-issued-earlier"),
    "a range dropped": (lambda d: d.update(chains=[]), "trust-chain-rewritten"),
    "another contract": (lambda d: d["chains"][0].update(contract="0x" + "11" * 20), "trust-chain-rewritten"),
    "a range begun later": (lambda d: d["chains"][0].update(fromBlock=5), "trust-chain-rewritten"),
    "a weaker finality": (lambda d: d["chains"][0]["finality"].update(threshold=1), "trust-chain-rewritten"),
    "retired without a header": (lambda d: d["chains"][0].update(untilBlock=9), "trust-chain-unpinned"),
    "a key for another time": (
        lambda d: member_of(d, "ada")["attestation"][0].update({"from": "2025-01-01T00:00:00Z"}),
        "trust-key-backdated",
    ),
    "a new key for the past": (
        lambda d: member_of(d, "ada")["attestation"].append(
            key_entry(newcomer("ada"), "2025-06-01T00:00:00Z")
        ),
        "trust-key-backdated",
    ),
    "a member dropped": (drop_member, "trust-key-dropped"),
    "a key dropped": (lambda d: member_of(d, "cyd").update(attestation=[]), "trust-key-dropped"),
    "a key under another name": (
        lambda d: member_of(d, "cyd").update(
            attestation=[key_entry(replace(attester("cyd"), name="other"), FEBRUARY)]
        ),
        "trust-key-dropped",
    ),
    "a key given away": (
        lambda d: (
            member_of(d, "ada").update(attestation=[]),
            d["members"].append({"name": "eve", "attestation": [key_entry(attester("ada"), FEBRUARY)]}),
        ),
        "trust-key-moved",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_quorum_can_change(name):
    change, wanted = REFUSED[name]
    assert reason(successor(V1, change, members=("ada", "bit", "cyd"))) == wanted


def test_a_retired_range_and_its_pinned_header_stay():
    start = pinned_first()
    assert advance(parsed(start), [parsed(successor(start))]).chains[0].last_header.hex() == LAST_HEADER[2:]
    for change in (
        lambda d: d["chains"][0].update(lastHeader=None),
        lambda d: d["chains"][0].update(lastHeader="0x" + "11" * 32),
        lambda d: d["chains"][0].update(untilBlock=101),
        lambda d: d["chains"][0].update(untilBlock=None, lastHeader=None),
        lambda d: d["chains"].reverse(),
    ):
        assert reason(successor(start, change), start=start) == "trust-chain-rewritten"


def test_blocks_before_the_first_known_range_are_the_past_as_well():
    start = first()
    start["chains"][0]["fromBlock"] = 50

    def rogue(document):
        document["chains"].append({**document["chains"][0], "fromBlock": 0, "untilBlock": 49})

    assert reason(successor(start, rogue), start=start) == "trust-chain-rewritten"


def test_a_rule_that_is_not_understood_stays_as_it_is_in_every_member():
    start = first()
    start["chains"][0]["finality"] = {"type": "future-rule", "weight": 1}
    assert advance(parsed(start), [parsed(successor(start))]).sequence == 2
    changed = successor(start, lambda d: d["chains"][0]["finality"].update(weight=True))
    assert reason(changed, start=start) == "trust-chain-rewritten"


def test_validators_are_added_from_a_later_block_on_and_none_is_exchanged():
    start = first()
    start["chains"][0]["finality"] = {
        "type": "qbft-seals",
        "validators": [{"fromBlock": 0, "addresses": ["0x" + "11" * 20]}],
    }
    more = successor(
        start,
        lambda d: d["chains"][0]["finality"]["validators"].append(
            {"fromBlock": 9, "addresses": ["0x" + "22" * 20]}
        ),
    )
    assert advance(parsed(start), [parsed(more)]).sequence == 2
    other = successor(
        start,
        lambda d: d["chains"][0]["finality"]["validators"][0].update(addresses=["0x" + "22" * 20]),
    )
    assert reason(other, start=start) == "trust-chain-rewritten"


def test_an_ended_key_does_not_come_back():
    second = successor(V1, lambda d: member_of(d, "cyd")["attestation"][0].update(until=FEBRUARY))
    revived = successor(second, lambda d: member_of(d, "cyd")["attestation"][0].update(until=None))
    assert reason(second, revived) == "trust-key-revived"
    shorter = successor(
        second, lambda d: member_of(d, "cyd")["attestation"][0].update(until="2026-01-15T00:00:00Z")
    )
    assert advance(parsed(V1), [parsed(second), parsed(shorter)]).sequence == 3


def test_a_key_that_counts_for_nothing_never_counts_again():
    second = successor(V1, void_key)
    key = attester("cyd").verifier_key
    voided = parsed(second).dated_key("attestation", key)
    assert not any(voided.is_valid_at(moment) for moment in (voided.since, parsed(second).issued))
    for until in (None, "2026-01-02T00:00:00Z", "2030-01-01T00:00:00Z"):
        revived = successor(
            second, lambda d, until=until: member_of(d, "cyd")["attestation"][0].update(until=until)
        )
        assert reason(second, revived) == "trust-key-revived"
    assert advance(parsed(V1), [parsed(second), parsed(successor(second))]).sequence == 3


def test_a_key_that_was_to_begin_later_and_was_voided_never_begins():
    start = successor(
        V1,
        lambda d: member_of(d, "ada")["attestation"].append(
            key_entry(newcomer("ada"), "2027-01-01T00:00:00Z")
        ),
    )
    second = successor(
        start, lambda d: member_of(d, "ada")["attestation"][1].update(until="2027-01-01T00:00:00Z")
    )
    third = successor(second, lambda d: member_of(d, "ada")["attestation"][1].update(until=None))
    assert advance(parsed(V1), [parsed(start), parsed(second)]).sequence == 3
    assert reason(start, second, third) == "trust-key-revived"


def test_no_key_comes_back_or_changes_hands_over_two_versions():
    ended = successor(V1, lambda d: member_of(d, "cyd")["attestation"][0].update(until=FEBRUARY))
    gone = successor(ended, lambda d: member_of(d, "cyd").update(attestation=[]))
    again = successor(
        gone, lambda d: member_of(d, "bit")["attestation"].append(key_entry(attester("cyd"), MARCH))
    )
    assert reason(ended, gone, again) == "trust-key-dropped"


def test_a_false_signature_refuses_the_file_even_beside_a_quorum():
    good = successor(V1, members=("ada", "bit"))
    other = successor(V1, lambda d: d.update(accreditors=["did:web:qa.example"]), members=("cyd",))
    assert (
        reason({**good, "signatures": good["signatures"] + other["signatures"]}) == "note-signature-invalid"
    )
    stranger = signed(unsigned(V1), [attester("ada"), attester("bit"), newcomer("eve")])
    assert reason(stranger) == "trust-signer-foreign"
    witness = role_signer("ada", "witness")
    as_attester = replace(witness, algorithm=1)
    assert reason(signed(unsigned(V1), [as_attester, attester("bit")])) == "trust-signer-foreign"


def test_what_is_signed_can_be_no_header_attestation_and_the_other_way_round():
    text = succession_text(parsed(successor(V1)))
    with pytest.raises(MalformedError):
        parse_attestation(f"{text}\n{successor(V1)['signatures'][0]}\n".encode())
    header = HeaderAttestation(
        registry="registry.example", chain_id=1, genesis_hash=bytes(32), number=4, block_hash=bytes(32)
    )
    line = attester("ada").sign_text(header.text).to_text().rstrip("\n")
    draft = unsigned(V1)
    assert reason({**draft, "signatures": [line]}) == "note-signature-invalid"


def test_more_versions_at_once_than_anybody_has_are_refused():
    again = parsed(successor(V1))
    with pytest.raises(VerificationError) as caught:
        advance(parsed(V1), [again] * (MAX_SUCCESSIONS + 1))
    assert caught.value.reason == "trust-too-many"


# -- signing


def test_a_member_signs_once_what_rewrites_nothing():
    draft = parsed(unsigned(V1))
    once = parse_trust_file(sign_succession(parsed(V1), draft, attester("ada")))
    both = parse_trust_file(sign_succession(parsed(V1), once, attester("bit")))
    assert verify_successor(parsed(V1), both) == {"ada", "bit"}
    assert both.digest == draft.digest
    for later, signer, wanted in [
        (once, attester("ada"), "trust-signer-repeated"),
        (once, newcomer("eve"), "trust-signer-foreign"),
        (parsed(unsigned(V1, lambda d: d.update(chains=[]))), attester("ada"), "trust-chain-rewritten"),
    ]:
        with pytest.raises(VerificationError) as caught:
            sign_succession(parsed(V1), later, signer)
        assert caught.value.reason == wanted


def test_version_1_has_nothing_to_be_signed():
    with pytest.raises(ValueError, match="no predecessor"):
        succession_text(parsed(V1))


def test_who_signs_is_shown_every_change():
    later = parsed(unsigned(V1, rotate("ada", newcomer("ada"), FEBRUARY), close_chain, drop_member))
    lines = "\n".join(describe_changes(parsed(V1), later))
    for word in (
        "adds the attestation key",
        "sets the time of",
        "drops the witness key",
        "removes the member cyd",
        "closes chain 31337 at block 100: evidence that rests on a later block",
    ):
        assert word in lines
    assert "sets chains to" in lines
    assert "closes" not in "\n".join(describe_changes(later, later))
    voided = describe_changes(parsed(V1), parsed(unsigned(V1, void_key)))
    assert len(voided) == 1
    assert voided[0].startswith("voids the attestation key")
    assert describe_changes(parsed(V1), parsed(unsigned(V1))) == []


# -- the document of successions


def test_successions_are_one_document_that_is_parsed_strictly():
    second = successor(V1)
    data = chain_of(second, successor(second))
    found = parse_successions(data)
    assert [item.sequence for item in found.files] == [2, 3]
    assert advance(parsed(V1), found.files).sequence == 3
    for change in (
        lambda d: d.update(type="X"),
        lambda d: d.update(version=2),
        lambda d: d.update(more=1),
        lambda d: d.update(newest=0),
        lambda d: d.update(registry="A B"),
        lambda d: d["successions"].append("x"),
        lambda d: d["successions"][0].update(more=1),
    ):
        document = copied(parse_json(data, subject="successions"))
        change(document)
        with pytest.raises(MalformedError):
            parse_successions(canonicalize(document))


# -- drafting


def card(name, *, attestation, keep="ada"):
    keys = {role: (role_signer(keep, role).verifier_key.to_text(),) for role in ("witness", "mirror")}
    return MemberCard(name=name, url="https://node.example", keys={**keys, "attestation": attestation})


def test_a_draft_rotates_a_key_and_keeps_what_the_old_one_signed():
    rotated = card("ada", attestation=(newcomer("ada").verifier_key.to_text(),))
    draft = parse_trust_file(draft_successor(parsed(V1), issued=FEBRUARY, cards=[rotated], threshold=2))
    old, new = draft.members[0].attestation
    assert (old.until, new.until) == (draft.issued + HANDOVER, None)
    assert new.since == draft.issued
    assert draft.witness_policy == parsed(V1).witness_policy
    by_quorum = sign_succession(parsed(V1), draft, attester("ada"))
    by_quorum = sign_succession(parsed(V1), parse_trust_file(by_quorum), attester("cyd"))
    assert advance(parsed(V1), [parse_trust_file(by_quorum)]).sequence == 2


def test_a_replaced_key_counts_until_the_handover_is_over_and_not_a_moment_longer():
    rotated = card("ada", attestation=(newcomer("ada").verifier_key.to_text(),))
    draft = parse_trust_file(draft_successor(parsed(V1), issued=FEBRUARY, cards=[rotated]))
    old, new = draft.members[0].attestation
    moment = timedelta(seconds=1)
    for key, since_issue, counts in (
        (old, timedelta(0), True),
        (old, HANDOVER - moment, True),
        (old, HANDOVER, False),
        (new, -moment, False),
        (new, timedelta(0), True),
    ):
        assert key.is_valid_at(draft.issued + since_issue) is counts
    at_once = draft_successor(parsed(V1), issued=FEBRUARY, cards=[rotated], handover=timedelta(0))
    assert parse_trust_file(at_once).members[0].attestation[0].until == draft.issued
    # A member who leaves, or gives no key of a role any more, has nothing to hand over.
    for cards, ended in (([], ["cyd"]), ([card("cyd", attestation=(), keep="cyd")], [])):
        left = parse_trust_file(draft_successor(parsed(V1), issued=FEBRUARY, cards=cards, ended=ended))
        assert left.members[2].attestation[0].until == left.issued


def test_a_draft_adds_and_ends_members_and_asks_for_a_majority():
    keys = {
        role: (
            replace(
                role_signer("ada", role),
                name=f"registry.example/members/eve/{role}",
                key=newcomer("eve", number).key,
            ).verifier_key.to_text(),
        )
        for number, role in enumerate(("witness", "mirror", "attestation"), 400)
    }
    eve = MemberCard(name="eve", url=None, keys=keys)
    draft = parse_trust_file(draft_successor(parsed(V1), issued=FEBRUARY, cards=[eve], ended=["cyd"]))
    assert [member.name for member in draft.members] == ["ada", "bit", "cyd", "eve"]
    assert draft.members[2].witness[0].until == draft.issued
    assert draft.witness_policy.threshold_text == "2 of 4"
    with pytest.raises(MalformedError, match="no member"):
        draft_successor(parsed(V1), issued=FEBRUARY, ended=["zoe"])
    with pytest.raises(MalformedError, match="cannot ask"):
        draft_successor(parsed(V1), issued=FEBRUARY, quorums={"witness": 9})
    with pytest.raises(MalformedError, match="could sign"):
        draft_successor(parsed(V1), issued=FEBRUARY, threshold=9)


def test_a_member_card_is_read_as_it_was_written():
    written = card("ada", attestation=(newcomer("ada").verifier_key.to_text(),))
    assert parse_card(canonicalize(written.to_json())) == written
    for change in ({"version": 2}, {"more": 1}, {"witness": ["not a key"]}):
        with pytest.raises(MalformedError):
            parse_card(canonicalize({**written.to_json(), **change}))
