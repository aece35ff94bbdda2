"""`node doctor`: everything that a node stands on, looked at from outside, each finding with its cure.

Works beside a running node and without one; changes nothing.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from testamur.node.errors import NodeError, StoreLocked
from testamur.node.fetch.registry import RegistryClient
from testamur.node.files import read_file
from testamur.node.index.store import Index
from testamur.node.keystore.store import Keystore
from testamur.node.service.chain_findings import examine_chain
from testamur.node.service.config import NodeConfig, load_config
from testamur.node.service.findings import Finding, fail, ok, warn
from testamur.node.service.folders import NodeFolders
from testamur.node.service.opening import application_slugs
from testamur.node.service.roles import ATTESTATION, MIRROR, OPERATOR, WITNESS
from testamur.node.service.tokens import TokenStore
from testamur.registry.errors import MalformedError, RegistryError
from testamur.registry.shapes import Shape
from testamur.registry.trust import MAX_TRUST_FILE_BYTES, parse_trust_file
from testamur.registry.verification.words import counted

WARN_FREE_BYTES = 2 << 30
"""A year of a large university: a million entries, their tiles and documents."""

FAIL_FREE_BYTES = 200 << 20
"""Below it, the next large batch may be the one that does not fit."""

SOON = timedelta(days=30)
NEEDED_KEYS = (WITNESS, MIRROR, ATTESTATION, OPERATOR)


async def examine(
    root: Path,
    *,
    clock: Callable[[], datetime],
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
) -> list[Finding]:
    """Every finding about the node in `root`, in the order in which one would mend them."""
    try:
        config = load_config(root)
    except NodeError as error:
        return [fail("settings", str(error), "mend the file, or make a node with `testamur init`")]
    findings = [ok("settings", f"{config.member} of {config.registry}, in {root}")]
    findings += _disk(root, free_bytes)
    findings += _keys(root)
    findings += _trust(root, config)
    findings += _tokens(root, clock())
    findings += await examine_chain(root, config, clock())
    is_running, seen = _running(config)
    findings += seen
    findings += _index(root, is_running=is_running)
    findings += _peers(root, config)
    return findings


def _disk(root: Path, free_bytes: Callable[[Path], int]) -> Iterator[Finding]:
    try:
        with tempfile.TemporaryFile(dir=root) as probe:
            probe.write(bytes(4096))
            probe.flush()
    except OSError as error:
        cure = f"give this user access to {root}, or run as the user who owns it; free space if it is full"
        yield fail("disk", f"{root} cannot be written ({error.strerror})", cure)
        return
    free = free_bytes(root)
    seen = f"{free / (1 << 30):.1f} GiB free, writable"
    cure = "free space or move the data folder to a larger disk; a full disk stops issuing, and loses nothing"
    if free < FAIL_FREE_BYTES:
        yield fail("disk", seen, cure)
    else:
        yield warn("disk", seen, cure) if free < WARN_FREE_BYTES else ok("disk", seen)


def _keys(root: Path) -> Iterator[Finding]:
    store = Keystore(NodeFolders(root).keys)
    try:
        names = {info.name for info in store.list()}
    except (NodeError, OSError) as error:
        yield fail("keys", str(error), "restore the folder keys/ from its backup")
        return
    missing = [name for name in NEEDED_KEYS if name not in names]
    if missing:
        cure = "restore the folder keys/ from its backup; a node without them cannot take part"
        yield fail("keys", f"missing: {', '.join(missing)}", cure)
        return
    open_ones = [
        path.name
        for path in [store.folder, *(store.path(name) for name in sorted(names))]
        if path.stat().st_mode & 0o077
    ]
    if open_ones:
        cure = f"chmod 700 {store.folder} && chmod 600 {store.folder}/*"
        yield warn("keys", f"open to other users: {', '.join(open_ones)}", cure)
    else:
        yield ok("keys", f"{counted(len(names), 'key')}, encrypted, for this user alone")


def _trust(root: Path, config: NodeConfig) -> Iterator[Finding]:
    path = NodeFolders(root).trust
    cure = f"found a registry (`testamur council found`), or put your registry's trust file at {path}"
    try:
        data = read_file(path, max_bytes=MAX_TRUST_FILE_BYTES)
        if data is None:
            yield fail("trust file", f"there is none at {path}", cure)
            return
        trust = parse_trust_file(data)
    except (NodeError, RegistryError) as error:
        yield fail("trust file", str(error), cure)
        return
    if trust.registry != config.registry:
        yield fail("trust file", f"is of {trust.registry}, not of {config.registry}", cure)
    else:
        yield ok("trust file", f"version {trust.sequence}, fingerprint {trust.fingerprint}")


def _tokens(root: Path, now: datetime) -> Iterator[Finding]:
    folders = NodeFolders(root)
    hosted = application_slugs(folders)
    if not hosted:
        yield ok("tokens", "no issuer is hosted here")
        return
    try:
        tokens = [token for token in TokenStore(folders.tokens).tokens() if token.state(now) == "active"]
    except NodeError as error:
        yield fail("tokens", str(error), "restore tokens.json, or give every issuer a new token")
        return
    without = [slug for slug in hosted if not any(token.slug == slug for token in tokens)]
    ends = {
        slug: max((t.expires or now + 2 * SOON for t in tokens if t.slug == slug), default=now)
        for slug in hosted
    }
    ending = [slug for slug in hosted if slug not in without and ends[slug] - now < SOON]
    if without:
        cure = f"`testamur issuer token create --issuer {without[0]}`, unless it shall not submit"
        yield warn("tokens", f"without a good token: {', '.join(without)}", cure)
    elif ending:
        cure = f"`testamur issuer token create --issuer {ending[0]}`, and hand it over"
        yield warn("tokens", f"ending within {SOON.days} days: {', '.join(ending)}", cure)
    else:
        yield ok("tokens", f"{len(tokens)} good for {counted(len(hosted), 'issuer')}")


def _running(config: NodeConfig) -> tuple[bool, list[Finding]]:
    url = f"http://{config.host}:{config.port}"
    try:
        with RegistryClient(url) as client:
            ready = Shape(client.readiness(), "readiness")
        status, parts = ready.any("status"), ready.any("parts")
    except (NodeError, MalformedError) as error:
        if config.port == 0:
            return False, [
                warn("node", "its port is chosen by the system", "ask `testamur node status --url`")
            ]
        return False, [warn("node", f"not running: {error}", "`testamur node run`, or start its service")]
    if status == "ready":
        return True, [ok("node", f"running and ready at {url}")]
    wrong = (
        [f"{name}: {state}" for name, state in parts.items() if state != "ok"]
        if isinstance(parts, dict)
        else []
    )
    return True, [warn("node", f"running, not ready ({'; '.join(wrong)})", "see `testamur node status`")]


def _index(root: Path, *, is_running: bool) -> Iterator[Finding]:
    folder = NodeFolders(root).index
    if is_running:
        yield ok("index", "in use by the running node, which refuses to start on a bad one")
        return
    if not folder.is_dir():
        yield ok("index", "not made yet; the node makes it when it starts")
        return
    try:
        Index(folder).close()
    except StoreLocked:
        yield ok("index", "in use by a running node")
    except NodeError as error:
        yield fail("index", str(error), "`testamur node reindex` builds it anew from files and chain")
    else:
        yield ok("index", "opens")


def _peers(root: Path, config: NodeConfig) -> Iterator[Finding]:
    try:
        trust = parse_trust_file(read_file(NodeFolders(root).trust, max_bytes=MAX_TRUST_FILE_BYTES) or b"")
    except (NodeError, RegistryError):
        return  # told by the finding about the trust file
    others = [member for member in trust.members if member.name != config.member]
    if not others:
        yield ok("peers", "this member is alone: nobody else can cosign, and nobody needs to")
    for member in others:
        name = f"peer {member.name}"
        if member.url is None:
            yield warn(name, "the trust file has no address for it", "ask the council to add it")
            continue
        try:
            with RegistryClient(member.url) as client:
                client.readiness()
        except (NodeError, RegistryError) as error:
            yield warn(name, str(error), "ask its operator; a quorum of the others is enough to go on")
        else:
            yield ok(name, f"answers at {member.url}")
