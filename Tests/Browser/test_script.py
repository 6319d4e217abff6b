"""counter.js on the pages of others: what it counts, and what it shows."""

import json
import pathlib
import subprocess
import time
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, expect

from conftest import CHROMIUM, FLAGS, launch
from servers import LIMIT, Counter, Redis, Site, wait_for

BLOG = "blog.example"
ELEMENTS = '<p><visit-counter id="page"></visit-counter> of <visit-counter id="site" what="site"></visit-counter>'


class Blog:
    """A site whose pages have the script, and the numbers of its counters."""

    def __init__(self, counter: Counter, site: Site) -> None:
        self.counter, self.site = counter, site

    def html(self, body: str = ELEMENTS, attributes: str = 'data-namespace="blog"') -> str:
        script = f'<script async src="{self.counter.address}/counter.js" {attributes}></script>'
        return f"<!doctype html><html lang=en><title>A page</title>{script}<body>{body}"

    def serve(
        self, *paths: str, body: str = ELEMENTS, attributes: str = 'data-namespace="blog"'
    ) -> None:
        self.site.serve(BLOG, {path: self.html(body, attributes) for path in paths})

    def url(self, path: str = "/", host: str = BLOG) -> str:
        return self.site.origin(host) + path

    def number(self, key: str) -> int:
        return self.counter.number("blog", key)

    @property
    def numbers(self) -> dict[str, int]:
        """All counters of the namespace."""
        fields = {"Authorization": "Bearer token-0123456789"}
        listed = json.loads(self.counter.ask("GET", "/counters/blog", fields)[1])
        return {each["key"]: each["value"] for each in listed["counters"]}


@pytest.fixture
def blog(
    start_counter: Callable[..., Counter], site: Site, monkeypatch: pytest.MonkeyPatch
) -> Blog:
    monkeypatch.setenv("ADMIN_TOKEN", "token-0123456789")
    return Blog(start_counter(), site)


def expect_numbers(page: Page, own: int, all: int) -> None:
    expect(page.locator("#page")).to_have_text(str(own))
    expect(page.locator("#site")).to_have_text(str(all))


def messages(page: Page) -> list[str]:
    """What the page writes to the console from now on."""
    texts: list[str] = []
    page.on("console", lambda message: texts.append(message.text))
    return texts


def wait_in(page: Page, what: str, is_there: Callable[[], object]) -> None:
    """Waits until a condition holds, while the page goes on."""
    deadline = time.monotonic() + LIMIT
    while not is_there():
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(20)


# MARK: - Counting


def test_a_page_is_counted_once_a_view_and_shows_its_number_and_that_of_the_site(
    page: Page, blog: Blog
) -> None:
    blog.serve("/", "/about")
    for path, own, all in [("/", 1, 1), ("/about", 1, 2), ("/", 2, 3)]:
        page.goto(blog.url(path))
        expect_numbers(page, own, all)
        assert (blog.number(path), blog.number("site")) == (own, all)
    assert blog.numbers == {"/": 2, "/about": 1, "site": 3}


@pytest.mark.parametrize(
    "key, addresses",
    {
        "/": ["/", "/index.html", "//", "/?a=b", "/#c", "/index.php?a=b#c"],
        "/posts": ["/posts", "/posts/", "/posts//", "/posts/index.html", "/posts/INDEX.HTM", "/posts?p=1"],
        "/posts/index.xml": ["/posts/index.xml"],
        "/Posts": ["/Posts"],
        "/café": ["/café", "/caf%C3%A9", "/cafe%CC%81", "/c%61f%c3%a9/"],
        "/a b+c": ["/a%20b+c", "/a b%2Bc"][:1],
        "/a%2Fb": ["/a%2fb", "/a%2Fb"],
        "/50%": ["/50%25"],
        # A % stands for itself unless it would look like the beginning of an encoding.
        "/50%off": ["/50%25off", "/50%25%6Fff", "/50%off"],
        "/a%252fb": ["/a%252fb", "/a%25%32fb"],
        "/a%25252Fb": ["/a%25252Fb"],
        "/%%25FF%2F": ["/%25%25FF%2f"],
        "/%ábc": ["/%25%C3%A1bc", "/%25a%CC%81bc"],
        "/%FF": ["/%ff", "/%FF"],
        "/%FF/50%25": ["/%ff/50%25"],
        "/c": ["/a/../c", "/a/%2e%2E/c", "/./c"],
    }.items(),
)  # fmt: skip
def test_the_key_of_a_page_is_its_normalized_path(
    page: Page, blog: Blog, key: str, addresses: list[str]
) -> None:
    blog.site.anything = blog.html()
    for index, address in enumerate(addresses):
        page.goto("about:blank")
        page.goto(blog.url(address))
        expect_numbers(page, index + 1, index + 1)
    assert blog.numbers == {key: len(addresses), "site": len(addresses)}


