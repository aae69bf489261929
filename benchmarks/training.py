"""Training at the thesis's size from stored integers, beside a plain DataLoader over the same sounds as float32 in HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from aesdream.seeding import generator
from aesdream.sounds import audio, store
from aesdream.sounds.splits import Items, Split
from aesdream.training.distributed import Place
from aesdream.training.loop import Lesson, train
from aesdream.training.settings import Training
from benchmarks.dreams import SAMPLES, network
from benchmarks.timing import Timing, in_turn

SOUNDS, BATCH, STEPS = 100, 16, 100


class FloatSounds(Dataset[tuple[torch.Tensor, int]]):
    """Sounds as somebody would store them who thinks of nothing else: float32, a chunk a sound."""

    def __init__(self, path: Path, items: Items) -> None:
        self.path, self.items = path, items
        self.file: h5py.File | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        self.file = self.file or h5py.File(self.path, "r")
        return torch.from_numpy(self.file["sounds"][self.items.sound[index]]), int(self.items.labels[index])


class Bench:
    """A corpus of noise in both forms in ``folder``, and a training of so many steps with the same batches by both ways."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(0)
        self.whole, self.floats = folder / "sounds.h5", folder / "floats.h5"
        sounds = [audio.quantised(rng.standard_normal((2, SAMPLES)) * 0.1) for _ in range(SOUNDS)]
        prepared = [store.Prepared(f"s{i}", sound, SAMPLES, "{}", "", np.zeros(1), 0.0) for i, sound in enumerate(sounds)]
        store.write_slice(folder / "slice.h5", prepared, SOUNDS, SAMPLES)
        labels = np.arange(SOUNDS) % 2
        about = {"classes": ["no", "yes"], "sample_rate": 48_000, "families_known": False}
        store.join(self.whole, [folder / "slice.h5"], labels=labels, families=["f"] * SOUNDS, start=sounds[0], attributes=about)
        with h5py.File(self.floats, "w") as file:
            file.create_dataset("sounds", data=np.stack([audio.floating(sound) for sound in sounds]), chunks=(1, 2, SAMPLES))
        number = np.arange(BATCH * STEPS) % SOUNDS
        self.items = Items(number, np.zeros_like(number), labels[number], SAMPLES)
        self.corpus = store.Corpus(self.whole)
        self.state = folder / "state.pt"

        self.ours_heard: list[torch.Tensor] = []
        self.plain_heard: list[torch.Tensor] = []

    def ours(self) -> None:
        """An epoch of this project, validation on one batch and the state's writing included."""
        self.state.unlink(missing_ok=True)
        split = Split(self.items, self.items[np.arange(BATCH)])
        lesson = Lesson(self.corpus, split, Training(batch=BATCH), 1, study_seed=0, seed=0, state=self.state, digest="")
        train(_listened_to(network(), self.ours_heard), lesson, Place(0, 1, torch.device("cpu")))

    def plain(self, workers: int, *, conv1d: bool = True) -> None:
        """The same batches from a DataLoader into the same network, its first layer torch's own or ours; no validation."""
        listener = _listened_to(network(plain=conv1d), self.plain_heard)
        optimiser = torch.optim.Adam(listener.parameters(), lr=Training().learning_rate)
        loader = DataLoader(FloatSounds(self.floats, self.items), BATCH, sampler=self.order().tolist(), num_workers=workers)
        for sounds, labels in loader:
            loss = nn.functional.cross_entropy(listener(sounds), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    def order(self) -> np.ndarray:
        """The order in which the first epoch goes through the items."""
        return generator(0, "order", 0, 1).permutation(len(self.items))

    def apart(self, *, conv1d: bool) -> float:
        """The largest difference between the losses of a step of both ways."""
        self.ours()
        self.plain(0, conv1d=conv1d)
        labels = torch.from_numpy(self.items.labels[self.order()])
        heard = [torch.cat(logits)[: len(labels)] for logits in (self.ours_heard, self.plain_heard)]
        steps = [nn.functional.cross_entropy(logits, labels, reduction="none").view(STEPS, BATCH).mean(1) for logits in heard]
        return float((steps[0] - steps[1]).abs().max())


def _listened_to(listener: nn.Module, heard: list[torch.Tensor]) -> nn.Module:
    heard.clear()
    listener.out.register_forward_hook(lambda _m, _i, output: heard.append(output.detach()))
    return listener


def measured(folder: Path) -> tuple[dict[str, Timing], tuple[float, float]]:
    """A step each way, and how far the loss curves are apart: with the same first layer, and with torch's own in the loader's network."""
    bench = Bench(folder)
    ways = {"train": bench.ours, "loader": lambda: bench.plain(0), "loader_with_workers": lambda: bench.plain(2)}
    timed = in_turn({name: (way, STEPS) for name, way in ways.items()}, rounds=2)
    return timed, (bench.apart(conv1d=False), bench.apart(conv1d=True))
