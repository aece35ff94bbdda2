"""A new credential, checked in full and then signed: by one institution, or by the next one of a joint award.

This is what `/credentials/issue` of the VC API does. Pure: the key is given, and so are the documents that
contexts and schemas are looked up in.
"""

from collections.abc import Mapping

from testamur.registry.canonical import Json
from testamur.registry.credentials import Credential, DataModel, parse_credential
from testamur.registry.cryptosuites import EDDSA_RDFC_2022
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.jose import sign_token
from testamur.registry.keys import SigningKey
from testamur.registry.proofs import SignedDocument, secure_document
from testamur.registry.rdfc import check_terms
from testamur.registry.related_resources import verify_related_resources
from testamur.registry.vc_schemas import check_schemas
from testamur.registry.verification_methods import controller_of


def check_new_credential(
    document: Json,
    *,
    documents: Mapping[str, Json],
    resources: Mapping[str, bytes] | None = None,
    subject: str = "credential",
) -> Credential:
    """The credential, when it may be signed: by its data model, its profiles, its contexts and its schemas.

    Every term has a meaning, every related resource that can be looked at has the digest that is named, and
    every schema that is supplied is kept. Raises MalformedError (with the JSON pointer), VerificationError:
    related-resource-mismatch, schema-mismatch, context-work-too-much.
    """
    credential = parse_credential(document, subject)
    unsecured = {name: value for name, value in credential.json.items() if name != "proof"}
    check_terms(unsecured, contexts=documents, subject=subject)
    verify_related_resources(credential.json, resources or {}, subject)
    for result in check_schemas(credential.json, documents, _no_signature_asked):
        if result.valid is False:
            raise VerificationError("schema-mismatch", schema=result.id[:200], problem=result.problem or "")
    return credential


def issue_credential(
    document: Json,
    key: SigningKey,
    *,
    verification_method: str,
    documents: Mapping[str, Json],
    cryptosuite: str = EDDSA_RDFC_2022.name,
    created: str | None = None,
    options: Mapping[str, Json] | None = None,
    resources: Mapping[str, bytes] | None = None,
) -> SignedDocument:
    """The checked credential with one more proof, by a key of its issuer or of an institution that it names.

    A credential that other institutions have signed keeps their proofs. `options` are further members of the
    proof. Raises what `check_new_credential` and `secure_document` raise, and
    VerificationError("issuer-key-mismatch").
    """
    credential = check_new_credential(document, documents=documents, resources=resources)
    _check_signer(credential, verification_method)
    return secure_document(
        credential.json,
        key,
        verification_method=verification_method,
        created=created,
        options=options,
        cryptosuite=cryptosuite,
        contexts=documents,
    )


def issue_token(
    document: Json,
    key: SigningKey,
    *,
    verification_method: str,
    documents: Mapping[str, Json],
    resources: Mapping[str, bytes] | None = None,
) -> str:
    """The checked credential as a `vc+jwt`. One signature is all that it can carry.

    Raises what `check_new_credential` raises, VerificationError("issuer-key-mismatch"), and MalformedError
    for a credential with a `proof`, of version 1.1, or of several institutions.
    """
    credential = check_new_credential(document, documents=documents, resources=resources)
    _check_signer(credential, verification_method)
    if "proof" in credential.json:
        raise MalformedError("credential /proof", "must not be there: the token is the proof")
    if credential.data_model is not DataModel.V2_0:
        raise MalformedError("credential /@context/0", "must be that of version 2.0 in a token")
    if credential.joint_award is not None:
        raise MalformedError("credential /jointAward", "needs several signatures; a token carries one")
    return sign_token(credential.json, key, key_id=verification_method)


def _check_signer(credential: Credential, verification_method: str) -> None:
    controller = controller_of(verification_method)
    award = credential.joint_award
    if controller not in (award.institutions if award else (credential.issuer_id,)):
        raise VerificationError(
            "issuer-key-mismatch", issuer=credential.issuer_id[:200], controller=controller[:200]
        )


def _no_signature_asked(document: Json, reason: str) -> None:
    """A schema that the issuer supplies is the issuer's; who signed it is for verifiers to ask."""
