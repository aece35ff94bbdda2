"""`verify` and `evidence`: files in, network only where the user named it, one verdict a file out."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.dossier_files import is_folder
from testamur.node.cli.output import json_line, read_input, warn, write_output
from testamur.node.cli.trusting import load_trust
from testamur.node.errors import ConfigError, NodeError, PeerMisbehaved, WrongChain
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.credentials import credential_digest
from testamur.registry.dossiers import encode_dossier, parse_dossier
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import Evidence, parse_evidence
from testamur.registry.evidence_building import is_weaker, tailored
from testamur.registry.evm.anchors import AnchorEvidence, parse_anchor
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.slots import ISSUER_WORD, issuer_slots, unpack
from testamur.registry.timestamps import parse_timestamp
from testamur.registry.trust import TrustFile
from testamur.registry.verification import DEFAULT_POLICY, ChainView, Outcome, Policy, Verdict, verify
from testamur.registry.verification.policy import parse_policy_file

if TYPE_CHECKING:
    from testamur.node.cli.quick_start import VerifyOptions
    from testamur.node.fetch.rpc import RpcEndpoint

EXIT_CODES = {Outcome.VALID: 0, Outcome.INVALID: 1, Outcome.INDETERMINATE: 3}
EXIT_USAGE = 2
WORST_CODES = (EXIT_USAGE, 1, 3, 0)
"""What could not be read outranks what is invalid, and that what cannot be told: it may hide either."""


def run_verify(options: "VerifyOptions", *, now: datetime | None = None) -> int:
    """The `verify` command: verdicts printed, the exit code returned. Raises ConfigError.

    One file is shown in full. Several files, folders, and anything with a report are rows.
    """
    if options.offline and (options.node or options.rpc):
        raise ConfigError("--offline", "cannot be combined with --node or --rpc")
    if options.jobs is not None and options.jobs < 1:
        raise ConfigError("--jobs", "must be at least 1")
    folders = [file for file in options.files if is_folder(file)]
    for name, given in (("--node", options.node), ("--rpc", options.rpc), ("--evidence", options.evidence)):
        if folders and given:
            raise ConfigError(name, f"is for single files, and {folders[0]} is a folder")
    verifier = Verifier.from_options(
        trust=options.trust,
        node=options.node,
        rpc=list(options.rpc),
        as_of=options.as_of,
        policy=options.policy,
        home=options.home,
        now=now or datetime.now(UTC),
    )
    if not folders and options.report is None:
        codes = {verifier.check_one_of(options, file) for file in options.files}
        return next(code for code in WORST_CODES if code in codes)
    from testamur.node.cli.verifying_many import verify_many

    return verify_many(
        verifier,
        options.files,
        evidence_file=options.evidence,
        report=options.report,
        jobs=options.jobs,
        as_json=options.json,
    )


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """What one `verify` command was told; checks one file after the other."""

    trust: TrustFile
    policy: Policy
    node_url: str | None
    rpc_urls: tuple[str, ...]
    as_of: datetime | None
    now: datetime

    @classmethod
    def from_options(
        cls,
        *,
        trust: Path | None,
        node: str | None,
        rpc: list[str],
        as_of: str | None,
        policy: Path | None,
        home: Path | None,
        now: datetime,
    ) -> "Verifier":
        """Options, checked before any file is read. Raises ConfigError."""
        moment = _moment(as_of, now) if as_of is not None else None
        return cls(
            trust=load_trust(trust, home),
            policy=_policy(policy) if policy is not None else DEFAULT_POLICY,
            node_url=node,
            rpc_urls=tuple(rpc),
            as_of=moment,
            now=now,
        )

    @property
    def uses_network(self) -> bool:
        """Whether a node or an RPC endpoint was named, to be asked about every file."""
        return self.node_url is not None or bool(self.rpc_urls)

    def check_one_of(self, options: "VerifyOptions", file: Path) -> int:
        """Print the verdict on one file; its exit code.

        Among several files, one that cannot be read or judged is said so, and the others are still checked.
        """
        alone = len(options.files) == 1
        try:
            verdict = self.judge(read_input(file), options.evidence)
        except (ConfigError, MalformedError) as error:
            if alone:
                raise
            reason = error.reason if isinstance(error, ConfigError) else str(error)
            if options.json:
                json_line({"file": str(file), "outcome": "error", "error": reason})
            else:
                warn(f"testamur: {file}: {reason}")
            return EXIT_USAGE
        if options.json:
            document = verdict.to_json()
            json_line({"file": str(file), **document} if isinstance(document, dict) else document)
        else:
            from testamur.node.cli.render import Terminal, print_verdict

            print_verdict(Terminal(), verdict, label=None if alone else str(file))
        return EXIT_CODES[verdict.outcome]

    def judge(self, data: bytes, evidence_file: Path | None) -> Verdict:
        """The verdict on one file's bytes. A server that does not answer leaves a note, never a judgement."""
        credential, enclosed = parse_dossier(data)
        if evidence_file is not None:
            enclosed = parse_json(read_input(evidence_file), subject="evidence")
        if credential is None:
            raise MalformedError("file", "holds evidence but no credential; give the credential file as well")
        notes: list[str] = []
        document = self._newest_evidence(credential, enclosed, notes)
        evidence = parse_evidence(document) if document is not None else None
        return verify(
            credential,
            evidence,
            trust=self.trust,
            now=self.now,
            policy=self.policy,
            as_of=self.as_of,
            chain=self._chain_view(evidence, notes),
            notes=tuple(notes),
        )

    def _newest_evidence(self, credential: Json, enclosed: Json, notes: list[str]) -> Json:
        if self.node_url is None:
            return enclosed
        from testamur.node.fetch.registry import RegistryClient

        try:
            with RegistryClient(self.node_url) as client:
                found = client.evidence(credential_digest(credential))
        except ConfigError:
            raise
        except NodeError as error:
            notes.append(str(error))
            return enclosed
        if found is None:
            notes.append(f"{self.node_url} does not know of this credential")
            return enclosed
        return found

    def _chain_view(self, evidence: Evidence | None, notes: list[str]) -> ChainView:
        if not self.rpc_urls or evidence is None:
            return ChainView()
        from testamur.node.fetch.rpc import RpcEndpoint

        headers: dict[tuple[int, int], bytes] = {}
        statements: dict[bytes, int] = {}
        with ExitStack() as open_endpoints:
            endpoints = [open_endpoints.enter_context(RpcEndpoint(url)) for url in self.rpc_urls]
            for document in evidence.anchors:
                try:
                    anchor = parse_anchor(document)
                    if self._is_trusted(anchor):
                        _ask_chain(endpoints, anchor, list(evidence.logs), headers, statements)
                except WrongChain:
                    raise
                except (NodeError, MalformedError) as error:
                    notes.append(f"own chain endpoint not used: {error}")
        return ChainView(headers=headers, statements=statements)

    def _is_trusted(self, anchor: AnchorEvidence) -> bool:
        """Whether the anchor is in a contract that counts: a file can name one of its holder's making."""
        number = parse_header(anchor.header).number
        chain = self.trust.chain_for(anchor.chain_id, anchor.genesis_hash, anchor.contract, number)
        return chain is not None


