"""What an implementation does with a vector file: put the dossier together, judge it, compare."""

import copy
import json
from typing import Any

from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.timestamps import parse_timestamp
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import Step, verify_dossier


def file_of(vector: dict[str, Any], *, base: Any) -> bytes:
    """The bytes that a verifier gets: `text` as it is, a whole `dossier`, or the base with its patch."""
    if "text" in vector:
        return vector["text"].encode()
    return json.dumps(patched(base, vector["patch"]) if "patch" in vector else vector["dossier"]).encode()


def patched(document: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902 with `add`, `replace` and `remove`."""
    document = copy.deepcopy(document)
    for operation in operations:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
        ]
        place = document
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        if isinstance(place, list):
            key: Any = len(place) if last == "-" else int(last)
            if operation["op"] == "add":
                place.insert(key, operation["value"])
                continue
        else:
            key = last
        if operation["op"] != "add":
            _ = place[key]  # what is replaced or removed must be there, or the vector says nothing
        if operation["op"] == "remove":
            del place[key]
        else:
            place[key] = operation["value"]
    return document


def judge_vector(vector: dict[str, Any], *, base: Any, trust: Any) -> str | None:
    """What is wrong with this verifier's answer, or None when it is the expected one."""
    expected = vector["expected"]
    try:
        verdict = verify_dossier(
            file_of(vector, base=base),
            trust=parse_trust_file(canonicalize(trust)),
            now=parse_timestamp(vector["now"]),
            as_of=parse_timestamp(vector["asOf"]) if "asOf" in vector else None,
        )
    except MalformedError as error:
        return None if expected["outcome"] == "malformed" else f"malformed: {error}"
    found = (str(verdict.outcome), str(verdict.credential_status))
    wanted = (expected["outcome"], expected.get("credentialStatus"))
    checks = {int(check.step): (str(check.result), check.reason) for check in verdict.checks}
    if found != wanted:
        return f"{found} instead of {wanted}: {checks}"
    for check in expected["checks"]:
        if checks[Step(check["step"])] != (check["result"], check["reason"]):
            return f"check {check['step']} says {checks[check['step']]}"
    return None
