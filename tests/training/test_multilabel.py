"""Measures of many classes against scikit-learn, and what they are computed from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics

from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.sounds.splits import hopping
from aesdream.sounds.store import Corpus
from aesdream.training import multilabel
from aesdream.training.multilabel import MEASURES, Heard
from aesdream.training.statistics import Resampling
from tests.training.lessons import RATE, SPECTROGRAM, write_corpus

CLASSES = ["cel", "cla", "flu", "gac", "sax"]


def made_up(seed: int = 1, n: int = 80, classes: int = 5, families: int = 20, skill: float = 0.35) -> Heard:
    """Sounds with one to three labels and a model that knows something of them."""
    random = generator(seed, "made up")
    labels = np.zeros((n, classes), np.uint8)
    for row in labels:
        row[random.choice(classes, random.integers(1, 4), replace=False)] = 1
    probabilities = np.clip(skill * labels + 0.6 * random.random((n, classes)), 0, 1)
    return Heard([f"s{i}" for i in range(n)], [f"f{i % families}" for i in range(n)], labels, probabilities)


def resampled(heard: Heard) -> Resampling:
    return Resampling(heard.families, 300, generator(1, "draws"))


def evaluated(heard: Heard, **thresholds: float) -> dict:
    return multilabel.evaluate(heard, CLASSES, {"S1": 0.4, "S2": 0.5, **thresholds}, resampled(heard), leaky=False)


@pytest.mark.parametrize("name", ["S1", "S2"])
@pytest.mark.parametrize("average", ["micro", "macro"])
def test_averages_are_scikit_learns(name: str, average: str):
    heard = made_up()
    score = heard.probabilities if name == "S1" else heard.probabilities / heard.probabilities.max(1, keepdims=True)
    got = evaluated(heard)[name]
    wanted = metrics.precision_recall_fscore_support(heard.labels, score > got["threshold"], average=average, zero_division=0)
    assert [got[average][measure]["value"] for measure in MEASURES] == pytest.approx(wanted[:3], abs=1e-6)


def test_measures_of_every_class_are_scikit_learns():
    heard = made_up()
    got = evaluated(heard)["S1"]["classes"]
    wanted = metrics.precision_recall_fscore_support(heard.labels, heard.probabilities > 0.4, zero_division=0)
    matrices = metrics.multilabel_confusion_matrix(heard.labels, heard.probabilities > 0.4)
    assert list(got) == CLASSES
    for number, name in enumerate(CLASSES):
        assert [got[name][measure]["value"] for measure in MEASURES] == pytest.approx([column[number] for column in wanted[:3]], abs=1e-6)
        (tn, fp), (fn, tp) = matrices[number].tolist()
        assert got[name]["confusion"] == {"tp": tp, "fp": fp, "fn": fn, "tn": tn}


@pytest.mark.parametrize("ties", [False, True])
def test_lrap_is_scikit_learns_and_the_same_of_s1_and_s2(ties: bool):
    heard = made_up()
    heard = heard._replace(probabilities=heard.probabilities.round(1)) if ties else heard
    wanted = metrics.label_ranking_average_precision_score(heard.labels, heard.probabilities)
    assert evaluated(heard)["lrap"]["value"] == pytest.approx(wanted, abs=1e-6)
    of_s2 = multilabel.scores(heard.probabilities)["S2"]
    assert metrics.label_ranking_average_precision_score(heard.labels, of_s2) == pytest.approx(wanted)


def test_a_draw_weighs_sounds_as_scikit_learn_does():
    """Intervals come from draws; a draw is the measure with sounds weighted by the share of their family."""
    heard = made_up()
    weights = resampled(heard).shares(heard.families)
    averages = multilabel._averages(heard.labels.astype(bool), heard.probabilities > 0.4, weights)
    ranked = multilabel._lrap(heard, weights)
    for draw in range(0, 300, 60):
        for average in ("micro", "macro"):
            wanted = metrics.f1_score(heard.labels, heard.probabilities > 0.4, average=average, sample_weight=weights[draw])
            assert averages[average]["f1"][draw] == pytest.approx(wanted)
        wanted = metrics.label_ranking_average_precision_score(heard.labels, heard.probabilities, sample_weight=weights[draw])
        assert ranked[draw] == pytest.approx(wanted)


def test_intervals_are_percentiles_over_families_about_the_value():
    heard = made_up()
    got = evaluated(heard)["S1"]["micro"]["f1"]
    draws = multilabel._averages(heard.labels.astype(bool), heard.probabilities > 0.4, resampled(heard).shares(heard.families))["micro"]["f1"]
    assert (got["low"], got["high"]) == pytest.approx(np.percentile(draws - np.median(draws) + got["value"], [2.5, 97.5]), abs=2e-6)
    alone = heard._replace(families=heard.ids)
    narrower = multilabel.evaluate(alone, CLASSES, {"S1": 0.4, "S2": 0.5}, resampled(alone), leaky=False)["S1"]["micro"]["f1"]
    assert narrower["low"] < narrower["value"] < narrower["high"]


def test_who_says_nearly_every_class_of_equal_classes_lies_within_the_interval():
    labels = np.repeat(np.eye(5, dtype=np.uint8), 3, axis=0)
    names = [f"f{number}" for number in range(15)]
    heard = Heard(names, names, labels, np.full((15, 5), 0.9))
    found = multilabel.evaluate(heard, CLASSES, {"S1": 0.5, "S2": 0.5}, resampled(heard), leaky=False)["S1"]["macro"]["f1"]
    assert found["low"] < found["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["value"] < found["high"]


@pytest.mark.parametrize("families", [1, 2])
@pytest.mark.parametrize("skill", [0.1, 0.4, 0.7, 1.0])
def test_macro_averages_lie_within_their_intervals_where_classes_have_one_family_or_two(families: int, skill: float):
    """As the validation sounds of ``tiny-instruments.yaml``: 11 classes, one recording each. Draws without a class were means over the others."""
    classes = [f"c{number}" for number in range(11)]
    for seed in range(6):
        random = generator(seed, "few", families)
        labels = np.repeat(np.eye(11, dtype=np.uint8), families, axis=0)
        names = [f"f{number}" for number in range(len(labels))]
        heard = Heard(names, names, labels, np.clip(skill * labels + 0.6 * random.random(labels.shape), 0, 1))
        got = multilabel.evaluate(heard, classes, {"S1": 0.5, "S2": 0.6}, resampled(heard), leaky=False)
        said = multilabel.scores(heard.probabilities)["S2"] > 0.6
        weights = resampled(heard).shares(names)[0]
        wanted = metrics.f1_score(labels, said, average="macro", sample_weight=weights, zero_division=0)
        assert multilabel._averages(labels.astype(bool), said, weights[None])["macro"]["f1"][0] == pytest.approx(wanted)
        for found in (got[name]["macro"][measure] for name in ("S1", "S2") for measure in MEASURES):
            assert found["low"] is None or found["low"] <= found["value"] <= found["high"]


def test_a_class_that_is_never_said_has_precision_zero_in_macro_averages_and_none_alone():
    heard = made_up()
    silent = heard._replace(probabilities=heard.probabilities * [0, 1, 1, 1, 1])
    got = evaluated(silent)["S1"]
    assert got["classes"]["cel"]["precision"]["value"] is None
    others = [got["classes"][name]["precision"]["value"] for name in CLASSES[1:]]
    assert got["macro"]["precision"]["value"] == pytest.approx(sum(others) / 5, abs=1e-5)


def test_a_class_that_the_set_lacks_is_left_out_of_macro_averages():
    heard = made_up()
    without = heard._replace(labels=heard.labels * np.array([0, 1, 1, 1, 1], np.uint8))
    said = without.probabilities > 0.4
    wanted = metrics.f1_score(without.labels[:, 1:], said[:, 1:], average="macro")
    assert evaluated(without)["S1"]["macro"]["f1"]["value"] == pytest.approx(wanted, abs=1e-6)


def test_thresholds_have_the_highest_micro_f1_of_those_tried():
    heard = made_up()
    for name, threshold in multilabel.chosen(heard).items():
        score = multilabel.scores(heard.probabilities)[name]
        tried = {one: metrics.f1_score(heard.labels, score > one, average="micro") for one in multilabel.THRESHOLDS[name].tolist()}
        assert tried[threshold] == max(tried.values())
        rows = multilabel.sweep(heard, name)
        assert [row[0] for row in rows] == list(tried)
        assert [row[1] for row in rows] == pytest.approx(list(tried.values()))
    assert multilabel.THRESHOLDS["S2"].tolist() == pytest.approx([0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6])


def test_numbers_as_published_use_the_sets_own_best_threshold_and_stand_apart():
    heard = made_up()
    got = evaluated(heard, S1=0.9)
    own = multilabel.chosen(heard)
    assert got["S1"]["threshold"] == 0.9
    assert got["as_published"]["S1"]["threshold"] == own["S1"]
    assert got["as_published"]["S1"]["micro"] == evaluated(heard, S1=own["S1"])["S1"]["micro"]
    assert got["as_published"]["S1"]["micro"]["f1"]["value"] > got["S1"]["micro"]["f1"]["value"]


def test_s2_says_at_least_the_largest_class():
    heard = made_up()
    quiet = heard._replace(probabilities=heard.probabilities / 1000)
    assert (multilabel.scores(quiet.probabilities)["S2"].max(1) == 1).all()
    assert evaluated(quiet)["S2"] == evaluated(heard)["S2"]
    assert evaluated(quiet)["S1"]["micro"]["recall"]["value"] == 0


def test_who_says_every_class_has_the_f1_of_one_who_does():
    heard = made_up()
    wanted = {average: metrics.f1_score(heard.labels, np.ones_like(heard.labels), average=average) for average in ("micro", "macro")}
    assert multilabel.always(evaluated(heard)) == pytest.approx({f"{average}_f1": value for average, value in wanted.items()})


def test_an_evaluation_is_json_and_holds_its_judgements():
    heard = made_up()
    got = json.loads(json.dumps(evaluated(heard), allow_nan=False))
    back = multilabel.judged(got)
    assert (back.ids, back.families) == (heard.ids, heard.families)
    assert np.array_equal(back.labels, heard.labels)
    assert np.array_equal(back.probabilities, heard.probabilities)
    assert got["sizes"] == {"sounds": 80, "families": 20, "labels": int(heard.labels.sum())}


def test_a_mean_over_models_has_the_interval_of_the_mean_and_its_spread():
    heard = [made_up(seed, skill=0.3) for seed in range(3)]
    shared = [one._replace(labels=heard[0].labels) for one in heard]
    evaluations = {(0, seed): evaluated(one) for seed, one in enumerate(shared)}
    got = multilabel.mean_over(evaluations, resampled(shared[0]))
    single = [evaluation["S2"]["macro"]["f1"]["value"] for evaluation in evaluations.values()]
    assert got["S2"]["macro"]["f1"]["value"] == pytest.approx(np.mean(single), abs=1e-5)
    assert got["S2"]["macro"]["f1"]["sd_seeds"] == pytest.approx(np.std(single, ddof=1), rel=1e-3)
    assert got["lrap"]["low"] < got["lrap"]["value"] < got["lrap"]["high"]
    alone = multilabel.mean_over({(0, 0): evaluations[0, 0]}, resampled(shared[0]))
    assert {key: alone["S1"]["micro"]["f1"][key] for key in ("value", "low", "high")} == evaluations[0, 0]["S1"]["micro"]["f1"]
    with pytest.raises(ValueError, match="no evaluations"):
        multilabel.mean_over({}, resampled(shared[0]))


def test_probabilities_that_are_none_name_their_sound():
    heard = made_up()
    broken = heard.probabilities.copy()
    broken[7, 2] = np.nan
    with pytest.raises(UserError, match=r"s7: judged with probability nan \(and 0 more"):
        evaluated(heard._replace(probabilities=broken))
    with pytest.raises(ValueError, match="a set of"):
        evaluated(heard._replace(ids=heard.ids[1:]))


def test_windows_hop_half_a_window_through_each_sounds_own_length():
    items = hopping(np.array([100, 99, 50, 30, 151]), 50)
    assert items.sound.tolist() == [0, 0, 0, 1, 1, 2, 3, 4, 4, 4, 4, 4]
    assert items.offset.tolist() == [0, 25, 50, 0, 25, 0, 0, 0, 25, 50, 75, 100]
    assert items.samples == 50


def test_a_sounds_probabilities_are_the_means_of_its_windows(tmp_path: Path):
    corpus = Corpus(write_corpus(tmp_path, 9))
    network = SPECTROGRAM.build(300, 2, torch.Generator().manual_seed(1), channels=2, sample_rate=RATE).eval()
    chosen = np.array([4, 7])
    heard = multilabel.hear(network, corpus, chosen, 300)
    assert (heard.ids, heard.families) == (["s4", "s7"], ["f4", "f7"])
    assert np.array_equal(heard.labels, corpus.labels[chosen])
    for row, sound in zip(heard.probabilities, chosen, strict=True):
        whole = torch.from_numpy(corpus.read(sound).astype(np.float32) / 32768)
        windows = torch.stack([whole[:, at : at + 300] for at in (0, 150, 300)])
        with torch.no_grad():
            wanted = torch.sigmoid(network(windows).double()).mean(0)
        assert row == pytest.approx(wanted.numpy(), abs=1e-6)
