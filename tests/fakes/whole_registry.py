"""A whole registry in memory: issuer, log, members, chain. Makes dossiers that verify, and lies on request."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.awards import STATUS_BASE, award
from fakes.chain_state import CONTRACT, GENESIS, RegistryState
from fakes.issuers import DID, REGISTRY, signing_key
from testamur.node.issuing.bundles import build_bundle
from testamur.registry.admissions import Admission
from testamur.registry.canonical import canonicalize
from testamur.registry.checkpoints import Checkpoint, cosign, parse_signed_checkpoint, sign_checkpoint
from testamur.registry.credentials import credential_digest
from testamur.registry.entries import Entry, EntryKind, Origin
from testamur.registry.evidence import FirstSeen, MerklePath, StatusProof, parse_evidence
from testamur.registry.evidence_building import entry_json, evidence_json, status_json, tailored
from testamur.registry.evm.attestations import attest_header, sign_attestation
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.hashing import sha256
from testamur.registry.key_events import (
    FIRST_POSITION,
    Position,
    build_key_event,
    commitment,
    verification_method,
)
from testamur.registry.merkle import prove_consistency, prove_inclusion, root_hash
from testamur.registry.mirrored import mirrored_logs
from testamur.registry.notes import COSIGNATURE_ED25519, ED25519, NoteSigner
from testamur.registry.proofs import sign_document
from testamur.registry.publications import Publication, parse_bundle, verify_bundle
from testamur.registry.seals import Seal
from testamur.registry.statements import prove_entry
from testamur.registry.status import StatusBits
from testamur.registry.timestamps import format_timestamp
from testamur.registry.tlog_proofs import TlogProof
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import verify_dossier

CHAIN_ID = 31337
ANCHORED_AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
NOW = ANCHORED_AT + timedelta(hours=2)
ISSUER_KEY, LOG_KEY = signing_key(1), signing_key(10)
MEMBERS = ("ada", "bit", "cyd")
LISTS = {purpose: f"{STATUS_BASE}/{purpose}/1" for purpose in ("revocation", "suspension")}


def role_key(member: str, role: str):
    """A member's key of a role; another one for each."""
    return signing_key(100 + 10 * MEMBERS.index(member) + ("witness", "mirror", "attestation").index(role))


def role_signer(member: str, role: str) -> NoteSigner:
    """The note signer of a member's role."""
    algorithm = ED25519 if role == "attestation" else COSIGNATURE_ED25519
    return NoteSigner(
        name=f"{REGISTRY}/members/{member}/{role}", key=role_key(member, role), algorithm=algorithm
    )


def trust_document(
    *, quorum: int = 2, threshold: int = 2, finality: str = "member-attestations"
) -> dict[str, Any]:
    """A trust file with three members."""
    since = "2026-01-01T00:00:00Z"

    def policy(role: str) -> str:
        lines = [f"witness {name} {role_signer(name, role).verifier_key.to_text()}" for name in MEMBERS]
        return "\n".join([*lines, f"group all {quorum} {' '.join(MEMBERS)}", "quorum all", ""])

    return {
        "type": "TestamurTrust",
        "version": 1,
        "sequence": 1,
        "registry": REGISTRY,
        "development": False,
        "issued": since,
        "members": [
            {
                "name": name,
                "url": None,
                **{
                    role: [
                        {"key": role_signer(name, role).verifier_key.to_text(), "from": since, "until": None}
                    ]
                    for role in ("witness", "mirror", "attestation")
                },
            }
            for name in MEMBERS
        ],
        "policies": {"witness": policy("witness"), "mirror": policy("mirror")},
        "chains": [
            {
                "chainId": CHAIN_ID,
                "genesisHash": f"0x{GENESIS.hex()}",
                "contract": f"0x{CONTRACT.hex()}",
                "fromBlock": 0,
                "untilBlock": None,
                "finality": {"type": finality, "threshold": threshold, "interval": 4},
            }
        ],
        "accreditors": [],
        "previous": None,
        "signatures": [],
    }


