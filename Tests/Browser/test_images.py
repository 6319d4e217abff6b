"""Badges and digits in the browser: where their texts stand, and what a README shows of them."""

import pathlib
import time
from collections.abc import Iterator
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Page

from camo import ImageProxy
from servers import Counter, Redis, Site, wait_for

STYLES = ["flat", "flat-square", "plastic", "for-the-badge", "social"]
THEMES = ["odometer", "flip", "led", "plain"]
LOGO = (
    "data:image/svg%2Bxml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAg"
    "MCAyNCAyNCI%2BPGNpcmNsZSBjeD0iMTIiIGN5PSIxMiIgcj0iMTAiIGZpbGw9IiNmZmIiLz48L3N2Zz4%3D"
)
LABELS = ["visits", "Visits of this page today", "iiiiiiii", "WWWWWWWW", "Привет, мир", "Αθήνα", "a&b <c>",
          "Lượt xem", "מספר המבקרים", "عدد زوار الصفحة", "ｱｲｳ", "views 👀"]  # fmt: skip

# The box of each text that is no shadow, and the boxes of the grounds, in pixels of the badge.
BOXES = """
svgs => svgs.map(svg => {
  const scale = svg.getBoundingClientRect();
  const box = element => {
    const {left, right, top, bottom} = element.getBoundingClientRect();
    return {left: left - scale.left, right: right - scale.left, top: top - scale.top,
      bottom: bottom - scale.top};
  };
  return {
    width: scale.width, height: scale.height,
    texts: [...svg.querySelectorAll('text:not([aria-hidden])')].map(box),
    grounds: [...svg.querySelectorAll('g:first-of-type > rect')]
      .filter(rect => !['url(#s)', 'url(#a)'].includes(rect.getAttribute('fill')) && rect.getAttribute('width') > 1)
      .map(box),
    logos: [...svg.querySelectorAll('image')].map(box),
  };
})
"""


@pytest.fixture
def proxy() -> Iterator[ImageProxy]:
    proxy = ImageProxy()
    yield proxy
    proxy.end()


def measured(page: Page, counter: Counter, targets: list[str]) -> list[dict]:
    """Draws images as parts of a page, and measures them."""
    images = [counter.ask("GET", target)[1] for target in targets]
    page.set_content(f"<!doctype html><body style='margin:8px'>{'<p>'.join(images)}")
    return page.eval_on_selector_all("svg", BOXES)


@pytest.mark.parametrize("style", STYLES)
def test_each_text_of_a_badge_stands_within_its_half_whatever_its_length(
    page: Page, counter: Counter, style: str
) -> None:
    counter.hit("blog", "home")
    queries = [f"label={quote_plus(label)}" for label in LABELS]
    queries += ["label=", f"logo={LOGO}&label=logo", f"logo={LOGO}&label="]
    numbers = ["base=0", "base=1233", "base=1233&abbreviated=true", "base=-9223372036854775807"]
    targets = [
        f"/get/blog/home/badge.svg?style={style}&{query}&{number}"
        for query in queries for number in numbers
    ]  # fmt: skip
    for target, drawn in zip(targets, measured(page, counter, targets), strict=True):
        texts, grounds = drawn["texts"], drawn["grounds"]
        # The grounds fill the badge to its end.
        assert abs(grounds[-1]["right"] - drawn["width"]) <= 1, target
        assert texts[-1]["left"] >= grounds[-1]["left"], target
        assert texts[-1]["right"] <= grounds[-1]["right"], target
        if len(texts) > 1:
            assert texts[0]["left"] >= grounds[0]["left"], target
            assert texts[0]["right"] <= grounds[0]["right"], target
        for logo in drawn["logos"]:
            assert logo["left"] >= 4 and logo["right"] <= texts[0]["left"], target
            assert abs(logo["top"] + logo["bottom"] - drawn["height"]) <= 1, target
        for text in texts:
            assert text["top"] >= 0 and text["bottom"] <= drawn["height"] + 1, target


