"""Training: Adam and cross-entropy, epoch by epoch, resumable after each to the same bits.

What a step computes does not depend on how many processes share it: every process takes its part of the same batch, losses are weighted by sounds,
so that an uneven last batch counts as much as it holds, and what dropout leaves out is drawn for the whole batch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aesdream.errors import DamagedFile
from aesdream.files import is_there, write_bytes
from aesdream.models.layers import Draws, Dreamable, Dropout, Output, draw_dropouts
from aesdream.seeding import generator, integer
from aesdream.sounds.audio import FULL_SCALE
from aesdream.sounds.splits import Augmentation, Items, Split
from aesdream.sounds.store import Corpus
from aesdream.training import checkpoints, losses
from aesdream.training.augmentation import Inaudible
from aesdream.training.distributed import Place
from aesdream.training.settings import Training

EVALUATED_TOGETHER = 32
History = list[dict[str, Any]]


@dataclass(frozen=True)
class Lesson:
    """All that one training needs: data, settings, the seed of the initialisation and of the order, and where its state is kept."""

    corpus: Corpus
    split: Split
    settings: Training
    epochs: int
    study_seed: int
    seed: int
    state: Path
    digest: str
    output: Output = "softmax"
    augmentation: Augmentation | None = None

    @cached_property
    def inaudible(self) -> Inaudible | None:
        """What is added to the training side, where anything is."""
        return None if self.augmentation is None else Inaudible(self.corpus, self.split.train, self.study_seed, self.seed)


def initial_network(build: Callable[[torch.Generator], nn.Module], study_seed: int, seed: int, precision: str) -> nn.Module:
    """The untrained network of seed ``seed``; the same for every treatment, protocol and split of a study where the shapes allow."""
    drawn = torch.Generator().manual_seed(integer(study_seed, "initialisation", seed))
    return build(drawn).to(torch.float64 if precision == "float64" else torch.float32)


class Listener:
    """Brings pieces of the corpus to a device as a network hears them. One buffer serves every batch: a batch is gone when the next is asked for.

    To a GPU they travel as the integers that are stored, half as many bytes, from memory that it reads by itself; they become numbers there.
    """

    def __init__(self, corpus: Corpus, network: nn.Module) -> None:
        self.corpus = corpus
        self.like = next(network.parameters()).detach()
        self.buffer = self._room(0)

    def _room(self, values: int) -> torch.Tensor:
        far = self.like.device.type == "cuda"
        return torch.empty(values, dtype=torch.int16 if far else self.like.dtype, pin_memory=far)

    def batch(self, items: Items) -> torch.Tensor:
        """(n, channels, samples) in [-1, 1), laid out channel by channel."""
        channels = self.corpus.channels
        size = len(items) * channels * items.samples
        if len(self.buffer) < size:
            self.buffer = self._room(size)
        heard = self.buffer[:size].view(channels, len(items), items.samples)
        for place, (sound, offset) in enumerate(zip(items.sound.tolist(), items.offset.tolist(), strict=True)):
            heard[:, place] = torch.from_numpy(self.corpus.read(sound, offset, items.samples))
        return heard.to(self.like.device).to(self.like.dtype).mul_(1 / FULL_SCALE).transpose(0, 1)


def train(network: nn.Module, lesson: Lesson, place: Place) -> History:
    """Train ``network`` in place for the lesson's epochs, resuming from its state; returns a record an epoch (loss, accuracy, ...).

    Where the settings say ``patience``, it stops once the validation loss has not fallen for more than so many epochs. The model is the network as it
    is then, not as it was at its lowest loss.
    """
    first = _first_kernel(network).detach().to(place.device, copy=True)
    optimiser = torch.optim.Adam(network.parameters(), lr=lesson.settings.learning_rate)
    history = _resume(network, optimiser, lesson, place)
    shared = place.wrapped(network)
    for epoch in range(len(history) + 1, lesson.epochs + 1):
        if place.from_leader(lambda: _waited(history, lesson.settings.patience)):
            break
        loss, correct = _epoch(shared, optimiser, lesson, epoch, place)
        record = {"epoch": epoch, "loss": loss, "accuracy": correct, **_validation(network, lesson, place)}
        record["conv1_change"] = float((_first_kernel(network).detach() - first).abs().mean() / first.abs().mean()) if first.any() else None
        history.append(record)
        if place.leads:
            weights = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
            checkpoints.save(lesson.state, {"schema": checkpoints.SCHEMA, "digest": lesson.digest, "history": json.dumps(history), **weights})
    return history


def _waited(history: History, patience: int | None) -> bool:
    """Whether the validation loss last fell more than ``patience`` epochs ago."""
    if patience is None or not history:
        return False
    falling = [record["validation_loss"] for record in history]
    return len(falling) - 1 - falling.index(min(falling)) > patience


def _first_kernel(network: nn.Module) -> torch.Tensor:
    return next(iter(network.parameters()))


def _resume(network: nn.Module, optimiser: torch.optim.Optimizer, lesson: Lesson, place: Place) -> History:
    """The history of the epochs already trained, their state loaded. A state that is damaged or another training's is begun again."""
    # Processes that read it each for themselves may see different epochs: a shared file system answers some of them from memory.
    state = place.from_leader(lambda: _state(lesson.state))
    if state.get("digest") != lesson.digest:
        network.to(place.device)
        return []
    network.load_state_dict(state["network"])
    network.to(place.device)
    optimiser.load_state_dict(state["optimiser"])
    history: History = json.loads(state["history"])
    return history


