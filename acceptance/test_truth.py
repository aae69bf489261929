"""The study of the truth in miniature, through every stage: nothing is learned there, and nothing may be claimed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from aesdream.appendix.truth.seeds import OTHER, SEED
from aesdream.appendix.truth.verdicts import JUDGED
from tests import printed
from tests.runs import ROOT, aesdream

TINY = ROOT / "configs" / "tiny-truth.yaml"


def built(run: Path) -> dict[str, Any]:
    done = aesdream("run", TINY, "--out", run)
    assert done.returncode == 0, done.stderr
    return dict(json.loads((run / "results.json").read_text())["truth"])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("truth") / "run"


@pytest.fixture(scope="module")
def told(run: Path) -> dict[str, Any]:
    return built(run)


def test_every_composer_and_network_has_its_row_its_controls_and_its_verdict(told: dict[str, Any]) -> None:
    assert [network["network"] for network in told["networks"]] == ["many", "logmel"]
    for network in told["networks"]:
        assert [row["composer"] for row in network["rows"]] == ["bright", "wide"]
        assert [row["control"] for row in network["controls"]] == ["shuffled", "untrained", "random"]
        for row in network["rows"]:
            assert (row["models"], row["dreams"]) == (row["expected"], row["asked"])
            assert row["pairs"] + sum(arm["short"] for arm in row["arms"]) >= row["asked"] / 2
            assert row["verdict"] in (*JUDGED, "unheard", "incomparable", "unmoved")
            assert len(row["elsewhere"]) == 2


def test_other_seeds_and_regularisers_are_told_of(told: dict[str, Any]) -> None:
    assert {"bright", "wide", SEED, OTHER, "shuffled", "untrained"} == set(told["seeds"][0]["sets"])
    assert {one["layer"] for one in told["transfer"]} == {"conv2", "class"}
    assert [one["way"] for one in told["regularised"]] == ["plain", "masked", "augmented (inaudible)"]
    assert all(one["share_audible"]["value"] is not None for one in told["regularised"])
    assert [set(one["less"]) for one in told["regularised"]] == [{"shuffled", "untrained"}] * 3


def test_page_and_book_show_the_matrices_and_say_that_composers_are_synthetic(run: Path, told: dict[str, Any]) -> None:
    page = (run / "appendix/index.html").read_text()
    assert "Do the dreams tell the truth?" in page
    assert "The composers here are synthetic" in page
    for name in ("truth-many", "truth-logmel", "truth-determinants"):
        assert (run / f"appendix/figures/{name}.svg").is_file()
        assert (run / f"appendix/figures/{name}.pdf").is_file()


def test_page_and_book_print_only_numbers_that_results_json_holds(run: Path, told: dict[str, Any]) -> None:
    printed.check(printed.read(run))


def test_a_run_that_lost_dreams_is_whole_again_after_the_same_call(run: Path, told: dict[str, Any]) -> None:
    before = (run / "results.json").read_bytes()
    shutil.rmtree(run / "dreams/truth/learned-wide-logmel")
    again = built(run)
    assert again == told
    assert (run / "results.json").read_bytes() == before
