"""43 credentials that others signed, judged as `/credentials/verify` does: 30 accepted, 13 refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from testamur.registry.vc_verification import ALL_CHECKS, verify_credential
from testamur.registry.verification.verdict import CredentialStatus

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

REASONS = {"expired": "expired", "revoked": "revoked-by-list"}
"""The note of a refused case → what has to be the matter, and nothing else."""


@pytest.fixture(scope="module")
def folder(vectors: Path) -> Path:
    return vectors / "http-cases"


@pytest.fixture(scope="module")
def documents(folder: Path) -> dict[str, Any]:
    table = json.loads((folder / "document-map.json").read_bytes())
    return {name: json.loads((folder / file).read_bytes()) for name, file in table.items()}


@pytest.fixture(scope="module")
def cases(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "cases.jsonl").read_text("utf-8").splitlines()]


def judge(case: dict[str, Any], folder: Path, documents: dict[str, Any]) -> Any:
    document = json.loads((folder / case["file"]).read_bytes())
    checks = case["options"].get("checks", ALL_CHECKS)
    return verify_credential(document, documents=documents, now=NOW, checks=checks)


def test_every_case_gets_the_expected_verdict_for_the_expected_reason(
    cases: list[dict[str, Any]], folder: Path, documents: dict[str, Any]
) -> None:
    wrong: list[tuple[str, Any]] = []
    counted = {"accept": 0, "reject": 0}
    for case in cases:
        result = judge(case, folder, documents)
        reasons = [problem.reason for problem in result.problems]
        wanted = [] if case["expect"] == "accept" else [REASONS[case["note"]]]
        if (result.verified, reasons) != (case["expect"] == "accept", wanted):
            wrong.append((case["id"], reasons))
        counted[case["expect"]] += 1
    assert wrong == []
    assert counted == {"accept": 30, "reject": 13}


def test_every_case_with_a_byte_of_its_signature_changed_is_refused(
    cases: list[dict[str, Any]], folder: Path, documents: dict[str, Any]
) -> None:
    for case in cases:
        document = json.loads((folder / case["file"]).read_bytes())
        proofs = document["proof"] if isinstance(document["proof"], list) else [document["proof"]]
        value = proofs[-1]["proofValue"]
        proofs[-1]["proofValue"] = value[:20] + ("2" if value[20] != "2" else "3") + value[21:]
        result = verify_credential(document, documents=documents, now=NOW, checks=["proof"])
        assert not result.verified, case["id"]
        assert not all(proof.verified for proof in result.proofs), case["id"]


def test_without_the_documents_nothing_that_needs_them_is_accepted(
    cases: list[dict[str, Any]], folder: Path
) -> None:
    for case in cases:
        if "did:web" in case["features"]:
            result = judge(case, folder, {})
            assert not result.verified
            assert result.status is not CredentialStatus.REVOKED


def test_whose_key_it_is_counts_unless_only_the_proof_is_asked(
    cases: list[dict[str, Any]], folder: Path, documents: dict[str, Any]
) -> None:
    only_proof = [case for case in cases if case["options"]]
    assert len(only_proof) == 14
    for case in only_proof:
        result = judge({**case, "options": {}}, folder, documents)
        assert "issuer-key-mismatch" in [problem.reason for problem in result.problems], case["id"]
