"""Founding a registry: deploy the contract to a chain, and write the genesis trust file.

A consortium begins with one member that is the whole council; more are admitted later by the same contract.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from testamur.node.chain.ports import Chain
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import TransactionSender
from testamur.node.errors import ChainUnavailable, ConfigError
from testamur.node.files import write_new
from testamur.node.keystore.store import Keystore
from testamur.node.service.chain_access import contract_of
from testamur.node.service.config import NodeConfig, replace_config
from testamur.node.service.folders import NodeFolders
from testamur.node.service.opening import application_slugs
from testamur.node.service.roles import ATTESTATION, COUNCIL, MIRROR, OPERATOR, WITNESS, key_name
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.keys import Algorithm
from testamur.registry.notes import COSIGNATURE_ED25519, ED25519, VerifierKey
from testamur.registry.timestamps import format_timestamp
from testamur.registry.trust import parse_trust_file
from testamur.registry.trust_successions import OWN_SLUG

RECOVERY_DELAY_SECONDS = 7 * 24 * 3600
"""A week in which an issuer can veto that the council replaces its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A registry that was just founded."""

    contract: bytes
    block_number: int
    fingerprint: str


def create_member_keys(keystore: Keystore) -> None:
    """Make those of a member's keys that are not there yet."""
    for name in (WITNESS, MIRROR, ATTESTATION):
        if keystore.find(name) is None:
            keystore.create(name, Algorithm.ED25519)
    for name in (OPERATOR, COUNCIL):
        if keystore.find(name) is None:
            keystore.create(name, Algorithm.SECP256K1)


def founded_before(root: Path, config: NodeConfig) -> Founded | None:
    """The registry that a crash left without its own log; None when there is none, or nothing is missing."""
    folders = NodeFolders(root)
    if not folders.trust.exists() or OWN_SLUG in application_slugs(folders):
        return None
    trust = parse_trust_file(folders.trust.read_bytes())
    return Founded(
        contract=contract_of(config),
        block_number=trust.chains[0].from_block if trust.chains else 0,
        fingerprint=trust.fingerprint,
    )


async def found(
    root: Path, config: NodeConfig, keystore: Keystore, client: Chain, *, now: datetime
) -> Founded:
    """Deploy the contract, owned by this member's council account, and write trust file and settings.

    The council account must be able to pay. Raises ConfigError when this node has a registry already,
    ChainUnavailable.
    """
    folders = NodeFolders(root)
    if folders.trust.exists():
        raise ConfigError(str(folders.trust), "this node belongs to a registry already")
    identity = await client.check()
    council = ChainAccount(keystore.load_secp256k1(COUNCIL))
    sender = TransactionSender(client, council)
    receipt = await sender.deploy(
        config.registry, council=council.address, recovery_delay_seconds=RECOVERY_DELAY_SECONDS
    )
    if receipt.contract is None:
        raise ChainUnavailable("the deployment left no contract")
    settled = replace(
        config,
        chain_id=identity.chain_id,
        genesis_hash=f"0x{identity.genesis_hash.hex()}",
        contract=f"0x{receipt.contract.hex()}",
    )
    data = genesis_trust_file(settled, keystore, from_block=receipt.block_number, now=now)
    # The settings first: the trust file marks a registry as founded.
    replace_config(root, settled)
    write_new(folders.trust, data)
    return Founded(
        contract=receipt.contract,
        block_number=receipt.block_number,
        fingerprint=parse_trust_file(data).fingerprint,
    )


def genesis_trust_file(config: NodeConfig, keystore: Keystore, *, from_block: int, now: datetime) -> bytes:
    """Version 1 of the trust file, with this member as the only one."""
    since = format_timestamp(now)

    def key_text(role: str, algorithm: int) -> str:
        info = keystore.find(role)
        if info is None:
            raise ConfigError(role, "this member has no such key; `testamur init` makes it")
        raw = info.public_key.raw
        return VerifierKey(name=key_name(config, role), algorithm=algorithm, raw=raw).to_text()

    keys = {
        WITNESS: key_text(WITNESS, COSIGNATURE_ED25519),
        MIRROR: key_text(MIRROR, COSIGNATURE_ED25519),
        ATTESTATION: key_text(ATTESTATION, ED25519),
    }
    member: dict[str, Json] = {"name": config.member, "url": config.public_url or None}
    for role, text in keys.items():
        member[role] = [{"key": text, "from": since, "until": None}]
    document: Json = {
        "type": "TestamurTrust",
        "version": 1,
        "sequence": 1,
        "registry": config.registry,
        "development": config.development,
        "issued": since,
        "members": [member],
        "policies": {
            role: f"witness {config.member} {keys[role]}\nquorum {config.member}\n"
            for role in (WITNESS, MIRROR)
        },
        "chains": [
            {
                "chainId": config.chain_id,
                "genesisHash": config.genesis_hash,
                "contract": config.contract,
                "fromBlock": from_block,
                "untilBlock": None,
                "finality": {
                    "type": "member-attestations",
                    "threshold": 1,
                    "interval": config.attestation_interval,
                },
            }
        ],
        "accreditors": [],
        "succession": {"threshold": 1},
        "previous": None,
        "signatures": [],
    }
    return canonicalize(document) + b"\n"
