"""The oracular processor: who descends from whom, and rendering as a pure function."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from aesdream.config import validate
from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.sounds.oracular import TROMBONE, Oracular, Processor, lineage
from aesdream.sounds.oracular.chains import replay, wrong_steps

RATE = 8000


def noise(channels: int, samples: int, seed: int = 0) -> np.ndarray:
    return generator(seed, "test").uniform(-1, 1, (channels, samples))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(20, 600), levels=st.integers(1, 8), seed=st.integers(0, 2**32))
def test_lineages_keep_levels_families_and_order(count: int, levels: int, seed: int) -> None:
    found = lineage(Oracular(count=count, levels=levels, exchanged=0), seed)
    assert [sound.id for sound in found] == [f"s{number:04d}" for number in range(count)]
    sizes = Counter(sound.level for sound in found)
    assert sizes == {level: count // levels + (count % levels if level == 1 else 0) for level in range(1, levels + 1)}
    for number, sound in enumerate(found):
        if sound.parent is None:
            assert (sound.level, sound.family) == (1, sound.id)
        else:
            parent = found[sound.parent]
            assert sound.parent < number
            assert (sound.level, sound.family) == (parent.level + 1, parent.family)
    changes = sum(one.family != other.family for one, other in pairwise(found))
    assert changes + 1 == len({sound.family for sound in found})


def test_a_lineage_follows_from_its_seed() -> None:
    assert lineage(Oracular(), 1) == lineage(Oracular(), 1) != lineage(Oracular(), 2)


@pytest.fixture(scope="module")
def source() -> np.ndarray:
    samples, rate = soundfile.read(TROMBONE)
    return samples[:: rate // RATE].T


def processor(source: np.ndarray, seed: int = 5) -> Processor:
    return Processor(source, RATE, 1.0, lineage(Oracular(count=24, exchanged=0), seed), seed)


def test_a_sound_rendered_alone_equals_itself_rendered_in_sequence(source: np.ndarray) -> None:
    whole = processor(source)
    in_order = [whole.render(index) for index in range(24)]
    for index in (23, 11, 5, 6, 0):
        alone, again = processor(source).render(index), whole.render(index)
        assert alone.chain == again.chain == in_order[index].chain
        assert alone.sound.tobytes() == again.sound.tobytes() == in_order[index].sound.tobytes()


def test_sounds_are_as_long_and_as_loud_as_they_should_be(source: np.ndarray) -> None:
    made = processor(source)
    for index in range(24):
        rendered = made.render(index)
        mix = rendered.chain[-1]
        assert rendered.sound.dtype == np.float32
        assert rendered.sound.shape == (2, round(mix["seconds"] * RATE))
        assert 1 <= mix["seconds"] <= 1.1
        assert np.abs(rendered.sound).max() <= 10 ** (-1 / 20) + 1e-6
        level = 10 * np.log10(np.mean(rendered.sound[:, :RATE].astype(float) ** 2))
        assert level == pytest.approx(-23 + mix["gain_db"], abs=0.01)
        assert np.abs(rendered.sound[:, [0, -1]]).max() < 1e-3


def test_a_record_says_all_that_is_needed_to_make_the_sound_again(source: np.ndarray) -> None:
    made, descents = processor(source), lineage(Oracular(count=24, exchanged=0), 5)
    for child in (number for number, descent in enumerate(descents) if descent.level == 3):
        parent = made.render(descents[child].parent or 0).sound.astype(np.float64)
        rendered = made.render(child)
        chain = json.loads(json.dumps(rendered.chain))
        assert not list(wrong_steps(chain))
        assert 1 <= sum("failed" not in step for step in chain) - 2 <= 4
        again = replay(chain, parent, RATE)
        assert again.steps == chain
        assert again.sound.tobytes() == rendered.sound.tobytes()


@pytest.mark.parametrize("bad", [np.zeros((2, 100)), np.full((2, 100), np.nan)])
def test_a_source_without_sound_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(UserError, match="source: is silent or not finite"):
        processor(bad)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"composer": "brigth"}, "valid: bright"),
        ({"count": 19}, "count"),
        ({"levels": 9}, "levels"),
        ({"share": 0.01, "count": 20}, "0 interesting"),
        ({"share": 0.99, "exchanged": 0.4}, "too one-sided"),
        ({"levles": 4}, "did you mean levels"),
    ],
)
def test_wrong_settings_are_refused_with_their_key(change: dict[str, object], part: str) -> None:
    with pytest.raises(UserError, match=part):
        validate(Oracular, change, "study.yaml")


def test_the_packaged_phrase_is_what_its_readme_says() -> None:
    samples, rate = soundfile.read(TROMBONE)
    assert (samples.shape, rate) == ((12 * 48_000, 2), 48_000)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-3, abs=0.01)
    assert TROMBONE.stat().st_size < 1_500_000
