"""Submissions that come together share one sync, keep their leaf indexes, and wait in bounded numbers."""

import asyncio
import hashlib

import pytest

from fakes.hostings import StoppedNode
from testamur.node.api.ports import NotReady
from testamur.node.api.problems import problem_response
from testamur.node.errors import StoreCorrupt, StoreUnavailable
from testamur.node.service import hostings
from testamur.node.service.hostings import MAX_WAITING_SUBMISSIONS


def digest(number):
    return hashlib.sha256(b"credential %d" % number).digest()


def digests(*numbers):
    return [digest(number) for number in numbers]


@pytest.fixture
def node(tmp_path):
    made = StoppedNode(tmp_path / "node")
    yield made
    made.close()


def count_appends(log, monkeypatch):
    calls = []
    append = log.writer.append
    monkeypatch.setattr(log.writer, "append", lambda entries: calls.append(len(entries)) or append(entries))
    return calls


async def test_submissions_that_come_together_share_one_write(node, monkeypatch):
    hosting = node.host("ada")
    calls = count_appends(hosting.log, monkeypatch)
    start = hosting.log.writer.next_index
    placed = await asyncio.gather(*(hosting.submit(digests(number)) for number in range(100)))
    assert sorted(item.leaf_indexes[0] for item in placed) == list(range(start, start + 100))
    assert len(calls) <= 3
    assert sum(calls) == 100


async def test_the_same_digest_in_several_submissions_at_once_is_one_leaf(node):
    hosting = node.host("ada")
    start = hosting.log.writer.next_index
    placed = await asyncio.gather(*(hosting.submit(digests(7, 7, number)) for number in range(8, 40)))
    assert len({item.leaf_indexes[0] for item in placed}) == 1
    assert all(item.leaf_indexes[0] == item.leaf_indexes[1] for item in placed)
    assert sum(item.new for item in placed) == 33
    assert hosting.log.writer.next_index == start + 33
    again = await hosting.submit(digests(7))
    assert (again.leaf_indexes, again.new) == (placed[0].leaf_indexes[:1], 0)


async def test_too_many_waiting_submissions_are_turned_away_and_told_when_to_come_again(node):
    hosting = node.host("ada")
    waiting = [hosting.submit(digests(number)) for number in range(MAX_WAITING_SUBMISSIONS + 50)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, NotReady)]
    assert 0 < len(refused) < 60
    response = problem_response(refused[0], "id")
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0
    assert len(answers) - len(refused) >= MAX_WAITING_SUBMISSIONS
    assert (await hosting.submit(digests(1))).leaf_indexes


async def test_unsealed_entries_are_bounded_and_repeats_are_answered_all_the_same(node):
    hosting = node.host("ada", max_pending=10)
    room = 10 - hosting.log.writer.pending
    first = await hosting.submit(digests(*range(room)))
    with pytest.raises(NotReady, match="wait for its next checkpoint"):
        await hosting.submit(digests(1000))
    assert await hosting.submit(digests(*range(room))) == type(first)(leaf_indexes=first.leaf_indexes, new=0)
    hosting.log.seal()
    assert (await hosting.submit(digests(1000))).new == 1


async def test_in_one_group_only_the_submission_that_does_not_fit_is_refused(node):
    hosting = node.host("ada", max_pending=10)
    room = 10 - hosting.log.writer.pending
    answers = hosting.log.submit_all([digests(*range(room - 1)), digests(50, 51), digests(60)])
    assert [isinstance(answer, NotReady) for answer in answers] == [False, True, False]


async def test_a_group_is_bounded(node, monkeypatch):
    monkeypatch.setattr(hostings, "MAX_GROUP_DIGESTS", 4)
    hosting = node.host("ada")
    calls = count_appends(hosting.log, monkeypatch)
    await asyncio.gather(*(hosting.submit(digests(number)) for number in range(20)))
    assert max(calls) <= 4
    assert sum(calls) == 20


async def test_a_client_that_hangs_up_takes_nobodys_answer_away(node):
    hosting = node.host("ada")
    tasks = [asyncio.create_task(hosting.submit(digests(number))) for number in range(10)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[4].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [
        number in {0, 4} for number in range(10)
    ]


async def test_a_failed_write_is_everybodys_answer_and_the_next_ones_too(node, monkeypatch):
    hosting = node.host("ada")

    def fail(_entries):
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(hosting.log.writer, "append", fail)
    answers = await asyncio.gather(
        *(hosting.submit(digests(number)) for number in range(5)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 5


@pytest.mark.parametrize(
    "error", [StoreUnavailable("the disk is full"), StoreCorrupt("the index is damaged")]
)
async def test_a_store_that_refuses_wakes_the_sealer_with_which_the_node_ends(node, monkeypatch, error):
    hosting = node.host("ada")

    def fail(_entries):
        raise error

    assert hosting.refusal is None
    monkeypatch.setattr(hosting.log.writer, "append", fail)
    with pytest.raises(type(error)):
        await hosting.submit(digests(1))
    assert hosting.refusal is error
    assert hosting.wake.is_set()
