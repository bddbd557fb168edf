"""The charts in Chromium: every point by keyboard, mouse and touch; files of a chart; nothing cropped at 320 pixels."""

import struct
from pathlib import Path

import pytest
from lxml import etree
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.e2e

CHARTS = (
    "index.html",
    "lms/QAA.html",
    "trust/R02.html",
    "indicator/stillbirth_rate.html",
    "indicator/apgar_below_7.html",
)
SVG = "{http://www.w3.org/2000/svg}"
TIP = ".tip:not([hidden])"


def opened(page: Page, base: str, path: str) -> Page:
    page.goto(f"{base}/portal/{path}")
    return page


@pytest.fixture
def page(browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(20_000)
    return context.new_page()


def words_of_points(chart: Locator) -> list[str]:
    return chart.locator("a").evaluate_all("links => links.map(link => link.getAttribute('aria-label'))")


@pytest.mark.parametrize("path", CHARTS)
def test_every_point_is_reached_by_keyboard_and_says_what_it_is(path: str, page: Page, base: str) -> None:
    opened(page, base, path)
    charts = [chart for chart in page.locator("svg.chart").all() if chart.locator("a").count()]
    assert charts, path
    for chart in charts:
        stops = chart.locator("a[tabindex='0']")
        expect(stops).to_have_count(1)  # one stop of the Tab key a chart
        stops.focus()
        page.keyboard.press("Home")
        reached = []
        for _ in range(chart.locator("a").count()):
            focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
            reached.append(focused)
            shown = page.locator(TIP).inner_text()
            assert shown == focused
            page.keyboard.press("ArrowRight")
        assert sorted(reached) == sorted(words_of_points(chart))
        page.keyboard.press("Escape")
        expect(page.locator(TIP)).to_have_count(0)


def test_every_point_names_value_period_and_verdict_and_leads_to_a_page(page: Page, base: str) -> None:
    opened(page, base, "indicator/stillbirth_rate.html")
    funnel = page.locator("figure", has_text="95% limits").locator("svg.chart").first
    first = words_of_points(funnel)
    assert "Middle Shire" in " ".join(first)
    for words in first:
        assert "per 1,000" in words
        assert "95% interval" in words
        assert "2024; " in words
        assert "limits; " in words  # where it lies in the funnel, then the verdict
    for chart in page.locator("svg.chart").all():
        for address in chart.locator("a").evaluate_all("links => links.map(link => link.href.baseVal)"):
            assert page.request.get(f"{base}/portal/indicator/{address}").ok, address


def test_a_point_is_followed_by_the_enter_key(page: Page, base: str) -> None:
    opened(page, base, "indicator/stillbirth_rate.html")
    stop = page.locator("figure", has_text="Local maternity systems in order").locator("svg.chart a[tabindex='0']")
    name = (stop.get_attribute("aria-label") or "").split(": ")[0]
    stop.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_the_mouse_shows_the_nearest_point(page: Page, base: str) -> None:
    opened(page, base, "trust/R02.html")
    point = page.locator("svg.chart a").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2 + 6, box["y"] + box["height"] / 2)
    expect(page.locator(TIP)).to_have_count(1)
    page.mouse.move(2, 2)
    expect(page.locator(TIP)).to_have_count(0)


def test_the_first_touch_shows_the_words_and_the_second_follows_the_link(browser: Browser, base: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = opened(context.new_page(), base, "trust/R02.html")
    point = page.locator("svg.chart a").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = page.url
    page.touchscreen.tap(*middle)
    expect(page.locator(TIP)).to_have_count(1)
    assert page.url == before
    page.touchscreen.tap(*middle)
    page.wait_for_url(lambda address: address != before)
    context.close()


@pytest.mark.parametrize("path", ["lms/QAA.html", "index.html"])
def test_a_chart_is_saved_as_svg_and_png_with_its_heading_and_source(
    path: str, page: Page, base: str, tmp_path: Path
) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    opened(page, base, path)
    figure = page.locator("figure", has=page.locator("svg.chart a")).first
    saved = {}
    for kind in ("SVG", "PNG"):
        with page.expect_download() as waiting:
            figure.get_by_role("button", name=f"Save {kind}").click()
        saved[kind] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved[kind])
    picture = etree.parse(saved["SVG"]).getroot()
    text = " ".join(picture.itertext())
    assert "SYNTHETIC SAMPLE DATA" in text
    assert "Source:" in text
    assert "Edition" in text
    heading = page.locator("figure figcaption, section.ambition h3").first.inner_text()
    assert heading.split()[0] in text
    assert picture.findall(f".//{SVG}title")  # what the points say
    assert not picture.findall(f".//{SVG}a")
    assert not [node for node in picture.iter() if node.get("class") or node.get("style")]
    assert any(node.get("stroke", "none") != "none" for node in picture.iter(f"{SVG}path"))
    head = saved["PNG"].read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    assert (width, height) == tuple(2 * round(float(picture.get(side))) for side in ("width", "height"))
    assert saved["PNG"].stat().st_size > 10_000  # not an empty sheet
    assert refused == []


@pytest.mark.parametrize("path", CHARTS)
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_of_a_chart_is_cropped_and_its_letters_can_be_read(
    path: str, width: int, page: Page, base: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, base, path)
    found = page.evaluate(
        """() => [...document.querySelectorAll("svg.chart")].map(chart => {
            const frame = chart.closest("figure, .scroll").getBoundingClientRect();
            const texts = [...chart.querySelectorAll("text")].filter(text => text.getClientRects().length);
            const boxes = texts.map(text => text.getBoundingClientRect());
            const scale = chart.getBoundingClientRect().width / chart.viewBox.baseVal.width;
            return {
                left: Math.min(...boxes.map(box => box.left)) - frame.left,
                right: frame.right - Math.max(...boxes.map(box => box.right)),
                letters: Math.min(...texts.map(text => parseFloat(getComputedStyle(text).fontSize) * scale)),
            };
        })"""
    )
    assert found
    for chart in found:
        assert chart["left"] >= 0, chart
        assert chart["right"] >= 0, chart
        assert chart["letters"] > 8, chart


def test_charts_are_plain_links_without_javascript(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = opened(context.new_page(), base, "trust/R02.html")
    links = page.locator("svg.chart a")
    assert links.count() > 10
    assert page.locator(".tools").count() == 0
    links.first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.endswith("trust/R02.html"))
    context.close()