def _ask_chain(
    endpoints: "Sequence[RpcEndpoint]",
    anchor: AnchorEvidence,
    origins: list[str],
    headers: dict[tuple[int, int], bytes],
    statements: dict[bytes, int],
) -> None:
    """What the user's own endpoints know of an anchor's block, and of newer statements."""
    from testamur.node.fetch.rpc import final_block_hash

    number = parse_header(anchor.header).number
    headers[anchor.chain_id, number] = final_block_hash(
        endpoints, chain_id=anchor.chain_id, genesis_hash=anchor.genesis_hash, number=number
    )
    for origin in origins:
        issuer_id = parse_origin(origin).issuer_id
        slot = issuer_slots(issuer_id)[1]
        words = [endpoint.storage_word(anchor.contract, slot) for endpoint in endpoints]
        try:
            known = [unpack(word, ISSUER_WORD)["statement"] for word in words]
        except ValueError as error:
            raise PeerMisbehaved("an endpoint described the issuer unreadably") from error
        statements[issuer_id] = max(statements.get(issuer_id, 0), *known)


def complete_dossier(
    file: Path, *, node_url: str | None, out: Path | None, home: Path | None
) -> dict[str, Json]:
    """Fetch a credential's newest evidence and write it; what was written."""
    from testamur.node.cli.settings import default_node
    from testamur.node.fetch.registry import RegistryClient

    credential, kept = parse_dossier(read_input(file))
    if credential is None:
        raise ConfigError(str(file), "holds evidence but no credential")
    url = node_url or default_node(home)
    with RegistryClient(url) as client:
        document = client.evidence(credential_digest(credential))
    if document is None:
        raise ConfigError(str(file), f"{url} has this credential in no published checkpoint (yet)")
    document = tailored(document, credential)
    if out is None and is_weaker(document, kept):
        raise ConfigError(str(file), f"holds anchored evidence, and {url} has none yet; nothing was changed")
    evidence = parse_evidence(document)
    entry = evidence.entries[0]
    if out is not None:
        write_output(out, canonicalize(document) + b"\n")
    else:
        write_output(file, encode_dossier(credential, document))
    return {
        "file": str(out or file),
        "state": "anchored" if evidence.anchors else "witnessed",
        "origin": entry.origin,
        "leafIndex": entry.proof.index,
    }


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = parse_timestamp(text)
    except MalformedError as error:
        raise ConfigError("--as-of", error.reason) from error
    if moment > now:
        raise ConfigError("--as-of", "lies in the future; nothing can be proven about it")
    return moment


def _policy(path: Path) -> Policy:
    try:
        return parse_policy_file(read_input(path))
    except MalformedError as error:
        raise ConfigError(f"--policy {path}", str(error)) from error
