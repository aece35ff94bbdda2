"""Where things lie under a user's home folder. The environment is read here and nowhere else."""

import os
from pathlib import Path

HOME_VARIABLE = "TESTAMUR_HOME"


def default_home() -> Path:
    """`$TESTAMUR_HOME`, or `.testamur` in the user's home folder."""
    configured = os.environ.get(HOME_VARIABLE)
    return Path(configured) if configured else Path.home() / ".testamur"


def node_folder(home: Path) -> Path:
    """Where the node keeps what it has."""
    return home / "node"


def workspace_folder(home: Path, slug: str) -> Path:
    """Where the issuer `slug` keeps its keys and ledger: never inside a node's folder."""
    return home / "issuers" / slug


def wallet_folder(home: Path) -> Path:
    """Where a learner keeps keys and credentials."""
    return home / "wallet"


def chain_folder(home: Path) -> Path:
    """Where an embedded development chain keeps its snapshots."""
    return home / "chain"
