"""The listening page in a real browser, opened from disk: judging by key and by hand, undo, resuming, and labels that the next study reads."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from aesdream import listening
from aesdream.sounds import labelled
from tests.corpora import RATE, noise

COUNT = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name is awkward in a URL, with sounds and the page about them."""
    home = tmp_path / "sounds & #1 %20"
    names = [f"level-1/1-{number:04d}.wav" for number in range(COUNT)]
    (home / "level-1").mkdir(parents=True)
    for number, name in enumerate(names):
        soundfile.write(home / name, noise(number, 0.2), RATE, subtype="PCM_24")
    written(home, [sound(number) for number in range(COUNT)])
    return home


def written(home: Path, sounds: list[dict[str, Any]], *, others: list[dict[str, Any]] | None = None, key: str = "test") -> None:
    """The page about some sounds, each with its name as its digest where none is given."""
    listed = [[{"sha256": f"of {Path(sound['path']).name}", **sound} for sound in some] for some in (sounds, others or [])]
    content = {"title": "Sounds from a test", "key": key, "classes": list(listening.CLASSES), "judge": None}
    listening.write(home / "listen.html", {**content, "sounds": listed[0], "others": listed[1]})


def sound(number: int, **changed: object) -> dict[str, Any]:
    return {"path": f"level-1/1-{number:04d}.wav", "family": f"1-{number % 3:04d}", "kept": None, **changed}


def opened(page: Page, folder: Path) -> Page:
    page.goto((folder / "listen.html").as_uri())
    return page


def saved(page: Page, folder: Path) -> list[dict[str, str]]:
    """What ``save`` gives, put where the page asks for it."""
    with page.expect_download() as download:
        page.get_by_role("button", name="save labels.csv").click()
    assert download.value.suggested_filename == "labels.csv"
    download.value.save_as(folder / "labels.csv")
    with (folder / "labels.csv").open(newline="") as table:
        return list(csv.DictReader(table))


def test_keys_judge_one_sound_after_another_and_the_labels_are_a_corpus(page: Page, folder: Path) -> None:
    opened(page, folder)
    for number, key in enumerate("ynynyn", 1):
        expect(page.get_by_role("heading", name=f"Sound {number} of 6")).to_be_visible()
        page.keyboard.press(key)
    expect(page.locator("#outcome")).to_have_text("Every sound is judged: save labels.csv.")
    rows = saved(page, folder)
    assert [row["label"] for row in rows] == ["yes", "no"] * 3
    entries = labelled.entries(folder)
    assert [(entry.name, entry.label, entry.family, entry.problem) for entry in entries] == [(r["path"], r["label"], r["family"], "") for r in rows]
    assert all(entry.path.is_file() for entry in entries)


def test_a_sound_plays_after_the_first_key(page: Page, folder: Path) -> None:
    opened(page, folder)
    page.keyboard.press("y")
    page.wait_for_function("document.getElementById('player').played.length > 0")
    assert page.evaluate("document.getElementById('player').error") is None
    assert page.evaluate("decodeURIComponent(document.getElementById('player').src)").endswith("level-1/1-0001.wav")


def test_undo_takes_back_the_last_word_and_shows_its_sound(page: Page, folder: Path) -> None:
    opened(page, folder)
    expect(page.get_by_role("button", name="undo")).to_be_disabled()
    for key in "yyu":
        page.keyboard.press(key)
    expect(page.get_by_role("heading")).to_contain_text(["Sounds from a test", "Sound 2 of 6"])
    page.keyboard.press("n")
    assert [row["label"] for row in saved(page, folder)] == ["yes", "no"]


def test_a_sound_that_is_passed_over_comes_again(page: Page, folder: Path) -> None:
    opened(page, folder)
    for key in "synyny":
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Sound 1 of 6")).to_be_visible()
    page.keyboard.press("n")
    assert len(saved(page, folder)) == COUNT


