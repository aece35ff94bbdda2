"""Names of a member's keys: in its keystore, and in the notes that they sign."""

from testamur.node.service.config import NodeConfig

WITNESS = "witness"
MIRROR = "mirror"
ATTESTATION = "attestation"
OPERATOR = "operator"
"""The hot account that pays for anchors."""

COUNCIL = "council"
"""The account that owns the contract, as long as one account is the whole council."""


def key_name(config: NodeConfig, role: str) -> str:
    """The name of a member's note key: <registry>/members/<member>/<role>."""
    return f"{config.registry}/members/{config.member}/{role}"


def log_key_name(slug: str, epoch: int) -> str:
    """The name of a hosted log's key in the keystore."""
    return f"log-{slug}-{epoch}"