def test_a_long_path_becomes_its_beginning_and_a_hash(page: Page, blog: Blog) -> None:
    blog.site.anything = blog.html()
    long = "/" + "é" * 80
    paths = ["/" + "x" * 127, "/" + "x" * 128, "/" + "x" * 200 + "a", "/" + "x" * 200 + "b", long]
    for path in paths:
        page.goto(blog.url(path))
        expect(page.locator("#page")).to_have_text("1")

    def key(path: str) -> str:
        """As docs/embed.md describes it."""
        content = path.encode()
        if len(content) <= 128:
            return path
        hash = 0
        for byte in content:
            hash = (hash * 131 + byte) % (2**45 - 55)
        digits = ""
        while hash:
            hash, digit = divmod(hash, 36)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        return content[:118].decode(errors="ignore") + "~" + digits

    assert blog.numbers == {key(path): 1 for path in paths} | {"site": len(paths)}


def test_the_key_of_the_tag_is_that_of_the_page(page: Page, blog: Blog) -> None:
    blog.serve("/a", "/b", attributes='data-namespace="blog" data-key="the letter"')
    page.goto(blog.url("/a"))
    expect_numbers(page, 1, 1)
    page.goto(blog.url("/b"))
    expect_numbers(page, 2, 2)
    page.evaluate("history.pushState(null, '', '/c')")
    page.wait_for_timeout(200)
    assert blog.numbers == {"the letter": 2, "site": 2}


def test_history_changes_to_another_path_are_views_of_that_page(page: Page, blog: Blog) -> None:
    blog.serve("/", "/two")
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    page.evaluate("history.pushState(null, '', '/two')")
    expect_numbers(page, 1, 2)
    page.evaluate("history.pushState(null, '', '/two/?page=2#end')")
    page.evaluate("history.replaceState({a: 1}, '')")
    page.evaluate("location.hash = 'start'")
    page.wait_for_timeout(200)
    assert blog.numbers == {"/": 1, "/two": 1, "site": 2}
    page.evaluate("history.replaceState(null, '', '/three')")
    expect_numbers(page, 1, 3)
    # A detour within one task is none.
    page.evaluate("history.pushState(null, '', '/login'); history.replaceState(null, '', '/four')")
    expect_numbers(page, 1, 4)
    page.evaluate("history.go(-4)")
    expect_numbers(page, 2, 5)
    assert blog.numbers == {"/": 2, "/two": 1, "/three": 1, "/four": 1, "site": 5}
    assert page.evaluate("history.pushState.length + history.length") > 0


def test_a_page_that_the_browser_restores_is_not_counted_again(page: Page, blog: Blog) -> None:
    blog.serve("/", "/two", body=ELEMENTS + "<script src=/restored.js></script>")
    script = "addEventListener('pageshow', event => { window.isRestored = event.persisted })"
    blog.site.serve(BLOG, {"/restored.js": ({"Content-Type": "text/javascript"}, script)})
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    page.goto(blog.url("/two"))
    expect_numbers(page, 1, 2)
    page.evaluate("history.back()")
    page.wait_for_function("location.pathname == '/' && window.isRestored")
    expect_numbers(page, 1, 1)
    page.evaluate("history.forward()")
    page.wait_for_function("location.pathname == '/two' && window.isRestored")
    page.wait_for_timeout(200)
    assert blog.numbers == {"/": 1, "/two": 1, "site": 2}


def test_a_page_that_has_the_script_twice_is_counted_once(page: Page, blog: Blog) -> None:
    script = (
        f'<script async src="{blog.counter.address}/counter.js" data-namespace="blog"></script>'
    )
    blog.serve("/", body=ELEMENTS + script + script.replace("async", "defer"))
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    # A framework runs the scripts of a page anew.
    page.evaluate(
        """address => {
            const tag = document.createElement("script");
            tag.src = address;
            tag.dataset.namespace = "blog";
            document.body.append(tag);
            return new Promise((resolve) => (tag.onload = resolve));
        }""",
        f"{blog.counter.address}/counter.js?again",
    )
    page.wait_for_timeout(200)
    assert blog.numbers == {"/": 1, "site": 1}


