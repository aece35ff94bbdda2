"""`evidence`: dossiers completed in place with what a node has proven since."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from testamur.node.cli.completing_one import Completer, NoCredential
from testamur.node.cli.dossier_files import count_files, find_files
from testamur.node.cli.output import json_line, read_input, say, warn
from testamur.node.cli.progress import bar
from testamur.node.cli.settings import default_node, host_of_issuer
from testamur.node.cli.trusting import find_trust
from testamur.node.errors import ConfigError, NodeError, PeerUnreachable
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.canonical import Json, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.record_proofs import RecordProof, parse_record_proof

EXIT_INCOMPLETE = 1
"""Some of several files could not be completed; each is named, and the others are."""


def run_evidence(
    files: Sequence[Path],
    *,
    node_url: str | None,
    out: Path | None,
    refresh: bool = False,
    forget: bool = False,
    records: Sequence[Path] = (),
    as_json: bool,
    home: Path | None,
) -> int:
    """Complete every file, and say for each what it has now; the exit code. Raises for one file alone.

    Every file is replaced whole or not at all, and one that is as it should be is not written: what was
    interrupted goes on where it stopped when it is run again.
    """
    total = count_files(tuple(files))
    if out is not None and total != 1:
        raise ConfigError("--out", "is for one file; several are completed in place")
    shown = [_record(path) for path in records]
    trust = find_trust(home)
    tally = _Tally(total=total, as_json=as_json)
    with _Nodes(node_url, home) as nodes, bar(total, what="evidence") as advance:
        completer = Completer(
            nodes=nodes, out=out, records=shown, refresh=refresh, forget=forget, trust=trust
        )
        for found in find_files(tuple(files)):
            path = Path(found.path)
            try:
                tally.completed(completer.complete(found, alone=total == 1))
            except NoCredential as other:
                tally.skipped(path, str(other))
            except (NodeError, MalformedError) as error:
                if total == 1:
                    raise
                tally.failed(path, error)
            advance()
    return tally.finish()


class _Tally:
    """What became of the files, said of each at once and of all at the end."""

    def __init__(self, *, total: int, as_json: bool) -> None:
        self._total, self._as_json = total, as_json
        self._completed = self._unchanged = self._failed = self._skipped = 0
        self._unreachable: set[str] = set()

    def completed(self, done: dict[str, Json]) -> None:
        """A file has its evidence."""
        changed = done["changed"] is True
        self._completed += changed
        self._unchanged += not changed
        if self._as_json:
            json_line(done)
        else:
            where = f"entry {done['leafIndex']} of {done['origin']}"
            say(f"{done['file']}: evidence {done['state']}{'' if changed else ' already'} ({where})")

    def skipped(self, path: Path, reason: str) -> None:
        """A file is something else."""
        self._skipped += 1
        if self._as_json:
            json_line({"file": str(path), "state": "skipped", "reason": reason})

    def failed(self, path: Path, error: NodeError | MalformedError) -> None:
        """A file is as it was, and why. That a node does not answer is said once."""
        self._failed += 1
        reason = error.reason if isinstance(error, ConfigError) else str(error)
        if self._as_json:
            json_line({"file": str(path), "state": "error", "error": reason})
        elif reason not in self._unreachable:
            warn(f"testamur: {path}: {reason}")
        if isinstance(error, PeerUnreachable):
            self._unreachable.add(reason)

    def finish(self) -> int:
        """The last line, and the exit code."""
        if self._total > 1 and not self._as_json:
            words = [f"{self._completed} completed"]
            words += [f"{self._unchanged} as new as can be"] if self._unchanged else []
            words += [f"{self._skipped} no credentials"] if self._skipped else []
            say(f"{self._total} files: {', '.join([*words, f'{self._failed} not'])}")
            if self._unreachable:
                say("Run it again to go on: what is completed is not done again.")
        return EXIT_INCOMPLETE if self._failed else 0


class _Nodes:
    """The node to ask about a credential, one connection to each; one that does not answer is asked once."""

    def __init__(self, node_url: str | None, home: Path | None) -> None:
        self._node_url = node_url
        self._home = home
        self._clients: dict[str, RegistryClient] = {}
        self._gone: dict[str, PeerUnreachable] = {}

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
        if url in self._gone:
            raise self._gone[url]
        if url not in self._clients:
            self._clients[url] = RegistryClient(url)
        return self._clients[url]

    def gave_up(self, url: str, error: PeerUnreachable) -> None:
        """It did not answer: a folder of thousands does not wait thousands of times."""
        self._gone[url] = error


def _record(path: Path) -> RecordProof:
    """What an issuer handed out of `testamur revoke --records`. Raises ConfigError."""
    try:
        return parse_record_proof(parse_json(read_input(path), subject=str(path)))
    except MalformedError as error:
        raise ConfigError(f"--record {path}", str(error)) from error
