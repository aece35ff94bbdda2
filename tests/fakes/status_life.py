"""An issuer over time: statements, records, anchors; and the evidence that a node gives out at any moment."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.awards import award
from fakes.chain_state import GENESIS, RegistryState
from fakes.issuers import DID, REGISTRY, signing_key
from fakes.whole_registry import (
    CHAIN_ID,
    ISSUER_KEY,
    LISTS,
    LOG_KEY,
    MEMBERS,
    role_signer,
)
from testamur.node.issuing.bundles import build_bundle
from testamur.node.service.anchoring import earlier_sequences
from testamur.registry.admissions import Admission
from testamur.registry.checkpoints import Checkpoint, cosign, parse_signed_checkpoint, sign_checkpoint
from testamur.registry.credentials import credential_digest
from testamur.registry.entries import Entry, EntryKind, Origin
from testamur.registry.evidence import MerklePath, StatusProof
from testamur.registry.evidence_building import entry_json, evidence_json, status_json
from testamur.registry.evm.attestations import attest_header, sign_attestation
from testamur.registry.evm.headers import parse_header
from testamur.registry.hashing import sha256
from testamur.registry.key_events import (
    FIRST_POSITION,
    Position,
    build_key_event,
    commitment,
    verification_method,
)
from testamur.registry.merkle import prove_consistency, prove_inclusion, root_hash
from testamur.registry.notes import NoteSigner
from testamur.registry.proofs import sign_document
from testamur.registry.publications import Publication, parse_bundle, verify_bundle
from testamur.registry.record_proofs import RecordProof, prove_records
from testamur.registry.seals import Seal
from testamur.registry.statements import prove_entry
from testamur.registry.status import StatusBits
from testamur.registry.status_records import StatusRecord, build_records, records_id
from testamur.registry.timestamps import format_timestamp
from testamur.registry.tlog_proofs import TlogProof

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
OWN = 7
"""The status index of the credential; every other one is a classmate's."""


CAPTURE_SECONDS = 20


def _block(moment: datetime) -> int:
    return 1 + int((moment - BEGIN).total_seconds()) // 5


