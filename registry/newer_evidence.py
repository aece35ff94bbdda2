"""Which of two pieces of evidence about one credential is newer, and what would be lost by taking it."""

from collections.abc import Collection

from testamur.registry.canonical import Json
from testamur.registry.earlier_evidence import keep_earlier
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MAX_ANCHORS, MAX_ENTRIES, LogEvidence, parse_evidence
from testamur.registry.record_keeping import records_of, with_records
from testamur.registry.shapes import Shape
from testamur.registry.statements import parse_statement

NewestStatement = tuple[int, str, int]
"""(newest epoch, the origin of its log, number of the newest statement) of one issuer."""


def statement_of(log: LogEvidence) -> int:
    """The number of the statement in a log's evidence. Raises MalformedError."""
    return parse_statement(log.statement).sequence


def newest_statements(document: Json) -> dict[bytes, NewestStatement]:
    """What the evidence has of each issuer, by issuer id. Raises MalformedError.

    An issuer's statements are numbered over all its logs.
    """
    newest: dict[bytes, NewestStatement] = {}
    for name, log in parse_evidence(document).logs.items():
        origin, number = parse_origin(name), statement_of(log)
        before = newest.get(origin.issuer_id, (origin.epoch, name, number))
        epoch, newest_name = max(before[:2], (origin.epoch, name))
        newest[origin.issuer_id] = (epoch, newest_name, max(before[2], number))
    return newest


def is_anchored(document: Json) -> bool:
    """Whether the evidence brings an anchor; what that proves is not looked at. Raises MalformedError."""
    return bool(Shape(document, "evidence").items("anchors", maximum=MAX_ANCHORS))


def is_weaker(candidate: Json, kept: Json) -> bool:
    """Whether replacing `kept` by `candidate` would lose an anchor: what is proven once is never given away.

    Raises MalformedError when the candidate is no evidence; a kept document that is none has nothing to lose.
    """
    anchored = bool(parse_evidence(candidate).anchors)
    try:
        return not anchored and kept is not None and bool(parse_evidence(kept).anchors)
    except MalformedError:
        return False


def find_older_statement(candidate: Json, kept: Json) -> tuple[str, int, int] | None:
    """(origin, number in the candidate, number kept) where `candidate` would take a step back; or None.

    Whoever serves an older statement may want a revocation forgotten, and so may who leaves out an issuer or
    its newest log, which counts as number 0 of that log. Raises MalformedError when the candidate is no
    evidence; a kept document that is none has nothing to lose.
    """
    found = newest_statements(candidate)
    try:
        known = newest_statements(kept) if kept is not None else {}
    except MalformedError:
        return None
    for issuer, (epoch, origin, number) in known.items():
        got_epoch, _, got = found.get(issuer, (0, "", 0))
        if got_epoch < epoch or got < number:
            return origin, 0 if got_epoch < epoch else got, number
    return None


def newer_evidence(found: Json, kept: Json, credential: Json) -> Json | None:
    """`found` for every issuer of whom it has a newer statement, and `kept` for the others.

    None when there is no such issuer, and when an anchor would be given up. Raises MalformedError.
    """
    known = newest_statements(kept)
    newer = {
        issuer
        for issuer, shown in newest_statements(found).items()
        if issuer not in known or _is_newer(shown, known[issuer])
    }
    if not newer or is_weaker(found, kept):
        return None
    return with_kept(_merged(found, kept, newer), kept, credential)


def with_kept(found: Json, kept: Json, credential: Json) -> Json:
    """Evidence to judge by: a node's, with the records and the earlier evidence that a file alone shows."""
    return keep_earlier(with_records(found, records_of(kept)), kept, credential)


def _is_newer(shown: NewestStatement, known: NewestStatement) -> bool:
    (epoch, _, number), (known_epoch, _, known_number) = shown, known
    return epoch >= known_epoch and number >= known_number and (epoch, number) != (known_epoch, known_number)


def _merged(found: Json, kept: Json, newer: Collection[bytes]) -> Json:
    """`found` about these issuers and `kept` about all others; of the anchors each log finds its own."""
    logs: dict[str, Json] = {}
    entries: list[Json] = []
    anchors: list[Json] = []
    for document, is_found in ((found, True), (kept, False)):
        shape = Shape(document, "evidence")
        part = shape.any("logs")
        taken = {
            name: log
            for name, log in (part.items() if isinstance(part, dict) else ())
            if (parse_origin(name).issuer_id in newer) is is_found
        }
        if taken:
            logs.update(taken)
            listed = shape.items("entries", maximum=MAX_ENTRIES)
            entries += [item for item in listed if isinstance(item, dict) and item.get("origin") in taken]
            anchors += shape.items("anchors", maximum=MAX_ANCHORS)
    whole = found if isinstance(found, dict) else {}
    return {**whole, "logs": logs, "entries": entries[:MAX_ENTRIES], "anchors": anchors[:MAX_ANCHORS]}
