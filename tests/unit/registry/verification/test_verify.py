"""The eleven steps over a whole registry in memory: honest dossiers pass, every single lie is named."""

import copy
import json
import random
from dataclasses import dataclass
from datetime import timedelta

import pytest

from fakes.awards import award
from fakes.issuers import signing_key
from fakes.whole_registry import ANCHORED_AT, CHAIN_ID, NOW, World, cut, judge, trust, trust_document
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.multiformats import decode_multibase
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import ChainView, Outcome, Policy, Step, verify_dossier
from testamur.registry.verification.verdict import CheckResult, CredentialStatus


def results(verdict):
    return {int(check.step): str(check.result) for check in verdict.checks}


def reasons(verdict, result):
    return {int(check.step): check.reason for check in verdict.checks if check.result == result}


@pytest.fixture(scope="module")
def honest():
    return World().dossier()


def changed(dossier, *path, value):
    """A copy of the dossier in which the member at `path` is another one."""
    copied = copy.deepcopy(dossier)
    place = copied
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value(place[path[-1]]) if callable(value) else value
    return copied


def test_an_honest_dossier_is_valid_in_every_step_and_at_every_time(honest):
    verdict = judge(honest)
    assert results(verdict) == {**dict.fromkeys(range(1, 11), "pass"), 11: "skipped"}
    assert (verdict.outcome, verdict.credential_status) == (Outcome.VALID, CredentialStatus.ACTIVE)
    assert (verdict.at_issuance, verdict.now, verdict.at) == (Outcome.VALID, Outcome.VALID, None)
    assert verdict.witnessed.to_json() == {
        "witnesses": 3,
        "ofWitnesses": 3,
        "mirrors": 3,
        "ofMirrors": 3,
        "quorum": True,
        "noLaterThan": "2026-11-21T09:00:00Z",
    }
    assert verdict.anchored.entry_at == ANCHORED_AT - timedelta(seconds=60)
    assert verdict.evidence_at == ANCHORED_AT
    assert verdict.credential["achievement"] == "Data Literacy"


def test_a_tailored_dossier_with_chunks_is_valid_and_smaller_when_the_lists_are_full():
    scattered = random.Random(7).sample([index for index in range(131_072) if index != 7], 60_000)
    world = World(revoked=tuple(scattered))
    whole = world.dossier()
    small = {"credential": whole["credential"], "evidence": cut(whole["evidence"], whole["credential"])}
    assert any("chunk" in item for item in small["evidence"]["logs"][str(world.origin)]["status"])
    assert len(canonicalize(small)) < len(canonicalize(whole))
    assert judge(small).outcome == Outcome.VALID


def test_json_that_was_indented_and_reordered_still_verifies(honest):
    text = json.dumps(honest, indent=3, sort_keys=True)
    assert verify_dossier(b"\xef\xbb\xbf" + text.encode(), trust=trust(), now=NOW).outcome == Outcome.VALID


# ------------------------------------------------------------------------------------------------ one lie at a time


def test_a_credential_altered_in_one_character_fails_its_proof_and_is_not_in_the_log(honest):
    forged = changed(
        honest, "credential", "credentialSubject", "achievement", "name", value=lambda name: name[:-1] + "x"
    )
    verdict = judge(forged)
    assert verdict.outcome == Outcome.INVALID
    assert reasons(verdict, CheckResult.FAIL) == {3: "signature-invalid", 4: "entry-missing"}


@dataclass(frozen=True)
class Lie:
    """A world that is wrong in one respect, and what must be said of it."""

    name: str
    world: dict
    step: int
    result: str
    reason: str
    outcome: Outcome


