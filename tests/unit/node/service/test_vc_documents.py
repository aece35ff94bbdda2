"""What a verification looks up beside what is supplied: keys' documents, and lists of the credential's own issuer."""

from typing import Any

from testamur.node.service import vc_documents
from testamur.node.service.vc_documents import looked_up, names_in
from testamur.registry.rdf.compiled_contexts import ContextSet

URL = "https://status.ada.example/ada/revocation/1"
NOTHING = ContextSet({})


def credential(issuer: Any) -> dict[str, Any]:
    return {"issuer": issuer, "credentialStatus": [{"statusListCredential": URL}]}


class Hosted:
    """A node that hosts a list of Ada's, under the address that a credential names."""

    def did_document(self, did: str) -> Any:
        return None

    def status_list(self, url: str, issuer: str) -> Any:
        return {"id": url} if issuer == "did:web:ada.example" else None


def found(document: Any) -> bool:
    return URL in looked_up(names_in(document, NOTHING), NOTHING, Hosted())


def test_a_list_is_looked_up_for_the_issuer_that_names_it_however_its_issuer_is_written():
    assert found(credential("did:web:ada.example"))
    assert found(credential({"id": "did:web:ada.example", "name": "Ada"}))
    assert found({"holder": "did:example:x", "verifiableCredential": [credential("did:web:ada.example")]})


def test_a_list_of_another_issuer_under_the_same_address_is_not_taken():
    assert not found(credential("did:web:bob.example"))
    assert not found(credential(None))


def test_when_two_issuers_name_one_address_nobody_is_believed():
    both = [credential("did:web:ada.example"), credential("did:web:bob.example")]
    assert not found({"verifiableCredential": both})


def test_slow_machines_hold_up_a_request_for_a_bounded_time(monkeypatch):
    now, asked = [0.0], []
    monkeypatch.setattr(vc_documents.time, "monotonic", lambda: now[0])

    class Slow:
        def did_document(self, did: str) -> Any:
            asked.append(did)
            now[0] += 5.0

        def status_list(self, url: str, issuer: str) -> Any:
            raise AssertionError(url)

    proofs = [{"verificationMethod": f"did:web:slow-{number}.example#key"} for number in range(8)]
    names = names_in({"issuer": "did:web:ada.example", "proof": proofs}, NOTHING)
    assert len(names) == 8
    looked_up(names, NOTHING, Slow())
    assert len(asked) == 2
    assert now[0] <= vc_documents.MAX_LOOKUP_SECONDS + 5.0
