"""Excerpts rendered from sampled instruments: who plays, what is kept apart, the same bytes from the same seed, and what a soundfont must have."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch

from aesdream.seeding import generator
from aesdream.sounds import instruments
from aesdream.sounds.instruments import fonts, midi, players, rendering, scores
from aesdream.sounds.instruments.midi import Note, Part
from aesdream.sounds.irmas import CLASSES, EXCERPT

MADE = instruments.Instruments(recordings=4, excerpts=2, tests=88, second_font=instruments.SecondFont(path="other.sf2"))
SECONDS = 2.0


def font() -> Path:
    found = fonts.packaged()
    assert found is not None
    return found


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def soundfont(path: Path, presets: Iterable[tuple[int, int]], version: int = 2) -> Path:
    """A file with the head of a soundfont and the records of presets, and no samples."""
    records = b"".join(struct.pack("<20sHH14x", f"preset {bank} {program}".encode(), program, bank) for bank, program in presets)
    last = struct.pack("<20sHH14x", b"EOP", 0, 0)
    info = chunk(b"LIST", b"INFO" + chunk(b"ifil", struct.pack("<HH", version, 1)) + chunk(b"INAM", b"odd"))
    content = b"sfbk" + info + chunk(b"LIST", b"sdta" + chunk(b"smpl", bytes(101))) + chunk(b"LIST", b"pdta" + chunk(b"phdr", records + last))
    path.write_bytes(chunk(b"RIFF", content))
    return path


def test_every_class_has_its_recordings_and_a_recording_is_a_family_named_as_irmas_names_it() -> None:
    found = instruments.excerpts(MADE, 1, "", SECONDS)
    assert Counter(excerpt.labels for excerpt in found) == {(label,): 8 for label in CLASSES}
    assert Counter(Counter(excerpt.family for excerpt in found).values()) == {2: 44}
    assert len({excerpt.id for excerpt in found}) == len(found)
    families: dict[str, set[str]] = {}
    for excerpt in found:
        named = EXCERPT.fullmatch(Path(excerpt.id).stem)
        assert named is not None
        assert named["label"] == excerpt.labels[0]
        families.setdefault(excerpt.family, set()).add(named["recording"])
    assert all(len(names) == 1 for names in families.values())


def test_excerpts_of_a_recording_do_not_overlap() -> None:
    found = instruments.excerpts(MADE, 1, "", SECONDS)
    for before, after in pairwise(found):
        if before.family == after.family:
            assert before.first + before.seconds < after.first
        assert after.first + after.seconds <= after.whole


def test_test_clips_have_one_to_five_labels_own_lengths_and_as_many_of_each_class_with_one_label() -> None:
    clips = instruments.excerpts(MADE, 1, "test", SECONDS)
    assert {len(clip.labels) for clip in clips} == {1, 2, 3, 4, 5}
    assert all(len(set(clip.labels)) == len(clip.labels) for clip in clips)
    assert Counter(clip.labels for clip in clips if len(clip.labels) == 1) == {(label,): 4 for label in CLASSES}
    assert all(5 <= clip.seconds <= 20 for clip in clips)
    assert len({clip.seconds for clip in clips}) > 80
    assert not {clip.family for clip in clips} & {excerpt.family for excerpt in instruments.excerpts(MADE, 1, "", SECONDS)}


def test_the_second_font_plays_the_same_clips() -> None:
    assert MADE.sets == ("test", "second-font")
    assert instruments.excerpts(MADE, 1, "second-font", SECONDS) == instruments.excerpts(MADE, 1, "test", SECONDS)
    assert instruments.font(MADE, "second-font") == Path("other.sf2")
    assert instruments.font(MADE, "test") == instruments.font(MADE, "") == font()


def test_an_excerpt_is_a_function_of_seed_and_name_alone_and_another_seed_gives_another() -> None:
    found = instruments.excerpts(MADE, 1, "", SECONDS)
    first, second = found[:2]
    in_order = [instruments.rendered(excerpt, font(), 1) for excerpt in (first, second)]
    other = instruments.rendered(found[30], font(), 1)
    again = [instruments.rendered(excerpt, font(), 1) for excerpt in (second, first)]
    np.testing.assert_array_equal(in_order[0], again[1])
    np.testing.assert_array_equal(in_order[1], again[0])
    shapes = {sound.shape for sound in (*in_order, other)}
    assert shapes == {(2, round(SECONDS * 44_100))}
    assert all(0.01 < np.sqrt(np.mean(sound**2)) < 1 and np.abs(sound).max() <= 1 for sound in (*in_order, other))
    assert not np.array_equal(in_order[0], instruments.rendered(instruments.excerpts(MADE, 2, "", SECONDS)[0], font(), 2))


def test_every_instrument_is_heard_in_its_own_excerpts() -> None:
    for label, player in players.PLAYERS.items():
        rng = generator(3, "test", label)
        sketch = scores.sketched(rng, [label])
        part = scores.melody(rng, sketch, 0, SECONDS)
        assert part.preset[1] in player.programs
        assert part.notes[0].start == 0
        assert all(player.lowest <= note.key <= player.highest for note in part.notes)
        assert {note.key % 12 for note in part.notes} <= {(sketch.root + step) % 12 for step in scores.SCALES[sketch.scale]}
        silent = np.ones(round(SECONDS * 100), bool)
        for note in part.notes:
            silent[round(note.start * 100) : round((note.start + note.seconds) * 100)] = False
        assert silent.mean() < 0.5, label


def test_nobody_in_the_accompaniment_is_one_of_the_eleven() -> None:
    solo = {(0, program) for player in players.PLAYERS.values() for program in player.programs}
    for number in range(40):
        rng = generator(number, "test")
        parts = scores.accompaniment(rng, scores.sketched(rng, ["voi"]), 4)
        assert parts
        assert not {part.preset for part in parts} & solo
        assert {part.preset for part in parts} <= players.presets().keys()


def test_a_note_sounds_at_its_pitch_and_when_it_is_struck() -> None:
    sound = fonts.played(font(), midi.file([Part((0, 73), [Note(0.5, 1.0, 81, 100)])], 2.0), 2.0)
    assert sound.shape == (2, 2 * fonts.RATE)
    assert np.abs(sound[:, : fonts.RATE // 2]).max() < 1e-3
    hertz, power = welch(sound[0, round(0.7 * fonts.RATE) : round(1.4 * fonts.RATE)], fonts.RATE, nperseg=16384)
    assert hertz[power.argmax()] == pytest.approx(880, rel=0.01)


def test_the_renderer_plays_to_the_end_though_the_last_note_is_early() -> None:
    sound = fonts.played(font(), midi.file([Part((0, 48), [Note(0, 2.9, 60, 100)])], 3.0), 3.0)
    assert np.abs(sound[:, round(2.7 * fonts.RATE) : round(2.8 * fonts.RATE)]).max() > 1e-3


def test_softer_is_darker() -> None:
    noise = generator(0, "noise").standard_normal((2, fonts.RATE))
    steps = round(1 / midi.STEP)
    soft, loud = (rendering.shaded(noise, np.full(steps, level)) for level in (scores.SOFTEST_DB, 0.0))

    def share_above(sound: np.ndarray, hertz: float) -> float:
        at, power = welch(sound[0], fonts.RATE)
        return float(power[at > hertz].sum() / power.sum())

    assert share_above(soft, 3000) < 0.05
    assert share_above(loud, 3000) > 0.5


def test_the_packaged_font_has_every_preset_that_may_be_asked_for() -> None:
    assert fonts.wrong(font(), players.presets(), "sounds.instruments.font") == []


def test_a_preset_that_a_font_lacks_is_named_with_the_remedy(tmp_path: Path) -> None:
    needed = players.presets()
    path = soundfont(tmp_path / "odd.sf2", [preset for preset in needed if preset not in {(0, 71), (128, 0)}])
    assert fonts.presets(path)[0, 0] == "preset 0 0"
    (line,) = fonts.wrong(path, needed, "sounds.instruments.font")
    assert line == f"{path}: has no clarinet (bank 0, program 71), drums (bank 128, program 0); name a General MIDI font at sounds.instruments.font"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.write_bytes(b"RIFF\0\0\0\0WAVEfmt "), "is no SoundFont 2 file; name one that is at KEY"),
        (lambda path: path.write_bytes(b""), "is no SoundFont 2 file"),
        (lambda path: soundfont(path, [(0, 0)], version=3), "is a SoundFont of version 3, compressed maybe (SF3); the renderer plays version 2"),
        (lambda path: path.write_bytes(font().read_bytes()[:1000]), "is a SoundFont 2 file that was cut short"),
        (lambda path: None, "cannot be read (No such file or directory); name a SoundFont 2 file at KEY"),
    ],
)
def test_what_is_no_soundfont_is_told_apart(tmp_path: Path, make: object, what: str) -> None:
    path = tmp_path / "font.sf2"
    make(path)  # type: ignore[operator]
    (line,) = fonts.wrong(path, players.presets(), "KEY")
    assert line.startswith(f"{path}: {what}")


def test_without_any_soundfont_the_command_that_installs_one_is_told() -> None:
    (line,) = fonts.wrong(None, players.presets(), "sounds.instruments.font")
    assert line.startswith("sounds.instruments.font: none is given, and the packaged one is not installed: pip install midirenderer pretty_midi")
