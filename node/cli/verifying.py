"""`verify` and `evidence`: files in, network only where the user named it, one verdict a file out."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.dossier_files import is_folder
from testamur.node.cli.output import Source, json_line, read_input, read_source, warn
from testamur.node.cli.served_evidence import served_evidence
from testamur.node.cli.trusting import load_trust
from testamur.node.cli.verify_inputs import check_asked, documents_of, moment_of, policy_of
from testamur.node.errors import ConfigError, NodeError, PeerMisbehaved, WrongChain
from testamur.registry.canonical import Json, parse_json
from testamur.registry.dossiers import OtherFile, is_presentation, parse_file, split_dossier
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import Evidence, parse_evidence
from testamur.registry.evm.anchors import AnchorEvidence, parse_anchor
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.slots import ISSUER_WORD, issuer_slots, unpack
from testamur.registry.newer_evidence import with_kept
from testamur.registry.trust import TrustFile
from testamur.registry.verification import (
    DEFAULT_POLICY,
    ChainView,
    Outcome,
    Policy,
    Shown,
    Verdict,
    verify,
)
from testamur.registry.verification.context import NO_PRESENTATION
from testamur.registry.verification.weighing import has_known_keys, weigh

if TYPE_CHECKING:
    from testamur.node.cli.quick_start import VerifyOptions
    from testamur.node.fetch.rpc import RpcEndpoint
    from testamur.registry.documents import Documents
    from testamur.registry.presentation_verdicts import PresentationVerdict

EXIT_CODES = {Outcome.VALID: 0, Outcome.INVALID: 1, Outcome.INDETERMINATE: 3}
EXIT_USAGE = 2
WORST_CODES = (EXIT_USAGE, 1, 3, 0)
"""What could not be read outranks what is invalid, and that what cannot be told: it may hide either."""


def run_verify(options: "VerifyOptions", *, now: datetime | None = None) -> int:
    """The `verify` command: verdicts printed, the exit code returned. Raises ConfigError.

    One file is shown in full, several with `verbose`. Several files, folders, and anything with a report
    are rows; as JSON every named file is its whole verdict.
    """
    if options.offline and (options.node or options.rpc):
        raise ConfigError("--offline", "cannot be combined with --node or --rpc")
    addresses = [file for file in options.files if isinstance(file, str)]
    if options.offline and addresses:
        raise ConfigError("--offline", f"cannot be combined with an address ({addresses[0]})")
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
        documents=documents_of(options),
        challenge=options.challenge,
        domain=options.domain,
    )
    in_full = len(options.files) == 1 or options.verbose or options.json
    if in_full and not folders and options.report is None:
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
    documents: "Documents | None" = None
    challenge: str | None = None
    domain: str | None = None

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
        documents: "Documents | None" = None,
        challenge: str | None = None,
        domain: str | None = None,
    ) -> "Verifier":
        """Options, checked before any file is read. Raises ConfigError."""
        moment = moment_of(as_of, now) if as_of is not None else None
        check_asked(challenge, domain)
        return cls(
            trust=load_trust(trust, home),
            policy=policy_of(policy) if policy is not None else DEFAULT_POLICY,
            node_url=node,
            rpc_urls=tuple(rpc),
            as_of=moment,
            now=now,
            documents=documents,
            challenge=challenge,
            domain=domain,
        )

    @property
    def uses_network(self) -> bool:
        """Whether a node or an RPC endpoint was named, to be asked about every file."""
        return self.node_url is not None or bool(self.rpc_urls)

    def check_one_of(self, options: "VerifyOptions", file: Source) -> int:
        """Print the verdict on one file; its exit code.

        Among several files, one that cannot be read or judged is said so, and the others are still checked.
        """
        alone = len(options.files) == 1
        try:
            verdict = self.judge(read_source(file), options.evidence)
        except (ConfigError, MalformedError) as error:
            if alone and isinstance(error, MalformedError):
                raise ConfigError(str(file), str(error)) from error
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

            label = None if alone else str(file)
            if isinstance(verdict, Verdict):
                print_verdict(Terminal(), verdict, label=label)
            else:
                from testamur.node.cli.verifying_presentations import print_presentation

                print_presentation(Terminal(), verdict, label=label)
        return EXIT_CODES[verdict.outcome]

    def judge(self, data: bytes, evidence_file: Path | None) -> "Verdict | PresentationVerdict":
        """The verdict on one file's bytes. A server that does not answer leaves a note, never a judgement."""
        document = parse_file(data)
        if is_presentation(document):
            from testamur.node.cli.verifying_presentations import judge_presentation

            if evidence_file is not None:
                raise ConfigError("--evidence", "is for a bare credential; a presentation brings its own")
            return judge_presentation(self, document)
        credential, enclosed = split_dossier(document)
        if evidence_file is not None:
            enclosed = parse_json(read_input(evidence_file), subject="evidence")
        if credential is None:
            raise OtherFile("file", "holds evidence but no credential; give the credential file as well")
        is_asked = self.challenge is not None or self.domain is not None
        return self.judge_credential(credential, enclosed, shown=NO_PRESENTATION if is_asked else None)

    def judge_credential(self, credential: Json, enclosed: Json, *, shown: Shown | None) -> Verdict:
        """The verdict on one credential with the evidence that came with it, and who `shown` it.

        What a node serves counts where nothing that the enclosed evidence proves is lost by it.
        """
        notes: list[str] = []
        node = self.node_url
        served = None if node is None else served_evidence(node, credential, enclosed, notes)
        if served is None or enclosed is None:
            return self._judge_by(credential, served or enclosed, shown, notes)
        newer = with_kept(served, enclosed, credential)
        return weigh(
            self._judge_by(credential, enclosed, shown, notes),
            self._judge_by(credential, newer, shown, notes),
            who=str(node),
            has_known_keys=has_known_keys(parse_evidence(newer), parse_evidence(enclosed)),
        )

    def _judge_by(
        self, credential: Json, document: Json, shown: Shown | None, notes: Sequence[str]
    ) -> Verdict:
        evidence = parse_evidence(document) if document is not None else None
        said = list(notes)
        chain = self._chain_view(evidence, said)
        return verify(
            credential,
            evidence,
            trust=self.trust,
            now=self.now,
            policy=self.policy,
            as_of=self.as_of,
            chain=chain,
            notes=tuple(said),
            contexts=self.documents,
            shown=shown,
        )

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