@dataclass
class StatusLife:
    """One issuer, one credential, and a clock that the caller moves; nothing goes back."""

    now: datetime = BEGIN
    neighbours: int = 20
    others: int = 0
    """Credentials that were logged before this one."""
    records: list[RecordProof] = field(default_factory=list)
    """What the issuer handed to the holder, in order."""
    truth: list[tuple[datetime, str, bool]] = field(default_factory=list)
    """(since when, purpose, value) of every change of the credential's own bits, as it counts."""

    def __post_init__(self) -> None:
        method = verification_method(DID, ISSUER_KEY.public_key)
        event = build_key_event(
            did=DID,
            keys=[ISSUER_KEY],
            next_commitment=commitment([signing_key(2).public_key]),
            created=format_timestamp(self.now),
        )
        document = {**award(), "validFrom": format_timestamp(self.now)}
        self.credential = sign_document(
            document, ISSUER_KEY, verification_method=method, created=format_timestamp(self.now)
        )
        self.origin = Origin(registry=REGISTRY, slug="ada", epoch=1)
        self.bits = {purpose: set() for purpose in LISTS}
        self.anchors: list[dict[str, int]] = []
        self.leaves: list[bytes] = []
        self.seal: Seal | None = None
        bundle = build_bundle(
            None,
            did=DID,
            lists=[(list_id, purpose, StatusBits()) for purpose, list_id in LISTS.items()],
            key=ISSUER_KEY,
            now=self.now,
            key_events=[event],
        )
        self.publication: Publication = verify_bundle(
            None, parse_bundle(bundle), did=DID, published=FIRST_POSITION, logged=Position(1, 1)
        )
        self._log(EntryKind.DOCUMENT, sha256(b"statement 1"))
        self.anchor()
        self.tick()
        for number in range(self.others):
            self._log(EntryKind.CREDENTIAL, sha256(b"other %d" % number))
        self._log(EntryKind.CREDENTIAL, credential_digest(self.credential))
        self.leaf_index = len(self.leaves) - 1
        self.anchor()

    def tick(self, seconds: int = 60) -> None:
        """Time goes by."""
        self.now += timedelta(seconds=seconds)

    def change(
        self,
        purpose: str,
        index: int,
        value: bool,
        *,
        reason: str = "other",
        effective: datetime | None = None,
        explained: bool = True,
    ) -> None:
        """A new statement in which one bit is another; with its record unless told otherwise."""
        (self.bits[purpose].add if value else self.bits[purpose].discard)(index)
        bits = StatusBits()
        for each in self.bits[purpose]:
            bits.set(each)
        record = StatusRecord(
            list_id=LISTS[purpose],
            index=index,
            value=value,
            reason=reason,
            effective=effective or self.now,
            note=None,
            salt=bytes(32),
        )
        bundle = build_bundle(
            self.publication,
            did=DID,
            lists=[(LISTS[purpose], purpose, bits)],
            key=ISSUER_KEY,
            now=self.now,
            records={LISTS[purpose]: [record]} if explained else {},
        )
        place = len(self.leaves)
        self.publication = verify_bundle(
            self.publication,
            parse_bundle(bundle),
            did=DID,
            published=Position(1, place),
            logged=Position(1, place + 1),
        )
        self._log(EntryKind.DOCUMENT, self.publication.statement.digest)
        if index == OWN:
            self.truth.append((effective or self.now, purpose, value))
            if explained:
                batches = self.publication.lists[LISTS[purpose]].batches
                self.records += prove_records([record], batches)

    def anchor(self) -> None:
        """Seal, cosign and anchor what there is; a little later a node captures it in a final block."""
        size = len(self.leaves) + 1
        statement = self.publication.statement
        self.seal = Seal(
            origin=str(self.origin),
            size=size,
            time=format_timestamp(self.now),
            statement_sequence=statement.sequence,
            statement_digest=statement.digest,
            previous_seal=None,
        )
        self._log(EntryKind.SEAL, self.seal.digest)
        self.sealed = self.publication
        checkpoint = Checkpoint(origin=str(self.origin), size=size, root=root_hash(self.leaves))
        signed = parse_signed_checkpoint(sign_checkpoint(checkpoint, LOG_KEY))
        signers = [role_signer(name, role) for role in ("witness", "mirror") for name in MEMBERS]
        seconds = int(self.now.timestamp())
        self.head = signed.with_signatures(
            [cosign(checkpoint, item.name, item.key, seconds) for item in signers]
        )
        self.anchors.append(
            {
                "size": size,
                "block_number": _block(self.now),
                "timestamp": seconds,
                "statement": statement.sequence,
            }
        )
        self.tick(CAPTURE_SECONDS)
        self.captured_at = self.now

    def value_at(self, purpose: str, moment: datetime) -> bool:
        """The credential's own bit as it counted at a moment."""
        return next(
            (value for at, which, value in reversed(self.truth) if which == purpose and at <= moment), False
        )

    def prove_consistency(self, _origin: str, old: int, new: int) -> list[bytes]:
        """As a node's tiles do."""
        return prove_consistency(self.leaves[:new], old, new)

    def evidence(self) -> dict[str, Any]:
        """What a node gives out now, as of its newest capture: whole lists, anchors of many ages."""
        size = self.head.checkpoint.size
        leaves = self.leaves[:size]
        proof = TlogProof(
            index=self.leaf_index,
            hashes=tuple(prove_inclusion(leaves, self.leaf_index, size)),
            checkpoint_note=self.head.to_bytes(),
        )
        seal_path = MerklePath(index=size - 1, hashes=tuple(prove_inclusion(leaves, size - 1, size)))
        vkey = NoteSigner(name=str(self.origin), key=LOG_KEY).verifier_key.to_text()
        log = {
            "key": vkey,
            "checkpoint": self.head.to_bytes().decode(),
            "seal": {"document": self.seal.to_json(), "proof": seal_path.to_json()},
            "statement": self.sealed.statement.json,
            "keyEvents": [event.json for event in self.sealed.keys.events],
            "status": self._status(),
            "documents": self._batches(),
            "first": None,
        }
        entry = entry_json(str(self.origin), credential_digest(self.credential), proof)
        return evidence_json(REGISTRY, [entry], {str(self.origin): log}, [self._storage_proof(vkey)])

    def _log(self, kind: EntryKind, digest: bytes) -> None:
        self.leaves.append(Entry(kind=kind, digest=digest).leaf_hash)

    def _status(self) -> list[Any]:
        entries = self.sealed.status_entries()
        found = []
        for listed in self.sealed.lists.values():
            index, hashes = prove_entry(entries, listed.entry.id)
            path = MerklePath(index=index, hashes=tuple(hashes))
            proof = StatusProof(
                entry=listed.entry.to_json(),
                path=path,
                list_credential=listed.credential,
                chunk=None,
                chunk_path=None,
            )
            found.append(status_json(proof))
        return found

    def _batches(self) -> list[Any]:
        entries = self.sealed.document_entries()
        found = []
        for listed in self.sealed.lists.values():
            if listed.batches:
                name = records_id(listed.entry.id)
                index, hashes = prove_entry(entries, name)
                path = MerklePath(index=index, hashes=tuple(hashes)).to_json()
                found.append(
                    {"id": name, "document": build_records(listed.entry.id, listed.batches), "path": path}
                )
        return found

    def _storage_proof(self, vkey: str) -> Any:
        origin = self.origin
        state = RegistryState(
            chain_id=CHAIN_ID,
            number=_block(self.captured_at),
            timestamp=int(self.captured_at.timestamp()),
            neighbours=self.neighbours,
        )
        identity = Admission(
            registry=REGISTRY, slug="ada", did=DID, first_key_event=self.sealed.keys.first_digest
        ).digest
        statement = self.sealed.statement.sequence
        state.issuer(origin.issuer_id, identity=identity, statement=statement, suspensions=0)
        number = len(self.anchors)
        state.log(
            origin.log_id,
            origin.issuer_id,
            root=self.head.checkpoint.root,
            sequence=number,
            key=sha256(vkey.encode()),
        )
        for sequence, record in enumerate(self.anchors, 1):
            state.anchor(origin.log_id, sequence, **record)
        anchor = state.evidence_for(
            origin.issuer_id, origin.log_id, epoch=origin.epoch, history=earlier_sequences(number)
        )
        attestation = attest_header(
            REGISTRY, chain_id=CHAIN_ID, genesis_hash=GENESIS, header=parse_header(anchor.header)
        )
        notes = [sign_attestation(attestation, role_signer(name, "attestation")) for name in MEMBERS]
        return anchor.with_notes(notes).to_json()
