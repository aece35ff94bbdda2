"""A node as the HTTP interface sees it: in memory, with the refusals a test asks for."""

from collections import defaultdict

from fakes.whole_registry import trust_document
from testamur.node.api.models import Challenge
from testamur.node.api.ports import (
    AcceptedStatement,
    IssuerSummary,
    LoggedAt,
    PrefixAnswer,
    PublishedDocument,
    Readiness,
    SealedHead,
    Submission,
    TokenHolder,
    TokenRefused,
)
from testamur.registry.canonical import canonicalize
from testamur.registry.hashing import sha256
from testamur.registry.trust_successions import encode_successions

ORIGIN = "registry.example/ada/1"
LOG_ID = sha256(ORIGIN.encode())
TOKEN = "ada-token-0123456789"
OTHER_TOKEN = "bob-token-0123456789"
EXPIRED_TOKEN = "old-token-0123456789"

EVIDENCE = b'{"anchors":[],"entries":[],"logs":{},"type":"TestamurEvidence","version":1}'
CHECKPOINT = b"registry.example/ada/1\n3\nRoot=\n\n\xe2\x80\x94 registry.example/ada/1 c2lnbmF0dXJl\n"
TILE = bytes(range(32)) * 3
DOCUMENT = b'{"type":"Statement","version":1}'
STATUS_LIST = b'{"type":["VerifiableCredential","BitstringStatusListCredential"]}'
TRUST_FILE = canonicalize(trust_document())


class FakeNode:
    """Implements NodePort; `fail` makes the next calls of a method raise, `calls` records what was asked."""

    def __init__(self):
        self.leaves = {}
        self.calls = defaultdict(list)
        self.failures = {}
        self.ready = Readiness(is_ready=True, parts={"store": "ok", "chain": "ok"})
        self.has_trust_file = True
        self.slugs = {"ada"}

    def fail(self, method, error):
        self.failures[method] = error

    def _called(self, method, *arguments):
        self.calls[method].append(arguments)
        if method in self.failures:
            raise self.failures[method]

    async def authenticate(self, token):
        if token == EXPIRED_TOKEN:
            raise TokenRefused("this token has expired")
        slug = {TOKEN: "ada", OTHER_TOKEN: "bob"}.get(token)
        return None if slug is None else TokenHolder(slug=slug, token_id=slug * 4)

    async def submit(self, slug, digests):
        self._called("submit", slug, list(digests))
        before = len(self.leaves)
        indexes = [self.leaves.setdefault(digest, len(self.leaves)) for digest in digests]
        return Submission(origin=ORIGIN, leaf_indexes=indexes, new=len(self.leaves) - before)

    async def publish_statement(self, slug, bundle):
        self._called("publish_statement", slug, bundle)
        return AcceptedStatement(sequence=2, digest=sha256(b"statement"))

    async def seal(self, slug):
        self._called("seal", slug)
        return SealedHead(
            origin=ORIGIN, size=len(self.leaves) + 1, statement_sequence=1, checkpoint=CHECKPOINT
        )

    async def find_credential(self, digest):
        self._called("find_credential", digest)
        if digest not in self.leaves:
            return []
        return [LoggedAt(origin=ORIGIN, leaf_index=self.leaves[digest], state="sealed")]

    async def find_prefix(self, prefix_hex):
        self._called("find_prefix", prefix_hex)
        found = [(digest, [(ORIGIN, index)]) for digest, index in sorted(self.leaves.items())]
        return PrefixAnswer(prefix="", is_everything=True, found=found)

    async def evidence(self, digest):
        self._called("evidence", digest)
        return EVIDENCE if digest in self.leaves else None

    async def log_evidence(self, slug, epoch, *, newest):
        self._called("log_evidence", slug, epoch, newest)
        return EVIDENCE if slug == "ada" and epoch in (None, 1) else None

    async def verify(self, document, as_of):
        self._called("verify", document, as_of)
        return {"outcome": "invalid", "checks": []}

    async def challenge(self, domain):
        self._called("challenge", domain)
        return Challenge(challenge="uAAAA", domain=domain or "node.example", expires="2026-11-21T10:10:00Z")

    async def present(self, document, challenge, domain):
        self._called("present", document, challenge, domain)
        return {"outcome": "invalid", "credentials": []}

    async def samples(self):
        return ()

    async def trust_file(self):
        self._called("trust_file")
        return TRUST_FILE if self.has_trust_file else None

    async def trust_successions(self, after):
        self._called("trust_successions", after)
        return encode_successions("registry.example", 1, [])

    async def issuers(self, after="", limit=1000):
        self._called("issuers", after, limit)
        slugs = [slug for slug in sorted(self.slugs) if slug > after]
        return [await self.issuer(slug) for slug in slugs[:limit]]

    async def issuer(self, slug):
        self._called("issuer", slug)
        if slug not in self.slugs:
            return None
        return IssuerSummary(
            slug=slug,
            did="did:web:ada.example",
            name=None,
            lifecycle="active",
            epoch=1,
            origin=ORIGIN,
            log_id=LOG_ID,
            verifier_key="registry.example/ada/1+01020304+AQID",
            size=3,
            anchored_size=2,
            statement_sequence=1,
        )

    async def document(self, digest):
        self._called("document", digest)
        return DOCUMENT if digest == sha256(DOCUMENT) else None

    async def documents_of(self, slug, after, limit):
        self._called("documents_of", slug, after, limit)
        if slug not in self.slugs:
            return None
        every = [
            PublishedDocument(
                id=f"https://ada.example/{number}", digest=sha256(b"%d" % number), kind="document"
            )
            for number in range(5)
        ]
        return 1, [item for item in every if f"{item.kind}:{item.id}" > after][:limit]

    async def status_list(self, list_id, issuer, at):
        self._called("status_list", list_id, issuer, at)
        return STATUS_LIST if list_id == "https://ada.example/status/revocation/1" else None

    async def own_status_list(self, slug, purpose, number):
        self._called("own_status_list", slug, purpose, number)
        return STATUS_LIST if (slug, purpose, number) == ("ada", "revocation", 1) else None

    async def checkpoint(self, log_id):
        self._called("checkpoint", log_id)
        return CHECKPOINT if log_id == LOG_ID else None

    async def tile(self, log_id, tile):
        self._called("tile", log_id, tile)
        return TILE if (log_id, tile.path) == (LOG_ID, "tile/0/000.p/3") else None

    async def readiness(self):
        self._called("readiness")
        return self.ready

    async def metrics(self, traffic):
        self._called("metrics")
        return b"# HELP testamur_http_requests_total\n"
