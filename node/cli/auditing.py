"""`audit`: a whole log from its files, by the same code that a mirror or an auditor uses."""

from pathlib import Path

from testamur.node.cli.output import json_line, say
from testamur.node.cli.progress import progress_bar
from testamur.node.errors import ConfigError
from testamur.node.log.audit import audit_log
from testamur.node.log.documents import DocumentStore
from testamur.registry.errors import MalformedError
from testamur.registry.notes import VerifierKey, parse_vkey
from testamur.registry.verification.words import counted

EXIT_SOUND = 0
EXIT_DAMAGED = 1


def run_audit(folder: Path, *, key: str | None, documents: Path | None, as_json: bool) -> int:
    """Audit and report; the exit code."""
    if not folder.is_dir():
        raise ConfigError(str(folder), "there is no such folder")
    store = DocumentStore(documents or folder.parent.parent / "documents")
    with progress_bar() as progress:
        report = audit_log(
            folder, store, key=_key(key), progress=lambda done, total: progress("audit", done, total)
        )
    findings = [str(finding) for finding in report.findings]
    if as_json:
        json_line(
            {
                "folder": str(folder),
                "sound": report.is_sound,
                "origin": report.origin,
                "size": report.size,
                "credentials": report.credentials,
                "documents": report.documents,
                "seals": report.seals,
                "findings": list(findings),
            }
        )
    else:
        parts = (report.credentials, "credential"), (report.documents, "document"), (report.seals, "seal")
        kinds, size = ", ".join(counted(*part) for part in parts), counted(report.size, "entry")
        say(f"{'SOUND' if report.is_sound else 'DAMAGED'}  {report.origin}: {size} ({kinds})")
        for finding in findings:
            say(f"  {finding}")
    return EXIT_SOUND if report.is_sound else EXIT_DAMAGED


def _key(text: str | None) -> VerifierKey | None:
    if text is None:
        return None
    try:
        return parse_vkey(text)
    except MalformedError as error:
        raise ConfigError("--key", str(error)) from error
