"""The oracular processor at the thesis's size: its time, its bytes, its replays, and sources of other people's kinds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from aesdream import files
from aesdream.seeding import generator
from aesdream.sounds.oracular import TROMBONE
from jobs import chains
from tests.runs import aesdream, command, environment

LEVELS, OUTPUTS, COUNT = "4", "251,249,249,249", 998
MINUTES, CORES = 4, 2


def generated(out: Path, cores: int) -> float:
    """Make 998 sounds of 10 s on so many cores; returns the seconds it took."""
    ours = sorted(os.sched_getaffinity(0))[:cores]
    call = command(
        "sounds", "generate", "trombone", "--levels", LEVELS, "--outputs", OUTPUTS, "--seconds", "10", "10", "--seed", "2019", "--out", out
    )
    began = time.monotonic()
    subprocess.run(["taskset", "-c", ",".join(map(str, ours)), *call], env=environment(), check=True)
    seconds = time.monotonic() - began
    print(f"\n{COUNT} sounds of 10 s on {len(ours)} cores: {seconds:.0f} s; load average now {os.getloadavg()[0]:.1f}")
    return seconds


def digests(out: Path) -> dict[str, str]:
    """The SHA-256 of every file but those of the jobs folder."""
    found = (path for path in sorted(out.rglob("*")) if path.is_file() and path.relative_to(out).parts[0] != "jobs")
    return {path.relative_to(out).as_posix(): files.sha256(path) for path in found}


@pytest.fixture(scope="module")
def thesis_size(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, float]]:
    out = tmp_path_factory.mktemp("thesis") / "out"
    yield out, generated(out, CORES)
    shutil.rmtree(out)  # 3 GB


def test_998_sounds_of_10_s_at_48_khz_within_four_minutes_on_two_cores(thesis_size: tuple[Path, float]) -> None:
    out, seconds = thesis_size
    sounds = sorted(out.glob("level-*/*.wav"))
    assert len(sounds) == COUNT
    for path in sounds[::50]:
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.frames) == (48_000, 2, 480_000)
    assert seconds <= 60 * MINUTES


def test_one_worker_makes_the_same_bytes_again(thesis_size: tuple[Path, float], tmp_path: Path) -> None:
    generated(tmp_path / "again", 1)
    assert digests(tmp_path / "again") == digests(thesis_size[0])
    shutil.rmtree(tmp_path / "again")


def test_a_hundred_random_sounds_mimicked_on_their_own_source_are_the_same_samples(thesis_size: tuple[Path, float], tmp_path: Path) -> None:
    sounds = sorted(thesis_size[0].glob("level-*/*.wav"))
    chosen = [sounds[place] for place in generator(1, "mimics").choice(len(sounds), 100, replace=False)]
    assert {path.parent.name for path in chosen} == {f"level-{level}" for level in range(1, 5)}
    for path in chosen:
        copy = tmp_path / path.name
        list(chains.mimic(path, TROMBONE, copy))
        assert copy.read_bytes() == path.read_bytes()
        copy.unlink()


FOREIGN = {
    "mono.wav": ("-c", "1", "-b", "16"),
    "deep.wav": ("-b", "24"),
    "slow.wav": ("-r", "8000", "-c", "1"),
    "fast.flac": ("-r", "96000", "-b", "24"),
    "lossy.ogg": ("-r", "44100"),
}


def test_sources_of_other_peoples_kinds_make_sounds_of_their_rate_and_channels_and_take_any_chain(
    thesis_size: tuple[Path, float], tmp_path: Path
) -> None:
    clips = {name: tmp_path / "clips" / name for name in FOREIGN}
    (tmp_path / "clips").mkdir()
    for name, options in FOREIGN.items():
        subprocess.run(["sox", "-D", TROMBONE, *options, clips[name]], check=True)
    kinds = {name: (soundfile.info(clip).samplerate, soundfile.info(clip).channels) for name, clip in clips.items()}
    assert len(set(kinds.values())) == len(kinds)
    out = tmp_path / "out"
    done = aesdream("sounds", "generate", tmp_path / "clips", "--levels", "2", "--outputs", "30", "--seconds", "1", "6", "--out", out)
    assert done.returncode == 0, done.stderr
    heard = set()
    for path in out.glob("level-*/*.wav"):
        name = json.loads(path.with_suffix(".json").read_text())["source"]["name"]
        info = soundfile.info(path)
        assert (info.samplerate, info.channels) == kinds[name]
        heard.add(name)
    assert heard == set(FOREIGN)
    made = thesis_size[0] / "level-4" / "4-0007.wav"
    for name, clip in clips.items():
        done = aesdream("sounds", "mimic", made, "--on", clip, "--out", tmp_path / f"on-{name}.wav")
        assert done.returncode == 0, done.stderr
        info = soundfile.info(tmp_path / f"on-{name}.wav")
        assert (info.samplerate, info.channels, info.frames) == (*kinds[name], 10 * kinds[name][0])
