from __future__ import annotations

import json
import math

import numpy as np
import pytest

from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.training.evaluation import by_sound, difference, evaluate, mean_over
from aesdream.training.statistics import Resampling, wilson

CORPUS = 164 / 998
KEYS = {"confusion", "prevalence", "corpus_prevalence", "leaky", "predictions"}
KEYS |= {"precision", "recall", "specificity", "npv", "f1", "accuracy", "roc_auc", "average_precision"}
KEYS |= {"precision_at_prevalence", "f1_at_prevalence"}


def resampled(names, draws: int = 400, seed: int = 1) -> Resampling:
    return Resampling(names, draws, generator(seed, "draws"))


def of_matrix(tp: int, fp: int, fn: int, tn: int) -> dict:
    labels, said = np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]), np.repeat([1.0, 1, 0, 0], [tp, fp, fn, tn])
    ids = [f"sound{i}" for i in range(len(labels))]
    return evaluate(ids, ids, labels, said, corpus_prevalence=CORPUS, resampling=resampled(ids, 100), leaky=False)


def made_up(seed: int, skill: float = 0.4, families: int = 30, n: int = 90) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """Sounds of a split (its number is the seed's tens), judged anew for every seed."""
    sounds, judge = generator(seed // 10, "sounds"), generator(seed, "judge")
    ids = [f"s{i}" for i in sounds.permutation(3 * n)[:n]]
    labels = np.array([int(sound[1:]) % 5 == 0 for sound in ids]).astype(int)
    probabilities = np.clip(skill * labels + 0.7 * judge.random(n), 0, 1).astype(np.float32)
    return ids, [f"f{int(sound[1:]) % families}" for sound in ids], labels, probabilities


FAMILIES = resampled([f"f{i}" for i in range(30)])


def judge(seed: int, skill: float = 0.4) -> dict:
    return evaluate(*made_up(seed, skill), corpus_prevalence=0.2, resampling=FAMILIES, leaky=False)


@pytest.mark.parametrize(
    ("matrix", "printed"),
    [
        ((40, 14, 14, 232), {"precision": 0.741, "recall": 0.741, "specificity": 0.943, "npv": 0.943, "accuracy": 0.907}),
        ((40, 14, 14, 232), {"precision_at_prevalence": 0.719, "f1_at_prevalence": 0.730, "prevalence": 0.180}),
        ((239, 32, 13, 213), {"precision": 0.882, "recall": 0.948, "specificity": 0.869, "npv": 0.942}),
        ((239, 32, 13, 213), {"precision_at_prevalence": 0.588, "f1_at_prevalence": 0.726, "prevalence": 0.507}),
        ((0, 0, 298, 1499), {"precision": None, "recall": 0, "specificity": 1, "precision_at_prevalence": None, "f1": 0, "roc_auc": 0.5}),
    ],
)
def test_the_thesis_tables_are_reproduced(matrix, printed):
    evaluation = of_matrix(*matrix)
    assert tuple(evaluation["confusion"].values()) == matrix
    for name, value in printed.items():
        got = evaluation[name] if name == "prevalence" else evaluation[name]["value"]
        assert got is None if value is None else round(got, 3) == value, name


def test_an_evaluation_is_json_and_holds_every_judgement_to_the_last_bit():
    ids, families, labels, probabilities = made_up(3)
    evaluation = evaluate(ids, families, labels, probabilities, corpus_prevalence=0.2, resampling=FAMILIES, leaky=True)
    assert set(evaluation) == KEYS
    back = json.loads(json.dumps(evaluation, allow_nan=False))
    assert back == evaluation
    assert (np.array(back["predictions"]["probability"], dtype=np.float32) == probabilities).all()
    assert (back["predictions"]["id"], back["predictions"]["family"], back["leaky"]) == (ids, families, True)
    for name in KEYS - {"confusion", "prevalence", "corpus_prevalence", "leaky", "predictions"}:
        assert back[name]["low"] <= back[name]["value"] <= back[name]["high"], name
    assert json.dumps(judge(3)) == json.dumps(judge(3))


def test_relatives_widen_the_interval():
    ids = [f"s{i}" for i in range(200)]
    families = [f"f{i // 10}" for i in range(200)]
    labels = np.ones(200)
    probabilities = np.repeat(generator(1, "right").random(20) < 0.7, 10).astype(float)
    options = {"corpus_prevalence": 0.2, "leaky": False}
    alone = evaluate(ids, ids, labels, probabilities, resampling=resampled(ids, 2000), **options)["recall"]
    related = evaluate(ids, families, labels, probabilities, resampling=resampled(families, 2000), **options)["recall"]
    # ten equal relatives are one observation: the width grows by the root of ten
    assert (related["high"] - related["low"]) / (alone["high"] - alone["low"]) == pytest.approx(math.sqrt(10), rel=0.15)


def test_a_share_of_all_or_nothing_is_bounded_by_its_number_of_families():
    evaluation = of_matrix(7, 0, 0, 40)
    assert [evaluation["recall"]["low"], evaluation["recall"]["high"]] == pytest.approx(wilson(7, 7), abs=1e-6)
    assert [evaluation["specificity"]["low"], evaluation["specificity"]["high"]] == pytest.approx(wilson(40, 40), abs=1e-6)
    assert (evaluation["roc_auc"]["value"], evaluation["roc_auc"]["low"]) == (1, None)
    labels, families = [1] * 6 + [0] * 4, ["a", "a", "a", "b", "b", "b", "c", "d", "e", "f"]
    related = evaluate(families, families, labels, np.zeros(10), corpus_prevalence=0.2, resampling=resampled(families), leaky=False)
    assert [related["recall"]["low"], related["recall"]["high"]] == pytest.approx(wilson(0, 2), abs=1e-6)
    assert related["precision"] == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.5, np.inf])
