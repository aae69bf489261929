"""The chapter of the truth, drawn from fabricated dreams of which it is known what they moved."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from aesdream import study as studies
from aesdream.appendix import style
from aesdream.appendix.chapters import Chapter, Listing, Picture, Text
from aesdream.appendix.reading import Dream, Model
from aesdream.appendix.schema import Truth
from aesdream.appendix.truth import part
from aesdream.appendix.truth.gathered import control_of
from aesdream.appendix.truth.matrix import parts_of, rivals_of
from aesdream.appendix.truth.verdicts import verdict
from aesdream.seeding import generator
from aesdream.sounds.composers import COMPOSERS
from tests.runs import ROOT

CLASSES = ["not interesting", "interesting"]
NAMES = list(COMPOSERS)
SETTINGS = ["training.splits=5", "training.seeds=2"]
Moves = Callable[[str, str], np.ndarray]
"""What dreams of a network moved toward "interesting", beyond what they moved anyway, by composer and network (in deviations)."""


def planted(composer: str, _network: str) -> np.ndarray:
    """Dreams of ``bright`` tell the truth; those of ``wide`` move what is bright more than what is wide."""
    moved = {"bright": {"bright": 0.9, "mixed": 0.4}, "wide": {"wide": 0.4, "bright": -0.8}}.get(composer, {})
    return np.array([moved.get(name, 0.0) for name in NAMES])


class MadeUp:
    """A run of tiny-truth, with ten models a treatment and without files: what its dreams changed is drawn."""

    def __init__(self, tmp_path: Path, moves: Moves = planted, auc: float = 0.9) -> None:
        self.study = studies.load(ROOT / "configs/tiny-truth.yaml", SETTINGS)
        self.moves, self.folder = moves, tmp_path
        random = generator(0, "corpus")
        columns = random.standard_normal((len(NAMES), 60)) * np.arange(1, 7)[:, None]
        columns[-1] = columns[0] + columns[3]
        self.corpus = SimpleNamespace(measures=dict(zip(NAMES, columns, strict=True)))
        self.sounds = {"classes": CLASSES}
        self.models = [self._model(model) for model in self.study.models()]
        self.dreams: dict[str, list[Dream]] = {}
        self.measured: dict[str, list[Dream]] = {}
        for sweep, asked in self.study.sweeps.items():
            drawn = [self._dream(sweep, model, start, goal) for model in self.study.swept(asked) for start in asked.starts for goal in CLASSES]
            if asked.keep == "numbers":
                self.measured[sweep] = drawn
            else:
                self.dreams[sweep] = []
        self.by_name: dict[str, Dream] = {}
        mean = {"roc_auc": {"value": auc, "low": auc - 0.05, "high": auc + 0.05}}
        tables = [{"treatment": name, "mean": mean} for name in self.study.training.treatments]
        sticks = [{"composer": name, "judge": judge, "mean": mean} for name in self.study.composers for judge in ("descriptors", "ceiling")]
        self.content: dict[str, Any] = {"tables": tables, "yardsticks": sticks, "sounds": {}}

    def _model(self, model: studies.Model) -> Model:
        return Model(model.treatment, model.protocol, model.split, model.seed, self.folder / model.name, {"files": {}}, None, None)

    def _dream(self, sweep: str, model: studies.Model, start: str, goal: str) -> Dream:
        treatment = self.study.training.treatments[model.treatment]
        learned = not control_of(treatment) and self.study.sweeps[sweep].direction == "gradient"
        composer, network = self.study.composer_of(model.treatment) or "", treatment.network or ""
        moved = self.moves(composer, network) / 2 if learned else np.zeros(len(NAMES))
        noise = 0.2 * generator(1, model.name, start, goal).standard_normal(len(NAMES)) + 0.1 * generator(2, model.split).standard_normal(len(NAMES))
        spread = np.array([values.std() for values in self.corpus.measures.values()])
        begun = generator(3, model.split, start).standard_normal(len(NAMES))
        sign = 1 if goal == "interesting" else -1
        ended = begun + spread * (0.9 + sign * (moved + noise))  # what any dream moves alike is .9
        content = {
            "measures": dict(zip(NAMES, ended.tolist(), strict=True)),
            "excerpt": {"measures": dict(zip(NAMES, begun.tolist(), strict=True))},
            "activation": [0.0, 2.0],
            "rms_from_start": 0.02,
            "share_under_20hz": 0.25,
            "audibility": {"share_audible": 0.5, "above_db": 12.0},
        }
        return Dream(sweep, model.name, "class", goal, "pre", start, self.folder / "none.json", content, None)

    def lose(self, lost: Callable[[Dream], bool]) -> None:
        """Let some dreams not be there."""
        for sweep, members in self.measured.items():
            gone = {dream.name for dream in members if lost(dream)}
            self.measured[sweep] = [
                Dream(d.sweep, d.model, d.layer, d.target, d.side, d.start, d.marker, {}, "not made yet") if d.name in gone else d for d in members
            ]

    def told(self) -> dict[str, Any]:
        """The part's numbers, in the form that results.json asks for."""
        found = part.numbers(self)["truth"]  # type: ignore[arg-type]
        Truth.model_validate(found)
        self.content["truth"] = found
        return found

    def chapter(self) -> Chapter:
        """The chapter, its numbers found first."""
        self.told()
        return part.chapters(self)[0]  # type: ignore[arg-type]


