"""C2SP/wycheproof: Ed25519 signatures that must verify, and edge cases that must not; counted apart."""

import json

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.keys import Algorithm, parse_public_key


def verifies(key_hex, case):
    try:
        key = parse_public_key(Algorithm.ED25519, bytes.fromhex(key_hex))
        key.verify(bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
    except (MalformedError, VerificationError):
        return False
    return True


def test_88_signatures_verify_and_63_do_not(vectors):
    document = json.loads((vectors / "wycheproof" / "ed25519_test.json").read_text())
    cases = [(group["publicKey"]["pk"], case) for group in document["testGroups"] for case in group["tests"]]
    valid = [(key, case) for key, case in cases if case["result"] == "valid"]
    invalid = [(key, case) for key, case in cases if case["result"] == "invalid"]
    assert (len(valid), len(invalid), len(cases)) == (88, 63, 151)
    assert [case["tcId"] for key, case in valid if not verifies(key, case)] == []
    assert [case["tcId"] for key, case in invalid if verifies(key, case)] == []
