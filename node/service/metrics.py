"""Prometheus metrics: read from the node when somebody asks, so that counting costs nothing meanwhile.

No label has more values than there are routes, statuses and issuers; none is a digest.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from testamur.node.api.traffic import BUCKETS_SECONDS, Traffic
from testamur.node.service.parts import is_ok

METRICS: dict[str, str] = {
    "testamur_http_requests_total": "Requests by method, route template and status",
    "testamur_http_request_seconds": "Time to answer, by route template",
    "testamur_http_requests_in_flight": "Requests that are under way",
    "testamur_submissions_total": "Submissions accepted since the start, by issuer",
    "testamur_log_entries": "Entries in the published checkpoint, by issuer",
    "testamur_log_pending_entries": "Accepted entries that no checkpoint covers yet, by issuer",
    "testamur_log_checkpoints_total": "Checkpoints signed since the start, by issuer",
    "testamur_log_anchored_entries": "Entries that the newest final and captured anchor covers, by issuer",
    "testamur_log_anchors": "Anchors of the log in the contract, by issuer",
    "testamur_log_anchor_lag_seconds": "0 when all is anchored, or before the first anchor; else its age",
    "testamur_chain_final_block": "Number of the newest block that was seen as final",
    "testamur_chain_unsettled_block": "Number of the block whose finality is waited for; 0: none",
    "testamur_operator_balance_wei": "What the account that pays for anchors holds; absent while unknown",
    "testamur_part_ready": "1 when the part of the node does its whole job, else 0",
}
"""Every metric and what it tells; docs/operating.md has the same table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFigures:
    """One hosted log in numbers. `anchored_at` is in seconds since 1970; None before the first anchor."""

    slug: str
    entries: int
    pending: int
    checkpoints: int
    anchored: int
    anchors: int
    anchored_at: int | None
    submissions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFigures:
    """The whole node in numbers; None is unknown, and then there is no such line."""

    logs: tuple[LogFigures, ...]
    parts: dict[str, str]
    final_block: int | None
    unsettled_block: int | None
    balance_wei: int | None


class _Collector:
    def __init__(self, figures: NodeFigures, traffic: Traffic, now: float) -> None:
        self._figures = figures
        self._traffic = traffic
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """As prometheus_client asks for it."""
        yield from _http(self._traffic)
        yield from _logs(self._figures.logs, self._now)
        yield _gauge("testamur_chain_unsettled_block", self._figures.unsettled_block or 0)
        if self._figures.final_block is not None:
            yield _gauge("testamur_chain_final_block", self._figures.final_block)
        if self._figures.balance_wei is not None:
            yield _gauge("testamur_operator_balance_wei", self._figures.balance_wei)
        name = "testamur_part_ready"
        ready = GaugeMetricFamily(name, METRICS[name], labels=["part"])
        for part, state in sorted(self._figures.parts.items()):
            ready.add_metric([part], float(is_ok(state)))
        yield ready


def render(figures: NodeFigures, traffic: Traffic, *, now: float | None = None) -> bytes:
    """Prometheus' text format, version 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    collector = _Collector(figures, traffic, time.time() if now is None else now)
    registry.register(collector)
    return generate_latest(registry)


def _http(traffic: Traffic) -> Iterator[Metric]:
    name = "testamur_http_requests"
    requests = CounterMetricFamily(name, METRICS[f"{name}_total"], labels=["method", "route", "status"])
    seconds: dict[str, tuple[float, list[int]]] = {}
    for method, route, status, counted in traffic.samples():
        requests.add_metric([method, route, str(status)], counted.count)
        total, buckets = seconds.get(route, (0.0, [0] * len(counted.buckets)))
        seconds[route] = (
            total + counted.seconds,
            [before + more for before, more in zip(buckets, counted.buckets, strict=True)],
        )
    yield requests
    name = "testamur_http_request_seconds"
    latency = HistogramMetricFamily(name, METRICS[name], labels=["route"])
    bounds = [*(str(bound) for bound in BUCKETS_SECONDS), "+Inf"]
    for route, (total, buckets) in sorted(seconds.items()):
        cumulative = [float(count) for count in accumulate(buckets)]
        latency.add_metric([route], list(zip(bounds, cumulative, strict=True)), total)
    yield latency
    # The request that asks is one of them.
    yield _gauge("testamur_http_requests_in_flight", traffic.in_flight)


def _logs(logs: tuple[LogFigures, ...], now: float) -> Iterator[Metric]:
    for name, values in {
        "testamur_submissions": [item.submissions for item in logs],
        "testamur_log_checkpoints": [item.checkpoints for item in logs],
    }.items():
        counter = CounterMetricFamily(name, METRICS[f"{name}_total"], labels=["issuer"])
        for item, value in zip(logs, values, strict=True):
            counter.add_metric([item.slug], value)
        yield counter
    for name, figures in {
        "testamur_log_entries": [item.entries for item in logs],
        "testamur_log_pending_entries": [item.pending for item in logs],
        "testamur_log_anchored_entries": [item.anchored for item in logs],
        "testamur_log_anchors": [item.anchors for item in logs],
        "testamur_log_anchor_lag_seconds": [_lag_seconds(item, now) for item in logs],
    }.items():
        gauge = GaugeMetricFamily(name, METRICS[name], labels=["issuer"])
        for item, value in zip(logs, figures, strict=True):
            gauge.add_metric([item.slug], value)
        yield gauge


def _lag_seconds(item: LogFigures, now: float) -> int:
    if item.anchored >= item.entries or item.anchored_at is None:
        return 0
    return max(0, round(now) - item.anchored_at)


def _gauge(name: str, value: float) -> Metric:
    gauge = GaugeMetricFamily(name, METRICS[name])
    gauge.add_metric([], value)
    return gauge
