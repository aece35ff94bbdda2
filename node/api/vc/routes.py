"""The lines of the route table for the VC API and DID resolution, which every node serves."""

from testamur.node.api.parameters import Parameter
from testamur.node.api.routing import Route
from testamur.node.api.schemas import text
from testamur.node.api.vc import resolving, verifying

BODY = ("malformed", "too-large", "unsupported-media-type", "too-slow")

DID = Parameter(
    name="identifier",
    schema=text(minLength=1, maxLength=8192),
    description="a DID or DID URL, percent-encoded",
)
DID_OPTIONS = (
    Parameter(name="versionTime", schema=text(), description="as of this moment (dateTimeStamp)"),
    Parameter(name="versionId", schema=text(), description="as of the block of this number; did:ethr only"),
    Parameter(name="publicKeyFormat", schema=text(), description="Multikey, JsonWebKey2020 …"),
    Parameter(name="enableExperimentalPublicKeyTypes", schema=text(), description="true or false"),
)

VC_ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/credentials/verify",
        handler=verifying.verify_credential,
        operation="verifyCredential",
        tag="vc",
        summary="A credential by its own proofs; 400 with the same body when it does not hold",
        takes="CredentialToVerify",
        answers="VerificationResult",
        parameters=(verifying.VCALM,),
        problems=BODY,
        refusals=(400,),
    ),
    Route(
        method="POST",
        path="/presentations/verify",
        handler=verifying.verify_presentation,
        operation="verifyPresentation",
        tag="vc",
        summary="A presentation and the credentials in it; 400 with the same body when it does not hold",
        takes="PresentationToVerify",
        answers="VerificationResult",
        parameters=(verifying.VCALM,),
        problems=BODY,
        refusals=(400,),
    ),
    Route(
        method="GET",
        path="/1.0/identifiers/{identifier:.+}",
        handler=resolving.resolve_did,
        operation="resolveDid",
        tag="vc",
        summary="DID resolution; what is wrong stands in the body as `error`",
        answers="DidResolution",
        media=resolving.RESULT,
        parameters=(DID, *DID_OPTIONS),
        takes_any_query=True,
        refusals=(400, 404, 406, 410, 501),
    ),
)
