"""`verify https://…`: what somebody typed is fetched, bounded, and never led elsewhere."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fakes.whole_registry import NOW, World, trust_document
from testamur.node.cli.quick_start import VerifyOptions, read_verify_options
from testamur.node.cli.verifying import run_verify
from testamur.node.errors import ConfigError
from testamur.node.fetch import documents
from testamur.node.fetch.documents import fetch_document
from testamur.registry.canonical import canonicalize

GOOD = canonicalize(World().dossier())
STOPPED = threading.Event()


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        status = {"/gone": 404, "/moved": 302}.get(self.path, 200)
        body = b"<!doctype html>" if self.path == "/page" else GOOD
        if self.path == "/huge":
            body = b"x" * 100_000
        if self.path.startswith("/drip"):
            self.wfile.write(b"HTTP/1.0 200 OK\r\n" + (b"X: " if self.path == "/drip-head" else b"\r\n"))
            with contextlib.suppress(OSError):
                while not STOPPED.wait(0.02):
                    self.wfile.write(b"x")
            return
        self.send_response(status)
        if self.path == "/short":
            self.send_header("Content-Length", str(len(body) + 4))
        self.send_header("Location", "http://169.254.169.254/latest")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}"
        STOPPED.set()
        made.shutdown()


@pytest.fixture
def trust(tmp_path):
    path = tmp_path / "trust.json"
    path.write_bytes(canonicalize(trust_document()))
    return path


def test_an_address_is_an_address_and_not_a_file():
    options = read_verify_options(["verify", "https://a.example/d?x=1", "a.json"])
    assert options.files[0] == "https://a.example/d?x=1"
    assert str(options.files[1]) == "a.json"


def test_a_dossier_is_verified_from_its_address(server, trust, capsys):
    options = VerifyOptions(files=(f"{server}/dossier",), trust=trust)
    assert run_verify(options, now=NOW) == 0
    assert "VALID" in capsys.readouterr().out


def test_several_are_rows(server, trust, capsys):
    options = VerifyOptions(files=(f"{server}/dossier", f"{server}/gone"), trust=trust)
    assert run_verify(options, now=NOW) == 2
    assert "HTTP 404" in capsys.readouterr().out


def test_offline_means_offline(server, trust):
    with pytest.raises(ConfigError, match="--offline"):
        run_verify(VerifyOptions(files=(f"{server}/dossier",), trust=trust, offline=True), now=NOW)


def test_a_web_page_is_no_credential_and_its_address_is_named(server, trust):
    with pytest.raises(ConfigError, match=r"/page: .*not JSON"):
        run_verify(VerifyOptions(files=(f"{server}/page",), trust=trust), now=NOW)


@pytest.mark.parametrize(
    ("path", "words"),
    [("/gone", "HTTP 404"), ("/moved", "redirects to http://169.254"), ("/huge", "larger than 1000 bytes")],
)
def test_what_is_not_the_document_is_refused_in_words(server, path, words):
    with pytest.raises(ConfigError, match=words):
        fetch_document(server + path, max_bytes=1000)


@pytest.mark.parametrize("path", ["/drip", "/drip-head"])
def test_a_server_that_drips_is_left(server, monkeypatch, path):
    monkeypatch.setattr(documents, "TOTAL_SECONDS", 0.3)
    begun = time.monotonic()
    with pytest.raises(ConfigError, match=r"within 0\.3 seconds"):
        fetch_document(server + path, max_bytes=1 << 20)
    assert time.monotonic() - begun < 3


def test_a_download_that_was_cut_off_is_no_document(server):
    with pytest.raises(ConfigError, match="IncompleteRead"):
        fetch_document(f"{server}/short", max_bytes=1 << 20)


@pytest.mark.parametrize(
    "url", ["http:///x", "https://user:secret@a.example/x", "http://[", "http://a:x/", "http://a:99999/"]
)
def test_what_is_no_address_is_refused_without_its_secrets(url):
    with pytest.raises(ConfigError) as refused:
        fetch_document(url, max_bytes=10)
    assert "secret" not in str(refused.value)