@pytest.mark.parametrize("element", ["form", "img", "a"])
def test_no_element_of_the_page_is_taken_for_the_script(
    page: Page, blog: Blog, element: str
) -> None:
    # Browsers make elements with a name properties of the document, and those with an id of the window.
    names = ["counter", "counter.js", "history", "page", "tag", "view"]
    body = "".join(f'<{element} name="{name}" id="{name}"></{element}>' for name in names)
    blog.serve("/", body=body.replace("id=\"page\"", "") + ELEMENTS)
    page.goto(blog.url())
    expect_numbers(page, 1, 1)


# MARK: - What is not counted


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "127.0.0.1"])
def test_a_local_page_is_not_counted_and_shows_the_numbers(
    page: Page, blog: Blog, host: str
) -> None:
    blog.counter.hit("blog", "site")
    blog.site.serve(host, {"/": blog.html()})
    said = messages(page)
    page.goto(blog.url(host=host))
    expect_numbers(page, 0, 1)
    assert said == ["counter.js: not counted: local"]
    blog.site.serve(host, {"/": blog.html(attributes='data-namespace="blog" data-count="always"')})
    page.goto(blog.url(host=host))
    expect_numbers(page, 1, 2)


def test_a_file_is_not_counted(page: Page, blog: Blog, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(blog.html())
    page.goto(path.as_uri())
    expect_numbers(page, 0, 0)
    assert blog.numbers == {}


def test_an_automated_browser_is_not_counted(playwright: Playwright, blog: Blog) -> None:
    blog.serve("/")
    blog.serve("/always", attributes='data-namespace="blog" data-count="always"')
    browser = launch(playwright, automated=True)
    try:
        page = browser.new_page()
        said = messages(page)
        page.goto(blog.url())
        expect_numbers(page, 0, 0)
        assert said == ["counter.js: not counted: automated"]
        page.goto(blog.url("/always"))
        expect_numbers(page, 1, 1)
    finally:
        browser.close()


def test_a_page_can_be_read_only(page: Page, blog: Blog) -> None:
    blog.counter.hit("blog", "/")
    body = ELEMENTS + '<visit-counter id="other" key="other" mode="hit"></visit-counter>'
    blog.serve("/", body=body, attributes='data-namespace="blog" data-count="never"')
    page.goto(blog.url())
    expect_numbers(page, 1, 0)
    expect(page.locator("#other")).to_have_text("0")


def test_a_browser_can_switch_counting_off_for_itself(page: Page, blog: Blog) -> None:
    blog.serve("/", "/two")
    said: list[str] = []

    def close(dialog) -> None:
        said.append(dialog.message)
        dialog.accept()

    page.on("dialog", close)
    page.goto(blog.url("/#count=off"))
    expect_numbers(page, 0, 0)
    assert said == ["This browser is not counted here."]
    page.goto(blog.url("/two"))
    expect_numbers(page, 0, 0)
    page.evaluate("history.pushState(null, '', '/three')")
    page.wait_for_timeout(200)
    assert (len(said), blog.numbers) == (1, {})
    page.evaluate("location.hash = 'count=on'")
    wait_in(page, "the dialog", lambda: said[1:] == ["This browser is counted here."])
    page.goto(blog.url("/two"))
    expect_numbers(page, 1, 1)


def test_the_browser_says_once_that_it_is_not_counted(page: Page, blog: Blog) -> None:
    blog.serve("/")
    said: list[str] = []

    def close(dialog) -> None:
        said.append(dialog.message)
        dialog.accept()

    page.on("dialog", close)
    page.goto(blog.url("/#count=off"))
    wait_in(page, "the dialog", lambda: len(said) == 1)
    # An application keeps its state in the history, and the visitor goes back and forward.
    page.evaluate("history.replaceState({a: 1}, '')")
    page.evaluate("history.pushState({a: 2}, '', '/two#count=off')")
    page.evaluate("history.back()")
    page.wait_for_function("history.state?.a == 1")
    page.wait_for_timeout(200)
    assert len(said) == 1
    # When the address comes to have it again, it is said again.
    page.evaluate("location.hash = ''")
    page.evaluate("location.hash = 'count=off'")
    wait_in(page, "the second dialog", lambda: len(said) == 2)
    page.evaluate("history.replaceState(null, '', '#count=on')")
    wait_in(page, "the third dialog", lambda: len(said) == 3)
    page.wait_for_timeout(200)
    off = "This browser is not counted here."
    assert said == [off, off, "This browser is counted here."]


def test_a_namespace_that_is_none_is_refused_with_the_rule(page: Page, blog: Blog) -> None:
    blog.serve("/", attributes='data-namespace="blog/a?b"')
    said = messages(page)
    page.goto(blog.url())
    rule = "A namespace is made of"
    wait_in(page, "the rule, twice", lambda: len([text for text in said if rule in text]) == 2)
    assert blog.numbers == {}


def test_a_page_without_a_namespace_says_what_is_missing(
    context: BrowserContext, blog: Blog
) -> None:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    blog.serve("/", attributes="")
    page.goto(blog.url())
    wait_in(page, "the error", lambda: errors)
    assert all("data-namespace is missing" in error for error in errors)


# MARK: - Pages that the browser prepares


def test_a_prerendered_page_is_counted_when_it_is_shown(blog: Blog, tmp_path: pathlib.Path) -> None:
    rules = '{"prerender": [{"urls": ["/next"], "eagerness": "immediate"}]}'
    go = """<script>
        setInterval(async () => { if ((await fetch("/go")).ok) location.href = "/next" }, 100)
    </script>"""
    tell = """<script>
        document.addEventListener("prerenderingchange", () => fetch("/shown"));
    </script>"""
    blog.serve("/", body=f'<script type="speculationrules">{rules}</script>{go}')
    blog.serve("/next", body=tell)

    def was_asked(path: str) -> bool:
        return (BLOG, path) in blog.site.requests

    # A program that drives the browser by its protocol keeps it from prerendering. So this one runs by itself.
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", f"--user-data-dir={tmp_path}", *FLAGS,
        f"--unsafely-treat-insecure-origin-as-secure={blog.url('')}", blog.url()]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            wait_for("prerendering", lambda: was_asked("/next") and blog.number("site") == 1)
            time.sleep(0.5)
            assert blog.numbers == {"/": 1, "site": 1}
            blog.site.serve(BLOG, {"/go": ""})
            wait_for("the page is shown", lambda: was_asked("/shown"))
            wait_for("it is counted", lambda: blog.number("/next") == 1)
        finally:
            browser.terminate()
    assert blog.numbers == {"/": 1, "/next": 1, "site": 2}
    assert blog.site.requests.count((BLOG, "/next")) == 1


