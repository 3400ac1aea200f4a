"""Which proxy a server is reached through, and the password that stays in the variable."""

from __future__ import annotations

import socket

import pytest

from padan_client.transport.proxies import proxy_for as decide
from padan_client.transport.proxies import split_address


def proxy_for(host, environment, choice="environment"):
    return decide(host, 7443, choice, environment)


PROXY = "http://nama:sandi@proxy.example:3128"


def test_the_first_variable_that_is_set_counts():
    assert proxy_for("unit.example", {}) is None
    assert proxy_for("unit.example", {"http_proxy": ""}) is None
    found = proxy_for("unit.example", {"http_proxy": "http://lain:1", "grpc_proxy": PROXY})
    assert (found.source, found.host, found.port) == ("grpc_proxy", "proxy.example", 3128)
    assert found.credentials == "nama:sandi"
    assert "sandi" not in repr(found)
    assert proxy_for("unit.example", {"https_proxy": "proxy.example:3128"}).port == 3128


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "unit.localhost",
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "::ffff:127.0.0.1",
        socket.gethostname(),
    ],
)
def test_loopback_is_reached_directly(host):
    assert proxy_for(host, {"http_proxy": PROXY}) is None
    assert proxy_for(host, {}, PROXY) is None


@pytest.mark.parametrize("name", ["grpc_proxy", "https_proxy", "http_proxy"])
def test_capitals_count_too_and_small_letters_first(name):
    assert proxy_for("unit.example", {name.upper(): PROXY}).source == name.upper()
    assert proxy_for("unit.example", {name: PROXY, name.upper(): "http://lain:1"}).url == PROXY


def test_the_setting_overrules_every_variable():
    environment = {"https_proxy": "http://lain:1", "no_proxy": "*"}
    assert proxy_for("unit.example", environment, "none") is None
    found = proxy_for("unit.example", environment, PROXY)
    assert (found.url, "client.toml" in found.source) == (PROXY, True)


@pytest.mark.parametrize(
    ("host", "excepted", "direct"),
    [
        ("unit.example", "*", True),
        ("unit.example", "unit.example", True),
        ("unit.example", "lain.example, example", True),
        ("unit.example", ".example", True),
        ("unit.example", "*.example", True),
        ("unit.example", "unit.example:7443", True),
        ("unit.example", "unit.example:443", False),
        ("2001:db8::1", "[2001:db8::1]:7443", True),
        ("unit.example.", "unit.example", True),
        ("unit.example", "nit.example", False),
        ("unit.example", "", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("2001:db8::1", "2001:db8::/32", True),
    ],
)
@pytest.mark.parametrize("variable", ["no_grpc_proxy", "NO_GRPC_PROXY", "no_proxy", "NO_PROXY"])
def test_exceptions(host, excepted, direct, variable):
    found = proxy_for(host, {"https_proxy": PROXY, variable: excepted})
    assert (found is None) == direct


def test_exceptions_of_all_variables_count():
    environment = {"https_proxy": PROXY, "no_proxy": "lain.example", "NO_PROXY": "unit.example"}
    assert proxy_for("unit.example", environment) is None


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("unit.example:7443", ("unit.example", 7443)),
        ("10.1.2.3:1", ("10.1.2.3", 1)),
        ("[::1]:7443", ("::1", 7443)),
    ],
)
def test_an_address_is_a_host_and_a_port(address, parts):
    assert split_address(address) == parts
