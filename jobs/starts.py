"""What dreams start from: a study's source, silence, noise, a sound file, or one of the sounds that a model has not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aesdream import files
from aesdream.dreaming import bands
from aesdream.dreaming.excerpts import excerpt, spread
from aesdream.dreaming.settings import SPREAD, VALIDATION, drawn
from aesdream.errors import UserError
from aesdream.labels import labels_of
from aesdream.models.frontends import LogMel
from aesdream.seeding import generator
from aesdream.sounds import audio, store
from aesdream.sounds.composers import determinants
from aesdream.sounds.store import Corpus
from aesdream.starts import start_of
from aesdream.study import Study
from aesdream.training.checkpoints import Checkpoint
from jobs.staging import corpus_path


@dataclass(frozen=True)
class Start:
    """One start: ``sound`` (windows, channels, samples) or None where it is no sound, ``given`` (windows, ...) what is changed, what is ``told`` of
    it, and its ``classes``, the right and the wrong one, where it has them.
    """

    sound: NDArray[np.float32] | None
    given: torch.Tensor
    told: dict[str, Any] = field(default_factory=dict)
    classes: tuple[int, ...] = ()


class Starts:
    """The starts of a model's dreams; ``recipe`` is that of one of their units."""

    def __init__(self, run: Path, study: Study, model: str, checkpoint: Checkpoint, recipe: Any) -> None:
        self.run, self.study, self.checkpoint, self.treatment = run, study, checkpoint, model.partition("/")[0]
        self.marker = run / f"models/{model}/evaluation.json"
        self.samples = checkpoint.description.samples
        self.excerpts, self.windows = recipe.get("excerpts", VALIDATION), recipe.get("windows", "one")
        self.spectral = recipe.get("domain") == "spectrogram"

    def of(self, name: str) -> Start:
        """The start of a name. Raises UserError for a file that is no sound, and for more held-out sounds of a class than there are."""
        kind, number = drawn(name)
        if kind == "held-out":
            return self._held_out(number)
        if kind == SPREAD:
            return self._spread(number)
        if kind == "noise" and self.spectral:
            return self._band_noise(number)
        sound = start_of(store.opened(corpus_path(self.run)), self.study, name)[None, :, : self.samples]
        return Start(sound, self._given(sound))

    @cached_property
    def bands(self) -> dict[str, Any]:
        """What the spectrograms are like that the model learned from."""
        return dict(files.read_json(files.verified(self.marker, "bands.json")))

    def _given(self, sound: NDArray[np.float32]) -> torch.Tensor:
        """What is changed of a sound: itself, or its spectrogram within the bounds of dreams, so that all that changes is the dream's."""
        heard = torch.from_numpy(sound).to(next(self.checkpoint.network.parameters()).dtype)
        if not self.spectral:
            return heard
        front_end = self.checkpoint.network.front_end
        assert isinstance(front_end, LogMel)
        known = self.bands
        with torch.no_grad():
            return front_end(heard).clamp(known["low"], known["high"])

    def _band_noise(self, number: int) -> Start:
        frames = self._given(np.zeros((1, self.study.sounds.channels, self.samples), np.float32)).shape[2]
        values = bands.noise(self.bands, frames, generator(self.study.seed, "noise", number))
        return Start(None, torch.from_numpy(values)[None].to(next(self.checkpoint.network.parameters()).dtype))

    def _held_out(self, number: int) -> Start:
        corpus = store.opened(corpus_path(self.run, "" if self.excerpts == VALIDATION else self.excerpts))
        found = excerpt(number, self._labels(corpus), corpus.families, self._among(corpus), corpus.classes, self.study.seed)
        sound, offset = self._cut(corpus, found.index)
        told = {
            "set": self.excerpts,
            "id": corpus.ids[found.index],
            "family": corpus.families[found.index],
            "right": corpus.classes[found.right],
            "wrong": corpus.classes[found.wrong],
            "offset_seconds": offset / corpus.sample_rate,
            "windows": len(sound),
        }
        return Start(sound, self._given(sound), told, (found.right, found.wrong))

    def _labels(self, corpus: Corpus) -> NDArray[np.integer[Any]]:
        """(N, classes) as the model was taught them; a test set's are its own."""
        if self.excerpts != VALIDATION or self.study.sounds.oracular is None:
            return corpus.labels
        return np.eye(len(corpus.classes), dtype=np.uint8)[labels_of(corpus, self.study, self.treatment)]

    def _spread(self, number: int) -> Start:
        corpus, order = store.opened(corpus_path(self.run)), self._spread_out
        if number >= len(order):
            whose = self.marker.parent.relative_to(self.run / "models")
            raise UserError(
                f"starts: {SPREAD}-{number} would be held-out sound {number + 1} of {len(order)} of {whose}; ask for at most {len(order)}"
            )
        index = order[number]
        sound, _ = self._cut(corpus, index)
        whole = self.samples == corpus.samples
        heard = {name: float(scores[index]) for name, scores in corpus.measures.items()} if whole else determinants(sound[0], corpus.sample_rate)
        return Start(sound, self._given(sound), {"set": VALIDATION, "id": corpus.ids[index], "family": corpus.families[index], "measures": heard})

    @cached_property
    def _spread_out(self) -> list[int]:
        """Every held-out sound, in the order in which starts are spread: fewer starts are the first of more."""
        corpus = store.opened(corpus_path(self.run))
        among = self._among(corpus)
        columns = np.stack([scores[among] for scores in corpus.measures.values()], axis=1)
        return [among[place] for place in spread(columns)]

    def _among(self, corpus: Corpus) -> Sequence[int]:
        if self.excerpts != VALIDATION:
            return range(len(corpus.ids))
        split = files.read_json(files.verified(self.marker, "split.json"))
        place = {name: index for index, name in enumerate(corpus.ids)}
        names = split["validation"]  # windows are called id@seconds
        return sorted({place[name] if name in place else place[name.rpartition("@")[0]] for name in names})

    def _cut(self, corpus: Corpus, index: int) -> tuple[NDArray[np.float32], int]:
        """The windows (n, channels, samples) of a sound, and where the first begins: its middle, or all that follow one another from its start."""
        length = max(int(corpus.length[index]), self.samples)
        first = (length - self.samples) // 2
        offsets = [first] if self.windows == "one" else range(0, length - self.samples + 1, self.samples)
        return np.stack([audio.floating(corpus.read(index, offset, self.samples)) for offset in offsets]), offsets[0]