INVALID, UNKNOWN = Outcome.INVALID, Outcome.INDETERMINATE
LIES = [
    Lie("signed by another key", {"issuer_key": signing_key(9)}, 3, "fail", "signature-invalid", INVALID),
    Lie("one witness of three", {"witnesses": ("ada",)}, 5, "unknown", "quorum-missing", UNKNOWN),
    Lie("one mirror of three", {"mirrors": ("bit",)}, 5, "unknown", "quorum-missing", UNKNOWN),
    Lie(
        "cosigned before the keys' time",
        {"cosigned_at": ANCHORED_AT - timedelta(days=900)},
        5,
        "unknown",
        "quorum-missing",
        UNKNOWN,
    ),
    Lie(
        "cosigned in the future",
        {"cosigned_at": NOW + timedelta(hours=1)},
        5,
        "unknown",
        "quorum-missing",
        UNKNOWN,
    ),
    Lie("not anchored", {"anchored": False}, 6, "unknown", "not-anchored", UNKNOWN),
    Lie("attested by one member", {"attesters": ("cyd",)}, 6, "unknown", "finality-unproven", UNKNOWN),
    Lie("another root on chain", {"root_on_chain": b"\x07" * 32}, 6, "fail", "anchor-root-mismatch", INVALID),
    Lie(
        "another log key on chain", {"log_key_on_chain": b"\x07" * 32}, 6, "fail", "log-key-mismatch", INVALID
    ),
    Lie("a newer statement on chain", {"statement_on_chain": 2}, 6, "fail", "statement-outdated", INVALID),
    Lie("a later epoch on chain", {"epoch_on_chain": 2}, 6, "fail", "storage-layout-unknown", INVALID),
    Lie("another identity on chain", {"identity": b"\x07" * 32}, 8, "fail", "admission-mismatch", INVALID),
    Lie(
        "suspended when it was logged",
        {
            "suspension": {
                "fromEpoch": 1,
                "fromSize": 6,
                "untilEpoch": 1,
                "untilSize": 20,
                "suspendedAt": 5,
                "reinstatedAt": 9,
            },
        },
        8,
        "fail",
        "issuer-suspended",
        INVALID,
    ),
    Lie("revoked", {"revoked": (7,)}, 9, "fail", "revoked", INVALID),
    Lie("suspended", {"suspended": (7,)}, 9, "fail", "suspended", INVALID),
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
def test_one_lie_is_found_in_its_step_and_named(lie):
    verdict = judge(World(**lie.world).dossier())
    check = verdict.check(Step(lie.step))
    assert (str(check.result), check.reason) == (lie.result, lie.reason)
    assert verdict.outcome == lie.outcome


def test_a_suspension_that_ended_before_the_entry_does_not_hurt():
    suspension = {
        "fromEpoch": 1,
        "fromSize": 2,
        "untilEpoch": 1,
        "untilSize": 5,
        "suspendedAt": 5,
        "reinstatedAt": 9,
    }
    assert judge(World(suspension=suspension).dossier()).outcome == Outcome.VALID


def test_revoked_outranks_suspended_and_says_so_in_its_own_word():
    verdict = judge(World(revoked=(7,), suspended=(7,)).dossier())
    assert verdict.credential_status == CredentialStatus.REVOKED
    assert verdict.at_issuance == Outcome.VALID


def test_somebody_elses_revocation_does_not_hurt():
    assert judge(World(revoked=(6, 8)).dossier()).outcome == Outcome.VALID


@pytest.mark.parametrize(
    ("lifecycle", "reason", "now"),
    [
        (Lifecycle.SUSPENDED, "issuer-suspended-since", Outcome.VALID),
        (Lifecycle.CLOSED, "issuer-closed", Outcome.VALID),
    ],
)
def test_what_was_issued_in_good_standing_outlives_suspension_and_closure(lifecycle, reason, now):
    verdict = judge(World(lifecycle=lifecycle).dossier())
    assert verdict.check(Step.ISSUER).reason == reason
    assert verdict.now == now


def test_the_status_of_a_closed_issuer_does_not_age_and_that_of_an_open_one_does():
    later = NOW + timedelta(days=4000)
    assert judge(World(lifecycle=Lifecycle.CLOSED).dossier(), now=later).now == Outcome.VALID
    aged = judge(World().dossier(), now=later)
    assert (aged.now, aged.at_issuance) == (Outcome.INDETERMINATE, Outcome.VALID)
    assert aged.credential_status == CredentialStatus.UNKNOWN


# -------------------------------------------------------------------------------------------------- missing parts


def test_a_bare_credential_without_evidence_is_indeterminate_and_nothing_failed(honest):
    verdict = judge({"credential": honest["credential"], "evidence": None})
    assert verdict.outcome == Outcome.INDETERMINATE
    assert verdict.failed == ()
    assert verdict.check(Step.LOGGED).reason == "no-evidence"


def test_without_a_trust_file_nothing_about_members_or_chains_is_believed(honest):
    verdict = judge(honest, trust=None)
    assert verdict.outcome == Outcome.INDETERMINATE
    assert verdict.failed == ()


def test_a_missing_status_list_is_unknown_and_never_active(honest):
    origin = next(iter(honest["evidence"]["logs"]))
    verdict = judge(changed(honest, "evidence", "logs", origin, "status", value=[]))
    assert verdict.check(Step.STATUS).reason == "status-missing"
    assert (verdict.outcome, verdict.credential_status) == (Outcome.INDETERMINATE, CredentialStatus.UNKNOWN)


def test_a_missing_suspension_list_does_not_hide_a_revocation():
    dossier = World(revoked=(7,)).dossier()
    origin = next(iter(dossier["evidence"]["logs"]))
    kept = [
        item
        for item in dossier["evidence"]["logs"][origin]["status"]
        if item["entry"]["purpose"] == "revocation"
    ]
    verdict = judge(changed(dossier, "evidence", "logs", origin, "status", value=kept))
    assert verdict.credential_status == CredentialStatus.REVOKED


def test_a_status_type_that_is_not_understood_is_unknown():
    document = award()
    document["credentialStatus"].append({"id": "https://s.example/1", "type": "SomethingNew2031"})
    verdict = judge(World(award=document).dossier())
    assert verdict.check(Step.STATUS).reason == "status-type-unknown"
    assert verdict.outcome == Outcome.INDETERMINATE


def test_an_anchor_of_a_type_from_the_future_proves_nothing_and_breaks_nothing(honest):
    later = {"type": "ethereum-light-client", "update": "u"}
    both = changed(honest, "evidence", "anchors", value=lambda anchors: [later, *anchors])
    assert judge(both).outcome == Outcome.VALID
    alone = changed(honest, "evidence", "anchors", value=[later])
    assert judge(alone).check(Step.ANCHORED).reason == "anchor-type-unknown"


def test_a_forged_anchor_beside_a_good_one_is_not_evidence(honest):
    def forge(anchors):
        forged = copy.deepcopy(anchors[0])
        forged["nodes"] = forged["nodes"][:-1]
        return [*anchors, forged]

    assert judge(changed(honest, "evidence", "anchors", value=forge)).outcome == Outcome.INVALID


def test_finality_by_a_rule_that_is_not_understood_is_unknown(honest):
    verdict = judge(honest, trust=trust(finality="zero-knowledge-2040"))
    assert verdict.check(Step.ANCHORED).reason == "finality-rule-unknown"
    assert verdict.outcome == Outcome.INDETERMINATE


def test_a_chain_that_the_trust_file_does_not_name_is_unknown(honest):
    document = trust_document()
    document["chains"][0]["untilBlock"] = 63
    verdict = judge(honest, trust=parse_trust_file(canonicalize(document)))
    assert verdict.check(Step.ANCHORED).reason == "chain-not-trusted"


# ---------------------------------------------------------------------------------------- policies and own endpoints


def test_dropping_one_road_is_a_policy_and_the_other_road_then_carries():
    not_anchored, not_witnessed = World(anchored=False).dossier(), World(witnesses=()).dossier()
    assert judge(not_anchored, policy=Policy(require_anchor=False)).outcome == Outcome.VALID
    assert judge(not_witnessed, policy=Policy(require_witnesses=False)).outcome == Outcome.VALID
    neither = World(anchored=False, witnesses=()).dossier()
    assert judge(neither, policy=Policy(require_anchor=False)).outcome == Outcome.INDETERMINATE


def test_the_callers_own_chain_endpoint_replaces_attestations_and_can_contradict_the_header():
    world = World(attesters=())
    dossier = world.dossier()
    header = parse_header(decode_multibase(dossier["evidence"]["anchors"][0]["header"]))
    own = ChainView(headers={(CHAIN_ID, header.number): header.hash})
    assert judge(dossier).outcome == Outcome.INDETERMINATE
    assert judge(dossier, chain=own).outcome == Outcome.VALID
    other = ChainView(headers={(CHAIN_ID, header.number): b"\x01" * 32})
    assert judge(World().dossier(), chain=other).check(Step.ANCHORED).reason == "header-not-canonical"


def test_a_newer_statement_known_from_the_own_endpoint_makes_the_status_unknown():
    world = World()
    view = ChainView(statements={world.origin.issuer_id: 2})
    verdict = judge(world.dossier(), chain=view)
    assert verdict.check(Step.STATUS).reason == "status-outdated"
    assert verdict.outcome == Outcome.INDETERMINATE


# -------------------------------------------------------------------------------------------------- dates and times


def test_an_expired_credential_is_invalid_now_and_valid_when_asked_about_an_earlier_moment():
    document = award()
    document["validUntil"] = "2026-11-21T09:30:00Z"
    dossier = World(award=document).dossier()
    verdict = judge(dossier)
    assert (verdict.outcome, verdict.credential_status) == (Outcome.INVALID, CredentialStatus.EXPIRED)
    asked = judge(dossier, as_of=ANCHORED_AT + timedelta(minutes=5))
    assert (asked.outcome, asked.now) == (Outcome.VALID, Outcome.INVALID)


def test_a_moment_before_the_entry_was_anchored_is_indeterminate(honest):
    asked = judge(honest, as_of=ANCHORED_AT - timedelta(minutes=10))
    assert asked.outcome == Outcome.INDETERMINATE


def test_a_moment_in_the_future_or_without_a_zone_is_a_programming_mistake(honest):
    with pytest.raises(ValueError, match="aware"):
        judge(honest, as_of=NOW + timedelta(seconds=1))
    with pytest.raises(ValueError, match="aware"):
        judge(honest, now=NOW.replace(tzinfo=None))


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b'"x"',
        b'{"credential":1,"credential":2}',
        b"\xff\xfe",
        b"{}" + b" " * (2 << 20),
    ],
    ids=["empty", "list", "cut", "null", "text", "twice", "utf-16", "huge"],
)
def test_a_file_that_is_none_is_malformed_and_never_a_crash(data):
    with pytest.raises(MalformedError):
        verify_dossier(data, trust=trust(), now=NOW)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"{}", "is neither a credential"),
        (b'{"type":"TestamurTrust","version":1}', "is a trust file"),
        (b'{"name":"x"}', "is neither a credential"),
    ],
)
def test_json_that_does_not_even_look_like_a_credential_is_a_wrong_file_and_no_verdict(data, what):
    with pytest.raises(MalformedError, match=what):
        verify_dossier(data, trust=trust(), now=NOW)


@pytest.mark.parametrize("member", ["@context", "type", "issuer", "credentialSubject", "proof"])
def test_a_credential_without_a_member_that_it_needs_is_judged_invalid(honest, member):
    crippled = copy.deepcopy(honest)
    crippled["credential"].pop(member)
    assert judge(crippled).outcome == Outcome.INVALID


def test_the_trust_file_of_another_registry_proves_nothing_and_judges_nothing(honest):
    document = trust_document()
    document["registry"] = "other.example"
    verdict = judge(honest, trust=parse_trust_file(canonicalize(document)))
    assert verdict.check(Step.LOGGED).reason == "other-registry"
    assert (verdict.outcome, verdict.failed) == (Outcome.INDETERMINATE, ())


def test_evidence_with_members_of_a_later_version_is_used_and_reported(honest):
    later = changed(honest, "evidence", "anchors", value=lambda anchors: anchors)
    later["evidence"]["newThing"] = 1
    verdict = judge(later)
    assert verdict.outcome == Outcome.VALID
    assert any("newThing" in note for note in verdict.notes)


def test_another_version_of_evidence_is_refused(honest):
    with pytest.raises(MalformedError, match="version"):
        judge(changed(honest, "evidence", "version", value=2))