def by_composer(found: dict[str, Any], network: str) -> dict[str, Any]:
    return {row["composer"]: row for one in found["networks"] if one["network"] == network for row in one["rows"]}


def said(chapter: Chapter) -> str:
    """All that a chapter says in words."""
    parts = [block.text for block in chapter.blocks if isinstance(block, Text)]
    parts += [" ".join(" ".join(row) for row in block.rows) for block in chapter.blocks if isinstance(block, Listing)]
    return "\n".join(parts)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    return MadeUp(tmp_path_factory.mktemp("truth"))


@pytest.fixture(scope="module")
def chapter(run: MadeUp) -> Chapter:
    return run.chapter()


def test_dreams_that_move_what_was_learned_tell_the_truth_and_those_that_move_another_more_only_hint(run: MadeUp, chapter: Chapter):
    for network in ("many", "logmel"):
        rows = by_composer(run.content["truth"], network)
        assert rows["bright"]["verdict"] == "tells"
        assert rows["bright"]["cells"][0]["value"] == pytest.approx(0.9, abs=0.3)
        assert [moved["value"] for moved in rows["bright"]["toward"]] == pytest.approx([1.35, 0.45], abs=0.2)
        assert rows["wide"]["verdict"] == "hints"
        assert rows["wide"]["margin"]["rival"] == "bright"
        assert rows["wide"]["margin"]["value"] < 0
        assert rows["bright"]["models"] == 10
    text = said(chapter)
    assert "In 2 of these 4 the dreams tell the truth" in text
    assert "These are “bright” in many and logmel." in text
    assert "not beyond every rival: “wide” in many and logmel." in text


def test_what_every_dream_moves_alike_is_no_contrast(run: MadeUp, chapter: Chapter):
    rows = by_composer(run.content["truth"], "many")
    assert abs(rows["bright"]["cells"][2]["value"]) < 0.3
    for network in run.content["truth"]["networks"]:
        for control in network["controls"]:
            assert all(abs(cell["value"]) < 0.3 for cell in control["cells"])


def test_the_page_says_that_composers_are_synthetic_and_how_many_cells_would_exclude_zero_by_chance(run: MadeUp, chapter: Chapter):
    first = chapter.blocks[0]
    assert isinstance(first, Text)
    assert "synthetic" in first.text
    chance = run.content["truth"]["chance"]
    assert chance["learned"] == {"cells": 24, "excluding": chance["learned"]["excluding"], "expected": 1.2}
    assert f"Of 24 cells {chance['learned']['excluding']} exclude zero, where 1.2 would by chance" in said(chapter)
    assert "of 5 splits of one corpus" in said(chapter)


def test_a_composer_that_was_not_heard_has_nothing_to_tell(tmp_path: Path):
    run = MadeUp(tmp_path, auc=0.54)
    text = said(run.chapter())
    assert {row["verdict"] for row in by_composer(run.content["truth"], "many").values()} == {"unheard"}
    assert "cannot be said yet" in text
    assert "Not heard, so that their dreams have nothing to tell: “bright” in many and logmel" in text


def test_dreams_that_move_nothing_are_silent_and_those_that_move_it_the_other_way_mislead(tmp_path: Path):
    def moves(composer: str, network: str) -> np.ndarray:
        return -planted("bright", network) if composer == "bright" else np.zeros(len(NAMES))

    run = MadeUp(tmp_path, moves)
    rows = by_composer(run.told(), "many")
    assert rows["bright"]["verdict"] == "misleads"
    assert rows["wide"]["verdict"] == "silent"
    text = said(run.chapter())
    assert "None does." in text
    assert "moved the wrong way" in text
    assert "do not move its determinant beyond the controls: “wide”" in text


