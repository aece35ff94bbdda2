"""A web server of somebody else's, on this machine."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class StrangersServer:
    """Answers every path with what a test wants, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[http.server.BaseHTTPRequestHandler], None] = lambda handler: None
        stranger = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stranger.asked.append(self.path)
                stranger.answer(self)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port

    def serve(self, body: bytes, status: int = 200, **headers: str) -> None:
        """From now on, this answer."""

        def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            for name, value in {"Content-Type": "application/json", **given}.items():
                handler.send_header(name, value)
            handler.end_headers()
            try:
                handler.wfile.write(body)
            except OSError:
                handler.close_connection = True

        self.answer = answer


@contextmanager
def serving(server: StrangersServer) -> Iterator[None]:
    """It listens."""
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.server.shutdown()
        server.server.server_close()
        thread.join(10)
