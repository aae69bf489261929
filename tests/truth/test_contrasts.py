"""The statistic of the dreams' truth: it finds what is there, and its interval covers what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from aesdream.seeding import generator
from aesdream.truth.contrasts import (
    above,
    apart,
    below,
    beyond,
    bounded,
    by_split,
    by_start,
    cells,
    closest,
    contrasts,
    difference,
    doubt,
    equivalent,
    estimate,
    holm,
    margins,
    stack,
    surpassing,
)

SPLITS, SEEDS, STARTS = 5, 2, 20
OF_SPLITS = [split for split in range(SPLITS) for _ in range(SEEDS)]
FEATURES, DETERMINANTS = 24, 4


class Linear:
    """Sounds of normal features, four determinants of them that bend a little, and linear models, whose dreams go along their weights."""

    def __init__(self, *path: int) -> None:
        self.random = generator(0, "linear", *path)
        self.sounds = self.random.standard_normal((200, FEATURES))
        self.directions = np.linalg.qr(self.random.standard_normal((FEATURES, FEATURES)))[0][:, :DETERMINANTS]
        self.spread = self.measured(self.sounds).std(axis=0)

    def measured(self, sounds: np.ndarray) -> np.ndarray:
        straight = sounds @ self.directions
        return straight + 0.3 * np.square(straight)

    def learned(self, labels: np.ndarray, *, permuted: bool = False) -> np.ndarray:
        """The contrasts [shape=(models, starts, determinants)] of dreams of ridge regressions, two of each split, each having heard other sounds."""
        found = []
        for _ in range(SPLITS):
            order = self.random.permutation(len(self.sounds))
            train, held_out = order[:140], order[140 : 140 + STARTS]
            for _ in range(SEEDS):
                heard = self.random.choice(train, 100, replace=False)
                taught = self.random.permutation(labels[heard]) if permuted else labels[heard]
                x = self.sounds[heard]
                weights = np.linalg.solve(x.T @ x + 20 * np.eye(FEATURES), x.T @ (taught - taught.mean()))
                step = weights / np.linalg.norm(weights)
                ends = [self.measured(self.sounds[held_out] + sign * step) for sign in (1, -1)]
                found.append(contrasts(*ends, self.measured(self.sounds[held_out]), self.spread))
        return np.array(found)


def test_a_linear_model_moves_what_it_learned_more_than_all_else_and_more_than_a_control():
    for place in range(DETERMINANTS):
        world = Linear(place)
        measured = world.measured(world.sounds)[:, place]
        labels = (measured > np.quantile(measured, 0.8)).astype(float)
        moved, control = (by_start(world.learned(labels, permuted=permuted), OF_SPLITS) for permuted in (False, True))
        own, against = cells(moved, DETERMINANTS), difference(moved, control, DETERMINANTS)
        assert above(own[place])
        assert beyond(own, [against])[place]
        row = stack(moved, DETERMINANTS)
        rivals = {str(other): row[:, other] for other in range(DETERMINANTS) if other != place}
        nearest = closest(margins(row[:, place], rivals))
        assert nearest is not None
        assert above(nearest.found)
        assert surpassing(row[:, place], rivals, list(rivals)) is None
        assert surpassing(row[:, place - 1], {str(place): row[:, place]}, [str(place)]) == str(place)


def test_with_shuffled_labels_the_interval_covers_zero_in_about_95_of_100_runs():
    labels = (np.arange(200) < 40).astype(float)
    covered = []
    for run in range(150):
        own = cells(by_start(Linear(99, run).learned(labels, permuted=True), OF_SPLITS), DETERMINANTS)
        covered += [not above(cell) and not below(cell) for cell in own]
    assert 0.925 < np.mean(covered) < 0.975  # 600 intervals


def nulls(experiments: int, *, split: float, model: float, start: float, rest: float, tails: float | None = None, seed: float = 0.0) -> np.ndarray:
    """Contrasts around zero [shape=(experiments, models, starts)]: what a split has in common, its starts, each model's own, and the rest; and what
    first weights do that every split shares.
    """
    random = generator(1, "nulls", int(100 * split), int(100 * start), int(10 * (tails or 0)), *([int(100 * seed)] if seed else []))

    def draw(scale: float, *shape: int) -> np.ndarray:
        drawn = random.standard_normal((experiments, *shape)) if tails is None else random.standard_t(tails, (experiments, *shape))
        return scale * drawn

    parts = draw(split, SPLITS, 1, 1) + draw(model, SPLITS, SEEDS, 1) + draw(start, SPLITS, 1, STARTS) + draw(rest, SPLITS, SEEDS, STARTS)
    parts = parts + draw(seed, 1, SEEDS, 1)
    return parts.reshape(experiments, SPLITS * SEEDS, STARTS)


def coverage(values: np.ndarray) -> float:
    """The share of experiments whose interval holds zero."""
    found = [cells(by_start(one[:, :, None], OF_SPLITS), 1)[0] for one in values]
    return float(np.mean([not above(cell) and not below(cell) for cell in found]))


def percentile_bootstrap(values: np.ndarray, draws: int = 300) -> float:
    """The same for the percentile interval of models drawn again, then their starts: what this project does not do."""
    random = generator(2, "percentile")
    models, starts = values.shape[1:]
    covered = []
    for one in values:
        chosen = random.integers(models, size=(draws, models))
        heard = random.integers(starts, size=(draws, models, starts))
        low, high = np.percentile(one[chosen[:, :, None], heard].mean(axis=(1, 2)), [2.5, 97.5])
        covered.append(low <= 0 <= high)
    return float(np.mean(covered))


WORLDS: dict[str, dict[str, Any]] = {
    "models differ": {"split": 0.0, "model": 0.5, "start": 0.5, "rest": 1.0},
    "splits differ": {"split": 0.5, "model": 0.3, "start": 1.0, "rest": 1.0},
    "only starts differ": {"split": 0.0, "model": 0.0, "start": 1.0, "rest": 0.2},
    "long tails": {"split": 0.3, "model": 0.3, "start": 1.0, "rest": 1.0, "tails": 4},
}


@pytest.mark.parametrize("world", WORLDS)
def test_the_interval_of_ten_models_holds_its_coverage_whatever_varies(world: str):
    assert 0.935 < coverage(nulls(1000, **WORLDS[world])) < 0.975


def test_first_weights_that_every_split_shares_are_not_covered_so_that_every_split_needs_its_own():
    crossed, nested = {"split": 0.0, "start": 0.5, "rest": 1.0}, 0.3
    assert coverage(nulls(1000, **crossed, model=nested, seed=0.3)) < 0.85
    assert 0.935 < coverage(nulls(1000, **crossed, model=(nested**2 + 0.3**2) ** 0.5)) < 0.965


def test_the_percentile_bootstrap_over_ten_models_and_their_starts_is_too_narrow():
    assert percentile_bootstrap(nulls(300, **WORLDS["models differ"])) < 0.94
    assert percentile_bootstrap(nulls(300, **WORLDS["splits differ"])) < 0.91


def test_the_interval_is_students_of_the_means_of_the_splits():
    values = generator(3, "t").standard_normal((SPLITS * SEEDS, STARTS, 1))
    means = values.reshape(SPLITS, -1).mean(axis=1)
    wanted = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    found = cells(by_start(values, OF_SPLITS), 1)[0]
    assert [found[key] for key in ("value", "low", "high")] == pytest.approx([means.mean(), wanted.low, wanted.high], rel=1e-5)


def test_what_is_missing_is_left_out_and_a_split_without_anything_is_no_split():
    values = np.full((4, 2, 1), np.nan)
    values[0, 0], values[1], values[3, 1] = 1.0, 3.0, 7.0
    found = by_split(by_start(values, [0, 0, 1, 2]))
    assert {split: mean[0] for split, mean in found.items()} == {0: 2.5, 2: 7.0}


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0], [np.nan, 1.0]])
def test_too_little_evidence_has_no_bounds(values: list[float]):
    found = estimate(values)
    assert found["low"] is None
    assert not above(found)
    assert not below(found)


def test_a_difference_is_taken_at_the_starts_that_both_have():
    one = {(0, "a"): np.array([1.0]), (1, "a"): np.array([5.0]), (1, "b"): np.array([70.0]), (2, "a"): np.array([9.0])}
    other = {(1, "a"): np.array([4.0]), (2, "a"): np.array([7.0]), (2, "b"): np.array([50.0]), (3, "a"): np.array([100.0])}
    assert difference(one, other, 1)[0]["value"] == 1.5


def test_the_interval_of_a_share_ends_where_shares_do():
    found = estimate([0.9, 1.0, 1.0, 0.95, 1.0])
    assert found["high"] is not None
    assert found["high"] > 1
    assert bounded(found, 0, 1) == {**found, "high": 1}
    assert bounded(estimate([1.0]), 0, 1) == {"value": 1.0, "low": None, "high": None}


def test_a_rival_that_moved_far_downward_is_a_rival_too():
    random = generator(4, "rivals")
    own, calm, down = (size + 0.1 * random.standard_normal(SPLITS) for size in (1.0, 0.2, -1.5))
    assert above(closest(margins(own, {"calm": calm})).found)  # type: ignore[union-attr]
    nearest = closest(margins(own, {"calm": calm, "down": down}))
    assert nearest is not None
    assert nearest.rival == "down"
    assert nearest.found["value"] == pytest.approx((own + down).mean(), rel=1e-5)
    assert below(nearest.found)
    assert surpassing(own, {"calm": calm, "down": down}, ["calm", "down"]) == "down"
    assert surpassing(own, {"calm": calm, "down": down}, ["calm"]) is None
    assert surpassing(-own, {"calm": calm}, ["calm"]) is None
    assert closest(margins(own, {})) is None


def test_a_rival_of_which_nothing_is_known_is_the_closest():
    random = generator(4, "unknown")
    own, calm, unknown = (size + 0.1 * random.standard_normal(SPLITS) for size in (1.0, 0.2, np.nan))
    nearest = closest(margins(own, {"calm": calm, "unknown": unknown}))
    assert nearest is not None
    assert nearest.rival == "unknown"
    assert not above(nearest.found)


def test_a_rival_is_said_to_have_moved_more_in_no_more_than_a_twentieth_of_runs_where_all_moved_alike():
    random = generator(8, "alike")
    rivals = [str(place) for place in range(1, 6)]
    said = [surpassing(row[0], dict(zip(rivals, row[1:], strict=True)), rivals) for row in 1 + random.standard_normal((400, 6, SPLITS))]
    assert np.mean([one is not None for one in said]) < 0.05


def test_what_merely_comes_along_with_several_in_the_corpus_leaves_nothing_behind():
    random = generator(5, "apart")
    others = random.standard_normal((1000, 2))
    rest = random.standard_normal(1000)
    rest -= others @ np.linalg.lstsq(others, rest, rcond=None)[0]
    others, rest = others - others.mean(axis=0), rest - rest.mean()
    corpus = 0.5 * others[:, 0] + 0.4 * others[:, 1] + rest
    assert apart(np.array([0.5, 0.4, 0.9]), np.array([[1, 0], [0, 1], [1, 1]]), corpus, others) == pytest.approx(0, abs=0.02)
    assert apart(rest / rest.std(), np.zeros((1000, 2)), corpus, others) == pytest.approx(rest / rest.std() ** 2, rel=0.05)
    assert np.isnan(apart(np.ones(3), np.ones((3, 2)), others.sum(axis=1), others)).all()


def test_doubts_are_those_of_students_test_and_corrected_ones_those_of_holm():
    values = 0.4 + generator(6, "doubt").standard_normal(SPLITS)
    assert doubt(values, 0.1) == pytest.approx(stats.ttest_1samp(values, 0.1, alternative="greater").pvalue)
    assert doubt(np.ones(5)) == 1
    assert holm([0.01, 0.04, 0.03, 0.2]) == pytest.approx([0.04, 0.09, 0.09, 0.2])
    assert holm([]) == []


def test_within_the_equivalence_bound_both_one_sided_tests_reject_at_a_twentieth():
    values = 0.05 + 0.1 * generator(7, "equal").standard_normal(SPLITS)
    bound = equivalent(values)
    p = max(stats.ttest_1samp(values, bound, alternative="less").pvalue, stats.ttest_1samp(values, -bound, alternative="greater").pvalue)
    assert p == pytest.approx(0.05, abs=1e-4)
    assert equivalent([0.0]) == float("inf")


def test_beyond_the_controls_needs_every_one_of_them_on_the_same_side():
    up, flat, down = ({"value": v, "low": v - 1, "high": v + 1} for v in (2.0, 0.0, -2.0))
    assert beyond([up], [[up], [up]]) == [True]
    assert beyond([up], [[up], [flat]]) == [False]
    assert beyond([up], [[down]]) == [False]
    assert beyond([down], [[down]]) == [True]
    assert beyond([up], []) == [False]
