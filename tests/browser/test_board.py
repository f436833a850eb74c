"""The page in a real browser: what people see, hear, and do with a keyboard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from streams.board.hub import now_ms
from tests.support.board import Record, alert, example, order, running, wallet_stats, window
from tests.support.orders import WALLET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

    from tests.support.board import Running

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

LIMIT_MS = 60_000
expect.set_options(timeout=LIMIT_MS)

EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
VIEWS = ("", "wallets", f"wallet/{WALLET}", "markets", "alerts", "alert/a1", "coverage")
DARK = "rgb(13, 16, 21)"
LIGHT = "rgb(244, 245, 247)"

CONTRASTS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = rgba(getComputedStyle(each).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba(getComputedStyle(document.documentElement).backgroundColor);
  };
  const light = (color) => {
    const [r, g, b] = color.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.disabled || !element.checkVisibility() || element.closest(".unseen, .skip, noscript")) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName} ${element.className} ${element.textContent.slice(0, 30)}: ${ratio}`);
  }
  return poor;
}
"""


def fill(board: Running) -> None:
    """Let the board have read a little of everything."""
    now = now_ms()
    for number in range(120):
        wallet = f"0x{number % 60:040x}" if number % 3 else WALLET
        side = "SELL" if number % 4 == 0 else "BUY"
        board.absorb("orders.v1", order(number, at_ms=now - 60_000 + number, user=wallet, side=side))
    for number in range(60):
        windows = {"1h": window(number, number * 10_000_000, number * 1_000_000), "1m": window(60 - number, 1, 1)}
        board.absorb("wallet-stats.v1", Record(wallet_stats(f"0x{number:040x}", windows=windows)))
    board.absorb("wallet-stats.v1", Record(example("streams", "wallet-stats.v1", wallet=WALLET)))
    board.absorb("market-stats.v1", Record(example("streams", "market-stats.v1")))
    board.absorb("coverage.v1", Record(example("connector.contract", "coverage.v1", wallet=WALLET), WALLET.encode()))
    board.absorb("alerts.v1", Record(alert("a1", as_of=now, starts_at=now, severity="critical")))
    board.absorb("alert-grades.v1", Record(example("streams", "alert-grades.v1", alert_id="a1")))
    board.absorb("gaps.v1", Record(example("connector.contract", "gaps.v1", 2)))
    for feed in board.feeds.all.values():
        feed.progress(0)


@pytest_asyncio.fixture(loop_scope="module")
async def board() -> AsyncIterator[Running]:
    """Return a board that has read a little."""
    async with running() as started:
        fill(started)
        yield started


@asynccontextmanager
async def visiting(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """Open an empty page whose errors fail the test: a refused script or style is one."""
    context = await browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    try:
        yield page
    finally:
        await context.close()
    # A server that is away, or does not know something, is in the console too; so is what a test provokes.
    assert [error for error in errors if "Failed to load resource" not in error and "TrustedHTML" not in error] == []


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Return an empty page."""
    async with visiting(browser) as opened:
        yield opened


async def focused(page: Page) -> str:
    """Return the text of what has focus."""
    return str(await page.evaluate("document.activeElement.textContent"))


async def tab_to(page: Page, text: str) -> None:
    """Press Tab until something of this text has focus."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        if (await focused(page)).strip() == text:
            return
    raise AssertionError(f"{text} cannot be reached by Tab")


async def test_the_page_fills_and_goes_on(page: Page, board: Running) -> None:
    """Orders, alerts, wallets, the strip; what comes later shows up; nothing is fetched from elsewhere."""
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    await page.goto(board.address)
    await expect(page.locator("#connection")).to_have_text("live")
    orders = page.get_by_role("table", name="Latest orders")
    await expect(orders.locator("tbody tr")).to_have_count(30)
    await expect(page.get_by_role("table", name="Latest alerts").locator("tbody tr")).to_have_count(1)
    await expect(page.get_by_role("table", name="Busiest wallets").locator("tbody tr").first).to_contain_text(
        "0x6031…f96d"
    )
    await expect(page.locator("#strip")).to_contain_text("of 1 watched")
    board.absorb("orders.v1", order(999, at_ms=now_ms(), label="newcomer"))
    await expect(orders.locator("tbody tr").first).to_contain_text("newcomer")
    assert hosts == {board.address.removeprefix("http://")}


async def test_the_wallets_are_sorted_filtered_and_switched_by_keyboard(page: Page, board: Running) -> None:
    """The order is told by aria-sort; the window is a group of radio buttons."""
    await page.goto(f"{board.address}/#/wallets")
    rows = page.get_by_role("table", name="Wallets").locator("tbody tr")
    volume, flow = (page.get_by_role("columnheader", name=name) for name in ("Volume", "Net flow"))
    await expect(volume).to_have_attribute("aria-sort", "descending")
    await expect(rows).to_have_count(50)
    await tab_to(page, "Net flow")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(flow).to_have_attribute("aria-sort", "ascending")
    await expect(volume).not_to_have_attribute("aria-sort", "descending")
    await expect(rows.last).to_contain_text("0x0000…0031")
    await page.get_by_role("radio", name="1h").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("radio", name="1m")).to_be_checked()
    await page.get_by_role("columnheader", name="Orders").get_by_role("button").press("Enter")
    await expect(rows.first).to_contain_text("0x0000…0000")
    await page.get_by_role("searchbox", name="Filter").focus()
    await page.keyboard.type("000000003b")
    await expect(rows).to_have_count(1)
    await page.keyboard.type("zzz")
    await expect(page.get_by_text("Nothing matches the filter.")).to_be_visible()


