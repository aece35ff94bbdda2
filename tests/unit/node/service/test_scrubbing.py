"""A damaged, stale or failed log signs nothing, says so, and serves what it has."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
import structlog.testing

from fakes.hostings import StoppedNode
from testamur.node.api.ports import NotReady
from testamur.node.files import DamagedFile
from testamur.node.service.health import LogHealth
from testamur.node.service.scrubbing import LONGEST_PAUSE_SECONDS, LogScrub, ScrubProgress, health_of, pace


def digest(number):
    return hashlib.sha256(b"credential %d" % number).digest()


def flip(path, offset=10):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


@pytest.fixture
def node(tmp_path):
    made = StoppedNode(tmp_path / "node")
    yield made
    made.close()


@pytest.fixture
def hosting(node):
    """600 published entries."""
    origin = "registry.example/ada/1"
    health = LogHealth(node.clock, name=origin, longest=timedelta(hours=24))
    hosting = node.host("ada", health=health)
    hosting.log.submit([digest(number) for number in range(600)])
    health.verified()
    hosting.log.seal()
    return hosting


def scrub_of(node, hosting, hours=24.0):
    return LogScrub(hosting, ScrubProgress(node.folders.scrub(hosting.log.origin)), hours=hours)


def bundle(node, hosting):
    return node.folders.log(hosting.log.origin) / "tile" / "entries" / "001"


def whole_pass(scrub, steps=4):
    for _ in range(steps):
        scrub.step()


async def test_damage_stops_the_sealing_is_named_and_logged_once_and_reads_go_on(node, hosting):
    scrub, log = scrub_of(node, hosting), hosting.log
    flip(bundle(node, hosting))
    with structlog.testing.capture_logs() as logged:
        for _ in range(2):
            with pytest.raises(DamagedFile):
                await hosting.run(scrub.step, 10)
    (event,) = [row for row in logged if row["event"] == "log-damaged"]
    assert event["file"].endswith("tile/entries/001")
    assert event["cure"]
    hosting.log.submit([digest(1000)])
    with pytest.raises(DamagedFile, match=r"tile/entries/001: .*; "):
        log.seal()
    assert log.writer.reader.size == log.writer.size
    assert log.writer.reader.find_resource("tile/0/000")
    assert "tile/entries/001" in log.health.state()
    assert str(node.root) not in log.health.state()


async def test_damage_that_anybody_runs_into_counts_too(node, hosting):
    flip(bundle(node, hosting))
    with pytest.raises(DamagedFile):
        await hosting.run(hosting.log.writer.reader.read_entries, 300, 10)
    with pytest.raises(DamagedFile):
        hosting.log.health.check()


async def test_a_mended_log_signs_again_after_a_whole_clean_pass_and_not_before(node, hosting):
    scrub = scrub_of(node, hosting)
    flip(bundle(node, hosting))
    with pytest.raises(DamagedFile):
        await hosting.run(scrub.step, 10)
    flip(bundle(node, hosting))
    hosting.log.submit([digest(1000)])
    for _ in range(3):
        scrub.step()
        with pytest.raises(DamagedFile):
            hosting.log.seal()
    scrub.step()
    assert hosting.log.seal().checkpoint.size == hosting.log.writer.size


def test_a_scrub_that_is_too_long_ago_stops_the_sealing_until_the_next_pass(node, hosting):
    scrub = scrub_of(node, hosting)
    whole_pass(scrub)
    node.clock.forward(hours=25)
    hosting.log.submit([digest(1000)])
    with pytest.raises(NotReady, match="being verified"):
        hosting.log.seal()
    assert hosting.log.health.state() == "verifying"
    whole_pass(scrub)
    assert hosting.log.health.state() == "ok"
    hosting.log.seal()


def test_a_head_that_is_there_is_given_also_while_nothing_may_be_signed(node, hosting):
    node.clock.forward(hours=25)
    assert hosting.log.seal().checkpoint.size == hosting.log.writer.size


def test_progress_survives_a_restart_and_damage_does_not_count_as_verified(node, hosting):
    scrub = scrub_of(node, hosting)
    whole_pass(scrub)
    path = node.folders.scrub(hosting.log.origin)
    kept = ScrubProgress(path)
    assert (kept.position, kept.verified_at) == (0, node.clock())
    health = health_of(kept, name="x", hours=24, clock=node.clock)
    health.check()
    flip(bundle(node, hosting))
    with pytest.raises(DamagedFile):
        whole_pass(scrub)
    with pytest.raises(NotReady):
        health_of(ScrubProgress(path), name="x", hours=24, clock=node.clock).check()


@pytest.mark.parametrize("content", [b"", b"{", b'{"type":"ScrubProgress","version":9}', b"[]" * 5000])
def test_a_damaged_progress_file_costs_a_pass_and_nothing_else(tmp_path, content):
    path = tmp_path / "progress.json"
    path.write_bytes(content)
    assert (ScrubProgress(path).position, ScrubProgress(path).verified_at) == (0, None)


def test_damage_in_the_journal_is_found(node, hosting):
    hosting.log.submit([digest(1000)])
    flip(node.folders.log(hosting.log.origin) / "journal", -20)
    with pytest.raises(DamagedFile, match="journal"):
        whole_pass(scrub_of(node, hosting))


async def test_the_task_goes_round_and_in_a_hurry_when_the_log_is_stale(node, hosting):
    node.clock.forward(hours=30)
    task = asyncio.create_task(scrub_of(node, hosting).run())
    while hosting.log.health.is_stale:  # noqa: ASYNC110  what is waited for happens in another thread
        await asyncio.sleep(0.001)
    task.cancel()
    hosting.log.submit([digest(1000)])
    hosting.log.seal()


@pytest.mark.parametrize("steps", [1, 10, 5_000, 43_200, 400_000, 3_000_000])
def test_a_pass_fits_into_its_time_and_never_takes_all_of_the_thread(steps):
    seconds = 12 * 3600
    count, pause = pace(steps, seconds)
    assert pause > 0
    assert steps / count * pause <= seconds * 1.001
    assert pause <= LONGEST_PAUSE_SECONDS
