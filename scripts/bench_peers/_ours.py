"""What stands beside the peers: our issuing, signing and verifying of the same credentials."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # the whole registry in memory is a fake that the tests share

from _corpus import credential  # noqa: E402
from _report import microseconds  # noqa: E402
from evidence import MEASURED_SLOTS, dossier_with, forget  # noqa: E402
from issuing import NOW as ISSUED_AT  # noqa: E402
from issuing import Host  # noqa: E402

from fakes.whole_registry import NOW, trust  # noqa: E402
from testamur.node.issuing.batch import issue  # noqa: E402
from testamur.node.issuing.workspace import Settings, create_workspace  # noqa: E402
from testamur.registry.dossiers import encode_dossier  # noqa: E402
from testamur.registry.keys import Algorithm, SigningKey  # noqa: E402
from testamur.registry.multiformats import encode_multibase  # noqa: E402
from testamur.registry.proofs import proofs_of, secure_document, verify_document_proof  # noqa: E402
from testamur.registry.verification import Outcome, verify_dossier  # noqa: E402

SEED = bytes(range(32))
KEY = SigningKey.from_seed(Algorithm.ED25519, SEED)
DID = f"did:key:{KEY.public_key.to_multikey()}"
METHOD = f"{DID}#{KEY.public_key.to_multikey()}"
SECRET_MULTIKEY = encode_multibase("z", b"\x80\x26" + SEED)
CREATED = "2026-11-21T10:00:00Z"


class Ours:
    """Each method: microseconds of CPU per credential, the median of rounds."""

    def __init__(self, *, batch: int, few: int, rounds: int) -> None:
        self._rounds = rounds
        self._few = few
        documents = [credential(number) for number in range(batch)]
        self.batch_documents = [_without(document, "proof", "credentialStatus") for document in documents]
        self.few_documents = [
            {**document, "issuer": {**document["issuer"], "id": DID}, "validFrom": "2024-01-01T00:00:00Z"}
            for document in (_without(document, "proof") for document in documents[:few])
        ]
        self._dossier = encode_dossier(*dossier_with(MEASURED_SLOTS))
        self._trust = trust()
        if verify_dossier(self._dossier, trust=self._trust, now=NOW).outcome != Outcome.VALID:
            raise SystemExit("bench_peers: our dossier does not verify")
        self._signed = {
            suite: [self._sign(document, suite) for document in self.few_documents]
            for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022")
        }

    def issue_batch(self) -> float:
        """Read, check, number, sign, write and sync, record, submit (the host is in memory)."""
        with tempfile.TemporaryDirectory() as name:
            folder, numbers = Path(name), count(1)
            settings = Settings(
                registry="registry.example",
                slug="ada",
                did="did:web:ada.example",
                name="Université Ada Lovelace",
                controller="0x" + "1a" * 20,
                status_base="https://status.ada.example",
            )
            following = SigningKey.from_seed(Algorithm.ED25519, bytes(31) + b"\1")
            workspace = create_workspace(
                folder / "ada",
                settings,
                key=KEY,
                next_keys=[following.public_key],
                now=ISSUED_AT,
                random_bytes=os.urandom,
            )

            def table() -> Path:
                number = next(numbers)
                path = folder / f"{number}.ndjson"
                with path.open("w", encoding="utf-8") as file:
                    for document in self.batch_documents:
                        # An id is issued once, so every round leaves it to the issuer.
                        named = {**_without(document, "id"), "name": f"{document['name']} {number}"}
                        file.write(json.dumps(named, ensure_ascii=False) + "\n")
                return path

            def one(path: Path) -> None:
                issue(
                    workspace,
                    table_path=path,
                    template=None,
                    folder=path.with_suffix(""),
                    key=KEY,
                    port=Host(),
                    now=ISSUED_AT,
                )

            one(table())
            return statistics.median(
                microseconds(partial(one, table()), len(self.batch_documents)) for _ in range(self._rounds)
            )

    def sign_rdfc(self) -> float:
        """eddsa-rdfc-2022."""
        return self._median(
            lambda: [self._sign(document, "eddsa-rdfc-2022") for document in self.few_documents]
        )

    def verify_rdfc(self) -> float:
        """The proof alone."""
        return self._median(lambda: self._verify("eddsa-rdfc-2022"))

    def verify_jcs(self) -> float:
        """The proof alone."""
        return self._median(lambda: self._verify("eddsa-jcs-2022"))

    def verify_first(self) -> float:
        """A whole dossier under ten thousand slots, every signature and every trie node computed."""

        def all_of_them() -> None:
            for _ in range(self._few):
                forget()
                verify_dossier(self._dossier, trust=self._trust, now=NOW)

        return self._median(all_of_them)

    def verify_next(self) -> float:
        """The same when another dossier of the same log was verified before."""

        def all_of_them() -> None:
            for _ in range(self._few):
                verify_dossier(self._dossier, trust=self._trust, now=NOW)

        return self._median(all_of_them)

    def _median(self, work: Any) -> float:
        work()
        return statistics.median(microseconds(work, self._few) for _ in range(self._rounds))

    @staticmethod
    def _sign(document: dict[str, Any], suite: str) -> dict[str, Any]:
        signed = secure_document(
            document, KEY, verification_method=METHOD, created=CREATED, cryptosuite=suite
        )
        return dict(signed.document)

    def _verify(self, suite: str) -> None:
        for document in self._signed[suite]:
            verify_document_proof(document, proofs_of(document)[0], KEY.public_key)


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
