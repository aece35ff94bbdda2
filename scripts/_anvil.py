"""An Anvil of its own for a script: started on a free port, gone afterwards."""

import ctypes
import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ANVIL = (
    Path(__file__).resolve().parent.parent
    / "node_modules"
    / "@foundry-rs"
    / "anvil-linux-amd64"
    / "bin"
    / "anvil"
)
PR_SET_PDEATHSIG = 1


class Chain:
    """JSON-RPC to an Anvil that mines a block per transaction and signs for its own accounts."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.accounts: list[str] = self.call("eth_accounts")

    def call(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC call. Raises RuntimeError with the node's own words."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def send(self, sender: str, data: bytes, to: str | None = None) -> Any:
        """The receipt of a transaction that succeeded."""
        sent = {"from": sender, "data": "0x" + data.hex(), **({"to": to} if to else {})}
        transaction = self.call("eth_sendTransaction", sent)
        while (receipt := self.call("eth_getTransactionReceipt", transaction)) is None:
            pass  # mined at once, but answered a moment before
        if receipt["status"] != "0x1":
            raise RuntimeError(f"reverted: {receipt}")
        return receipt


@contextmanager
def anvil() -> Iterator[Chain]:
    """A fresh chain on a free port, gone afterwards whatever happens here."""
    libc = ctypes.CDLL(None, use_errno=True)
    command = [str(ANVIL), "--port", "0", "--host", "127.0.0.1"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509  # no threads here
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("Listening on "):
                    yield Chain("http://" + line.removeprefix("Listening on ").strip())
                    return
            raise RuntimeError("anvil ended before it listened")
        finally:
            process.terminate()
