"""Chains: what is caught while they grow, what replays, and which records are refused."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesdream.seeding import generator
from aesdream.sounds.oracular import chains
from aesdream.sounds.oracular.chains import Grown, grow, replay, wrong_steps
from aesdream.sounds.oracular.mixing import Silent
from aesdream.sounds.processes import PROCESSES, Uniform, process, registry

RATE = 8000
EVEN = Uniform(0, 0)
EXCERPT = {"process": "excerpt", "place": 0.5, "seconds": 2.0}
MIX = {"process": "mix", "seconds": 1.0, "kept": 1.0, "place": 0.5, "crest_db": 12.0, "gain_db": 0.0}
COMB = {"process": "comb", "delay": 0.1, "decay": 0.7}


def noise(channels: int, samples: int, seed: int = 0) -> np.ndarray:
    return generator(seed, "test").uniform(-1, 1, (channels, samples))


def grown(sound: np.ndarray, seed: int, rate: int = RATE, low: float = 0.4, high: float = 0.8) -> Grown:
    return grow(partial(generator, seed, "sound"), sound, rate, lengths=Uniform(low, high), kept=high, gain_db=EVEN)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([8000, 11_025, 48_000, 96_000]),
    channels=st.integers(1, 2),
    samples=st.integers(400, 30_000),
    level=st.sampled_from([1e-4, 0.1, 1.0]),
)
def test_whatever_grows_replays_to_the_same_samples_at_the_same_loudness(seed: int, rate: int, channels: int, samples: int, level: float) -> None:
    sound = level * noise(channels, samples, seed)
    made = grown(sound, seed, rate)
    mix = made.steps[-1]
    assert made.sound.shape == (channels, round(mix["seconds"] * rate))
    assert 0.4 <= mix["seconds"] <= 0.8
    assert np.isfinite(made.sound).all()
    assert 10 * np.log10(np.mean(made.sound.astype(float) ** 2)) == pytest.approx(-23, abs=0.02)
    steps = json.loads(json.dumps(made.steps))
    assert not list(wrong_steps(steps))
    again = replay(steps, sound, rate)
    assert again.steps == steps
    assert again.sound.tobytes() == made.sound.tobytes() == grown(sound, seed, rate).sound.tobytes()


@pytest.fixture
def bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only three processes: one that blows up, one that falls silent, and one that works."""
    only = {"butterworth": PROCESSES["butterworth"]}
    monkeypatch.setattr(registry, "PROCESSES", only)
    monkeypatch.setattr(chains, "PROCESSES", only)

    @process()
    def bomb(sound: np.ndarray, rate: int) -> np.ndarray:
        return sound * np.inf

    @process()
    def hush(sound: np.ndarray, rate: int) -> np.ndarray:
        return sound * 1e-6


@pytest.mark.usefixtures("bombs")
def test_a_process_that_blows_up_or_falls_silent_is_recorded_and_another_is_drawn() -> None:
    reasons = set()
    for seed in range(20):
        made = grown(noise(2, 4000), seed)
        failed = {step["process"]: step["failed"] for step in made.steps if "failed" in step}
        reasons |= set(failed.items())
        assert {step["process"] for step in made.steps if "failed" not in step} == {"excerpt", "butterworth", "mix"}
        assert replay(made.steps, noise(2, 4000), RATE).sound.tobytes() == made.sound.tobytes()
    assert reasons == {("bomb", "not finite"), ("hush", "silent")}


def test_of_a_recording_that_is_too_long_an_excerpt_is_used() -> None:
    sound = np.zeros((1, 20 * RATE))
    sound[:, 12 * RATE :] = noise(1, 8 * RATE)
    kept = chains.excerpt(sound, RATE, {"place": 1.0, "seconds": 2.0})
    assert np.array_equal(kept, sound[:, -2 * RATE :])
    assert replay([EXCERPT | {"place": 1.0}, MIX], sound, RATE).sound.shape == (1, RATE)
    with pytest.raises(Silent):
        replay([EXCERPT | {"place": 0.0}, MIX], sound, RATE)


def test_mostly_silent_sources_are_tried_until_something_is_heard_and_silent_ones_given_up() -> None:
    sound = np.zeros((1, 40 * RATE))
    sound[:, : 8 * RATE] = noise(1, 8 * RATE)
    attempts = [grown(sound, seed).steps[-1]["attempts"] for seed in range(12)]
    assert max(attempts) > 1
    for quiet in (np.zeros((1, RATE)), np.full((2, RATE), 1e-300)):
        with pytest.raises(Silent, match="20 random chains in a row left silence"):
            grown(quiet, 1)


def test_a_step_that_falls_silent_on_another_sound_is_passed_over_and_marked() -> None:
    low = {"process": "elliptic", "kind": "highpass", "cutoff": 4000, "octaves": 1, "order": 6, "ripple": 1, "rejection": 80}
    tone = np.sin(2 * np.pi * 100 * np.arange(96_000) / 48_000)[None] * np.hanning(96_000)
    again = replay([EXCERPT, low, COMB, MIX], tone, 48_000)
    assert again.steps == [EXCERPT, {**low, "failed": "silent"}, COMB, MIX]
    assert again.sound.tobytes() == replay([EXCERPT, COMB, MIX], tone, 48_000).sound.tobytes()


@pytest.mark.parametrize(
    ("steps", "part"),
    [
        ("comb", "steps: must be a list of steps"),
        ([["comb"]], "step 0: must hold keys and values, its process among them"),
        ([], "must begin with excerpt, end with mix"),
        ([EXCERPT, COMB], "are excerpt, comb"),
        ([EXCERPT, MIX, MIX], "have no other of either"),
        ([EXCERPT, {"process": "comp"}, MIX], "step 1: process: 'comp' is unknown; valid: excerpt, mix, comb"),
        ([EXCERPT, COMB | {"decay": 1.5}, MIX], "step 1: comb: decay is 1.5; must be a number from 0.5 to 0.98"),
        ([EXCERPT, COMB, MIX | {"seconds": 1e9}], "step 2: mix: seconds is 1000000000.0; must be a number from 0.05 to 600"),
        ([{"process": "excerpt", "place": 0.5}, MIX], "step 0: excerpt: seconds is missing"),
        ([EXCERPT, MIX | {"reverse": 1}], "step 1: mix: reverse is unknown; valid: seconds, kept"),
    ],
)
def test_wrong_records_are_refused_with_step_and_parameter(steps: Any, part: str) -> None:
    assert any(part in line for line in wrong_steps(steps))
