"""The statistics of dreams of instruments, where they are known in closed form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from aesdream import config, files
from aesdream.appendix.instruments import claims, learning, patterns, summary, targeted
from aesdream.appendix.instruments.dreamt import Dreamt
from aesdream.appendix.instruments.geometry import cosine, geometry, over_sum, random_cosines
from aesdream.appendix.instruments.sample import Sample
from aesdream.appendix.reading import Dream, Model, models
from aesdream.seeding import generator
from aesdream.study import Study, load
from aesdream.training import multilabel
from aesdream.training.statistics import Resampling
from tests.fabricated import TREE
from tests.runs import ROOT

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


def with_stop(dreams: list[Dreamt], confidence: float | None) -> list[Dreamt]:
    return [Dreamt(one.name, {**one.content, "stop_confidence": confidence, "domain": "spectrogram"}, one.start, one.dream) for one in dreams]


def test_a_distance_is_what_it_takes_only_where_a_dream_arrived_and_had_to_move():
    dreams = [made("wrong", number, (1 + number) * np.ones(SHAPE), success=number != 5) for number in range(6)]
    still = Dreamt(
        "still", {**dreams[0].content, "steps_taken": 0, "distance": {**dreams[0].content["distance"], "rmse_db": 0.0}}, *2 * [dreams[0].start]
    )
    told = targeted.targeted([still, *dreams[1:]], CLASSES, 3)["kinds"]["wrong"]
    assert told["arrived"]["n"] == 4
    assert told["arrived"]["rmse_db"]["value"] == pytest.approx(np.mean([2, 3, 4, 5]))
    assert told["already"]["value"] == pytest.approx(1 / 6, rel=1e-5)


def test_a_sweep_is_asked_only_for_claims_that_it_can_speak_of():
    dreams = [made(kind, number, normal(kind, number)) for kind in ("right", "wrong") for number in range(8)]
    arriving, equal = (claims.of_targeted(targeted.targeted(with_stop(dreams, stop), CLASSES, 3)) for stop in (0.9, None))
    assert len(arriving) == 4
    assert all("judged to be" in one["claim"] or "about 2 dB" in one["claim"] for one in arriving)
    assert [one["claim"].split()[0] for one in equal] == ["For", "That"]


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
    assert patterns.beyond_controls(real, [control, control]) is True
    assert patterns.beyond_controls(real, [control, real]) is False
    assert patterns.beyond_controls(control, [real]) is False


def test_the_interval_of_a_mean_over_few_starts_is_students() -> None:
    values = generator(3, "starts").normal(2, 1, 4)
    weights = generator(4, "draws").multinomial(4, np.full(4, 1 / 4), size=20_000)
    found = patterns.over_starts(float(values.mean()), weights @ values / 4, 4)
    wanted = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found["low"], found["high"]) == pytest.approx((wanted.low, wanted.high), rel=0.03)


@pytest.mark.parametrize(("starts", "verdict"), [(2, "cannot be said"), (3, "confirmed"), (5, "confirmed")])
def test_nothing_is_claimed_of_fewer_than_three_noises(starts: int, verdict: str) -> None:
    found, control = (patterns.noises(noise_dreams(grid(pattern, starts)), CLASSES, 0) for pattern in (8.0, 0.0))
    excess = found["as_they_lie"]["excess"]
    assert (excess["low"] is None) == (starts < 3)
    assert [one["verdict"] for one in claims.of_noises(found, [])] == [verdict]
    if starts < 3:
        assert [one["verdict"] for one in claims.of_noises(found, [control])] == 2 * ["cannot be said"]


def test_an_interval_without_spread_and_two_sounds_claim_nothing() -> None:
    changes = np.stack([normal("class", c, shape=(12, 8)) for c in range(4)])
    same = patterns.noises(noise_dreams(np.stack(4 * [changes])), CLASSES, 0)["as_they_lie"]["excess"]
    assert same["value"] > 0
    assert (same["low"], same["high"]) == (None, None)
    dreams = [made(kind, number, normal(kind, number)) for kind in ("right", "wrong") for number in (0, 2)]
    for stop in (0.9, None):
        told = claims.of_targeted(targeted.targeted(with_stop(dreams, stop), CLASSES, 3))
        assert {one["verdict"] for one in told} == {"cannot be said"}


def test_nothing_is_said_of_dreams_of_a_model_that_is_no_longer_there(tmp_path: Path) -> None:
    study = config.validate(Study, TREE, "fabricated")
    marker = tmp_path / "noise-0.json"
    np.savez(tmp_path / "noise-0.npz", start=normal("start"), dream=normal("dream"))
    files.finish(marker, {"unit": "dreams", "digest": "0", "recipe": {}}, {}, {"noise-0.npz": tmp_path / "noise-0.npz"})
    dream = Dream("s", study.models()[0].name, "class", "flu", "post", "noise-0", marker, files.read_marker(marker), None)
    assert [name for name, _ in summary.by_model([dream])] == [dream.model]
    assert summary.gathered(models(tmp_path, study, {}), {"s": [dream]}) == {}


FULL = ROOT / "configs" / "instruments-full.yaml"


def judged(skill: float, seed: int = 0) -> dict[str, Any]:
    """The evaluation of a model that knows something of 60 sounds of 20 songs."""
    labels = np.eye(4, dtype=np.uint8)[np.arange(60) % 4]
    probabilities = np.clip(skill * labels + 0.6 * generator(seed, "said").random((60, 4)), 0, 1)
    families = [f"song {number // 3}" for number in range(60)]
    heard = multilabel.Heard([f"s{number}" for number in range(60)], families, labels, probabilities)
    return multilabel.evaluate(heard, CLASSES, {"S1": 0.5, "S2": 0.5}, Resampling(families, 100, generator(0, "draws")), leaky=False)


def test_learning_from_dreams_is_held_against_before_and_against_as_many_steps_without_dreams():
    study = load(FULL)
    assert learning.compared(study) == [{"before": "windowed", "after": "dreamed", "control": "undreamed"}]
    names = [f"{{}}/by-family/split0-seed{seed}" for seed in range(2)]
    skills = {"windowed": 0.3, "dreamed": 0.5, "undreamed": 0.4}
    evaluations = {name.format(role): {"sets": {"test": judged(skill)}} for role, skill in skills.items() for name in names}
    (told,) = learning.learning(study, evaluations, {})
    assert told["models"] == 2
    found = told["sets"]["test"]
    f1 = {role: found[role]["S2"]["micro"]["f1"] for role in ("before", "after", "control", "after_less_before", "after_less_control")}
    assert f1["before"]["value"] == pytest.approx(judged(0.3)["S2"]["micro"]["f1"]["value"])
    assert f1["after_less_before"]["value"] == pytest.approx(f1["after"]["value"] - f1["before"]["value"], abs=1e-5)
    assert f1["after_less_control"]["value"] == pytest.approx(f1["after"]["value"] - f1["control"]["value"], abs=1e-5)
    assert f1["after_less_before"]["low"] > 0
    paired = f1["after_less_control"]["high"] - f1["after_less_control"]["low"]
    assert paired < np.hypot(*(f1[role]["high"] - f1[role]["low"] for role in ("after", "control")))


def test_distances_before_and_after_are_of_the_same_sounds_and_of_those_that_arrive_every_time():
    study = load(FULL)
    names = {role: f"{role}/by-family/split0-seed0" for role in ("windowed", "dreamed", "undreamed")}
    evaluations = {name: {"sets": {"test": judged(0.4)}} for name in names.values()}
    sizes = {"windowed": 1.0, "dreamed": 3.0, "undreamed": 1.5}
    dreams = {
        names[role]: with_stop([made("wrong", n, size * np.ones(SHAPE), success=(role, n) != ("dreamed", 0)) for n in range(8)], 0.9)
        for role, size in sizes.items()
    }
    (told,) = learning.learning(study, evaluations, {"nearest": dreams, "targeted": {name: [] for name in names.values()}})
    assert list(told["sweeps"]) == ["nearest"]
    found = told["sweeps"]["nearest"]["wrong"]
    assert (found["n"], found["arrived"]) == (8, 7)
    assert {role: found["success"][role]["value"] for role in found["success"]} == {"before": 1, "after": 7 / 8, "control": 1}
    assert {role: value["value"] for role, value in found["rmse_db"].items()} == {
        "before": 1, "after": 3, "control": 1.5, "after_less_before": 2, "after_less_control": 1.5,
    }  # fmt: skip


def test_a_model_that_was_not_made_is_not_compared():
    assert learning.learning(load(FULL), {}, {}) == []
    assert learning.compared(config.validate(Study, TREE, "fabricated")) == []


def test_models_of_several_seeds_have_a_mean_on_every_set():
    study = load(FULL)
    found = [Model("windowed", "by-family", 0, seed, ROOT, {"sets": {"validation": judged(0.4, seed)}}, None, None) for seed in range(3)]
    told = summary.over_models(study, found)["windowed/by-family"]["validation"]["S2"]["macro"]["f1"]
    single = [judged(0.4, seed)["S2"]["macro"]["f1"]["value"] for seed in range(3)]
    assert told["value"] == pytest.approx(np.mean(single), abs=1e-5)
    assert told["n"] == 3
    assert summary.over_models(study, found[:1]) == {}
