"""What this implementation says of a vector of trust file successions."""

import json

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.trust import parse_trust_file
from testamur.registry.trust_successions import advance


def judge_trust_vector(vector, trust):
    """What differs from the expectation, in words; None when nothing does."""
    expected = vector["expected"]
    try:
        start = parse_trust_file(json.dumps(trust).encode())
        versions = [parse_trust_file(json.dumps(item).encode()) for item in vector["successions"]]
        found = {"outcome": "proven", "sequence": advance(start, versions).sequence}
    except MalformedError:
        found = {"outcome": "malformed"}
    except VerificationError as error:
        found = {"outcome": "refused", "reason": error.reason}
    return None if found == expected else f"is {found}, and should be {expected}"
