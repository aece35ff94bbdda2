"""A credential verified by its own proofs, with documents that the caller supplies and no registry.

    result = verify_credential(document, documents=documents, now=now)

This is what `/credentials/verify` of the VC API asks. Whether it was logged, witnessed and anchored is asked
by `verification`. Pure: contexts, DID documents, schemas and status lists come from `documents`, by URL or
DID; nothing is fetched.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.credentials import CLR_TYPE, Credential, DataModel, parse_credential
from testamur.registry.cryptosuites import CRYPTOSUITES, PROOF_TYPES, Canonicalization
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.joint_awards import verify_threshold
from testamur.registry.jose import CLAIMS, is_envelope, parse_token, token_of
from testamur.registry.learner_records import contained_credentials
from testamur.registry.rdfc import check_terms
from testamur.registry.related_resources import verify_related_resources
from testamur.registry.schemas import SchemaResult
from testamur.registry.vc_proofs import verify_all_proofs, verify_token_proof
from testamur.registry.vc_result import Part, Problem, ProofResult, StatusResult, VcResult, problem_of
from testamur.registry.vc_schemas import check_schemas
from testamur.registry.vc_status import combined, read_statuses
from testamur.registry.verification.verdict import CredentialStatus

ALL_CHECKS = (Part.PROOF, Part.ISSUER, Part.VALIDITY, Part.STATUS, Part.SCHEMA, Part.CONTAINED)
"""What is checked unless less is asked for. The data model and the proofs always are."""

PROOF_ONLY = (Part.PROOF,)
"""`{"checks": ["proof"]}`: whose key it is, is not asked."""

MAX_CONTAINED_PROOFS = 64
"""Credentials inside a record whose own proofs are verified; each may cost a canonicalisation."""


def verify_credential(
    document: Json,
    *,
    documents: Mapping[str, Json],
    now: datetime,
    checks: Collection[str] = ALL_CHECKS,
    resources: Mapping[str, bytes] | None = None,
) -> VcResult:
    """The result for a credential with Data Integrity proofs, or an EnvelopedVerifiableCredential.

    `checks` are names of `Part`; one that is not known asks for all of them, so that a misspelt name never
    checks less. `resources` are files as bytes, for `relatedResource`. Never raises for anything that the
    credential or the documents contain; ValueError for a `now` without zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    parts = {part for part in Part if part in checks}
    if not parts or len(parts) != len(set(checks)):
        parts = set(ALL_CHECKS)
    return _verify(document, _Given(documents, now, resources or {}, {}), parts)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the caller gave, and the lists and schemas that were verified on the way, each once."""

    documents: Mapping[str, Json]
    now: datetime
    resources: Mapping[str, bytes]
    signed: dict[int, tuple[Json, str | None]]
    """By the identity of a document, which is kept beside it: what is wrong with the document."""


def _verify(document: Json, given: _Given, parts: set[Part]) -> VcResult:
    run = _Run(given, parts)
    try:
        if is_envelope(document):
            run.read_token(token_of(document))
        else:
            run.read_document(document)
    except (MalformedError, VerificationError) as error:
        run.problems.append(problem_of(Part.MODEL, error))
    return run.result()


class _Run:
    """One verification under way: what is wrong is collected, so that an answer names all of it."""

    def __init__(self, given: _Given, parts: set[Part]) -> None:
        self.given = given
        self.documents = given.documents
        self.now = given.now
        self.resources = given.resources
        self.parts = parts
        self.credential: Credential | None = None
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.proofs: tuple[ProofResult, ...] = ()
        self.signed_by: tuple[str, ...] = ()
        self.status = CredentialStatus.UNKNOWN
        self.statuses: tuple[StatusResult, ...] = ()
        self.schemas: tuple[SchemaResult, ...] = ()
        self.contained: tuple[VcResult, ...] = ()

    def read_document(self, document: Json) -> None:
        """A credential that carries its proofs."""
        credential = parse_credential(document, strict=False)
        self.credential = credential
        try:
            self.proofs = verify_all_proofs(credential.json, self.documents, now=self.now)
        except (MalformedError, VerificationError) as error:
            self.problems.append(problem_of(Part.PROOF, error))
        if not any(_is_rdf(proof) and proof.verified for proof in self.proofs):
            self._expand(credential)
        self._judge(credential)

    def read_token(self, text: str) -> None:
        """A credential that is the payload of a token."""
        token = parse_token(text)
        credential = parse_credential(token.payload, "token payload", strict=False)
        if credential.data_model is not DataModel.V2_0:
            raise MalformedError("token payload /@context/0", "must be that of version 2.0")
        self.credential = credential
        self.proofs = (verify_token_proof(token, self.documents, now=self.now, issuer=credential.issuer_id),)
        self._expand(credential, CLAIMS)
        if Part.VALIDITY in self.parts:
            if token.not_before is not None and self.now < token.not_before:
                self._fail(Part.VALIDITY, "not-yet-valid", date=token.not_before.date().isoformat())
            if token.expires is not None and self.now > token.expires:
                self._fail(Part.VALIDITY, "expired", date=token.expires.date().isoformat())
        self._judge(credential)

    def result(self) -> VcResult:
        """The answer: verified when nothing is wrong and nothing that was asked is unknown."""
        return VcResult(
            verified=not self.problems and any(proof.verified for proof in self.proofs),
            credential=self.credential,
            problems=tuple(self.problems),
            warnings=tuple(self.warnings),
            proofs=self.proofs,
            signed_by=self.signed_by,
            status=self.status,
            statuses=self.statuses,
            schemas=self.schemas,
            contained=self.contained,
        )

    def _judge(self, credential: Credential) -> None:
        self.problems += [proof.problem for proof in self.proofs if proof.problem is not None]
        self.warnings += [f"profile: {problem}" for problem in credential.profile_problems]
        self._resources(credential)
        controllers = {proof.controller for proof in self.proofs if proof.verified and proof.controller}
        self.signed_by = tuple(sorted(controllers))
        if controllers and not any(proof.verified and proof.is_whole for proof in self.proofs):
            # A JSON proof stays whole when contexts are appended: they would give meaning that nobody signed.
            self._fail(Part.PROOF, "proof-context-mismatch")
        if Part.ISSUER in self.parts:
            self._issuer(credential, controllers)
        if Part.VALIDITY in self.parts:
            self._validity(credential)
        if Part.STATUS in self.parts:
            self.statuses = read_statuses(credential.json, self.documents, self._verify_list)
            self.status, problems = combined(self.statuses)
            self.problems += problems
        if Part.SCHEMA in self.parts:
            self.schemas = check_schemas(credential.json, self.documents, self._verify_signed)
            self._schemas()
        if Part.CONTAINED in self.parts and CLR_TYPE in credential.types:
            self._contained(credential)

    def _expand(self, credential: Credential, aside: Collection[str] = ("proof",)) -> None:
        """JSON-LD in safe mode, without what is read otherwise; an RDF proof that holds was through it."""
        unsecured = {name: value for name, value in credential.json.items() if name not in aside}
        try:
            check_terms(unsecured, contexts=self.documents, subject="credential")
        except (MalformedError, VerificationError) as error:
            self.problems.append(problem_of(Part.MODEL, error))

    def _resources(self, credential: Credential) -> None:
        try:
            unseen = verify_related_resources(credential.json, self.resources)
        except (MalformedError, VerificationError) as error:
            self.problems.append(problem_of(Part.MODEL, error))
            return
        self.warnings += [f"related resource not looked at: {url[:200]}" for url in unseen]

    def _issuer(self, credential: Credential, controllers: set[str]) -> None:
        """Its issuer signed all of it; of a joint award, enough of its institutions did."""
        issuer = credential.issuer_id
        award = credential.joint_award
        strangers = sorted(controllers - set(award.institutions if award else (issuer,)))
        self.warnings += [f"also signed by {name[:200]}, who is not its issuer" for name in strangers]
        whole = {proof.controller for proof in self.proofs if proof.verified and proof.is_whole}
        try:
            self.signed_by = _signers(credential, controllers, whole)
        except VerificationError as error:
            self.problems.append(problem_of(Part.ISSUER, error, "credential /issuer"))

    def _validity(self, credential: Credential) -> None:
        if credential.valid_from is not None and self.now < credential.valid_from:
            self._fail(Part.VALIDITY, "not-yet-valid", date=credential.valid_from.date().isoformat())
        if credential.valid_until is not None and self.now > credential.valid_until:
            self._fail(Part.VALIDITY, "expired", date=credential.valid_until.date().isoformat())

    def _schemas(self) -> None:
        for result in self.schemas:
            if result.valid is False:
                self._fail(
                    Part.SCHEMA, "schema-mismatch", schema=result.id[:200], problem=result.problem or ""
                )
            elif result.valid is None:
                self.warnings.append(f"schema not checked: {result.id[:200]}: {result.problem}")

    def _contained(self, credential: Credential) -> None:
        found: list[VcResult] = []
        for where, item in contained_credentials(credential.json):
            if "proof" not in item and not is_envelope(item):
                self.warnings.append(f"{where}: unsigned, vouched for by the record's issuer alone")
                continue
            if len(found) == MAX_CONTAINED_PROOFS:
                self._fail(Part.CONTAINED, "contained-too-many", limit=MAX_CONTAINED_PROOFS)
                break
            result = _verify(item, self.given, self.parts - {Part.CONTAINED})
            if not result.verified:
                first = _first_problem(result)
                self._fail(Part.CONTAINED, "contained-invalid", where=where, problem=first)
            found.append(result)
        self.contained = tuple(found)

    def _verify_list(self, document: Json) -> None:
        """A status list has to hold by its own proof, now; its own status, if any, is not asked."""
        self._verify_signed(document, "status-list-unproven")

    def _verify_signed(self, document: Json, reason: str) -> None:
        known = self.given.signed
        if id(document) not in known:
            result = _verify(document, self.given, {Part.PROOF, Part.ISSUER, Part.VALIDITY})
            known[id(document)] = (document, None if result.verified else _first_problem(result))
        problem = known[id(document)][1]
        if problem is not None:
            raise VerificationError(reason, problem=problem)

    def _fail(self, part: Part, reason: str, **parameters: str | int) -> None:
        self.problems.append(Problem(part=part, reason=reason, parameters=parameters))


def _first_problem(result: VcResult) -> str:
    """Words that can stand inside a sentence."""
    words = result.problems[0].words if result.problems else "it has no proof"
    return words[:300].rstrip(".")


def _signers(credential: Credential, controllers: set[str], whole: Collection[str | None]) -> tuple[str, ...]:
    """Who vouches for all of it: its issuer, and of a joint award enough of its institutions.

    `controllers` made proofs that hold, `whole` those that cover every context. Raises VerificationError:
    issuer-key-mismatch, proof-context-mismatch, and those of `verify_threshold`.
    """
    issuer, award = credential.issuer_id, credential.joint_award
    if issuer in controllers and issuer not in whole:
        raise VerificationError("proof-context-mismatch")
    if award is not None:
        return verify_threshold(award, {name for name in controllers if name in whole})
    if controllers and issuer not in controllers:
        raise VerificationError("issuer-key-mismatch", issuer=issuer[:200], controller=min(controllers)[:200])
    return tuple(sorted(controllers))


def _is_rdf(proof: ProofResult) -> bool:
    suite = CRYPTOSUITES.get(proof.cryptosuite or "") or PROOF_TYPES.get(proof.type)
    return suite is not None and suite.canonicalization is Canonicalization.RDFC
