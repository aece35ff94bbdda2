"""The credentials of a wallet: kept whole, once, with the newest evidence, for their owner alone."""

import pytest

from fakes.holders import DID, bound_to
from fakes.issuers import signing_key
from fakes.status_life import StatusLife
from fakes.whole_registry import NOW
from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.holding import store
from testamur.node.holding.archive import encode_archive, parse_archive
from testamur.node.holding.store import Holdings
from testamur.registry.canonical import canonicalize
from testamur.registry.checkpoints import parse_signed_checkpoint, sign_checkpoint
from testamur.registry.dossiers import encode_dossier, parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.notes import NoteSigner

WORLD = bound_to(DID)


@pytest.fixture
def holdings(tmp_path):
    return Holdings(tmp_path / "credentials")


def dossier(world=WORLD):
    return canonicalize(world.dossier())


def test_what_was_added_is_there_for_its_owner_alone(holdings):
    assert holdings.credentials() == ()
    added = holdings.add(dossier())
    assert (added.is_new, added.is_updated) == (True, False)
    (held,) = holdings.credentials()
    assert (held.digest, held.holders, held.document) == (WORLD.digest, [DID], WORLD.dossier())
    assert held.path.stat().st_mode & 0o777 == 0o600
    assert holdings.folder.stat().st_mode & 0o777 == 0o700


def test_newer_evidence_replaces_older_and_never_the_other_way(holdings):
    assert holdings.add(canonicalize(WORLD.credential)).is_new
    assert holdings.add(dossier(bound_to(DID, anchored=False))).is_updated
    assert holdings.add(dossier()).is_updated
    for older in (canonicalize(WORLD.credential), dossier(bound_to(DID, anchored=False)), dossier()):
        known = holdings.add(older)
        assert (known.is_new, known.is_updated) == (False, False)
    assert holdings.add(dossier(bound_to(DID, others=9))).is_updated
    (held,) = holdings.credentials()
    replaced = parse_dossier(held.path.with_suffix(".replaced").read_bytes())
    assert replaced == (WORLD.credential, WORLD.evidence())


def forged(change):
    """Newer evidence, as it seems, of the same credential."""
    dossier = bound_to(DID, others=9).dossier()
    (log,) = dossier["evidence"]["logs"].values()
    change(dossier["evidence"], log)
    return canonicalize(dossier)


def larger(evidence, log):
    name, size, rest = log["checkpoint"].split("\n", 2)
    log["checkpoint"] = "\n".join((name, str(int(size) + 1), rest))


def signed_by_another(evidence, log):
    signer = NoteSigner(name=str(WORLD.origin), key=signing_key(11))
    head = parse_signed_checkpoint(log["checkpoint"].encode()).checkpoint
    log["key"] = signer.verifier_key.to_text()
    log["checkpoint"] = sign_checkpoint(head, signing_key(11)).decode()


def without_inclusion(evidence, log):
    (entry,) = evidence["entries"]
    entry["proof"] = entry["proof"].replace("index 13", "index 12")


@pytest.mark.parametrize("change", [larger, signed_by_another, without_inclusion])
def test_what_the_kept_log_did_not_sign_replaces_nothing(holdings, change):
    holdings.add(dossier())
    with pytest.raises(MalformedError, match="nothing was changed: if the kept one is wrong, move"):
        holdings.add(forged(change))
    (held,) = holdings.credentials()
    assert held.document == WORLD.dossier()
    assert not held.path.with_suffix(".replaced").exists()


def test_what_has_no_evidence_yet_has_nothing_to_lose(holdings):
    holdings.add(canonicalize(WORLD.credential))
    assert holdings.add(forged(signed_by_another)).is_updated


def test_a_credential_is_found_by_its_beginning_or_its_id(holdings):
    held = holdings.add(dossier()).held
    for word in (held.name, held.digest.hex(), held.name.upper(), held.credential.id):
        assert holdings.find(word).digest == held.digest
    for word in ("", held.name[:3], "ffffffff", "urn:uuid:else"):
        with pytest.raises(ConfigError, match="not in this wallet"):
            holdings.find(word)


def test_a_word_that_may_mean_two_is_not_guessed(holdings, monkeypatch):
    holdings.add(dossier())
    holdings.add(dossier(bound_to()))
    monkeypatch.setattr(store, "MIN_NAME_CHARACTERS", 0)
    with pytest.raises(ConfigError, match="give more of it"):
        holdings.find("")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        canonicalize(WORLD.evidence()),
        canonicalize({"credential": WORLD.credential, "evidence": {"type": "x"}}),
        canonicalize({"credential": bound_to().credential, "evidence": WORLD.evidence()}),
        canonicalize({"type": ["VerifiablePresentation"], "@context": []}),
    ],
)
def test_what_is_no_credential_or_has_foreign_evidence_is_not_kept(holdings, data):
    with pytest.raises(MalformedError):
        holdings.add(data)
    assert holdings.credentials() == ()


def test_a_damaged_or_exchanged_file_is_named(holdings):
    held = holdings.add(dossier()).held
    held.path.write_bytes(dossier(bound_to()))
    with pytest.raises(StoreCorrupt, match="another credential"):
        holdings.credentials()
    held.path.write_bytes(b"{")
    with pytest.raises(StoreCorrupt, match=held.path.name):
        holdings.credentials()


def test_a_full_wallet_says_so(holdings, monkeypatch):
    monkeypatch.setattr(store, "MAX_CREDENTIALS", 1)
    holdings.add(dossier())
    with pytest.raises(ConfigError, match="its most"):
        holdings.add(dossier(bound_to()))
    assert not holdings.add(dossier()).is_new


def test_an_archive_holds_keys_as_they_are_and_every_dossier(holdings):
    holdings.add(dossier())
    archive = parse_archive(encode_archive({"main": b'{"b":1,"a":2}'}, holdings.credentials(), NOW))
    assert archive.keys == {"main": b'{"a":2,"b":1}\n'}
    assert [data.rstrip(b"\n") for data in archive.dossiers] == [dossier()]


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"keys": []}, {"credentials": [{"x": 1}]}, {"made": None}, {"more": 1}]
)
def test_an_archive_of_another_form_is_refused(change):
    document = {"type": "TestamurWallet", "version": 1, "made": "x", "keys": {}, "credentials": []}
    assert parse_archive(canonicalize(document)).dossiers == ()
    with pytest.raises(MalformedError):
        parse_archive(canonicalize({**document, **change}))


def test_newer_evidence_takes_nothing_away_that_the_older_alone_shows(holdings):
    life = StatusLife()
    older = life.evidence()
    holdings.add(encode_dossier(life.credential, older))
    life.tick()
    life.change("suspension", 8, True)
    life.anchor()
    added = holdings.add(encode_dossier(life.credential, life.evidence()))
    assert added.is_updated
    assert [one["logs"].keys() for one in added.held.evidence["earlier"]] == [older["logs"].keys()]
    assert holdings.credentials()[0].evidence == added.held.evidence
