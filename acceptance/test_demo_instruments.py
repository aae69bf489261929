"""The instrument demo itself: its time, and the claims that it makes of what is learned and dreamed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.runs import ROOT, aesdream

DEMO = ROOT / "configs" / "demo-instruments.yaml"
MODEL = "windowed/by-family/split0-seed0"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    run = tmp_path_factory.mktemp("demo-instruments") / "run"
    began = time.monotonic()
    done = aesdream("run", DEMO, "--out", run)
    assert done.returncode == 0, done.stderr
    return run, time.monotonic() - began


@pytest.fixture(scope="module")
def told(demo: tuple[Path, float]) -> Any:
    return json.loads((demo[0] / "results.json").read_text())["instruments"]


def test_the_instrument_demo_takes_at_most_twelve_minutes_on_two_cores(demo: tuple[Path, float]) -> None:
    print(f"\ninstrument demo: {demo[1]:.0f} s on {len(os.sched_getaffinity(0))} cores")
    assert demo[1] <= 720


def test_instruments_are_learned_by_recording_and_worse_heard_on_another_font(told: Any) -> None:
    sets = told["sets"][MODEL]
    chance = told["sets"]["shuffled/by-family/split0-seed0"]["test"]
    assert sets["test"]["lrap"]["low"] > chance["lrap"]["high"]
    for name, found in sets.items():
        for average in ("micro", "macro"):
            f1, nothing = found["S2"][average]["f1"], found["always"][f"{average}_f1"]
            print(f"{name}, {average} F1: {f1['value']:.3f} [{f1['low']:.3f}, {f1['high']:.3f}], every class always {nothing:.3f}")
            assert name == "second-font" or f1["low"] > nothing
    if "second-font" in sets:
        assert sets["second-font"]["lrap"]["value"] < sets["test"]["lrap"]["low"]


def test_every_excerpt_reaches_its_own_and_a_wrong_class(told: Any) -> None:
    kinds = told["sweeps"]["nearest"][MODEL]["targeted"]["kinds"]
    for kind in ("right", "wrong", "right-then-wrong"):
        print(f"\n{kind}: {kinds[kind]['success']['value']:.2f} of {kinds[kind]['n']}, RMSE {kinds[kind]['rmse_db']['value']:.2f} dB")
        assert kinds[kind]["n"] == 22
        assert kinds[kind]["success"]["value"] == 1