def test_a_badge_is_as_wide_as_its_text_in_the_font_that_its_list_names_next(
    page: Page, counter: Counter
) -> None:
    """`textLength` stretches a text. With a font like Verdana it hardly has to."""
    counter.hit("blog", "home")
    stretched = """
    text => {
      const wanted = text.getComputedTextLength();
      text.removeAttribute('textLength');
      return wanted / text.getComputedTextLength();
    }
    """
    for style in STYLES[:4]:
        for label in ["visits", "Visits of this page today", "Привет, мир", "Lượt xem", "Việt Nam"]:
            target = f"/get/blog/home/badge.svg?style={style}&label={quote_plus(label)}"
            _, text = counter.ask("GET", target)
            page.set_content(text)
            for element in page.query_selector_all("text:not([aria-hidden])"):
                assert 0.85 < element.evaluate(stretched) < (1.35 if style == "for-the-badge" else 1.15)


def test_text_of_a_script_with_estimated_widths_is_not_stretched_and_stands_in_the_middle(
    page: Page, counter: Counter
) -> None:
    """The fonts that `make test-tools` installs have Hebrew and Arabic."""
    counter.hit("blog", "home")
    lengths = """
    text => [text, document.createElementNS(text.namespaceURI, 'text')].map((element, index) => {
      if (index == 1) {
        element.textContent = text.textContent;
        text.parentElement.append(element);
      }
      return element.getComputedTextLength();
    })
    """
    for style in STYLES:
        for label in ["שלום", "מספר המבקרים", "مرحبا", "عدد زوار الصفحة"]:
            target = f"/get/blog/home/badge.svg?style={style}&label={quote_plus(label)}"
            (drawn,) = measured(page, counter, [target])
            text, ground = drawn["texts"][0], drawn["grounds"][0]
            before, behind = text["left"] - ground["left"], ground["right"] - text["right"]
            # By the rules of shields.io, a label stands a pixel to the right of the middle.
            assert abs(before - behind) < 2.5, target
            assert 2 <= before <= 20, target
            element = page.query_selector("text:not([aria-hidden])")
            length, own = element.evaluate(lengths)
            # Hebrew in the style for-the-badge has spaces, which is no stretching.
            is_spaced = style == "for-the-badge" and label < "\u0600"
            assert abs(length - own - is_spaced * 12.5 * len(label)) < 1, target


def pixels(page: Page, selector: str) -> list[int]:
    """The colours of an image as it is drawn: red, green, blue and alpha of each pixel."""
    return page.eval_on_selector(
        selector,
        """async image => {
          await image.decode();
          const canvas = document.createElement('canvas');
          canvas.width = image.naturalWidth;
          canvas.height = image.naturalHeight;
          const context = canvas.getContext('2d');
          context.drawImage(image, 0, 0);
          return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
        }""",
    )


def brightness(values: list[int]) -> float:
    """The mean brightness of what is not transparent."""
    seen = [sum(values[at : at + 3]) / 3 for at in range(0, len(values), 4) if values[at + 3] > 200]
    return sum(seen) / len(seen)


@pytest.mark.parametrize("theme", THEMES)
def test_digits_follow_the_ground_that_the_reader_prefers(
    page: Page, counter: Counter, site: Site, theme: str
) -> None:
    counter.hit("blog", "home")
    seen = {}
    for scheme in ["auto", "light", "dark"]:
        for preferred in ["light", "dark"]:
            address = f"{counter.address}/get/blog/home/digits.svg?theme={theme}&scheme={scheme}&min=6"
            site.serve(
                "blog.example",
                {"/": f'<meta name="color-scheme" content="light dark"><img crossorigin src="{address}">'})  # fmt: skip
            page.emulate_media(color_scheme=preferred)
            page.goto(site.origin("blog.example"))
            seen[scheme, preferred] = brightness(pixels(page, "img"))
    assert seen["light", "light"] == seen["light", "dark"] == seen["auto", "light"]
    assert seen["dark", "light"] == seen["dark", "dark"] == seen["auto", "dark"]
    darker = seen["light", "light"] < seen["dark", "dark"] if theme == "plain" else (
        seen["light", "light"] > seen["dark", "dark"])  # fmt: skip
    assert darker


