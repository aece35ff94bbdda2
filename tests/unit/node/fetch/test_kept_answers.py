"""However many ask for whatever: one question for a name at a time, and no host is asked without end."""

import json
import threading
import tracemalloc

import pytest

from testamur.node.errors import PeerUnreachable
from testamur.node.fetch import kept
from testamur.node.fetch.dids import DidWebFetcher
from testamur.node.fetch.guarded import Fetched
from testamur.node.fetch.kept import KeptAnswers
from testamur.node.fetch.lists import StatusListFetcher


class Web:
    """Answers every URL with one body, and counts."""

    def __init__(self, body=b'{"a":1}'):
        self.body, self.asked, self.go_on = body, [], threading.Event()
        self.go_on.set()

    def get(self, url, media=()):
        self.asked.append(url)
        assert self.go_on.wait(10)
        if self.body is None:
            raise PeerUnreachable("nobody is there")
        return Fetched(url=url, media="application/json", body=self.body)


@pytest.fixture
def now():
    return [1000.0]


def lists_of(web, now):
    return StatusListFetcher(web, clock=lambda: now[0])


def test_a_document_is_fetched_once_until_its_time_is_over(now):
    web = Web()
    lists = lists_of(web, now)
    for moment, asked in ((0, 1), (299, 1), (300, 2)):
        now[0] = 1000.0 + moment
        assert lists.find("https://a.example/1") == {"a": 1}
        assert len(web.asked) == asked


def test_an_answer_that_somebody_changes_is_not_changed_for_the_next(now):
    lists = lists_of(Web(), now)
    lists.find("https://a.example/1")["a"] = 2
    assert lists.find("https://a.example/1") == {"a": 1}


@pytest.mark.parametrize("body", [b'{"a":1}', None])
def test_whoever_asks_for_what_is_being_asked_gets_that_answer(now, body):
    web = Web(body)
    web.go_on.clear()
    lists, found = lists_of(web, now), []
    threads = [
        threading.Thread(target=lambda: found.append(lists.find("https://a.example/1"))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    web.go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(found) == 20
    assert len(web.asked) == 1
    assert all(answer == found[0] for answer in found)


def test_a_mistake_of_ours_reaches_all_who_wait_and_is_not_kept(now):
    def fetch(_name):
        raise ZeroDivisionError

    answers = KeptAnswers(fetch, lambda name, body: ({}, 1.0), str, clock=lambda: now[0])
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            answers.find("x")


def test_a_host_is_asked_for_so_many_names_a_minute_and_others_do_not_suffer(now):
    web = Web(None)
    dids = DidWebFetcher(web, clock=lambda: now[0])
    found = [dids.find(f"did:web:victim.example:{number}") for number in range(1000)]
    assert len(web.asked) == kept.MAX_ASKED_A_MINUTE
    assert "nobody is there" in found[0]
    assert "within a minute" in found[-1]
    assert "nobody is there" in dids.find("did:web:other.example")
    now[0] += kept.MINUTE_SECONDS
    assert "nobody is there" in dids.find("did:web:victim.example:999")


def test_lists_of_one_host_count_together_whatever_its_port_and_case(now):
    web = Web()
    lists = lists_of(web, now)
    for number in range(1000):
        lists.find(f"https://{('a.example', 'A.example:8443')[number % 2]}/{number}")
    assert len(web.asked) == kept.MAX_ASKED_A_MINUTE


def test_what_is_kept_takes_the_memory_that_it_says(now, monkeypatch):
    monkeypatch.setattr(kept, "MAX_KEPT_BYTES", 1 << 18)
    web = Web(b'{"a":[' + b"[]," * 20_000 + b"0]}")
    lists = lists_of(web, now)
    tracemalloc.start()
    try:
        for number in range(8):
            assert isinstance(lists.find(f"https://a.example/{number}"), dict)
        assert tracemalloc.get_traced_memory()[0] < 1 << 19
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [("60000", 60), ("1", 30), ("9e15", 300), ("1" + "0" * 15, 300), ("-1", 300), ('"x"', 300)],
)
def test_a_list_says_how_long_it_may_be_kept_within_bounds(now, ttl, seconds):
    web = Web(json.dumps({"credentialSubject": {"ttl": 0}}).replace("0", ttl).encode())
    lists = lists_of(web, now)
    for moment, asked in ((0, 1), (seconds - 1, 1), (seconds, 2)):
        now[0] = 1000.0 + moment
        lists.find("https://a.example/1")
        assert len(web.asked) == asked