# MARK: - Elements


def test_elements_show_other_counters_in_several_formats(page: Page, blog: Blog) -> None:
    token = {"Authorization": "Bearer token-0123456789"}
    blog.counter.ask("PUT", "/counters/blog/big?value=1234567", token)
    blog.counter.ask("PUT", "/counters/blog/huge?value=9223372036854775807", token)
    blog.counter.ask("PUT", "/counters/blog/less?value=-5", token)
    elements = {
        "plain": 'key="big"', "data": 'data-key="big"', "named": 'key="big" format="plain"',
        "grouped": 'key="big" format="grouped"', "short": 'key="big" format="abbreviated"',
        "german": 'key="big" format="grouped" lang="de"', "wrong": 'key="big" format="grouped" lang="zh_CN"',
        "unknown": 'key="big" format="roman"', "huge": 'key="huge" format="grouped"', "less": 'key="less"',
        "absent": 'key="absent"', "proto": 'key="__proto__"', "counted": 'key="counted" mode="hit"',
    }  # fmt: skip
    body = "".join(
        f'<p><visit-counter id="{id}" {text}></visit-counter>' for id, text in elements.items()
    )
    blog.serve("/", body=body)
    page.goto(blog.url())
    expected = {
        "plain": "1234567", "data": "1234567", "named": "1234567", "grouped": "1,234,567", "short": "1.2M",
        "german": "1.234.567", "wrong": "1234567", "unknown": "1234567", "huge": "9,223,372,036,854,775,807",
        "less": "-5", "absent": "0", "proto": "0", "counted": "1",
    }  # fmt: skip
    for id, text in expected.items():
        expect(page.locator(f"#{id}")).to_have_text(text)
    assert blog.number("counted") == 1
    assert blog.number("absent") == 0


def test_a_number_is_what_get_says(page: Page, blog: Blog) -> None:
    for _ in range(41):
        blog.counter.hit("blog", "/posts/a")
    blog.serve("/", body='<visit-counter id="a" key="/posts/a"></visit-counter>' + ELEMENTS)
    page.goto(blog.url())
    expect(page.locator("#a")).to_have_text(str(blog.number("/posts/a")))
    expect_numbers(page, blog.number("/"), blog.number("site"))
    assert blog.number("/posts/a") == 41


