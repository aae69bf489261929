"""The census of dead filters: which are silent, by which test, looked at before and after the activation.

The thesis called a filter dead when its dream stayed at zero or rose far more slowly than the others, on one input. Those are different findings,
and a silent first layer silences everything after it, so the tests stay apart (facts, section 1, point 7).

A leaky unit cannot die: below zero it passes a share of its input, and of every gradient, so it is silent only where it is exactly zero. What can be
said of it is that it was never above zero on the whole corpus: then it is a linear unit, which never bends. Such filters are listed under
``never_positive``, for layers with leaky activations alone; they are not called dead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from aesdream.dreaming.objectives import Watch, activations, find_layer, listening, selection
from aesdream.models.layers import Layer

SLOW = 0.05
"""A filter is slow where its first-order gain is below this share of the median of its layer's living ones, yet not zero."""
TOGETHER = 32
"""Filters whose gradients are taken in one batch."""


def census(network: nn.Module, layers: Iterable[str], start: torch.Tensor, corpus: Iterable[torch.Tensor]) -> dict[str, Any]:
    """The state of every filter of ``layers``, the first of which reads the input (the bottleneck).

    ``start`` is an input without batch dimension, ``corpus`` batches of inputs. Gains are norms of the objective's gradient at the start: what a step
    along it would add to first order, a unit of step. Values in a JSON-able dict, see the run folder's ``census.json``.
    """
    names = list(layers)
    with listening(network):
        gains = {name: {side: _gains(network, name, start, side) for side in ("pre", "post")} for name in names}
        on_start = _extremes(network, names, [start[None]])
        on_corpus = _extremes(network, names, corpus)
    bottleneck = names[0]
    upstream = bool(on_start[bottleneck]["silent"].all())
    leaky = [name for name in names if _leaks(find_layer(network, name))]
    never = {name: torch.nonzero(on_corpus[name]["max"] <= 0).flatten().tolist() for name in leaky}
    return {
        "bottleneck": {
            "layer": bottleneck,
            "silent_on_start": upstream,
            "silent_on_corpus": bool(on_corpus[bottleneck]["silent"].all()),
            "share_silent": float(on_corpus[bottleneck]["share_silent"]),
        },
        "layers": {name: _records(name != bottleneck and upstream, gains[name], on_start[name], on_corpus[name]) for name in names},
        **({"never_positive": never} if leaky else {}),
    }


def silent_on(network: nn.Module, layers: Iterable[str], inputs: torch.Tensor) -> dict[str, list[bool]]:
    """Which filters of each layer give nothing but zeros after their activation on all ``inputs`` (n, ...)."""
    names = list(layers)
    with listening(network):
        looked = _extremes(network, names, [inputs])
    return {name: look["silent"].tolist() for name, look in looked.items()}


def _leaks(layer: Layer) -> bool:
    """Whether a layer's activation passes something below zero."""
    return bool((layer.activation(torch.tensor([[-1.0, -2.0]])) < 0).any())


def _records(upstream: bool, gains: dict[str, torch.Tensor], start: dict[str, torch.Tensor], corpus: dict[str, torch.Tensor]) -> list[dict[str, Any]]:
    slow = {side: (gain > 0) & (gain < SLOW * _median_of_living(gain)) for side, gain in gains.items()}
    return [
        {
            "filter": number,
            "start_pre_mean": float(start["pre"][number]),
            "start_post_mean": float(start["post"][number]),
            "corpus_pre_max": float(corpus["max"][number]),
            "corpus_post_mean": float(corpus["post"][number]),
            "gain_pre": float(gains["pre"][number]),
            "gain_post": float(gains["post"][number]),
            "silent_on_start": bool(start["silent"][number]),
            "slow": {side: bool(flags[number]) for side, flags in slow.items()},
            "silent_on_corpus": bool(corpus["silent"][number]),
            "upstream": upstream,
        }
        for number in range(len(gains["pre"]))
    ]


def _median_of_living(gain: torch.Tensor) -> torch.Tensor:
    """The median of the gains that are not zero; a layer of silent filters has none that could be slow beside them."""
    living = gain[gain > 0]
    return living.median() if len(living) else gain.new_zeros(())


def _gains(network: nn.Module, name: str, start: torch.Tensor, side: str) -> torch.Tensor:
    """(filters,) norm of the gradient of each filter's objective at the start."""
    layer = find_layer(network, name)
    watch = Watch(network, layer, None)
    with torch.no_grad():
        filters = watch(start[None])[0].shape[1]
    norms = []
    for first in range(0, filters, TOGETHER):
        numbers = list(range(first, min(first + TOGETHER, filters)))
        inputs = start.expand(len(numbers), *start.shape).clone().requires_grad_()
        outputs, _ = watch(inputs)
        found = activations(outputs, layer, side, selection(numbers, filters, outputs))
        (gradient,) = torch.autograd.grad(found.sum(), inputs, allow_unused=True)
        norms.append(torch.zeros(len(numbers)) if gradient is None else torch.linalg.vector_norm(gradient.flatten(1), dim=1).double().cpu())
    return torch.cat(norms)


@torch.no_grad()
def _extremes(network: nn.Module, names: list[str], batches: Iterable[torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    """Every layer's filters over all inputs: mean before and after the activation, largest before it, whether all after it is zero."""
    layers = {name: find_layer(network, name) for name in names}
    seen: dict[str, list[dict[str, torch.Tensor]]] = {name: [] for name in names}
    handles = [layer.module.register_forward_hook(_noting(layer, seen[name])) for name, layer in layers.items()]
    try:
        for batch in batches:
            network(batch)
    finally:
        for handle in handles:
            handle.remove()
    found = {}
    for name, parts in seen.items():
        whole = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
        silent = whole["loudest"] == 0
        found[name] = {"pre": whole["pre"].mean(0), "post": whole["post"].mean(0), "max": whole["max"].amax(0), "silent": silent.all(0)}
        found[name]["share_silent"] = silent.all(1).double().mean()
    return found


def _noting(layer: Layer, parts: list[dict[str, torch.Tensor]]) -> Any:
    def note(_module: nn.Module, _inputs: object, outputs: torch.Tensor) -> None:
        flat = outputs.unsqueeze(-1).flatten(2)
        after = layer.activation(outputs).unsqueeze(-1).flatten(2)
        looks = {"pre": flat.mean(2), "post": after.mean(2), "max": flat.amax(2), "loudest": after.abs().amax(2)}
        parts.append({key: value.double().cpu() for key, value in looks.items()})

    return note
