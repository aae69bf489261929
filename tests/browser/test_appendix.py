"""The appendix's page in a real browser, from disk: of a run in which a model is missing, and dreams failed, were never made, or are dead."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from urllib.request import url2pathname

import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from scipy.stats import binomtest

from aesdream import files
from aesdream.appendix.build import build
from aesdream.appendix.compare import compare
from tests.fabricated import DEAD, FAILED, HEADER, MISSING, REASON, TREE, fabricate, rename_starts

MODEL = "plain/by-family/split0-seed0"
UNMADE = f"dreams/appendix/{MODEL}/conv3/1/pre/source"
SIZES = [{"width": 1440, "height": 900}, {"width": 360, "height": 740}]
SERIOUS = ("serious", "critical")
NO_REQUESTS = {"preload": False}
"""axe would ask for the page's style again, which a page from disk may not."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("with space & sign") / "run"
    study = fabricate(folder, {**TREE, "sounds": {**TREE["sounds"], "seconds": 2}})
    for name in (FAILED, UNMADE):
        (folder / f"{name}.json").unlink()
    shutil.rmtree(folder / MISSING)
    build(folder, study, HEADER, {FAILED: REASON})
    return folder


@pytest.fixture(scope="module")
def content(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = files.read_json(run / "results.json")
    return found


@pytest.fixture
def page(page: Page) -> Page:
    """A page whose players' sounds (start and dream, of the page and of the blind test) are in ``tracks``."""
    page.add_init_script("window.tracks = []; Audio = class extends Audio { constructor() { super(); tracks.push(this); } };")
    return page


def address(run: Path, link: str = "") -> str:
    return (run / "appendix/index.html").as_uri() + link


def titles(page: Page) -> list[str]:
    return page.locator("#grid .card .what").all_text_contents()


def test_every_image_loads(page: Page, run: Path) -> None:
    page.goto(address(run))
    page.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager'; })")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    assert page.evaluate("[...document.images].filter(image => !image.naturalWidth).map(image => image.src)") == []
    assert page.evaluate("document.images.length") > 15


def test_a_dream_plays_and_its_start_is_heard_at_the_same_moment(page: Page, run: Path) -> None:
    page.goto(address(run, "#conv4/0/post"))
    page.click("#toggle")
    page.wait_for_function("Number(document.querySelector('#position').value) > 0.2")
    before = float(page.input_value("#position"))
    page.click("[data-hear=start]")
    expect(page.locator("[data-hear=start]")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(f"Number(document.querySelector('#position').value) > {before}")
    assert page.evaluate("tracks.slice(0, 2).map(track => [track.paused, track.muted])") == [[False, False], [False, True]]
    assert page.evaluate("Math.abs(tracks[0].currentTime - tracks[1].currentTime)") < 0.15
    assert float(page.input_value("#position")) < before + 1.5
    page.click("#toggle")
    expect(page.locator("#toggle")).to_have_text("▶ Play")


def test_a_start_that_was_drawn_for_a_dream_is_seen_and_heard_beside_it(page: Page, tmp_path: Path) -> None:
    run = tmp_path / "run"
    study = fabricate(run, {**TREE, "sweeps": {"appendix": {**TREE["sweeps"]["appendix"], "starts": {"noise": 1}}}})
    rename_starts(run, "noise-0", own=True)
    build(run, study, HEADER)
    page.goto(address(run, "#conv4/0/post"))
    expect(page.locator("#detail .view")).to_have_count(6)
    page.click("[data-hear=start]")
    page.click("#toggle")
    page.wait_for_function("tracks[0].currentTime > 0.1 && !tracks[0].muted")
    assert unquote(page.evaluate("tracks[0].src")).endswith("conv4/0/post/noise-0-start.mp3")
    page.wait_for_function("[...document.images].filter(image => image.closest('#detail')).every(image => image.naturalWidth)")


def test_a_start_that_is_longer_than_its_dream_stops_where_the_dream_ends(page: Page, run: Path) -> None:
    page.goto(address(run))
    page.evaluate("void (aesdream.detail = (detail => told => detail({ ...told, seconds: 0.5 }))(aesdream.detail))")
    page.locator("#grid .card a").first.click()
    for which in ("start", "dream"):
        page.click(f"[data-hear={which}]")
        page.click("#toggle")
        expect(page.locator("#toggle")).to_have_text("❚❚ Pause")
        expect(page.locator("#toggle")).to_have_text("▶ Play")
        expect(page.locator("#position")).to_have_value("0")


def test_a_card_s_button_plays_its_dream(page: Page, run: Path) -> None:
    page.goto(address(run))
    button = page.locator("#grid .card .play").first
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("gone", ["*.mp3", "*/appendix/dreams/*.js"])
def test_a_sound_that_is_not_beside_the_page_is_named(page: Page, run: Path, lost: list[str], gone: str) -> None:
    lost.append(gone)
    page.route(re.compile(gone.replace(".", r"\.").replace("*", ".*") + "$"), lambda route: route.abort())
    page.goto(address(run))
    button = page.locator("#grid .card .play").first
    button.click()
    expect(page.locator(".trouble")).to_contain_text("This sound is not beside the page:")
    expect(page.locator(".trouble")).to_contain_text(".mp3")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_while_a_dream_plays_buttons_are_left_alone_and_those_drawn_anew_say_so(page: Page, run: Path) -> None:
    page.goto(address(run))
    page.locator("#grid .card .play").first.click()
    expect(page.locator("#grid .play[aria-pressed=true]")).to_have_count(1)
    page.evaluate(
        "window.written = 0; new MutationObserver(all => { written += all.length; }).observe(document.querySelector('#grid'), "
        "{ attributes: true, childList: true, subtree: true })"
    )
    page.wait_for_function("tracks[1].currentTime > 0.7")
    assert page.evaluate("written") == 0
    page.select_option("select[name=layer]", "conv3")
    expect(page.locator("#grid .play[aria-pressed=true]")).to_have_count(1)


def test_filters_leave_what_they_name_and_the_address_keeps_them(page: Page, run: Path) -> None:
    page.goto(address(run))
    expect(page.locator("#count")).to_have_text("5 of 10 dreams")
    page.select_option("select[name=layer]", "conv3")
    assert titles(page) == ["layer 3, filter 0", "layer 3, filter 1"]
    page.select_option("select[name=side]", "all")
    expect(page.locator("#count")).to_have_text("4 of 10 dreams")
    page.goto("about:blank")
    page.goto(address(run, "#dreams?layer=conv4&side=pre"))
    assert titles(page) == [f"layer 4, filter {number}" for number in range(3)]
    page.select_option("select[name=side]", "all")
    page.select_option("select[name=state]", "dead")
    assert titles(page) == ["layer 4, filter 2"]
    page.click("text=Reset")
    expect(page.locator("#count")).to_have_text("5 of 10 dreams")


@pytest.mark.parametrize(("sort", "key"), [("gain", "gain"), ("distance", "rms_from_start"), ("inaudible", "share_under_20hz")])
def test_dreams_are_sorted_by_the_numbers_of_results_json(page: Page, run: Path, content: dict[str, Any], sort: str, key: str) -> None:
    page.goto(address(run))
    page.select_option("select[name=side]", "all")
    page.select_option("select[name=sort]", sort)
    dreams = {dream["dream"]: dream for dream in content["sweeps"]["appendix"]["dreams"]}
    there = [dream for dream in dreams.values() if dream[key] is not None]
    wanted = [dream[key] for dream in sorted(there, key=lambda dream: -dream[key])]
    order = [match.split("#")[1] for match in page.locator("#grid .card a").evaluate_all("links => links.map(link => link.href)")]
    found = [dream for link in order for dream in there if dream["dream"].endswith(f"{link}/source")]
    assert [dream[key] for dream in found] == wanted


def test_sorted_by_likeness_near_copies_stand_side_by_side(page: Page, run: Path, content: dict[str, Any]) -> None:
    page.goto(address(run))
    page.select_option("select[name=side]", "pre")
    page.select_option("select[name=sort]", "likeness")
    (layer,) = [each for each in content["likeness"]["layers"] if (each["layer"], each["side"]) == ("conv4", "pre")]
    assert titles(page)[-len(layer["order"]) :] == [f"layer 4, filter {target}" for target in layer["order"]]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("conv4:1", ["layer 4, filter 1"]),
        ("2", ["layer 4, filter 2"]),
        ("dead", ["layer 4, filter 2"]),
        ("figure a.2", ["layer 3, filter 1"]),
        ("Layer 3, filter 1", ["layer 3, filter 1"]),
        ("figure 6.2", ["layer 3, filter 0"]),
        ("layer 3 activation", ["layer 3, filter 0", "layer 3, filter 1"]),
        ("no such", []),
    ],
)
def test_searching_finds_targets_states_and_figures(page: Page, run: Path, search: str, found: list[str]) -> None:
    page.goto(address(run))
    page.fill("input[name=search]", search)
    assert titles(page) == found


