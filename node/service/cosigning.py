"""This member's own witness and mirror, asked in this process by the same rules as anybody else's."""

import structlog

from testamur.node.errors import PeerMisbehaved
from testamur.node.gossip.mirror import Mirror
from testamur.node.gossip.mirror_keys import MirroredLog
from testamur.node.gossip.witness import Witness
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.node.service.hosting import HostedLog
from testamur.registry.checkpoints import AddCheckpointRequest, SignedCheckpoint
from testamur.registry.entries import Entry
from testamur.registry.statements import Statement

WITNESS_CONFLICT = 409
WITNESS_COSIGNED = 200

logger = structlog.get_logger(__name__)


class HostCopy:
    """The host's own store as the copy that its mirror checks: what is missing here is missing everywhere."""

    def __init__(self, writer: LogWriter, documents: DocumentStore) -> None:
        self._writer = writer
        self._documents = documents

    def read_entries(self, start: int, count: int) -> list[Entry]:
        """See LogCopy."""
        return self._writer.read_entries(start, count)

    def find_document(self, digest: bytes) -> bytes | None:
        """See LogCopy."""
        return self._documents.find(digest)


class OwnCosigners:
    """Asks this member's witness and mirror for a head, and attaches what they give."""

    def __init__(self, witness: Witness, mirror: Mirror, documents: DocumentStore) -> None:
        self._witness = witness
        self._mirror = mirror
        self._documents = documents

    def cosign(self, log: HostedLog, head: SignedCheckpoint) -> SignedCheckpoint:
        """The head with both lines, durably attached.

        A refusal leaves the head without that line, and is logged: what its own mirror refuses is never
        anchored. Raises PeerMisbehaved when the witness has seen more than there is, StoreCorrupt,
        StoreUnavailable.
        """
        lines = self._witness_lines(log, head) + self._mirror_lines(log, head)
        keys = [self._witness.verifier_key, self._mirror.verifier_key]
        return log.writer.attach_cosignatures(head.checkpoint.size, lines, keys)

    def hold(self, log: HostedLog, statement: Statement) -> None:
        """From now on the mirror cosigns no head of this log that names an older statement.

        Raises StoreCorrupt, StoreUnavailable.
        """
        self._mirror.hold_statement(log.name, statement.sequence, statement.digest)

    def _witness_lines(self, log: HostedLog, head: SignedCheckpoint) -> bytes:
        reader, size = log.writer.reader, head.checkpoint.size
        cosigned = self._witness.find_checkpoint(log.name)
        old_size = 0 if cosigned is None else cosigned.checkpoint.size
        if old_size > size:
            raise PeerMisbehaved(
                f"{log.name}: the witness has cosigned {old_size} leaves, and the log has {size}: it was "
                "restored from an old backup; restore the newest one, or mend it: "
                "`testamur node restore --from`"
            )
        proof = tuple(reader.prove_consistency(old_size, size)) if 0 < old_size < size else ()
        request = AddCheckpointRequest(old_size=old_size, proof=proof, checkpoint=head)
        answer = self._witness.add_checkpoint(
            request.to_bytes(),
            {log.name: log.writer.key},
            superseded=(log.name,) if log.is_superseded else (),
        )
        if answer.status != WITNESS_COSIGNED:
            logger.error("witness-refused", log=log.name, size=size, reason=answer.reason)
            return b""
        return answer.body

    def _mirror_lines(self, log: HostedLog, head: SignedCheckpoint) -> bytes:
        mirrored = MirroredLog(
            key=log.writer.key,
            did=log.did,
            first_key_event=log.first_key_event,
            key_chains=log.key_chains,
            superseded=log.is_superseded,
        )
        answer = self._mirror.cosign(head, mirrored, HostCopy(log.writer, self._documents))
        if answer.line is None:
            logger.error("mirror-refused", log=log.name, size=head.checkpoint.size, reason=answer.reason)
            return b""
        return answer.line
