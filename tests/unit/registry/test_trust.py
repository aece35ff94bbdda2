"""The trust file: strict in every member, short enough to read aloud."""

import copy
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fakes.chain_state import CONTRACT, GENESIS
from fakes.issuers import signing_key
from fakes.whole_registry import CHAIN_ID, role_key, role_signer, trust_document
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.notes import NoteSigner
from testamur.registry.trust import MAX_TRUST_FILE_BYTES, parse_trust_file


def parsed(document):
    return parse_trust_file(canonicalize(document))


def changed(change):
    document = copy.deepcopy(trust_document())
    change(document)
    return document


def test_a_trust_file_names_members_quorums_and_one_chain_for_a_range_of_blocks():
    trust = parsed(trust_document())
    assert [member.name for member in trust.members] == ["ada", "bit", "cyd"]
    assert len(trust.witness_policy.witnesses) == 3
    key = role_signer("bit", "mirror").verifier_key
    assert trust.dated_key("mirror", key).is_valid_at(datetime(2026, 6, 1, tzinfo=UTC))
    assert not trust.dated_key("mirror", key).is_valid_at(datetime(2025, 6, 1, tzinfo=UTC))
    assert trust.dated_key("witness", key) is None
    assert trust.chain_for(CHAIN_ID, GENESIS, CONTRACT, 5) is trust.chains[0]
    for chain_id, genesis, contract in [
        (1, GENESIS, CONTRACT),
        (CHAIN_ID, bytes(32), CONTRACT),
        (CHAIN_ID, GENESIS, bytes(20)),
    ]:
        assert trust.chain_for(chain_id, genesis, contract, 5) is None


def test_the_fingerprint_is_26_letters_and_ignores_signatures_and_white_space():
    document = trust_document()
    trust = parsed(document)
    letters = trust.fingerprint.replace("-", "")
    assert len(letters) == 26
    assert set(letters) <= set("abcdefghijklmnopqrstuvwxyz234567")
    signed = changed(lambda d: d["signatures"].append("— stranger AAAAAAAA"))
    assert parsed(signed).fingerprint == trust.fingerprint
    assert parse_trust_file(canonicalize(document).replace(b",", b" ,\n")).digest == trust.digest
    assert parsed(changed(lambda d: d.update(development=True))).fingerprint != trust.fingerprint


def rekeyed(member, role, key, algorithm=4):
    """A change: the member's key of a role is `key`, under its usual name; policies name it as well."""

    def change(document):
        names = [item["name"] for item in document["members"]]
        dated = document["members"][names.index(member)][role][0]
        name = role_signer(member, role).name
        before, after = (
            dated["key"],
            NoteSigner(name=name, key=key, algorithm=algorithm).verifier_key.to_text(),
        )
        dated["key"] = after
        for which, text in document["policies"].items():
            document["policies"][which] = text.replace(before, after)

    return change


CHANGES = {
    "cosignature key for attesting": (rekeyed("ada", "attestation", signing_key(7)), "0x04, not 0x01"),
    "attestation key for witnessing": (rekeyed("ada", "witness", signing_key(7), 1), "0x01, not 0x04"),
    "one key of two attesters": (
        rekeyed("bit", "attestation", role_key("ada", "attestation"), 1),
        "ada (attestation) and bit (attestation)",
    ),
    "one key as witness and mirror": (
        rekeyed("ada", "mirror", role_key("ada", "witness")),
        "ada (witness) and ada (mirror)",
    ),
    "one key twice in one role": (
        lambda d: d["members"][0]["attestation"].append(
            {**d["members"][0]["attestation"][0], "until": "2026-02-01T00:00:00Z"}
        ),
        "ada (attestation) and ada (attestation)",
    ),
    "one key twice under two names": (
        lambda d: d["members"][0]["attestation"].append(
            {
                "key": replace(role_signer("ada", "attestation"), name="other").verifier_key.to_text(),
                "from": "2026-01-01T00:00:00Z",
            }
        ),
        "ada (attestation) and ada (attestation)",
    ),
    "unknown member": (lambda d: d.update(witnes=1), "witnes"),
    "unknown member of a member": (lambda d: d["members"][0].update(urll="x"), "urll"),
    "unknown member of a chain": (lambda d: d["chains"][0].update(untilblock=1), "untilblock"),
    "other version": (lambda d: d.update(version=2), "version"),
    "other type": (lambda d: d.update(type="Trust"), "type"),
    "no members": (lambda d: d.update(members=[]), "members"),
    "member twice": (lambda d: d["members"].append(d["members"][0]), "twice"),
    "policy of strangers": (lambda d: d["members"].pop(), "no member"),
    "witness key as mirror": (lambda d: d["policies"].update(mirror=d["policies"]["witness"]), "mirror key"),
    "policy cut off": (lambda d: d["policies"].update(witness="quorum none"), "policy"),
    "short contract": (lambda d: d["chains"][0].update(contract="0x00"), "40 lower-case hex"),
    "upper-case hash": (lambda d: d["chains"][0].update(genesisHash="0x" + "AB" * 32), "lower-case"),
    "threshold of nobody": (lambda d: d["chains"][0]["finality"].update(threshold=0), "threshold"),
    "date without a zone": (lambda d: d.update(issued="2026-01-01T00:00:00"), "issued"),
    "registry with a slash": (lambda d: d.update(registry="a/b"), "registry"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_trust_file_that_is_wrong_in_one_member_is_refused_and_the_member_named(name):
    change, word = CHANGES[name]
    with pytest.raises(MalformedError) as caught:
        parsed(changed(change))
    assert word in str(caught.value)


def test_a_huge_trust_file_is_refused_before_it_is_read():
    with pytest.raises(MalformedError):
        parse_trust_file(b" " * (MAX_TRUST_FILE_BYTES + 1))
