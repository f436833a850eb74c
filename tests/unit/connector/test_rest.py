"""The REST client in virtual time, against scripted answers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import ClientError
from structlog.testing import capture_logs

from connector import rest
from connector.dialects.dome import Dome
from connector.rest import PassFailed, RestClient
from connector.rest_key import RestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from connector.paging import Page

pytestmark = pytest.mark.looptime

WALLET = "0x" + "a" * 40
KEYS = ("sk-secret-1", "sk-secret-2")
T = 1_700_000_000


def rows(*seconds: int, cursor: str | None = None) -> bytes:
    """Return a page of rows."""
    orders = [{"user": WALLET, "timestamp": T + second, "tx_hash": str(second)} for second in seconds]
    return orjson.dumps({"orders": orders, "pagination": {"has_more": cursor is not None, "pagination_key": cursor}})


class Answer:
    """What the provider answers: a status, or a body, or an error of the network; after some time."""

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        *,
        after: float = 0.0,
        error: Exception | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.after = after
        self.error = error
        self.content = self
        self._body = body

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the body in two parts."""
        half = len(self._body) // 2
        yield self._body[:half]
        yield self._body[half:]


OK = Answer(body=rows())


class Http:
    """Stands in for aiohttp's session; the n-th request gets the n-th answer, later ones the last."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[float, str, str | None]] = []
        """Loop time, key, cursor."""

    @asynccontextmanager
    async def get(
        self, url: str, *, params: Mapping[str, str], headers: Mapping[str, str], allow_redirects: bool
    ) -> AsyncIterator[Answer]:
        """Answer a request."""
        assert not allow_redirects
        assert url == "http://rest/v1/polymarket/orders"
        loop = asyncio.get_running_loop()
        self.asked.append((loop.time(), headers["Authorization"].removeprefix("Bearer "), params.get("pagination_key")))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(answer.after)
        if answer.error is not None:
            raise answer.error
        yield answer

    async def close(self) -> None:
        """Be closed."""

    @property
    def times(self) -> list[float]:
        """When requests were made, in seconds."""
        return [round(at, 3) for at, _, _ in self.asked]

    @property
    def keys(self) -> list[str]:
        """The last letter of the key of each request."""
        return [key[-1] for _, key, _ in self.asked]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Http]:
    """Return a function that makes the answers of the next client's requests."""

    def make(*answers: Answer) -> Http:
        http = Http(*answers)
        monkeypatch.setattr(rest, "ClientSession", lambda **_: http)
        monkeypatch.setattr(rest, "TCPConnector", lambda **_: None)
        return http

    return make


def client(*keys: str, limits: tuple[tuple[float, int], ...] = ((1.0, 1000),), **more: Any) -> RestClient:
    """Return a client that waits the whole bound of every delay."""
    options: dict[str, Any] = {"base_url": "http://rest/", "uniform": lambda: 1.0} | more
    return RestClient(Dome(), keys or KEYS[:1], limits=limits, **options)


async def swept(rest_client: RestClient, pages: list[Page] | None = None) -> int:
    """Sweep, and return how many rows came."""
    pages = [] if pages is None else pages
    async with rest_client, aclosing(rest_client.sweep(WALLET, T * 1000, (T + 9) * 1000)) as sweep:
        async for page in sweep:
            pages.append(page)
    return sum(len(page.rows) for page in pages)


@pytest.mark.parametrize(
    "failure",
    [
        Answer(503),
        Answer(302, headers={"Location": "http://elsewhere"}),
        Answer(body=rows(1, 2)[:-9]),
        Answer(body=b"[]"),
        Answer(body=b'{"orders": [7]}'),
        Answer(error=ClientError("gone")),
        Answer(error=ConnectionResetError("gone")),
        Answer(error=TimeoutError()),
    ],
)
async def test_a_page_is_asked_for_again(serve: Callable[..., Http], failure: Answer) -> None:
    """After 0.5, 1, 2 and 4 seconds at most; the pass goes on where it was."""
    page = Answer(body=rows(9, 8, cursor="next"))
    http = serve(page, *[failure] * 4, Answer(body=rows(7)))
    assert await swept(client()) == 3
    assert http.times == [0.0, 0.0, 0.5, 1.5, 3.5, 7.5]
    assert [cursor for _, _, cursor in http.asked] == [None] + ["next"] * 5


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Answer(500), "server"),
        (Answer(429), "rate"),
        (Answer(body=b"<html>"), "bad-body"),
        (Answer(error=OSError("gone")), "network"),
        (Answer(error=TimeoutError()), "timeout"),
    ],
)
async def test_a_failing_page_fails_the_pass(serve: Callable[..., Http], failure: Answer, reason: str) -> None:
    """After five attempts: a pass is never complete without each of its pages."""
    http = serve(Answer(body=rows(9, 8, cursor="next")), failure)
    pages: list[Page] = []
    with pytest.raises(PassFailed) as failed:
        await swept(client(), pages)
    assert failed.value.reason == reason
    assert len(http.asked) == 6
    assert sum(len(page.rows) for page in pages) == 2


