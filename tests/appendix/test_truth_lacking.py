"""What a study does not ask for, and without which its truth chapter could not judge: said with its plan."""

from __future__ import annotations

import pytest

from aesdream import study as studies
from aesdream.appendix.truth.lacking import lacking
from tests.runs import ROOT

TINY = ROOT / "configs/tiny-truth.yaml"


def lines(*settings: str) -> list[str]:
    return list(lacking(studies.load(TINY, settings)))


@pytest.mark.parametrize("name", ["truth", "tiny-truth", "demo", "demo-instruments", "tiny"])
def test_nothing_lacks_in_the_packaged_studies(name: str) -> None:
    assert not list(lacking(studies.load(ROOT / f"configs/{name}.yaml")))


@pytest.mark.parametrize(
    ("setting", "control", "networks"),
    [
        ("sweeps.shuffled.models=[shuffled-logmel/*]", "networks that learned shuffled labels", "network many"),
        ("sweeps.shuffled.models=[shuffled-*/*/split0-*]", "networks that learned shuffled labels", "networks many, logmel"),
        ("sweeps.untrained.models=[untrained-many/*]", "untrained networks", "network logmel"),
        ("sweeps.untrained.momentum=0", "untrained networks", "networks many, logmel"),
        ("sweeps.shuffled.at=[0.004]", "networks that learned shuffled labels", "networks many, logmel"),
        ("sweeps.random.direction=gradient", "noises (direction: random)", "networks many, logmel"),
    ],
)
def test_a_control_that_is_not_dreamed_or_otherwise_is_named_with_the_networks_that_it_lacks_for(setting: str, control: str, networks: str) -> None:
    [line] = lines(setting)
    assert line.startswith(f"{networks}: no dreams of {control} of 2 splits with the same ")


@pytest.mark.parametrize(
    ("setting", "composers"),
    [
        ("sweeps.rule.models=[learned-bright-many/by-family/*-seed0]", "wide"),
        ("sweeps.rule.models=[learned-*-many/by-family/split0-seed0]", "bright, wide"),
        ("sweeps.rule.at=[0.004]", "bright, wide"),
    ],
)
def test_composers_whose_rule_is_not_dreamed_as_it_must_be_are_named(setting: str, composers: str) -> None:
    [line] = lines(setting)
    assert line.startswith(f"no dreams of the rule itself (direction: rule) of {composers}, of 2 splits")


def test_one_split_has_no_intervals() -> None:
    [line] = lines("sweeps.truth.models=[learned-*/*/split0-*]")
    assert line.startswith("dreams of one split only of learned-bright-many, learned-bright-logmel")


def test_a_sweep_of_fewer_starts_beside_the_one_that_is_judged_needs_no_controls() -> None:
    assert not lines("sweeps.classes.momentum=0", "sweeps.classes.at=[0.002]")


def test_two_treatments_of_one_composer_and_network_have_one_row() -> None:
    [line] = lines(
        "training.treatments.again={composer: bright, network: many}",
        "sweeps.truth.models=[learned-*, again/*]",
    )
    assert line == "learned-bright-many, again learned from bright in one network (many): the truth has one row for them, that of again"


def test_a_study_that_learned_nothing_is_asked_nothing() -> None:
    assert not lines("sweeps.truth.models=[shuffled-*]", "sweeps.classes.models=[shuffled-many/*]", "sweeps.shuffled.models=[shuffled-many/*]")
