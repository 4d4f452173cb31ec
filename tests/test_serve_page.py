"""The service's page in a real browser: what people see, hear from a screen reader, and reach with the keyboard."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="fastapi is in the extra `serve`")
pytest.importorskip("playwright", reason="needs: pip install playwright, and Chromium")

from playwright import sync_api

from tests.conftest import Call, MakeFilm
from tests.made import reencode
from tests.made_browser import axe_findings
from tests.made_service import MODEL, Service, serving

KEY = "the-key-of-this-test"
SHOTS = os.environ.get("VCD_SCREENSHOTS", "")
"""A folder to leave pictures of the page in, for people to look at."""
WAIT_MS = 60_000
TIMES = "() => [...document.querySelectorAll('.screen video')].map((film) => film.currentTime)"
CONTRASTS = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!hasText || !element.checkVisibility() || element.closest('.skip')) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([element.textContent.trim().slice(0, 40), ratio]);
  }
  return found;
}"""
NAMELESS = """() => [...document.querySelectorAll('button, input, video, progress, img, a')]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.alt
    || e.textContent.trim()))
  .map((e) => e.outerHTML)"""

REACHABLE = """() => [...document.querySelectorAll('a[href], button, input, select')]
  .filter((e) => e.checkVisibility() && !e.disabled)
  .map((e, number) => (e.dataset.numbered = `${number}`))"""
"""Numbers what a mouse could use, so that what has the focus can be told."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        try:
            running = playwright.chromium.launch(executable_path=installed)
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {str(error).splitlines()[0]}")
        yield running
        running.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, films: Path, made_film: MakeFilm, vcd: Call) -> Iterator[Service]:
    """A library with a film that browsers play, and ``old.mpg``, which they do not."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "films").mkdir()
    shutil.copy(films / "a.mp4", folder / "films")
    shutil.copy(made_film(8, first=160, suffix=".mpg"), folder / "films" / "old.mpg")
    (folder / "model.toml").write_text(MODEL)
    settings = ("--library", folder / "library", "--config", folder / "model.toml")
    assert vcd("index", folder / "films", *settings).code == 0
    with serving(folder, folder / "library", settings=f'admin_keys = ["{KEY}"]', key=KEY) as running:
        yield running


@pytest.fixture
def page(browser: Any, service: Service) -> Iterator[Any]:
    """Signed in; whatever the browser complains about fails the test."""
    opened = browser.new_page(viewport={"width": 1000, "height": 900})
    opened.set_default_timeout(WAIT_MS)
    complaints: list[str] = []
    opened.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(service.url)
    opened.fill("#key", KEY)
    opened.keyboard.press("Enter")
    opened.wait_for_selector("#query-view:not([hidden])")
    yield opened
    shoot(opened, "end")
    opened.close()
    assert complaints == []


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        test = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0].replace("[", "-").strip("]")
        page.screenshot(path=Path(SHOTS, f"{test}-{name}.png"), full_page=True)


def drop(page: Any, clip: Path, name: str | None = None) -> str:
    """Give the page a file, and read what it says about it."""
    page.set_input_files("#clip", {"name": name or clip.name, "mimeType": "video/mp4", "buffer": clip.read_bytes()})
    page.wait_for_selector("#answer:not([hidden])")
    return str(page.inner_text("#verdict"))


def test_a_dropped_clip_is_shown_beside_its_reference_in_step_at_its_speed(
    page: Any, films: Path, tmp_path: Path
) -> None:
    clip = reencode(films / "a.mp4", tmp_path / "fast.mp4", 2, 11, speed=1.5)

    assert drop(page, clip) == "fast.mp4 is copied from a.mp4"
    cells = page.locator("#segments tbody td").all_inner_texts()
    assert cells[:2] == ["0:00.0 to 0:06.0", "a.mp4"]
    assert "1.5 times as fast" in cells[4]
    with page.expect_popup() as opening:
        page.click("#report")
    report = opening.value
    report.wait_for_selector("article img")
    assert report.title() == "1 copied stretch - vcd"
    assert report.evaluate("[origin, document.querySelectorAll('article img').length]") == ["null", 8]
    report.fill("#least", "1")
    assert report.inner_text("#count") == "0 of 1 shown", "its own script runs"
    shoot(report, "report")
    report.close()
    page.focus("#segments button")
    page.keyboard.press("Enter")
    page.wait_for_function("() => [...document.querySelectorAll('.screen video')].every((film) => film.readyState > 1)")
    start = page.evaluate(TIMES)
    page.focus("#play")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('.screen video').currentTime > 1.5")
    page.keyboard.press("Space")
    clip_s, reference_s = page.evaluate(TIMES)

    assert (start[0], start[1]) == (0, pytest.approx(2, abs=0.3))
    assert reference_s == pytest.approx(start[1] + 1.5 * clip_s, abs=0.3)
    page.fill("#position", "3")
    assert page.evaluate(TIMES)[1] == pytest.approx(start[1] + 4.5, abs=0.05)
    page.wait_for_function("() => [...document.querySelectorAll('.strips img')].every((image) => image.naturalWidth)")