async def test_a_bad_request_is_not_repeated(serve: Callable[..., Http]) -> None:
    """It would be refused again."""
    http = serve(Answer(400))
    with pytest.raises(PassFailed, match="request-refused"):
        await swept(client())
    assert len(http.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_refused_cursor_is_left_behind(serve: Callable[..., Http], status: int) -> None:
    """The pass goes on by time, with the same key: such a 401 is about the page."""
    http = serve(Answer(body=rows(9, 8, cursor="deep")), Answer(status), Answer(body=rows(8, 7)))
    assert await swept(client()) == 4
    assert http.times == [0.0, 0.0, 0.0]
    assert [cursor for _, _, cursor in http.asked] == [None, "deep", None]


async def test_a_bad_key_is_set_aside(serve: Callable[..., Http]) -> None:
    """After two refusals in a row, with one warning that does not quote it; a minute later it is tried again."""
    http = serve(Answer(401))
    rest_client = client()
    async with rest_client:
        with capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(PassFailed, match="auth"):
                    await anext(rest_client.sweep(WALLET, T * 1000, T * 1000))
        assert http.times == [0.0, 0.5]
        assert asyncio.get_running_loop().time() < 1, "waits for a key that is set aside"
        assert [entry["event"] for entry in logs] == ["rest.key_set_aside"]
        assert "secret" not in str(logs)
        await asyncio.sleep(61)
        http.answers = [OK]
        await anext(rest_client.sweep(WALLET, T * 1000, T * 1000))


async def test_a_key_that_was_accepted_starts_over(serve: Callable[..., Http]) -> None:
    """Refusals count in a row only: two with an answer between set no key aside."""
    http = serve(Answer(401), OK, Answer(401), OK)
    rest_client = client()
    async with rest_client:
        for _ in range(2):
            await anext(rest_client.sweep(WALLET, T * 1000, T * 1000))
    assert len(http.asked) == 4


async def test_the_other_key_takes_over(serve: Callable[..., Http]) -> None:
    """One bad key of two costs an attempt, no pass."""
    http = serve(Answer(403), OK, Answer(403), OK)
    rest_client = client(*KEYS)
    async with rest_client:
        for _ in range(4):
            await anext(rest_client.sweep(WALLET, T * 1000, T * 1000))
    assert "".join(http.keys) == "121222"


async def test_requests_take_turns_within_the_budget(serve: Callable[..., Http]) -> None:
    """Two a second and key, of which four fifths are ours: 1.6 a second and key."""
    http = serve(OK)
    rest_client = client(*KEYS, limits=((1.0, 2),))
    async with rest_client:
        await asyncio.gather(*(rest_client.page("/v1/polymarket/orders", {}) for _ in range(9)))
    assert http.times == [0.0] * 4 + [1.25] * 4 + [2.5]
    assert sorted(http.keys[:4]) == ["1", "1", "2", "2"]


async def test_retry_after_is_honoured(serve: Callable[..., Http]) -> None:
    """By the key that was told; the other one goes on."""
    busy = Answer(429, headers={"Retry-After": "20"})
    http = serve(busy, busy, OK)
    rest_client = client(*KEYS)
    async with rest_client:
        await anext(rest_client.sweep(WALLET, T * 1000, T * 1000))
    assert http.times == [0.0, 0.5, 20.0]
    assert http.keys == ["1", "2", "1"]


async def test_a_long_retry_after_fails_the_pass_soon(serve: Callable[..., Http]) -> None:
    """Whoever repairs decides when to try again; until then the provider is left in peace."""
    http = serve(Answer(429, headers={"Retry-After": "300"}), OK)
    rest_client = client()
    with pytest.raises(PassFailed, match="rate"):
        await swept(rest_client)
    assert len(http.asked) == 1
    assert asyncio.get_running_loop().time() < 10


async def test_dates_are_reported(serve: Callable[..., Http]) -> None:
    """Also of refusals, with the times when the answer came and when it was asked for."""
    dates: list[tuple[str, float, float]] = []
    serve(Answer(503, headers={"Date": "first"}, after=2.0), Answer(body=rows(), headers={"Date": "second"}), Answer())
    await swept(client(on_date=lambda *seen: dates.append(seen)))
    assert dates == [("first", 2.0, 0.0), ("second", pytest.approx(2.5), pytest.approx(2.5))]


async def test_a_body_without_end_is_given_up(serve: Callable[..., Http], monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is not the provider's to fill."""
    monkeypatch.setattr("connector.rest_key._MAX_BODY", 100)
    serve(Answer(body=b" " * 101))
    rest_client = client()
    async with rest_client:
        with pytest.raises(RestError, match="more than 100 bytes"):
            await rest_client.page("/v1/polymarket/orders", {})


@pytest.mark.parametrize(
    "failure",
    [
        Answer(401),
        Answer(error=ClientError("headers: Bearer sk-secret-1")),
        Answer(body=b'{"your key": "sk-secret-1"'),
        Answer(body=b'{"orders": "sk-secret-1"}'),
    ],
)
async def test_no_error_quotes_the_key(serve: Callable[..., Http], failure: Answer) -> None:
    """Nor anything from which it came, whatever the provider answers and aiohttp says."""
    serve(failure)
    with capture_logs() as logs, pytest.raises(PassFailed) as failed:
        await swept(client())
    error: BaseException | None = failed.value
    while error is not None:
        assert "secret" not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert "secret" not in str(logs)
