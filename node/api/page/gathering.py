"""From files to what can be judged: told apart by their content, credentials joined with their evidence."""

from collections.abc import Iterable
from dataclasses import dataclass

from testamur.node.api.page.forms import Given
from testamur.registry.canonical import Json
from testamur.registry.credentials import credential_digest
from testamur.registry.dossiers import parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence

_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "is a PDF document"),
    (b"\x89PNG", "is a PNG image"),
    (b"\xff\xd8\xff", "is a JPEG image"),
    (b"GIF8", "is a GIF image"),
    (b"PK\x03\x04", "is a ZIP archive or an office document"),
    (b"\x1f\x8b", "is a compressed file"),
    (b"eyJ", "is a JSON Web Token, which this page cannot read yet"),
    (b"<", "is a web page, an SVG image or another XML document"),
)
"""What people have beside a credential and choose by mistake, by the first bytes."""

_CURE = "choose the credential's own file, which usually ends in .credential.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something to judge: a credential, and its evidence when there is any."""

    name: str
    credential: Json
    evidence: Json
    evidence_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A file that is nothing to judge, and why."""

    name: str
    reason: str


def gather(given: Iterable[Given]) -> tuple[list[Subject], list[Refusal]]:
    """Every file ends in exactly one of the two, evidence alone joining the credential that it is about.

    One credential and one evidence file belong together whatever they say, so that the verdict tells when
    they don't.
    """
    subjects: list[Subject] = []
    refusals: list[Refusal] = []
    loose: list[tuple[str, Json]] = []
    for item in given:
        try:
            credential, evidence = _parse(item)
        except MalformedError as error:
            refusals.append(Refusal(name=item.name, reason=f"{error.subject} {error.reason}"))
            continue
        if credential is None:
            loose.append((item.name, evidence))
        else:
            subjects.append(Subject(name=item.name, credential=credential, evidence=evidence))
    for name, evidence in loose:
        at = _about(evidence, subjects, alone=len(loose) == 1)
        if at is None:
            reason = "holds evidence but no credential; give the credential's file together with it"
            refusals.append(Refusal(name=name, reason=reason))
        else:
            bare = subjects[at]
            subjects[at] = Subject(
                name=bare.name, credential=bare.credential, evidence=evidence, evidence_from=name
            )
    return subjects, refusals


def digest_of(credential: Json) -> bytes | None:
    """The credential's digest, or None when it has no shape that could have one."""
    try:
        return credential_digest(credential)
    except MalformedError:
        return None


def _parse(item: Given) -> tuple[Json, Json]:
    start = item.data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise MalformedError("this file", f"is empty; {_CURE}")
    for magic, kind in _KINDS:
        if start.startswith(magic):
            raise MalformedError("this", f"{kind}; {_CURE}")
    return parse_dossier(item.data)


def _about(evidence: Json, subjects: list[Subject], *, alone: bool) -> int | None:
    """The index of the bare credential that this evidence is about."""
    bare = [at for at, subject in enumerate(subjects) if subject.evidence is None]
    try:
        digests = {entry.digest for entry in parse_evidence(evidence).entries}
    except MalformedError:
        digests = set()
    named = [at for at in bare if digest_of(subjects[at].credential) in digests]
    if named:
        return named[0]
    return bare[0] if alone and len(bare) == 1 and len(subjects) == 1 else None
