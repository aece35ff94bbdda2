"""A Chromium and a node that serves the verifier page; every page that a test opens is watched on the way."""

import asyncio
import json
import shutil
import threading
from pathlib import Path

import pytest

from fakes.page_node import PageNode, dossiers, sample
from testamur.node.api.app import create_app, serve

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"

WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.__violations.push(
  `${event.violatedDirective} ${event.blockedURI}`));
window.__alerts = [];
window.alert = (words) => window.__alerts.push(words);
"""


class Site:
    """A served page: where, and the node behind it."""

    def __init__(self, *, devnet):
        self.node = PageNode(development=devnet)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        name = "devnet.testamur.example" if devnet else "registry.example"
        app = create_app(self.node, registry_name=name, devnet=devnet)
        self._server = self._wait(serve(app))
        self.url = f"{self._server.url}/"

    def _wait(self, task):
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(30)

    def close(self):
        self._wait(self._server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture(scope="session")
def files():
    """Dossiers by what is the matter with them."""
    return dossiers()


@pytest.fixture(scope="module")
def site():
    """A node of a real registry."""
    running = Site(devnet=False)
    yield running
    running.close()


@pytest.fixture(scope="module")
def devnet(files):
    """A node of a development registry, with samples."""
    running = Site(devnet=True)
    running.node.offered = (
        sample("good", "A good credential", "Issued, logged, anchored.", files["good"]),
        sample("tampered", "A tampered one", "The grade B became an A.", files["tampered"]),
        sample(
            "not-yet-anchored", "Not yet anchored", "The chain does not hold it yet.", files["unanchored"]
        ),
        sample("unknown-issuer", "An unknown issuer", "Nobody here knows its issuer.", files["bare"]),
    )
    yield running
    running.close()


@pytest.fixture(scope="module")
def chromium():
    """A running Chromium."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("Chromium is missing. Debian, Ubuntu: apt-get install chromium")
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: make test installs it"
    )
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """`open_page(url, **context options)`: a page of its own.

    At the end: it asked nobody but its own node, and its policy had nothing to refuse.
    """
    opened = []

    def open_(url, **options):
        options.setdefault("viewport", {"width": 1100, "height": 900})
        context = chromium.new_context(**options)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        if options.get("java_script_enabled", True):
            page.add_init_script(WATCH)
        page.goto(url)
        opened.append((context, page, url))
        return page

    yield open_
    for context, page, url in opened:
        strangers = [address for address in page.asked if not address.startswith(url.partition("?")[0])]
        if page.evaluate("typeof window.__violations") != "undefined":
            assert page.evaluate("window.__violations") == []
            assert page.evaluate("window.__alerts") == []
        assert strangers == []
        refused = [words for words in page.complaints if "status of 4" not in words]
        assert refused == []
        context.close()


@pytest.fixture
def give():
    """`give(page, dossier)`: choose the file and press the button."""

    def give_(page, *given, name="aoife-byrne.credential.json", day=None):
        chosen = [
            item
            if isinstance(item, dict) and "buffer" in item
            else {"name": name, "mimeType": "application/json", "buffer": json.dumps(item).encode()}
            for item in given
        ]
        page.set_input_files("#file", chosen)
        if day:
            page.fill("#day", day)
        page.click("form.ask button")
        page.wait_for_selector(".certificate, .refusals, .mistake")

    return give_


@pytest.fixture
def axe():
    """`axe(page)`: what axe-core finds wrong, as (rule, impact, where)."""
    if not AXE.exists():
        pytest.skip("axe-core is missing: make test installs it into node_modules")
    source = AXE.read_text("utf-8")

    def run(page):
        page.evaluate(source)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            (item["id"], item["impact"], node["target"])
            for item in found["violations"]
            for node in item["nodes"]
        ]

    return run
