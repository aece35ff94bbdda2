"""What an attacker would put into a dossier: none of it is *valid*, and none of it ends the verifier."""

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fakes.awards import award
from fakes.issuers import DID, REGISTRY, signing_key
from fakes.whole_registry import (
    CHAIN_ID,
    ISSUER_KEY,
    LOG_KEY,
    MEMBERS,
    NOW,
    World,
    cut,
    judge,
    role_signer,
    trust_document,
)
from testamur.registry.canonical import canonicalize, parse_json
from testamur.registry.checkpoints import Checkpoint, cosign, parse_signed_checkpoint, sign_checkpoint
from testamur.registry.errors import VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.attestations import attest_header, sign_attestation
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.slots import history_slot, log_slots
from testamur.registry.issuer_keys import verify_issuer_keys
from testamur.registry.key_events import (
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
    verify_key_events,
)
from testamur.registry.merkle import root_hash
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.notes import COSIGNATURE_ED25519, VerifierKey
from testamur.registry.proofs import sign_document
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import Outcome, Policy
from testamur.registry.verification.verdict import CheckResult, CredentialStatus

METHOD = verification_method(DID, ISSUER_KEY.public_key)
TIMESTAMP_FIELD = 11


@dataclass
class Resigned(World):
    """A world whose credential's proof has other options, and perhaps contexts that nobody signed."""

    options: dict[str, Any] = field(default_factory=dict)
    appended: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        signed = sign_document(self.award, ISSUER_KEY, verification_method=METHOD, options=self.options)
        self.credential = {**signed, "@context": [*signed["@context"], *self.appended]}


def failures(verdict) -> dict[int, str]:
    return {int(check.step): check.reason for check in verdict.checks if check.result == CheckResult.FAIL}


# ------------------------------------------------------------------------------------------- never raises


def with_header_time(seconds: int) -> dict[str, Any]:
    """An honest dossier with a forged header: its state is proven, so only its finality is missing."""
    dossier = copy.deepcopy(World().dossier())
    anchor = dossier["evidence"]["anchors"][0]
    fields = rlp.decode_list(decode_multibase(anchor["header"], subject="header", allowed="u"))
    fields[TIMESTAMP_FIELD] = rlp.encode_integer(seconds)
    anchor.update(header=encode_multibase("u", rlp.encode(fields)), finality=[])
    return dossier


@pytest.mark.parametrize("seconds", [253_402_300_800, 2**55, 2**63 - 1])
def test_a_header_from_beyond_the_calendar_is_malformed_and_no_crash(seconds):
    assert failures(judge(with_header_time(seconds))) == {6: "malformed"}


def test_a_header_from_the_last_second_of_the_calendar_is_merely_not_final():
    verdict = judge(with_header_time(253_402_300_799))
    assert failures(verdict) == {}
    assert verdict.outcome == Outcome.INDETERMINATE


def test_a_log_key_of_the_cosignature_type_is_malformed_and_no_crash():
    world = World()
    dossier = copy.deepcopy(world.dossier())
    key = VerifierKey(
        name=str(world.origin), algorithm=COSIGNATURE_ED25519, raw=LOG_KEY.public_key.raw
    ).to_text()
    dossier["evidence"]["logs"][str(world.origin)]["key"] = key
    assert failures(judge(dossier))[5] == "malformed"


@pytest.mark.parametrize(
    ("names", "problem"), [(["urn:a"] * 2, "twice"), ([f"urn:{n}" for n in range(33)], "more than 32")]
)
def test_a_proof_that_names_others_again_and_again_is_malformed_before_anything_is_hashed(names, problem):
    """A quarter of a megabyte of one name would otherwise be twelve gigabytes of proofs to hash."""
    dossier = copy.deepcopy(World().dossier())
    dossier["credential"]["proof"].update(id="urn:a", previousProof=names)
    check = judge(dossier).checks[2]
    assert (check.result, check.reason) == (CheckResult.FAIL, "malformed")
    assert problem in str(check.parameters["problem"])


# ----------------------------------------------------------------------------------------- what was signed


def test_contexts_that_a_host_appended_before_logging_are_not_what_the_issuer_signed():
    """The host logs what it likes; a meaning that no proof covers must not come out as the issuer's."""
    forged = Resigned(appended=({"honours": "https://evil.example/honours"},))
    verdict = judge(forged.dossier())
    assert verdict.outcome == Outcome.INVALID
    assert failures(verdict) == {3: "proof-context-mismatch"}


def test_a_context_is_what_was_signed_and_not_what_python_takes_for_equal():
    """A reader with JSON-LD refuses `"@protected": 1`; who signed `true` did not say it."""
    protected = {"@protected": True, "honours": "https://ada.example/honours"}
    document = award()
    document["@context"].append(protected)
    world = World(award=document)
    assert judge(world.dossier()).outcome == Outcome.VALID
    world.credential = parse_json(canonicalize(world.credential), subject="a copy that shares nothing")
    world.credential["@context"][-1]["@protected"] = 1
    assert failures(judge(world.dossier())) == {3: "proof-context-mismatch"}