def test_what_was_said_is_there_again_when_the_page_is_opened_again(page: Page, folder: Path) -> None:
    for key in "yny":
        opened(page, folder).keyboard.press(key)
    opened(page, folder)
    expect(page.get_by_role("heading", name="Sound 4 of 6")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("3 of 6 are judged already.")
    assert [row["label"] for row in saved(page, folder)] == ["yes", "no", "yes"]


def test_a_level_more_keeps_what_was_said_and_another_generation_does_not_see_it(page: Page, folder: Path) -> None:
    opened(page, folder).keyboard.press("y")
    sounds = [sound(number) for number in (3, 0, 1)]
    written(folder, sounds)
    opened(page, folder)
    expect(page.locator("progress")).to_have_js_property("value", 1)
    written(folder, sounds, key="another")
    opened(page, folder)
    expect(page.locator("progress")).to_have_js_property("value", 0)


def test_words_on_sounds_that_left_the_page_are_remembered_and_saved_where_those_lie_now(page: Page, folder: Path) -> None:
    opened(page, folder)
    for key in "ynynyn":
        page.keyboard.press(key)
    (folder / "dropped" / "level-1").mkdir(parents=True)
    (folder / "level-1" / "1-0001.wav").rename(folder / "dropped" / "level-1" / "1-0001.wav")
    soundfile.write(folder / "level-1" / "1-0006.wav", noise(6, 0.2), RATE)
    others = [sound(1, path="dropped/level-1/1-0001.wav"), *(sound(number) for number in (2, 3, 4, 5))]
    written(folder, [sound(6), sound(0)], others=others)
    opened(page, folder)
    expect(page.get_by_role("status")).to_have_text("1 of 2 are judged already.")
    page.keyboard.press("n")
    opened(page, folder)
    rows = saved(page, folder)
    assert {row["path"]: row["label"] for row in rows} == {
        "dropped/level-1/1-0001.wav": "no",
        **{f"level-1/1-{number:04d}.wav": label for number, label in ((0, "yes"), (2, "yes"), (3, "no"), (4, "yes"), (5, "no"), (6, "no"))},
    }
    assert [row["family"] for row in rows[:3]] == ["1-0001", "1-0000", "1-0002"]
    assert all(entry.path.is_file() for entry in labelled.entries(folder))
    for key in "uu":
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="undo")).to_be_disabled()
    assert len(saved(page, folder)) == 5


def test_a_file_with_more_sounds_than_the_page_is_saved_whole(page: Page, folder: Path) -> None:
    written(folder, [sound(0), sound(1)], others=[sound(2, path="dropped/level-1/1-0002.wav")])
    (folder / "mine.csv").write_text("path,label,family\nlevel-1/1-0000.wav,yes,1-0000\nlevel-1/1-0002.wav,no,1-0002\nmine/own.wav,no,own\n")
    opened(page, folder).get_by_label("go on from a labels.csv").set_input_files(folder / "mine.csv")
    expect(page.get_by_role("status")).to_have_text("3 labels read from mine.csv.")
    opened(page, folder).keyboard.press("n")
    assert [tuple(row.values()) for row in saved(page, folder)] == [
        ("dropped/level-1/1-0002.wav", "no", "1-0002"),
        ("level-1/1-0000.wav", "yes", "1-0000"),
        ("level-1/1-0001.wav", "no", "1-0001"),
        ("mine/own.wav", "no", "own"),
    ]


def test_a_folder_with_other_sounds_of_the_same_names_neither_sees_nor_loses_these_words(page: Page, folder: Path, tmp_path: Path) -> None:
    for key in "yn":
        opened(page, folder).keyboard.press(key)
    other = tmp_path / "other"
    (other / "level-1").mkdir(parents=True)
    for number in range(2):
        soundfile.write(other / sound(number)["path"], noise(9 - number, 0.2), RATE)
    written(other, [sound(0), sound(1, sha256="another")])
    opened(page, other)
    expect(page.get_by_role("status")).to_have_text("1 of 2 are judged already.")
    page.keyboard.press("y")
    assert [row["label"] for row in saved(page, other)] == ["yes", "yes"]
    assert [row["label"] for row in saved(opened(page, folder), folder)] == ["yes", "no"]


def test_a_folder_without_sounds_says_so(page: Page, folder: Path) -> None:
    written(folder, [], others=[sound(0)])
    opened(page, folder).keyboard.press("y")
    expect(page.locator("#outcome")).to_have_text("No sound is left to judge.")
    expect(page.get_by_role("button", name="yes", exact=True)).to_be_disabled()