def test_what_is_no_probability_is_refused_with_its_sound_named(wrong):
    with pytest.raises(UserError, match=r"b: judged with probability .*learning rate"):
        evaluate(["a", "b"], ["a", "b"], [0, 1], [0.5, wrong], corpus_prevalence=0.2, resampling=resampled("ab"), leaky=False)


@pytest.mark.parametrize("columns", [([], [], [], []), (["a"], ["a"], [1, 0], [0.5])])
def test_columns_that_do_not_fit_are_refused(columns):
    with pytest.raises(ValueError, match="a set of"):
        evaluate(*columns, corpus_prevalence=0.2, resampling=resampled("ab"), leaky=False)


def test_windows_are_averaged_by_sound():
    ids = ["b@0.0", "a@home@0.0", "b@1.0", "a@home@1.0", "b@2.0"]
    sounds = by_sound(ids, ["fb", "fa", "fb", "fa", "fb"], [1, 0, 1, 0, 1], [0.1, 0.2, 0.4, 0.6, 0.7])
    assert (sounds.ids, sounds.families, sounds.labels.tolist()) == (["b", "a@home"], ["fb", "fa"], [1, 0])
    assert sounds.probabilities == pytest.approx([0.4, 0.4])
    evaluation = evaluate(*sounds, corpus_prevalence=0.2, resampling=resampled(["fa", "fb"]), leaky=False)
    assert evaluation["confusion"] == {"tp": 0, "fp": 0, "fn": 1, "tn": 1}


@pytest.mark.parametrize(
    ("ids", "families", "labels", "why"),
    [(["a"], ["f"], [1], "id@seconds"), (["a@0", "a@1"], ["f", "f"], [1, 0], "label"), (["a@0", "a@1"], ["f", "g"], [1, 1], "family")],
)
def test_windows_that_contradict_their_sound_are_refused(ids, families, labels, why):
    with pytest.raises(ValueError, match=why):
        by_sound(ids, families, labels, np.zeros(len(ids)))


