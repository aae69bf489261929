"""What a network is made of, and what training did to its first layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from aesdream.appendix.analysis import Array
from aesdream.appendix.reading import Model
from aesdream.errors import DamagedFile
from aesdream.models.frontends import LogMel
from aesdream.models.layers import Dropout
from aesdream.study import Study
from aesdream.training.checkpoints import load_network
from aesdream.training.statistics import number

_BARELY = 0.01


def layers(study: Study, treatment: str, classes: int) -> list[dict[str, Any]]:
    """Every step from a treatment's sound to its classes, in the order in which the network takes them.

    Each is {"name", "kind" (input, conv, pool, dense), "lines": what it does, "shape": what it hands on, "parameters"}; found by running it.
    """
    samples, rate = study.input_samples(treatment), study.sounds.sample_rate
    channels = study.sounds.channels
    network = study.network_of(treatment).settings.build(samples, classes, torch.Generator(), channels=channels, sample_rate=rate).eval()
    steps: list[dict[str, Any]] = [
        {
            "name": "sound",
            "kind": "input",
            "lines": [f"{samples / rate:g} s at {rate:,} Hz", "two channels" if channels == 2 else "one channel"],
            "shape": f"{channels} × {samples:,}",
            "parameters": None,
        }
    ]

    def note(name: str, module: nn.Module) -> Any:
        def run(_: nn.Module, __: Any, output: torch.Tensor) -> None:
            shape = " × ".join(f"{size:,}" for size in output.shape[1:])
            parameters = sum(p.numel() for p in module.parameters())
            kind, lines = _described(module)
            steps.append({"name": name, "kind": kind, "lines": lines, "shape": shape, "parameters": parameters})

        return module.register_forward_hook(run)

    hooks = [note(name.rpartition(".")[2], module) for name, module in network.named_modules() if _is_step(module)]
    try:
        with torch.no_grad():
            network(torch.zeros(1, channels, samples))
    finally:
        for hook in hooks:
            hook.remove()
    return steps


def _is_step(module: nn.Module) -> bool:
    """Whether a module is a step of its own, and one that a trained network takes."""
    return not list(module.children()) and not isinstance(module, Dropout)


def _described(module: nn.Module) -> tuple[str, list[str]]:
    if isinstance(module, LogMel):
        return "input", [f"log-mel, {len(module.filters)} bands", f"{module.fft} samples, hop {module.hop}"]
    if isinstance(module, nn.Conv1d):
        filters = f"{module.out_channels} filter" + ("s" if module.out_channels > 1 else "")
        return "conv", [filters, f"kernel {module.kernel_size[0]:,}", f"stride {module.stride[0]:,}, ReLU"]
    if isinstance(module, nn.Conv2d):
        return "conv", [f"{module.out_channels} filters", f"kernel {module.kernel_size[0]} × {module.kernel_size[1]}", "leaky ReLU"]
    if isinstance(module, nn.MaxPool1d | nn.MaxPool2d):
        across = f" × {module.kernel_size}" if isinstance(module, nn.MaxPool2d) else ""
        return "pool", [f"largest of {module.kernel_size}{across}", f"stride {module.stride}"]
    return "dense", [f"{module.in_features:,} to {module.out_features:,}" if isinstance(module, nn.Linear) else type(module).__name__]


@dataclass(frozen=True)
class FirstLayer:
    """A model's conv1 kernels before and after training [shape=(filters, channels, taps)], and its sample rate."""

    before: Array
    after: Array
    rate: int


def first_layer(model: Model) -> FirstLayer | None:
    """Read a model's conv1 out of its checkpoint; None where it reads a spectrogram, no waveform. Raises DamagedFile."""
    checkpoint = load_network(model.checkpoint())
    listing = checkpoint.network.layers()  # type: ignore[operator]
    weight = next(iter(listing.values())).module.weight
    if weight.dim() != 3:
        return None
    if weight.shape != checkpoint.initial.shape:
        raise DamagedFile(model.folder / "checkpoint.pt", f"the first kernel was {tuple(checkpoint.initial.shape)}, is {tuple(weight.shape)}")
    before, after = (tensor.detach().to(torch.float64).numpy() for tensor in (checkpoint.initial, weight))
    return FirstLayer(before, after, checkpoint.preparation.sample_rate)


def moved(kernel: FirstLayer) -> dict[str, Any]:
    """How far conv1's weights moved: relative to the RMS of the weights at the start, over all filters and channels."""
    change = kernel.after - kernel.before
    size = float(np.sqrt(np.mean(kernel.before**2)))
    relative = np.abs(change) / size if size else np.abs(change)
    return {
        "taps": int(kernel.before.shape[2]),
        "start_rms": number(size),
        "rms_moved": number(float(np.sqrt(np.mean(relative**2)))),
        "largest_moved": number(float(relative.max())),
        "share_barely_moved": number(float(np.mean(relative < _BARELY))),
        "smallest_weight": number(float(kernel.after.min())),
        "largest_weight": number(float(kernel.after.max())),
        "correlation_of_channels": number(_correlation(kernel.after.swapaxes(0, 1).reshape(kernel.after.shape[1], -1))),
    }


def _correlation(channels: Array) -> float:
    if len(channels) < 2:
        return float("nan")
    centred = channels - channels.mean(axis=1, keepdims=True)
    power = float(np.sqrt((centred[0] ** 2).sum() * (centred[-1] ** 2).sum()))
    return float((centred[0] * centred[-1]).sum() / power) if power else float("nan")
