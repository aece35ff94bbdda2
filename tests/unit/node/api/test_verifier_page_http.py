"""The verifier page as HTTP: statuses, headers, bounds and escaping, without a browser."""

import asyncio
import gzip
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime

import aiohttp
import pytest

from fakes.page_node import PageNode, dossiers, sample
from fakes.whole_registry import LISTS, World
from testamur.node.api.app import create_app, serve
from testamur.node.api.limits import RateLimit
from testamur.node.api.page import forms
from testamur.node.errors import ChainUnavailable
from testamur.registry.record_proofs import prove_records
from testamur.registry.status_records import StatusRecord

DOSSIERS = dossiers()
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Visitor:
    """A browser without a screen."""

    def __init__(self, session, url, node):
        self.session, self.url, self.node = session, url, node

    async def ask(self, method="GET", path="/", headers=BROWSER, **options):
        async with self.session.request(method, self.url + path, headers=headers, **options) as response:
            return response, (await response.read()).decode()

    async def give(self, *given, day="", text="", headers=BROWSER):
        form = aiohttp.FormData(default_to_multipart=True)
        for name, data in given:
            form.add_field("file", io.BytesIO(data), filename=name, content_type="application/json")
        form.add_field("text", text)
        form.add_field("day", day)
        return await self.ask("POST", data=form, headers=headers)


@pytest.fixture
def options():
    return {"registry_name": "registry.example", "devnet": False}


@pytest.fixture
def node():
    return PageNode()


@pytest.fixture
async def visitor(node, options):
    server = await serve(create_app(node, **options))
    async with aiohttp.ClientSession() as session:
        yield Visitor(session, server.url, node)
    await server.close()


NESTED = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
    b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nz\r\n--y--\r\n--x--\r\n"
)


def file(kind):
    return f"{kind}.credential.json", json.dumps(DOSSIERS[kind]).encode()


def headline(body):
    return re.search(r'<p class="headline">([^<]*)', body)[1]


# -- what comes back


async def test_a_verdict_is_a_page_and_invalid_is_no_error(visitor):
    for kind, words in (("good", "Valid"), ("tampered", "Not valid"), ("unanchored", "Cannot tell")):
        response, body = await visitor.give(file(kind))
        assert (response.status, response.content_type) == (200, "text/html")
        assert headline(body) == words


async def test_why_and_since_when_it_was_revoked_stands_beside_the_verdict_when_the_holder_shows_it(visitor):
    then = datetime(2026, 11, 20, 9, tzinfo=UTC)
    values = {"index": 7, "value": True, "reason": "fraud", "effective": then, "salt": bytes(32)}
    record = StatusRecord(list_id=LISTS["revocation"], note="It was <b>forged</b>.", **values)
    made = World(revoked=(7,), records={record.list_id: [record]})
    dossier = made.dossier()
    (proof,) = prove_records([record], made.publication.lists[record.list_id].batches)
    (log,) = dossier["evidence"]["logs"].values()
    for item in log["status"]:
        if item["entry"]["id"] == record.list_id:
            item["record"] = proof.to_json()
    _, body = await visitor.give(("a.json", json.dumps(dossier).encode()))
    verdict = body[body.index('class="verdict"') : body.index('class="times"')]
    assert headline(body) == "Revoked"
    assert "Revoked from 20 November 2026, 09:00:00 UTC on (fraud, retroactively: recorded 2" in verdict
    assert "It was &lt;b&gt;forged&lt;/b&gt;." in verdict
    _, body = await visitor.give(file("revoked"))
    assert "fraud" not in body