async def test_many_wallets_have_pages(page: Page, board: Running) -> None:
    """With their range told."""
    await page.goto(f"{board.address}/#/wallets")
    await expect(page.get_by_text("1 to 50 of 61")).to_be_visible()
    await page.get_by_role("button", name="Next").press("Enter")
    await expect(page.get_by_text("51 to 61 of 61")).to_be_visible()
    await expect(page.get_by_role("button", name="Next")).to_be_disabled()


async def test_a_wallet_has_a_page(page: Page, board: Running) -> None:
    """Its heading gets the focus, its flow is a picture with a text and a table; Back goes back."""
    await page.goto(f"{board.address}/#/wallets")
    await page.get_by_role("searchbox").fill(WALLET)
    await page.get_by_role("link", name="0x6031…f96d").press("Enter")
    await expect(page).to_have_title("Wallet 0x6031…f96d · walletstream")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    chart = page.get_by_role("img", name="Flow per minute")
    await expect(chart.locator("desc")).to_have_text("144.00 USDC bought and 48.00 sold, net +96.")
    await expect(page.get_by_role("table", name="Orders of this wallet").locator("tbody tr")).to_have_count(20)
    await expect(page.get_by_role("table", name="Statistics by window")).to_be_visible()
    await page.get_by_text("The same as a table").press("Enter")
    await expect(page.get_by_role("table", name="USDC bought and sold per minute")).to_contain_text("144.00")
    board.absorb("orders.v1", order(777, at_ms=now_ms(), side="SELL"))
    await expect(chart.locator("desc")).to_contain_text("52.80 sold")
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Wallets")
    await page.goto(f"{board.address}/#/wallet/0x1")
    await expect(page.get_by_text("Nothing is known of this wallet")).to_be_visible()


async def test_an_alert_explains_itself(page: Page, board: Running) -> None:
    """Reason, parts with their operands, grade; and says when it is not kept any more."""
    await page.goto(f"{board.address}/#/alerts")
    await page.get_by_role("link", name="21 orders worth").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("21 orders worth 104.30 USDC")
    parts = page.get_by_role("list", name="Parts of the condition")
    await expect(parts.get_by_role("listitem").first).to_contain_text("wallet.w1m.orders = 21")
    await expect(page.get_by_role("table", name="Grades")).to_contain_text("+18.7 %")
    await page.goto(f"{board.address}/#/alert/none")
    await expect(page.get_by_text("no longer kept here")).to_be_visible()