def test_a_kind_of_proof_that_is_not_known_hides_no_false_one():
    world = World()
    known = world.credential["proof"]
    unknown = {**known, "cryptosuite": "eddsa-jcs-2046"}
    world.credential = {**world.credential, "proof": [unknown, known]}
    assert judge(world.dossier()).outcome == Outcome.INDETERMINATE
    world.credential = {**world.credential, "proof": [unknown, {**known, "created": "2026-11-19T00:00:00Z"}]}
    assert failures(judge(world.dossier())) == {3: "signature-invalid"}


def test_contexts_that_a_second_proof_covers_are_signed():
    world = World()
    first = sign_document(world.award, ISSUER_KEY, verification_method=METHOD)
    widened = {**first, "@context": [*first["@context"], {"honours": "https://ada.example/honours"}]}
    world.credential = sign_document(widened, ISSUER_KEY, verification_method=METHOD)
    assert judge(world.dossier()).outcome == Outcome.VALID


def test_a_proof_that_has_expired_makes_the_credential_expired_and_no_less_genuine():
    verdict = judge(Resigned(options={"expires": "2026-11-21T10:00:00Z"}).dossier())
    assert (verdict.outcome, verdict.at_issuance) == (Outcome.INVALID, Outcome.VALID)
    assert verdict.credential_status == CredentialStatus.EXPIRED
    assert failures(verdict) == {10: "expired"}


def test_a_proof_that_expires_later_is_valid_until_then():
    dossier = Resigned(options={"expires": "2026-12-21T10:00:00Z"}).dossier()
    assert judge(dossier).outcome == Outcome.VALID


def test_as_of_a_moment_after_a_proof_expired_the_credential_is_expired():
    dossier = Resigned(options={"expires": "2026-11-21T09:30:00Z"}).dossier()
    asked = NOW.replace(hour=9, minute=45)
    assert judge(dossier, as_of=asked).credential_status == CredentialStatus.EXPIRED
    assert judge(dossier, as_of=asked.replace(minute=15)).outcome == Outcome.VALID


# ------------------------------------------------------------------------------------ one anchor beside another


def test_an_older_anchor_on_a_retired_chain_with_more_blocks_does_not_decide():
    """The registry moved to a new chain; what the old one last held must not be what counts."""
    world = World()
    retired = World(root_on_chain=bytes(32), statement_on_chain=9).chain()
    retired.chain_id, retired.number = 7, 1_000_000
    retired.timestamp -= 86_400
    anchor = retired.evidence_for(world.origin.issuer_id, world.origin.log_id)
    attestation = attest_header(
        REGISTRY, chain_id=7, genesis_hash=retired.genesis_hash, header=parse_header(anchor.header)
    )
    notes = [sign_attestation(attestation, role_signer(name, "attestation")) for name in MEMBERS]
    dossier = world.dossier()
    dossier["evidence"]["anchors"].insert(0, anchor.with_notes(notes).to_json())
    document = trust_document()
    document["chains"].append({**document["chains"][0], "chainId": 7, "untilBlock": 1_000_000})
    verdict = judge(dossier, trust=parse_trust_file(canonicalize(document)))
    assert (verdict.outcome, verdict.anchored.chain_id) == (Outcome.VALID, CHAIN_ID)


# ------------------------------------------------------------------------------- one id, two keys of an issuer


def named(document: dict[str, Any], *keys: Any) -> dict[str, Any]:
    """The event with the id `#key-1` for its only key, signed by `keys` under that id."""
    changed = {name: value for name, value in document.items() if name != "proof"}
    changed["keys"] = [{**document["keys"][0], "id": f"{DID}#key-1"}]
    for key in keys:
        changed = sign_document(changed, key, verification_method=f"{DID}#key-1")
    return changed


def event(key: Any, following: Any, **options: Any) -> dict[str, Any]:
    made = build_key_event(
        did=DID,
        keys=[key],
        next_commitment=commitment([following.public_key]),
        created="2026-11-20T00:00:00Z",
        **options,
    )
    return named(made, key)


def test_after_a_key_chain_was_replaced_a_method_id_means_the_new_chains_key_from_its_start_on():
    """A thief of the lost key must not sign under an id that the new chain uses again."""
    lost, new = signing_key(31), signing_key(32)
    start = Position(1, 50)
    keys = verify_issuer_keys((event(lost, signing_key(33)), event(new, signing_key(34), start=start)))
    assert keys.public_key_in_force(f"{DID}#key-1", Position(1, 49)) == lost.public_key
    assert keys.public_key_in_force(f"{DID}#key-1", Position(1, 50)) == new.public_key


