"""A backup of a running node opens as that node, and a restored log is never older than the one it replaces."""

import hashlib
import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fakes.hostings import StoppedNode
from testamur.node.cli.main import app
from testamur.node.errors import ConfigError, StoreCorrupt, StoreLocked
from testamur.node.keystore.encryption import ScryptParameters
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.node.log.audit import audit_log
from testamur.node.log.documents import DocumentStore
from testamur.node.service.backup import back_up
from testamur.node.service.config import write_config
from testamur.node.service.folders import NodeFolders
from testamur.node.service.restoring import restore
from testamur.node.service.supplied import load_documents
from testamur.registry.entries import Origin
from testamur.registry.keys import Algorithm

ADA = Origin(registry="registry.example", slug="ada", epoch=1)


def digest(number):
    return hashlib.sha256(b"credential %d" % number).digest()


def flip(path, offset=-5):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


@pytest.fixture
def node(tmp_path):
    """Two logs with published and pending entries; open."""
    made = StoppedNode(tmp_path / "home" / "node")
    for slug in ("ada", "bit"):
        hosting = made.host(slug)
        hosting.log.submit([digest(number) for number in range(300)])
        hosting.log.seal()
        hosting.log.submit([digest(1000)])
    yield made
    made.close()


def copy(node, target, **options):
    options.setdefault("with_keys", False)
    return back_up(node.root, node.config, target, now=node.clock(), **options)


def reopened(root):
    """The folder opened as a node opens it."""
    made = StoppedNode.__new__(StoppedNode)
    fresh = StoppedNode(root.with_name(f"{root.name}-scratch"))
    made.__dict__.update(fresh.__dict__)
    fresh.index.close()
    made.root, made.folders, made.hostings = root, NodeFolders(root), {}
    made.open()
    return made


def test_a_backup_of_an_open_node_opens_with_everything_that_was_accepted(node, tmp_path):
    done = copy(node, tmp_path / "backup")
    assert [(log.size, log.next_index - log.size) for log in done.logs] == [
        (node.hostings[slug].log.writer.size, 1)
        for slug in sorted(("ada", "bit"), key=lambda slug: node.hostings[slug].log.origin.log_id.hex())
    ]
    node.close()
    shutil.rmtree(node.root)
    assert restore(node.root, tmp_path / "backup", now=node.clock()).replaced is None
    again = reopened(node.root)
    for slug in ("ada", "bit"):
        log = again.host(slug).log
        assert log.submit([digest(1000)]).new == 0
        assert log.publications.newest().statement.sequence == 1
        log.seal()
    again.close()


def test_a_backup_taken_while_statements_and_seals_go_on_is_consistent(node, tmp_path):
    stop = threading.Event()

    def work():
        number = 1
        while not stop.is_set():
            node.state("ada", *range(1, number + 1))
            node.hostings["ada"].log.submit([digest(2000 + number)])
            node.hostings["ada"].log.seal()
            number += 1

    writing = threading.Thread(target=work)
    writing.start()
    try:
        for number in range(3):
            copy(node, tmp_path / f"backup{number}")
    finally:
        stop.set()
        writing.join()
    node.close()
    for number in range(3):
        root = tmp_path / f"restored{number}" / "node"
        root.parent.mkdir()
        restore(root, tmp_path / f"backup{number}", now=node.clock())
        again = reopened(root)
        log = again.host("ada").log
        newest = log.publications.newest().statement
        assert log.writer.documents.has(newest.digest)
        again.state("ada", *range(1, 10_000))
        assert log.publications.newest().statement.sequence == newest.sequence + 1
        log.seal()
        again.close()
        assert audit_log(again.folders.log(ADA), DocumentStore(again.folders.documents)).is_sound


def test_keys_are_copied_only_on_request_and_stay_encrypted(node, tmp_path):
    secret = Passphrase("correct horse battery staple")
    options = {"parameters": ScryptParameters(n=2, r=1, p=1)}
    keystore = Keystore(node.folders.keys, secret, **options)
    keystore.create("witness", Algorithm.ED25519)
    seed = keystore.load("witness")
    copy(node, tmp_path / "without")
    assert not NodeFolders(tmp_path / "without").keys.exists()
    copy(node, tmp_path / "with", with_keys=True)
    path = NodeFolders(tmp_path / "with").keys / "witness.key.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == (node.folders.keys / "witness.key.json").read_bytes()
    assert Keystore(path.parent, secret, **options).load("witness").public_key == seed.public_key
    node.close()
    restore(node.root, tmp_path / "without", now=node.clock())
    assert (node.folders.keys / "witness.key.json").exists(), "keys that are not in the backup are kept"


