"""Learning from dreams, which the paper names as future work: a trained network's dreams of its own training sounds to wrong classes, under their
true label."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aesdream.dreaming.ascent import dream
from aesdream.dreaming.bands import bands
from aesdream.dreaming.objectives import convinced, find_layer, selection
from aesdream.models.frontends import LogMel
from aesdream.models.layers import Draws, draw_dropouts
from aesdream.seeding import generator, integer
from aesdream.sounds.splits import Dreamed
from aesdream.training import losses
from aesdream.training.loop import History, Lesson, Listener, steps

TOGETHER = 16
"""Dreams computed at once."""


def fine_tune(network: nn.Module, lesson: Lesson, how: Dreamed) -> History:
    """Train on for some epochs with as many pieces of the training side as asked for and each one's dream to a wrong class, in the log-mel
    spectrogram, both under the piece's true label; returns a record an epoch, the first with how many dreams had reached their class.

    Where ``how.steps`` is 0 nothing is dreamed and each piece is heard twice, in the same order and with the same dropouts: what further epochs alone
    are worth. ``network`` has a front end. What is drawn follows from the study's seed and the model's.
    """
    front_end, body = network.front_end, network.body
    assert isinstance(front_end, LogMel)
    assert isinstance(body, nn.Module)
    device = next(body.parameters()).device
    network.eval()
    spectrograms, labels, reached = _lessons(network, front_end, body, lesson, how)
    optimiser = torch.optim.Adam(body.parameters(), lr=lesson.settings.learning_rate)
    body.train()
    history: History = []
    for epoch in range(1, how.epochs + 1):
        order = generator(lesson.study_seed, "dreamed order", lesson.seed, epoch).permutation(len(labels))
        total = 0.0
        for step, chosen in enumerate(steps(len(labels), lesson.settings.batch, order)):
            drawn = torch.Generator(device).manual_seed(integer(lesson.study_seed, "dreamed dropout", lesson.seed, epoch, step))
            draw_dropouts(body, Draws(drawn, len(chosen), slice(0, len(chosen))))
            loss = losses.loss(body(spectrograms[chosen].to(device)), labels[chosen].to(device), lesson.output)
            optimiser.zero_grad(set_to_none=True)
            (loss / len(chosen)).backward()
            optimiser.step()
            total += float(loss.detach())
        record: dict[str, Any] = {"dreamed_epoch": epoch, "loss": total / len(labels)}
        history.append({**record, "dreams": len(labels) // 2, "reached": reached} if epoch == 1 else record)
    network.eval()
    return history


def _lessons(network: nn.Module, front_end: LogMel, body: nn.Module, lesson: Lesson, how: Dreamed) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Spectrograms (2 n, 1, frames, bands) of pieces and of their dreams on the CPU, their labels (2 n,), and how many dreams reached their class."""
    items, drawn = lesson.split.train, generator(lesson.study_seed, "dreamed", lesson.seed)
    listener = Listener(lesson.corpus, network)
    everything = (listener.batch(items[part]) for part in steps(len(items), TOGETHER, np.arange(len(items))))
    known = bands(front_end, everything)
    chosen = items[np.sort(drawn.choice(len(items), min(how.sounds, len(items)), replace=False))]
    classes = len(lesson.corpus.classes)
    wrong = (chosen.labels + drawn.integers(1, classes, len(chosen))) % classes
    kept, dreamed, reached = [], [], 0
    for part in steps(len(chosen), TOGETHER, np.arange(len(chosen))):
        with torch.no_grad():
            heard = front_end(listener.batch(chosen[part]))
        dreams = dream(
            body, "class", [(number,) for number in wrong[part].tolist()], list(heard), side="pre", step=how.step, steps=how.steps,
            stop_confidence=how.confidence, bounds=(known["low"], known["high"]),
        )  # fmt: skip
        reached += _reached(body, dreams.sounds, wrong[part], how.confidence)
        kept.append(heard.cpu())
        dreamed.append(dreams.sounds.cpu())
    labels = torch.from_numpy(chosen.labels)
    return torch.cat([*kept, *dreamed]), torch.cat([labels, labels]), reached


@torch.no_grad()
def _reached(body: nn.Module, spectrograms: torch.Tensor, wrong: NDArray[np.int64], confidence: float) -> int:
    layer = find_layer(body, "class")
    logits = body(spectrograms)
    return int(convinced(logits, layer, selection(wrong.tolist(), logits.shape[1], logits), confidence).sum())
