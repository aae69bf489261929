"""The chapters on dreams of instruments, of dreams that are made up."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from aesdream import files
from aesdream.appendix import listing
from aesdream.appendix.chapters import Audio, Picture
from aesdream.appendix.instruments import part
from aesdream.appendix.reading import Dream
from aesdream.seeding import generator
from aesdream.study import load
from tests.runs import ROOT

CLASSES = ["cel", "cla", "flu", "gac"]


def dream(folder: Path, start: str, target: str) -> Dream:
    """A dream of a held-out sound to a class, as a run has it."""
    home = folder / target
    home.mkdir(parents=True, exist_ok=True)
    spectrograms = {name: generator(0, start, target, name).standard_normal((1, 6, 8)).astype(np.float32) for name in ("start", "dream")}
    np.savez(home / f"{start}.npz", allow_pickle=False, **spectrograms)
    content = {
        "target": target, "start": start, "goal": [target], "excerpt": {"family": "song", "right": "cel", "wrong": "cla"}, "sound_by": "phase",
        "outputs": {"start": [0.1, 0.2, 0.3, 0.4], "dream": [0.4, 0.3, 0.2, 0.1]},
    }  # fmt: skip
    marker = home / f"{start}.json"
    files.finish(marker, {"unit": "dream", "digest": "0", "recipe": {}}, content, {f"{start}.npz": home / f"{start}.npz"})
    return Dream("s", "m/by-family/split0-seed0", "class", target, "post", start, marker, files.read_marker(marker), None)


def chapters(dreams: list[Dream]) -> list[Any]:
    content = {"instruments": {"sets": {}, "sweeps": {}, "learning": [], "performance": {}}}
    material: Any = SimpleNamespace(content=content, dreams={"s": dreams}, sounds={"classes": CLASSES})
    return [block for chapter in part.chapters(material) for block in chapter.blocks]


def test_figure_2_names_the_classes_that_were_dreamed_and_no_other(tmp_path: Path) -> None:
    blocks = chapters([dream(tmp_path, "held-out-0", target) for target in ("flu", "gac")])
    (picture,) = [block for block in blocks if isinstance(block, Picture)]
    assert "dreamed to flu, gac by m/by-family/split0-seed0" in picture.caption
    assert picture.number == "2"


def test_figure_2_shows_the_sounds_that_were_dreamed_to_most_classes(tmp_path: Path) -> None:
    made = [dream(tmp_path, "held-out-0", "flu"), *(dream(tmp_path, f"held-out-{number}", target) for number in (1, 2) for target in ("flu", "gac"))]
    assert [block.title for block in chapters(made) if isinstance(block, Audio)] == ["From held-out-1", "From held-out-2"]


def test_sounds_made_in_two_ways_are_each_named(tmp_path: Path) -> None:
    (heard,) = [block for block in chapters([dream(tmp_path, "held-out-0", "flu")]) if isinstance(block, Audio)]
    assert [copy.rpartition("/")[2] for _, copy, _ in heard.sounds] == ["held-out-0-start.mp3", "held-out-0.mp3", "held-out-0-griffin-lim.mp3"]
    assert len({name for name, _, _ in heard.sounds}) == 3


def test_a_treatment_is_said_to_learn_from_dreams_only_where_it_dreams() -> None:
    treatments = load(ROOT / "configs" / "tiny-instruments.yaml").training.treatments
    said = {name: listing.treatment(treatments[name].model_dump()) for name in ("dreamed", "undreamed")}
    assert "and their dreams to wrong classes" in said["dreamed"]
    assert "their dreams" not in said["undreamed"]
    assert "undreamed, each heard twice (control)" in said["undreamed"]