def test_a_mean_over_models_has_the_interval_of_the_mean_and_its_spread():
    models = {(split, seed): judge(10 * split + seed) for split in range(3) for seed in range(2)}
    got = mean_over(models, "roc_auc", FAMILIES)
    single = np.array([evaluation["roc_auc"]["value"] for evaluation in models.values()])
    assert got["value"] == got["mean"] == pytest.approx(single.mean(), abs=1e-5)
    assert got["low"] < got["value"] < got["high"]
    assert got["n"] == 6
    assert got["sd_splits"] == pytest.approx(np.std(single.reshape(3, 2).mean(axis=1), ddof=1), abs=1e-5)
    assert got["sd_seeds"] == pytest.approx(np.sqrt(np.var(single.reshape(3, 2), axis=1, ddof=1).mean()), abs=1e-5)
    widths = [evaluation["roc_auc"]["high"] - evaluation["roc_auc"]["low"] for evaluation in models.values()]
    assert got["high"] - got["low"] < np.mean(widths)  # the splits' different sounds average out


def test_the_mean_of_one_model_is_that_model():
    evaluation = judge(5)
    for measure in ("recall", "average_precision", "precision_at_prevalence"):
        got = mean_over({(0, 0): evaluation}, measure, FAMILIES)
        assert {key: got[key] for key in ("value", "low", "high")} == evaluation[measure]
        assert (got["sd_splits"], got["sd_seeds"]) == (None, None)


def test_a_model_that_never_says_yes_does_not_enter_a_mean_precision():
    ids, families, labels, probabilities = made_up(1)
    silent = evaluate(ids, families, labels, 0 * probabilities, corpus_prevalence=0.2, resampling=FAMILIES, leaky=False)
    both = mean_over({(0, 0): judge(1), (0, 1): silent}, "precision", FAMILIES)
    assert (both["value"], both["n"]) == (judge(1)["precision"]["value"], 1)
    nothing = mean_over({(0, 0): silent}, "precision", FAMILIES)
    assert (nothing["value"], nothing["low"], nothing["n"]) == (None, None, 0)
    recall = mean_over({(0, 0): silent, (0, 1): silent}, "recall", FAMILIES)
    assert (recall["value"], recall["high"]) == (0, silent["recall"]["high"])
    with pytest.raises(ValueError, match="no evaluations"):
        mean_over({}, "recall", FAMILIES)


def test_a_difference_is_paired_by_split_and_seed_and_by_family():
    keys = [(split, seed) for split in range(2) for seed in range(2)]
    good, poor = ({(j, k): judge(10 * j + k, skill) for j, k in keys} for skill in (0.35, 0.25))
    got = difference(good, poor, "roc_auc", FAMILIES)
    means = [mean_over(models, "roc_auc", FAMILIES) for models in (good, poor)]
    assert got["value"] == pytest.approx(means[0]["value"] - means[1]["value"], abs=1e-5)
    assert 0 < got["low"] < got["value"] < got["high"]
    assert got["n"] == 4
    assert got["high"] - got["low"] < means[0]["high"] - means[0]["low"]  # the same sounds are hard for both
    assert difference(poor, good, "roc_auc", FAMILIES)["value"] == -got["value"]


def test_only_models_validated_on_the_same_sounds_are_compared():
    a = {(0, 0): judge(0), (1, 0): judge(10)}
    b = {(0, 0): judge(1, 0.2), (1, 0): judge(20), (2, 0): judge(20)}
    assert difference(a, b, "recall", FAMILIES)["n"] == 1
    assert difference({(1, 0): a[1, 0]}, b, "recall", FAMILIES) is None
    assert difference(a, {}, "recall", FAMILIES) is None
    backwards = evaluate(*(column[::-1] for column in made_up(1, 0.2)), corpus_prevalence=0.2, resampling=FAMILIES, leaky=False)
    assert difference(a, {(0, 0): backwards}, "recall", FAMILIES) == difference(a, b, "recall", FAMILIES)


def test_a_model_does_not_differ_from_itself():
    same = difference({(0, 0): judge(0)}, {(0, 0): judge(0)}, "roc_auc", FAMILIES)
    assert same == {"value": 0, "low": None, "high": None, "n": 1}
