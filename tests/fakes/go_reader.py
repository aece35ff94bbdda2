"""An outside reader of logs: Go's own note and tlog packages (golang.org/x/mod/sumdb), in tests/go/reader."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "go" / "reader" / "main.go"

GOPATH = Path(os.environ.get("TESTAMUR_GOPATH", "/usr/share/gocode"))
"""Where golang.org/x/mod stands: Debian's golang-golang-x-mod-dev puts it here."""


def missing():
    """Why the reader cannot be built here, or None."""
    if shutil.which("go") is None:
        return "no Go toolchain on the PATH"
    if not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        return f"no golang.org/x/mod under {GOPATH}; set TESTAMUR_GOPATH"
    return None


def build(folder):
    """Compile the reader into `folder`, without a network; gives a function that runs it."""
    binary = folder / "reader"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GO111MODULE": "off",
        "GOFLAGS": "",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOPROXY": "off",
    }
    subprocess.run(["go", "build", "-o", binary, SOURCE], env=environment, check=True, timeout=300)

    def read(log_folder, vkey, inclusion=(), consistency=()):
        """Check a log folder and claims: (index, hashes) and (old size, old root, hashes).

        Gives (what was established, None), or (None, the reader's complaint).
        """
        claims = {
            "inclusion": [{"index": index, "hashes": encoded(hashes)} for index, hashes in inclusion],
            "consistency": [
                {"oldSize": size, "oldRoot": encoded([root])[0], "hashes": encoded(hashes)}
                for size, root, hashes in consistency
            ],
        }
        done = subprocess.run(
            [binary, log_folder, vkey],
            input=json.dumps(claims),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return (json.loads(done.stdout), None) if done.returncode == 0 else (None, done.stderr.strip())

    return read


def encoded(hashes):
    return [base64.b64encode(item).decode() for item in hashes]
