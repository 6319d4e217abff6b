"""The page that shows a counter as it is hit, and streams in an EventSource."""

import base64
import hashlib
import pathlib
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from servers import REPOSITORY, Counter, Redis, Site, wait_for

# A page waits at most 15 seconds, and a quarter more, before it tries a server again that was away.
BACK = 25_000


def shown(page: Page) -> str:
    """The number on the page, with its separators; empty before there is one."""
    return page.evaluate(
        "[...document.querySelectorAll('.cell')].map(cell => cell.firstChild.textContent).join('')"
    )


def expect_number(page: Page, text: str, limit: float = 10) -> None:
    wait_for(f"the number {text}, not {shown(page)}", lambda: shown(page) == text, limit)


def expect_state(page: Page, state: str, limit: int = 10_000) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=limit)


def complaints(page: Page) -> list[str]:
    """What the browser says of the page from now on: its errors, and violations of its policy."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def test_the_number_ticks_while_visits_come(page: Page, counter: Counter) -> None:
    found = complaints(page)
    counter.hit("blog", "home")
    page.goto(counter.address + "/live/blog/home")
    expect_number(page, "1")
    expect_state(page, "live")
    expect(page.locator("#state")).to_have_text("Live")
    expect(page.locator("h1")).to_have_text("blog / home")
    expect(page).to_have_title("1 · home")
    wait_for("the badge", lambda: page.evaluate("document.getElementById('badge').naturalWidth") > 0)
    for number in range(2, 13):
        counter.hit("blog", "home")
        expect_number(page, str(number), 2)
    assert found == []


def test_a_page_that_is_opened_before_the_first_visit_ticks_at_it(
    page: Page, counter: Counter
) -> None:
    page.goto(counter.address + "/live/blog/new")
    expect_number(page, "0")
    expect(page.locator("#state")).to_have_text("Live, no visit yet")
    counter.hit("blog", "new")
    expect_number(page, "1")
    expect(page.locator("#state")).to_have_text("Live")


def test_the_visits_of_the_root_have_a_page_that_counts_none(page: Page, counter: Counter) -> None:
    assert counter.ask("GET", "/")[0] == 200
    page.goto(counter.address + "/live/")
    expect_number(page, "1")
    expect(page.locator("h1")).to_have_text(f"counter.example:{counter.port}")
    assert "2" in counter.ask("GET", "/")[1]
    expect_number(page, "2")
    expect(page.locator("code").first).to_have_text(f"curl {counter.address}/")


@pytest.mark.parametrize(
    "path, namespace, key, code",
    [
        ("/live/blog/a%2Fb", "blog", "a/b", "blog/a%2Fb"),
        ("/live/blog?key=a%2Fb+c", "blog", "a/b c", "blog/a%2Fb%20c"),
        ("/live/visits", "default", "visits", "default/visits"),
        ("/live/live/live", "live", "live", "live/live"),
        ("/live/blog/it's%20(me)!*", "blog", "it's (me)!*", "blog/it%27s%20%28me%29%21%2A"),
        ("/live/blog/%E4%BD%A0%E5%A5%BD", "blog", "你好", "blog/%E4%BD%A0%E5%A5%BD"),
    ],
)
def test_each_form_of_a_name_is_understood(
    page: Page, counter: Counter, path: str, namespace: str, key: str, code: str
) -> None:
    counter.hit(namespace, key)
    page.goto(counter.address + path)
    expect_number(page, "1")
    expect(page.locator("#key")).to_have_text(key)
    assert f"curl {counter.address}/hit/{code}" in page.locator("code").all_text_contents()


def test_a_name_with_markup_is_shown_as_it_is(page: Page, counter: Counter) -> None:
    found = complaints(page)
    key = '"><img src=x onerror=alert(1)>\u202eevil&amp;'
    counter.hit("blog", key)
    page.goto(counter.address + "/live/blog?key=" + "".join(f"%{byte:02X}" for byte in key.encode()))
    expect_number(page, "1")
    expect(page.locator("#key")).to_have_text(key)
    assert page.locator("h1 img").count() == 0
    line = page.locator("code").nth(1).text_content() or ""
    # The line is HTML again, whose attribute is the key.
    decoded = page.evaluate(
        "line => new DOMParser().parseFromString(line, 'text/html').querySelector('script').dataset.key", line
    )
    assert decoded == key
    # The page is the same for all counters: nothing of the address is in it.
    assert counter.ask("GET", "/live/blog/home")[1] == counter.ask("GET", "/live/shop/%3Cb%3E")[1]
    assert found == []


def test_large_and_negative_numbers_are_exact(
    page: Page, start_counter: Callable[..., Counter], redis: Redis
) -> None:
    counter = start_counter()
    for number, text in [
        (2**63 - 1, "9,223,372,036,854,775,807"), (-(2**63), "-9,223,372,036,854,775,808"),
    ]:  # fmt: skip
        redis.command(f"SET hits {number}")
        page.goto(counter.address + "/live/")
        expect_number(page, text)
        box = page.locator("#number").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 1280


def test_it_survives_a_restart_of_the_server(page: Page, counter: Counter) -> None:
    counter.hit("blog", "home")
    page.goto(counter.address + "/live/blog/home")
    expect_number(page, "1")
    counter.stop()
    expect_state(page, "reconnecting")
    counter.start()
    counter.hit("blog", "home")
    expect_state(page, "live", BACK)
    expect_number(page, "2")


def test_it_says_when_the_server_is_away_and_comes_back_by_itself(page: Page, counter: Counter) -> None:
    counter.hit("blog", "home")
    page.goto(counter.address + "/live/blog/home")
    expect_number(page, "1")
    counter.stop()
    expect_state(page, "away")
    expect(page.locator("#state")).to_contain_text("away")
    assert shown(page) == "1"
    counter.start()
    expect_state(page, "live", BACK)
    expect_number(page, "1")


def test_it_says_when_redis_is_away(
    page: Page, start_counter: Callable[..., Counter], redis: Redis
) -> None:
    counter = start_counter("--visit-timeout", "1")
    counter.hit("blog", "home")
    page.goto(counter.address + "/live/blog/home")
    expect_number(page, "1")
    redis.pause()
    expect_state(page, "problem")
    redis.resume()
    expect_state(page, "live")
    expect_number(page, "1")


def test_it_comes_in_when_there_is_room_for_its_stream(
    page: Page, context: BrowserContext, start_counter: Callable[..., Counter]
) -> None:
    counter = start_counter("--max-streams", "1")
    page.goto(counter.address + "/live/blog/home")
    expect_number(page, "0")
    other = context.new_page()
    other.goto(counter.address + "/live/blog/home")
    expect_state(other, "reconnecting")
    page.close()
    expect_state(other, "live", BACK)


def test_it_keeps_to_its_policy(page: Page, counter: Counter) -> None:
    found = complaints(page)
    response = page.goto(counter.address + "/live/blog/home")
    assert response
    text, policy = response.text(), response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for name in ("script", "style"):
        [content] = re.findall(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy, "the hashes are in LivePage.swift"
    expect_number(page, "0")
    assert found == []


def test_a_digit_rolls_unless_motion_is_unwanted(browser: Browser, counter: Counter) -> None:
    for motion, animations in (("no-preference", 2), ("reduce", 0)):
        context = browser.new_context(reduced_motion=motion)  # type: ignore[arg-type]
        page = context.new_page()
        page.add_init_script(
            "window.rolls = 0; const animate = Element.prototype.animate;"
            "Element.prototype.animate = function (...all) { rolls++; return animate.apply(this, all); }"
        )
        page.goto(counter.address + f"/live/blog/{motion}")
        expect_number(page, "0")
        counter.hit("blog", motion)
        expect_number(page, "1")
        assert page.evaluate("rolls") == animations
        breathing = page.evaluate("document.getAnimations().length")
        assert (breathing > 0) == (motion == "no-preference")
        context.close()


def test_a_screen_reader_hears_the_number_and_not_each_tick(page: Page, counter: Counter) -> None:
    page.goto(counter.address + "/live/blog/home")
    expect(page.locator("#spoken")).to_have_text("blog, home: 0")
    page.evaluate(
        "window.spoken = 0; new MutationObserver(() => spoken++).observe("
        "document.getElementById('spoken'), {childList: true, characterData: true, subtree: true})"
    )
    for _ in range(6):
        counter.hit("blog", "home")
        time.sleep(0.3)
    expect_number(page, "6")
    assert page.evaluate("spoken") == 0
    assert page.locator("#number").get_attribute("aria-hidden") == "true"
    expect(page.get_by_role("status")).to_have_text("Live")
    expect(page.locator("#spoken")).to_have_text("blog, home: 6", timeout=11_000)
    assert page.evaluate("spoken") == 1


def test_a_line_can_be_copied(browser: Browser, counter: Counter) -> None:
    context = browser.new_context()
    page = context.new_page()
    # A page over HTTP has no clipboard of its own: the line is selected and copied.
    page.goto(counter.address + "/live/blog/home")
    page.get_by_role("button", name="Copy: A badge, in Markdown").click()
    expect(page.get_by_role("button", name="Copy: A badge, in Markdown")).to_have_text("Copied")
    selected = page.evaluate("getSelection().toString()")
    assert selected == f"![visits]({counter.address}/hit/blog/home/badge.svg)"
    context.close()


def test_bad_names_have_no_page(counter: Counter) -> None:
    assert counter.ask("GET", "/live/bl%20og/home")[0] == 400
    counter.restart("--namespaces", "blog")
    status, body = counter.ask("GET", "/live/shop/home")
    assert status == 404 and "namespace" in body


# The last one is the picture of docs/embed.md.
SIZES = {"phone": (360, 740), "desktop": (1280, 800), "wall": (2560, 1440), "page": (800, 560)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_fits_each_screen(
    browser: Browser, counter: Counter, redis: Redis, pictures: pathlib.Path, size: str, scheme: str
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type] # fmt: skip
    page = context.new_page()
    for _ in range(3):
        counter.hit("blog", "home")
    for number in (None, 12_345, 1_234_567_890):
        if number is not None:
            redis.command(f"SET {{{bucket('blog/home')}}}:blog/home {number}")
        page.goto(counter.address + "/live/blog/home")
        expect_state(page, "live")
        wait_for("the badge", lambda: page.evaluate(
            "!document.getElementById('badge') || document.getElementById('badge').complete"))  # fmt: skip
        wait_for("the number is bright", lambda: page.evaluate(
            "getComputedStyle(document.getElementById('number')).opacity") == "1")  # fmt: skip
        assert page.evaluate("document.documentElement.scrollWidth") == width
        box = page.locator("#number").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
        assert box["y"] >= 0 and box["y"] + box["height"] <= height
        page.screenshot(path=pictures / f"live-{size}-{scheme}-{number or 3}.png")
    page.screenshot(path=pictures / f"live-{size}-{scheme}-whole.png", full_page=True)
    context.close()


def bucket(name: str) -> int:
    """The bucket of a counter is the CRC16 of its name modulo 16."""
    import binascii

    return binascii.crc_hqx(name.encode(), 0) % 16


def test_an_event_source_of_another_origin_follows_a_counter_over_a_stop(
    page: Page, counter: Counter, site: Site
) -> None:
    site.serve("blog.example", {"/": "<!doctype html><title>A page</title>"})
    page.goto(site.origin("blog.example"))
    page.evaluate(
        "address => { window.seen = []; const source = new EventSource(address);"
        " source.onmessage = event => seen.push(event.lastEventId + ' ' + event.data); }",
        counter.address + "/stream/blog/home",
    )
    wait_for("the first event", lambda: page.evaluate("seen.join()") == "0 0")
    counter.hit("blog", "home")
    wait_for("the next event", lambda: page.evaluate("seen.join()") == "0 0,1 1")
    assert counter.process
    counter.process.terminate()
    counter.process.wait(10)
    counter.start()
    counter.hit("blog", "home")
    wait_for("it is back", lambda: page.evaluate("seen.at(-1)") == "2 2", 15)
