"""`wallet`: a learner's day, and every mistake in it named."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from fakes.holders import CHALLENGE, DOMAIN, bound_to
from fakes.whole_registry import NOW, trust_document
from testamur.node.cli import wallet_backups, wallets
from testamur.node.cli.quick_start import VerifyOptions
from testamur.node.cli.verifying import run_verify
from testamur.node.cli.wallet_backups import STAGING, run_backup, run_restore
from testamur.node.cli.wallet_showing import run_present
from testamur.node.cli.wallets import run_add, run_list, run_new, run_show
from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.fetch import registry
from testamur.node.files import write_new
from testamur.node.keystore.encryption import ScryptParameters
from testamur.node.keystore.sealing import seal
from testamur.node.keystore.store import Keystore
from testamur.registry.canonical import canonicalize

FAST = ScryptParameters(n=2, r=8, p=1)


@pytest.fixture(autouse=True)
def fast_keys(monkeypatch):
    keystore = partial(Keystore, parameters=FAST)
    monkeypatch.setattr(wallets, "Keystore", keystore)
    monkeypatch.setattr(wallet_backups, "Keystore", keystore)
    monkeypatch.setattr(wallet_backups, "seal", partial(seal, parameters=FAST))


@pytest.fixture
def learner(tmp_path, capsys):
    return Learner(tmp_path, capsys)


class Learner:
    """Somebody with a home folder and a passphrase file."""

    def __init__(self, folder, capsys):
        self.folder, self.home, self._capsys = folder, folder / "home", capsys
        self.passphrase = folder / "passphrase"
        write_new(self.passphrase, b"correct horse\n", mode=0o600)
        (folder / "trust.json").write_bytes(canonicalize(trust_document()))

    def said(self):
        lines = self._capsys.readouterr().out.splitlines()
        return [json.loads(line) for line in lines]

    def new(self, name="main"):
        run_new(name, passphrase_file=self.passphrase, as_json=True, home=self.home)
        return self.said()[-1]["did"]

    def add(self, *worlds):
        paths = []
        for number, world in enumerate(worlds):
            paths.append(self.folder / f"{number}.credential.json")
            paths[-1].write_bytes(canonicalize(world.dossier()))
        run_add(paths, as_json=True, home=self.home)
        return [row["name"] for row in self.said()]

    def present(self, *words, **options):
        settings = {
            "every": False,
            "challenge": CHALLENGE,
            "domain": DOMAIN,
            "key": None,
            "minutes": 15,
            "cryptosuite": "eddsa-jcs-2022",
            "out": self.folder / "out.presentation.json",
            "passphrase_file": self.passphrase,
            "as_json": True,
            "home": self.home,
            "now": NOW,
        }
        run_present(list(words), **{**settings, **options})
        return self.said()[-1]

    def verify(self, *, now=NOW, challenge=CHALLENGE, domain=DOMAIN, files=(), **options):
        files = files or (self.folder / "out.presentation.json",)
        asked = VerifyOptions(
            files=tuple(files),
            trust=self.folder / "trust.json",
            json=True,
            challenge=challenge,
            domain=domain,
            **{"offline": True, **options},
        )
        return run_verify(asked, now=now), self.said()


def test_a_new_key_is_encrypted_and_its_did_is_what_is_told(learner):
    did = learner.new()
    file = learner.home / "wallet" / "keys" / "main.key.json"
    assert did.removeprefix("did:key:") in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (learner.home / "wallet").stat().st_mode & 0o777 == 0o700
    with pytest.raises(ConfigError, match="exists and is kept"):
        learner.new()
    assert learner.new("second") != did


def test_from_a_key_to_a_verdict_without_any_node(learner):
    did = learner.new()
    (name,) = learner.add(bound_to(did))
    made = learner.present(name)
    assert made["holders"] == [did]
    file = learner.folder / "out.presentation.json"
    assert file.stat().st_mode & 0o777 == 0o600
    code, (verdict,) = learner.verify()
    assert (code, verdict["outcome"], verdict["type"]) == (0, "valid", "TestamurPresentationVerdict")


@pytest.mark.parametrize("cryptosuite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_both_suites_are_verified(learner, cryptosuite):
    learner.add(bound_to(learner.new()))
    learner.present(cryptosuite=cryptosuite)
    assert learner.verify()[0] == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"challenge": "another"}, "proof-challenge-mismatch"),
        ({"domain": "other.example"}, "proof-domain-mismatch"),
        ({"now": NOW + timedelta(minutes=16)}, "proof-expired"),
    ],
)
def test_a_replay_is_invalid_with_the_exit_code_of_that(learner, options, reason):
    learner.add(bound_to(learner.new()))
    learner.present()
    code, (verdict,) = learner.verify(**options)
    assert (code, verdict["presentation"]["problem"]["reason"]) == (1, reason)


def test_a_dossier_does_not_answer_a_challenge(learner):
    learner.add(bound_to(learner.new()))
    code, (verdict,) = learner.verify(files=[learner.folder / "0.credential.json"])
    assert (code, verdict["checks"][10]["reason"]) == (3, "presentation-missing")
    code, (verdict,) = learner.verify(
        files=[learner.folder / "0.credential.json"], challenge=None, domain=None
    )
    assert (code, verdict["checks"][10]["reason"]) == (0, "holder-not-asked")


def test_a_presentation_in_a_folder_is_a_row(learner):
    learner.add(bound_to(learner.new()))
    folder = learner.folder / "inbox"
    folder.mkdir()
    learner.present(out=folder / "a.presentation.json")
    code, (row, last) = learner.verify(files=[folder])
    assert (code, row["outcome"], last["valid"]) == (0, "valid", 1)
    report = learner.folder / "report.json"
    code, _ = learner.verify(files=[folder], challenge="another", report=report)
    (row,) = json.loads(report.read_text())["files"]
    assert (code, row["failedChecks"], row["reasons"]) == (
        1,
        ["holder-binding"],
        ["proof-challenge-mismatch"],
    )


def test_a_presentation_in_words_says_who_and_for_whom(learner, capsys):
    did = learner.new()
    learner.add(bound_to(did))
    learner.present()
    options = VerifyOptions(
        files=(learner.folder / "out.presentation.json",), trust=learner.folder / "trust.json"
    )
    assert run_verify(options, now=NOW) == 0
    text = capsys.readouterr().out
    assert f"Presented by {did}" in text
    assert f"made for {DOMAIN}" in text
    assert "no challenge was given" in text
    assert "VALID  presentation of 1" in text


def test_a_named_node_brings_newer_evidence_for_every_credential(learner, monkeypatch):
    world = bound_to(learner.new())
    learner.add(world)
    learner.present()
    file = learner.folder / "out.presentation.json"
    document = json.loads(file.read_text())
    file.write_bytes(canonicalize({**document, "evidence": [None]}))
    assert learner.verify()[0] == 3
    asked = []

    class Client:
        def __init__(self, url):
            asked.append(url)

        def __enter__(self):
            return self

        def __exit__(self, *exc_info):
            pass

        def evidence(self, digest):
            asked.append(digest)
            return world.evidence()

    monkeypatch.setattr(registry, "RegistryClient", Client)
    code, (verdict,) = learner.verify(node="https://node.example", offline=False)
    assert (code, asked) == (0, ["https://node.example", world.digest])
    assert verdict["credentials"][0]["checks"][10]["reason"] == "holder-proven"


def test_credentials_of_several_keys_are_shown_together(learner):
    dids = [learner.new(), learner.new("second")]
    learner.add(*map(bound_to, dids))
    assert sorted(learner.present(every=True)["holders"]) == sorted(dids)
    code, (verdict,) = learner.verify()
    assert (code, len(verdict["credentials"])) == (0, 2)


def test_a_credential_that_names_nobody_is_shown_by_the_only_key_and_cannot_be_told(learner):
    did = learner.new()
    learner.add(bound_to())
    assert learner.present()["holders"] == [did]
    assert learner.verify()[0] == 3
    learner.new("second")
    with pytest.raises(ConfigError, match="say who shows them"):
        learner.present()
    assert learner.present(key="main")["holders"] == [did]


def test_what_is_somebody_elses_is_kept_and_not_shown(learner, capsys):
    learner.new()
    (name,) = learner.add(bound_to("did:example:other"))
    with pytest.raises(ConfigError, match="whose key is not in this wallet"):
        learner.present(name)
    assert not (learner.folder / "out.presentation.json").exists()


@pytest.mark.parametrize(
    ("words", "options", "reason"),
    [
        ((), {}, "name some of the 2"),
        (("ffffffff",), {}, "not in this wallet"),
        (("ffffffff",), {"every": True}, "name none beside it"),
        ((), {"every": True, "key": "none"}, "there is no key"),
        ((), {"every": True, "challenge": ""}, "--challenge"),
        ((), {"every": True, "domain": "x" * 257}, "--domain"),
    ],
)
def test_a_wrong_wish_is_refused_with_the_cure(learner, words, options, reason):
    did = learner.new()
    learner.add(bound_to(did), bound_to())
    with pytest.raises(ConfigError, match=reason):
        learner.present(*words, **options)


def test_an_empty_wallet_says_what_to_do(learner):
    run_list(as_json=True, home=learner.home)
    assert learner.said() == [{"keys": [], "credentials": []}]
    with pytest.raises(ConfigError, match="wallet add"):
        learner.present()
    learner.add(bound_to())
    with pytest.raises(ConfigError, match="wallet new"):
        learner.present()


def test_a_wrong_passphrase_shows_nothing(learner):
    learner.add(bound_to(learner.new()))
    wrong = learner.folder / "wrong"
    write_new(wrong, b"correct house\n", mode=0o600)
    with pytest.raises(ConfigError, match="passphrase"):
        learner.present(passphrase_file=wrong)
    with pytest.raises(ConfigError, match="passphrase"):
        run_backup(learner.folder / "b", passphrase_file=wrong, as_json=True, home=learner.home)


def test_list_and_show_tell_strangers_text_safely(learner, capsys):
    world = bound_to(learner.new())
    (name,) = learner.add(world)
    run_list(as_json=False, home=learner.home)
    assert f"{name}" in capsys.readouterr().out
    run_show(name, out=learner.folder / "copy.json", as_json=False, home=learner.home)
    assert "Data Literacy" in capsys.readouterr().out
    assert json.loads((learner.folder / "copy.json").read_text()) == world.dossier()
    run_show(name, out=None, as_json=True, home=learner.home)
    assert learner.said()[0]["dossier"] == world.dossier()


# -- backup and restore


def backup(learner):
    file = learner.folder / "wallet.backup"
    run_backup(file, passphrase_file=learner.passphrase, as_json=True, home=learner.home)
    assert learner.said()[-1] == {"file": str(file), "keys": 1, "credentials": 1}
    return file


def restore(learner, file, home, passphrase=None):
    run_restore(file, passphrase_file=passphrase or learner.passphrase, as_json=True, home=home)
    return learner.said()[-1]


def test_a_backup_on_another_machine_presents_the_same(learner):
    did = learner.new()
    learner.add(bound_to(did))
    file = backup(learner)
    assert did.encode() not in file.read_bytes()
    assert b"Data Literacy" not in file.read_bytes()
    other = learner.folder / "other"
    said = restore(learner, file, other)
    assert (said["keys"], said["credentials"]) == (1, 1)
    learner.home = other
    assert learner.present()["holders"] == [did]
    assert learner.verify()[0] == 0


def test_a_wallet_is_never_written_over(learner):
    learner.add(bound_to(learner.new()))
    file = backup(learner)
    with pytest.raises(ConfigError, match="there is one in"):
        restore(learner, file, learner.home)
    occupied = learner.folder / "occupied"
    (occupied / "wallet").mkdir(parents=True)
    (occupied / "wallet" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="other files"):
        restore(learner, file, occupied)
    assert (occupied / "wallet" / "thesis.txt").read_text() == "mine"
    empty = learner.folder / "empty"
    (empty / "wallet" / "keys").mkdir(parents=True)
    assert restore(learner, file, empty)["keys"] == 1


def test_what_a_restore_left_behind_when_it_died_does_not_matter(learner):
    learner.add(bound_to(learner.new()))
    file, home = backup(learner), learner.folder / "other"
    (home / STAGING / "keys").mkdir(parents=True)
    (home / STAGING / "keys" / "main.key.json").write_text("{")
    assert restore(learner, file, home)["keys"] == 1
    assert not (home / STAGING).exists()


def test_a_backup_that_does_not_open_leaves_nothing(learner):
    learner.add(bound_to(learner.new()))
    file, home = backup(learner), learner.folder / "other"
    wrong = learner.folder / "wrong"
    write_new(wrong, b"correct house\n", mode=0o600)
    with pytest.raises(ConfigError, match="passphrase"):
        restore(learner, file, home, wrong)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(StoreCorrupt, match="another copy"):
        restore(learner, file, home)
    assert not (home / "wallet").exists()


def test_a_key_whose_name_leads_elsewhere_is_refused(learner):
    content = canonicalize(
        {
            "type": "TestamurWallet",
            "version": 1,
            "made": datetime.now(UTC).isoformat(),
            "keys": {"../../evil": {"type": "TestamurKey"}},
            "credentials": [],
        }
    )
    file = learner.folder / "evil.backup"
    secret = wallet_backups.passphrase(learner.passphrase)
    file.write_bytes(seal(content, secret, kind="TestamurWalletBackup", parameters=FAST))
    with pytest.raises(StoreCorrupt, match="not the name of a key"):
        restore(learner, file, learner.folder / "other")
    assert not list(learner.folder.rglob("evil.key.json"))


def test_there_is_nothing_to_back_up_without_a_wallet(learner):
    with pytest.raises(ConfigError, match="there is none"):
        run_backup(learner.folder / "b", passphrase_file=learner.passphrase, as_json=True, home=learner.home)