def test_a_target_that_holds_something_is_refused(node, tmp_path):
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "x").touch()
    with pytest.raises(ConfigError, match="empty folder"):
        copy(node, tmp_path / "backup")


def test_a_damaged_log_is_not_backed_up_as_if_it_were_sound(node, tmp_path):
    flip(node.folders.log(ADA) / "tile" / "0" / "000")
    with pytest.raises(StoreCorrupt, match="the log itself is damaged"):
        copy(node, tmp_path / "backup")
    with pytest.raises(ConfigError, match="not a complete one"):
        restore(tmp_path / "elsewhere", tmp_path / "backup", now=node.clock())


@pytest.mark.parametrize(
    "pattern",
    ["logs/*/tile/0/*", "logs/*/tile/entries/000", "logs/*/checkpoint", "logs/*/checkpoints/*/*/*/*",
     "logs/*/journal", "documents/*/*", "hosting/*/statements/*", "node.toml"],
)  # fmt: skip
def test_a_damaged_backup_is_refused_and_nothing_is_touched(node, tmp_path, pattern):
    copy(node, tmp_path / "backup")
    node.close()
    path = next(path for path in sorted((tmp_path / "backup").glob(pattern)) if path.is_file())
    flip(path)
    before = sorted(node.root.rglob("*"))
    with pytest.raises((StoreCorrupt, ConfigError)):
        restore(node.root, tmp_path / "backup", now=node.clock())
    assert sorted(node.root.rglob("*")) == before


def test_an_older_backup_never_replaces_a_newer_log(node, tmp_path):
    copy(node, tmp_path / "backup")
    node.hostings["ada"].log.submit([digest(4000)])
    node.close()
    with pytest.raises(ConfigError, match="has promised"):
        restore(node.root, tmp_path / "backup", now=node.clock())
    again = reopened(node.root)
    again.host("ada").log.seal()
    again.close()
    with pytest.raises(ConfigError, match=r"has signed \d+: a log never goes back"):
        restore(node.root, tmp_path / "backup", now=node.clock())


def test_a_running_node_is_refused(node, tmp_path):
    copy(node, tmp_path / "backup")
    with pytest.raises(StoreLocked, match="stop it first"):
        restore(node.root, tmp_path / "backup", now=node.clock())


def test_what_was_there_is_kept_beside_it(node, tmp_path):
    copy(node, tmp_path / "backup")
    node.close()
    flip(node.folders.log(ADA) / "tile" / "0" / "000")
    done = restore(node.root, tmp_path / "backup", now=node.clock())
    assert done.replaced.is_dir()
    assert not (node.root / "backup.json").exists()
    assert audit_log(node.folders.log(ADA), DocumentStore(node.folders.documents)).is_sound


class Killed(BaseException):
    """The process is gone."""


def die_at_rename(monkeypatch, number):
    """The process dies before its `number`-th rename of a folder."""
    real, seen = Path.rename, []

    def rename(path, target):
        seen.append(path)
        if len(seen) == number:
            raise Killed
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)


@pytest.mark.parametrize("number", [1, 2])
def test_a_restore_that_died_between_its_renames_is_finished_by_another_one(
    node, tmp_path, monkeypatch, number
):
    (node.folders.keys / "witness.key.json").parent.mkdir()
    (node.folders.keys / "witness.key.json").write_text("encrypted")
    copy(node, tmp_path / "older")
    node.hostings["ada"].log.seal()
    copy(node, tmp_path / "newer")
    node.close()
    with monkeypatch.context() as patch:
        die_at_rename(patch, number)
        with pytest.raises(Killed):
            restore(node.root, tmp_path / "newer", now=node.clock())
    with pytest.raises(ConfigError, match=r"has signed \d+: a log never goes back"):
        restore(node.root, tmp_path / "older", now=node.clock())
    done = restore(node.root, tmp_path / "newer", now=node.clock())
    assert (node.folders.keys / "witness.key.json").read_text() == "encrypted"
    assert (done.replaced / "node.toml").exists()
    assert [path.name for path in node.root.parent.iterdir() if path.name.endswith(".restoring")] == []


def test_what_an_earlier_restore_put_aside_does_not_count_once_there_is_a_node_again(node, tmp_path):
    copy(node, tmp_path / "backup")
    node.close()
    first = restore(node.root, tmp_path / "backup", now=node.clock())
    (first.replaced / "keys").mkdir()
    node.clock.forward(seconds=1)
    second = restore(node.root, tmp_path / "backup", now=node.clock())
    assert first.replaced != second.replaced
    assert not node.folders.keys.exists()


