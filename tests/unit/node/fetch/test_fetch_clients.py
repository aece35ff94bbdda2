"""The command line's HTTP: bounded, in one piece, and whose fault it is in the error."""

import base64
import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from testamur.node.errors import ConfigError, PeerMisbehaved, PeerUnreachable, WrongChain
from testamur.node.fetch import http
from testamur.node.fetch.http import HttpClient
from testamur.node.fetch.registry import RegistryClient
from testamur.node.fetch.rpc import RpcEndpoint, final_block_hash
from testamur.registry.multiformats import encode_digest

GENESIS, HASH, OTHER = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32


class Server:
    """Answers with whatever `answer(method, path, body)` gives: (status, bytes)."""

    def __init__(self, answer):
        outer = self
        self.requests = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                status, data = answer(self.command, self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = handle_any  # noqa: N815  the names that http.server looks for

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example", "a.example", "http://", "file:///etc/passwd", ""),
        *(
            "http://[::1",
            "http://a.example:99999",
            "http://a.example:x",
            "http://u:secret@[::1/secret?secret",
        ),
    ],
)
def test_only_http_addresses_are_addresses(url):
    for make in (HttpClient, RpcEndpoint, RegistryClient):
        with pytest.raises(ConfigError, match="http") as refused:
            make(url)
        assert "secret" not in str(refused.value)


def test_the_path_of_the_base_url_and_the_token_go_along():
    with Server(lambda *_: (200, b"{}")) as server, HttpClient(f"{server.url}/base/", token="t") as client:
        assert client.get("/x").json("x") == {}
    method, path, headers, _ = server.requests[0]
    assert (method, path, headers["Authorization"]) == ("GET", "/base/x", "Bearer t")


def test_query_and_password_of_an_address_go_along_and_are_not_shown():
    with Server(lambda *_: (500, b"{}")) as server:
        url = server.url.replace("//", "//us%3Aer:secret1@") + "/secret2/?dkey=secret3"
        with RpcEndpoint(url) as endpoint, pytest.raises(PeerUnreachable) as caught:
            endpoint.call("eth_chainId", [])
    ((_, path, headers, _),) = server.requests
    assert path == "/secret2?dkey=secret3"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"us:er:secret1"
    assert server.url in str(caught.value)
    assert "secret" not in str(caught.value)
    with RpcEndpoint("http://u:secret@127.0.0.1:9/secret?secret") as endpoint:
        with pytest.raises(PeerUnreachable) as caught:
            endpoint.call("eth_chainId", [])
    assert "secret" not in str(caught.value)


def test_a_name_in_the_address_and_a_token_are_two_answers_to_one_question():
    with pytest.raises(ConfigError, match="token"):
        HttpClient("http://u:p@127.0.0.1:9", token="t")


