"""The page at `/`: a form, verdicts on what it brings, samples on a devnet; and the list of issuers.

What is sent here is judged and forgotten; no line of a log has its name, its digest or its verdict.
"""

from aiohttp import web

from testamur.node.api import responses
from testamur.node.api.aside import aside
from testamur.node.api.context import Context, context_of
from testamur.node.api.page import forms
from testamur.node.api.page.gathering import Refusal, Subject, digest_of, gather
from testamur.node.api.page.plain import moment
from testamur.node.api.page.rendering import assets, html_response
from testamur.node.api.page.views import VerdictView, view
from testamur.node.api.ports import NotFound
from testamur.registry.canonical import parse_json
from testamur.registry.dossiers import parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import encode_digest
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification.words import DEVELOPMENT_WARNING

MAX_SHOWN_ISSUERS = 1000
"""More than a page is read for; programs ask `/v1/issuers` for the rest."""

ADDED_EVIDENCE = "It came without evidence; this node added what its own log proves about it."


async def get_page(request: web.Request) -> web.Response:
    """The form, or the verdict on the sample that the query names."""
    name = request.query.get("sample")
    if name is None:
        return html_response("form.html", await _common(request, title="Verify a credential"))
    for sample in await context_of(request).node.samples():
        if sample.name == name:
            credential, evidence = parse_dossier(sample.file)
            subject = Subject(name=sample.title, credential=credential, evidence=evidence)
            form = forms.Form(given=(), day=None)
            return await _results(request, form, [subject], [], sample_note=sample.note)
    raise NotFound("this node offers no sample of that name")


async def post_page(request: web.Request) -> web.Response:
    """The verdicts on what the form brings. Invalid is an answer (200), nothing to judge a mistake (400)."""
    form = await forms.read_form(request)
    # Megabytes of strict JSON take a second: other requests are answered meanwhile.
    subjects, refusals = await aside(gather, form.given)
    return await _results(request, form, subjects, refusals)


async def get_issuers(request: web.Request) -> web.Response:
    """All issuers, for people."""
    values = await _common(request, title="Issuers")
    issuers = await context_of(request).node.issuers("", MAX_SHOWN_ISSUERS)
    return html_response("issuers.html", {**values, "issuers": issuers})


async def get_asset(request: web.Request) -> web.Response:
    """Style, script and mark of the page."""
    asked = request.match_info["name"]
    for asset in assets().values():
        if asset.address == asked:
            response = responses.bytes_response(
                request, asset.data, media=asset.media, cache=responses.IMMUTABLE
            )
            response.headers.update({"Cross-Origin-Resource-Policy": "same-origin"})
            return response
    raise NotFound("the page loads nothing of this name")


async def _results(
    request: web.Request,
    form: forms.Form,
    subjects: list[Subject],
    refusals: list[Refusal],
    *,
    sample_note: str = "",
) -> web.Response:
    context = context_of(request)
    views: list[VerdictView] = []
    for subject in subjects:
        try:
            views.append(await _judge(context, subject, form))
        except MalformedError as error:
            refusals.append(Refusal(name=subject.name, reason=f"{error.subject} {error.reason}"))
    title = "Nothing could be verified"
    if views:
        title = f"{views[0].headline}: {views[0].title}" if len(views) == 1 else f"{len(views)} verdicts"
    values = await _common(request, title=title)
    # Loud on a real node, too, when what was judged is anchored on a chain that anybody can start.
    values["devnet"] = context.is_devnet or any(item.is_development for item in views)
    body = {**values, "verdicts": views, "refusals": refusals, "sample_note": sample_note}
    return await aside(html_response, "verdicts.html", body, status=200 if views else 400)


async def _judge(context: Context, subject: Subject, form: forms.Form) -> VerdictView:
    notes: list[str] = []
    evidence = subject.evidence
    if evidence is None:
        digest = await aside(digest_of, subject.credential)
        found = None if digest is None else await context.node.evidence(digest)
        if found is not None:
            evidence = await aside(parse_json, found, subject="evidence")
            notes.append(ADDED_EVIDENCE)
    if subject.evidence_from is not None:
        notes.append(f"Its evidence came from the file {subject.evidence_from}.")
    document = {"credential": subject.credential, "evidence": evidence}
    verdict = await context.node.judge(document, form.day)
    return await aside(view, verdict, name=subject.name, document=document, notes=tuple(notes))


async def _common(request: web.Request, *, title: str) -> dict[str, object]:
    """What every page shows: whose node this is, what it trusts, and its bounds."""
    context = context_of(request)
    trust_file = await context.node.trust_file()
    trust = parse_trust_file(trust_file) if trust_file is not None else None
    return {
        **frame(context, title=title),
        "host": request.host,
        "trust": trust
        and {
            "sequence": trust.sequence,
            "issued": moment(trust.issued),
            "fingerprint": trust.fingerprint,
            "digest": encode_digest(trust.digest),
        },
        "samples": await context.node.samples(),
    }


def frame(context: Context, *, title: str) -> dict[str, object]:
    """What even a page about a mistake shows; asks the node nothing."""
    return {
        "title": title,
        "registry": context.registry_name,
        "devnet": context.is_devnet,
        "devnet_warning": DEVELOPMENT_WARNING,
        "trust": None,
        "host": "",
        "max_files": forms.MAX_FILES,
        "max_file_bytes": forms.MAX_FILE_BYTES,
        "max_form_bytes": forms.MAX_FORM_BYTES,
    }
