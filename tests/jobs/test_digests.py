"""What units of the shipped studies depend on does not change by accident: a finished run of an older version would be refused."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from aesdream import config
from aesdream.sounds import composers
from aesdream.study import load
from jobs.graph import Graph
from jobs.units import Unit
from tests.runs import ROOT

KNOWN = {
    "tiny": "08827aaaf52295b8",
    "demo": "4829a22d1f99e7f4",
    "jenkins2019-synthetic": "b54244eaec2b57c3",
}
"""Of every model and dream, given some corpus; a key that a study leaves as it is must not change them."""


@pytest.mark.parametrize("name", KNOWN)
def test_models_and_dreams_of_a_shipped_study_have_the_digests_that_they_had(name: str) -> None:
    study = load(ROOT / "configs" / f"{name}.yaml")
    graph = Graph(study, Unit("sounds", "preprocess", "sounds.json", {"made": "up"}), 480, composers.CLASSES)
    digests = [(unit.name, config.digest(unit.recipe), unit.batch) for unit in (*graph.models, *graph.dreams)]
    assert sha256(json.dumps(digests).encode()).hexdigest()[:16] == KNOWN[name]