def test_an_id_that_a_rotation_gives_to_another_key_is_refused():
    """Otherwise the first key would stay in force under it, and the issuer would believe it retired."""
    first = event(signing_key(41), signing_key(42))
    made = build_key_event(
        did=DID,
        keys=[signing_key(42)],
        next_commitment=commitment([signing_key(43).public_key]),
        created="2026-11-20T00:00:00Z",
        previous=parse_key_event(first),
        start=Position(1, 9),
    )
    second = named({**made, "retired": []}, signing_key(42))
    with pytest.raises(VerificationError) as caught:
        verify_key_events([first, second])
    assert caught.value.reason == "key-event-id-reused"


# ------------------------------------------------------------------------------------------ who may vouch


def without_mirrors() -> Any:
    """A trust file that asks for no mirror at all."""
    document = trust_document()
    document["policies"]["mirror"] = "quorum none\n"
    return parse_trust_file(canonicalize(document))


def test_where_no_mirror_is_asked_for_none_can_vouch_for_an_issuer_that_is_not_anchored():
    """Witnesses look at consistency alone: a log of anybody's making would be as good as an admitted one."""
    world = World(anchored=False, mirrors=())
    verdict = judge(world.dossier(), trust=without_mirrors(), policy=Policy(require_anchor=False))
    assert verdict.outcome == Outcome.INDETERMINATE


def test_an_anchored_credential_needs_no_mirrors_where_none_is_asked_for():
    assert judge(World(mirrors=()).dossier(), trust=without_mirrors()).outcome == Outcome.VALID


# ------------------------------------------------------------------------------- one root, trees of several sizes


class Shrunk(World):
    """A tree of 11 entries told as one of 7 with the same root, by the host, who writes the seal.

    The last four entries and the first eight, as one subtree each, make a tree of 4 + 3 as well as one of 8 + 3.
    Anchored honestly: 8 entries a day before the credential was logged as entry 9.
    """

    told = 7

    def seal(self) -> Any:
        return replace(super().seal(), size=self.told)

    def head(self) -> Any:
        checkpoint = Checkpoint(origin=str(self.origin), size=self.told, root=root_hash(self.leaves()))
        signed = parse_signed_checkpoint(sign_checkpoint(checkpoint, LOG_KEY))
        seconds = int(self.cosigned_at.timestamp())
        roles = (("witness", self.witnesses), ("mirror", self.mirrors))
        signers = [role_signer(name, role) for role, names in roles for name in names]
        return signed.with_signatures([cosign(checkpoint, item.name, item.key, seconds) for item in signers])

    def anchors(self) -> list[Any]:
        state, log_id = self.chain(), self.origin.log_id
        day, statement = 86_400, self.publication.statement.sequence
        times = {1: (8, state.timestamp - day), 2: (11, state.timestamp - 60)}
        for number, (size, timestamp) in times.items():
            state.anchor(
                log_id, number, size=size, block_number=40 + number, timestamp=timestamp, statement=statement
            )
        whole = state.evidence_for(self.origin.issuer_id, log_id, epoch=1, history=(1,))
        left_out = {log_slots(log_id)[1], history_slot(log_id, 2)}
        lean = replace(state.evidence([slot for slot in whole.slots if slot not in left_out]), history=(1,))
        header = parse_header(lean.header)
        attested = attest_header(REGISTRY, chain_id=CHAIN_ID, genesis_hash=lean.genesis_hash, header=header)
        notes = [sign_attestation(attested, role_signer(name, "attestation")) for name in MEMBERS]
        return [lean.with_notes(notes).to_json()]

    def evidence(self) -> dict[str, Any]:
        document = super().evidence()
        document["logs"][str(self.origin)]["seal"]["proof"]["index"] = self.told - 1
        (entry,) = document["entries"]
        entry["proof"] = entry["proof"].replace(f"index {self.leaf_index}", f"index {self.leaf_index - 4}")
        return document


@pytest.mark.parametrize(
    ("world", "options"),
    [
        (Shrunk(witnesses=(), mirrors=()), {"policy": Policy(require_witnesses=False)}),
        (Shrunk(mirrors=()), {"trust": without_mirrors()}),
        (Shrunk(mirrors=("ada",)), {"policy": Policy(require_witnesses=False)}),
    ],
    ids=["chain only", "no mirror is asked for", "too few mirrors"],
)
def test_a_host_cannot_choose_the_size_of_a_tree_and_backdate_what_is_in_it(world, options):
    verdict = judge(world.dossier(), **options)
    assert verdict.outcome == Outcome.INDETERMINATE
    assert {check.reason for check in verdict.checks if check.step == 6} == {"anchor-size-unproven"}
    assert verdict.anchored is None


def test_what_is_left_out_is_proven_by_mirrors_or_has_to_be_there():
    world = World()
    small = {"credential": world.credential, "evidence": cut(world.evidence(), world.credential)}
    assert judge(small).outcome == Outcome.VALID
    assert judge(small, policy=Policy(require_witnesses=False)).outcome == Outcome.VALID
    assert judge(World(mirrors=()).dossier(), policy=Policy(require_witnesses=False)).outcome == Outcome.VALID