@dataclass
class World:
    """What a test may change before it asks for a dossier. Every field has an honest default."""

    award: dict[str, Any] = field(default_factory=award)
    issuer_key: Any = ISSUER_KEY
    witnesses: tuple[str, ...] = MEMBERS
    mirrors: tuple[str, ...] = MEMBERS
    attesters: tuple[str, ...] = MEMBERS
    cosigned_at: datetime = ANCHORED_AT
    revoked: tuple[int, ...] = ()
    suspended: tuple[int, ...] = ()
    records: dict[str, list[Any]] = field(default_factory=dict)
    statement_on_chain: int | None = None
    statements_above: int = 0
    identity: bytes | None = None
    log_key_on_chain: bytes | None = None
    root_on_chain: bytes | None = None
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    suspension: dict[str, int] | None = None
    epoch_on_chain: int = 1
    others: int = 5
    anchored: bool = True
    origin: Origin = field(default_factory=lambda: Origin(registry=REGISTRY, slug="ada", epoch=1))

    def __post_init__(self) -> None:
        method = verification_method(DID, ISSUER_KEY.public_key)
        event = build_key_event(
            did=DID,
            keys=[ISSUER_KEY],
            next_commitment=commitment([signing_key(2).public_key]),
            created="2026-11-20T00:00:00Z",
        )
        self.credential = sign_document(
            self.award, self.issuer_key, verification_method=method, created="2026-11-20T00:00:00Z"
        )
        self.publication = self._publish(event)
        self.leaf_index = 4 + self.others

    def _publish(self, event: dict[str, Any]) -> Publication:
        now = ANCHORED_AT - timedelta(hours=1)

        def bits(indexes: tuple[int, ...]) -> StatusBits:
            made = StatusBits()
            for index in indexes:
                made.set(index)
            return made

        first = build_bundle(
            None,
            did=DID,
            lists=[(list_id, purpose, StatusBits()) for purpose, list_id in LISTS.items()],
            key=ISSUER_KEY,
            now=now,
            key_events=[event],
        )
        logged = Position(1, 3)
        publication = verify_bundle(
            None, parse_bundle(first), did=DID, published=FIRST_POSITION, logged=logged
        )
        changed = {"revocation": self.revoked, "suspension": self.suspended}
        lists = [(LISTS[purpose], purpose, bits(indexes)) for purpose, indexes in changed.items() if indexes]
        if not lists:
            return publication
        above = self.statements_above
        second = build_bundle(
            publication, did=DID, lists=lists, key=ISSUER_KEY, now=now, above=above, records=self.records
        )
        return verify_bundle(
            publication, parse_bundle(second), did=DID, published=Position(1, 5), logged=Position(1, 6)
        )

    # ------------------------------------------------------------------------------------------------ the parts

    @property
    def digest(self) -> bytes:
        """The credential's digest."""
        return credential_digest(self.credential)

    def seal(self) -> Seal:
        """The last entry."""
        return Seal(
            origin=str(self.origin),
            size=self.leaf_index + 2,
            time=format_timestamp(ANCHORED_AT),
            statement_sequence=self.publication.statement.sequence,
            statement_digest=self.publication.statement.digest,
            previous_seal=None,
        )

    def leaves(self) -> list[bytes]:
        """Leaf hashes: documents, other credentials, this one, the seal."""
        documents = [sha256(b"document %d" % number) for number in range(4)]
        others = [sha256(b"other %d" % number) for number in range(self.others)]
        entries = [Entry(kind=EntryKind.DOCUMENT, digest=item) for item in documents]
        entries += [Entry(kind=EntryKind.CREDENTIAL, digest=item) for item in [*others, self.digest]]
        entries.append(Entry(kind=EntryKind.SEAL, digest=self.seal().digest))
        return [entry.leaf_hash for entry in entries]

    def head(self):
        """The signed, cosigned checkpoint."""
        leaves = self.leaves()
        checkpoint = Checkpoint(origin=str(self.origin), size=len(leaves), root=root_hash(leaves))
        signed = parse_signed_checkpoint(sign_checkpoint(checkpoint, LOG_KEY))
        seconds = int(self.cosigned_at.timestamp())
        lines = []
        for role, names in (("witness", self.witnesses), ("mirror", self.mirrors)):
            for name in names:
                signer = role_signer(name, role)
                lines.append(cosign(checkpoint, signer.name, signer.key, seconds))
        return signed.with_signatures(lines)

    def first(
        self,
        size: int,
        at: datetime,
        *,
        witnesses: tuple[str, ...] = MEMBERS,
        root: bytes | None = None,
        origin: str | None = None,
        key: Any = LOG_KEY,
    ) -> dict[str, Any]:
        """An earlier checkpoint with its proof, honest unless told otherwise: the log's `first` member."""
        leaves = self.leaves()
        checkpoint = Checkpoint(
            origin=origin or str(self.origin), size=size, root=root or root_hash(leaves[:size])
        )
        signed = parse_signed_checkpoint(sign_checkpoint(checkpoint, key))
        signers = [role_signer(name, "witness") for name in witnesses]
        seconds = int(at.timestamp())
        lines = [cosign(checkpoint, item.name, item.key, seconds + n) for n, item in enumerate(signers)]
        within = min(size, len(leaves))
        proof = prove_consistency(leaves, within, len(leaves))
        return FirstSeen(checkpoint=signed.with_signatures(lines), proof=tuple(proof)).to_json()

    def vkey(self) -> str:
        """The log's verifier key."""
        return NoteSigner(name=str(self.origin), key=LOG_KEY).verifier_key.to_text()

    def chain(self) -> RegistryState:
        """The contract's state in the anchoring block."""
        head = self.head().checkpoint
        statement = self.publication.statement.sequence
        on_chain = statement if self.statement_on_chain is None else self.statement_on_chain
        admission = Admission(
            registry=REGISTRY, slug="ada", did=DID, first_key_event=self.publication.keys.first_digest
        )
        state = RegistryState(timestamp=int(ANCHORED_AT.timestamp()), neighbours=20)
        state.issuer(
            self.origin.issuer_id,
            identity=self.identity or admission.digest,
            lifecycle=self.lifecycle,
            epoch=self.epoch_on_chain,
            statement=on_chain,
            suspensions=1 if self.suspension else 0,
        )
        if self.suspension:
            state.suspension(self.origin.issuer_id, 0, **self.suspension)
        state.log(
            self.origin.log_id,
            self.origin.issuer_id,
            root=self.root_on_chain or head.root,
            sequence=2,
            key=self.log_key_on_chain or sha256(self.vkey().encode()),
        )
        state.anchor(
            self.origin.log_id,
            1,
            size=4,
            block_number=50,
            timestamp=int(ANCHORED_AT.timestamp()) - 900,
            statement=1,
        )
        state.anchor(
            self.origin.log_id,
            2,
            size=head.size,
            block_number=60,
            timestamp=int(ANCHORED_AT.timestamp()) - 60,
            statement=statement,
        )
        return state

    def anchors(self) -> list[Any]:
        """The storage proof with the members' attestations."""
        if not self.anchored:
            return []
        state = self.chain()
        anchor = state.evidence_for(
            self.origin.issuer_id, self.origin.log_id, epoch=self.origin.epoch, history=(1,)
        )
        attestation = attest_header(
            REGISTRY, chain_id=CHAIN_ID, genesis_hash=GENESIS, header=parse_header(anchor.header)
        )
        notes = [sign_attestation(attestation, role_signer(name, "attestation")) for name in self.attesters]
        return [anchor.with_notes(notes).to_json()]

    def status(self) -> list[Any]:
        """The status lists, whole or as chunks."""
        entries = self.publication.status_entries()
        found = []
        for listed in self.publication.lists.values():
            index, hashes = prove_entry(entries, listed.entry.id)
            found.append(
                status_json(
                    StatusProof(
                        entry=listed.entry.to_json(),
                        path=MerklePath(index=index, hashes=tuple(hashes)),
                        list_credential=listed.credential,
                        chunk=None,
                        chunk_path=None,
                    )
                )
            )
        return found

    def evidence(self) -> dict[str, Any]:
        """The whole evidence document."""
        leaves, head, size = self.leaves(), self.head(), self.leaf_index + 2
        proof = TlogProof(
            index=self.leaf_index,
            hashes=tuple(prove_inclusion(leaves, self.leaf_index, size)),
            checkpoint_note=head.to_bytes(),
        )
        log = {
            "key": self.vkey(),
            "checkpoint": head.to_bytes().decode(),
            "seal": {
                "document": self.seal().to_json(),
                "proof": MerklePath(
                    index=size - 1, hashes=tuple(prove_inclusion(leaves, size - 1, size))
                ).to_json(),
            },
            "statement": self.publication.statement.json,
            "keyEvents": [event.json for event in self.publication.keys.events],
            "status": self.status(),
            "documents": [],
            "first": None,
        }
        return evidence_json(
            REGISTRY,
            [entry_json(str(self.origin), self.digest, proof)],
            {str(self.origin): log},
            self.anchors(),
        )

    def dossier(self) -> dict[str, Any]:
        """Credential and evidence."""
        return {"credential": self.credential, "evidence": self.evidence()}


def trust(**changes: Any):
    """The parsed trust file."""
    return parse_trust_file(canonicalize(trust_document(**changes)))


def cut(evidence: Any, credential: Any) -> Any:
    """The evidence as the credential's holder keeps it, under the default trust file."""
    logs = parse_evidence(evidence).logs.values()
    return tailored(evidence, credential, mirrored=mirrored_logs(logs, trust()))


def judge(dossier: dict[str, Any], **options: Any):
    """The verdict on a dossier as a file."""
    options.setdefault("trust", trust())
    options.setdefault("now", NOW)
    return verify_dossier(canonicalize(dossier), **options)
