"""A connection that is bounded in time, from the name of the host to the last byte of the answer.

The timeout of a socket begins anew with each byte, and the system's resolver has none: a server or a name
server that drips would hold us for as long as it likes.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TypeAlias

MAX_ADDRESSES = 4
"""Of one name that are tried: of each family two."""

DEFAULT_PORTS = {"http": http.client.HTTP_PORT, "https": http.client.HTTPS_PORT}

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
Connector: TypeAlias = Callable[[str, int, float], socket.socket]

FAILURES = (OSError, http.client.HTTPException, ValueError)
"""What a line raises when there is no whole answer; a TimeoutError when there was no time."""


def resolve(host: str, port: int) -> list[str]:
    """Every address of the name, by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(item[4][0]) for item in found]


def connect(address: str, port: int, timeout_seconds: float) -> socket.socket:
    """A TCP connection to this very address. Raises OSError."""
    return socket.create_connection((address, port), timeout_seconds)


def find_addresses(host: str, port: int, until: float, resolver: Resolver = resolve) -> Sequence[str]:
    """What the resolver answers before `until` (monotonic seconds), or raises; else TimeoutError."""
    answer: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolver(host, port))
        except BaseException as error:  # noqa: BLE001  it is raised where the answer is waited for
            answer.set_exception(error)

    # When it does not answer it is left behind: nothing can end it.
    threading.Thread(target=ask, name="resolver", daemon=True).start()
    return answer.result(timeout=time_left(until))


def time_left(until: float) -> float:
    """Seconds. Raises TimeoutError when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("no time is left")
    return left


def read_whole(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """The body, or its first `max_bytes + 1` bytes. Raises IncompleteRead when the line went dead before."""
    body = response.read(max_bytes + 1)
    if len(body) <= max_bytes and response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body


class Line:
    """A connection to one host. Not for two threads at once. Methods raise `FAILURES`."""

    def __init__(
        self,
        scheme: str,
        host: str,
        port: int,
        addresses: Sequence[str],
        until: float,
        *,
        connector: Connector = connect,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """To the first of the addresses that takes it, each with its share of the time; for https with TLS.

        The certificate is that of `host`, whatever the address.
        """
        self._http: http.client.HTTPConnection
        if scheme == "https":
            tls = tls or ssl.create_default_context()
            self._http = http.client.HTTPSConnection(host, port, context=tls)
        else:
            tls = None
            self._http = http.client.HTTPConnection(host, port)
        raw = _first(addresses, port, until, connector)
        with contextlib.ExitStack() as undo:
            undo.callback(raw.close)
            # TLS takes the first one over.
            self._guard = raw.dup()
            undo.callback(self._guard.close)
            with self._bounded(until):
                self._http.sock = raw if tls is None else tls.wrap_socket(raw, server_hostname=host)
            undo.pop_all()

    @property
    def is_open(self) -> bool:
        """Whether the server lets another question follow."""
        return self._http.sock is not None

    @contextlib.contextmanager
    def ask(
        self, method: str, target: str, until: float, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """The response, to be read inside; what comes after `until` is cut off."""
        with self._bounded(until):
            self._http.request(method, target, body=body, headers=dict(headers))
            yield self._http.getresponse()

    def close(self) -> None:
        """Let go of it; a second call does nothing."""
        self._http.close()
        self._guard.close()

    @contextlib.contextmanager
    def _bounded(self, until: float) -> Iterator[None]:
        expired = threading.Event()
        watch = threading.Timer(time_left(until), _cut, (self._guard, expired))
        watch.daemon = True
        watch.start()
        try:
            if self._http.sock is not None:
                self._http.sock.settimeout(time_left(until))
            yield
        except FAILURES as error:
            if expired.is_set():
                raise TimeoutError("no time is left") from error
            raise
        finally:
            watch.cancel()
        if expired.is_set():
            # What was cut off looks like an answer that has ended.
            raise TimeoutError("no time is left")


def _first(addresses: Sequence[str], port: int, until: float, connector: Connector) -> socket.socket:
    tried = addresses[:MAX_ADDRESSES]
    failure = OSError("it has no address")
    for place, address in enumerate(tried):
        try:
            return connector(address, port, time_left(until) / (len(tried) - place))
        except OSError as error:
            failure = error
    raise failure


def _cut(guard: socket.socket, expired: threading.Event) -> None:
    expired.set()
    with contextlib.suppress(OSError):  # it has ended by itself
        guard.shutdown(socket.SHUT_RDWR)
