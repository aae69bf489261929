"""Where in a network a dream looks, and what it maximises: the mean output of a filter before or after its activation (thesis, Architecture)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import torch
from torch import nn

from aesdream.errors import UserError, one_of
from aesdream.models.layers import Dreamable, Layer

Target = int | tuple[int, ...]
"""A filter, or several whose means are summed."""
SIDES = ("post", "pre", "margin")
"""What is looked at: outputs after the activation, before it, or before it and less the mean of all filters outside the target."""


class _Reached(Exception):
    """The watched layer has spoken; nothing above it need be computed."""


def find_layer(network: nn.Module, name: str) -> Layer:
    """Layer ``name`` of a network of ours, or the submodule of that name in any other (its activation is then taken to be a ReLU).

    Raises UserError, naming every layer, for one that it lacks.
    """
    if isinstance(network, Dreamable):
        listed = network.layers()
        if name not in listed:
            raise one_of("layer", name, listed)
        return listed[name]
    modules = dict(network.named_modules())
    if name not in modules or not name:
        raise one_of("layer", name, (known for known in modules if known))
    return Layer(modules[name], torch.relu, getattr(modules[name], "out_channels", getattr(modules[name], "out_features", 0)))


def refuse_other_shapes(network: nn.Module, starts: torch.Tensor) -> None:
    """Raises UserError for ``starts`` (some, ...) that are not what the network's first layer hears, where that layer gets its input as it is."""
    reached: list[tuple[nn.Module, torch.Tensor]] = []

    def stop(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        reached.append((module, inputs[0]))
        raise _Reached

    one = starts[:1]
    layers = [module for module in network.modules() if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear)]
    handles = [module.register_forward_pre_hook(stop) for module in layers]
    wrong = f"start: has the shape {tuple(starts.shape[1:])}"
    try:
        with suppress(_Reached), torch.no_grad():
            network(one)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise UserError(f"{wrong}, which the network does not hear ({error}); give one input of it, without a batch dimension") from error
    finally:
        for handle in handles:
            handle.remove()
    if not reached or reached[0][1] is not one:
        return
    first = reached[0][0]
    if isinstance(first, nn.Linear):
        wanted, fits = f"({first.in_features},)", starts.dim() > 1 and starts.shape[-1] == first.in_features
    else:
        axes = "samples" if isinstance(first, nn.Conv1d) else "height, width"
        wanted = f"({first.in_channels}, {axes})"
        fits = starts.dim() == 1 + len(wanted.split(",")) and starts.shape[1] == first.in_channels
    if not fits:
        raise UserError(f"{wrong}; the network's first layer hears {wanted}: give that, without a batch dimension")
    if first.weight.dtype != starts.dtype:
        raise UserError(f"start: is of {starts.dtype}, the network's first layer of {first.weight.dtype}; give it as that")


class Watch:
    """Runs a network only as far as a layer and keeps what the watched modules put out."""

    def __init__(self, network: nn.Module, layer: Layer, also: nn.Module | None) -> None:
        self.network, self.layer, self.also = network, layer, also

    def __call__(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The layer's outputs before its activation (batch, filters, ...), and those of the module also watched."""
        reached: list[torch.Tensor] = []
        passed: list[torch.Tensor] = []

        def stop(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
            reached.append(output)
            raise _Reached

        def note(_module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
            passed.append(output)
            return output.clone()  # what follows may write in place

        handles = [self.also.register_forward_hook(note)] if self.also is not None else []
        handles.append(self.layer.module.register_forward_hook(stop))
        try:
            with suppress(_Reached):
                self.network(inputs)
        finally:
            for handle in handles:
                handle.remove()
        if not reached:
            raise RuntimeError("the layer took no part in the forward pass")
        return reached[0], passed[0] if passed else None


@contextmanager
def listening(network: nn.Module) -> Iterator[None]:
    """Evaluation mode, no gradients for weights; everything as it was afterwards."""
    modes = [module.training for module in network.modules()]
    wanted = [parameter.requires_grad for parameter in network.parameters()]
    network.eval().requires_grad_(False)
    try:
        yield
    finally:
        for module, mode in zip(network.modules(), modes, strict=True):
            module.training = mode
        for parameter, before in zip(network.parameters(), wanted, strict=True):
            parameter.requires_grad_(before)


def selection(targets: Sequence[Target], filters: int, like: torch.Tensor, side: str = "post") -> torch.Tensor:
    """(targets, filters) weights: 1 where a filter belongs to a target. Raises UserError for a filter that the layer lacks, and for a margin that
    leaves none outside its target."""
    chosen = torch.zeros(len(targets), filters, dtype=like.dtype, device=like.device)
    for row, target in enumerate(targets):
        for number in (target,) if isinstance(target, int) else target:
            if not 0 <= number < filters:
                raise one_of("target", number, [f"0 to {filters - 1}"])
            chosen[row, number] = 1
    if side == "margin" and bool((chosen > 0).all(1).any()):
        raise UserError("target: a margin is over the filters outside the target, and this one has them all; name fewer")
    return chosen


def activations(outputs: torch.Tensor, layer: Layer, side: str, chosen: torch.Tensor) -> torch.Tensor:
    """(batch,) what each sound's target puts out on average: ``outputs`` (batch, filters, ...) are those before the activation."""
    seen = layer.activation(outputs) if side == "post" else outputs
    means = seen.flatten(2).mean(2) if seen.dim() > 2 else seen
    inside = (means * chosen).sum(1)
    return inside - (means * (1 - chosen)).sum(1) / (1 - chosen).sum(1) if side == "margin" else inside


def convinced(outputs: torch.Tensor, layer: Layer, chosen: torch.Tensor, confidence: float) -> torch.Tensor:
    """(batch,) whether a target's output after the activation has reached ``confidence`` and none outside the target is larger."""
    after = layer.activation(outputs)
    means = after.flatten(2).mean(2) if after.dim() > 2 else after
    reached = (means * chosen).sum(1)
    return (reached >= confidence) & (reached >= means.masked_fill(chosen > 0, -torch.inf).amax(1))
