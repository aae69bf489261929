"""The statistics of dreams of instruments, where they are known in closed form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aesdream import config, files
from aesdream.appendix.instruments import patterns, summary, targeted
from aesdream.appendix.instruments.dreamt import Dreamt
from aesdream.appendix.instruments.geometry import cosine, geometry, over_sum, random_cosines
from aesdream.appendix.instruments.sample import Sample
from aesdream.appendix.reading import Dream, models
from aesdream.seeding import generator
from aesdream.study import Study
from tests.fabricated import TREE

CLASSES = ["cel", "cla", "flu", "gac"]
SHAPE = (1, 6, 8)


def normal(*path: str | int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return generator(0, *path).standard_normal(shape)


def made(kind: str, number: int, change: np.ndarray, start: np.ndarray | None = None, *, success: bool = True, wrong: int = 1) -> Dreamt:
    """A dream of excerpt ``number``, whose classes follow from it."""
    right = CLASSES[number % 4]
    goal = right if kind == "right" else CLASSES[(number + wrong) % 4]
    start = normal("start", number) if start is None else start
    said = [0.95 if name == goal else 0.05 for name in CLASSES]
    before = [0.6 if name == right else 0.2 for name in CLASSES]
    content: dict[str, Any] = {
        "target": kind, "start": f"held-out-{number}", "goal": [goal], "success": success, "steps_taken": 3,
        "excerpt": {"family": f"song {number // 2}", "right": right, "wrong": CLASSES[(number + wrong) % 4]},
        "outputs": {"start": before, "dream": said}, "confidence": {"start": 0.2, "dream": 0.95},
        "distance": {"rmse_db": float(np.sqrt(np.square(change).mean())), "mean_abs_db": 0.1, "share_over_1db": 0.01},
    }  # fmt: skip
    return Dreamt(f"dream {kind} {number}", content, start, start + change)


def test_the_quotient_is_one_for_orthogonal_two_for_opposite_and_zero_for_equal_changes():
    one, other = np.zeros(SHAPE), np.zeros(SHAPE)
    one[0, 0, 0], other[0, 1, 1] = 3.0, 5.0
    assert (cosine(one, other), over_sum(one, other)) == (0, 1)
    assert (cosine(one, -one), over_sum(one, -one)) == (-1, 2)
    assert (cosine(one, one), over_sum(one, one)) == (1, 0)
    assert np.isnan(cosine(one, 0 * one))
    change, another = normal("a"), normal("b")
    sizes = (change**2).sum() + (another**2).sum()
    assert over_sum(change, another) == pytest.approx(1 - 2 * np.linalg.norm(change) * np.linalg.norm(another) * cosine(change, another) / sizes)


@pytest.mark.parametrize("dimension", [2, 48, 5504])
def test_random_changes_have_cosine_zero_and_a_spread_of_one_over_the_root_of_the_dimension(dimension: int):
    drawn = random_cosines(dimension, (20_000,), generator(1, "cosines"))
    assert abs(drawn.mean()) < 4 / np.sqrt(20_000 * dimension)
    assert drawn.std() == pytest.approx(1 / np.sqrt(dimension), rel=0.03)


def test_changes_of_independent_directions_are_not_called_separated():
    pairs = [(normal("r", i), normal("w", i) * 3) for i in range(24)]
    found = geometry(pairs, Sample([str(i) for i in range(24)], 0), generator(0, "random"))
    assert found["separated"] is False
    assert found["random"]["cosine"]["low"] < 0 < found["random"]["cosine"]["high"]
    assert found["random"]["over_sum"]["mean"] == pytest.approx(1, abs=0.01)
    assert found["over_sum"]["value"] == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(("towards", "separated"), [(-0.5, True), (0.5, False)])
def test_only_changes_that_point_away_from_each_other_are_separated(towards: float, separated: bool):
    pairs = [(one := normal("r", i), towards * one + 0.5 * normal("w", i)) for i in range(16)]
    found = geometry(pairs, Sample([str(i) for i in range(16)], 0), generator(0, "random"))
    assert found["separated"] is separated
    assert (found["over_sum"]["value"] > 1) is separated


def test_a_dream_that_changed_nothing_has_no_angle():
    pairs = [(0 * normal("r", i) if i == 0 else normal("r", i), normal("w", i)) for i in range(6)]
    found = geometry(pairs, Sample(list("abcdef"), 0), generator(0, "random"))
    assert found["n"] == 5
    assert geometry([(0 * normal("r", 0), normal("w", 0))], Sample(["a"], 0), generator(0))["separated"] is None


def test_success_of_all_dreams_has_the_interval_of_as_many_trials_as_recordings():
    dreams = [made(kind, number, normal(kind, number)) for kind in ("right", "wrong") for number in range(8)]
    kinds = targeted.targeted(dreams, CLASSES, 3)["kinds"]
    assert set(kinds) == {"right", "wrong"}
    assert kinds["right"]["success"] == {"value": 1.0, "low": pytest.approx(0.5101, abs=1e-3), "high": 1.0}
    assert (kinds["right"]["n"], kinds["right"]["recordings"]) == (8, 4)
    some = [made("right", number, normal("r", number), success=number % 2 == 0) for number in range(20)]
    share = targeted.targeted(some, CLASSES, 3)["kinds"]["right"]["success"]
    assert share["value"] == 0.5


def test_the_matrix_holds_the_mean_squares_of_each_class_pair_and_nothing_elsewhere():
    rights, wrongs = {i: normal("r", i) for i in range(8)}, {i: normal("w", i) for i in range(8)}
    dreams = [made("right", i, rights[i]) for i in rights] + [made("wrong", i, wrongs[i]) for i in wrongs]
    found = targeted.targeted(dreams, CLASSES, 3)
    for i in range(4):
        for j in range(4):
            between = found["matrix"]["right_to_wrong"][i][j]
            if j != (i + 1) % 4:
                assert between is None
                continue
            wanted = np.mean([np.square(rights[k] - wrongs[k]).mean() for k in (i, i + 4)])
            assert between == pytest.approx(wanted, rel=1e-5)
            assert found["matrix"]["original_to_right"][i][j] == pytest.approx(np.mean([np.square(rights[k]).mean() for k in (i, i + 4)]), rel=1e-5)
    assert found["larger"]["pairs"] == 4
    assert found["larger"]["value"] == 1  # geometry alone: changes of one size in random directions


def test_originals_are_scored_as_they_were_and_dreams_by_their_true_class():
    dreams = [made(kind, number, normal(kind, number)) for kind in ("right", "wrong") for number in range(8)]
    found = targeted.targeted(dreams, CLASSES, 3)["performance"]
    assert [found[name]["top1"]["value"] for name in ("original", "right", "wrong")] == [1, 1, 0]
    assert [found[name]["S1"]["micro"]["f1"]["value"] for name in ("original", "right", "wrong")] == [1, 1, 0]


def test_no_dreams_to_right_or_wrong_say_nothing():
    assert targeted.targeted([], CLASSES, 0) == {}


def grid(pattern: float, starts: int = 5) -> np.ndarray:
    """Changes of ``starts`` noises to four classes: something of the start, something of the class, and noise."""
    of_class = np.stack([normal("class", c, shape=(12, 8)) for c in range(4)])
    of_start = np.stack([normal("start", s, shape=(12, 8)) for s in range(starts)])
    return 2 * of_start[:, None] + pattern * of_class[None] + normal("rest", shape=(starts, 4, 12, 8))


def test_a_pattern_of_a_class_is_found_whatever_its_start_adds():
    found = patterns.alike(grid(1.0), 0)
    told = found["as_they_lie"]
    assert told["p"] < 0.01
    assert told["excess"]["low"] > 0.2
    assert told["same_start"]["value"] == pytest.approx(-1 / 3, abs=0.03)
    assert found["below"] == pytest.approx(-1 / 3)
    assert told["both_different"]["value"] == pytest.approx(-told["same_class"]["value"] / 3, abs=0.05)


def test_without_a_pattern_classes_called_by_each_others_names_are_as_alike():
    told = patterns.alike(grid(0.0), 0)["as_they_lie"]
    assert told["p"] > 0.05
    assert told["excess"]["low"] < 0.02


def test_a_pattern_that_moves_in_time_is_found_at_its_best_shift():
    of_class = np.zeros((4, 24, 8))
    of_class[:, 8:14] = np.stack([normal("class", c, shape=(6, 8)) for c in range(4)])
    moved = np.stack([np.roll(of_class, shift, axis=1) for shift in (-6, -2, 3, 7, 9)])
    found = patterns.alike(moved, 0)
    assert found["shifted"]["same_class"]["value"] == pytest.approx(1, abs=1e-6)
    assert found["as_they_lie"]["same_class"]["value"] < 0.6
    assert found["shifted"]["p"] < 0.01


def test_similarities_are_cosines_and_never_fall_by_shifting():
    left = patterns.without_common(grid(1.0, 3))
    plain, shifted = patterns.similarities(left)
    assert plain[0, 1, 2, 3] == pytest.approx(cosine(left[0, 1], left[2, 3]))
    assert (shifted >= plain - 1e-9).all()
    np.testing.assert_allclose(np.einsum("icic->ic", plain), 1)
    np.testing.assert_allclose(plain, plain.transpose(2, 3, 0, 1))


def test_bins_agree_by_chance_as_often_as_coins_of_all_starts_fall_alike():
    changes = normal("rest", shape=(3, 40, 60, 60))
    marked, told = patterns.agreeing(changes)
    assert marked.shape == (40, 60, 60)
    assert np.mean([one["share"] for one in told]) == pytest.approx(0.25, abs=0.02)
    assert told[0]["chance"] == 0.25
    planted = changes.copy()
    planted[:, 0, 3:6, 4:8] += 30
    assert patterns.agreeing(planted)[0][0, 3:6, 4:8].all()


def noise_dreams(changes: np.ndarray) -> list[Dreamt]:
    found = []
    for s, row in enumerate(changes):
        for c, change in enumerate(row):
            content = {
                "target": CLASSES[c], "start": f"noise-{s}", "success": True, "outputs": {"dream": [float(c == other) for other in range(4)]},
                "distance": {"rmse_db": 1.0},
            }  # fmt: skip
            found.append(Dreamt(f"{s} {c}", content, np.zeros((1, 12, 8)), change[None]))
    return found


def test_noises_tell_mean_outputs_a_class_and_need_two_whole_rows():
    dreams = noise_dreams(grid(1.0, 3))
    found = patterns.noises(dreams, CLASSES, 0)
    assert found["mean_output"] == np.eye(4).tolist()
    assert (found["starts"], found["success"]) == (3, 1)
    assert patterns.noises(dreams[:7], CLASSES, 0) == {}
    assert patterns.noises(dreams[:11], CLASSES, 0)["starts"] == 2


def test_a_model_goes_beyond_its_control_only_where_their_intervals_lie_apart():
    real, control = patterns.alike(grid(1.0), 0), patterns.alike(grid(0.0), 0)
    assert patterns.beyond_control(real, control) is True
    assert patterns.beyond_control(control, real) is False


def test_nothing_is_said_of_dreams_of_a_model_that_is_no_longer_there(tmp_path: Path) -> None:
    study = config.validate(Study, TREE, "fabricated")
    marker = tmp_path / "noise-0.json"
    np.savez(tmp_path / "noise-0.npz", start=normal("start"), dream=normal("dream"))
    files.finish(marker, {"unit": "dreams", "digest": "0", "recipe": {}}, {}, {"noise-0.npz": tmp_path / "noise-0.npz"})
    dream = Dream("s", study.models()[0].name, "class", "flu", "post", "noise-0", marker, files.read_marker(marker), None)
    assert [name for name, _ in summary.by_model([dream])] == [dream.model]
    assert summary.summary(study, models(tmp_path, study, {}), {"s": [dream]}, CLASSES) == {}