async def test_the_page_loads_nothing_from_elsewhere_and_tells_nobody_where_one_was(visitor):
    for method, path in (("GET", "/"), ("GET", "/issuers"), ("GET", "/nothing")):
        response, body = await visitor.ask(method, path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert path == "/nothing" or "Access-Control-Allow-Origin" not in response.headers
        assert not re.search(r"<style|style=|<script>|\son\w+=", body)
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', body)


async def test_what_the_page_loads_is_named_by_its_content_and_kept_for_ever(visitor):
    _, body = await visitor.ask()
    loaded = re.findall(r'(?:src|href)="(/assets/[^"]+)"', body)
    assert len(loaded) == 3
    for path in loaded:
        response, data = await visitor.ask(path=path)
        assert response.status == 200
        assert data
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    for stranger in ("/assets/page.css", "/assets/..%2fpage.css", "/assets/base.html"):
        assert (await visitor.ask(path=stranger))[0].status == 404


async def test_samples_are_offered_by_the_node_and_judged_like_any_file(visitor, node):
    assert "sample" not in (await visitor.ask())[1]
    node.offered = (sample("tampered", "A tampered <one>", "Altered.", DOSSIERS["tampered"]),)
    _, body = await visitor.ask()
    assert "A tampered &lt;one&gt;" in body
    response, body = await visitor.ask(path="/?sample=tampered")
    assert (response.status, headline(body)) == (200, "Not valid")
    assert (await visitor.ask(path="/?sample=other"))[0].status == 404


async def test_evidence_that_the_node_has_is_added_and_said_to_be_added(visitor, node):
    bare = json.dumps(DOSSIERS["good"]["credential"]).encode()
    assert headline((await visitor.give(("mine.json", bare)))[1]) == "Cannot tell"
    visitor.node.known = PageNode(is_evidence_known=True).known
    _, body = await visitor.give(("mine.json", bare))
    assert headline(body) == "Valid"
    assert "It came without evidence" in body


# -- what is refused


@pytest.mark.parametrize(
    ("given", "fields", "status", "words"),
    [
        ((), {}, 400, "holds nothing to verify"),
        ((), {"text": "   "}, 400, "holds nothing to verify"),
        ((("a.pdf", b"%PDF-1.7"),), {}, 400, "is a PDF document"),
        ((("a.zip", b"PK\x03\x04"),), {}, 400, "is a ZIP archive"),
        ((("a.html", b"\xef\xbb\xbf <html>"),), {}, 400, "is a web page"),
        ((("a.jwt", b"eyJhbGciOi"),), {}, 400, "is a JSON Web Token"),
        ((("a.json", b"{"),), {}, 400, "a.json"),
        ((("a.json", b'{"a": 1, "a": 2}'),), {}, 400, "a.json"),
        ((("a.json", b'{"hello": "world"}'),), {}, 400, "is neither a credential"),
        ((file("good"),), {"day": "2026-13-01"}, 400, "must be a day"),
        ((file("good"),), {"day": "2026-11-22"}, 400, "lies in the future"),
        ((file("good"),), {"day": "9" * 100}, 413, "longer than 64 characters"),
        ((("a.json", b" " * (forms.MAX_FILE_BYTES + 1)),), {}, 413, "larger than 2 MiB"),
        (tuple((f"{n}.json", b" " * (2 << 20)) for n in range(5)), {}, 413, "larger than 8 MiB"),
        (tuple((f"{n}.json", b"{}") for n in range(13)), {}, 413, "ore than 12 files"),
        (tuple((f"{n}.json", b"{}") for n in range(100)), {}, 413, "ore than 12 files"),
    ],
)
async def test_what_cannot_be_judged_is_a_page_that_says_why_and_what_the_limit_is(
    visitor, given, fields, status, words
):
    response, body = await visitor.give(*given, **fields)
    assert (response.status, response.content_type) == (status, "text/html")
    assert words in body
    assert 'class="headline"' not in body
    assert "says nothing about any credential" in body


async def test_evidence_alone_asks_for_its_credential(visitor):
    _, body = await visitor.give(("my.evidence.json", json.dumps(DOSSIERS["good"]["evidence"]).encode()))
    assert "give the credential&#39;s file together with it" in body


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"text=x", 415),
        ({"Content-Type": "multipart/form-data"}, b"--x", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"\n" * 5 + b"--x--", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\nhello", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\n\r\nhello\r\n", 400),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            NESTED,
            400,
        ),
    ],
)
async def test_a_form_that_is_none_is_the_senders_mistake(visitor, headers, data, status):
    response, body = await visitor.ask("POST", headers={**BROWSER, **headers}, data=data)
    assert (response.status, response.content_type) == (status, "text/html"), body


