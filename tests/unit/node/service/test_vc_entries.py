"""Status entries of the issuer service: which ones a request means, and whose list somebody names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.node.service.vc_entries import ListAddresses, entries_of, meant_entries
from testamur.registry.errors import MalformedError
from testamur.registry.status_lists import StatusListEntry

HERE = "https://issuer.example/issuers/ada/status-lists/"
ADDRESSES = ListAddresses([HERE, "http://127.0.0.1:8081/status-lists/"])
TYPE = {"type": "BitstringStatusListEntry"}


def entry(index, purpose="revocation", number=1):
    return StatusListEntry(purpose=purpose, index=index, list_id=f"{HERE}{purpose}-{number}")


def test_a_purpose_means_all_that_have_it_each_once():
    issued = [(entry(5), entry(6, "suspension")), (), (entry(7), entry(8, "suspension")), (entry(5),)]
    assert meant_entries(issued, {**TYPE, "statusPurpose": "revocation"}) == [entry(5), entry(7)]
    assert meant_entries(issued, entry(8, "suspension").to_json()) == [entry(8, "suspension")]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({**TYPE, "statusPurpose": "message"}, "is not a status entry"),
        ({"type": "Other", "statusPurpose": "revocation"}, "is not a status entry"),
        ({"statusPurpose": "revocation"}, "is not a status entry"),
        ({**TYPE, "statusListIndex": 5}, "is not a status entry"),
        ({**TYPE, "statusListIndex": "05"}, "is not a status entry"),
        (TYPE, "name its statusPurpose"),
        ({**TYPE, "statusPurpose": "revocation", "statusListIndex": "5"}, "name its statusListCredential"),
    ],
)
def test_what_fits_nothing_or_too_much_is_refused(wanted, words):
    issued = [(entry(5), entry(6, "suspension")), (entry(5, number=2),)]
    with pytest.raises(MalformedError, match=words):
        meant_entries(issued, wanted)


@pytest.mark.parametrize(
    "url",
    [
        f"{HERE}revocation-1",
        f"{HERE}never-made",
        HERE,
        HERE.rstrip("/"),
        "https://ISSUER.example:443/issuers/ada/status-lists/x",
        "https://issuer.example./issuers/ada/status-lists/x",
        "http://issuer.example/issuers/ada/status-lists/x",
        "https://a:b@issuer.example/issuers/ada/status-lists/x",
        "https://issuer.example/issuers/%61da/status-lists/x",
        "https://issuer.example//issuers/bob/../ada/./status-lists/x",
        "https:\\\\issuer.example\\issuers\\ada\\status-lists\\x",
        "http://127.0.0.1:8081/status-lists/x?y#z",
    ],
)
def test_a_list_of_the_service_is_recognised_in_every_spelling(url):
    for value in ({"statusListCredential": url}, [{"id": "urn:1"}, {"deep": [{"er": url}]}], url):
        assert list(ADDRESSES.named_in({"credentialStatus": value}))


@pytest.mark.parametrize(
    "url",
    [
        "https://issuer.example/issuers/ada",
        "https://issuer.example/issuers/ada/status-lists-of-others/x",
        "https://issuer.example/issuers/ada/status-lists/../other",
        "https://issuer.example:8443/issuers/ada/status-lists/x",
        "https://other.example/issuers/ada/status-lists/x",
        "https://other.example/?https://issuer.example/issuers/ada/status-lists/x",
        "http://127.0.0.1:8082/status-lists/x",
        "urn:uuid:8e2f4d2c-2b1a-4c3d-9e8f-0a1b2c3d4e5f",
        "http://[",
        "https://issuer.example:port/issuers/ada/status-lists/x",
        "",
    ],
)
def test_other_addresses_are_others(url):
    assert list(ADDRESSES.named_in({"credentialStatus": [{"statusListCredential": url}]})) == []


def test_the_entry_is_told_by_its_pointer():
    mine, other = {"id": f"{HERE}x"}, {"id": "urn:1"}
    assert list(ADDRESSES.named_in({"credentialStatus": mine})) == [("/credentialStatus", mine)]
    assert list(ADDRESSES.named_in({"credentialStatus": [other, mine]})) == [("/credentialStatus/1", mine)]
    assert list(ADDRESSES.named_in({"id": f"{HERE}x"})) == []


@given(st.text() | st.builds("https://{}".format, st.text()))
def test_no_text_is_too_strange_to_be_looked_at(text):
    list(ADDRESSES.named_in({"credentialStatus": text}))


def test_entries_of_other_types_are_none():
    assert entries_of({"credentialStatus": [{"type": "Other"}, entry(5).to_json()]}) == (entry(5),)
    assert entries_of({}) == entries_of({"credentialStatus": []}) == ()