def test_an_image_fetched_with_cookies_or_opened_by_itself_runs_nothing(
    page: Page, counter: Counter
) -> None:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    for name in ["badge.svg?style=plastic", f"badge.svg?logo={LOGO}", "digits.svg", "badge.svg?style=social"]:
        page.goto(f"{counter.address}/hit/blog/home/{name}")
        assert page.locator("svg").get_attribute("role") == "img"
    assert messages == []


def test_a_readme_shows_a_new_number_at_each_view_and_says_when_redis_is_away(
    page: Page, counter: Counter, redis: Redis, site: Site, proxy: ImageProxy
) -> None:
    badge = f"http://127.0.0.1:{counter.port}/hit/me/repository/badge.svg?label=views"
    digits = f"http://127.0.0.1:{counter.port}/hit/me/repository/digits.svg"
    site.serve(
        "github.example",
        {
            "/readme": f'<h1>A repository</h1><p><img id=badge src="{proxy.address(badge)}" alt=views></p>'
            f'<p><img id=digits src="{proxy.address(digits)}" alt=views></p>'
        },
    )

    def load() -> None:
        page.goto(site.origin("github.example") + "/readme")
        for name in ["badge", "digits"]:
            wait_for(
                name, lambda: page.eval_on_selector(f"#{name}", "image => image.naturalWidth > 1"))  # fmt: skip

    load()
    assert counter.number("me", "repository") == 2
    load()
    assert counter.number("me", "repository") == 4
    assert proxy.kept == {}
    assert all("Cookie" not in fields and "Referer" not in fields for fields in proxy.sent)

    redis.pause()
    start = time.monotonic()
    status, kind, content = proxy.fetch(badge)
    assert time.monotonic() - start < 4
    assert (status, kind) == (200, "image/svg+xml; charset=utf-8")
    assert b"<title>views: unavailable. Redis does not answer in time. Please try again.</title>" in content
    redis.resume()
    wait_for("Redis is back", lambda: b">views: " in proxy.fetch(badge)[2])
    wait_for("it counts again", lambda: b"unavailable" not in proxy.fetch(badge)[2])

    redis.stop()
    status, _, content = proxy.fetch(badge)
    assert status == 200 and b"unavailable" in content
    absent = badge.replace("/hit/", "/get/").replace("repository", "nobody")
    assert proxy.fetch(absent)[0] == 200


def test_pictures_of_all_styles_and_themes_for_the_documentation(
    browser: Browser, counter: Counter, pictures: pathlib.Path
) -> None:
    """Each picture has a row for light and for dark ground. They are copied to docs/images by hand."""
    context = browser.new_context(viewport={"width": 800, "height": 200}, device_scale_factor=2)
    page = context.new_page()
    for _ in range(3):
        counter.hit("blog", "home")
    address = f"{counter.address}/get/blog/home"

    def row(images: list[str], ground: str, scheme: str) -> str:
        shown = " ".join(f'<img src="{image}">' for image in images)
        return (
            f'<div style="background:{ground};color-scheme:{scheme};padding:8px 10px;display:flex;'
            f'gap:10px;align-items:center">{shown}</div>'
        )

    sets = {
        "badges": lambda scheme: [
            f"{address}/badge.svg?label=visits&base=12342&style={style}" for style in STYLES
        ],
        "badge-options": lambda scheme: [
            f"{address}/badge.svg?{query}"
            for query in ["label=visits&color=blue", "label=&color=orange", f"label=visits&logo={LOGO}",
                          "label=seen&labelColor=navy&color=gold", "label=visits&base=12342&abbreviated=true"]
        ] + [f"{counter.address}/get/blog/nobody/badge.svg"],
        "digits": lambda scheme: [
            f"{address}/digits.svg?theme={theme}&scheme={scheme}&min=6&base=12342" for theme in THEMES
        ],
    }  # fmt: skip
    for name, images in sets.items():
        page.set_content(
            '<body style="margin:0"><div id="all" style="display:inline-block">'
            + row(images("light"), "#fff", "light") + row(images("dark"), "#0d1117", "dark") + "</div>")  # fmt: skip
        for image in page.query_selector_all("img"):
            image.evaluate("image => image.decode()")
        page.locator("#all").screenshot(path=pictures / f"{name}.png")
        assert (pictures / f"{name}.png").stat().st_size > 1000
    context.close()
