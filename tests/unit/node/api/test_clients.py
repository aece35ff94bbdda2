"""Whose share a request counts against: the address behind a trusted proxy, and nobody's word for it else."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from testamur.node.api.clients import TrustedProxies


def key(peer, *forwarded, trusted=()):
    headers = CIMultiDict([("X-Forwarded-For", line) for line in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    return TrustedProxies(trusted).key_of(request)


PROXIES = ("127.0.0.1", "10.0.0.0/8", "::1")


@pytest.mark.parametrize("forwarded", ["203.0.113.7", "127.0.0.1", "nonsense", ""])
def test_without_a_trusted_proxy_the_header_means_nothing(forwarded):
    assert key("198.51.100.1", forwarded) == "198.51.100.1"
    assert key("198.51.100.1", forwarded, trusted=PROXIES) == "198.51.100.1"


@pytest.mark.parametrize(
    ("forwarded", "counted"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (["203.0.113.7", "10.1.2.3"], "203.0.113.7"),
        (["1.2.3.4, 203.0.113.7"], "203.0.113.7"),  # the client's own invention stands before it
        (["203.0.113.7:5123"], "203.0.113.7"),
        (["[2001:db8:1:2::7]:443"], "2001:db8:1:2::/64"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, unknown"], "127.0.0.1"),
        ([""], "127.0.0.1"),
        ([], "127.0.0.1"),
        (["10.9.9.9"], "10.9.9.9"),
        ([", ".join(["203.0.113.7"] + ["10.0.0.1"] * 100)], "10.0.0.1"),
    ],
)
def test_behind_trusted_proxies_the_last_address_that_they_saw_counts(forwarded, counted):
    assert key("127.0.0.1", *forwarded, trusted=PROXIES) == counted


def test_one_subscriber_has_one_share_of_ipv6():
    assert key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert key("2001:db8:1:3::1") != key("2001:db8:1:2::1")
    assert key("::ffff:198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize("network", ["proxy.example", "10.0.0.1/8", "300.1.1.1"])
def test_a_proxy_that_is_no_network_is_refused(network):
    with pytest.raises(ValueError, match=network.partition("/")[0]):
        TrustedProxies([network])
