"""HTTP to an RPC endpoint, behind the only module that knows web3: bounded answers, and names fit to show."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from web3 import AsyncHTTPProvider
    from web3.types import RPCResponse

HTTP_SCHEMES: Final = ("http://", "https://")
WEBSOCKET_SCHEMES: Final = ("ws://", "wss://")

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""A proof is some kB, two thousand blocks of events a few MB; more is an attack or another service."""


class Provider(Protocol):
    """What a client needs of a transport. What it raises says that there was no answer."""

    async def make_request(self, method: Any, params: Any) -> Mapping[str, Any]:
        """A JSON-RPC response."""

    async def disconnect(self) -> None:
        """Close the connections."""


def parse_answer(data: bytes | str) -> Any:
    """JSON from an endpoint, as dictionaries and lists. Raises ValueError, for deep nesting as well.

    Half of what `json` takes: a node that starts from nothing reads every event there ever was.
    """
    from pydantic_core import from_json  # noqa: PLC0415  with aiohttp and web3

    return from_json(data, allow_inf_nan=False, cache_strings="keys")


async def open_provider(url: str, *, max_answer_bytes: int) -> "AsyncHTTPProvider":
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

    class FastProvider(AsyncHTTPProvider):
        @staticmethod
        def decode_rpc_response(raw_response: bytes) -> "RPCResponse":
            return cast("RPCResponse", parse_answer(raw_response))

    # Retries belong to callers, who know what may be repeated.
    provider = FastProvider(url, exception_retry_configuration=None)
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
