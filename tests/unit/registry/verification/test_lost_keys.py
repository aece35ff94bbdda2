"""Step 7 of an issuer that lost a key: what it may disown, how that is shown, and what a recovery leaves alone."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.awards import award
from fakes.chain_state import RegistryState
from fakes.issuers import DID, signing_key
from fakes.whole_registry import ANCHORED_AT, ISSUER_KEY, World, judge
from testamur.node.issuing.bundles import LeafRange, build_bundle
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.issuer_keys import verify_issuer_keys
from testamur.registry.key_events import (
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
)
from testamur.registry.proofs import sign_document
from testamur.registry.publications import parse_bundle, verify_bundle
from testamur.registry.statements import parse_statement
from testamur.registry.verification import Outcome, Policy, Step
from testamur.registry.verification.verdict import CheckResult

NEXT, NEW = signing_key(2), signing_key(20)
LOGGED, SEALED = 9, 10
"""Leaves of the credential and of the seal after it."""

METHOD = verification_method(DID, ISSUER_KEY.public_key)


@dataclass
class Lost(World):
    """The key that signed the credential left just after it, and the statement disowns some leaves."""

    repudiated: tuple[LeafRange, ...] = ()
    compromised: bool = True
    forced: tuple[LeafRange, ...] = ()
    """Ranges that no host would have taken."""

    def __post_init__(self) -> None:
        super().__post_init__()
        first = self.publication
        event = build_key_event(
            did=DID,
            keys=[NEXT],
            next_commitment=commitment([signing_key(3).public_key]),
            created="2026-11-21T00:00:00Z",
            previous=first.keys.events[-1],
            start=Position(1, SEALED),
            compromised=[METHOD] if self.compromised else [],
        )
        bundle = build_bundle(
            first,
            did=DID,
            lists=[],
            key=NEXT,
            now=ANCHORED_AT,
            key_events=[event],
            repudiated=self.repudiated,
        )
        self.publication = verify_bundle(
            first,
            parse_bundle(bundle),
            did=DID,
            published=Position(1, SEALED),
            logged=Position(1, SEALED),
        )
        if self.forced:
            self.publication = replace(
                self.publication, statement=forced(self.publication.statement.json, self.forced)
            )


def forced(statement: dict[str, Any], ranges: tuple[LeafRange, ...]) -> Any:
    unsigned = {name: member for name, member in statement.items() if name != "proof"}
    unsigned["repudiated"] = [
        {"epoch": epoch, "from": start, "until": end, "statement": 2, "time": statement["time"]}
        for epoch, start, end in ranges
    ]
    method = verification_method(DID, NEXT.public_key)
    return parse_statement(sign_document(unsigned, NEXT, verification_method=method))


def step_7(world: World, **options: Any) -> Any:
    verdict = judge(world.dossier(), **options)
    return verdict, verdict.check(Step.SIGNING_KEY)


def test_what_a_compromised_key_signed_may_be_disowned_and_is_shown_with_its_time() -> None:
    verdict, check = step_7(Lost(repudiated=((1, LOGGED, SEALED),)))
    assert (verdict.outcome, verdict.at_issuance) == (Outcome.INVALID, Outcome.INVALID)
    assert (check.reason, check.parameters["statement"]) == ("entry-repudiated", 2)
    assert check.parameters["date"] == f"{ANCHORED_AT:%Y-%m-%d}"


def test_the_same_key_s_other_entries_stay_good() -> None:
    for world in (Lost(), Lost(repudiated=((1, LOGGED - 1, LOGGED),))):
        verdict, check = step_7(world)
        assert (verdict.outcome, check.reason, check.warnings) == (Outcome.VALID, "key-in-force", ())


@pytest.mark.parametrize(
    ("compromised", "said"),
    [(False, (1, LOGGED, SEALED)), (True, (1, 0, 10**9)), (True, (1, LOGGED, SEALED + 1))],
    ids=["only-retired", "everything-for-ever", "one-leaf-too-many"],
)
def test_a_repudiation_out_of_bounds_voids_nothing_and_is_pointed_out(
    compromised: bool, said: LeafRange
) -> None:
    verdict, check = step_7(Lost(compromised=compromised, forced=(said,)))
    assert (verdict.outcome, check.reason) == (Outcome.VALID, "key-in-force")
    assert "voids nothing" in check.warnings[0]


# ------------------------------------------------------------------------------------------------------ recoveries


@dataclass
class Recovered(World):
    """The council replaced the key chain: after `start` leaves by the contract, first announced for `earliest`."""

    start: int = SEALED
    earliest: int = 5
    recorded: bool = True
    brought: bool = True
    repudiated: tuple[LeafRange, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.event = build_key_event(
            did=DID,
            keys=[NEW],
            next_commitment=commitment([signing_key(21).public_key]),
            created="2026-11-21T00:00:00Z",
            start=Position(1, self.earliest),
        )
        self.record = KeyChainRecord(
            first_key_event=parse_key_event(self.event).digest,
            epoch=1,
            start_size=self.start,
            recorded_at=int(ANCHORED_AT.timestamp()),
        )
        first = self.publication
        if self.brought:
            bundle = build_bundle(
                first,
                did=DID,
                lists=[],
                key=NEW,
                now=ANCHORED_AT,
                key_events=[self.event],
                repudiated=self.repudiated,
            )
            self.publication = verify_bundle(
                first,
                parse_bundle(bundle),
                did=DID,
                published=Position(1, SEALED),
                logged=Position(1, SEALED),
                key_chains=(self.record,),
            )

    def chain(self) -> RegistryState:
        state = super().chain()
        if self.recorded:
            slug = self.origin.issuer_id
            identity = next(iter(state.storage.values()))
            state.issuer(
                slug,
                identity=identity.to_bytes(32),
                statement=self.publication.statement.sequence,
                keyChains=1,
            )
            state.key_chain(
                slug,
                0,
                first_key_event=self.record.first_key_event,
                epoch=self.record.epoch,
                startSize=self.record.start_size,
                recordedAt=self.record.recorded_at,
            )
        return state


def by_new_key() -> dict[str, Any]:
    return sign_document(
        award(),
        NEW,
        verification_method=verification_method(DID, NEW.public_key),
        created="2026-11-21T00:00:00Z",
    )


def test_what_the_old_chain_signed_below_the_contract_s_size_stays_good() -> None:
    """Also above the place that the new chain's own event allows: nobody knew the size when it was made."""
    verdict, _ = step_7(Recovered())
    assert verdict.outcome == Outcome.VALID, verdict.checks