def test_many_counters_are_read_with_few_requests(page: Page, blog: Blog) -> None:
    for index in range(40):
        blog.counter.hit("blog", f"/posts/{index % 20}")
    body = "".join(
        f'<visit-counter class="{index}" key="/posts/{index}"></visit-counter> '
        for index in range(40)
    )
    blog.serve("/", body=body)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(blog.url())
    for index in range(40):
        expect(page.locator(f'[class="{index}"]')).to_have_text("2" if index < 20 else "0")
    assert 3 <= len([url for url in requests if "/get/" in url]) <= 6


def test_elements_that_come_later_are_filled_too(page: Page, blog: Blog) -> None:
    blog.counter.hit("blog", "other")
    blog.serve("/")
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    page.evaluate(
        """() => {
            const element = document.createElement("visit-counter");
            element.id = "later";
            element.setAttribute("key", "other");
            document.body.append(element);
            document.body.insertAdjacentHTML("beforeend", "<i id=busuanzi_value_page_pv></i>");
        }"""
    )
    expect(page.locator("#later")).to_have_text("1")
    expect(page.locator("#busuanzi_value_page_pv")).to_have_text("1")
    # So are those whose attributes change.
    page.evaluate("document.querySelector('#later').setAttribute('key', 'nobody')")
    expect(page.locator("#later")).to_have_text("0")
    page.evaluate("document.querySelector('#page').setAttribute('what', 'site')")
    page.evaluate("document.querySelector('#later').removeAttribute('key')")
    expect(page.locator("#later")).to_have_text("1")
    assert blog.numbers == {"/": 1, "site": 1, "other": 1}


@pytest.mark.parametrize(
    "name, value, before, after",
    [
        ("key", "many", "1", "1234"), ("data-key", "many", "1", "1234"), ("what", "site", "1", "7"),
        ("format", "grouped", "1234", "1,234"), ("mode", "hit", "1234", "1235"),
    ],
)  # fmt: skip
def test_an_element_whose_attribute_changes_is_filled_anew(
    page: Page, blog: Blog, name: str, value: str, before: str, after: str
) -> None:
    token = {"Authorization": "Bearer token-0123456789"}
    blog.counter.ask("PUT", "/counters/blog/many?value=1234", token)
    blog.counter.ask("PUT", "/counters/blog/site?value=6", token)
    attribute = 'data-key="many"' if before == "1234" else ""
    blog.serve("/", body=f'<visit-counter id="it" {attribute}></visit-counter>')
    page.goto(blog.url())
    expect(page.locator("#it")).to_have_text(before)
    # The change is noticed by itself: nothing else on the page changes any more.
    page.wait_for_timeout(200)
    page.evaluate("([name, value]) => it.setAttribute(name, value)", [name, value])
    expect(page.locator("#it")).to_have_text(after)
    page.evaluate("name => it.removeAttribute(name)", name)
    # A counter that was hit in this view keeps that number.
    expect(page.locator("#it")).to_have_text(after if name == "mode" else before)
    assert blog.number("many") == (1235 if name == "mode" else 1234)


def test_an_element_that_is_read_shows_the_visit_that_another_one_counts(
    page: Page, blog: Blog
) -> None:
    blog.counter.hit("blog", "downloads")
    body = """<visit-counter id="read" key="downloads"></visit-counter>
        <visit-counter id="hit" key="downloads" mode="hit"></visit-counter>"""
    blog.serve("/", body=body)
    page.goto(blog.url())
    expect(page.locator("#hit")).to_have_text("2")
    expect(page.locator("#read")).to_have_text("2")
    assert blog.number("downloads") == 2


def test_the_number_of_the_site_is_shown_only_where_it_is_asked_for(page: Page, blog: Blog) -> None:
    blog.counter.hit("blog", "site")
    elements = ['id="website-views"', 'what="website"', 'what="Site"', 'id="site"', 'id="my_value_site_pv"']
    body = "".join(f"<p><visit-counter {text}></visit-counter>" for text in elements)
    body += """<span id="my_container_page_pv" style="display:none"></span>
        <b id="my_value_page_pv">–</b><i id="a_busuanzi_value_site_pv">–</i>
        <u id="busuanzi_value_site_pv"></u>"""
    blog.serve("/", body=body)
    page.goto(blog.url())
    expect(page.locator("u")).to_have_text("2")
    expect(page.locator("visit-counter")).to_have_text(["1"] * len(elements))
    expect(page.locator("b, i")).to_have_text(["–", "–"])
    expect(page.locator("#my_container_page_pv")).to_be_hidden()