def test_an_empty_result_names_the_filters_that_are_on(page: Page, run: Path) -> None:
    page.goto(address(run))
    page.select_option("select[name=state]", "dead")
    page.fill("input[name=search]", "layer 3")
    expect(page.locator("#count")).to_contain_text("State dead. Without them the search finds 4.")


def test_closing_what_a_link_opened_leads_to_its_card(page: Page, run: Path) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(address(run, "#conv4/2/post"))
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#grid .card a", has_text="layer 4, filter 2")).to_be_in_viewport()


@pytest.mark.parametrize("link", ["#conv4/0/pre", f"#{MODEL}/conv4/0/pre", f"#appendix/{MODEL}/conv4/0/pre/source"])
def test_a_link_opens_its_dream_with_its_numbers(page: Page, run: Path, content: dict[str, Any], link: str) -> None:
    page.goto(address(run, link))
    expect(page.locator("#detail-title")).to_have_text("layer 4, filter 0, before its ReLU")
    (dream,) = [d for d in content["sweeps"]["appendix"]["dreams"] if d["dream"].endswith("conv4/0/pre/source")]
    text = page.inner_text("#detail")
    assert dream["digest"] in text
    assert f"--only dreams/{dream['dream']}" in text
    assert page.locator("#detail .view").count() == 6
    hrefs = page.locator("#detail .links a").evaluate_all("links => links.map(link => link.href)")
    assert {Path(href).suffix for href in hrefs} >= {".wav", ".json"}
    for href in hrefs:
        assert Path(url2pathname(href.removeprefix("file://"))).is_file()