def test_every_restored_file_is_synced_before_the_folder_takes_its_place(node, tmp_path, monkeypatch):
    copy(node, tmp_path / "backup")
    node.close()
    synced, real = set(), os.fsync

    def fsync(descriptor):
        # The inode: a file that is synced under a temporary name is the same one after its rename.
        synced.add(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    restore(node.root, tmp_path / "backup", now=node.clock())
    restored = list(node.root.rglob("*"))
    assert len(restored) > 20
    assert [
        path for path in (node.root.parent, node.root, *restored) if path.stat().st_ino not in synced
    ] == []


def test_an_issuer_may_be_called_lock(node, tmp_path):
    """A folder's lock is a file of that name, which a copy does without."""
    node.host("lock").log.seal()
    copy(node, tmp_path / "backup")
    node.close()
    restore(node.root, tmp_path / "backup", now=node.clock())
    assert (node.folders.issuer("lock") / "application.json").exists()


def supply(node, where, *, file="x.json"):
    """The node is given a document map; its folder, and the map's path as the setting has it."""
    folder = node.root / where
    folder.mkdir(parents=True)
    (folder / "map.json").write_text(json.dumps({"did:web:x.example": file}))
    (folder / file).write_text('{"id": "did:web:x.example"}')
    (node.root / "node.toml").unlink()
    write_config(node.root, node.with_config(documents=f"{where}/map.json"))


def test_supplied_documents_are_in_the_backup_and_a_restored_node_has_them(node, tmp_path):
    supply(node, "supplied")
    assert copy(node, tmp_path / "backup").outside == ()
    node.close()
    shutil.rmtree(node.root)
    done = restore(node.root, tmp_path / "backup", now=node.clock())
    assert done.documents_problem is None
    load_documents(node.root / "supplied" / "map.json")
    flip(tmp_path / "backup" / "supplied" / "x.json")
    with pytest.raises(StoreCorrupt, match=r"supplied/x\.json: is damaged"):
        restore(node.root, tmp_path / "backup", now=node.clock())


def test_supplied_documents_elsewhere_are_named_by_the_backup_and_missed_by_name(node, tmp_path):
    supply(node, "../shared")
    shared = node.root.parent / "shared"
    assert copy(node, tmp_path / "backup").outside == (shared / "map.json", shared / "x.json")
    node.close()
    assert restore(node.root, tmp_path / "backup", now=node.clock()).documents_problem is None
    (shared / "x.json").unlink()
    node.clock.forward(seconds=1)
    done = restore(node.root, tmp_path / "backup", now=node.clock())
    assert "x.json cannot be read" in done.documents_problem


def test_a_document_map_without_which_the_node_would_not_start_is_refused(node, tmp_path):
    supply(node, "supplied")
    (node.root / "supplied" / "x.json").unlink()
    with pytest.raises(ConfigError, match=r"x\.json cannot be read"):
        copy(node, tmp_path / "backup")
    assert not (tmp_path / "backup" / "backup.json").exists()


@pytest.mark.parametrize("name", ["tile/0/000", "tile/entries/000", "checkpoint", "journal", "signed-head"])
def test_the_commands_mend_one_damaged_file(node, tmp_path, name):
    home = ["--home", str(tmp_path / "home")]
    runner = CliRunner()
    done = runner.invoke(app, ["node", "backup", str(tmp_path / "backup"), "--json", *home])
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.output)["logs"]) == 2
    node.close()
    path = node.folders.log(ADA) / name
    before = path.read_bytes()
    flip(path)
    mended = runner.invoke(
        app, ["node", "restore", str(tmp_path / "backup"), "--log", "ada", "--json", *home]
    )
    assert mended.exit_code == 0, mended.output
    assert json.loads(mended.output)["mended"] == [str(path)]
    assert path.read_bytes() == before
    whole = runner.invoke(app, ["node", "restore", str(tmp_path / "backup"), *home])
    assert whole.exit_code == 0, whole.output
    assert "is kept in" in whole.output


def test_what_cannot_be_mended_exits_with_1_and_names_it(node, tmp_path):
    node.close()
    empty = tmp_path / "empty"
    empty.mkdir()
    flip(node.folders.log(ADA) / "tile" / "entries" / "000", 500)
    result = CliRunner().invoke(
        app, ["node", "restore", str(empty), "--log", "ada", "--home", str(tmp_path / "home")]
    )
    assert result.exit_code == 1
    assert "tile/entries/000: entry 13" in result.output
