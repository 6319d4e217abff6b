"""counter.js on pages of others: what it counts, and what it shows."""

from playwright.sync_api import Page, expect

from servers import Counter, Site, wait_for


def tag(counter: Counter, attributes: str = 'data-namespace="blog"') -> str:
    return f'<script async src="{counter.address}/counter.js" {attributes}></script>'


def html(counter: Counter, body: str = "", attributes: str = 'data-namespace="blog"') -> str:
    return f"<!doctype html><html lang=en><title>A page</title>{tag(counter, attributes)}<body>{body}"


ELEMENTS = '<p><visit-counter id="page"></visit-counter> <visit-counter id="site" what="site"></visit-counter>'


def test_a_page_is_counted_once_a_view_and_shows_its_number_and_that_of_the_site(
    page: Page, counter: Counter, site: Site
) -> None:
    site.serve("blog.example", {"/": html(counter, ELEMENTS), "/about": html(counter, ELEMENTS)})
    for path, own, all in [("/", 1, 1), ("/about", 1, 2), ("/", 2, 3)]:
        page.goto(site.origin("blog.example") + path)
        expect(page.locator("#page")).to_have_text(str(own))
        expect(page.locator("#site")).to_have_text(str(all))
        assert counter.number("blog", path) == own
        assert counter.number("blog", "site") == all