@pytest.mark.parametrize("theme", ["busuanzi", "vercount"])
def test_the_elements_of_themes_are_filled_and_shown(page: Page, blog: Blog, theme: str) -> None:
    body = "".join(
        f'<span id="{theme}_container_{what}" style="display:none">'
        f'{what} <span id="{theme}_value_{what}"></span></span>'
        for what in ("page_pv", "site_pv", "site_uv")
    )
    blog.counter.hit("blog", "site")
    blog.serve("/", body=body)
    page.goto(blog.url())
    expect(page.locator(f"#{theme}_container_page_pv")).to_have_text("page_pv 1")
    expect(page.locator(f"#{theme}_container_site_pv")).to_have_text("site_pv 2")
    expect(page.locator(f"#{theme}_container_page_pv")).to_be_visible()
    expect(page.locator(f"#{theme}_container_site_pv")).to_be_visible()
    # Visitors are not counted.
    expect(page.locator(f"#{theme}_container_site_uv")).to_be_hidden()


# MARK: - Keys that are refused


def keyed(*keys: str) -> str:
    """Elements that show a counter each."""
    return "".join(f'<visit-counter key="{key}">–</visit-counter> ' for key in keys)


def reads_of(page: Page) -> list[str]:
    """The addresses of the requests that read numbers from now on."""
    addresses: list[str] = []

    def add(request: Request) -> None:
        if "/get/" in request.url:
            addresses.append(request.url)

    page.on("request", add)
    return addresses


@pytest.mark.parametrize("key", ["", "x" * 129, "é" * 65, "a\tb", "../a", "x" * 100_000, "text"])
def test_a_key_that_is_refused_takes_no_number_from_the_others(
    page: Page, blog: Blog, redis: Redis, key: str
) -> None:
    for name in ("a", "b", "text"):
        blog.counter.hit("blog", name)
    # Something else has written words where the number of this counter stands.
    spoil = "redis.call('SET', redis.call('KEYS', '*blog/text')[1], 'words')"
    redis.command(f'EVAL "{spoil}" 0')
    assert blog.counter.ask("GET", "/get/blog/text")[0] == 409
    blog.serve("/", body=ELEMENTS + keyed("a", key, "b", "absent"))
    reads = reads_of(page)
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    expect(page.locator("[key]")).to_have_text(["1", "–", "1", "0"])
    # An empty key is not asked for. After a batch that was refused, each key is, once.
    page.evaluate("document.body.append('more')")
    page.wait_for_timeout(200)
    assert len(reads) == (1 if key == "" else 5)
    # The element shows another counter when it is told to.
    page.evaluate("document.querySelectorAll('[key]')[1].setAttribute('key', 'b')")
    expect(page.locator("[key]")).to_have_text(["1", "1", "1", "0"])


def test_a_batch_that_is_refused_is_asked_for_with_one_request_for_each_key(
    page: Page, blog: Blog
) -> None:
    for index in range(40):
        blog.counter.hit("blog", str(index))
    blog.serve("/", body=keyed("x" * 129, *map(str, range(40))))
    reads = reads_of(page)
    page.goto(blog.url())
    expect(page.locator("[key]")).to_have_text(["–"] + ["1"] * 40)
    # Of the batches of 16, 16 and 9 keys, the first one was refused.
    assert len(reads) == 3 + 16


def test_a_number_that_could_not_be_read_is_asked_for_again_when_an_element_changes(
    page: Page, blog: Blog
) -> None:
    blog.counter.hit("blog", "a")
    blog.counter.hit("blog", "b")
    blog.counter.hit("blog", "b")
    blog.serve("/", body=ELEMENTS + keyed("a", "b", "c"))
    reads = reads_of(page)
    fields = {"Access-Control-Allow-Origin": "*"}
    page.route(
        "**/get/**", lambda route: route.fulfill(status=503, body="Redis is away", headers=fields)
    )
    said = messages(page)
    page.goto(blog.url())
    wait_in(page, "three failures", lambda: said.count("counter.js: Redis is away") == 3)
    # The server is not asked more while it is away: neither for each key, nor when the page changes.
    page.evaluate("document.body.append('more')")
    page.wait_for_timeout(200)
    assert len(reads) == 1
    page.unroute("**/get/**")
    page.evaluate("document.querySelectorAll('[key]')[1].setAttribute('key', 'a')")
    expect(page.locator("[key]")).to_have_text(["–", "1", "–"])
    page.evaluate("document.querySelectorAll('[key]')[1].setAttribute('key', 'b')")
    expect(page.locator("[key]")).to_have_text(["–", "2", "–"])
    assert len(reads) == 3


