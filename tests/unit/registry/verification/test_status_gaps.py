"""A change that was published without a record cannot be hidden behind a record from before it."""

from datetime import timedelta

import pytest

from fakes.holding_evidence import EvidenceHolder
from fakes.status_life import OWN, StatusLife
from testamur.registry.verification import Outcome
from testamur.registry.verification.verdict import CredentialStatus

DAY = timedelta(days=1)
CLASSMATE = 8


@pytest.fixture
def life():
    """Suspended and reinstated with records, on the second day and the third."""
    made = StatusLife()
    for value, reason in ((True, "under-review"), (False, "cleared")):
        made.tick(int(DAY.total_seconds()))
        made.change("suspension", OWN, value, reason=reason)
        made.anchor()
    return made


def shown(life, moment):
    """What a holder who has every record can show of a moment."""
    holder = EvidenceHolder(life)
    holder.refresh(life.records)
    verdict = holder.as_of(moment)
    return verdict.at, verdict.credential_status


def test_since_a_reinstatement_everything_is_answered_while_every_change_has_its_record(life):
    reinstated = life.captured_at
    life.tick(int(DAY.total_seconds()))
    life.anchor()
    assert shown(life, reinstated + DAY / 2) == (Outcome.VALID, CredentialStatus.ACTIVE)


@pytest.mark.parametrize("index", [OWN, CLASSMATE])
def test_a_suspension_without_a_record_is_not_shown_as_active(life, index):
    """Whose bit it was that changed and changed back is in nothing that a holder shows."""
    reinstated = life.captured_at
    during = []
    for value in (True, False):
        life.tick(int(DAY.total_seconds()))
        life.change("suspension", index, value, explained=False)
        life.anchor()
        during.append(life.captured_at + DAY / 2)
    life.tick(int(DAY.total_seconds()))
    life.anchor()
    for moment in (reinstated + DAY / 2, during[0]):
        assert shown(life, moment) == (Outcome.INDETERMINATE, CredentialStatus.UNKNOWN)
