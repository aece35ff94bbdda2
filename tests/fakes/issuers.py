"""Issuers to test with: fixed keys, a random source that repeats itself, a workspace, a host in memory."""

import functools
import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.errors import PeerUnreachable
from testamur.node.issuing.workspace import Settings, Workspace, create_workspace, open_workspace
from testamur.registry.canonical import Json
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import FIRST_POSITION, Position
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.publications import Publication, parse_bundle, verify_bundle

REGISTRY = "registry.example"
DID = "did:web:ada.example"
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SAMPLES = Path(__file__).resolve().parents[2] / "scripts" / "samples"


def signing_key(number: int) -> SigningKey:
    """The same key for the same number, on every run."""
    return SigningKey.from_seed(Algorithm.ED25519, hashlib.sha256(f"test key {number}".encode()).digest())


class RepeatableRandom:
    """Bytes that look random and are the same on every run."""

    def __init__(self, seed: str = "seed") -> None:
        self._state = hashlib.shake_256(seed.encode())
        self._taken = 0

    def __call__(self, count: int) -> bytes:
        self._taken += 1
        return hashlib.shake_256(self._state.digest(32) + self._taken.to_bytes(8, "big")).digest(count)


SETTINGS = Settings(
    registry=REGISTRY,
    slug="ada",
    did=DID,
    name="University of Ada",
    controller="0x" + "1a" * 20,
    status_base="https://status.ada.example",
)


def make_workspace(folder: Path, settings: Settings = SETTINGS) -> Workspace:
    """A fresh workspace that issues with key 1 and has committed to key 2."""
    return create_workspace(
        folder,
        settings,
        key=signing_key(1),
        next_keys=[signing_key(2).public_key],
        now=NOW,
        random_bytes=RepeatableRandom(str(folder)),
    )


@functools.cache
def _pattern() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="testamur-workspace-")
    make_workspace(Path(folder.name) / "ada").close()
    return folder


def copy_workspace(folder: Path) -> Workspace:
    """The same as `make_workspace`, faster: shuffling a deck takes a while, and one deck is like another."""
    shutil.copytree(Path(_pattern().name) / "ada", folder)
    return open_workspace(folder)


class MemoryHost:
    """A hosting node that keeps the rules of `RegistryPort`, and can be told to be unreachable.

    `fail_submit_after` and `fail_publish_after` count calls that succeed first; `lose_answer` applies the
    call and then pretends that nothing was heard.
    """

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self.leaves: dict[bytes, int] = {}
        self.submissions: list[list[bytes]] = []
        self.bundles: list[Mapping[str, Json]] = []
        self.fail_submit_after: int | None = None
        self.fail_publish_after: int | None = None
        self.lose_answer = False
        self.key_chains: tuple[KeyChainRecord, ...] | None = None
        """What the contract has recorded of the issuer's recoveries, once this host has looked."""

    def submit(self, slug: str, digests: Sequence[bytes]) -> list[tuple[bytes, int]]:
        failing = self.fail_submit_after is not None and len(self.submissions) >= self.fail_submit_after
        if not failing or self.lose_answer:
            self.submissions.append(list(digests))
            for digest in digests:
                self.leaves.setdefault(digest, 4 + len(self.leaves))
        if failing:
            raise PeerUnreachable("the host does not answer")
        return [(digest, self.leaves[digest]) for digest in digests]

    def publish(self, slug: str, bundle: Mapping[str, Json]) -> int:
        failing = self.fail_publish_after is not None and len(self.bundles) >= self.fail_publish_after
        if not failing or self.lose_answer:
            self.bundles.append(bundle)
            self.publication = verify_bundle(
                self.publication,
                parse_bundle(dict(bundle)),
                did=self.publication.statement.issuer,
                published=FIRST_POSITION,
                logged=Position(1, 1_000_000),
                key_chains=self.key_chains,
            )
        if failing:
            raise PeerUnreachable("the host does not answer")
        return self.publication.statement.sequence
