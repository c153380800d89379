"""The guarded door: where calls may go, judged where the connection is made, and how long and large they may be."""

from __future__ import annotations

import socket
from typing import Any

import msgspec
import pytest

from core.kernel import settings as kernel_settings
from core.kernel.settings import Settings
from core.system.outbound import OutboundRefused, check_url
from core.system.outbound_calls import BODY_LIMIT_BYTES, Fetched, OutboundFailed, fetch
from tests import provider_endpoint
from tests.provider_endpoint import ProviderEndpoint


@pytest.fixture
def dev(settings: Settings) -> Settings:
    """Install the dev profile, which may call its own machine."""
    kernel_settings.install(settings)
    return settings


@pytest.fixture
def production(settings: Settings) -> Settings:
    """Install the production profile."""
    made = msgspec.structs.replace(settings, profile="production")
    kernel_settings.install(made)
    return made


@pytest.mark.parametrize(
    "url", ["https://login.example.com/a?b=c", "https://login.example.com:8443", "https://93.184.216.34/"]
)
def test_public_https_may_be_called(production: Settings, url: str) -> None:
    assert check_url(url).scheme == "https"


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com",
        "http://127.0.0.1",
        "https://127.0.0.1",
        "https://127.1.2.3",
        "https://[::1]",
        "https://0.0.0.0",
        "https://[::]",
        "https://10.0.0.1",
        "https://172.16.0.1",
        "https://192.168.1.1",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1",
        "https://224.0.0.1",
        "https://[fe80::1]",
        "https://[fe80::1%25eth0]",
        "https://[fc00::1]",
        "https://[fec0::1]",
        "https://[5f00::1]",
        "https://[::10.0.0.1]",
        "https://[::ffff:0:10.0.0.1]",
        "https://192.0.0.192",
        "https://192.88.99.1",
        "https://[::ffff:10.0.0.1]",
        "https://[64:ff9b::a00:1]",
        "https://[2002:a00:1::]",
        "https://[2001:0:a00:1::]",
        "https://ada@login.example.com",
        "https://ada:pw@login.example.com",
        "https://login.example.com#x",
        "https://",
        "https:///path",
        "https://login.example.com:0",
        "https://login.example.com:99999",
        "https://[::1",
        "https://lögin.example.com",
        "ftp://login.example.com",
        "file:///etc/passwd",
        "gopher://login.example.com",
        "//login.example.com",
        "",
    ],
)
def test_what_is_not_public_https_may_not(production: Settings, url: str) -> None:
    with pytest.raises(OutboundRefused):
        check_url(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "0177.0.0.1"])
def test_other_spellings_of_this_machine_are_judged_as_what_they_resolve_to(production: Settings, host: str) -> None:
    with pytest.raises((OutboundRefused, OutboundFailed)) as refused:
        fetch("GET", f"https://{host}/", headers={})
    assert "Connect" not in str(refused.value)


def test_dev_may_call_its_own_machine_and_no_other_without_tls(dev: Settings) -> None:
    assert check_url("http://127.0.0.1:9").port == 9
    assert check_url("http://localhost:9").port == 9
    for url in ("http://10.0.0.1", "http://login.example.com", "https://10.0.0.1"):
        with pytest.raises(OutboundRefused):
            check_url(url)


def test_private_networks_are_opened_by_the_setting(production: Settings) -> None:
    kernel_settings.install(msgspec.structs.replace(production, outbound_networks=("10.1.0.0/16", "fc00::/7")))
    assert check_url("https://10.1.2.3").hostname == "10.1.2.3"
    assert check_url("https://[fc00::7]").hostname == "fc00::7"
    for url in ("https://10.2.0.1", "http://10.1.2.3"):
        with pytest.raises(OutboundRefused):
            check_url(url)


@pytest.fixture
def endpoint() -> Any:
    """Give a server of this machine."""
    with provider_endpoint.serving() as made:
        made.answers["/"] = {"good": True}
        yield made


def _resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have the names of the machine resolve to each answer in turn; gives the names asked for."""
    asked: list[str] = []
    left = list(answers)

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_name_that_leads_inside_is_refused(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for addresses in (["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["169.254.169.254"]):
        _resolving(monkeypatch, addresses)
        with pytest.raises(OutboundRefused):
            fetch("GET", "https://login.example.com/", headers={})


def test_the_connection_goes_to_the_address_that_was_judged(
    production: Settings, endpoint: ProviderEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resolve to a public address first and to this machine then: the second answer is never asked for."""
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        connected.append(address[:2])
        raise OSError("nobody is there")

    asked = _resolving(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(OutboundFailed):
        fetch("GET", f"https://login.example.com:{endpoint.server_port}/", headers={})
    assert asked == ["login.example.com"]
    assert connected == [("93.184.216.34", endpoint.server_port)]
    assert not endpoint.asked


def test_an_answer_is_whole_whatever_its_status(dev: Settings, endpoint: ProviderEndpoint) -> None:
    assert fetch("GET", endpoint.url, headers={}) == Fetched(200, b'{"good": true}')
    assert fetch("GET", f"{endpoint.url}/nowhere", headers={}).status == 404
    endpoint.answers["/there"] = (302, {"Location": endpoint.url})
    assert fetch("GET", f"{endpoint.url}/there", headers={}).status == 302
    assert [path for path, *_ in endpoint.asked] == ["/", "/nowhere", "/there"]


def test_a_large_answer_is_cut(dev: Settings, endpoint: ProviderEndpoint) -> None:
    endpoint.answers["/"] = [b"x" * BODY_LIMIT_BYTES]
    assert len(fetch("GET", endpoint.url, headers={}).body) == BODY_LIMIT_BYTES
    endpoint.answers["/"] = [b"x" * 65_536] * 1_000
    with pytest.raises(OutboundFailed, match="over"):
        fetch("GET", endpoint.url, headers={})


def test_nobody_there_is_a_failure(dev: Settings) -> None:
    with pytest.raises(OutboundFailed):
        fetch("GET", "http://127.0.0.1:9/", headers={})
    with pytest.raises(OutboundFailed):
        fetch("GET", "http://localhost:9/", headers={})


def test_a_proxy_of_the_environment_is_not_used(
    dev: Settings, endpoint: ProviderEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch("GET", endpoint.url, headers={}).status == 200
