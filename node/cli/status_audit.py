"""`status audit`: status lists that could tell somebody who is being looked at."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from testamur.node.cli.dossier_files import find_files
from testamur.node.cli.output import json_line, read_input, say
from testamur.node.cli.settings import default_node
from testamur.node.errors import ConfigError
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.canonical import Json
from testamur.registry.credentials import Credential, parse_credential
from testamur.registry.dossiers import OtherFile, parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.shapes import Shape
from testamur.registry.status_privacy import Finding, audit_dossiers, audit_lists

EXIT_FLAGGED = 1


def run_audit(files: Sequence[Path], *, node_url: str | None, as_json: bool, home: Path | None) -> int:
    """Look at the dossiers, or at every issuer's lists on a node; the exit code."""
    findings = _of_dossiers(files) if files else _of_node(node_url or default_node(home))
    if as_json:
        rows: list[Json] = [item.to_json() for item in findings]
        json_line({"fair": not findings, "findings": rows})
    else:
        for item in findings:
            say(f"FLAGGED  {item.subject}: {item.problem}")
        if not findings:
            say("Nothing in these status lists could track a holder.")
    return EXIT_FLAGGED if findings else 0


def _of_dossiers(files: Sequence[Path]) -> list[Finding]:
    credentials: dict[str, list[tuple[int | None, Credential]]] = defaultdict(list)
    for found in find_files(tuple(files)):
        if found.problem is not None:
            raise ConfigError(str(found.path), found.problem)
        try:
            document, kept = parse_dossier(read_input(Path(found.path)))
            if document is None:
                continue
            credential = parse_credential(document)
            evidence = parse_evidence(kept) if kept is not None else None
        except MalformedError as error:
            if isinstance(error, OtherFile) and found.may_be_other:
                continue
            raise ConfigError(str(found.path), str(error)) from error
        entry = evidence.entries[0] if evidence is not None and evidence.entries else None
        credentials[credential.issuer_id].append((entry.proof.index if entry else None, credential))
    return [finding for issuer in sorted(credentials) for finding in audit_dossiers(credentials[issuer])]


def _of_node(url: str) -> list[Finding]:
    findings: list[Finding] = []
    with RegistryClient(url) as client:
        for row in Shape(client.issuers(), "issuers").shapes("issuers", maximum=100_000):
            origin = row.text("origin")
            document = client.log_evidence(origin)
            if document is not None:
                findings += audit_lists(parse_evidence(document).logs[origin])
    return findings
