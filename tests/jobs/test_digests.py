"""What units of the shipped studies depend on does not change by accident: a finished run of an older version would be refused."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from aesdream import config
from aesdream.sounds import composers
from aesdream.study import load
from jobs import preprocess
from jobs.graph import Graph
from jobs.units import Unit
from tests.runs import ROOT

KNOWN = {
    "tiny": ("b7ded5e1f058fb59", "08827aaaf52295b8"),
    "demo": ("793b107e24458ebc", "4829a22d1f99e7f4"),
    "jenkins2019-synthetic": ("eb7acaf9d0268729", "b54244eaec2b57c3"),
}
"""Of the sounds, and of every model and dream given some sounds; a key that a study leaves as it is must not change them. Who changes one on purpose
says in the changelog that runs must be made anew: models hang on their sounds."""


def digest(of: Any) -> str:
    return sha256(json.dumps(of).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", KNOWN)
def test_sounds_models_and_dreams_of_a_shipped_study_have_the_digests_that_they_had(name: str) -> None:
    study = load(ROOT / "configs" / f"{name}.yaml")
    graph = Graph(study, Unit("sounds", "preprocess", "sounds.json", {"made": "up"}), 480, composers.CLASSES)
    models_and_dreams = [(unit.name, config.digest(unit.recipe), unit.batch) for unit in (*graph.models, *graph.dreams)]
    sounds = preprocess.joined(preprocess.sources(study, [], []))
    assert (config.digest(sounds.recipe), digest(models_and_dreams)) == KNOWN[name]
