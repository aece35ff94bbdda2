"""What the issuer of the broken registry has to log: class lists, and statements."""

from datetime import UTC, datetime
from pathlib import Path

from whole_registry import ORIGIN, Registry

from testamur.node.issuing.publishing import publish_documents
from testamur.node.keystore.passphrases import read_passphrase_file
from testamur.node.service import issuer_side
from testamur.registry.evidence import parse_evidence
from testamur.registry.statements import parse_statement


def publish(registry: Registry, name: str) -> None:
    """A new statement, which names one more document, is accepted and anchored."""
    key = issuer_side.signing_key(registry.workspace, read_passphrase_file(registry.passphrase_file))
    notice = f"https://ada.example/{name}"

    def send() -> int:
        with issuer_side.open_for_issuing(registry.workspace) as workspace:
            published = publish_documents(
                workspace,
                [(notice, {"id": notice, "type": "Notice"})],
                key=key,
                port=registry.client,
                now=datetime.now(UTC),
            )
        return published.statement.sequence

    accepted = registry.until_answered(send)

    def is_anchored() -> bool:
        document = registry.client.log_evidence(str(ORIGIN))
        if document is None:
            return False
        evidence = parse_evidence(document)
        statement = parse_statement(evidence.logs[str(ORIGIN)].statement)
        return bool(evidence.anchors) and statement.sequence >= accepted

    registry.settle_until(is_anchored, f"statement {accepted} is")


def classes(folder: Path, name: str, rows: int) -> Path:
    """A class list of so many learners, none of whom is in another one."""
    columns = "student_number,name,holder,awarded,ects,grade,portfolio"
    holder = "did:key:z6MkrhD3iXs8qfvZSeSZZuLfF9R14Wnb19yx46QXwHGzNiQV"
    lines = [
        f"{name}-{number},Learner {name} {number},{holder},2026-07-03,5,A,https://p.example/{name}/{number}"
        for number in range(rows)
    ]
    path = folder / f"{name}.csv"
    path.write_text("\n".join([columns, *lines]) + "\n", encoding="utf-8")
    return path