async def test_programs_get_problem_documents_where_browsers_get_pages(visitor):
    for accept, media in (("*/*", "application/problem+json"), ("text/html", "text/html")):
        headers = {"Accept": accept}
        for method, path in (("GET", "/nothing"), ("POST", "/"), ("PUT", "/"), ("GET", "/?sample=x")):
            response, _ = await visitor.ask(method, path, headers=headers)
            assert (response.status >= 400, response.content_type) == (True, media)
    response, _ = await visitor.ask("GET", "/v1/credentials/nonsense", headers=BROWSER)
    assert response.content_type == "application/problem+json"


async def test_a_failure_of_the_node_is_a_page_without_its_text(visitor, node):
    node.failure = ChainUnavailable("secret endpoint")
    response, body = await visitor.give(file("good"))
    assert response.status == 503
    assert response.headers["Retry-After"]
    assert "secret" not in body
    assert response.headers["X-Request-Id"] in body


class TestRateLimit:
    @pytest.fixture
    def options(self, options):
        return {**options, "rate_limit": RateLimit(per_second=0.5, burst=1, clock=lambda: 0.0)}

    async def test_who_asks_too_often_is_told_on_a_page_when_to_come_back(self, visitor):
        assert (await visitor.ask())[0].status == 200
        response, body = await visitor.give(file("good"))
        assert (response.status, response.headers["Retry-After"]) == (429, "2")
        assert "Nothing is wrong with your file" in body


# -- strangers' text


HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}\u202egnp.exe\u200b\x07'


async def test_what_a_stranger_wrote_is_escaped_everywhere(visitor):
    good = json.loads(json.dumps(DOSSIERS["good"]))
    credential = good["credential"]
    for holder, member in (
        (credential["issuer"], "name"),
        (credential["credentialSubject"]["achievement"], "name"),
        (credential["credentialSubject"]["result"][0], "value"),
        (credential["proof"], "verificationMethod"),
    ):
        changed, before = json.dumps(good), holder[member]
        holder[member] = HOSTILE
        changed = json.dumps(good).encode()
        holder[member] = before
        _, body = await visitor.give(("a\u202eb<script>alert(1).json", changed))
        assert "<script>alert" not in body
        assert "&lt;script&gt;alert(1)" in body
        assert "49" not in body.partition("</main>")[0].partition("Alter it")[0].partition("7 * 7")[2][:4]
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x07]", body)


async def test_a_name_of_a_megabyte_does_not_push_the_verdict_away(visitor):
    good = json.loads(json.dumps(DOSSIERS["good"]))
    good["credential"]["credentialSubject"]["achievement"]["name"] = "x" * 1_000_000
    _, body = await visitor.give(("big.json", json.dumps(good).encode()))
    assert len(body.partition('class="headline"')[0]) < 20_000


async def test_nothing_that_is_sent_is_logged(visitor, capsys):
    await visitor.give(file("good"), text="")
    await asyncio.sleep(0)
    printed = "".join(capsys.readouterr())
    assert "http.request" in printed
    for secret in ("good.credential", "did:", "Data Literacy", "Valid"):
        assert secret not in printed


# -- what keeps the event loop busy, or writes to standard error


async def test_a_form_of_empty_lines_costs_nothing_compressed_or_not(visitor):
    """Ten kilobytes of it, unpacked and read line by line, would stop the node for minutes."""
    headers = {**BROWSER, "Content-Type": "multipart/form-data; boundary=x"}
    lines = b"\n" * 2_000_000
    packed = {**headers, "Content-Encoding": "gzip"}
    async with asyncio.timeout(2):
        response, body = await visitor.ask("POST", data=gzip.compress(lines), headers=packed)
        assert (response.status, "Content-Encoding" in body) == (415, True)
        response, _ = await visitor.ask("POST", data=io.BytesIO(lines), headers=headers)
        assert response.status == 400


def test_what_cannot_be_read_of_a_file_name_is_not_written_to_standard_error():
    code = (
        "import testamur.node.api.page.forms\n"
        "from aiohttp.multipart import parse_content_disposition as parse\n"
        "parse('form-data; name=\"file\"; filename*=none\\'\\'Ada-Lovelace')\n"
        "parse('form-data; Ada-Lovelace')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert (done.stdout, done.stderr) == (b"", b"")
