"""Which development chain a folder has, and starting it: Anvil, or Ganache when that is asked for."""

import enum
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from testamur.node.chain import anvil, ganache
from testamur.node.chain.embedded import EmbeddedChain
from testamur.node.chain.snapshots import SnapshotFolder
from testamur.node.errors import ConfigError


class DevChain(enum.StrEnum):
    """A development chain that can be embedded."""

    ANVIL = "anvil"
    GANACHE = "ganache"


_CHAIN_IDS: Final = {anvil.CHAIN_ID: DevChain.ANVIL, ganache.CHAIN_ID: DevChain.GANACHE}


def chain_named(text: str | None) -> DevChain | None:
    """The chain of this name; None for None. Raises ConfigError for another word."""
    if text is not None and text not in list(DevChain):
        raise ConfigError("--chain", f"{text[:80]!r} is no development chain: {' or '.join(DevChain)}")
    return DevChain(text) if text is not None else None


def known_chain(folder: Path) -> DevChain | None:
    """The chain that was started in this folder before; None for a new one. Raises StoreCorrupt."""
    if not folder.is_dir():
        return None
    identity = SnapshotFolder(folder).identity()
    if identity is None:
        return None
    return _CHAIN_IDS.get(identity.chain_id, DevChain.ANVIL)


async def start_chain(kind: DevChain | None, folder: Path, *, roots: Sequence[Path]) -> EmbeddedChain:
    """The chain in `folder`, or a new one: of this kind, by default Anvil. `roots`: where npm installed it.

    Raises ConfigError when the folder has a chain of another kind or the chain is not installed, and what
    `Anvil.start` and `Ganache.start` raise.
    """
    known = known_chain(folder)
    if kind is not None and known is not None and kind is not known:
        reason = f"{folder} has a chain of {known}; leave the option out, or give another --home"
        raise ConfigError(f"--chain {kind}", reason)
    if (known or kind or DevChain.ANVIL) is DevChain.GANACHE:
        return await ganache.Ganache.start(_installed(ganache.find_ganache, roots), folder)
    return await anvil.Anvil.start(_installed(anvil.find_anvil, roots), folder)


def _installed(find: Callable[[Path], Path], roots: Sequence[Path]) -> Path:
    problem: ConfigError | None = None
    for root in roots:
        try:
            return find(root)
        except ConfigError as error:
            problem = problem or error
    raise problem or ConfigError("the development chain", "there is no folder in which it may be installed")
