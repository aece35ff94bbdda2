"""Canonical forms for many proofs: the same bytes as one at a time, for the work of one."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.awards import award
from fakes.issuers import DID
from fakes.whole_registry import ISSUER_KEY, World, judge
from testamur.registry import canonical, json_forms, proofs
from testamur.registry.canonical import canonicalize
from testamur.registry.json_forms import JsonForms
from testamur.registry.key_events import verification_method
from testamur.registry.proofs import MAX_PROOFS, SecuredDocument, proofs_of, sign_document
from testamur.registry.verification import Outcome
from testamur.registry.verification.verdict import Step

METHOD = verification_method(DID, ISSUER_KEY.public_key)
NAMES = st.one_of(
    st.sampled_from(
        ["@context", "proof", "@", "@contexts", "@contex", "prooF", "proofs", "", "A", "\ue000", "\U0001f600"]
    ),
    st.text(max_size=4),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    document=st.dictionaries(NAMES, VALUES, max_size=6),
    contexts=st.lists(VALUES, max_size=3),
    earlier=st.lists(VALUES, max_size=3),
    several=st.booleans(),
)
def test_every_form_is_the_canonical_form_of_what_is_put_together(document, contexts, earlier, several):
    forms = JsonForms({**document, "proof": [{}, {}]} if several else document)
    bare = {name: value for name, value in document.items() if name != "proof"}
    for proven in (bare, *({**bare, "@context": item} for item in contexts)):
        assert forms.under(proven, []) == canonicalize(proven)
        if earlier:
            assert forms.under(proven, earlier) == canonicalize({**proven, "proof": earlier})


# --------------------------------------------------------------------------------------- bounded total work


class Counter:
    """Counts the bytes that canonical forms are made of, wherever the verifier asks for one."""

    def __init__(self, monkeypatch):
        self.written = 0
        for module in (json_forms, proofs):
            monkeypatch.setattr(module, "canonicalize", self)

    def __call__(self, value):
        form = canonical.canonicalize(value)
        self.written += len(form)
        return form


def many_proofs(signed, **options):
    """As many proofs as are allowed, each naming itself and covering what it is given."""
    for number in range(MAX_PROOFS):
        signed = sign_document(
            signed,
            ISSUER_KEY,
            verification_method=METHOD,
            options={
                "id": f"urn:proof:{number}",
                **{name: made for name, make in options.items() if (made := make(signed))},
            },
        )
    return signed


def previous(signed):
    found = signed.get("proof", [])
    return [item["id"] for item in (found if isinstance(found, list) else [found])]


def heavy():
    numbers = [number / 7 for number in range(2_000)]
    return {**award(), "credentialSubject": {**award()["credentialSubject"], "urn:x:numbers": numbers}}


@pytest.mark.parametrize("options", [{}, {"previousProof": previous}], ids=["a set", "a chain"])
def test_thirty_two_proofs_cost_the_canonical_form_of_one_document(monkeypatch, options):
    world = World()
    world.credential = many_proofs(heavy(), **options)
    size = len(canonicalize(world.credential))
    dossier = world.dossier()
    counter = Counter(monkeypatch)
    verdict = judge(dossier)
    assert verdict.check(Step.CREDENTIAL_PROOF).reason == "proof-verified"
    assert verdict.outcome == Outcome.VALID
    # The document, each proof by itself, and each once more as what a later one builds on; and the evidence's
    # own documents, which are small. One form per proof would be thirty times the document.
    assert counter.written < 3 * size + 20_000


def test_proofs_under_contexts_of_their_own_do_not_multiply_the_document(monkeypatch):
    signed = heavy()
    for number in range(MAX_PROOFS):
        signed = {**signed, "@context": [*signed["@context"], {f"t{number}": f"urn:x:t{number}"}]}
        signed = sign_document(signed, ISSUER_KEY, verification_method=METHOD)
    counter = Counter(monkeypatch)
    secured = SecuredDocument(signed)
    for proof in proofs_of(signed):
        secured.verify(proof, ISSUER_KEY.public_key)
    assert counter.written < 3 * len(canonicalize(signed)) + 20_000


def test_a_change_to_a_shared_part_still_fails_every_proof():
    world = World()
    world.credential = many_proofs(award())
    dossier = copy.deepcopy(world.dossier())
    dossier["credential"]["credentialSubject"]["achievement"]["name"] = "Another"
    assert judge(dossier).check(Step.CREDENTIAL_PROOF).reason == "signature-invalid"