# MARK: - The server away


def test_a_page_keeps_working_when_the_server_is_away(page: Page, blog: Blog) -> None:
    blog.serve("/", "/two", body=ELEMENTS.replace("></v", ">–</v"))
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    blog.counter.stop()
    said = messages(page)
    # The script comes from the browser's cache. The page shows what this tab was told last.
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    page.goto(blog.url("/two"))
    expect(page.locator("#site")).to_have_text("1")
    expect(page.locator("#page")).to_have_text("–")
    assert [text for text in said if "counter.js" in text and "Failed to fetch" in text]
    blog.counter.start()
    page.goto(blog.url("/two"))
    expect_numbers(page, 1, 2)


def test_a_page_keeps_working_when_redis_is_away(page: Page, blog: Blog, redis: Redis) -> None:
    blog.counter.restart("--visit-timeout", "0.3")
    blog.serve("/", "/two", body=ELEMENTS.replace("></v", ">–</v"))
    redis.pause()
    said = messages(page)
    page.goto(blog.url())
    wait_in(page, "the reason", lambda: any("Redis does not answer" in text for text in said))
    expect(page.locator("#page")).to_have_text("–")
    redis.resume()
    page.goto(blog.url("/two"))
    expect(page.locator("#page")).to_have_text("1")


def test_an_application_keeps_working_when_the_browser_is_offline(
    page: Page, context: BrowserContext, blog: Blog
) -> None:
    blog.serve("/")
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    context.set_offline(True)
    said = messages(page)
    page.evaluate("history.pushState(null, '', '/two')")
    wait_in(page, "two failures", lambda: len([text for text in said if "counter.js" in text]) == 2)
    expect_numbers(page, 1, 1)
    context.set_offline(False)
    page.evaluate("history.pushState(null, '', '/three')")
    expect_numbers(page, 1, 2)
    assert blog.numbers == {"/": 1, "/three": 1, "site": 2}


# MARK: - Privacy and security


def test_a_strict_policy_is_not_violated(page: Page, blog: Blog) -> None:
    address = blog.counter.address
    policy = f"default-src 'none'; script-src {address}; connect-src {address}; require-trusted-types-for 'script'"
    body = (
        ELEMENTS
        + "<span id=busuanzi_container_page_pv hidden><b id=busuanzi_value_page_pv></b></span>"
    )
    blog.site.serve(BLOG, {"/": ({"Content-Security-Policy": policy}, blog.html(body))})
    page.add_init_script(
        "window.violations = []; addEventListener('securitypolicyviolation', event =>"
        " violations.push(event.violatedDirective + ' ' + event.blockedURI), true)"
    )
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(blog.url("/#count=on"))
    expect_numbers(page, 1, 1)
    assert page.evaluate("violations") == []
    # The policy is in force.
    page.evaluate("document.body.append(Object.assign(new Image(), {src: '/picture'}))")
    page.wait_for_function("violations.length == 1")


def test_requests_are_simple_and_tell_only_the_key(page: Page, blog: Blog) -> None:
    blog.counter.restart("--access-log")
    blog.serve("/a", body=ELEMENTS + '<visit-counter key="b"></visit-counter>')
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    page.goto(blog.url("/a?secret=1#secret"))
    expect_numbers(page, 1, 1)
    expect(page.locator("[key=b]")).to_have_text("0")
    asked = [each for each in requests if each.url.startswith(blog.counter.address)]
    path = blog.counter.address
    assert sorted((each.method, each.url.removeprefix(path)) for each in asked) == [
        ("GET", "/counter.js"), ("GET", "/get/blog?key=b&key=b"),
        ("POST", "/hit/blog?key=%2Fa"), ("POST", "/hit/blog?key=site"),
    ]  # fmt: skip
    for each in asked[1:]:
        fields = each.all_headers()
        assert "cookie" not in fields and "referer" not in fields
        assert fields["origin"] == blog.site.origin(BLOG)
    # The browser does not ask before it sends them.
    wait_for("the log", lambda: blog.counter.log.count(' HTTP/1.1" 200 ') >= 4)
    assert "OPTIONS" not in blog.counter.log
    # It would ask before others.
    other = "address => fetch(address, {headers: {'X-Other': '1'}}).catch(() => 0)"
    page.evaluate(other, f"{blog.counter.address}/get/blog?key=b&key=b")
    question = '"OPTIONS /get/blog?key=b&key=b HTTP/1.1"'
    wait_for("the question in the log", lambda: question in blog.counter.log)