async def test_texts_of_strangers_stay_texts(page: Page, board: Running) -> None:
    """Wherever they are shown."""
    board.absorb("orders.v1", order(998, at_ms=now_ms(), title=EVIL, token_label=EVIL, label=EVIL))
    board.absorb("market-stats.v1", Record(example("streams", "market-stats.v1", title=EVIL, as_of_offset=10**9)))
    clauses = [{"text": EVIL, "value": True, "operands": {EVIL: EVIL}, "operator": None, "parts": []}]
    board.absorb(
        "alerts.v1", Record(alert("a1e", message=EVIL, reason=EVIL, rule=EVIL, clauses=clauses, as_of=now_ms()))
    )
    board.absorb("gaps.v1", Record(example("connector.contract", "gaps.v1", 2, gap_id=EVIL, detail=EVIL)))
    for view in (*VIEWS, "alert/a1e"):
        await page.goto(f"{board.address}/#/{view}")
        await expect(page.locator("main")).to_contain_text("<img src=x" if view != "alert/a1" else "21 orders")
        assert await page.locator("main img, main script").count() == 0
    assert await page.evaluate("window.pwned") is None


async def test_the_browser_itself_refuses_markup(page: Page, board: Running) -> None:
    """Should a script ever try: the page's policy stands behind it."""
    await page.goto(board.address)
    refused = "() => { try { document.body.innerHTML = '<b>x</b>'; return false; } catch { return true; } }"
    assert await page.evaluate(refused)


async def test_focus_stays_where_it_is_while_rows_change(page: Page, board: Running) -> None:
    """A row under the hands of somebody does not become another one."""
    await page.goto(board.address)
    link = page.get_by_role("table", name="Latest orders").locator("tbody a").first
    await link.focus()
    before = await page.evaluate("document.activeElement.closest('tr').textContent")
    board.absorb("orders.v1", *(order(2_000 + number, at_ms=now_ms()) for number in range(10)))
    await expect(page.locator("#strip")).to_contain_text("130 read")
    assert await page.evaluate("document.activeElement.closest('tr').textContent") == before
    await page.get_by_role("link", name="Markets").focus()
    board.absorb("orders.v1", order(2_100, at_ms=now_ms(), label="newest"))
    await expect(page.get_by_role("table", name="Latest orders").locator("tbody tr").first).to_contain_text("newest")


async def test_updates_can_be_paused(page: Page, board: Running) -> None:
    """And go on with everything that came meanwhile."""
    await page.goto(board.address)
    await expect(page.locator("#connection")).to_have_text("live")
    await page.get_by_role("button", name="Pause").press("Enter")
    await expect(page.locator("#connection")).to_contain_text("paused at")
    board.absorb("orders.v1", order(3_000, at_ms=now_ms(), label="meanwhile"))
    async with page.expect_response("**/api/alerts/a1"):  # a view that is opened shows the present, once
        await page.get_by_role("link", name="21 orders worth").press("Enter")
    await page.get_by_role("link", name="Overview").press("Enter")
    await page.get_by_role("button", name="Pause").press("Enter")
    await expect(page.get_by_role("table", name="Latest orders")).to_contain_text("meanwhile")


async def test_alerts_are_read_out_politely(page: Page, board: Running) -> None:
    """One that comes, not those that were there; many at once as one sentence."""
    await page.goto(board.address)
    await expect(page.locator("#connection")).to_have_text("live")
    region = page.locator("#announcer")
    await expect(region).to_have_attribute("aria-live", "polite")
    assert await region.text_content() == ""
    board.absorb("alerts.v1", *(Record(alert(f"n{number}", message=f"number {number}")) for number in range(5)))
    await expect(region).to_have_text("Alert, info: number 4, and 4 others")


