"""Laws of refreshing: whatever happened in between, what an older file proved is proven by the newer one."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.holding_evidence import EvidenceHolder
from fakes.status_life import OWN, StatusLife
from testamur.registry.verification import Outcome
from testamur.registry.verification.verdict import CredentialStatus

MATE = 8

STEPS = st.one_of(
    st.tuples(
        st.just("change"),
        st.sampled_from(("revocation", "suspension", "suspension")),
        st.sampled_from((OWN, MATE)),
        st.booleans(),
        st.booleans(),
    ),
    st.tuples(st.just("anchor"), st.sampled_from((60, 86_400))),
    st.tuples(st.just("refresh"), st.booleans()),
)


def states(life):
    """What the credential was, by the moment: the truth, for which no evidence is asked."""
    return lambda moment: (
        CredentialStatus.REVOKED
        if life.value_at("revocation", moment)
        else CredentialStatus.SUSPENDED
        if life.value_at("suspension", moment)
        else CredentialStatus.ACTIVE
    )


def play(life, step):
    """One step of a history, as far as the rules of statuses allow it; whether there was one."""
    _, purpose, index, value, explained = step
    if (index in life.bits[purpose]) == value or (purpose == "revocation" and not value):
        return False
    life.change(purpose, index, value, explained=explained)
    return True


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=14))
def test_no_refresh_makes_any_past_moment_worse_and_none_is_answered_wrongly(steps):
    life = StatusLife()
    holder = EvidenceHolder(life)
    truth = states(life)
    moments = [life.now - timedelta(seconds=1), life.now]
    for step in [*steps, ("anchor", 60), ("refresh", True)]:
        life.tick()
        if step[0] == "change":
            play(life, step)
        elif step[0] == "anchor":
            life.tick(step[1])
            life.anchor()
        else:
            proven = life_proven = holder.at
            before = {moment: holder.as_of(moment) for moment in moments if moment <= proven}
            entry_at = holder.as_of(life.now).anchored.entry_at
            holder.refresh(life.records if step[1] else ())
            for moment, old in before.items():
                new = holder.as_of(moment)
                if old.at != Outcome.INDETERMINATE:
                    assert (new.at, new.credential_status) == (old.at, old.credential_status), moment
            assert holder.as_of(life.now).anchored.entry_at <= entry_at
            for moment in moments:
                verdict = holder.as_of(moment)
                if moment <= holder.at and verdict.at != Outcome.INDETERMINATE:
                    assert verdict.credential_status == truth(moment), (moment, life_proven)
        moments += [life.now, life.now + timedelta(seconds=7)]
        life.tick(10)
