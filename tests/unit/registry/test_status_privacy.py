"""Status lists that single a holder out are flagged; lists that hide everybody among many are not."""

import pytest

from fakes.awards import award
from testamur.registry.credentials import parse_credential
from testamur.registry.status_lists import StatusListEntry
from testamur.registry.status_privacy import audit_dossiers

BASE = "https://status.ada.example/ada/revocation"
SCATTERED = (901, 17, 70_001, 8, 120_400, 333, 4_242, 99_000)


def holders(indexes, list_ids=None):
    """(leaf index, credential) of as many holders as there are indexes."""
    made = []
    for number, index in enumerate(indexes):
        list_id = (list_ids or {}).get(number, f"{BASE}/1")
        entry = StatusListEntry(purpose="revocation", index=index, list_id=list_id).to_json()
        made.append((100 + number, parse_credential({**award(), "credentialStatus": [entry]})))
    return made


def problems(*arguments):
    return [finding.problem for finding in audit_dossiers(holders(*arguments))]


def test_entries_at_random_in_one_list_are_fair():
    assert problems(SCATTERED) == []


@pytest.mark.parametrize(
    ("indexes", "list_ids", "said"),
    [
        (SCATTERED, {3: f"{BASE}/2"}, "named by one of 8"),
        (range(8), None, "order of issuing"),
        (range(8, 0, -1), None, "order of issuing"),
        ((5, 5), None, "one revocation entry to several"),
        ((5,), {0: f"{BASE}/1?holder=aoife"}, "query"),
        ((5,), {0: "https://aoife@status.ada.example/1"}, "user name"),
    ],
)
def test_what_could_track_a_holder_is_flagged(indexes, list_ids, said):
    assert any(said in problem for problem in problems(indexes, list_ids))


def test_too_few_are_not_judged_by_their_order():
    assert problems(range(7)) == []
