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
        ("sweeps.shuffled.models=[shuffled-logmel/*]", "networks that learned shuffled labels", "many"),
        ("sweeps.untrained.models=[untrained-many/*]", "untrained networks", "logmel"),
        ("sweeps.untrained.momentum=0", "untrained networks", "many, logmel"),
        ("sweeps.shuffled.at=[0.004]", "networks that learned shuffled labels", "many, logmel"),
        ("sweeps.random.direction=gradient", "noises (direction: random)", "many, logmel"),
    ],
)
def test_a_control_that_is_not_dreamed_or_otherwise_is_named_with_the_networks_that_it_lacks_for(setting: str, control: str, networks: str) -> None:
    [line] = lines(setting)
    assert line.startswith(f"no dreams of {control} made as those of {networks} (")


def test_composers_whose_rule_is_not_dreamed_are_named() -> None:
    [line] = lines("sweeps.rule.models=[learned-bright-many/by-family/*-seed0]")
    assert "of wide: nothing will be judged of what listens for it" in line


def test_one_split_has_no_intervals() -> None:
    [line] = lines("training.splits=1")
    assert line.startswith("training.splits: 1 gives no intervals")


def test_two_treatments_of_one_composer_and_network_have_one_row() -> None:
    [line] = lines(
        "training.treatments.again={composer: bright, network: many}",
        "sweeps.truth.models=[learned-*, again/*]",
    )
    assert line == "learned-bright-many, again learned from bright in one network (many): the truth has one row for them, that of again"


def test_a_study_that_learned_nothing_is_asked_nothing() -> None:
    assert not lines("sweeps.truth.models=[shuffled-*]", "sweeps.classes.models=[shuffled-many/*]", "sweeps.shuffled.models=[shuffled-many/*]")
