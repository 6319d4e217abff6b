"""The fixtures of the browser tests: the program and sites for each, one Redis and browser for all."""

import pathlib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from servers import REPOSITORY, Counter, Redis, Site

CHROMIUM = "/usr/bin/chromium"

# Each name stands for this machine.
FLAGS = ["--host-resolver-rules=MAP * 127.0.0.1"]


@pytest.fixture(scope="session")
def redis_of_all() -> Iterator[Redis]:
    redis = Redis()
    yield redis
    redis.end()


@pytest.fixture
def redis(redis_of_all: Redis) -> Redis:
    """An empty Redis, whatever the test before has done to it."""
    if redis_of_all.process is None:
        redis_of_all.start()
    redis_of_all.resume()
    redis_of_all.command("FLUSHALL")
    return redis_of_all


@pytest.fixture
def start_counter(redis: Redis) -> Iterator[Callable[..., Counter]]:
    """Starts a counter with flags."""
    counters: list[Counter] = []

    def start(*flags: str) -> Counter:
        counters.append(Counter(redis, *flags))
        return counters[-1]

    yield start
    for counter in counters:
        counter.end()


@pytest.fixture
def counter(start_counter: Callable[..., Counter]) -> Counter:
    """A counter without flags. `restart` gives it some."""
    return start_counter()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.end()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


def launch(playwright: Playwright, *flags: str, automated: bool = False) -> Browser:
    """Starts a browser to which each name stands for 127.0.0.1, with a back-forward cache.

    Without `automated`, it tells no page that a program drives it.
    """
    arguments = [*FLAGS, *flags]
    if not automated:
        arguments.append("--disable-blink-features=AutomationControlled")
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=arguments,
        ignore_default_args=["--disable-back-forward-cache"])  # fmt: skip


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a past: no cache, no storage."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page, in which no error may go uncaught."""
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []


@pytest.fixture(scope="session")
def pictures() -> pathlib.Path:
    """The folder for pictures to look at."""
    folder = REPOSITORY / ".build/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
