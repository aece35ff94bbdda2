"""HTTP to an RPC endpoint, behind the only module that knows web3: bounded answers, and names fit to show."""

from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from web3 import AsyncHTTPProvider

Provider: TypeAlias = "AsyncHTTPProvider"

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""A proof is some kB, two thousand blocks of events a few MB; more is an attack or another service."""


def shown_url(url: str) -> str:
    """Scheme, host and port: user, path and query of an address often hold a key that somebody pays for."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def without_secrets(text: str, url: str) -> str:
    """A foreign library's words, in which the address or its parts may be quoted."""
    parts = urlsplit(url)
    text = text.replace(url, shown_url(url))
    pieces = (parts.path.strip("/"), parts.query, parts.username, parts.password)
    for piece in sorted(filter(None, pieces), key=len, reverse=True):
        text = text.replace(piece, "…")
    return text


async def open_provider(url: str, *, max_answer_bytes: int) -> Provider:
    """A provider that keeps its connections and reads no more than `max_answer_bytes` of an answer."""
    from aiohttp import ClientResponse, ClientSession  # noqa: PLC0415  with web3 below
    from web3 import AsyncHTTPProvider  # noqa: PLC0415  web3 takes two seconds to import

    class BoundedResponse(ClientResponse):
        async def read(self) -> bytes:
            try:
                return await _read_bounded(self.content, max_answer_bytes)
            except BaseException:
                self.close()
                raise

    # Retries belong to callers, who know what may be repeated.
    provider = AsyncHTTPProvider(url, exception_retry_configuration=None)
    # web3's own session makes a new connection for every request: twice the CPU, and a port each.
    session = ClientSession(raise_for_status=True, response_class=BoundedResponse)
    await provider.cache_async_session(session)
    return provider


async def _read_bounded(content: "StreamReader", max_bytes: int) -> bytes:
    from aiohttp import ClientPayloadError  # noqa: PLC0415  with web3 above

    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            raise ClientPayloadError(f"the answer has more than {max_bytes} bytes")
    return bytes(body)
