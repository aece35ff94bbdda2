"""What a document may make this node fetch: public addresses over TLS, little, soon, and of the right kind."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from testamur.node.errors import PeerMisbehaved, PeerUnreachable
from testamur.node.fetch.guarded import GuardedFetcher, is_public
from testamur.node.fetch.lines import connect

PUBLIC = "93.184.216.34"
JSON = {"Content-Type": "application/json"}


class Pages:
    """A server on this machine; `pages` are (status, headers, body) by path, `seen` what was asked."""

    def __init__(self):
        self.pages, self.seen = {}, []
        pages = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                pages.seen.append((self.path, dict(self.headers)))
                page = pages.pages[self.path]
                if callable(page):
                    self.close_connection = True
                    page(self)
                    return
                status, headers, body = page
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *arguments: None
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def pages():
    running = Pages()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def fetcher():
    return GuardedFetcher(allow_loopback=True, max_seconds=5, max_bytes=1000)


def test_a_document_is_fetched_with_nothing_but_the_question(pages, fetcher):
    pages.pages["/did.json?v=1"] = (200, {"Content-Type": "application/did+json; charset=utf-8"}, b"{}")
    found = fetcher.get(f"{pages.url}/did.json?v=1")
    assert (found.media, found.body) == ("application/did+json", b"{}")
    ((_, headers),) = pages.seen
    assert headers["Host"] == f"127.0.0.1:{pages.port}"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


# -- addresses


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1"),
        *("fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *(
            "2002:7f00:1::",
            "2002:a00:1::",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "fec0::1",
        ),
    ],
)
def test_addresses_of_this_machine_and_network_are_not_public_whatever_carries_them(address):
    assert not is_public(ipaddress.ip_address(address))
    fetcher = GuardedFetcher(resolver=lambda host, port: [address], connector=_never)
    with pytest.raises(PeerMisbehaved, match="no public address"):
        fetcher.get("https://ada.example/did.json")


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(ipaddress.ip_address(address))


def test_one_private_address_among_public_ones_refuses_the_name():
    fetcher = GuardedFetcher(resolver=lambda host, port: [PUBLIC, "10.0.0.1"], connector=_never)
    with pytest.raises(PeerMisbehaved, match=r"10\.0\.0\.1"):
        fetcher.get("https://ada.example/did.json")


def test_loopback_is_only_for_development_and_private_networks_not_even_then(pages):
    pages.pages["/x"] = (200, JSON, b"{}")
    with pytest.raises(PeerMisbehaved, match="not an https address"):
        GuardedFetcher().get(f"{pages.url}/x")
    with pytest.raises(PeerMisbehaved, match="no public address"):
        GuardedFetcher().get(f"https://127.0.0.1:{pages.port}/x")
    allowed = GuardedFetcher(
        allow_loopback=True, resolver=lambda host, port: ["192.168.0.1"], connector=_never
    )
    with pytest.raises(PeerMisbehaved, match="no public address"):
        allowed.get("https://ada.example/x")
    plain = GuardedFetcher(allow_loopback=True, resolver=lambda host, port: [PUBLIC], connector=_never)
    with pytest.raises(PeerMisbehaved, match="no public address"):
        plain.get("http://ada.example/x")
    assert pages.seen == []


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "017700000001", "127.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_loopback_by_other_names_is_loopback(host):
    with pytest.raises((PeerMisbehaved, PeerUnreachable)):
        GuardedFetcher(connector=_never).get(f"https://{host}/x")


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(pages):
    answers, connected = iter([[PUBLIC], ["127.0.0.1"]]), []

    def connector(address, port, timeout):
        connected.append(address)
        raise ConnectionRefusedError("refused")

    fetcher = GuardedFetcher(resolver=lambda host, port: next(answers), connector=connector)
    with pytest.raises(PeerUnreachable):
        fetcher.get("https://rebinding.example/did.json")
    assert connected == [PUBLIC]
    assert next(answers) == ["127.0.0.1"]  # nobody asked the resolver a second time


def test_a_name_server_that_does_not_answer_holds_nobody():
    stop = threading.Event()
    fetcher = GuardedFetcher(
        resolver=lambda host, port: stop.wait(30) and [PUBLIC], connector=_never, max_seconds=0.1
    )
    with pytest.raises(PeerUnreachable, match=r"took longer than 0\.1 seconds"):
        fetcher.get("https://ada.example/did.json")
    stop.set()


def test_the_addresses_of_a_name_are_tried_one_after_the_other(pages):
    tried = []

    def connector(address, port, timeout):
        tried.append((address, timeout))
        raise ConnectionRefusedError("refused")

    addresses = ["2606:2800:220:1::1", PUBLIC, "8.8.8.8", "1.1.1.1", "9.9.9.9"]
    fetcher = GuardedFetcher(resolver=lambda host, port: addresses, connector=connector, max_seconds=8)
    with pytest.raises(PeerUnreachable, match="refused"):
        fetcher.get("https://ada.example/did.json")
    assert [address for address, _ in tried] == addresses[:4]
    assert tried[0][1] <= 2


def test_a_connection_that_comes_too_late_is_closed():
    made = []

    def connector(address, port, timeout):
        here, there = socket.socketpair()
        made.extend((here, there))
        assert not threading.Event().wait(0.6)
        return here

    fetcher = GuardedFetcher(resolver=lambda host, port: [PUBLIC], connector=connector, max_seconds=0.5)
    with pytest.raises(PeerUnreachable, match="took longer"):
        fetcher.get("https://ada.example/did.json")
    here, there = made
    assert here.fileno() == -1
    assert there.recv(1) == b""
    there.close()


def test_a_name_without_an_address_is_unreachable():
    def nothing(host, port):
        raise socket.gaierror("Name or service not known")

    for resolver in (nothing, lambda host, port: [], lambda host, port: ["nonsense"]):
        with pytest.raises(PeerUnreachable, match="no address"):
            GuardedFetcher(resolver=resolver, connector=_never).get("https://ada.example/")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://ada.example/",
            "file:///etc/passwd",
            "gopher://ada.example/",
            "javascript:alert(1)",
            "",
            "ada",
        ),
        *("https://", "https://user@ada.example/", "https://user:pw@ada.example/", "https://ada.example:x/"),
        *("https://ada.example:22/", "https://ada.example:25/", "https://ada.example:99999/"),
        *("https://ada.example/\r\nX: y", "https://ada.example/ x", "https://\u0430da.example/", "https://["),
        f"https://ada.example/{'x' * 3000}",
    ],
)
def test_what_is_no_plain_https_url_is_refused_before_anything_is_resolved(url):
    with pytest.raises(PeerMisbehaved) as refused:
        GuardedFetcher(resolver=_never, connector=_never).get(url)
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()


# -- redirects


def test_a_redirect_is_followed_to_what_may_be_fetched(pages, fetcher):
    pages.pages["/a"] = (301, {"Location": "/b"}, b"")
    pages.pages["/b"] = (200, JSON, b"[]")
    assert fetcher.get(f"{pages.url}/a").url == f"{pages.url}/b"


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://10.0.0.1/", "no public address"),
        ("https://169.254.169.254/latest/meta-data", "no public address"),
        ("file:///etc/passwd", "not an https address"),
        ("http://user@127.0.0.1/", "user name"),
    ],
)
def test_where_a_redirect_leads_is_judged_anew(pages, fetcher, location, why):
    pages.pages["/a"] = (302, {"Location": location}, b"")
    with pytest.raises(PeerMisbehaved, match=why):
        fetcher.get(f"{pages.url}/a")


def test_redirects_end_and_lead_somewhere(pages, fetcher):
    pages.pages["/circle"] = (307, {"Location": "/circle"}, b"")
    pages.pages["/nowhere"] = (302, {}, b"")
    with pytest.raises(PeerMisbehaved, match="more than 3 redirects"):
        fetcher.get(f"{pages.url}/circle")
    assert len(pages.seen) == 4
    with pytest.raises(PeerMisbehaved, match="nowhere"):
        fetcher.get(f"{pages.url}/nowhere")


# -- answers


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>"), "text/html"),
        ((200, {}, b"{}"), "no media type"),
        ((200, {**JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b"), "compressed"),
        ((200, JSON, b"x" * 1001), "1001 bytes, more than 1000"),
        ((404, JSON, b"{}"), "HTTP 404"),
        ((204, JSON, b""), "HTTP 204"),
        ((500, JSON, b"{}"), "HTTP 500"),
    ],
)
def test_an_answer_that_breaks_a_rule_is_refused_and_the_rule_named(pages, fetcher, page, why):
    pages.pages["/x"] = page
    with pytest.raises(PeerMisbehaved, match=why):
        fetcher.get(f"{pages.url}/x")


def test_an_answer_of_the_largest_size_is_taken_and_one_without_a_length_is_cut(pages, fetcher):
    pages.pages["/most"] = (200, JSON, b"x" * 1000)
    assert len(fetcher.get(f"{pages.url}/most").body) == 1000

    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"x" * 4096)

    pages.pages["/endless"] = endless
    with pytest.raises(PeerMisbehaved, match="more than 1000 bytes"):
        fetcher.get(f"{pages.url}/endless")


def test_an_answer_that_ends_too_soon_is_none(pages, fetcher):
    pages.pages["/x"] = lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{}"
    )
    with pytest.raises(PeerUnreachable):
        fetcher.get(f"{pages.url}/x")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"])
def test_a_server_that_sends_a_byte_now_and_then_does_not_hold_us(pages, sent):
    stop = threading.Event()

    def drip(handler):
        with contextlib.suppress(OSError):
            handler.wfile.write(sent)
            while not stop.wait(0.05):
                handler.wfile.write(b"H")

    pages.pages["/x"] = drip
    with pytest.raises(PeerUnreachable, match="took longer than"):
        GuardedFetcher(allow_loopback=True, max_seconds=0.4).get(f"{pages.url}/x")
    stop.set()


def test_nobody_listening_is_unreachable(fetcher):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(PeerUnreachable):
            fetcher.get(f"http://127.0.0.1:{taken.getsockname()[1]}/")


# -- TLS


def _certificate(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def secured(tmp_path, pages):
    path = _certificate(tmp_path, "ada.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    pages.server.socket = server.wrap_socket(pages.server.socket, server_side=True)
    trusted = ssl.create_default_context(cafile=path)
    pages.pages["/did.json"] = (200, JSON, b"{}")
    return pages, trusted


def through(pages, tls, **options):
    """A fetcher for which every name is a public address that leads to the pages."""
    return GuardedFetcher(
        resolver=lambda host, port: [PUBLIC],
        connector=lambda address, port, timeout: connect("127.0.0.1", pages.port, timeout),
        tls=tls,
        max_seconds=5,
        **options,
    )


def test_the_certificate_is_that_of_the_name_and_trusted(secured):
    pages, trusted = secured
    assert through(pages, trusted).get("https://ada.example/did.json").body == b"{}"
    ((_, headers),) = pages.seen
    assert headers["Host"] == "ada.example"
    for host, tls in (("bob.example", trusted), ("ada.example", None)):
        with pytest.raises(PeerUnreachable, match=r"(?i)certificate"):
            through(pages, tls).get(f"https://{host}/did.json")
    assert len(pages.seen) == 1


def test_a_redirect_never_leaves_tls(secured):
    pages, trusted = secured
    pages.pages["/did.json"] = (302, {"Location": "http://127.0.0.1/"}, b"")
    with pytest.raises(PeerMisbehaved, match="without TLS"):
        through(pages, trusted, allow_loopback=True).get("https://ada.example/did.json")


def _never(*args):
    raise AssertionError(f"asked for {args}")