def test_what_the_lost_key_signed_after_it_is_refused_and_the_new_key_counts_from_there() -> None:
    verdict, check = step_7(Recovered(start=LOGGED))
    assert (verdict.outcome, check.reason) == (Outcome.INVALID, "key-not-in-force")
    for start, outcome in ((LOGGED, Outcome.VALID), (SEALED, Outcome.INVALID)):
        world = Recovered(start=start)
        world.credential = by_new_key()
        assert step_7(world)[0].outcome == outcome


def test_until_the_issuer_speaks_again_nobody_can_tell() -> None:
    verdict, check = step_7(Recovered(brought=False))
    assert (verdict.outcome, check.result, check.reason) == (
        Outcome.INDETERMINATE,
        CheckResult.UNKNOWN,
        "key-chain-missing",
    )


def test_a_chain_that_the_contract_does_not_have_is_nobody_s() -> None:
    verdict, check = step_7(Recovered(recorded=False))
    assert (verdict.outcome, check.reason) == (Outcome.INVALID, "key-chain-mismatch")


def test_without_the_contract_s_word_nobody_can_tell_which_chain_counts() -> None:
    verdict, check = step_7(Recovered(anchored=False), policy=Policy(require_anchor=False))
    assert (verdict.outcome, check.result) == (Outcome.INDETERMINATE, CheckResult.UNKNOWN)


def test_after_a_recovery_what_the_lost_key_signed_may_be_disowned() -> None:
    verdict, check = step_7(Recovered(repudiated=((1, LOGGED, SEALED),)))
    assert (verdict.outcome, check.reason) == (Outcome.INVALID, "entry-repudiated")


def test_both_chains_are_read_from_one_list_of_events() -> None:
    world = Recovered()
    keys = verify_issuer_keys([event.json for event in world.publication.keys.events])
    assert [len(chain.events) for chain in keys.chains] == [1, 1]
