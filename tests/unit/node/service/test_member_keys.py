"""Which attestation key speaks for this member is what the trust file says, and nothing that is switched."""

from datetime import UTC, datetime

import pytest

from fakes.trust_chain import first, key_entry, member_of, parsed
from testamur.node.errors import ConfigError
from testamur.node.keystore.encryption import ScryptParameters
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.node.service.config import NodeConfig
from testamur.node.service.member_keys import (
    MemberKeys,
    attestation_keys,
    attestation_vkey,
    create_attestation_key,
)
from testamur.registry.trust import MAX_KEYS_PER_ROLE

CONFIG = NodeConfig(registry="registry.example", member="ada")
JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (6, 7, 8))


@pytest.fixture
def keystore(tmp_path):
    store = Keystore(tmp_path, Passphrase("for tests"), parameters=ScryptParameters(n=2, r=8, p=1))
    create_attestation_key(store)
    return store


def trust_with(*entries):
    document = first()
    member_of(document, "ada")["attestation"] = list(entries)
    return parsed(document)


def entry(info, since, until=None):
    return {**key_entry_of(info), "from": since, "until": until}


def key_entry_of(info):
    return {"key": attestation_vkey(CONFIG, info)}


def test_a_new_key_waits_until_a_trust_file_names_it_and_then_signs_from_its_time_on(keystore):
    old = attestation_keys(keystore)[0]
    keys = MemberKeys(CONFIG, keystore, trust_with(entry(old, "2026-01-01T00:00:00Z")))
    new = create_attestation_key(keystore)
    assert [info.name for info in attestation_keys(keystore)] == ["attestation", "attestation-2"]

    def signs(moment):
        return keys.attester_at(moment).verifier_key.raw

    assert signs(AUGUST) == old.public_key.raw
    keys.adopt(
        trust_with(
            entry(old, "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"), entry(new, "2026-07-01T00:00:00Z")
        )
    )
    assert signs(JUNE) == old.public_key.raw
    assert signs(JULY) == signs(AUGUST) == new.public_key.raw


def test_a_member_that_no_trust_file_names_signs_with_its_first_key(keystore):
    stranger = parsed(first())
    create_attestation_key(keystore)
    signer = MemberKeys(CONFIG, keystore, stranger).attester_at(JUNE)
    assert signer.verifier_key.raw == attestation_keys(keystore)[0].public_key.raw
    assert key_entry(signer, "2026-01-01T00:00:00Z")["key"] == signer.verifier_key.to_text()


def test_without_a_key_there_is_no_member_and_with_too_many_no_trust_file(tmp_path, keystore):
    with pytest.raises(ConfigError, match="no such key"):
        MemberKeys(CONFIG, Keystore(tmp_path / "empty"), parsed(first()))
    for _ in range(MAX_KEYS_PER_ROLE - 1):
        create_attestation_key(keystore)
    assert attestation_keys(keystore)[-1].name == f"attestation-{MAX_KEYS_PER_ROLE}"
    with pytest.raises(ConfigError, match=f"at most {MAX_KEYS_PER_ROLE}"):
        create_attestation_key(keystore)
