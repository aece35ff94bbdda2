"""eddsa-rdfc-2022: canonical RDF beside pyld and beside its own hashing; signing and verifying beside npm's.

The npm verifier (@digitalbazaar/vc, a development dependency) runs in the same minute on the same
credentials, and each side verifies what the other signed before anything is measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

from _corpus import credential
from _report import ROUNDS, Row, compare, microseconds, not_measured, report

from testamur.registry.contexts import BUNDLED, find_context
from testamur.registry.errors import VerificationError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.multiformats import encode_multibase
from testamur.registry.proofs import proofs_of, secure_document, verify_document_proof
from testamur.registry.rdf.by_processor import quads_by_processor
from testamur.registry.rdf.canonical import canonicalize_quads
from testamur.registry.rdfc import canonicalize_rdf

COUNT = 60
CREATED = "2026-11-21T10:00:00Z"
ROOT = Path(__file__).resolve().parent.parent.parent
KEY = SigningKey.from_seed(Algorithm.ED25519, bytes(range(32)))
DID = f"did:key:{KEY.public_key.to_multikey()}"
METHOD = f"{DID}#{KEY.public_key.to_multikey()}"
PEER_GOAL = "peer/ours ≥ 5"


def main() -> None:
    """Print the table; first make sure that all of them compute the same."""
    documents = [unsigned(number) for number in range(COUNT)]
    forms = [canonicalize_rdf(document) for document in documents]
    if forms != [by_pyld(document) for document in documents]:
        raise SystemExit("rdfc: the canonical form differs from pyld's")
    hashed = [first_degree_texts(form) for form in forms]
    signed = [sign(document) for document in documents]
    quads = forms[0].count(b"\n")
    size = len(json.dumps(signed[0], ensure_ascii=False).encode())
    rows = [
        compare(
            f"canonical RDF of a credential of {size} B, {quads} quads",
            ours=lambda: [canonicalize_rdf(document) for document in documents],
            limit=lambda: [by_pyld(document) for document in documents],
            beside="pyld, contexts kept",
            count=COUNT,
            at_least=5,
        ),
        compare(
            "the same, beside sorting and hashing its lines",
            ours=lambda: [canonicalize_rdf(document) for document in documents],
            limit=lambda: [raw_hashing(texts) for texts in hashed],
            beside="raw limit",
            count=COUNT,
            at_most=10,
        ),
        *beside_npm(documents, signed),
        poison(),
    ]
    report(rows)


def poison() -> Row:
    """A clique of ten blank nodes in a credential: how long until it is refused."""
    knows = "https://a.example/knows"
    people = [
        {"id": f"_:n{one}", knows: [{"id": f"_:n{two}"} for two in range(10) if two != one]}
        for one in range(10)
    ]
    document = {**unsigned(0), "credentialSubject": people}

    def refuse() -> None:
        try:
            canonicalize_rdf(document)
        except VerificationError:
            return
        raise SystemExit("rdfc: the poison graph was not refused")

    taken = statistics.median(microseconds(refuse, 1) for _ in range(ROUNDS))
    return Row(
        what="poison graph refused",
        unit="µs",
        ours=taken,
        beside="goal",
        limit=50_000,
        ratio=taken / 50_000,
        goal="≤ 50 ms",
        met=taken <= 50_000,
    )


def unsigned(number: int) -> dict[str, Any]:
    """The corpus's credential, issued by our key's DID and without a proof."""
    document = {name: value for name, value in credential(number).items() if name != "proof"}
    return {**document, "issuer": {**document["issuer"], "id": DID}, "validFrom": "2024-01-01T00:00:00Z"}


def sign(document: dict[str, Any]) -> dict[str, Any]:
    """The credential with an eddsa-rdfc-2022 proof."""
    signed = secure_document(
        document, KEY, verification_method=METHOD, created=CREATED, cryptosuite="eddsa-rdfc-2022"
    )
    return dict(signed.document)


def by_pyld(document: dict[str, Any]) -> bytes:
    """The canonical form by the processor's road; faster than bare pyld, which compiles contexts anew."""
    return canonicalize_quads(quads_by_processor(document))


def first_degree_texts(form: bytes) -> list[list[str]]:
    """The lines that mention each blank node: what first-degree hashing has to sort and hash."""
    lines: dict[str, list[str]] = {}
    for line in form.decode().splitlines(keepends=True):
        for word in {word for word in line.split(" ") if word.startswith("_:")}:
            lines.setdefault(word, []).append(line)
    return [*lines.values(), form.decode().splitlines(keepends=True)]


def raw_hashing(texts: list[list[str]]) -> None:
    """Sort, join and hash: no walk, no contexts, no relabelling."""
    for lines in texts:
        hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def beside_npm(documents: list[dict[str, Any]], signed: list[dict[str, Any]]) -> list[Row]:
    """Issue and verify beside @digitalbazaar/vc, or why that was not measured."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "@digitalbazaar" / "vc").is_dir():
        why = "@digitalbazaar/vc (npm ci)"
        return [not_measured(f"eddsa-rdfc {what}", why, PEER_GOAL) for what in ("issue", "verify")]
    secret = encode_multibase("z", b"\x80\x26" + bytes(range(32)))
    public = KEY.public_key.to_multikey()
    key = {"type": "Multikey", "id": METHOD, "controller": DID, "publicKeyMultibase": public}
    given = {
        "contexts": {url: find_context(url) for url in BUNDLED},
        "credentials": documents,
        "signed": signed,
        "rounds": ROUNDS,
    }
    done = subprocess.run(
        [node, str(Path(__file__).with_name("_rdfc_peer.mjs"))],
        input=json.dumps(given).encode(),
        capture_output=True,
        env={**os.environ, "BENCH_KEY": json.dumps({**key, "secretKeyMultibase": secret})},
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"rdfc: the npm verifier disagrees: {done.stderr.decode()[-2000:]}")
    theirs = json.loads(done.stdout)
    for document in theirs["theirs"]:
        verify(document)
    ours = {
        "issue": lambda: [sign(document) for document in documents],
        "verify": lambda: [verify(document) for document in signed],
    }
    rows = []
    for what, work in ours.items():
        mine = statistics.median(microseconds(work, COUNT) for _ in range(ROUNDS))
        other = statistics.median(theirs[what])
        rows.append(
            Row(
                what=f"eddsa-rdfc {what}",
                unit="µs",
                ours=mine,
                beside="@digitalbazaar/vc",
                limit=other,
                ratio=other / mine,
                goal=PEER_GOAL,
                met=other / mine >= 5,
            )
        )
    return rows


def verify(document: dict[str, Any]) -> None:
    """The proof of a credential, as the node checks it."""
    verify_document_proof(document, proofs_of(document)[0], KEY.public_key)


if __name__ == "__main__":
    main()