def test_a_link_opens_its_dream_however_its_reserved_characters_are_escaped(page: Page, run: Path, tmp_path: Path, lost: list[str]) -> None:
    lost.append("*--a&b, c=d--by-family--split0-seed0--*")  # a model of that name is only written into the index
    shutil.copytree(run / "appendix", tmp_path / "appendix")
    script = tmp_path / "appendix/data/dreams.js"
    script.write_text(script.read_text().replace(MODEL, "a&b, c=d/by-family/split0-seed0"))
    name = "appendix/a&b, c=d/by-family/split0-seed0/conv4/0/pre/source"
    for safe in ("/", "/&,="):
        page.goto("about:blank")
        page.goto(address(tmp_path, f"#{quote(name, safe=safe)}"))
        expect(page.locator("#detail-title")).to_have_text("layer 4, filter 0, before its ReLU")


def test_an_unknown_link_says_so(page: Page, run: Path) -> None:
    page.goto(address(run, "#conv9/0/post"))
    expect(page.locator("#count")).to_have_text("No dream is called conv9/0/post.")
    expect(page.locator("#count")).to_be_in_viewport()


def test_what_failed_is_missing_or_dead_says_so_in_its_place(page: Page, run: Path) -> None:
    page.goto(address(run, "#conv4/1/post"))
    expect(page.locator("#detail .warning")).to_have_text("This dream is not there: failed: the disk was full.")
    page.goto(address(run, "#conv3/1/pre"))
    expect(page.locator("#detail .warning")).to_have_text("This dream is not there: not made yet.")
    page.goto(address(run, "#conv4/2/post"))
    expect(page.locator("#detail .state")).to_contain_text("dead: silent on the start")
    page.keyboard.press("Escape")
    expect(page.locator("#grid .card.failed .state")).to_have_text("failed: the disk was full")
    expect(page.locator("#glance")).to_contain_text("models/plain/augment-first/split1-seed0")
    assert (DEAD, page.locator("#chosen .card.dead .what").first.inner_text()) == (("conv4", "2"), "Figure 6.15: layer 4, filter 2")


