"""A node as the verifier page sees it, over a whole registry in memory; verified by the very same code."""

import copy
from datetime import timedelta

from fakes.whole_registry import NOW, World, trust_document
from testamur.node.api.ports import IssuerSummary, Sample
from testamur.registry.canonical import canonicalize
from testamur.registry.dossiers import encode_dossier, split_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import verify


def dossiers():
    """One dossier for each thing that the page has words for."""
    good = World().dossier()
    tampered = copy.deepcopy(good)
    tampered["credential"]["credentialSubject"]["result"][0]["value"] = "A"
    return {
        "good": good,
        "tampered": tampered,
        "unanchored": World(anchored=False).dossier(),
        "bare": {"credential": World().dossier()["credential"], "evidence": None},
        "revoked": World(revoked=(7,)).dossier(),
        "suspended": World(suspended=(7,)).dossier(),
        "closed": World(lifecycle=Lifecycle.CLOSED).dossier(),
    }


def end_of(day, now):
    """The last second of a day, or now if that day is not over."""
    return min(now.replace(year=day.year, month=day.month, day=day.day, hour=23, minute=59, second=59), now)


class PageNode:
    """The part of NodePort that the page asks; counts what it was asked, and keeps nothing else."""

    def __init__(self, *, development=False, now=NOW, is_evidence_known=False):
        self.trust_bytes = canonicalize({**trust_document(), "development": development})
        self.trust = parse_trust_file(self.trust_bytes)
        self.now = now
        self.known = World() if is_evidence_known else None
        self.offered = ()
        self.failure = None

    async def judge(self, document, day):
        if self.failure:
            raise self.failure
        credential, evidence = split_dossier(document)
        if day is not None and day > self.now.date():
            raise MalformedError("the date", "lies in the future; nothing can be proven about it")
        parsed = parse_evidence(evidence) if evidence is not None else None
        as_of = None if day is None else end_of(day, self.now)
        return verify(credential, parsed, trust=self.trust, now=self.now, as_of=as_of)

    async def evidence(self, digest):
        if self.known is None or digest != self.known.digest:
            return None
        return canonicalize(self.known.evidence())

    async def trust_file(self):
        return self.trust_bytes

    async def samples(self):
        return self.offered

    async def issuers(self, after="", limit=1000):
        return [
            IssuerSummary(
                slug="ada",
                did="did:web:ada.example",
                name="University of Ada",
                lifecycle="active",
                epoch=1,
                origin="registry.example/ada/1",
                log_id=bytes(32),
                verifier_key="registry.example/ada/1+01020304+AQID",
                size=1205,
                anchored_size=1205,
                statement_sequence=7,
            )
        ]


def sample(name, title, note, dossier):
    return Sample(
        name=name, title=title, note=note, file=encode_dossier(dossier["credential"], dossier["evidence"])
    )


def later(days):
    return NOW + timedelta(days=days)