def _state(path: Path) -> dict[str, Any]:
    try:
        return checkpoints.read(path) if is_there(path) else {}
    except DamagedFile:
        return {}


def steps(count: int, batch: int, order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The item numbers of every step of an epoch; the last may be short."""
    for at in range(0, count, batch):
        yield order[at : at + batch]


def _epoch(shared: nn.Module, optimiser: torch.optim.Optimizer, lesson: Lesson, epoch: int, place: Place) -> tuple[float, float]:
    """One pass over the training items; mean loss and accuracy over sounds."""
    items = lesson.split.train
    order = generator(lesson.study_seed, "order", lesson.seed, epoch).permutation(len(items))
    listener = Listener(lesson.corpus, shared)
    shared.train()
    loss_sum = correct = 0.0
    for step, chosen in enumerate(steps(len(items), lesson.settings.batch, order)):
        share = place.share(len(chosen))
        # A process left without a sound still takes part in averaging the gradients: it hears one of the batch, weighted by zero.
        weight = 1.0 if share.start < share.stop else 0.0
        share = share if weight else slice(0, 1)
        _draw_dropouts(shared, lesson, epoch, step, len(chosen), share)
        part = items[chosen[share]]
        labels = torch.from_numpy(part.labels).to(place.device)
        heard = listener.batch(part)
        if lesson.inaudible is not None:
            heard += torch.from_numpy(lesson.inaudible.noise(epoch, chosen[share])).to(heard)
        logits = shared(heard)
        loss = losses.loss(logits, labels, lesson.output) * weight
        optimiser.zero_grad(set_to_none=True)
        (loss * (place.world / len(chosen))).backward()
        optimiser.step()
        loss_sum += float(loss.detach())
        correct += weight * float((logits.detach().argmax(1) == labels).sum())
    return place.total(loss_sum) / len(items), place.total(correct) / len(items)


def _draw_dropouts(shared: nn.Module, lesson: Lesson, epoch: int, step: int, whole: int, share: slice) -> None:
    if any(isinstance(module, Dropout) for module in shared.modules()):
        drawn = torch.Generator(next(shared.parameters()).device)
        draw_dropouts(shared, Draws(drawn.manual_seed(integer(lesson.study_seed, "dropout", lesson.seed, epoch, step)), whole, share))


def _validation(network: nn.Module, lesson: Lesson, place: Place) -> dict[str, float | None]:
    items = lesson.split.validation
    if not place.leads:
        return {}
    return losses.validation(predict(network, lesson.corpus, items), items.labels, lesson.output)


@torch.no_grad()
def predict(network: nn.Module, corpus: Corpus, items: Items) -> NDArray[np.float64]:
    """Probability of every class for every item: (n, classes)."""
    assert isinstance(network, Dreamable)
    network.eval()
    probabilities = network.layers()["class"].activation
    listener = Listener(corpus, network)
    found = [
        probabilities(network(listener.batch(items[chosen])).double()).cpu().numpy()
        for chosen in steps(len(items), EVALUATED_TOGETHER, np.arange(len(items)))
    ]
    return np.concatenate(found)


def write_history(path: Path, history: History) -> None:
    """A line of JSON an epoch."""
    write_bytes(path, "".join(json.dumps(record, allow_nan=False) + "\n" for record in history).encode())
