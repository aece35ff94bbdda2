"""Who asks for a version that nobody here knows is told so, and is never given the newest in its place."""

from datetime import UTC, datetime

import pytest

from testamur.node.service.did_finding import DidFinder, FoundDocument
from testamur.registry.did_resolution import Wanted
from testamur.registry.dids import DidUrl, parse_did

WEB = "did:web:ada.example"
THEN = datetime(2024, 1, 1, tzinfo=UTC)
NEWEST = {"id": WEB}


class FakeWeb:
    """Answers with the newest document, whatever is asked."""

    def find(self, did: str) -> dict[str, str]:
        return {"id": did}


FINDERS = {
    "supplied": DidFinder({WEB: NEWEST}),
    "logged": DidFinder({}, snapshots=lambda _: FoundDocument(document=NEWEST)),
    "from the web": DidFinder({}, web=FakeWeb()),
}


def resolved(finder, **version):
    did = parse_did(WEB)
    url = DidUrl(did=did, path="", query=None, fragment=None)
    return finder.resolve(Wanted(did=did, url=url, is_url=False, **version))


@pytest.mark.parametrize("place", FINDERS)
@pytest.mark.parametrize("version", [{"version_time": THEN}, {"version_id": 1}, {"version_id": 0}])
def test_of_a_did_web_only_the_newest_version_is_given(place, version):
    assert resolved(FINDERS[place]).document == NEWEST
    refused = resolved(FINDERS[place], **version)
    assert (refused.document, refused.error) == ({}, "notFound")
    assert "only the newest" in refused.message