def raw(data, *, drip=b"", seconds=5):
    """The address of a server that says exactly this to whoever asks, then drips."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        taken, _ = listening.accept()
        with contextlib.suppress(OSError), taken, listening:
            taken.recv(65536)
            taken.sendall(data)
            for _ in range(int(seconds / 0.05) if drip else 0):
                taken.sendall(drip)
                threading.Event().wait(0.05)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_an_answer_that_was_cut_off_is_none():
    url = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}")
    with HttpClient(url) as client, pytest.raises(PeerUnreachable, match="IncompleteRead"):
        client.get("/")


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n"]
)
def test_a_server_that_drips_does_not_hold_us(head):
    begun = time.monotonic()
    with HttpClient(raw(head, drip=b"x"), timeout_seconds=0.3) as client:
        with pytest.raises(PeerUnreachable, match=r"longer than 0\.3 seconds"):
            client.get("/")
    assert time.monotonic() - begun < 3


def test_a_kept_connection_that_the_server_closed_is_opened_once_more():
    with Server(lambda *_: (200, b"{}")) as server, HttpClient(server.url) as client:
        client.get("/1")
        client._line._http.sock.shutdown(socket.SHUT_RDWR)
        assert client.get("/2").status == 200
    assert [path for _, path, _, _ in server.requests] == ["/1", "/2"]


def test_an_answer_that_is_too_large_is_cut_off_and_refused(monkeypatch):
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 10)
    with Server(lambda *_: (200, b"x" * 11)) as server, HttpClient(server.url) as client:
        with pytest.raises(PeerMisbehaved, match="10 bytes"):
            client.get("/")


def test_a_server_that_is_not_there_is_unreachable_and_not_a_traceback():
    with pytest.raises(PeerUnreachable, match="does not answer"):
        HttpClient("http://127.0.0.1:9").get("/")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":1,"a":2}', b"NaN"])
def test_an_answer_that_is_not_strict_json_is_misbehaviour(body):
    with Server(lambda *_: (200, body)) as server, HttpClient(server.url) as client:
        with pytest.raises(PeerMisbehaved):
            client.get("/").json("answer")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, ConfigError),
        (403, ConfigError),
        (429, PeerUnreachable),
        (503, PeerUnreachable),
        (400, PeerMisbehaved),
        (500, PeerMisbehaved),
        (404, PeerMisbehaved),
    ],
)
def test_a_problem_of_the_node_says_whose_fault_it_is_in_the_nodes_own_words(status, error):
    problem = json.dumps({"title": "Title", "detail": "the very reason"}).encode()
    with Server(lambda *_: (status, problem)) as server, RegistryClient(server.url) as client:
        with pytest.raises(error, match="the very reason"):
            client.submit("ada", [bytes(32)])


def test_a_node_that_answers_for_other_digests_is_not_believed():
    answer = json.dumps({"entries": [{"digest": "u" + "A" * 43, "leafIndex": 1}]}).encode()
    with Server(lambda *_: (200, answer)) as server, RegistryClient(server.url) as client:
        assert client.submit("ada", [bytes(32)]) == [(bytes(32), 1)]
        with pytest.raises(PeerMisbehaved, match="other digests"):
            client.submit("ada", [b"\x01" * 32])


@pytest.mark.parametrize(("fewest", "asked"), [(4, 1), (9, 4), (64, 6)])
def test_a_look_up_shows_more_digits_only_to_a_node_that_has_too_many_with_fewer(fewest, asked):
    digest = bytes.fromhex("abcd" + "12" * 30)
    here = {
        "digest": encode_digest(digest),
        "entries": [{"origin": "registry.example/ada/1", "leafIndex": 7}],
    }
    good = json.dumps({"credentials": [here]}).encode()

    def answer(_method, path, _body):
        return (200, good) if len(path.partition("=")[2]) >= fewest else (400, b"{}")

    with Server(answer) as server, RegistryClient(server.url) as client:
        assert client.find(digest) == [("registry.example/ada/1", 7)]
    assert len(server.requests) == asked


def test_a_node_that_answers_no_prefix_is_not_asked_for_ever():
    with Server(lambda *_: (400, b"{}")) as server, RegistryClient(server.url) as client:
        with pytest.raises(PeerMisbehaved, match="HTTP 400"):
            client.find(bytes(32))
    assert len(server.requests) == 6


def test_a_look_up_sends_four_digits_of_the_digest_and_no_more():
    digest = bytes.fromhex("abcd" + "12" * 30)
    empty = json.dumps({"prefix": "", "isEverything": True, "credentials": []}).encode()
    with Server(lambda *_: (200, empty)) as server, RegistryClient(server.url) as client:
        assert client.evidence(digest) is None
    assert [path for _, path, _, _ in server.requests] == ["/v1/credentials?prefix=abcd"]


def chain(**changes):
    """A JSON-RPC endpoint of chain 7 with the final block 20."""
    values = {"chain": 7, "genesis": GENESIS, "final": 20, "hash": HASH, **changes}

    def answer(_method, _path, body):
        call = json.loads(body)
        if call["method"] == "eth_chainId":
            result = hex(values["chain"])
        elif call["params"][0] == "finalized":
            result = {"number": hex(values["final"]), "hash": "0x" + HASH.hex()}
        else:
            number = int(call["params"][0], 16)
            found = values["genesis"] if number == 0 else values["hash"]
            result = {"number": hex(number), "hash": "0x" + found.hex()}
        return 200, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()

    return Server(answer)


def final_hash(*servers, number=12):
    endpoints = [RpcEndpoint(server.url) for server in servers]
    try:
        return final_block_hash(endpoints, chain_id=7, genesis_hash=GENESIS, number=number)
    finally:
        for endpoint in endpoints:
            endpoint.__exit__()


def test_own_endpoints_give_a_block_that_is_final_for_all_of_them():
    with chain() as one, chain(final=12) as two:
        assert final_hash(one, two) == HASH


def test_own_endpoints_that_disagree_lag_or_serve_another_chain_give_nothing():
    with chain() as good:
        with chain(hash=OTHER) as liar, pytest.raises(PeerMisbehaved, match="disagree"):
            final_hash(good, liar)
        with chain(final=11) as lagging, pytest.raises(PeerUnreachable, match="not final"):
            final_hash(good, lagging)
        with chain(chain=8) as other, pytest.raises(WrongChain):
            final_hash(good, other)
        with chain(genesis=OTHER) as other, pytest.raises(WrongChain):
            final_hash(good, other)


@pytest.mark.parametrize(
    "result", [None, {}, {"number": "x", "hash": "0x"}, {"number": "0x1", "hash": "0x12"}], ids=str
)
def test_a_block_that_cannot_be_read_is_no_block(result):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()
    with Server(lambda *_: (200, body)) as server, RpcEndpoint(server.url) as endpoint:
        with pytest.raises((PeerMisbehaved, PeerUnreachable)):
            endpoint.block_hash(1)
