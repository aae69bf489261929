"""What a user may not expect of a folder is told by ``check``."""

from __future__ import annotations

from pathlib import Path

import soundfile

from tests import corpora
from tests.conftest import Call
from tests.corpora import RATE, good, noise, table


def test_check_tells_what_is_padded_mono_unlabelled_or_left_at_its_default_and_where_validation_sounds_are_few(tmp_path: Path, call: Call) -> None:
    rows = good(tmp_path / "sounds")
    for name, seconds, channels in (("short.wav", 0.2, 2), ("mono.wav", 0.6, 1), ("nobody.wav", 0.6, 2)):
        soundfile.write(tmp_path / "sounds" / name, noise(70 + channels + round(10 * seconds), seconds, channels=channels), RATE)
    table(tmp_path / "sounds", [*rows, "short.wav,dull,a", "mono.wav,bright,b"])
    study = corpora.study(tmp_path, ["sweeps.s={models: '*', layers: class, steps: 1}"])
    lines = call("check", study).out.splitlines()
    assert [line for line in lines if line.startswith("note: ")] == [
        "note: 1 of 12 sounds are shorter than 0.5 s (sounds.seconds) and are padded with silence",
        "note: 1 of 12 sounds are mono and are copied to 2 channels (sounds.channels)",
        f"note: sound files in {tmp_path / 'sounds'} that have no row in labels.csv and are left out: 1 (the first is nobody.wav)",
        "note: sounds.start is left at its default: dreams from the source start from the packaged trombone phrase, not from a sound of yours",
    ]
    (warning,) = [line for line in lines if "intervals from fewer than 10 are not to be trusted" in line]
    assert warning.startswith("warning: the validation side of plain/")
    start = f"sounds.start={tmp_path / 'sounds' / 'nobody.wav'}"
    assert "sounds.start is left" not in call("check", study, "--set", start).out
