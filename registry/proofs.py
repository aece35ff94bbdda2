"""Data Integrity proofs: a document proven to be signed, by suites kept in one table.

https://www.w3.org/TR/vc-data-integrity/, https://www.w3.org/TR/vc-di-eddsa/ and
https://www.w3.org/TR/vc-di-ecdsa/. Proofs are made in `proof_making`, whose names are here as well.
"""

from collections.abc import Mapping

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.cryptosuites import Canonicalization, Cryptosuite
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.json_forms import JsonForms
from testamur.registry.keys import PublicKey
from testamur.registry.proof_format import (
    MAX_PROOFS,
    MAX_VERIFICATION_METHOD_CHARACTERS,
    ProofOptions,
    as_list,
    parse_options,
    proofs_of,
)
from testamur.registry.proof_making import (
    ASSERTION,
    ProofMaker,
    SignedDocument,
    join_at,
    secure_document,
    sign_document,
    split_at,
)
from testamur.registry.proofs_chain import in_chain_order, previous_proofs
from testamur.registry.rdf.processor import ContextWork
from testamur.registry.rdfc import canonicalize_rdf

__all__ = [
    "ASSERTION",
    "MAX_PROOFS",
    "MAX_RDF_FORMS",
    "MAX_VERIFICATION_METHOD_CHARACTERS",
    "ProofMaker",
    "SecuredDocument",
    "SignedDocument",
    "covers_contexts",
    "in_chain_order",
    "join_at",
    "parse_options",
    "proofs_of",
    "secure_document",
    "sign_document",
    "split_at",
    "verify_document_proof",
]

MAX_RDF_FORMS = 8
"""Canonical graphs of one document: one for all proofs of a set, one for each link of a chain, twice that for
two hash functions. Each may cost as much as the first."""


def verify_document_proof(
    document: Mapping[str, Json],
    proof: Mapping[str, Json],
    key: PublicKey,
    *,
    purpose: str = ASSERTION,
    contexts: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """`SecuredDocument.verify`, for a document with one proof."""
    return SecuredDocument(document, contexts=contexts).verify(proof, key, purpose=purpose)


def covers_contexts(proven: Mapping[str, Json], document: Mapping[str, Json]) -> bool:
    """Whether what `SecuredDocument.verify` returned has every context of the document.

    One that was appended after signing would give meaning that nobody signed.
    """
    return _are_equal(as_list(proven.get("@context")), as_list(document.get("@context")))


def _are_equal(one: list[Json], other: list[Json]) -> bool:
    # As they are signed, and not by `==`: Python takes 1 for true, and JSON-LD does not.
    return one is other or canonicalize(one) == canonicalize(other)


class SecuredDocument:
    """A document whose proofs are verified; canonical forms that several proofs share are computed once."""

    __slots__ = ("_contexts", "_forms", "_json", "_work", "document")

    def __init__(self, document: Mapping[str, Json], *, contexts: Mapping[str, Json] | None = None) -> None:
        """`contexts` are JSON-LD contexts beside the bundled ones, by URL, for the suites that need them."""
        self.document = document
        self._contexts = contexts
        self._json = JsonForms(document)
        self._work = ContextWork()
        self._forms: dict[tuple[object, ...], bytes | MalformedError | VerificationError] = {}

    def verify(
        self, proof: Mapping[str, Json], key: PublicKey, *, purpose: str = ASSERTION
    ) -> dict[str, Json]:
        """The document as `proof` proves it to be signed with `key`: without proofs, under its @context.

        Use what is returned: contexts that were appended after signing are not in it. `proof` is one of
        `proofs_of(document)`. That `key` is the one its verificationMethod names is the caller's to decide,
        and so are `expires`, `domain` and `challenge`. A proof with `previousProof` counts only if those are
        verified too.
        https://www.w3.org/TR/vc-di-eddsa/#verify-proof-eddsa-jcs-2022, and #verify-proof-eddsa-rdfc-2022.

        Raises MalformedError (shape of the proof; a term that no context defines) and VerificationError:
        proof-type-unknown, cryptosuite-unknown, proof-purpose-mismatch, proof-key-mismatch,
        proof-context-mismatch, proof-previous-missing, signature-invalid.
        """
        options = parse_options(proof)
        if options.purpose != purpose:
            raise VerificationError("proof-purpose-mismatch", expected=purpose, found=options.purpose)
        options.check_key(key)
        proven = {name: value for name, value in self.document.items() if name != "proof"}
        earlier = previous_proofs(proof, proofs_of(self.document)) if "previousProof" in proof else []
        configuration = {name: value for name, value in proof.items() if name != "proofValue"}
        if options.suite.canonicalization is Canonicalization.JCS:
            if "@context" in proof:
                wanted, found = as_list(proof["@context"]), as_list(self.document.get("@context"))
                if not _are_equal(wanted, found[: len(wanted)]):
                    raise VerificationError("proof-context-mismatch")
                proven["@context"] = proof["@context"]
            data = self._json_data(options, proven, earlier, configuration, key)
        else:
            data = self._rdf_data(options.suite, proven, earlier, configuration, key)
        key.verify(options.signature, data)
        return proven

    def _json_data(
        self,
        options: ProofOptions,
        proven: dict[str, Json],
        earlier: list[Json],
        configuration: dict[str, Json],
        key: PublicKey,
    ) -> bytes:
        form = self._json.under(proven, earlier)
        return options.suite.hash_data(form, canonicalize(configuration), key.algorithm)

    def _rdf_data(
        self,
        suite: Cryptosuite,
        proven: dict[str, Json],
        earlier: list[Json],
        configuration: dict[str, Json],
        key: PublicKey,
    ) -> bytes:
        """The proof's own @context, if any, has no part in it: its terms are those of the document."""
        name = suite.hash_name(key.algorithm)
        known = (name, *(id(item) for item in earlier))
        if known not in self._forms:
            if len(self._forms) == MAX_RDF_FORMS:
                reason = f"builds on more than {MAX_RDF_FORMS} different sets of proofs"
                raise MalformedError("document /proof", reason)
            hashed = {**proven, "proof": earlier} if earlier else proven
            try:
                self._forms[known] = canonicalize_rdf(
                    hashed, contexts=self._contexts, algorithm=name, subject="document", work=self._work
                )
            except (MalformedError, VerificationError) as error:
                self._forms[known] = error  # a graph that is refused costs as much, and every proof would ask
        form = self._forms[known]
        if not isinstance(form, bytes):
            raise form
        configured = canonicalize_rdf(
            {**configuration, "@context": proven.get("@context")},
            contexts=self._contexts,
            algorithm=name,
            subject="proof",
            work=self._work,
        )
        return suite.hash_data(form, configured, key.algorithm)
