"""Fetching what a document names: a DID document, a status list. Its author has chosen the address.

It may name a machine behind our firewall, redirect to one, mean another one between the check and the
connection, or send without end. `HttpClient` is for addresses that a person typed; this is for all others.
"""

import contextlib
import http.client
import ipaddress
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

from testamur.node.errors import PeerMisbehaved, PeerUnreachable
from testamur.node.fetch.lines import (
    DEFAULT_PORTS,
    FAILURES,
    Connector,
    Line,
    Resolver,
    connect,
    find_addresses,
    read_whole,
    resolve,
)

MAX_FETCHED_BYTES = 1 << 20
"""What a DID document or a status list may have, as everything that is parsed here."""

MAX_FETCH_SECONDS = 10.0
"""For everything together, redirects included: somebody waits for a verdict."""

MAX_REDIRECTS = 3
"""From a bare domain to www, and to a new home; more is a circle."""

MAX_URL_CHARACTERS = 2048

JSON_MEDIA = ("application/json", "application/did+json", "application/vc", "application/ld+json")
"""What DID documents, credentials and status lists are served as; any `+json` counts as well."""

HTTPS_PORT = 443
_FIRST_USER_PORT = 1024
"""Below it, only https: a mail or file server must not be made to hear our request."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A complete answer; `url` is where it came from in the end."""

    url: str
    media: str
    body: bytes


class GuardedFetcher:
    """GET over https from public addresses only. May be used from several threads at once.

    `allow_loopback` is for a development registry on one machine: http and https to 127.0.0.0/8 and ::1 too.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        max_bytes: int = MAX_FETCHED_BYTES,
        max_seconds: float = MAX_FETCH_SECONDS,
        resolver: Resolver = resolve,
        connector: Connector = connect,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._resolver = resolver
        self._connector = connector
        self._tls = tls

    def get(self, url: str, *, media: Sequence[str] = JSON_MEDIA) -> Fetched:
        """What the URL answers with status 200, as one of these media types.

        Raises PeerMisbehaved when the address or the answer breaks a rule, which the text names;
        PeerUnreachable when there is no answer in time.
        """
        until = time.monotonic() + self._max_seconds
        for _ in range(MAX_REDIRECTS + 1):
            parts = self._checked(url)
            answer = self._ask(url, parts, media, until)
            if isinstance(answer, Fetched):
                return answer
            if urlsplit(answer).scheme != "https" and parts.scheme == "https":
                raise PeerMisbehaved(f"{_shown(url)} redirects to an address without TLS")
            url = answer
        raise PeerMisbehaved(f"{_shown(url)} is reached after more than {MAX_REDIRECTS} redirects")

    def _checked(self, url: str) -> SplitResult:
        """The parts of a URL that may be fetched, before anything is resolved."""
        shown = _shown(url)
        if len(url) > MAX_URL_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
            raise PeerMisbehaved(f"{shown} is not a URL of at most {MAX_URL_CHARACTERS} ASCII characters")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise PeerMisbehaved(f"{shown} is not a URL ({error})") from error
        if parts.scheme != "https" and not (parts.scheme == "http" and self._allow_loopback):
            raise PeerMisbehaved(f"{shown} is not an https address")
        if not parts.hostname or "@" in parts.netloc:
            raise PeerMisbehaved(f"{shown} has no host, or a user name")
        if port is not None and port != HTTPS_PORT and port < _FIRST_USER_PORT:
            raise PeerMisbehaved(f"{shown} names port {port}, which is another service's")
        return parts

    def _ask(self, url: str, parts: SplitResult, media: Sequence[str], until: float) -> Fetched | str:
        """The answer, or the URL that it redirects to."""
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Accept": ", ".join(media),
            "Accept-Encoding": "identity",
            "User-Agent": "testamur",
            "Host": parts.netloc,
        }
        # To the addresses that were checked: a name may mean another one by now.
        addresses = self._addresses(host, port, until, is_plain=parts.scheme == "http")
        try:
            line = Line(parts.scheme, host, port, addresses, until, connector=self._connector, tls=self._tls)
            with contextlib.closing(line), line.ask("GET", target, until, headers=headers) as response:
                return self._taken(url, response, media)
        except FAILURES as error:
            raise PeerUnreachable(f"{_shown(url)} does not answer ({self._why(error)})") from error

    def _taken(self, url: str, response: http.client.HTTPResponse, media: Sequence[str]) -> Fetched | str:
        shown = _shown(url)
        if response.status in _REDIRECTS:
            target = response.getheader("Location")
            if target is None:
                raise PeerMisbehaved(f"{shown} redirects to nowhere")
            return urljoin(url, target)
        if response.status != http.HTTPStatus.OK:
            raise PeerMisbehaved(f"{shown} answers with HTTP {response.status}")
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if kind not in media and not kind.endswith("+json"):
            raise PeerMisbehaved(f"{shown} is {kind[:80] or 'of no media type'}, not {', '.join(media)}")
        if (response.getheader("Content-Encoding") or "identity").lower() != "identity":
            raise PeerMisbehaved(f"{shown} is compressed, which was not asked for")
        if response.length is not None and response.length > self._max_bytes:
            raise PeerMisbehaved(f"{shown} has {response.length} bytes, more than {self._max_bytes}")
        body = read_whole(response, self._max_bytes)
        if len(body) > self._max_bytes:
            raise PeerMisbehaved(f"{shown} has more than {self._max_bytes} bytes")
        return Fetched(url=url, media=kind, body=body)

    def _addresses(self, host: str, port: int, until: float, *, is_plain: bool) -> list[str]:
        """Those to connect to. One that may not be reached spoils them all: it was put there to be."""
        try:
            answer = find_addresses(host, port, until, self._resolver)
            found = [ipaddress.ip_address(item.partition("%")[0]) for item in answer]
        except (OSError, ValueError) as error:
            raise PeerUnreachable(f"{host[:120]} has no address ({self._why(error)})") from error
        if not found:
            raise PeerUnreachable(f"{host[:120]} has no address")
        for address in found:
            if self._allow_loopback and address.is_loopback:
                continue
            if is_plain or not is_public(address):
                raise PeerMisbehaved(f"{host[:120]} leads to {address}, which is no public address")
        return [str(address) for address in dict.fromkeys(found)]

    def _why(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"took longer than {self._max_seconds:g} seconds"
        return str(error)[:120] or type(error).__name__


def is_public(address: Address) -> bool:
    """Whether the address belongs to the Internet: not to this machine, this network, or to no one.

    IPv6 addresses that carry an IPv4 address (mapped, 6to4, Teredo, NAT64) lead where that one leads.
    """
    if isinstance(address, ipaddress.IPv6Address):
        whole = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.ipv4_mapped
        if whole is not None:
            return is_public(whole)
        carried = (address.sixtofour, *(address.teredo or ()))
        if address not in _UNICAST or any(item is not None and not is_public(item) for item in carried):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _shown(url: str) -> str:
    """Enough of it to know which, and nothing that could steer a terminal or fill a log."""
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in url[:120])
