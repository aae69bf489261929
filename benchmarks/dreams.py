"""Dreaming at the thesis's size, beside what people would use instead."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from aesdream.dreaming import dream
from aesdream.models.jenkins import Jenkins, JenkinsNetwork
from aesdream.sounds import audio, oracular
from benchmarks.timing import Timing, in_turn

SAMPLES, BATCH, STEPS = 480_000, 32, 256
LAYERS = {"conv2": 8, "conv3": 16, "conv4": 32}
TIGHT = 0.02


def source(samples: int = SAMPLES) -> torch.Tensor:
    """The packaged trombone phrase (2, samples), repeated where it is too short."""
    sound, rate = audio.read(oracular.TROMBONE)
    start = torch.from_numpy(audio.floating(audio.prepare(sound, rate, audio.Preparation())))
    return start.repeat(1, -(-samples // start.shape[1]))[:, :samples].contiguous()


def network(samples: int = SAMPLES, *, plain: bool = False) -> JenkinsNetwork:
    """The thesis's network as it starts; with ``plain`` its first layer is torch's own."""
    built = Jenkins().build(samples, 2, torch.Generator().manual_seed(0))
    if plain:
        first = nn.Conv1d(2, 1, built.conv1.kernel_size[0], built.conv1.stride[0])
        first.load_state_dict(built.conv1.state_dict())
        built.conv1 = first  # type: ignore[assignment]
    return built


def like_lucent(layer: str, steps: int) -> Callable[[], object]:
    """Lucent's ``render_vis`` written out, since it wants torchvision, which no CPU build has here; without its image transforms: one filter, Adam at
    .05, a hook on every layer, the full forward pass, and gradients for the weights too, since nothing turns them off."""
    listener, start = network(plain=True), source()
    heard: dict[str, torch.Tensor] = {}
    for name, module in listener.named_modules():
        module.register_forward_hook(lambda _m, _i, output, name=name: heard.__setitem__(name, output))

    def run() -> None:
        sound = start[None].clone().requires_grad_()
        optimiser = torch.optim.Adam([sound], lr=0.05)
        for _ in range(steps):
            optimiser.zero_grad()
            listener(sound)
            (-heard[f"deeper.{layer}"][:, 0].mean()).backward()
            optimiser.step()

    return run


def by_autograd(layer: str, filters: int, steps: int) -> Callable[[], object]:
    """A batch of filters with ``conv1d`` and autograd down to the waveform, clipped after every step; no gradients for weights."""
    listener, start = network(plain=True).requires_grad_(False), source()
    heard: list[torch.Tensor] = []
    listener.deeper[layer].register_forward_hook(lambda _m, _i, output: heard.append(output))
    rows = torch.arange(BATCH)

    def run() -> None:
        sounds = start.repeat(BATCH, 1, 1)
        for _ in range(steps):
            sounds.requires_grad_()
            listener(sounds)
            (gradient,) = torch.autograd.grad(heard.pop()[rows, rows % filters].relu().mean(1).sum(), sounds)
            sounds = sounds.detach().addcmul_(gradient, 0.002 / gradient.flatten(1).std(1)[:, None, None].clamp_min(1e-12)).clamp_(-1, 1)

    return run


def ours(layer: str, count: int = BATCH, steps: int = STEPS, samples: int = SAMPLES, limit: float = 1.0, side: str = "post") -> Callable[[], object]:
    """This project's dreams of ``count`` filters of a layer, as a sweep computes them, everything from the first copy of the start on included."""
    listener, start = network(samples), source(samples)
    targets = [number % LAYERS[layer] for number in range(count)]
    return lambda: dream(listener, layer, targets, start, side=side, steps=steps, bounds=(-limit, limit))


def one_pass() -> Callable[[], object]:
    """One reading and writing of a batch of sounds in place."""
    sounds = torch.rand(BATCH, 2, SAMPLES)
    return lambda: sounds.mul_(1.0)


def measured() -> dict[str, Timing]:
    """A filter and step each way; ``dream_conv2`` and so on are ours, ``worst`` ours where every block is clipped at every step.

    A layer's filters are one batch, as in a sweep with a ``batch`` of 32. After the ReLU (``post``) some are silent on the phrase and cost little;
    ``worst`` is before it, where all move.
    """
    dream(network(), "conv4", [0, 1], source(), steps=1)  # what is compiled at the first call is measured apart
    return in_turn(
        {
            **{f"dream_{layer}": (ours(layer, count), count * STEPS) for layer, count in LAYERS.items()},
            **{f"dream_{layer}_in_eights": (ours(layer, 8), 8 * STEPS) for layer, count in LAYERS.items() if count > 8},
            "worst": (ours("conv4", steps=16, limit=TIGHT, side="pre"), BATCH * 16),
            "lucent": (like_lucent("conv4", 16), 16),
            "autograd": (by_autograd("conv4", LAYERS["conv4"], 4), BATCH * 4),
            "pass": (one_pass(), BATCH),
        }
    )


def growth() -> dict[str, dict[int, Timing]]:
    """A filter and step of conv4 against the batch, the samples of the sound (8 filters), the steps (8 filters)."""
    found = {}
    for name, sizes in {
        "batch": {size: (ours("conv4", size, 32), size * 32) for size in (8, 16, 32, 64, 128, 256)},
        "samples": {size: (ours("conv4", 8, 64, size), 8 * 64) for size in (120_000, 240_000, 480_000, 960_000, 1_920_000)},
        "steps": {size: (ours("conv4", 8, size), 8 * size) for size in (32, 64, 128, 256, 512)},
    }.items():
        timed = in_turn({str(size): way for size, way in sizes.items()}, rounds=3)
        found[name] = {int(size): timing for size, timing in timed.items()}
    return found
