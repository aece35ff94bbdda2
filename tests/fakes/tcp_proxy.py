"""A TCP proxy before a real server that can be pointed elsewhere, cut its connections, and fall silent."""

import asyncio
import contextlib


class TcpProxy:
    """`target` is (host, port) of new connections; `is_silent` holds back what the server says."""

    def __init__(self, target):
        self.target = target
        self.is_silent = False
        self.is_refusing = False
        self.accepted = 0
        self._writers = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info):
        self._server.close()
        self.cut()

    def cut(self):
        """Every connection ends at once, without a word."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self.accepted += 1
        if self.is_refusing:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(*self.target)
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(
                self._pipe(reader, there_writer, holds_back=False),
                self._pipe(there_reader, writer, holds_back=True),
            )
        finally:
            self._writers -= {writer, there_writer}

    async def _pipe(self, reader, writer, *, holds_back):
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if not (holds_back and self.is_silent):
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
