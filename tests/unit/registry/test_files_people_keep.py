"""What a file is: a credential, evidence, both, a presentation, or certainly something else."""

import json

import pytest

from testamur.registry.dossiers import OTHER_FILES, OtherFile, parse_dossier
from testamur.registry.errors import MalformedError


def parse(document):
    return parse_dossier(json.dumps(document).encode())


@pytest.mark.parametrize(
    "document",
    [
        *({"type": kind, "credential": {}, "proof": {}} for kind in OTHER_FILES),
        {"record": {}, "path": {}, "batch": {}, "batchPath": {}},
        {"node": "http://127.0.0.1:8080"},
        {},
    ],
)
def test_what_is_certainly_no_credential_is_told_from_a_damaged_one(document):
    with pytest.raises(OtherFile):
        parse(document)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"evidence": None},
        {"proof": {}},
        {"issuer": "did:web:ada.example"},
        {"credential": {}, "more": 1},
        {"type": "VerifiablePresentation"},
    ],
)
def test_what_may_be_left_of_a_credential_is_malformed_and_not_other(document):
    with pytest.raises(MalformedError) as caught:
        parse(document)
    assert not isinstance(caught.value, OtherFile)


def test_evidence_and_credentials_are_themselves():
    assert parse({"type": "TestamurEvidence"}) == (None, {"type": "TestamurEvidence"})
    assert parse({"@context": []}) == ({"@context": []}, None)
    assert parse({"credential": 1, "evidence": 2}) == (1, 2)
