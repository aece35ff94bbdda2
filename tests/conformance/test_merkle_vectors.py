"""transparency-dev/merkle: RFC 6962 proofs that must hold, and damaged ones that must not; counted apart."""

import base64
import json

from testamur.registry.errors import VerificationError
from testamur.registry.merkle import verify_consistency, verify_inclusion


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def raw(text):
    return base64.b64decode(text or "")


def inclusion(case):
    proof = [raw(item) for item in case["proof"] or []]
    verify_inclusion(raw(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, raw(case["root"]))


def consistency(case):
    proof = [raw(item) for item in case["proof"] or []]
    verify_consistency(case["size1"], raw(case["root1"]), case["size2"], raw(case["root2"]), proof)


def outcomes(cases, verify):
    """The cases that must hold and were refused, and those that must not and were accepted."""
    refused, accepted = [], []
    for case in cases:
        try:
            verify(case)
        except VerificationError:
            refused.append(case)
        else:
            accepted.append(case)
    return [case for case in refused if not case["wantErr"]], [case for case in accepted if case["wantErr"]]


def test_all_6_inclusion_proofs_hold_and_all_92_damaged_ones_are_refused(vectors):
    cases = read(vectors / "merkle" / "inclusion.jsonl")
    assert [case["wantErr"] for case in cases].count(False) == 6
    assert [case["wantErr"] for case in cases].count(True) == 92
    assert outcomes(cases, inclusion) == ([], [])


def test_all_6_consistency_proofs_hold_and_all_92_damaged_ones_are_refused(vectors):
    # One of the 92 goes from size 0 to 1 without a proof. That alone is no fault here, it is how C2SP
    # tlog-witness starts a log; it is refused because its second root is not a hash.
    cases = read(vectors / "merkle" / "consistency.jsonl")
    assert [case["wantErr"] for case in cases].count(False) == 6
    assert [case["wantErr"] for case in cases].count(True) == 92
    assert outcomes(cases, consistency) == ([], [])
