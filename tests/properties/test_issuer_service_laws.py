"""Whatever was issued, deleted and restarted in between: a revocation by name reaches all of that name."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.node.service.vc_credentials import IssuedCredentials
from testamur.node.service.vc_entries import meant_entries
from testamur.node.service.vc_issuers import make_issuer
from testamur.node.service.vc_lists import StatusLists
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.status import decode_list, is_set

ISSUER = make_issuer("ada", suite="eddsa-jcs-2022", key=SigningKey.from_seed(Algorithm.ED25519, b"\x07" * 32))
NAMES = st.sampled_from(["one", "two", "three"])
STEPS = st.lists(
    st.tuples(st.just("issue"), st.lists(NAMES, min_size=1, max_size=2, unique=True).map(tuple))
    | st.tuples(st.just("forget"), NAMES)
    | st.tuples(st.just("restart"), st.integers(1, 3)),
    min_size=1,
    max_size=10,
)


def opened(folder: Path, port: int) -> tuple[StatusLists, IssuedCredentials]:
    lists = StatusLists(
        folder / "lists", ISSUER, f"http://127.0.0.1:{port}", clock=lambda: datetime(2026, 11, 22, tzinfo=UTC)
    )
    return lists, IssuedCredentials(folder / "credentials")


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, revoked=NAMES)
def test_a_revocation_by_name_reaches_all_of_it_and_nothing_else(steps, revoked):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lists, kept = opened(folder, 1)
        issued = []
        for what, which in steps:
            if what == "issue":
                entry = lists.allocate("revocation")
                kept.put(which, {"type": ["VerifiableCredential"], "credentialStatus": entry.to_json()})
                issued.append((set(which), entry))
            elif what == "forget":
                kept.forget(which)
            else:
                lists, kept = opened(folder, which)
        under = kept.entries(revoked)
        assert (under is None) == (not any(revoked in names for names, _ in issued))
        wanted = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
        if under is not None:
            lists.set_all(meant_entries(under, wanted), value=True)
        lists, kept = opened(folder, 9)
        for names, entry in issued:
            listed = lists.find_by_url(entry.list_id)
            assert listed is not None
            assert listed["id"] == entry.list_id
            data = decode_list(listed["credentialSubject"]["encodedList"])
            assert is_set(data, entry.index) == (revoked in names)
