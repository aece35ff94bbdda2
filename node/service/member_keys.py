"""This member's attestation keys: the trust file says which of them speaks for the member at which time.

A new one is made beside the old one and waits: it signs once a version of the trust file names it, and the
old one signs as long as its time lasts. Nothing has to be switched by hand.
"""

import re
from datetime import datetime

from testamur.node.errors import ConfigError
from testamur.node.keystore.keyfile import KeyInfo
from testamur.node.keystore.store import Keystore
from testamur.node.service.config import NodeConfig
from testamur.node.service.roles import ATTESTATION, key_name
from testamur.registry.keys import Algorithm
from testamur.registry.notes import ED25519, NoteSigner, VerifierKey
from testamur.registry.trust import MAX_KEYS_PER_ROLE, TrustFile

_NAME = re.compile(rf"{ATTESTATION}(?:-([1-9][0-9]{{0,3}}))?")


class MemberKeys:
    """The keys under the trust file `trust`; another one is adopted while the node runs."""

    def __init__(self, config: NodeConfig, keystore: Keystore, trust: TrustFile) -> None:
        """Loads every attestation key. Raises ConfigError without one, or for a wrong passphrase."""
        self._name = key_name(config, ATTESTATION)
        self._keystore = keystore
        self._trust = trust
        self._signers = self._load()

    def adopt(self, trust: TrustFile) -> None:
        """From now on this trust file decides; keys that were made meanwhile are loaded."""
        self._signers = self._load()
        self._trust = trust

    def attester_at(self, moment: datetime) -> NoteSigner:
        """Who attests a header of this time: the newest key in force then, or the first one if none is."""
        for signer in reversed(self._signers):
            dated = self._trust.dated_key("attestation", signer.verifier_key)
            if dated is not None and dated.is_valid_at(moment):
                return signer
        return self._signers[0]

    def _load(self) -> list[NoteSigner]:
        infos = attestation_keys(self._keystore)
        if not infos:
            raise ConfigError(ATTESTATION, "this member has no such key; `testamur init` makes it")
        return [NoteSigner(name=self._name, key=self._keystore.load(info.name)) for info in infos]


def attestation_keys(keystore: Keystore) -> list[KeyInfo]:
    """The public parts of this member's attestation keys, the oldest first."""
    found = []
    for info in keystore.list():
        matched = _NAME.fullmatch(info.name)
        if matched is not None:
            found.append((int(matched[1] or 1), info))
    return [info for _, info in sorted(found, key=lambda item: item[0])]


def create_attestation_key(keystore: Keystore) -> KeyInfo:
    """The next attestation key: it signs nothing until a trust file names it. Raises ConfigError."""
    known = attestation_keys(keystore)
    if len(known) >= MAX_KEYS_PER_ROLE:
        raise ConfigError(ATTESTATION, f"a trust file names at most {MAX_KEYS_PER_ROLE} keys of one role")
    last = _NAME.fullmatch(known[-1].name) if known else None
    number = int(last[1] or 1) + 1 if last else 1
    return keystore.create(ATTESTATION if number == 1 else f"{ATTESTATION}-{number}", Algorithm.ED25519)


def attestation_vkey(config: NodeConfig, info: KeyInfo) -> str:
    """The key as a trust file names it."""
    name = key_name(config, ATTESTATION)
    return VerifierKey(name=name, algorithm=ED25519, raw=info.public_key.raw).to_text()