def test_where_a_browser_keeps_nothing_a_saved_file_goes_on(browser: Browser, page: Page, folder: Path) -> None:
    forgetful = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } })"
    page.add_init_script(forgetful)
    opened(page, folder)
    for key in "yn":
        page.keyboard.press(key)
    saved(page, folder)
    other = browser.new_context(offline=True).new_page()
    other.add_init_script(forgetful)
    opened(other, folder)
    expect(other.get_by_role("heading", name="Sound 1 of 6")).to_be_visible()
    other.get_by_label("go on from a labels.csv").set_input_files(folder / "labels.csv")
    expect(other.get_by_role("heading", name="Sound 3 of 6")).to_be_visible()
    expect(other.get_by_role("status")).to_have_text("2 labels read from labels.csv.")
    other.keyboard.press("y")
    expect(other.get_by_role("alert")).to_contain_text("save labels.csv before you close it")
    other.context.close()


@pytest.mark.parametrize("text", ["", "path,label\nlevel-1/1-0000.wav,perhaps\n", "name;value\n1;2\n", '"unfinished'])
def test_a_file_of_something_else_changes_nothing_and_is_named(page: Page, folder: Path, text: str) -> None:
    opened(page, folder).keyboard.press("y")
    (folder / "other.csv").write_text(text)
    page.get_by_label("go on from a labels.csv").set_input_files(folder / "other.csv")
    expect(page.get_by_role("alert")).to_contain_text("other.csv holds no label of these sounds")
    assert len(saved(page, folder)) == 1


def test_names_with_commas_and_quotes_come_back_from_the_file(page: Page, tmp_path: Path) -> None:
    name = 'a, "b"/1-0000.wav'
    (tmp_path / 'a, "b"').mkdir()
    soundfile.write(tmp_path / name, noise(1, 0.1), RATE)
    written(tmp_path, [{"path": name, "family": "x,y", "kept": None}])
    opened(page, tmp_path).keyboard.press("y")
    assert saved(page, tmp_path) == [{"path": name, "label": "yes", "family": "x,y"}]
    page.evaluate("localStorage.clear()")
    opened(page, tmp_path).get_by_label("go on from a labels.csv").set_input_files(tmp_path / "labels.csv")
    expect(page.locator("progress")).to_have_js_property("value", 1)


def test_a_sound_that_cannot_be_played_is_named(page: Page, folder: Path) -> None:
    (folder / "level-1" / "1-0000.wav").write_text("no sound")
    opened(page, folder)
    expect(page.get_by_role("alert")).to_have_text("Sound 1 cannot be played (level-1/1-0000.wav).")


def test_every_action_has_a_button_with_a_name_and_keys_can_be_turned_off(page: Page, folder: Path) -> None:
    opened(page, folder)
    for name in ("yes", "no", "again", "skip", "undo", "save labels.csv"):
        assert page.get_by_role("button", name=name, exact=True).count() == 1
    page.get_by_role("button", name="yes", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_have_text("Sound 1: yes. Now sound 2 of 6.")
    page.get_by_label("judge by key").uncheck()
    page.keyboard.press("y")
    expect(page.get_by_role("heading", name="Sound 2 of 6")).to_be_visible()
    page.get_by_label("judge by key").check()
    page.keyboard.press("Control+y")
    expect(page.get_by_role("heading", name="Sound 2 of 6")).to_be_visible()


def test_nothing_on_the_page_tells_which_sounds_the_judge_kept_until_all_are_judged(page: Page, folder: Path) -> None:
    written(folder, [sound(number, kept=number % 2 == 0) for number in range(COUNT)])
    opened(page, folder)
    for key in "ynynyy":
        expect(page.locator("#outcome")).to_have_text("")
        page.keyboard.press(key)
    expect(page.locator("#outcome")).to_contain_text("You said yes of 3 of 3 that the judge had kept, and of 1 of 3 that it had not.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone_all_fits_and_can_be_read(page: Page, folder: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, folder)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("yes", "no"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["height"] >= 48
    contrast = """() => {
      const light = (rgb) => rgb.match(/[\\d.]+/g).slice(0, 3).map(Number).map((v) => v / 255)
        .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const style = getComputedStyle(document.body);
      const [one, other] = [light(style.color), light(style.backgroundColor)].sort((a, b) => b - a);
      return (one + 0.05) / (other + 0.05);
    }"""
    assert page.evaluate(contrast) >= 7
