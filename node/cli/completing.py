"""`evidence`: dossiers completed in place with what a node has proven since."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from testamur.node.cli.dossier_files import count_files, find_files
from testamur.node.cli.output import json_line, read_input, say, warn, write_output
from testamur.node.cli.progress import bar
from testamur.node.cli.settings import default_node, host_of_issuer
from testamur.node.errors import ConfigError, NodeError
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.credentials import credential_digest, parse_credential
from testamur.registry.dossiers import encode_dossier, parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.evidence_building import find_older_statement, is_weaker, statement_of, tailored
from testamur.registry.record_keeping import records_of, with_records
from testamur.registry.record_proofs import RecordProof, parse_record_proof

OTHERS_READ = 0o044

EXIT_INCOMPLETE = 1
"""Some of several files could not be completed; each is named, and the others are."""


def run_evidence(
    files: Sequence[Path],
    *,
    node_url: str | None,
    out: Path | None,
    refresh: bool = False,
    records: Sequence[Path] = (),
    as_json: bool,
    home: Path | None,
) -> int:
    """Complete every file, and say for each what it has now; the exit code. Raises for one file alone."""
    total = count_files(tuple(files))
    if out is not None and total != 1:
        raise ConfigError("--out", "is for one file; several are completed in place")
    failed, shown = 0, [_record(path) for path in records]
    with _Nodes(node_url, home) as nodes, bar(total, what="evidence") as advance:
        for found in find_files(tuple(files)):
            path = Path(found.path)
            try:
                if found.problem is not None:
                    raise ConfigError(str(path), found.problem)
                done = _complete(path, nodes, out, shown, refresh=refresh, alone=total == 1)
            except (NodeError, MalformedError) as error:
                if total == 1:
                    raise
                failed += 1
                if as_json:
                    json_line({"file": str(path), "state": "error", "error": str(error)})
                else:
                    warn(f"testamur: {path}: {error.reason if isinstance(error, ConfigError) else error}")
            else:
                if as_json:
                    json_line(done)
                else:
                    where = f"entry {done['leafIndex']} of {done['origin']}"
                    say(f"{done['file']}: evidence {done['state']} ({where})")
            advance()
    if total > 1 and not as_json:
        say(f"{total} files: {total - failed} completed, {failed} not")
    return EXIT_INCOMPLETE if failed else 0


class _Nodes:
    """The node to ask about a credential, one connection to each."""

    def __init__(self, node_url: str | None, home: Path | None) -> None:
        self._node_url = node_url
        self._home = home
        self._clients: dict[str, RegistryClient] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()

    def of(self, credential: Json) -> RegistryClient:
        """The one that was named, else the host of the credential's issuer, else the home folder's own."""
        url = self._node_url
        if url is None:
            issuer = credential.get("issuer") if isinstance(credential, dict) else None
            did = issuer.get("id") if isinstance(issuer, dict) else issuer
            url = host_of_issuer(self._home, str(did)) or default_node(self._home)
        if url not in self._clients:
            self._clients[url] = RegistryClient(url)
        return self._clients[url]


def _record(path: Path) -> RecordProof:
    """What an issuer handed out of `testamur revoke --records`. Raises ConfigError."""
    try:
        return parse_record_proof(parse_json(read_input(path), subject=str(path)))
    except MalformedError as error:
        raise ConfigError(f"--record {path}", str(error)) from error


def _complete(
    file: Path, nodes: _Nodes, out: Path | None, records: Sequence[RecordProof], *, refresh: bool, alone: bool
) -> dict[str, Json]:
    credential, kept = parse_dossier(read_input(file))
    if credential is None:
        raise ConfigError(str(file), "holds evidence but no credential")
    client = nodes.of(credential)
    document = client.evidence(credential_digest(credential))
    if document is None:
        raise ConfigError(str(file), f"{client.url} has this credential in no published checkpoint (yet)")
    own = {(entry.list_id, entry.index) for entry in parse_credential(credential).status}
    given = [item for item in records if (item.record.list_id, item.record.index) in own]
    if records and not given and alone:
        raise ConfigError("--record", f"is of another credential than {file}; nothing was changed")
    # A record that an earlier run kept of another credential would fail step 9: it is dropped.
    kept_records = [item for item in records_of(kept) if (item.record.list_id, item.record.index) in own]
    shown = [*kept_records, *given]
    document = tailored(with_records(client.keep_first(document, kept), shown), credential)
    _refuse_older(file, client.url, document, kept)
    if out is None and is_weaker(document, kept):
        reason = f"holds anchored evidence, and {client.url} has none yet; nothing was changed"
        raise ConfigError(str(file), reason)
    evidence = parse_evidence(document)
    if refresh and not evidence.anchors:
        raise ConfigError(str(file), f"{client.url} has no anchor of it yet; nothing was changed")
    entry = evidence.entries[0]
    if out is not None:
        write_output(out, canonicalize(document) + b"\n")
    else:
        # Whoever could not read the dossier before cannot read it now.
        is_private = not file.stat().st_mode & OTHERS_READ
        write_output(file, encode_dossier(credential, document), secret=is_private)
    return {
        "file": str(out or file),
        "state": "anchored" if evidence.anchors else "witnessed",
        "origin": entry.origin,
        "leafIndex": entry.proof.index,
        "statement": statement_of(evidence.logs[entry.origin]),
    }


def _refuse_older(file: Path, url: str, document: Json, kept: Json) -> None:
    """A node that is behind, or that replays what suits it, must not take a newer statement out of a file."""
    older = find_older_statement(document, kept)
    if older is not None:
        origin, got, known = older
        reason = f"holds statement {known} of {origin}, and {url} serves the older {got}"
        raise ConfigError(str(file), f"{reason}; nothing was changed: ask another node, and why")
