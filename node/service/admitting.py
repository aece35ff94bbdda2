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
from testamur.node.keystore.store import Keystore
from testamur.node.service.chain_access import contract_of
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.opening import APPLICATION_NAME, FIRST_EPOCH
from testamur.node.service.roles import COUNCIL, OPERATOR, log_key_name
from testamur.node.service.tokens import TokenStore
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.entries import Origin
from testamur.registry.errors import RegistryError
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm
from testamur.registry.notes import ED25519, VerifierKey


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
    application that is not sound, ContractRefused, ChainUnavailable.
    """
    folders = NodeFolders(root)
    try:
        application = verify_application(document, registry=config.registry)
    except RegistryError as error:
        raise ConfigError("application", str(error)) from error
    origin = Origin(registry=config.registry, slug=application.slug, epoch=FIRST_EPOCH)
    name = log_key_name(application.slug, FIRST_EPOCH)
    info = keystore.find(name) or keystore.create(name, Algorithm.ED25519)
    key = VerifierKey(name=str(origin), algorithm=ED25519, raw=info.public_key.raw)
    block = await _admit_on_chain(config, keystore, client, application, sha256(key.to_text().encode()))
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
    config: NodeConfig, keystore: Keystore, client: Chain, application: Application, log_key: bytes
) -> int | None:
    """The block of the admission, or None when the very same admission stands in the contract already."""
    await client.check()
    contract = contract_of(config)
    origin = Origin(registry=config.registry, slug=application.slug, epoch=FIRST_EPOCH)
    operator = ChainAccount(keystore.load_secp256k1(OPERATOR)).address
    sender = TransactionSender(client, ChainAccount(keystore.load_secp256k1(COUNCIL)))
    try:
        receipt = await sender.call(
            contract,
            "admit",
            application.slug,
            application.did,
            application.admission.digest,
            bytes.fromhex(application.controller[2:]),
            operator,
            log_key,
        )
    except ContractRefused as refused:
        answer = await client.call(contract, encode_call("issuer", [origin.issuer_id]))
        if decode_result("issuer", answer)[0][0] != application.admission.digest:
            raise ConfigError("application", f"the contract refused it: {refused}") from refused
        return None
    return receipt.block_number
