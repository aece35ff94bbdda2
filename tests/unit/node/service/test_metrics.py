"""Metrics and what is behind: numbers that Prometheus reads, states with a beginning and a cure."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from prometheus_client.parser import text_string_to_metric_families

from testamur.node.api.traffic import Traffic
from testamur.node.service.metrics import METRICS, LogFigures, NodeFigures, render
from testamur.node.service.parts import CURES, DEFAULT_CURE, PartStates, cure_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[4]


def figures(**changes):
    log = LogFigures(
        slug="ada",
        entries=10,
        pending=2,
        checkpoints=3,
        anchored=8,
        anchors=1,
        anchored_at=1000,
        submissions=4,
    )
    values = {"logs": (log,), "parts": {"chain": "ok", "logs": "verifying"}, "final_block": 7}
    return NodeFigures(**{**values, "unsettled_block": 9, "balance_wei": 10**18, **changes})


def samples(figures_, traffic=None, now=1060.0):
    text = render(figures_, traffic or Traffic(), now=now).decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_metric_is_there_and_no_other():
    traffic = Traffic()
    traffic.ended("GET", "/v1/issuers", 200, 0.003)
    text = render(figures(), traffic).decode()
    assert set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)) == set(METRICS)


def test_every_metric_is_documented():
    page = (ROOT / "docs" / "http-api.md").read_text("utf-8")
    assert [name for name in METRICS if f"| `{name}` |" not in page] == []


def test_the_numbers_are_the_nodes():
    found = samples(figures())
    assert found["testamur_log_entries", "ada"] == 10
    assert found["testamur_log_pending_entries", "ada"] == 2
    assert found["testamur_log_anchored_entries", "ada"] == 8
    assert found["testamur_submissions_total", "ada"] == 4
    assert found["testamur_log_checkpoints_total", "ada"] == 3
    assert found["testamur_log_anchor_lag_seconds", "ada"] == 60
    assert found[("testamur_operator_balance_wei",)] == 10**18
    assert (found["testamur_part_ready", "chain"], found["testamur_part_ready", "logs"]) == (1, 0)


def test_what_is_unknown_has_no_line():
    found = samples(figures(final_block=None, balance_wei=None))
    assert ("testamur_operator_balance_wei",) not in found
    assert ("testamur_chain_final_block",) not in found


def test_requests_are_counted_by_route_and_their_times_in_buckets():
    traffic = Traffic()
    for seconds in (0.0005, 0.003, 99.0):
        traffic.ended("GET", "/v1/credentials/{digest}", 200, seconds)
    traffic.ended("GET", "/v1/credentials/{digest}", 404, 0.003)
    found = samples(figures(), traffic)
    route = "/v1/credentials/{digest}"
    assert found[("testamur_http_requests_total", *sorted(("GET", route, "200")))] == 3
    assert found[("testamur_http_requests_total", *sorted(("GET", route, "404")))] == 1
    bucket = {
        bound: found[("testamur_http_request_seconds_bucket", *sorted((route, bound)))]
        for bound in ("0.001", "0.005", "10.0", "+Inf")
    }
    assert bucket == {"0.001": 1, "0.005": 3, "10.0": 3, "+Inf": 4}


def test_a_part_that_falls_behind_has_a_beginning_and_a_cure_until_it_recovers():
    moment = [NOW]
    states = PartStates(lambda: moment[0])
    with structlog.testing.capture_logs() as lines:
        assert states.update({"chain": "ok"}) == []
        (first,) = states.update({"chain": "unavailable: refused"})
        moment[0] += timedelta(minutes=5)
        (later,) = states.update({"chain": "unavailable: no route"})
        assert (first.since, later.since) == (NOW, NOW)
        assert "rpc_url" in later.cure
        assert states.update({"chain": "ok"}) == []
        moment[0] += timedelta(minutes=5)
        (again,) = states.update({"chain": "unavailable: refused"})
        assert again.since == NOW + timedelta(minutes=10)
    assert [line["event"] for line in lines] == ["part-behind", "part-recovered", "part-behind"]
    assert lines[1]["seconds"] == 300


def test_every_part_has_a_cure():
    for part in ("chain", "anchoring", "endpoint http://127.0.0.1:1", "logs"):
        assert cure_of(part, "something new") != DEFAULT_CURE
    assert cure_of("unheard-of", "x") == DEFAULT_CURE
    assert "gas" in cure_of("anchoring", "account 0x00 cannot pay for gas: send it money")
    assert all(cure for _, _, cure in CURES)
