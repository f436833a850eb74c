from __future__ import annotations

import pytest

from connector.doctor import judge_provider as judge
from connector.doctor.judge_provider import Certificate, Endpoint

HOST = Endpoint("ws.example.com", 443, tls=True)
DAY = 86_400.0


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("wss://ws.domeapi.io/{key}", Endpoint("ws.domeapi.io", 443, tls=True)),
        ("ws://127.0.0.1:8000/{key}", Endpoint("127.0.0.1", 8000, tls=False)),
        ("https://api.example.com/base", Endpoint("api.example.com", 443, tls=True)),
        ("http://[::1]", Endpoint("::1", 80, tls=False)),
    ],
)
def test_a_url_leads_to_an_endpoint(url: str, found: Endpoint) -> None:
    """With the port of its scheme where it names none."""
    assert judge.endpoint(url) == found


def test_an_endpoints_address_has_brackets_where_it_needs_them() -> None:
    """Else nobody could tell the port."""
    assert HOST.address == "ws.example.com:443"
    assert Endpoint("::1", 80, tls=False).address == "[::1]:80"


def test_names_and_ports() -> None:
    """What failed has a remedy, what did not has figures."""
    assert judge.dns(HOST, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]).seen == "192.0.2.1, 192.0.2.2 and 1 more"
    assert judge.dns(HOST, "Name or service not known").status == "fail"
    assert judge.tcp(HOST, "", 0.0123).seen == "connected in 12 ms"
    assert judge.tcp(HOST, "Connection refused", 0.0).status == "fail"


@pytest.mark.parametrize(("days", "status"), [(90, "ok"), (15, "ok"), (13, "warn"), (0, "warn")])
def test_a_certificate_near_its_end_is_warned_of(days: int, status: str) -> None:
    """While it is valid, connections are made; after that none."""
    check = judge.tls(HOST, Certificate("TLSv1.3", 1_000 * DAY + days * DAY), 1_000 * DAY)
    assert check.status == status
    assert f"expires in {days} days" in check.seen


def test_a_certificate_that_is_not_trusted_fails() -> None:
    """The remedy names the variables that name authorities."""
    check = judge.tls(HOST, "its certificate is not trusted: self-signed certificate", 0.0)
    assert check.status == "fail"
    assert "SSL_CERT_FILE" in check.remedy


@pytest.mark.parametrize(
    ("offsets", "status", "said"),
    [
        ([(-0.8, 0.3)], "ok", "0.8 s at worst"),
        ([(-0.8, 0.3), (-0.1, 0.9)], "ok", "0.3 s at worst"),
        ([(4.2, 5.3)], "warn", "4 s behind"),
        ([(-9.9, -8.8)], "warn", "9 s ahead of"),
        ([(120.0, 121.0), (119.5, 120.5)], "fail", "120 s behind"),
        ([(-4000.0, -3999.0)], "fail", "3999 s ahead of"),
        ([(5.0, 6.0), (1.0, 2.0)], "warn", "4 s behind"),
    ],
)
def test_clocks_are_compared_by_what_answers_allow(offsets: list[tuple[float, float]], status: str, said: str) -> None:
    """A `Date` has whole seconds: only what lies outside of all bounds is a difference."""
    check = judge.clock(offsets)
    assert check is not None
    assert (check.status, said in check.seen) == (status, True), check


def test_without_an_answer_nothing_is_said_of_clocks() -> None:
    """No guess."""
    assert judge.clock([]) is None


def test_handshakes() -> None:
    """A key that is turned away fails, one socket too many does not: the connector has its own."""
    assert judge.socket("websocket", "", refused=False).status == "ok"
    assert judge.socket("websocket", "the provider refused the API key with HTTP 401", refused=True).status == "fail"
    assert (
        judge.socket("websocket", "the provider answered the handshake with HTTP 429", refused=False).status == "warn"
    )
    assert judge.socket("websocket", "cannot connect: Connection refused", refused=False).status == "fail"


@pytest.mark.parametrize(
    ("kind", "status"),
    [("", "ok"), ("auth", "fail"), ("rate", "warn"), ("server", "warn"), ("network", "fail"), ("bad-body", "fail")],
)
def test_rest(kind: str, status: str) -> None:
    """What passes by itself is warned of, what somebody must change fails."""
    check = judge.rest("rest", kind, "status 4xx")
    assert check.status == status
    assert bool(check.remedy) == (status != "ok")
