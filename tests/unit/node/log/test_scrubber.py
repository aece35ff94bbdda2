"""A flipped bit in anything that a log has published is found by a pass, which names the file and a cure."""

import shutil

import pytest

from fakes.hosted_log import LOG_KEY, ORIGIN, HostedLog
from testamur.node.files import DamagedFile
from testamur.node.log.layout import LogIdentity
from testamur.node.log.scrubber import Scrubber
from testamur.registry.notes import NoteSigner

IDENTITY = LogIdentity(origin=ORIGIN, key=NoteSigner(name=ORIGIN, key=LOG_KEY).verifier_key)
DAMAGED = {
    "a full bundle": "log/tile/entries/001",
    "the partial bundle": "log/tile/entries/002.p/88",
    "a full tile of leaves": "log/tile/0/001",
    "the partial tile of leaves": "log/tile/0/002.p/88",
    "the tile above": "log/tile/1/000.p/2",
    "an older partial bundle": "log/tile/entries/002.p/8",
    "checkpoint": "log/checkpoint",
    "signed-head": "log/signed-head",
    "the newest head": "log/checkpoints/000/000/000/600",
    "an older head": "log/checkpoints/000/000/000/300",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    log = HostedLog(tmp_path_factory.mktemp("whole"))
    for size in (300, 520, 600):
        log.grow_to(size)
    log.writer.close()
    return log


@pytest.fixture
def copied(whole, tmp_path):
    shutil.copytree(whole.folder, tmp_path / "copy")
    return tmp_path / "copy"


def scrubber(whole, folder):
    documents = type(whole.documents)(folder / "documents")
    return Scrubber(folder / "log", IDENTITY, documents)


def whole_pass(scrub):
    position = 0
    while not scrub.check(position):
        position += 1
    return position + 1


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


def test_a_sound_log_passes_in_as_many_steps_as_were_announced(whole, copied):
    scrub = scrubber(whole, copied)
    assert whole_pass(scrub) == scrub.steps() == 4


@pytest.mark.parametrize("what", DAMAGED)
def test_a_flipped_bit_is_found_and_named(whole, copied, what):
    path = copied / DAMAGED[what]
    for offset in range(0, path.stat().st_size, max(1, path.stat().st_size // 7)):
        flip(path, offset)
        with pytest.raises(DamagedFile) as caught:
            whole_pass(scrubber(whole, copied))
        assert caught.value.path.is_relative_to(copied)
        assert caught.value.cure
        flip(path, offset)
    whole_pass(scrubber(whole, copied))


@pytest.mark.parametrize("name", ["log/tile/0/001", "log/tile/entries/001", "log/tile/1/000.p/2"])
def test_a_damaged_tile_or_bundle_is_named_itself(whole, copied, name):
    flip(copied / name, 40)
    with pytest.raises(DamagedFile) as caught:
        whole_pass(scrubber(whole, copied))
    assert caught.value.path == copied / name or "or a partial tile above it" in caught.value.reason


SUPERSEDED = "log/tile/entries/002.p/8"


@pytest.mark.parametrize("name", [name for name in DAMAGED.values() if name != SUPERSEDED])
def test_a_missing_file_is_found(whole, copied, name):
    (copied / name).unlink()
    with pytest.raises(DamagedFile):
        whole_pass(scrubber(whole, copied))


def test_every_document_is_read(whole, copied):
    for path in sorted((copied / "documents").glob("??/*")):
        flip(path, 5)
        with pytest.raises(DamagedFile) as caught:
            whole_pass(scrubber(whole, copied))
        assert caught.value.path == path
        flip(path, 5)


def test_a_log_may_grow_between_two_steps_of_a_pass(tmp_path):
    log = HostedLog(tmp_path)
    log.grow_to(300)
    scrub = scrubber(log, tmp_path)
    assert not scrub.check(0)
    log.grow_to(1000)
    position = 1
    while not scrub.check(position):
        position += 1
    assert position == scrub.steps() - 1 == 4
    log.writer.close()
    for path in sorted((tmp_path / "log" / "tile").rglob("*")):
        if path.is_file() and not path.parent.name.endswith(".p"):
            flip(path, 9)
            with pytest.raises(DamagedFile):
                whole_pass(scrubber(log, tmp_path))
            flip(path, 9)


def test_a_log_without_a_checkpoint_is_sound(tmp_path):
    log = HostedLog(tmp_path)
    log.add(3)
    assert whole_pass(scrubber(log, tmp_path)) == 1
    log.writer.close()


def test_levels_above_the_leaves_are_led_to_the_root_as_well(tmp_path):
    log = HostedLog(tmp_path)
    log.grow_to(66_000)
    log.writer.close()
    whole_pass(scrubber(log, tmp_path))
    for name in ("log/tile/1/000", "log/tile/2/000.p/1"):
        flip(tmp_path / name, 20)
        with pytest.raises(DamagedFile):
            whole_pass(scrubber(log, tmp_path))
        flip(tmp_path / name, 20)


def test_damage_in_the_journal_is_found_by_the_writer(tmp_path):
    log = HostedLog(tmp_path)
    log.grow_to(10)
    log.add(5)
    log.writer.check_pending()
    for offset in (3, -30):
        flip(tmp_path / "log" / "journal", offset)
        with pytest.raises(DamagedFile, match="journal"):
            log.writer.check_pending()
        flip(tmp_path / "log" / "journal", offset)
    log.writer.close()