def test_no_cookie_is_set_and_only_the_numbers_are_kept_in_the_tab(
    page: Page, context: BrowserContext, blog: Blog
) -> None:
    blog.serve("/")
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    assert context.cookies() == []
    assert page.evaluate("Object.entries(localStorage)") == []
    kept = {"counter.js blog//": "1", "counter.js blog/site": "1"}
    assert page.evaluate("Object.fromEntries(Object.entries(sessionStorage))") == kept


def test_a_browser_that_keeps_nothing_is_counted_all_the_same(page: Page, blog: Blog) -> None:
    blog.serve("/")
    for name in ("localStorage", "sessionStorage"):
        page.add_init_script(
            f"Object.defineProperty(window, '{name}', {{get() {{ throw new DOMException('no') }}}})"
        )
    page.goto(blog.url())
    expect_numbers(page, 1, 1)


def test_a_login_page_is_not_taken_for_a_number(page: Page, blog: Blog) -> None:
    blog.serve("/", body=ELEMENTS.replace("></v", ">–</v"))
    page.route(
        "**/hit/**",
        lambda route: route.fulfill(
            body="<html>Sign in", headers={"Access-Control-Allow-Origin": "*"}
        ),
    )
    said = messages(page)
    page.goto(blog.url())
    wait_in(page, "the reason, twice", lambda: said.count("counter.js: no number") == 2)
    expect(page.locator("#page")).to_have_text("–")


# MARK: - Origins


def test_only_pages_of_the_listed_origins_count(page: Page, blog: Blog) -> None:
    blog.counter.restart("--origins", f"blog={blog.site.origin(BLOG)},shop=https://shop.example")
    blog.serve("/")
    blog.site.serve("copy.example", {"/": blog.html()})
    page.goto(blog.url())
    expect_numbers(page, 1, 1)
    said = messages(page)
    page.goto(blog.url(host="copy.example"))
    refused = "This page's origin may not count in this namespace."
    wait_in(page, "the refusals", lambda: len([text for text in said if refused in text]) == 2)
    assert blog.numbers == {"/": 1, "site": 1}
    # Reading is free, and a program that is no browser counts.
    read = blog.html(attributes='data-namespace="blog" data-count="never"')
    blog.site.serve("copy.example", {"/": read})
    page.goto(blog.url(host="copy.example"))
    expect_numbers(page, 1, 1)
    assert blog.counter.hit("blog", "/") == 2


# MARK: - The picture of docs/embed.md


def test_a_picture_of_a_page_with_its_numbers(
    browser: Browser, blog: Blog, pictures: pathlib.Path
) -> None:
    posts = {
        "/posts/first": ("The first winter", 1204),
        "/posts/second": ("Rust on the stove", 387),
    }
    token = {"Authorization": "Bearer token-0123456789"}
    numbers = {path: number for path, (_, number) in posts.items()} | {"/": 4710, "site": 1234566}
    for path, number in numbers.items():
        blog.counter.ask(
            "PUT", f"/counters/blog?{urlencode({'key': path, 'value': number})}", token
        )
    items = "".join(
        f'<li><a href="{path}">{title}</a><visit-counter key="{path}" format="grouped"></visit-counter>'
        for path, (title, _) in posts.items()
    )
    style = """
        body { font: 20px/1.5 "DejaVu Sans", sans-serif; margin: 0; padding: 28px 36px; color: #1c2733 }
        h1 { font-size: 30px; margin: 0 0 12px } ul { padding: 0; margin: 0 0 24px; list-style: none }
        li { display: flex; justify-content: space-between; padding: 8px 0; border-bottom: 1px solid #d9e0e7 }
        a { color: #0a5fa8; text-decoration: none } li visit-counter { color: #5b6b7a }
        footer { font-size: 16px; color: #5b6b7a } footer visit-counter { color: #1c2733; font-weight: bold }
    """
    body = f"""<style>{style}</style><h1>Notes from the hut</h1><ul>{items}</ul>
        <footer>This page was read <visit-counter id="page" format="grouped"></visit-counter> times,
        all pages <visit-counter id="site" what="site" format="abbreviated"></visit-counter> times.</footer>"""
    blog.serve("/", body=body)
    page = browser.new_page(viewport={"width": 720, "height": 10}, device_scale_factor=1.5)
    page.goto(blog.url())
    expect(page.locator("#page")).to_have_text("4,711")
    expect(page.locator("#site")).to_have_text("1.2M")
    expect(page.locator("li").first).to_contain_text("1,204")
    page.screenshot(path=pictures / "script.png", full_page=True)
    page.context.close()
