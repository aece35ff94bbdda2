"""The records of status changes for their holders, from the issuer's ledger."""

from collections import Counter
from collections.abc import Iterator, Sequence

from testamur.node.issuing.workspace import Workspace
from testamur.registry.canonical import Json, parse_json
from testamur.registry.multiformats import encode_digest
from testamur.registry.record_proofs import RecordProof, prove_records
from testamur.registry.shapes import Shape
from testamur.registry.status_records import StatusRecord, parse_record

ENDING = ".status-record.json"


def record_files(workspace: Workspace, digests: Sequence[bytes], purpose: str) -> Iterator[tuple[str, Json]]:
    """(file name, document) of the newest record of each credential in its list of this purpose.

    A file is called as the dossier was, and after the statement: `<dossier>.<statement>.status-record.json`,
    so that a later change never takes the name of an earlier one, and doing it again gives the same file. A
    change that was made without a reason has no record, and no file. Raises StoreCorrupt.
    """
    made: dict[tuple[int, str], list[RecordProof]] = {}
    names: dict[int, dict[bytes, str]] = {}
    lists = workspace.publication().lists
    for digest in digests:
        rows = workspace.ledger.run(
            "SELECT statement, list, position FROM status_records WHERE digest = ? ORDER BY statement DESC",
            (digest,),
        )
        for statement, list_id, position in rows:
            if list_id not in lists or lists[list_id].entry.purpose != purpose:
                continue
            if (statement, list_id) not in made:
                batches = lists[list_id].batches
                upto = next(n for n, item in enumerate(batches, 1) if item.statement == statement)
                made[statement, list_id] = prove_records(
                    _records(workspace, statement, list_id), batches[:upto]
                )
            if statement not in names:
                names[statement] = _names(workspace, statement)
            yield names[statement][digest], made[statement, list_id][position].to_json()
            break


def _names(workspace: Workspace, statement: int) -> dict[bytes, str]:
    """What the files of a statement's records are called; dossiers of one name by their digests as well."""
    rows = workspace.ledger.run(
        "SELECT DISTINCT digest, file FROM status_records JOIN credentials USING (digest)"
        " WHERE statement = ?",
        (statement,),
    )
    count = Counter(file for _, file in rows)
    return {
        digest: f"{file if count[file] == 1 else f'{file}.{encode_digest(digest)}'}.{statement}{ENDING}"
        for digest, file in rows
    }


def _records(workspace: Workspace, statement: int, list_id: str) -> list[StatusRecord]:
    rows = workspace.ledger.run(
        "SELECT record FROM status_records WHERE statement = ? AND list = ? ORDER BY position",
        (statement, list_id),
    )
    return [parse_record(Shape(parse_json(row[0], subject="status record"), "status record")) for row in rows]
