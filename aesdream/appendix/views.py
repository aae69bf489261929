"""Sounds as pictures and players need them: every dream's view, its start's, and the view of what it added, each made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesdream.appendix.analysis import View, view
from aesdream.appendix.reading import Dream
from aesdream.appendix.words import slug
from aesdream.dreaming.sonify import encoded, level_of
from aesdream.errors import UserError
from aesdream.sounds import audio
from aesdream.sounds.store import Corpus
from aesdream.starts import start_of
from aesdream.study import Study

Sound = NDArray[np.float32]


class Views:
    """Views of dreams and of what they started from, by name."""

    def __init__(self, corpus: Corpus, study: Study) -> None:
        self._corpus, self._study = corpus, study
        self._sounds: dict[str, Sound | None] = {}
        self._levels: dict[tuple[str, int], float | None] = {}
        self.starts: dict[tuple[str, int], View | None] = {}
        """Views of starts, cut to the lengths of dreams, by ``start_name`` and samples."""
        self.shared: dict[tuple[str, int], tuple[Sound, bytes]] = {}
        """The same of starts that lie beside no dream, and always of the source: the sound and its listening copy."""
        self._dreams: dict[str, View] = {}
        self.rate = corpus.sample_rate

    def start_sound(self, name: str, sweep: str | None = None) -> Sound | None:
        """A start [shape=(channels, samples)] by its name in dreams' names, None for a file that is no longer there."""
        if name not in self._sounds:
            given = self._study.sweeps[sweep].starts if sweep else ()
            path = next((start for start in given if name == Path(start).stem), name)
            try:
                self._sounds[name] = start_of(self._corpus, self._study, path)
            except (UserError, OSError):
                self._sounds[name] = None
        return self._sounds[name]

    def start_name(self, dream: Dream) -> str:
        """What the files of a dream's start are called: one that was drawn for it has a name of its own."""
        return slug(dream.name) if dream.has_own_start else dream.start

    def source(self) -> View:
        """The study's source sound."""
        sound = audio.floating(self._corpus.start)
        self._share("source", sound)
        return view(sound, self.rate)

    def start(self, dream: Dream) -> View | None:
        """What a dream started from, cut to its length."""
        return self.starts[self.start_name(dream), self.of(dream).samples]

    def of(self, dream: Dream) -> View:
        """A dream that was made. Raises DamagedFile."""
        if dream.name not in self._dreams:
            sound, rate = dream.sound()
            whole = dream.own_start() if dream.has_own_start else self.start_sound(dream.start, dream.sweep)
            # An inverted spectrogram has one channel, whatever its start has.
            start = None if whole is None else np.ascontiguousarray(whole[: len(sound), : sound.shape[1]])
            key = self.start_name(dream), sound.shape[1]
            if key not in self.starts:
                self.starts[key] = None if start is None else view(start, rate)
                if whole is not None and not dream.has_own_start:
                    self._share(dream.start, whole[:, : sound.shape[1]])
            self._dreams[dream.name] = view(sound, rate, start)
        return self._dreams[dream.name]

    def _share(self, name: str, sound: Sound) -> None:
        key = name, sound.shape[1]
        if key not in self.shared:
            self.shared[key] = sound, encoded(sound, self.rate)

    def levels(self, dream: Dream) -> dict[str, float | None]:
        """How loud the listening copies of a dream and of its start are as they are decoded, dB relative to full scale; None for silence and for what
        is not there. Raises DamagedFile.
        """
        key = self.start_name(dream), self.of(dream).samples
        if key not in self._levels:
            copy = dream.copy("-start.mp3") if dream.has_own_start else self.shared[key][1] if key in self.shared else None
            self._levels[key] = None if copy is None else _rounded(level_of(copy))
        return {"start": self._levels[key], "dream": _rounded(level_of(dream.copy(".mp3")))}


def _rounded(level: float | None) -> float | None:
    return None if level is None else round(level, 2)