def test_regularised_dreams_and_augmented_models_stand_beside_plain_ones_of_the_same_composer(run: MadeUp, chapter: Chapter):
    rows = run.content["truth"]["regularised"]
    assert [(row["composer"], row["network"], row["way"]) for row in rows] == [
        ("bright", "many", "plain"),
        ("bright", "many", "masked"),
        ("bright", "many", "augmented (inaudible)"),
    ]
    assert rows[0]["less_plain"] is None
    assert rows[1]["contrast"]["value"] == pytest.approx(0.9, abs=0.3)
    assert rows[1]["less_plain"]["value"] == pytest.approx(rows[1]["contrast"]["value"] - rows[0]["contrast"]["value"], abs=1e-5)
    assert (rows[1]["share_audible"]["value"], rows[1]["share_under_20hz"]["value"]) == (0.5, 0.25)
    assert [network["network"] for network in run.content["truth"]["networks"]] == ["many", "logmel"]
    assert re.search(r"Dreams move the composer's determinant [a-z ]+ than plain ones do: [^.]*“bright” in many, masked", said(chapter))


def test_what_is_missing_is_said_in_its_place(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.lose(lambda dream: dream.model.startswith(("learned-wide-logmel", "learned-bright-many/by-family/split1-seed0")) or dream.sweep == "random")
    text = said(run.chapter())
    rows = by_composer(run.content["truth"], "many")
    assert (rows["bright"]["models"], rows["bright"]["expected"]) == (9, 10)
    assert {row["verdict"] for row in rows.values()} == {"uncontrolled"}
    assert by_composer(run.content["truth"], "logmel")["wide"]["verdict"] == "missing"
    assert "Not made yet: “wide” in logmel." in text
    assert "Without all controls yet: “bright” in many and logmel; “wide” in many." in text
    assert "9 of 10" in text


def test_nothing_is_said_of_a_study_without_such_dreams(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.study = run.study.model_copy(update={"sweeps": {}})
    assert part.numbers(run) == {}  # type: ignore[arg-type]
    assert part.chapters(run) == []  # type: ignore[arg-type]


def test_a_run_without_any_dream_yet_has_its_chapter(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.lose(lambda _: True)
    assert "cannot be said yet" in said(run.chapter())
    draw(run.chapter())


def draw(chapter: Chapter) -> list[Figure]:
    figures = []
    with style.house():
        for picture in (block for block in chapter.blocks if isinstance(block, Picture)):
            assert picture.draw is not None
            figures.append(Figure(figsize=picture.size))
            picture.draw(figures[-1])
    return figures


def test_a_matrix_prints_every_contrast_outlines_the_diagonal_and_marks_what_is_beyond_the_controls(run: MadeUp, chapter: Chapter):
    network = run.content["truth"]["networks"][0]
    axes = draw(chapter)[0].axes[0]
    printed = [text.get_text() for text in axes.texts]
    wanted = [cell["value"] for row in (*network["rows"], *network["controls"]) for cell in row["cells"]]
    numbers = [float(text.replace("−", "-")) for text in printed if re.fullmatch(r"−?\d+\.\d\d", text)]
    assert numbers == pytest.approx(wanted, abs=0.0051)
    outlined = [patch for patch in axes.patches if not patch.get_fill()]
    assert [round(patch.get_x() + 0.475) for patch in outlined] == [0, 3]
    assert len(axes.lines) == sum(sum(row["beyond"]) for row in network["rows"])


def test_every_table_is_as_wide_as_its_heads(chapter: Chapter):
    for block in chapter.blocks:
        if isinstance(block, Listing):
            assert len(block.heads) == len(block.widths)
            assert {len(row) for row in block.rows} == {len(block.heads)}
            assert sum(block.widths) <= 1.011


def test_a_mixture_and_its_parts_are_no_rivals():
    assert parts_of("mixed") == ["bright", "pulsing", "wide"]
    assert rivals_of("mixed", NAMES) == ["dense", "rough"]
    assert rivals_of("bright", NAMES) == ["pulsing", "dense", "wide", "rough"]


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, "tells"),
        ({"margin": {"rival": "wide", **interval(0.05)}}, "hints"),
        ({"margin": None}, "hints"),
        ({"beyond": [False, False]}, "silent"),
        ({"cells": [interval(-0.5), interval(0.0)]}, "misleads"),
        ({"against": {"shuffled": []}}, "uncontrolled"),
        ({"models": 0}, "missing"),
    ],
)
def test_a_verdict_follows_from_intervals_alone(change: dict[str, Any], wanted: str):
    row: dict[str, Any] = {
        "composer": "bright",
        "models": 10,
        "cells": [interval(0.5), interval(0.0)],
        "beyond": [True, False],
        "margin": {"rival": "wide", **interval(0.3)},
        "against": {"shuffled": [], "untrained": [], "random": []},
    }
    assert verdict({**row, **change}, interval(0.7), ["bright", "wide"]) == wanted
    assert verdict({**row, "composer": "bright"}, interval(0.6), ["bright", "wide"]) == "unheard" if wanted == "tells" else True