async def test_landmarks_and_the_skip_link(page: Page, board: Running) -> None:
    """The first Tab offers to skip the bar."""
    await page.goto(board.address)
    await expect(page.locator("#connection")).to_have_text("live")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to content"
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    for role, name in (("banner", None), ("navigation", "Views"), ("region", "State of the system")):
        await expect(page.get_by_role(role, name=name)).to_be_visible()  # type: ignore[arg-type]
    await expect(page.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")


async def test_dark_and_light(browser: Browser, board: Running) -> None:
    """As the system says, or as the button does, which is remembered."""
    background = "getComputedStyle(document.documentElement).backgroundColor"
    async with visiting(browser, color_scheme="dark") as page:
        await page.goto(board.address)
        assert await page.evaluate(background) == DARK
        button = page.get_by_role("button", name="Theme")
        await button.press("Enter")
        await expect(button).to_have_text("Theme: light")
        assert await page.evaluate(background) == LIGHT
        await page.reload()
        assert await page.evaluate(background) == LIGHT
        await expect(button).to_have_text("Theme: light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read(browser: Browser, board: Running, scheme: str) -> None:
    """In both themes: a contrast of 4.5 to 1 at least, on every view."""
    async with visiting(browser, color_scheme=scheme) as page:
        for view in VIEWS:
            await page.goto(f"{board.address}/#/{view}")
            await expect(page.locator("main tbody tr").first).to_be_attached()
            assert await page.evaluate(CONTRASTS) == []


async def test_a_phone_scrolls_in_one_direction_only(browser: Browser, board: Running) -> None:
    """On every view, at the width of a small phone."""
    viewport = {"width": 360, "height": 740}
    async with visiting(browser, viewport=viewport, is_mobile=True, has_touch=True) as page:
        for view in VIEWS:
            await page.goto(f"{board.address}/#/{view}")
            await expect(page.locator("main tbody tr").first).to_be_attached()
            wide = "[...document.querySelectorAll('.scroll')].some((each) => each.scrollWidth > each.clientWidth)"
            assert await page.evaluate("document.documentElement.scrollWidth") == viewport["width"], view
            assert not await page.evaluate(wide), view


async def test_a_server_that_goes_and_comes_back(page: Page) -> None:
    """The page says of when its data is, keeps it, and goes on by itself."""
    async with running() as board:
        fill(board)
        await page.goto(board.address)
        await expect(page.locator("#connection")).to_have_text("live")
        port = int(board.address.rpartition(":")[2])
    await expect(page.locator("#connection")).to_contain_text("reconnecting … data as of")
    await expect(page.get_by_role("table", name="Latest orders").locator("tbody tr")).to_have_count(30)
    async with running(port=port) as board:
        board.absorb("orders.v1", order(1, at_ms=now_ms(), label="afterwards"))
        await expect(page.locator("#connection")).to_have_text("live")
        rows = page.get_by_role("table", name="Latest orders").locator("tbody tr")
        await expect(rows).to_have_count(1)
        await expect(rows).to_contain_text("afterwards")


async def test_trouble_with_kafka_is_told(page: Page, board: Running) -> None:
    """With what is shown meanwhile, and gone when it is over."""
    await page.goto(board.address)
    trouble = page.locator("#trouble")
    await expect(page.locator("#connection")).to_have_text("live")
    await expect(trouble).to_be_hidden()
    board.feeds.all["orders.v1"].fault("away", "no Kafka answers at 127.0.0.1:1")
    await expect(trouble).to_contain_text("Kafka does not answer (orders.v1): no Kafka answers at 127.0.0.1:1")
    board.feeds.all["orders.v1"].progress(0)
    await expect(trouble).to_be_hidden()


async def test_an_empty_board_says_what_will_be_there(page: Page) -> None:
    """And not that nothing is missing."""
    async with running() as board:
        await page.goto(board.address)
        await expect(page.get_by_text("No order has come yet.")).to_be_visible()
        await expect(page.locator("#strip")).to_contain_text("no wallet is watched")
        await page.goto(f"{board.address}/#/wallets")
        await expect(page.get_by_text("No wallet is watched yet")).to_be_visible()


async def test_logging_in_and_out(page: Page) -> None:
    """With the form; the session of a page that is open may end."""
    async with running(token="a-token-of-some-length") as board:
        await page.goto(board.address)
        await page.get_by_label("Token").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("This is not the token.")
        await page.get_by_label("Token").fill("a-token-of-some-length")
        await page.keyboard.press("Enter")
        await expect(page.locator("#connection")).to_have_text("live")
        assert await page.evaluate("document.cookie") == ""
        port = int(board.address.rpartition(":")[2])
    async with running(token="another-token-of-length", port=port):
        await expect(page.get_by_label("Token")).to_be_visible()
