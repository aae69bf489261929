"""Hearing in a study: what a sweep or a treatment says of it is part of a recipe only where it is said, and is refused where it makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from aesdream import config, study
from aesdream.dreaming.settings import Sweep
from aesdream.errors import UserError
from jobs import dream, train
from tests.runs import ROOT

MODEL = "plain/by-family/split0-seed0"


def loaded(*overrides: str) -> study.Study:
    return study.load(ROOT / "configs/tiny.yaml", overrides)


def recipes(*overrides: str) -> tuple[dict[str, object], dict[str, object]]:
    """Of a dream of the sweep ``classes``, and of its model."""
    given = loaded(*overrides)
    models = {unit.name.removeprefix("models/"): unit for unit in train.units(given, "0" * 16, 40)}
    dreams = dream.units(given, ("no", "yes"), {name: unit.header["digest"] for name, unit in models.items()})
    of_sweep = next(unit for unit in dreams if unit.name.startswith("dreams/classes/"))
    return dict(of_sweep.recipe), dict(models[MODEL].recipe)


def test_hearing_stays_out_of_recipes_where_it_is_not_asked_for() -> None:
    dreamt, learned = recipes()
    assert "regularisers" not in dreamt
    assert "augmentation" not in learned["treatment"]


def test_hearing_is_part_of_recipes_where_it_is_asked_for_in_one_order() -> None:
    orders = ("[infrasound, smooth, infrasound]", "[smooth, infrasound]")
    one, other = (recipes(f"sweeps.classes.regularisers={order}")[0] for order in orders)
    assert one == other
    assert one["regularisers"] == ["smooth", "infrasound"]
    assert config.digest(one) != config.digest(recipes()[0])
    assert Sweep(models=("a",), layers=("class",), regularisers="masked").regularisers == ("masked",)
    assert recipes("training.treatments.plain.augmentation=inaudible")[1]["treatment"]["augmentation"] == "inaudible"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sweeps.classes.regularisers=[loud]", "'loud' is unknown; valid: smooth, masked, infrasound"),
        ("sweeps.classes={models: ['*'], layers: [class], regularisers: [smooth], domain: spectrogram}", "domain must be waveform"),
        ("sweeps.classes={models: ['*'], layers: [class], regularisers: [smooth], direction: random, stop_rms: 0.1}", "direction must be gradient"),
        ("training.treatments.plain.augmentation=loud", "augmentation"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_remedy(override: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        loaded(override)


def test_a_study_with_hearing_reads_back_the_same(tmp_path: Path) -> None:
    given = loaded("sweeps.classes.regularisers=[masked]", "training.treatments.plain.augmentation=inaudible")
    (tmp_path / "study.yaml").write_text(config.to_yaml(given))
    assert study.load(tmp_path / "study.yaml") == given
