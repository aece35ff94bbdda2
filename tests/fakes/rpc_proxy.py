"""An HTTP proxy before a real chain that can be made to lie, lag, hang, break off and talk nonsense."""

import asyncio
import json

from aiohttp import ClientSession, web

HUGE = 3 * 1024 * 1024


class RpcProxy:
    """One endpoint. `mode` spoils every answer, `changes` the results of single methods.

    `changes[method](params, result)` gives another result; `rewrite(method, params)` asks something else;
    `inventions[method](params)` answers without asking anybody; after a method in `lost` was asked and
    answered, the connection ends without a word.
    """

    def __init__(self, target):
        self.target = target
        self.mode = "honest"
        self.changes = {}
        self.inventions = {}
        self.lost = set()
        self.rewrite = lambda _method, params: params
        self.asked = []
        self._released = asyncio.Event()

    async def __aenter__(self):
        application = web.Application(client_max_size=1 << 26)
        application.router.add_post("/", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        self._session = ClientSession()
        return self

    async def __aexit__(self, *exc_info):
        self._released.set()
        await self._session.close()
        await self._runner.cleanup()

    async def _answer(self, request):
        question = await request.json()
        method, params = question["method"], question["params"]
        self.asked.append(method)
        match self.mode:
            case "hang":
                await self._released.wait()
                return web.Response(status=503)
            case "html":
                return web.Response(text="<html><h1>Welcome</h1></html>", content_type="text/html")
            case "500":
                return web.Response(status=500, text="upstream error")
            case "huge":
                return web.Response(body=b'{"result": "' + b"0" * HUGE + b'"}')
        if method in self.inventions:
            invented = {"jsonrpc": "2.0", "id": question["id"], "result": self.inventions[method](params)}
            return web.json_response(invented)
        question["params"] = self.rewrite(method, params)
        async with self._session.post(self.target, json=question) as response:
            answer = json.loads(await response.read())
        if method in self.lost:
            request.transport.abort()
        if method in self.changes and "result" in answer:
            answer["result"] = self.changes[method](params, answer["result"])
        body = json.dumps(answer).encode()
        if self.mode == "truncated":
            return await self._break_off(request, body)
        return web.Response(body=body, content_type="application/json")

    async def _break_off(self, request, body):
        """Half of what was announced, then the connection ends."""
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        request.transport.close()
        return response

    def freeze(self, head, final):
        """The chain as it was when `head` was its newest block: nothing above it is known."""

        def older(method, params):
            tags = {"latest": hex(head), "finalized": hex(final)}
            return [tags.get(item, item) if isinstance(item, str) else item for item in params]

        def hidden(params, block):
            return None if params[0].startswith("0x") and int(params[0], 16) > head else block

        self.rewrite = older
        self.changes["eth_getBlockByNumber"] = hidden
