"""Admitting an issuer: the council's transaction, the log's key, the application on disk, a token."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from testamur.node.chain.contracts import ContractRefused, decode_result, encode_call
from testamur.node.chain.ports import Chain
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import TransactionSender
from testamur.node.errors import ConfigError
from testamur.node.files import make_folders, write_atomically
from testamur.node.issuing.apply import Application, verify_application
from testamur.node.keystore.keyfile import KeyInfo
from testamur.node.keystore.store import Keystore
from testamur.node.service.chain_access import contract_of
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.opening import APPLICATION_NAME, FIRST_EPOCH
from testamur.node.service.roles import COUNCIL, OPERATOR, log_key_name
from testamur.node.service.tokens import TokenStore
from testamur.registry.admissions import Admission
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.entries import Origin
from testamur.registry.errors import RegistryError
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm
from testamur.registry.notes import ED25519, VerifierKey

ANOTHER_HOST = "if this node hosted the log, restore its keys/ from a backup; else its host is another node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """An issuer that this node hosts now. `token` is shown once."""

    slug: str
    did: str
    origin: str
    log_id: bytes
    block_number: int | None
    token: str


async def admit(
    root: Path, config: NodeConfig, keystore: Keystore, client: Chain, document: Json, *, now: datetime
) -> Admitted:
    """Admit the issuer of an application, with this node as its host. A running node begins to host it.

    Repeating it after a crash finishes what is missing and makes a new token. Raises ConfigError for an
    application that is not sound, and when the contract knows the log by another admission, key or operator
    than this node's: a log has one host. Raises ChainUnavailable.
    """
    folders = NodeFolders(root)
    try:
        application = verify_application(document, registry=config.registry)
    except RegistryError as error:
        raise ConfigError("application", str(error)) from error
    block = await _admit_on_chain(config, keystore, client, application)
    origin = _origin(application.admission)
    make_folders(folders.issuer(application.slug))
    # Last: a running node hosts every application that it finds here.
    write_atomically(folders.issuer(application.slug) / APPLICATION_NAME, canonicalize(document))
    return Admitted(
        slug=application.slug,
        did=application.did,
        origin=str(origin),
        log_id=origin.log_id,
        block_number=block,
        token=TokenStore(folders.tokens).create(application.slug, now).secret,
    )


async def _admit_on_chain(
    config: NodeConfig, keystore: Keystore, client: Chain, application: Application
) -> int | None:
    """The block of the admission, or None when the contract has this very one already."""
    await client.check()
    contract = contract_of(config)
    admission, origin = application.admission, _origin(application.admission)
    operator = ChainAccount(keystore.load_secp256k1(OPERATOR)).address
    name = log_key_name(origin.slug, origin.epoch)
    # Asked before a key is made: one that the contract does not know would sign this log a second time.
    if await _is_admitted(client, contract, admission, operator, keystore.find(name)):
        return None
    key = keystore.find(name) or keystore.create(name, Algorithm.ED25519)
    sender = TransactionSender(client, ChainAccount(keystore.load_secp256k1(COUNCIL)))
    try:
        receipt = await sender.call(
            contract,
            "admit",
            admission.slug,
            admission.did,
            admission.digest,
            bytes.fromhex(application.controller[2:]),
            operator,
            _log_key_digest(origin, key),
        )
    except ContractRefused as refused:
        # Also when a transaction of an earlier try was mined in this moment.
        if await _is_admitted(client, contract, admission, operator, key):
            return None
        raise ConfigError("application", f"the contract refused it: {refused}") from refused
    return receipt.block_number


async def _is_admitted(
    client: Chain, contract: bytes, admission: Admission, operator: bytes, key: KeyInfo | None
) -> bool:
    """Whether the contract has the log; then it is of this admission, and this node's. Raises ConfigError."""
    origin = _origin(admission)
    answer = await client.call(contract, encode_call("log", [origin.log_id]))
    _, log_operator, _, log_key, *_ = decode_result("log", answer)[0]
    if not any(log_key):  # opening a log fixes its key
        return False
    answer = await client.call(contract, encode_call("issuer", [origin.issuer_id]))
    identity, *_ = decode_result("issuer", answer)[0]
    if identity != admission.digest:
        reason = f"the contract has admitted {origin.slug} with another DID or key; apply with another slug"
        raise ConfigError("application", reason)
    own = f"0x{operator.hex()}"
    if log_operator != own:
        reason = f"the contract has {log_operator} for {origin}, and this node is {own}: {ANOTHER_HOST}"
        raise ConfigError(OPERATOR, reason)
    if key is None or _log_key_digest(origin, key) != log_key:
        found = "is missing" if key is None else "is another one"
        reason = f"{found}, and the contract has fixed the key of {origin}: {ANOTHER_HOST}"
        raise ConfigError(log_key_name(origin.slug, origin.epoch), reason)
    return True


def _origin(admission: Admission) -> Origin:
    return Origin(registry=admission.registry, slug=admission.slug, epoch=FIRST_EPOCH)


def _log_key_digest(origin: Origin, info: KeyInfo) -> bytes:
    """As the contract has it."""
    key = VerifierKey(name=str(origin), algorithm=ED25519, raw=info.public_key.raw)
    return sha256(key.to_text().encode())
