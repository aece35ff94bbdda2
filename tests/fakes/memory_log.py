"""A log in memory with an issuer who really signs: key events, status lists, statements; and a host who seals."""

import hashlib
from dataclasses import replace

from testamur.registry.canonical import canonicalize
from testamur.registry.checkpoints import Checkpoint, parse_signed_checkpoint, sign_checkpoint
from testamur.registry.entries import Entry, EntryKind, parse_origin
from testamur.registry.key_events import (
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
)
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.merkle import root_hash
from testamur.registry.notes import NoteSigner
from testamur.registry.proofs import sign_document
from testamur.registry.seals import Seal
from testamur.registry.statements import build_statement, parse_statement, status_entry
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import build_status_list_credential
from testamur.registry.status_records import records_root

ORIGIN = "registry.example/ada/1"
DID = "did:web:ada.example"
TIME = "2026-11-21T10:00:00Z"
LIST_ID = "https://ada.example/status/1"


def key(number):
    return SigningKey.from_seed(Algorithm.ED25519, hashlib.sha256(b"memory log %d" % number).digest())


LOG_KEY = key(100)


class MemoryLog:
    """Everything a mirror can ask a copy for, and the hands that fill it."""

    def __init__(self, origin=ORIGIN):
        self.origin = origin
        self.entries = []
        self.documents = {}
        self.sealed_size = None
        self.key_number = 1
        self.events = []
        self.statements = []
        self.lists = {}
        self.stated = {}

    # ------------------------------------------------------------------------------ what a mirror reads

    def read_entries(self, start, count):
        return self.entries[start : start + count]

    def find_document(self, digest):
        return self.documents.get(digest)

    # -------------------------------------------------------------------------------------- the issuer

    def admit(self):
        """The first key event and the first statement are logged."""
        self.rotate(first=True)
        self.state()
        return self

    def rotate(self, *, first=False, start=None):
        """A key event, in force from the next leaf on."""
        previous = None if first else self.events[-1]
        self.key_number += 0 if first else 1
        document = build_key_event(
            did=DID,
            keys=[key(self.key_number)],
            next_commitment=commitment([key(self.key_number + 1).public_key]),
            created=TIME,
            previous=previous,
            start=start or Position(parse_origin(self.origin).epoch, 0 if first else len(self.entries)),
        )
        self.events.append(parse_key_event(document))
        self.log_document(document)

    def state(self, *, signer=None, logged=True, **changes):
        """A new statement, signed by the key in force, logged unless told otherwise."""
        previous = self.statements[-1] if self.statements else None
        document = build_statement(
            issuer=DID,
            time=TIME,
            key_events=[event.digest for event in self.events],
            status=list(self.lists.values()),
            previous=previous,
        )
        document |= changes
        statement = parse_statement(self.sign(document, signer))
        self.statements.append(statement)
        self.stated = dict(self.lists)
        if logged:
            self.log_document(statement.json)
        else:
            self.keep(statement.json)
        return statement

    def succeed(self):
        """The issuer's next epoch: an empty log, the same statements and lists."""
        origin = parse_origin(self.origin)
        later = MemoryLog(f"{origin.registry}/{origin.slug}/{origin.epoch + 1}")
        for name in ("events", "statements", "documents", "key_number", "lists", "stated"):
            setattr(later, name, getattr(self, name))
        return later

    def revoke(self, *indexes, purpose="revocation"):
        """A new version of the status list with exactly these bits, logged."""
        bits = StatusBits()
        for index in indexes:
            bits.set(index)
        document = self.sign(
            build_status_list_credential(
                list_id=LIST_ID, issuer=DID, purpose=purpose, bits=bits, valid_from=TIME
            )
        )
        digest = self.log_document(document)
        before = self.stated.get(LIST_ID)
        self.lists[LIST_ID] = status_entry(
            list_id=LIST_ID,
            purpose=purpose,
            sequence=before.sequence + 1 if before else 1,
            digest=digest,
            bits=bits,
        )

    def name_records(self, list_id, batches):
        """The next statement names the list with these batches of records."""
        self.lists[list_id] = replace(self.lists[list_id], records_root=records_root(batches))

    def sign(self, document, signer=None):
        signer = signer or key(self.key_number)
        method = verification_method(DID, signer.public_key)
        return sign_document(document, signer, verification_method=method, created=TIME)

    # ---------------------------------------------------------------------------------------- the host

    def keep(self, document):
        data = document if isinstance(document, bytes) else canonicalize(document)
        digest = hashlib.sha256(data).digest()
        self.documents[digest] = data
        return digest

    def log_document(self, document):
        digest = self.keep(document)
        self.entries.append(Entry(kind=EntryKind.DOCUMENT, digest=digest))
        return digest

    def log_credentials(self, count):
        for _ in range(count):
            digest = hashlib.sha256(b"credential %d" % len(self.entries)).digest()
            self.entries.append(Entry(kind=EntryKind.CREDENTIAL, digest=digest))

    def seal(self, statement=None, **changes):
        """Seal what is there and sign the head."""
        statement = statement or self.statements[-1]
        size = len(self.entries) + 1
        members = {
            "origin": self.origin,
            "size": size,
            "time": TIME,
            "statement_sequence": statement.sequence,
            "statement_digest": statement.digest,
            "previous_seal": self.sealed_size,
        }
        seal = Seal(**(members | changes))
        self.entries.append(Entry(kind=EntryKind.SEAL, digest=self.keep(seal.to_json())))
        self.sealed_size = size
        return self.head()

    def head(self, size=None):
        """The signed head of the first `size` entries, sealed or not."""
        size = len(self.entries) if size is None else size
        root = root_hash([entry.leaf_hash for entry in self.entries[:size]])
        return self.signed(size, root)

    def signed(self, size, root):
        checkpoint = Checkpoint(origin=self.origin, size=size, root=root)
        return parse_signed_checkpoint(sign_checkpoint(checkpoint, LOG_KEY))

    @property
    def verifier_key(self):
        return NoteSigner(name=self.origin, key=LOG_KEY).verifier_key
