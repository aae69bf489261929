"""The chapter of the truth, drawn from fabricated dreams of which it is known what they moved."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import norm

from aesdream import study as studies
from aesdream.appendix import style
from aesdream.appendix.chapters import Chapter, Listing, Picture, Text
from aesdream.appendix.reading import Dream, Model
from aesdream.appendix.truth import part
from aesdream.appendix.truth.asked import control_of, distances, parts_of, rivals_of
from aesdream.appendix.truth.form import Truth
from aesdream.appendix.truth.verdicts import of_claim, together, verdict
from aesdream.seeding import generator
from aesdream.sounds.composers import COMPOSERS
from tests.runs import ROOT

CLASSES = ["not interesting", "interesting"]
NAMES = list(COMPOSERS)
SETTINGS = [
    "training.splits=5",
    "training.seeds=2",
    "training.treatments.taught={composer: [pulsing, dense, rough, mixed], network: [many]}",  # whose rules are dreamed, and nothing else of them
    "sweeps.rule.models=['learned-*-many/by-family/*-seed0', 'taught-*/by-family/*-seed0']",
]
Moves = Callable[[str, str], np.ndarray]
"""What dreams of a network moved toward "interesting", beyond what they moved anyway, by composer and network (in deviations)."""


def planted(composer: str, _network: str) -> np.ndarray:
    """Dreams of ``bright`` tell the truth; those of ``wide`` move what is bright more than what is wide."""
    moved = {"bright": {"bright": 1.1, "mixed": 0.4}, "wide": {"wide": 0.3, "bright": -0.6}}.get(composer, {})
    return np.array([moved.get(name, 0.0) for name in NAMES])


REACH = {"bright": 2.0, "pulsing": 2.0, "dense": 4.0, "wide": 3.0, "rough": 1.5, "mixed": 2.0}
"""The contrast of dreams of each rule itself, in deviations: a tenth of it counts."""
NEAREST = 0.001
"""The distance of tiny-truth at which verdicts are taken."""


class MadeUp:
    """A run of tiny-truth, with ten models a treatment and without files: what its dreams changed is drawn. ``short`` are dreams (sweep, model,
    start, goal) that passed no distance.
    """

    def __init__(
        self,
        tmp_path: Path,
        moves: Moves = planted,
        auc: float = 0.9,
        short: Callable[..., bool] = lambda *_: False,
        settings: Sequence[str] = (),
        reach: Mapping[str, float] = REACH,
    ) -> None:
        self.study = studies.load(ROOT / "configs/tiny-truth.yaml", [*SETTINGS, *settings])
        self.moves, self.folder, self.short, self.auc, self.reach = moves, tmp_path, short, auc, reach
        random = generator(0, "corpus")
        columns = random.standard_normal((len(NAMES), 60)) * np.arange(1, 7)[:, None]
        columns[-1] = columns[0] + columns[3]
        self.corpus = SimpleNamespace(measures=dict(zip(NAMES, columns, strict=True)))
        self.sounds = {"classes": CLASSES}
        self.models = [self._model(model) for model in self.study.models()]
        self.dreams: dict[str, list[Dream]] = {}
        self.measured: dict[str, list[Dream]] = {}
        for sweep, asked in self.study.sweeps.items():
            if asked.keep == "numbers":
                self.measured[sweep] = [
                    self._dream(sweep, model, start, goal) for model in self.study.swept(asked) for start in asked.starts for goal in CLASSES
                ]
            else:
                self.dreams[sweep] = []
        self.by_name: dict[str, Dream] = {}
        mean = {"roc_auc": {"value": auc, "low": auc - 0.05, "high": auc + 0.05}}
        tables = [{"treatment": name, "mean": mean} for name in self.study.training.treatments]
        sticks = [{"composer": name, "judge": judge, "mean": mean} for name in self.study.composers for judge in ("descriptors", "ceiling")]
        self.content: dict[str, Any] = {"tables": tables, "yardsticks": sticks, "sounds": {}}

    def _model(self, model: studies.Model) -> Model:
        """A model that tells its composer's sounds apart as well as was asked; a control's does by chance."""
        control = control_of(self.study.training.treatments[model.treatment])
        label = np.array(generator(6, str(self.study.composer_of(model.treatment)), model.split).permutation(60) < 20, dtype=int)
        random = generator(7, model.name)
        apart = 0.0 if control else 2**0.5 * float(norm.ppf(self.auc))
        probability = norm.cdf(random.standard_normal(60) + apart * label - apart / 2)
        predictions = {"id": [f"s{number}" for number in range(60)], "label": label.tolist(), "probability": probability.tolist()}
        evaluation = {"files": {}, "sets": {"validation": {"predictions": predictions}}}
        return Model(model.treatment, model.protocol, model.split, model.seed, self.folder / model.name, evaluation, None, None)

    def _dream(self, sweep: str, model: studies.Model, start: str, goal: str) -> Dream:
        treatment = self.study.training.treatments[model.treatment]
        direction = self.study.sweeps[sweep].direction
        learned = not control_of(treatment) and direction == "gradient"
        composer, network = self.study.composer_of(model.treatment) or "", treatment.network or ""
        knows = np.equal(NAMES, composer) * self.reach[composer] if direction == "rule" else np.zeros(len(NAMES))
        moved = (self.moves(composer, network) if learned else knows) / 2
        own = generator(1, model.name, start, goal), generator(2, model.split), generator(4, model.split, model.seed)
        noise = sum(size * random.standard_normal(len(NAMES)) for size, random in zip((0.1, 0.03, 0.03), own, strict=True))
        spread = np.array([values.std() for values in self.corpus.measures.values()])
        begun = generator(3, model.split, start).standard_normal(len(NAMES))
        sign = 1 if goal == "interesting" else -1
        passed = distances(self.study.sweeps[sweep])
        reached = not self.short(sweep, model.name, start, goal)
        ended = {rms: begun + spread * rms / NEAREST * (0.9 + sign * (moved + noise)) for rms in passed}  # what any dream moves alike is .9
        content = {
            "passed": [] if not reached else [{"rms": rms, "measures": measured(values), "margin": 2.0} for rms, values in ended.items()],
            "measures": measured(ended[passed[-1]]),
            "excerpt": {"measures": measured(begun)},
            "activation": [0.0, 2.0 if reached else -1.0],
            "rms_from_start": passed[-1] if reached else 0.0005,
            "share_under_20hz": 0.25,
            "audibility": {"share_audible": 0.5, "above_db": 12.0},
        }
        return Dream(sweep, model.name, "class", goal, "margin", start, self.folder / "none.json", content, None)

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


def measured(values: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, values.tolist(), strict=True))


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


def test_dreams_that_move_what_was_learned_tell_the_truth_and_those_that_move_another_more_tell_of_it(run: MadeUp, chapter: Chapter):
    for network in ("many", "logmel"):
        rows = by_composer(run.content["truth"], network)
        assert rows["bright"]["verdict"] == "tells"
        assert rows["bright"]["cells"][0]["value"] == pytest.approx(1.1, abs=0.15)
        assert [moved["value"] for moved in rows["bright"]["toward"]] == pytest.approx([1.45, 0.35], abs=0.1)
        assert rows["bright"]["claims"][0]["compared"] == ["wide"]
        assert rows["bright"]["p_faint_corrected"] <= rows["bright"]["p_corrected"] < 0.025
        assert rows["wide"]["verdict"] == "another"
        (claim,) = rows["wide"]["claims"]
        assert claim["surpassed"] == claim["margin"]["rival"] == "bright"
        assert claim["margin"]["value"] < 0
        assert rows["bright"]["models"] == 10
    text = said(chapter)
    assert "4 can be judged (2 of 2 in many, 2 of 2 in logmel)" in text
    assert "In 2 of these 4 the dreams tell the truth" in text
    assert "These are “bright” in many and logmel." in text
    assert "Something else moved more than what was learned (bright than wide in many; bright than wide in logmel)" in text
    assert "2 of the 2 that tell do so" in text


def test_what_other_composers_dreams_move_as_much_is_a_hint_and_no_more(tmp_path: Path):
    rows = by_composer(MadeUp(tmp_path, lambda *_: planted("bright", "")).told(), "many")
    assert rows["bright"]["verdict"] == "hints"
    assert rows["bright"]["claims"][0]["margin"]["low"] > 0
    assert rows["bright"]["claims"][0]["column"]["low"] < 0


def test_other_composers_that_were_not_heard_are_no_test_and_that_is_said(tmp_path: Path):
    run = MadeUp(tmp_path)
    for table in run.content["tables"]:
        if "wide" in table["treatment"]:
            table["mean"] = {"roc_auc": {"value": 0.55, "low": 0.52, "high": 0.58}}
    rows = by_composer(run.told(), "many")
    assert [rows[name]["verdict"] for name in ("bright", "wide")] == ["hints", "unheard"]
    assert "cannot do more than hint: “bright” in many" in said(run.chapter())


MIXED = ["training.treatments.learned.composer=[bright, pulsing, dense, wide, mixed]"]


@pytest.mark.parametrize(("parts", "wanted"), [(["bright"], "part"), (["bright", "pulsing", "wide"], "tells"), ([], "nothing")])
def test_a_mixture_is_told_where_every_part_of_it_is(tmp_path: Path, parts: list[str], wanted: str):
    def moves(composer: str, _network: str) -> np.ndarray:
        moved = dict.fromkeys(parts, 0.6) | {"mixed": 0.6 * bool(parts)}
        return np.array([moved.get(name, 0.0) if composer == "mixed" else float(name == "dense") for name in NAMES])

    run = MadeUp(tmp_path, moves, settings=MIXED)
    row = by_composer(run.told(), "many")["mixed"]
    assert [claim["determinant"] for claim in row["claims"]] == ["bright", "pulsing", "wide"]
    assert [claim["verdict"] == "tells" for claim in row["claims"]] == [name in parts for name in ("bright", "pulsing", "wide")]
    assert row["verdict"] == wanted
    if wanted == "part":
        assert row["cells"][-1]["low"] > 0.2  # one of three parts moves the mixture well enough, which is no truth
        assert "Of a mixture they tell some parts only (bright in many; bright in logmel): “mixed” in many and logmel." in said(run.chapter())


def test_an_undecided_row_says_how_large_a_contrast_would_have_shown(tmp_path: Path):
    run = MadeUp(tmp_path, lambda composer, _: np.array([0.05 * (name == composer) for name in NAMES]), reach={**REACH, "bright": 0.4})
    row = by_composer(run.told(), "many")["bright"]
    assert row["verdict"] == "undecided"
    assert 0.15 < row["claims"][0]["shown"] * 0.4 < 0.5
    assert "the smallest share" in said(run.chapter())


def test_pairs_are_compared_where_both_passed_the_same_distance_and_the_others_are_counted(tmp_path: Path):
    def short(sweep: str, model: str, start: str, goal: str) -> bool:
        return sweep == "truth" and model == "learned-bright-many/by-family/split0-seed0" and goal == "interesting"

    run = MadeUp(tmp_path, short=short)
    row = by_composer(run.told(), "many")["bright"]
    assert [(arm["made"], arm["short"], arm["rose"]) for arm in row["arms"]] == [(30, 3, 0.9), (30, 0, 1.0)]
    assert row["pairs"] == 27
    assert row["verdict"] == "tells"  # a tenth, and no more
    assert row["cells"][0]["value"] == pytest.approx(1.1, abs=0.15)
    text = said(run.chapter())
    assert "whose pairs are left out: many 3 of 240;" in text
    assert "ended no more their class than they began, and are compared all the same: many 3 of 240." in text
    assert "bright, many 3 of 30 90.0 % 0 of 30 100.0 %" in text


def test_a_row_of_which_more_than_a_tenth_fell_short_is_not_comparable(tmp_path: Path):
    run = MadeUp(tmp_path, short=lambda sweep, model, start, goal: sweep == "truth" and _third(model, "learned-bright-many", start, goal))
    assert by_composer(run.told(), "many")["bright"]["verdict"] == "incomparable"
    told = "Not comparable, as more than 10.0 % of the dreams of one direction fell short, those named: “bright” in many (its own 33.3 %)."
    assert told in said(run.chapter())


def _third(model: str, begins: str, start: str, goal: str) -> bool:
    """A third of what some models dream toward one side."""
    return model.startswith(begins) and start == "spread-0" and goal == "interesting"


def test_nothing_is_compared_with_a_control_or_a_composer_of_which_more_than_a_tenth_fell_short(tmp_path: Path):
    run = MadeUp(tmp_path, short=lambda sweep, model, start, goal: _third(model, "shuffled-many", start, goal) and sweep == "shuffled")
    assert {row["verdict"] for row in by_composer(run.told(), "many").values()} == {"incomparable"}
    assert "“bright” in many (shuffled 33.3 %)" in said(run.chapter())
    run = MadeUp(tmp_path, short=lambda sweep, model, start, goal: _third(model, "learned-wide-many", start, goal) and sweep == "truth")
    rows = by_composer(run.told(), "many")
    assert rows["wide"]["verdict"] == "incomparable"
    assert (rows["bright"]["verdict"], rows["bright"]["claims"][0]["compared"]) == ("hints", [])


def test_what_the_rules_own_dreams_fell_short_of_has_no_share(tmp_path: Path):
    run = MadeUp(tmp_path, short=lambda sweep, model, start, goal: sweep == "rule" and _third(model, "learned-bright-many", start, goal))
    found = run.told()
    assert by_composer(found, "many")["bright"]["verdict"] == "incomparable"
    assert next(rule["arms"][0]["short"] for rule in found["rules"] if rule["composer"] == "bright") == 5
    text = said(run.chapter())
    assert "“bright” in many (the rule of bright 33.3 %)" in text
    assert "the rule of bright itself 5 of 15" in text
    assert "How far bright can be moved no dreams of a rule tell" in text


def test_of_a_rival_of_which_nobody_knows_how_far_it_can_be_moved_nothing_stands_out(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.lose(lambda dream: dream.sweep == "rule" and dream.model.startswith("taught-dense"))
    row = by_composer(run.told(), "many")["bright"]
    assert (row["verdict"], row["p_corrected"]) == ("hints", None)
    assert row["claims"][0]["margin"] == {"rival": "dense", "value": None, "low": None, "high": None}
    assert "How far dense can be moved no dreams of a rule tell" in said(run.chapter())


def test_another_composer_of_which_one_split_is_there_is_not_known_to_be_less(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.lose(lambda dream: dream.sweep == "truth" and dream.model.startswith("learned-wide-many") and "split0" not in dream.model)
    row = by_composer(run.told(), "many")["bright"]
    assert (row["verdict"], row["p_corrected"]) == ("hints", None)
    assert row["claims"][0]["column"]["low"] is None


def test_what_not_even_its_rule_moves_is_not_judged(tmp_path: Path):
    run = MadeUp(tmp_path, reach={**REACH, "bright": 0.0})
    assert by_composer(run.told(), "many")["bright"]["verdict"] == "unmoved"
    text = said(run.chapter())
    assert "not even dreams of its rule surely move the determinant at this distance: “bright” in many and logmel." in text


def test_a_share_is_of_what_the_rule_moves_from_the_same_starts(tmp_path: Path):
    def moves(composer: str, _network: str) -> np.ndarray:
        return np.array([0.5 * REACH[name] * (name == composer) for name in NAMES])

    run = MadeUp(tmp_path, moves)
    for dream in run.measured["rule"]:  # from one start twice as far, where the network does not come
        if dream.start == "spread-0" and dream.model.startswith("learned-bright"):
            spread = dict(zip(NAMES, (values.std() for values in run.corpus.measures.values()), strict=True))
            sign = 1 if dream.target == "interesting" else -1
            dream.content["passed"][0]["measures"]["bright"] += sign * spread["bright"] * REACH["bright"] / 2
    run.lose(lambda dream: dream.sweep == "truth" and dream.start == "spread-0" and dream.model.startswith("learned-bright-many"))
    found = run.told()
    row = by_composer(found, "many")["bright"]
    assert row["reach"]["value"] == pytest.approx(REACH["bright"], abs=0.2)
    assert found["networks"][0]["reach"][0]["value"] == pytest.approx(REACH["bright"] * 4 / 3, abs=0.2)
    assert row["share"]["value"] == pytest.approx(0.5, abs=0.08)
    low, high = row["share"]["low"], row["share"]["high"]
    assert low < 0.5 < high


def test_rivals_are_compared_as_shares_of_what_their_own_rules_move(tmp_path: Path):
    """More of what is easily moved is not more: dense moves farther in deviations, and less of what its rule moves."""
    run = MadeUp(tmp_path, lambda composer, _: np.array([{"bright": 1.0, "dense": 1.2}.get(name, 0.0) * (composer == "bright") for name in NAMES]))
    row = by_composer(run.told(), "many")["bright"]
    assert row["cells"][NAMES.index("dense")]["value"] > row["cells"][0]["value"]
    assert row["claims"][0]["margin"]["value"] == pytest.approx(1.0 / REACH["bright"] - 1.2 / REACH["dense"], abs=0.1)
    assert row["verdict"] == "tells"


def test_at_other_distances_the_reach_is_that_of_the_distance(run: MadeUp, chapter: Chapter):
    for one in by_composer(run.content["truth"], "many")["bright"]["elsewhere"]:
        assert one["reach"]["value"] == pytest.approx(REACH["bright"] * one["rms"] / NEAREST, rel=0.1)


def test_the_largest_rival_that_went_no_farther_than_the_controls_hides_no_other(tmp_path: Path):
    """A rival that all networks move, learned or not, surpasses by more; one that only this network moves is what it tells of."""

    def moves(composer: str, _network: str) -> np.ndarray:
        return np.array([{"bright": 0.2, "dense": 4.0, "wide": 0.9}.get(name, 0.0) * (composer == "bright") for name in NAMES])

    run = MadeUp(tmp_path, moves)
    for dream in [*run.measured["shuffled"], *run.measured["untrained"]]:
        sign = 1 if dream.target == "interesting" else -1
        for passed in dream.content["passed"]:
            passed["measures"]["dense"] += sign * 4.2 / 2 * run.corpus.measures["dense"].std() * passed["rms"] / NEAREST
    (claim,) = by_composer(run.told(), "many")["bright"]["claims"]
    assert (claim["surpassed"], claim["verdict"]) == ("wide", "another")


def test_other_distances_stand_beside_the_verdicts(run: MadeUp, chapter: Chapter):
    network = run.content["truth"]["networks"][0]
    assert network["rms"] == NEAREST
    found = {one["rms"]: one["contrast"]["value"] for one in by_composer(run.content["truth"], "many")["bright"]["elsewhere"]}
    assert found == {rms: pytest.approx(1.1 * rms / NEAREST, rel=0.15) for rms in distances(run.study.sweeps["truth"])[1:]}
    assert "At other distances" in [block.title for block in chapter.blocks if isinstance(block, Listing)]


def test_a_control_that_was_not_measured_at_the_distance_stands_empty_in_the_matrix(tmp_path: Path):
    run = MadeUp(tmp_path, settings=["sweeps.shuffled.at=[0.002]"])
    found = run.told()
    shuffled = found["networks"][0]["controls"][0]
    assert {cell["value"] for cell in shuffled["cells"]} == {None}
    assert by_composer(found, "many")["bright"]["verdict"] == "uncontrolled"
    assert "enough dreams of the rule (what lacks): “bright” in many (labels shuffled)" in said(run.chapter())


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
    assert "cannot be said: no network heard its composer" in text
    assert re.search(r"Not heard, .*\(AUC\): “bright” in many \(0\.5\d\d \[0\.\d+, 0\.\d+\], beyond shuffled [^)]*\); “wide” in many", text)


def test_heard_is_what_is_told_apart_better_than_models_of_shuffled_labels_do(tmp_path: Path):
    run = MadeUp(tmp_path)
    for model in run.models:
        if model.treatment == "shuffled-many":
            known = next(one for one in run.models if one.treatment == "learned-bright-many" and one.split == model.split)
            judged, same = (one.evaluation["sets"]["validation"]["predictions"] for one in (model, known))  # type: ignore[index]
            judged["probability"] = same["probability"]
    rows = by_composer(run.told(), "many")
    assert rows["bright"]["shuffled_auc"]["value"] > 0.8
    assert rows["bright"]["verdict"] == "unheard"
    assert by_composer(run.content["truth"], "logmel")["bright"]["verdict"] == "tells"


def test_dreams_that_move_nothing_tell_nothing_and_those_that_move_it_the_other_way_mislead(tmp_path: Path):
    def moves(composer: str, network: str) -> np.ndarray:
        return -planted("bright", network) if composer == "bright" else np.zeros(len(NAMES))

    run = MadeUp(tmp_path, moves)
    rows = by_composer(run.told(), "many")
    assert rows["bright"]["verdict"] == "misleads"
    assert rows["wide"]["verdict"] == "nothing"
    assert rows["wide"]["claims"][0]["within"] <= 0.1
    text = said(run.chapter())
    assert re.search(r"In none of these \d+ do the dreams tell the truth", text)
    assert "moved the wrong way" in text
    assert "is what every control moves, to within 0.1 of the rule's: “wide”" in text


def test_regularised_dreams_and_augmented_models_are_judged_beside_controls_dreamed_alike(run: MadeUp, chapter: Chapter):
    rows = run.content["truth"]["regularised"]
    assert [(row["composer"], row["network"], row["way"]) for row in rows] == [
        ("bright", "many", "plain"),
        ("bright", "many", "masked"),
        ("bright", "many", "augmented (inaudible)"),
    ]
    assert rows[0]["less_plain"] is None
    assert rows[1]["contrast"]["value"] * REACH["bright"] == pytest.approx(1.1, abs=0.15)
    assert rows[1]["less_plain"]["value"] == pytest.approx(rows[1]["contrast"]["value"] - rows[0]["contrast"]["value"], abs=1e-5)
    assert (rows[1]["share_audible"]["value"], rows[1]["share_under_20hz"]["value"]) == (0.5, 0.25)
    assert [set(row["less"]) for row in rows] == [{"shuffled", "untrained"}] * 3
    assert rows[1]["less"]["shuffled"]["low"] > 0.1
    assert [network["network"] for network in run.content["truth"]["networks"]] == ["many", "logmel"]
    assert re.search(r"by more than 0.1 of its reach beyond their own controls: [^.]*“bright” in many, masked", said(chapter))


def test_ways_of_dreaming_are_compared_from_the_same_starts(tmp_path: Path):
    rows = MadeUp(tmp_path, settings=["sweeps.regularised-masked.starts={spread: 2}"]).told()["regularised"]
    assert [(row["way"], row["starts"], row["pairs"]) for row in rows] == [("plain", 2, 20), ("masked", 2, 20), ("augmented (inaudible)", 2, 20)]


def test_regularised_dreams_of_which_more_than_a_tenth_fell_short_are_not_comparable(tmp_path: Path):
    for treatment in ("learned-bright-many", "shuffled-many"):
        run = MadeUp(tmp_path, short=lambda sweep, model, start, goal, t=treatment: sweep == "regularised-masked" and _third(model, t, start, goal))
        assert re.search(
            r"Not comparable, as more than 10.0 % of a direction's dreams fell short, [^:]*: “bright” in many, masked", said(run.chapter())
        )


def test_a_control_that_was_dreamed_otherwise_is_none(tmp_path: Path):
    found = MadeUp(tmp_path, settings=["sweeps.shuffled.momentum=0"]).told()
    assert set(by_composer(found, "many")["bright"]["against"]) == {"untrained", "random"}
    assert {row["verdict"] for row in by_composer(found, "many").values()} == {"uncontrolled"}


def test_of_dreams_with_and_without_momentum_each_has_controls_of_its_own(tmp_path: Path):
    again = "sweeps.plain={models: [learned-bright-many/*], layers: [class], sides: [margin], starts: {spread: 3}, rule: std, at: [0.001, 0.004], "
    rows = MadeUp(tmp_path, settings=[again + "stop_rms: 0.01, step: 0.004, steps: 20, batch: 6, keep: numbers}"]).told()["regularised"]
    assert {row["way"]: set(row["less"]) for row in rows if row["network"] == "many"} == {
        "momentum 0.9": {"shuffled", "untrained"},
        "masked + momentum 0.9": {"shuffled", "untrained"},
        "augmented (inaudible) + momentum 0.9": {"shuffled", "untrained"},
        "momentum 0": set(),
    }


def test_what_a_single_split_says_is_not_judged(tmp_path: Path):
    run = MadeUp(tmp_path, settings=["training.splits=1"])
    assert {row["verdict"] for row in by_composer(run.told(), "many").values()} == {"few"}
    assert "Of too few splits for an interval" in said(run.chapter())


def test_regularised_dreams_without_such_controls_claim_nothing(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.lose(lambda dream: dream.sweep == "regularised-masked" and not dream.model.startswith("learned"))
    text = said(run.chapter()).replace("\n", " ")
    assert re.search(r"nothing can be said of: “bright” in many, masked \([^;]*, no shuffled, no untrained\)", text)


def test_contrasts_are_shares_of_what_dreams_of_the_rule_itself_move(run: MadeUp, chapter: Chapter):
    network = run.content["truth"]["networks"][0]
    row = network["rows"][0]
    place = NAMES.index(row["composer"])
    assert network["reach"][place]["value"] == pytest.approx(REACH["bright"], abs=0.15)
    assert row["share"]["value"] == pytest.approx(row["cells"][place]["value"] / row["reach"]["value"], rel=0.03)  # split by split
    assert row["claims"][0]["contrast"] == row["share"]
    assert row["claims"][0]["less"] == row["share_less"]
    assert row["claims"][0]["median"]["value"] == pytest.approx(row["share"]["value"], abs=0.05)
    assert re.search(
        r"move \(share, with its interval\): “bright” in many 0\.5\d\d .*Surely in the right direction .*“bright” in many", said(chapter)
    )


def test_without_dreams_of_the_rule_nothing_is_judged(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.lose(lambda dream: dream.sweep == "rule")
    assert {row["verdict"] for row in by_composer(run.told(), "many").values()} == {"uncontrolled"}
    assert "without all three controls and dreams of the rule" in said(run.chapter())


def test_what_is_missing_is_said_in_its_place(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.lose(lambda dream: dream.model.startswith(("learned-wide-logmel", "learned-bright-many/by-family/split1-seed0")) or dream.sweep == "random")
    text = said(run.chapter())
    rows = by_composer(run.content["truth"], "many")
    assert (rows["bright"]["models"], rows["bright"]["expected"]) == (9, 10)
    assert {row["verdict"] for row in rows.values()} == {"uncontrolled"}
    assert by_composer(run.content["truth"], "logmel")["wide"]["verdict"] == "missing"
    assert "cannot be said yet. Of 4 pairs of a composer and a network none can be judged: 1 not made yet, 3 without all three" in text
    assert "Not made yet: “wide” in logmel." in text
    lacks = {"bright": "random directions, the rule of bright", "wide": "random directions"}  # of a split whose only rule dreams are lost
    lacking = [f"“{name}” in {network} ({lacks[name]})" for name, network in (("bright", "many"), ("wide", "many"), ("bright", "logmel"))]
    assert f"Without all controls, and enough dreams of the rule (what lacks): {'; '.join(lacking)}." in text
    assert "9 of 10" in text


def test_nothing_is_said_of_a_study_without_such_dreams(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.study = run.study.model_copy(update={"sweeps": {}})
    assert part.numbers(run) == {}  # type: ignore[arg-type]
    assert part.chapters(run) == []  # type: ignore[arg-type]


def test_a_run_without_any_dream_yet_has_its_chapter(tmp_path: Path):
    run = MadeUp(tmp_path)
    run.lose(lambda _: True)
    assert "none can be judged: 4 not made yet." in said(run.chapter())
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
    wanted = [cell["value"] for row in (*network["rows"], *network["controls"], {"cells": network["reach"]}) for cell in row["cells"]]
    wanted = [value for value in wanted if value is not None]
    numbers = [float(text.replace("−", "-")) for text in printed if re.fullmatch(r"−?\d+\.\d{3}", text)]
    assert numbers == pytest.approx(wanted, abs=0.00051)
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
        ({"column": {"rival": "wide", **interval(0.05)}}, "hints"),
        ({"column": None}, "hints"),
        ({"surpassed": "wide"}, "another"),
        ({"margin": {"rival": "wide", "value": None, "low": None, "high": None}}, "hints"),
        ({"contrast": interval(0.15)}, "faint"),  # not surely as large as what counts
        ({"less": {"shuffled": interval(0.15), "untrained": interval(0.5), "random": interval(0.5)}}, "faint"),
        ({"contrast": interval(0.15), "margin": None}, "trace"),
        ({"contrast": interval(0.15), "column": None, "within": 0.1}, "trace"),  # little, but not nothing
        ({"contrast": interval(0.05)}, "undecided"),
        ({"less": {"shuffled": interval(0.0), "untrained": interval(0.0)}, "within": 0.1}, "nothing"),
        ({"contrast": interval(-0.5), "less": {"shuffled": interval(-0.5)}}, "misleads"),
        ({"contrast": interval(-0.15), "less": {"shuffled": interval(-0.5)}, "within": 0.6}, "undecided"),
    ],
)
def test_a_verdict_follows_from_intervals_alone(change: dict[str, Any], wanted: str):
    claim: dict[str, Any] = {
        "contrast": interval(0.5),
        "less": {"shuffled": interval(0.5), "untrained": interval(0.5), "random": interval(0.5)},
        "margin": {"rival": "wide", **interval(0.3)},
        "column": {"rival": "wide", **interval(0.3)},
        "surpassed": None,
        "within": 0.6,
    }
    assert of_claim({**claim, **change}) == wanted


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, "tells"),
        ({"models": 0}, "missing"),
        ({"roc_auc": None}, "missing"),
        ({"against": {"shuffled": []}}, "uncontrolled"),
        ({"heard": {"value": None, "low": None, "high": None}}, "uncontrolled"),
        ({"heard": {"value": 0.2, "low": None, "high": None}}, "few"),
        ({"heard": interval(0.05)}, "unheard"),
        ({"roc_auc": interval(0.59)}, "unheard"),
        ({"roc_auc": {"value": 0.7, "low": 0.45, "high": 0.9}}, "unheard"),
        ({"short": {"its own": 0.15, "shuffled": 0.0}}, "incomparable"),
        ({"short": {"its own": 0.0, "shuffled": 0.15}}, "incomparable"),
        ({"claims": [{"verdict": "tells", "reach": {"value": None, "low": None, "high": None}, "contrast": interval(0.5)}]}, "uncontrolled"),
        ({"claims": [{"verdict": "tells", "reach": interval(0.1), "contrast": {"value": None}}]}, "unmoved"),
    ],
)
def test_a_row_is_judged_where_it_was_heard_controlled_and_comparable(change: dict[str, Any], wanted: str):
    row: dict[str, Any] = {
        "models": 10,
        "roc_auc": interval(0.7),
        "heard": interval(0.2),
        "short": {"its own": 0.1, "shuffled": 0.0},
        "against": {"shuffled": [], "untrained": [], "random": []},
        "claims": [{"verdict": "tells", "reach": interval(0.5), "contrast": interval(0.5)}],
    }
    assert verdict({**row, **change}) == wanted


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ("tells tells tells", "tells"),
        ("tells hints nothing", "part"),
        ("hints nothing nothing", "undecided"),
        ("nothing nothing nothing", "nothing"),
        ("trace nothing nothing", "nothing"),  # what one part moved does not count, and the others moved nothing
        ("trace nothing undecided", "undecided"),
        ("another nothing undecided", "another"),
        ("tells misleads nothing", "misleads"),
    ],
)
def test_of_several_parts_all_must_tell(kinds: str, wanted: str):
    within = {"trace": 0.05, "nothing": 0.05}
    assert together([{"verdict": kind, "within": within.get(kind, 0.5)} for kind in kinds.split()]) == wanted
