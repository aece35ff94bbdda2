"""Which registries are for trying only, whatever they say of themselves."""

from testamur.registry.trust import TrustFile

DEVELOPMENT_CHAINS = frozenset({1337, 31337})
"""Ids that development chains have out of the box (Ganache and geth, Anvil and Hardhat): whoever runs one can
rewrite it at will, so what it holds proves nothing, even under a trust file that does not say so."""


def is_for_development(trust: TrustFile) -> bool:
    """Whether verdicts under this trust file must carry the warning."""
    return trust.development or any(chain.chain_id in DEVELOPMENT_CHAINS for chain in trust.chains)
