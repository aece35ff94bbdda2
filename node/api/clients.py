"""Who asks: the address behind a trusted proxy, and the key under which its share is counted."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from aiohttp import web

Address: TypeAlias = IPv4Address | IPv6Address

MAX_FORWARDED_ADDRESSES = 16
"""Proxies in a row that are believed; a longer list is made up."""

IPV6_PREFIX_BITS = 64
"""What one subscriber gets at least: counting single IPv6 addresses would count nothing."""


class TrustedProxies:
    """Networks whose `X-Forwarded-For` is believed. Without any, the header means nothing."""

    def __init__(self, networks: Sequence[str] = ()) -> None:
        """`networks` like "127.0.0.1", "::1" or "10.1.0.0/16". Raises ValueError naming one that is none."""
        self._networks = tuple(ip_network(item) for item in networks)

    def key_of(self, request: web.Request) -> str:
        """The client's address as it is counted: an IPv4 address, or the /64 of an IPv6 address."""
        peer = request.remote or ""
        if not self._networks:
            return _key(_parse(peer)) if ":" in peer else peer
        return _key(self._client(peer, request.headers.getall("X-Forwarded-For", [])))

    def _client(self, peer: str, forwarded: Sequence[str]) -> Address | None:
        """From the right, every entry was added by the hop after it: believed as long as that is trusted."""
        address = _parse(peer)
        hops = [hop for line in forwarded for hop in line.split(",")][-MAX_FORWARDED_ADDRESSES:]
        for hop in reversed(hops):
            if address is None or not self._trusts(address):
                break
            named = _parse(hop.strip())
            if named is None:
                break  # nonsense, or a name: the last address that was seen by somebody trusted counts
            address = named
        return address

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _parse(text: str) -> Address | None:
    host = text.removeprefix("[").partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:  # 192.0.2.1:443, as some proxies write it
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _key(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX_BITS), strict=False))
    return str(address)