def test_the_keyboard_alone_goes_through_dreams_and_plays_them(page: Page, run: Path) -> None:
    page.goto(address(run))
    page.locator("#grid .card a").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.querySelector('.what').textContent") == "layer 3, filter 1"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.querySelector('.what').textContent") == "layer 4, filter 0"
    page.keyboard.press(" ")
    expect(page.locator("#grid .play[aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_have_text("layer 4, filter 0, after its ReLU")
    expect(page.locator("#toggle")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("[data-hear=start]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#detail-title")).to_have_text("layer 4, filter 1, after its ReLU")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "search"


def test_tab_goes_on_from_card_to_card_and_enter_and_space_press_a_card_s_button(page: Page, run: Path) -> None:
    page.goto(address(run))
    page.locator("#grid .card a").first.focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    second = page.locator("#grid .card").nth(1).locator(".play")
    expect(second).to_be_focused()
    for key, playing in (("Enter", "true"), (" ", "false")):
        page.keyboard.press(key)
        expect(second).to_be_focused()
        expect(second).to_have_attribute("aria-pressed", playing)


def test_arrows_on_a_chosen_dream_go_nowhere(page: Page, run: Path) -> None:
    page.goto(address(run))
    chosen = page.locator("#chosen .card a").first
    chosen.focus()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
        expect(chosen).to_be_focused()


SAMPLES = 2 * TREE["sounds"]["sample_rate"]
HEARD = "tracks.filter(track => !track.paused && !track.muted).map(track => track.src)"


def trials(page: Page) -> Iterator[int]:
    """Begin a blind test of eight, and wait for each trial."""
    page.select_option(".blind .trials", "8")
    page.click(".blind .begin")
    for trial in range(1, 9):
        expect(page.locator(".blind [role=status]")).to_contain_text(f"Trial {trial} of 8")
        yield trial


def play_all(page: Page) -> None:
    for name in ("Play A, the start", "Play B, the dream", "Play X"):
        page.click(f"text={name}")
        page.wait_for_function("() => hidden.playing")


def test_x_is_what_the_blind_test_says_whatever_else_is_played_or_opened(page: Page, run: Path) -> None:
    page.goto(address(run))
    heard = []
    for trial in trials(page):
        page.locator("#grid .card .play").nth(trial % 2).click()
        expect(page.locator("#grid .play[aria-pressed=true]")).to_have_count(1)
        play_all(page)
        (source,) = page.evaluate(HEARD)
        heard.append(unquote(source))
        page.click("text=X is B")
        page.locator("#grid .card a").nth(trial % 2).click()
        expect(page.locator("[data-hear=dream]")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.click("text=Save as JSON")
    for source, trial in zip(heard, json.loads(Path(download.value.path()).read_text())["list"], strict=True):
        assert source.endswith({"dream": f"/dreams/{trial['dream']}.mp3", "start": f"/appendix/starts/source-{SAMPLES}.mp3"}[trial["x"]])


def test_a_blind_test_counts_what_was_right_with_the_exact_interval(page: Page, run: Path, content: dict[str, Any]) -> None:
    page.goto(address(run))
    for _ in trials(page):
        play_all(page)
        page.click("text=X is B")
    expect(page.locator(".blind [role=status]")).to_contain_text("of 8 right")
    with page.expect_download() as download:
        page.click("text=Save as JSON")
    told = json.loads(Path(download.value.path()).read_text())
    right = sum(trial["x"] == "dream" for trial in told["list"])
    exact = binomtest(right, 8)
    assert (told["right"], told["trials"]) == (right, 8)
    assert told["p"] == pytest.approx(binomtest(right, 8, alternative="greater").pvalue)
    interval = exact.proportion_ci(0.95, method="exact")
    assert (told["interval"]["low"], told["interval"]["high"]) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert all(trial["plays"]["x"] == 1 and trial["seconds"] >= 0 for trial in told["list"])
    digests = {dream["dream"]: dream["digest"] for dream in content["sweeps"]["appendix"]["dreams"]}
    assert all(trial["digest"] == digests[trial["dream"]] for trial in told["list"])
    for trial in told["list"]:
        levels, volumes = trial["rms_db"], trial["volumes"]
        for which, copy in (("start", run / f"appendix/starts/source-{SAMPLES}.mp3"), ("dream", run / f"dreams/{trial['dream']}.mp3")):
            heard, _ = soundfile.read(copy)
            assert levels[which] == pytest.approx(10 * np.log10(np.mean(heard**2)), abs=0.01)
        assert max(volumes.values()) == 1
        left = levels["dream"] + 20 * np.log10(volumes["dream"]) - levels["start"] - 20 * np.log10(volumes["start"])
        assert trial["difference_db"] == pytest.approx(left, abs=1e-3) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("answer", "said"), [("X is B", "told from their starts by ear"), ("X is A", "starts for dreams")])
def test_x_is_played_before_it_is_answered_and_the_result_says_which_way_it_lies(page: Page, run: Path, answer: str, said: str) -> None:
    page.goto(address(run))
    page.evaluate("void (crypto.getRandomValues = numbers => numbers.fill(1))")  # X is always the dream
    for _ in trials(page):
        expect(page.get_by_text("Play A, the start")).to_be_focused()
        expect(page.get_by_text(answer, exact=True)).to_be_disabled()
        page.click("text=Play X")
        page.click("text=Play A, the start")
        expect(page.get_by_text(answer, exact=True)).to_be_disabled()
        play_all(page)
        page.get_by_text(answer, exact=True).click()
    expect(page.locator(".blind [role=status]")).to_be_focused()
    expect(page.locator(".blind")).to_contain_text(said)
    expect(page.locator(".blind li")).to_have_count(8 if answer == "X is A" else 0)


@pytest.mark.parametrize("right", [0, 1, 9, 15, 16])
def test_the_page_s_intervals_are_scipy_s(page: Page, run: Path, right: int) -> None:
    page.goto(address(run))
    found = page.evaluate(f"aesdream.blind.exact({right}, 16)")
    wanted = binomtest(right, 16).proportion_ci(0.95, method="exact")
    assert (found["low"], found["high"]) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize("link", ["", "#conv4/0/post"])
def test_nothing_hangs_over_the_edge_of_the_window(page: Page, run: Path, size: Any, link: str) -> None:
    page.set_viewport_size(size)
    page.goto(address(run, link))
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    if link:
        expect(page.locator("#toggle")).to_be_visible()
        assert page.evaluate("document.querySelector('#detail').scrollWidth") <= size["width"]


def serious(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds that keeps people from using a page, with where it is."""
    found = Axe().run(page, options=NO_REQUESTS).response["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found if each["impact"] in SERIOUS]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("link", ["", "#conv4/0/post", "#conv4/1/post"])
def test_axe_finds_nothing_serious(page: Page, run: Path, scheme: Any, link: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(address(run, link))
    if link:
        expect(page.locator("#detail .bar")).to_be_visible()
    assert serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_blind_test_under_way_and_in_its_result(page: Page, run: Path, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(address(run))
    for trial in trials(page):
        play_all(page)
        if trial == 1:
            assert serious(page) == []
        page.click("text=X is B")
    expect(page.locator(".blind [role=status]")).to_contain_text("of 8 right")
    assert serious(page) == []


def test_before_anything_is_played_little_is_read(page: Page, run: Path) -> None:
    read: list[str] = []
    page.on("request", lambda request: read.append(request.url))
    page.goto(address(run))
    page.wait_for_load_state("networkidle")
    paths = [Path(url2pathname(url.removeprefix("file://"))) for url in read if url.startswith("file://")]
    assert not [path for path in paths if path.suffix in (".mp3", ".wav")]
    assert sum(path.stat().st_size for path in paths) < 2e6


@pytest.fixture(scope="module")
def large(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of ten models with 112 dreams each, of which all look alike."""
    folder = tmp_path_factory.mktemp("large") / "run"
    shutil.copytree(run / "appendix", folder / "appendix")
    script = folder / "appendix/data/dreams.js"
    told = json.loads(re.fullmatch(r"aesdream\.index\((.*)\);\n", script.read_text(), re.DOTALL)[1])  # type: ignore[index]
    row = told["dreams"][0]
    picture = next((folder / "appendix/dreams").glob("*0--post--source.png")).read_bytes()
    layers = [(layer, count, side) for side in ("post", "pre") for layer, count in (("conv2", 8), ("conv3", 16), ("conv4", 32))]
    names = [
        f"appendix/m{m}/by-family/split0-seed0/{layer}/{n}/{side}/source" for m in range(10) for layer, count, side in layers for n in range(count)
    ]
    for name in names:
        (folder / f"appendix/dreams/{name.replace('/', '--')}.png").write_bytes(picture)
    script.write_text(f"aesdream.index({json.dumps({**told, 'dreams': [[name, *row[1:]] for name in names]})});\n")
    return folder


def test_ten_models_of_112_dreams_open_in_under_three_seconds(browser: Browser, large: Path) -> None:
    def seconds() -> float:
        page = browser.new_page()
        page.goto(address(large, "#dreams?model=all&side=all"))
        expect(page.locator("#count")).to_have_text("1120 of 1120 dreams")
        page.wait_for_function("[...document.querySelectorAll('#grid img')].slice(0, 5).every(image => image.complete && image.naturalWidth)")
        found = float(page.evaluate("performance.now()")) / 1000
        page.close()
        return found

    assert min(seconds() for _ in range(2)) < 3


def test_a_number_searched_for_is_the_whole_number(page: Page, large: Path) -> None:
    page.goto(address(large))
    page.fill("input[name=search]", "conv4:1")
    assert titles(page) == ["layer 4, filter 1"]


def test_runs_stand_side_by_side_and_are_heard(page: Page, run: Path, tmp_path: Path) -> None:
    other = tmp_path / "another run"
    shutil.copytree(run, other)
    path = compare([run, other])
    page.goto(path.as_uri())
    expect(page.locator("#count")).to_have_text("10 of 20 dreams")
    both = page.locator("#grid .card", has_text="layer 3, filter 0")
    assert both.count() == 2
    both.nth(1).locator("a").click()
    expect(page.locator("#detail p").first).to_contain_text("another run")
    page.click("#toggle")
    page.wait_for_function("Number(document.querySelector('#position').value) > 0.1")
    assert serious(page) == []


def test_a_study_without_dreams_has_a_page_all_the_same(page: Page, tmp_path: Path) -> None:
    study = fabricate(tmp_path / "run", {**TREE, "sweeps": {}})
    build(tmp_path / "run", study, HEADER)
    page.goto(address(tmp_path / "run"))
    expect(page.locator("#count")).to_have_text("This study asks for no dreams.")
