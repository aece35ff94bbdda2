"""What the anchorer means to do, on disk before it does it: at most one unsettled transaction.

The file is written before a transaction is sent and removed after its outcome was reported, so after a
crash at any moment the same bytes can be sent again, or their outcome looked up.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from testamur.node.chain.values import ChainIdentity
from testamur.node.errors import StoreCorrupt, WrongChain
from testamur.node.files import make_folders, read_file, sync_folder, translated_errors, write_atomically

MAX_INTENT_BYTES: Final = 16 << 20
"""Sixteen attempts with sixty-four anchors and their proofs are about 5 MB as hexadecimal text."""

_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRequest:
    """A checkpoint to be anchored: `proof` leads from `old_size`, which the contract has now, to `size`."""

    log_id: bytes
    old_size: int
    size: int
    root: bytes
    statement: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One signed transaction and what it anchors. Attempts of an intent differ in fees, rarely in more."""

    raw: bytes
    transaction_hash: bytes
    tip_wei: int
    max_fee_wei: int
    requests: tuple[AnchorRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One nonce and every attempt to use it, the newest last. At most one attempt can be mined."""

    nonce: int
    attempts: tuple[Attempt, ...]

    @property
    def newest(self) -> Attempt:
        """The attempt that is sent."""
        return self.attempts[-1]

    @property
    def log_ids(self) -> frozenset[bytes]:
        """Every log that any attempt anchors."""
        return frozenset(request.log_id for attempt in self.attempts for request in attempt.requests)

    def smallest_size(self, log_id: bytes) -> int:
        """The size that the log has at least once any attempt that names it is mined."""
        requests = (request for attempt in self.attempts for request in attempt.requests)
        return min(request.size for request in requests if request.log_id == log_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentOwner:
    """Whose intents a file holds: bytes signed for one account on one chain mean nothing anywhere else."""

    identity: ChainIdentity
    contract: bytes
    account: bytes


class IntentStore:
    """One file with at most one intent. Every change is durable on return. One process at a time."""

    def __init__(self, path: Path) -> None:
        make_folders(path.parent)
        self.path = path

    def load(self, owner: IntentOwner) -> Intent | None:
        """The unsettled intent. Raises StoreCorrupt, and WrongChain when it is another owner's."""
        content = read_file(self.path, max_bytes=MAX_INTENT_BYTES)
        if content is None:
            return None
        cure = "remove it: the register is read before anything is anchored again"
        try:
            row = json.loads(content)
            if row["version"] != _VERSION:
                raise StoreCorrupt(f"{self.path} was written by another version; {cure}")
            found = _owner(row)
            intent = Intent(nonce=int(row["nonce"]), attempts=tuple(map(_attempt, row["attempts"])))
        except (ValueError, KeyError, TypeError) as exc:
            raise StoreCorrupt(f"{self.path} is unreadable; {cure}") from exc
        if found != owner or not intent.attempts:
            raise WrongChain(f"{self.path} belongs to another account, contract or chain; {cure}")
        return intent

    def save(self, intent: Intent, owner: IntentOwner) -> None:
        """The intent replaces what was there."""
        row = {
            "version": _VERSION,
            "chainId": owner.identity.chain_id,
            "genesisHash": owner.identity.genesis_hash.hex(),
            "contract": owner.contract.hex(),
            "account": owner.account.hex(),
            "nonce": intent.nonce,
            "attempts": [_attempt_row(attempt) for attempt in intent.attempts],
        }
        write_atomically(self.path, json.dumps(row).encode())

    def clear(self) -> None:
        """Nothing is intended any more."""
        with translated_errors(self.path):
            self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)


def _owner(row: Mapping[str, Any]) -> IntentOwner:
    genesis_hash = bytes.fromhex(row["genesisHash"])
    return IntentOwner(
        identity=ChainIdentity(chain_id=int(row["chainId"]), genesis_hash=genesis_hash),
        contract=bytes.fromhex(row["contract"]),
        account=bytes.fromhex(row["account"]),
    )


def _attempt(row: Mapping[str, Any]) -> Attempt:
    return Attempt(
        raw=bytes.fromhex(row["raw"]),
        transaction_hash=bytes.fromhex(row["hash"]),
        tip_wei=int(row["tipWei"]),
        max_fee_wei=int(row["maxFeeWei"]),
        requests=tuple(
            AnchorRequest(
                log_id=bytes.fromhex(request["logId"]),
                old_size=int(request["oldSize"]),
                size=int(request["size"]),
                root=bytes.fromhex(request["root"]),
                statement=int(request["statement"]),
                proof=tuple(map(bytes.fromhex, request["proof"])),
            )
            for request in row["requests"]
        ),
    )


def _attempt_row(attempt: Attempt) -> dict[str, Any]:
    return {
        "raw": attempt.raw.hex(),
        "hash": attempt.transaction_hash.hex(),
        "tipWei": attempt.tip_wei,
        "maxFeeWei": attempt.max_fee_wei,
        "requests": [
            {
                "logId": request.log_id.hex(),
                "oldSize": request.old_size,
                "size": request.size,
                "root": request.root.hex(),
                "statement": request.statement,
                "proof": [node.hex() for node in request.proof],
            }
            for request in attempt.requests
        ],
    }