def test_an_answer_without_its_report_says_so(page: Any, service: Service, films: Path, tmp_path: Path) -> None:
    (service.data / "reports").rename(service.data / "elsewhere")
    try:
        verdict = drop(page, reencode(films / "a.mp4", tmp_path / "clip.mp4", 2, 8))
    finally:
        (service.data / "elsewhere").rename(service.data / "reports")

    assert verdict == "clip.mp4 is copied from a.mp4"
    assert page.inner_text("#error").startswith("the report is missing: cannot be written")
    assert page.locator("#report-item").is_hidden()


def test_a_film_that_browsers_do_not_play_is_shown_as_pictures(page: Any, made_film: MakeFilm) -> None:
    assert drop(page, made_film(8, first=160)).endswith("is copied from old.mpg")
    page.click("#timeline button")
    page.wait_for_function("() => document.querySelector('#reference-screen img')?.naturalWidth")

    assert "cannot play one of the files" in page.inner_text("#player-note")
    page.wait_for_function("() => [...document.querySelectorAll('.strips img')].every((image) => image.naturalWidth)")
    assert page.locator("#clip-screen video").count() == 1


def test_names_of_files_are_text_and_a_clip_of_nothing_is_told(page: Any, made_film: MakeFilm) -> None:
    name = "<img src=x onerror='window.hacked = 1'>.mp4"

    assert drop(page, made_film(4, first=500), name) == f"No copy found: nothing in {name} comes from the library"
    assert page.evaluate("() => [window.hacked ?? null, document.querySelectorAll('#verdict *').length]") == [None, 0]
    assert page.locator("#player").is_hidden()


def test_the_library_is_searched_added_to_and_removed_from(page: Any, made_film: MakeFilm) -> None:
    name = "<b>new.mp4"
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#to-library")
    page.wait_for_selector("#references tbody tr")
    assert page.locator("#references td.name").all_inner_texts() == ["a.mp4", "old.mpg"]
    film = made_film(4, first=180)
    page.set_input_files("#addition", {"name": name, "mimeType": "video/mp4", "buffer": film.read_bytes()})
    page.wait_for_function("() => document.querySelector('#library-status').textContent.endsWith('has been added')")
    page.fill("#search", "NEW")
    page.wait_for_function("() => document.querySelector('#count').textContent === '1 reference found'")
    assert page.locator("#references td.name").all_inner_texts() == [name]
    page.click("#references button")
    page.wait_for_function("() => document.querySelector('#library-status').textContent.endsWith('has been removed')")

    assert page.locator("#references td.name").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_contrast_and_room_on_a_phone(page: Any, clip: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    drop(page, clip)
    page.click("#segments button")
    for view in ("query", "library"):
        page.click(f"#to-{view}")
        page.wait_for_selector(f"#{view}-view:not([hidden])")
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 8
        assert [(text, ratio) for text, ratio in contrasts if ratio < 4.5] == []
        assert page.evaluate(NAMELESS) == []
        assert axe_findings(page) == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        shoot(page, view)


def test_everything_is_reached_and_left_by_the_tab_key(page: Any, clip: Path) -> None:
    drop(page, clip)
    page.click("#segments button")
    for view in ("query", "library"):
        page.click(f"#to-{view}")
        page.wait_for_selector(f"#{view}-view:not([hidden])")
        page.wait_for_function("() => document.querySelector('#references td') || location.hash !== '#library'")
        wanted = page.evaluate(REACHABLE)
        page.evaluate("() => { document.activeElement.blur(); document.body.tabIndex = -1; document.body.focus(); }")
        reached = set()
        for _ in range(len(wanted) + 8):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("() => document.activeElement.dataset.numbered ?? ''"))
        assert set(wanted) - reached == set()
        assert len(wanted) > 4


def test_a_wrong_key_is_told(browser: Any, service: Service) -> None:
    page = browser.new_page()
    page.goto(service.url)
    page.fill("#key", "not-the-key-of-this-test")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#key-error').textContent")

    assert page.inner_text("#key-error") == "the service does not know this key"
    assert page.locator("#query-view").is_hidden()
    page.close()
