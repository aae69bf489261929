"""The headline says what the tables hold and claims no more; dreams are counted so that the parts add up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from aesdream.appendix import glance, glossary, headline, listing, results, selection, words
from aesdream.appendix.reading import Dream
from aesdream.sounds import descriptors


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, made_up: SimpleNamespace) -> Any:
    run = tmp_path_factory.mktemp("fabricated") / "run"
    return results.material(run, made_up.fabricate(run), {})


def estimated(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


def table(
    treatment: str, auc: float, *, control: bool = False, protocol: str = "by-family", recall: float = 0.5, spec: float = 0.9
) -> dict[str, Any]:
    named = {"model": f"{treatment}/{protocol}/split0-seed0", "measures": {"recall": estimated(recall), "specificity": estimated(spec)}}
    mean = {"roc_auc": estimated(auc, auc - 0.1, auc + 0.1)}
    return {"treatment": treatment, "protocol": protocol, "set": "validation", "control": control, "named": named, "mean": mean}


def content(difference: dict[str, float | None] | None, *more: dict[str, Any]) -> dict[str, Any]:
    paired = {"protocol": "by-family", "from": "untrained", "to": "good", "measure": "roc_auc", "difference": difference}
    return {
        "tables": [table("poor", 0.6), table("good", 0.8), table("untrained", 0.4, control=True), *more],
        "comparisons": [paired],
        "yardsticks": [],
    }


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (estimated(0.4, 0.1, 0.7), "good is better than untrained (0.400 [0.300, 0.500]; paired difference 0.400 [0.100, 0.700])"),
        (estimated(0.1, -0.1, 0.3), "good is not distinguishable from untrained"),
        (estimated(0.1), "good is not distinguishable from untrained"),
        (estimated(-0.2, -0.3, -0.1), "good is worse than untrained"),
        (None, "never validated on the same sounds"),
    ],
)
def test_a_control_is_beaten_only_where_the_paired_interval_excludes_zero(difference: dict[str, float | None] | None, said: str) -> None:
    lines = headline.sentences(headline.headline(content(difference)))
    assert lines[0].startswith("Under by-family, the strictest protocol here, good, the best of 2 treatments")
    assert said in lines[1]


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (estimated(0.4, 0.1, 0.7), "The networks learned to tell the classes apart"),
        (estimated(0.1, -0.1, 0.3), "is not shown"),
        (estimated(-0.2, -0.3, -0.1), "is not shown"),
        (None, ""),
    ],
)
def test_the_answer_says_that_networks_learned_only_where_they_beat_every_control(difference: dict[str, float | None] | None, said: str) -> None:
    answer = headline.answer(headline.headline(content(difference)))
    assert [said in sentence for sentence in answer] == ([True] if said else [])


def test_the_answer_calls_judges_without_a_network_better_or_worse_only_where_intervals_lie_apart() -> None:
    sticks = {"level": (0.2, 0.4), "descriptors": (0.6, 0.95), "ceiling": (0.99, 1.0), "majority": (0.5, 0.5)}
    found = headline.headline(
        {
            **content(None),
            "yardsticks": [
                {"judge": judge, "protocol": "by-family", "mean": {"roc_auc": estimated(low, low, high)}} for judge, (low, high) in sticks.items()
            ],
        }
    )
    (answer,) = headline.answer(found)
    assert answer == "By the intervals below the best network is better than level alone (logistic), not told apart from ten descriptors (logistic)."


def test_a_control_below_chance_is_said_to_know_something_and_no_gain_is_claimed_over_it() -> None:
    told = content(estimated(0.7, 0.6, 0.8))
    told["tables"][2]["mean"]["roc_auc"] = estimated(0.25, 0.2, 0.3)
    found = headline.headline(told, ["untrained"])
    (entry,) = found["against"]
    assert (entry["verdict"], entry["turned"]) == ("below chance", {"value": 0.75, "low": 0.7, "high": 0.8})
    said = headline.sentences(found)[1]
    assert "turned round would reach 0.750 [0.700, 0.800]" in said
    assert "flat average" in said
    assert "paired difference" not in said
    assert headline.answer(found) == []
    assert "flat average" not in headline.sentences(headline.headline(told))[1]


def test_a_leaky_number_stands_beside_the_same_treatment_s_honest_one() -> None:
    found = headline.headline(content(None, table("poor", 0.9, protocol="augment-first")))
    assert "poor would have claimed 0.900 [0.800, 1.000]; kept apart, by-family, the same treatment reaches 0.600" in headline.sentences(found)[1]


def test_claims_stand_in_one_table_by_what_became_of_them() -> None:
    def told(*verdicts: str) -> dict[str, Any]:
        return {"claims": [{"claim": f"Claim {number}.", "verdict": verdict} for number, verdict in enumerate(verdicts)]}

    sweeps = {
        "one": {"plain/by-family/split0-seed0": told("confirmed", "not confirmed")},
        "two": {"plain/by-family/split0-seed0": told("not confirmed")},
    }
    (table,) = glance.claims({"instruments": {"sweeps": sweeps}})
    assert table.rows == [["Claim 0.", "one (plain)", "two (plain)", words.DASH], ["Claim 1.", words.DASH, "one (plain)", words.DASH]]
    assert glance.claims({}) == []


def test_the_f1_of_instruments_stands_beside_that_of_saying_every_class() -> None:
    reached = {"S2": {"micro": {"f1": estimated(0.25, 0.2, 0.3)}}, "always": {"micro_f1": 1 / 6}}
    told = {**content(None), "headline": headline.headline(content(None)), "instruments": {"sets": {"m": {"validation": reached}}}}
    (line,) = [line for line in glance.found({**told, "outcome": {"made": 0}}) if "micro F1" in line]
    assert "0.250 [0.200, 0.300] on its validation sounds (saying every class: 0.167)" in line


def test_named_models_that_always_or_never_say_yes_are_warned_of() -> None:
    found = headline.headline(content(None, table("mute", 0.5, recall=0.0, spec=1.0), table("eager", 0.5, recall=1.0, spec=0.1)))
    assert found["never_yes"] == ["mute/by-family/split0-seed0"]
    assert found["nearly_always_yes"] == ["eager/by-family/split0-seed0"]
    assert [line.startswith("Warning") for line in headline.sentences(found)[-2:]] == [True, True]


def test_the_headline_s_numbers_are_those_of_the_tables(material: Any) -> None:
    found = material.content["headline"]
    values = {(t["treatment"], t["protocol"], t["set"]): t["mean"]["roc_auc"] for t in material.content["tables"]}
    assert found["protocol"] == "by-family"
    assert found["best"]["roc_auc"] == values[found["best"]["treatment"], "by-family", found["best"]["set"]]
    assert found["augment_first"]["roc_auc"]["value"] == max(v["value"] for (_, protocol, _), v in values.items() if protocol == "augment-first")
    assert [entry["control"] for entry in found["against"]] == ["shuffled"]


def test_without_evaluations_the_headline_claims_nothing() -> None:
    found = headline.headline({"tables": [], "comparisons": [], "yardsticks": []})
    assert (found["best"], found["augment_first"]) == (None, None)
    assert headline.sentences(found) == ["No treatment is evaluated yet."]


def test_level_is_judged_on_the_whole_corpus_as_it_is(material: Any) -> None:
    corpus = material.corpus
    for row, name in zip(material.content["levels"], descriptors.LEVEL, strict=True):
        expected = roc_auc_score(corpus.label, corpus.descriptors[:, corpus.descriptor_names.index(name)])
        assert row["roc_auc"]["value"] == pytest.approx(expected, abs=1e-6)
        assert row["roc_auc"]["low"] < expected < row["roc_auc"]["high"]
        assert [words.LEVELS[name], words.interval(row["roc_auc"])] in [list(line[1:3]) for line in listing.overview(material.content).rows]


def test_dreams_that_rose_and_that_did_not_add_up_to_those_made(material: Any) -> None:
    for line in material.content["sweeps"]["appendix"]["summary"]:
        assert line["made"] == line["rose"] + line["still_dead"] + line["still_other"]
    outcome = material.content["outcome"]
    assert outcome["made"] == sum(outcome[fate] for fate in ("rose", "dead", "overshot", "sure", "unexplained"))
    counted = {"asked": 7, "made": 6, "rose": 3, "still": 3, "dead": 1, "overshot": 1, "sure": 0, "unexplained": 1}
    said = listing.fates({**counted, "rose_although_dead": 1, "rose_although_overshot": 2})
    assert "6 of 7 made. Of these 3 raised their target's activation and 3 did not (1 dead, 1 that overshot, 1 that no test explains)." in said
    assert "Rose although a test calls the target dead: 1." in said
    surer = listing.fates({**counted, "still": 4, "sure": 1, "rose_although_dead": 0, "rose_although_overshot": 0})
    assert "4 did not (1 dead, 1 that overshot, 1 that needed no step, 1 that no test explains)." in surer
    assert "Rose although they overshot, and ended below the highest that they had reached: 2." in said


def dream(target: int, trace: list[float], **raised: bool) -> Dream:
    state = {"silent_on_start": False, "slow": False, "silent_on_corpus": False, "upstream": False, **raised}
    made = {"activation": trace, "state": state, "coefficients": list(np.eye(9)[target]), "rms_from_start": 0.1}
    return Dream("appendix", "m", "conv4", str(target), "post", "source", Path("none.json"), made, None)


def test_living_dreams_rose_are_not_dead_and_did_not_overshoot() -> None:
    rose, still, fell = dream(0, [0.1, 0.2]), dream(1, [0.1, 0.1]), dream(2, [0.2, 0.1])
    sure = dream(6, [2.0, 2.0])
    sure = replace(sure, content={**sure.content, "stop_confidence": 0.9, "steps_taken": 0})
    assert sure.fate == "sure"
    assert replace(sure, content={**sure.content, "steps_taken": 9}).fate == "unexplained"  # another class was surer still
    dead, passed, back = dream(3, [0.1, 0.2], slow=True), dream(4, [0.1, 0.3, 0.2, 0.2], overshot=True), dream(5, [0.2, 0.3, 0.1, 0.1], overshot=True)
    assert selection.select([rose, still, fell, dead, passed, back], [])["living"] == [rose]
    assert [each.fate for each in (rose, still, fell, dead, passed, back)] == ["rose", "unexplained", "unexplained", "rose", "rose", "overshot"]


@pytest.mark.parametrize(
    ("fate", "dead", "raised", "said"),
    [
        ("rose", False, "", ""),
        ("dead", True, "slow", "dead: slow"),
        ("rose", True, "slow", "dead: slow, yet it rose"),
        ("rose", False, "overshot", "rose; overshot"),
        ("overshot", False, "overshot", "did not rise: overshot"),
        ("sure", False, "", "did not rise: sure from the start, no step needed"),
        ("unexplained", False, "", "did not rise: no test explains it"),
    ],
)
def test_a_card_says_why_its_dream_did_not_rise(fate: str, dead: bool, raised: str, said: str) -> None:
    assert words.verdict({"fate": fate, "dead": dead, "state": {raised: True}}, short=True) == said


def test_a_target_is_named_as_the_command_line_takes_it() -> None:
    assert words.command({"layer": "conv4", "target": "23"}) == "conv4:23"
    assert words.command({"layer": "class", "target": "a%2Fb"}) == "class:a/b"


def test_every_descriptor_and_every_death_is_defined() -> None:
    assert set(glossary.DESCRIPTORS) == set(descriptors.PLAIN)
    assert {"slow", "overshot", "silent", "RMS from start"} <= set(glossary.WORDS)


def test_validation_sides_with_few_sounds_of_a_class_are_warned_of() -> None:
    def model(name: str, positive: int) -> Any:
        ids = [f"{place}@{window}" for place in range(20) for window in (0, 1)]
        labels = [int(int(one.partition("@")[0]) < positive) for one in ids]
        judged = {"id": ids, "label": labels, "probability": [0.5] * len(ids)}
        return SimpleNamespace(name=name, evaluation={"sets": {"validation": {"predictions": judged}}})

    assert glance.few_of_a_class([model("a", 10), SimpleNamespace(name="b", evaluation=None)]) == []
    (warning,) = glance.few_of_a_class([model("a", 10), model("b", 9), model("c", 3)])
    assert "2 of 3 models were judged on fewer than 10 sounds of a class, c on 3." in warning


def test_the_page_says_that_the_start_was_left_at_the_packaged_phrase() -> None:
    def said(name: str, synthetic: object) -> str:
        return glance._start({"sounds": {"source": {"name": name}, "synthetic": synthetic}}, "source")

    assert said("trombone", None) == "the packaged trombone phrase, since the study names no sounds.start"
    assert said("trombone", {}) == "the source, a trombone"
    assert said("cello.wav", None) == "the source, a cello.wav"
