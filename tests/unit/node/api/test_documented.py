"""The examples in docs/http-api.md ask for what there is, in the way that it takes."""

import re
import shlex
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from testamur.node.api.openapi import plain_path
from testamur.node.api.routes import ROUTES

PAGE = Path(__file__).resolve().parents[4] / "docs" / "http-api.md"
EXAMPLES = [
    line.removeprefix("$ ") for line in re.findall(r"^\$ curl .*$", PAGE.read_text("utf-8"), re.MULTILINE)
]
SENDING = {"--json", "--data-binary"}


def route_of(command):
    words = shlex.split(command)
    url = urlsplit(words[1])
    method = words[words.index("--request") + 1] if "--request" in words else "GET"
    method = "POST" if SENDING & set(words) else method
    for route in ROUTES:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(plain_path(route.path)))
        if route.method == method and re.fullmatch(pattern, url.path):
            return route, words, dict(parse_qsl(url.query))
    raise AssertionError(f"no route takes {method} {url.path}")


def test_there_are_examples_of_reads_and_writes():
    methods = {route_of(example)[0].method for example in EXAMPLES}
    assert methods == {"GET", "POST"}
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_asks_for_what_there_is(example):
    route, words, query = route_of(example)
    known = {parameter.name: parameter for parameter in route.parameters}
    for name, value in query.items():
        known[name].check(value)
    assert {parameter.name for parameter in route.parameters if parameter.is_required} <= set(query)
    assert (route.takes is None or route.takes_nothing) == (not SENDING & set(words))
    assert route.needs_token == any("Bearer" in word for word in words)
    if "--data-binary" in words:
        assert "Content-Type: application/json" in words
