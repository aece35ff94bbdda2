"""A VC API server for a conformance run: an issuer for every suite, a verifier and a DID resolver.

    python scripts/vc_api_server.py --documents DOCUMENT-MAP.json [--port 8081] [--seed TEXT]
        [--token-file FILE]
    python scripts/vc_api_server.py --config ISSUERS.toml --keys FOLDER --passphrase-file FILE
        --folder FOLDER --public-url URL

Once it listens it prints one line of JSON: its URL, the paths of its verifiers, and of each issuer the DID
and the path. Without a token anybody who reaches the port may issue: for development, on this machine only,
and never with kept keys.
"""

import argparse
import asyncio
import hashlib
import json
import secrets
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.errors import NodeError
from testamur.node.keystore.passphrases import read_passphrase_file
from testamur.node.keystore.store import Keystore
from testamur.node.service.logs import configure_logs
from testamur.node.service.supplied import load_documents
from testamur.node.service.vc_issuers import VcIssuer, load_issuers, make_issuer
from testamur.node.service.vc_service import IssuerServiceOptions, issuer_service
from testamur.registry.errors import RegistryError
from testamur.registry.keys import SECRET_BYTES, Algorithm, SigningKey

INSTANCES = (
    ("eddsa-rdfc-2022", "eddsa-rdfc-2022", Algorithm.ED25519, ()),
    ("eddsa-jcs-2022", "eddsa-jcs-2022", Algorithm.ED25519, ()),
    ("ecdsa-rdfc-2019:P-256", "ecdsa-rdfc-2019", Algorithm.P256, ()),
    ("ecdsa-rdfc-2019:P-384", "ecdsa-rdfc-2019", Algorithm.P384, ()),
    ("ecdsa-jcs-2019:P-256", "ecdsa-jcs-2019", Algorithm.P256, ()),
    ("ecdsa-jcs-2019:P-384", "ecdsa-jcs-2019", Algorithm.P384, ()),
    ("vc2.0", "eddsa-rdfc-2022", Algorithm.ED25519, ()),
    ("vc-api", "eddsa-rdfc-2022", Algorithm.ED25519, ()),
    ("BitstringStatusList", "eddsa-rdfc-2022", Algorithm.ED25519, ("revocation",)),
)
"""What the W3C's test suites call them, suite, kind of key, purposes of the status entries that are added."""


def all_instances(seed: str | None, token: str | None) -> dict[str, VcIssuer]:
    """An issuer for every suite, by the name that the test suites use; fresh keys unless there is a seed.

    All are of one institution, and opened by the one token.
    """
    made = {}
    for name, suite, algorithm, status in INSTANCES:
        made[name] = make_issuer(
            name.lower().replace(":", "-"),
            suite=suite,
            key=_key(algorithm, seed, name),
            status=status,
            token=token,
        )
    return made


def _key(algorithm: Algorithm, seed: str | None, name: str) -> SigningKey:
    length = SECRET_BYTES[algorithm]
    while True:
        if seed is None:
            secret = secrets.token_bytes(length)
        else:
            secret = hashlib.shake_256(f"{seed}/{name}".encode()).digest(length)
        try:
            return SigningKey.from_seed(algorithm, secret)
        except ValueError:  # a scalar beyond the order of the curve, once in 2^32
            seed = None if seed is None else f"{seed}'"


VERIFIER = {
    "verifyPath": "/credentials/verify",
    "vpVerifyPath": "/presentations/verify",
    "didResolverPath": "/1.0/identifiers",
}
"""Served beside the issuers when no token is asked for."""


def described(url: str, issuers: dict[str, VcIssuer], *, has_verifier: bool) -> dict[str, object]:
    """Where everything is, as conformance runs want to be told."""
    return {
        "name": "testamur",
        "url": url,
        "headers": {},
        **(VERIFIER if has_verifier else {}),
        "issuers": {
            name: {
                "id": issuer.did,
                "path": f"{issuer.path}/credentials/issue",
                "statusPath": f"{issuer.path}/credentials/status",
                "options": {"cryptosuite": issuer.suite.name},
            }
            for name, issuer in issuers.items()
        },
    }


def _read_token(path: Path) -> str:
    return read_passphrase_file(path, key="token_file").reveal().decode()


async def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Serve until SIGINT or SIGTERM."""
    if arguments.config is None:
        token = None if arguments.token_file is None else _read_token(arguments.token_file)
        issuers = all_instances(arguments.seed, token)
    else:
        store = Keystore(arguments.keys, read_passphrase_file(arguments.passphrase_file))
        issuers = {issuer.id: issuer for issuer in load_issuers(arguments.config, store.load, _read_token)}
    options = IssuerServiceOptions(
        folder=folder,
        issuers=tuple(issuers.values()),
        documents=load_documents(arguments.documents),
        port=arguments.port,
        host=arguments.host,
        base_url=arguments.public_url,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with issuer_service(options, clock=lambda: datetime.now(UTC)) as server:
        is_open = any(issuer.token_digest is None for issuer in issuers.values())
        said = described(arguments.public_url or server.url, issuers, has_verifier=is_open)
        print(json.dumps(said), flush=True)
        await stopped.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=Path, metavar="FILE", help="document map: URL or DID to file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--public-url", default="", help="address under which others reach it")
    parser.add_argument("--seed", help="for the same keys, and so the same DIDs, at every start")
    parser.add_argument("--folder", type=Path, help="status lists and credentials; default: a temporary one")
    parser.add_argument("--config", type=Path, metavar="TOML", help="issuers of your own, with kept keys")
    parser.add_argument("--keys", type=Path, metavar="FOLDER", help="encrypted keys that --config names")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="of those keys, mode 0600")
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="without --config: one token for all instances"
    )
    arguments = parser.parse_args()
    if arguments.config is not None:
        needed = ("keys", "passphrase_file", "folder", "public_url")
        if missing := [name for name in needed if not getattr(arguments, name)]:
            parser.error(f"--config needs --{missing[0].replace('_', '-')}")
    if arguments.config is not None and arguments.token_file is not None:
        parser.error("--token-file opens every instance: in --config each issuer names its own token_file")
    if (
        arguments.config is None
        and arguments.token_file is None
        and arguments.host not in {"127.0.0.1", "::1", "localhost"}
    ):
        parser.error("without --token-file anybody could issue: listen on this machine only")
    configure_logs()
    try:
        if arguments.folder is not None:
            asyncio.run(run(arguments, arguments.folder))
        else:
            with tempfile.TemporaryDirectory(prefix="testamur-vc-") as folder:
                asyncio.run(run(arguments, Path(folder)))
    except (NodeError, RegistryError) as error:
        print(f"vc_api_server: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
