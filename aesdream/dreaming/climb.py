"""One batch of dreams on its way up: the generic path, which asks nothing of a network but that it is a torch module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from aesdream.dreaming.directions import CLOSE, crossing
from aesdream.dreaming.objectives import Target, Watch, activations, convinced, find_layer, selection
from aesdream.dreaming.rules import multipliers
from aesdream.models.layers import Dreamable, channel_major

Bounds = tuple[float, float] | None
FINER = 6
"""Halvings of the last step when a dream stops at a confidence: each looks at the whole batch again, and a sixty-fourth of a step is little."""
NEARLY = 0.99
"""The part of its distance that a dream's way may be long, at the most, for it surely to be nearer: sums of a sound are good to a thousandth."""
NOT_FINITE = "{} is not finite: the weights of the network or its input are too large"


@dataclass(frozen=True)
class Stop:
    """Where a dream ends before its last step: at a root mean square distance from its start, or where its target is this sure and the largest.

    ``at`` are ascending distances before ``rms``: it comes to each exactly, what it is there is kept, and the nearer the next one is the smaller are
    its steps, in proportion to ``rms``.
    """

    rms: float | None = None
    confidence: float | None = None
    at: tuple[float, ...] = ()

    @property
    def distances(self) -> tuple[float, ...]:
        """All distances, the last of which ends a dream."""
        return () if self.rms is None else (*self.at, self.rms)


@dataclass(frozen=True)
class Asked:
    """What is asked of one batch: ``starts`` (targets, ...) are what the dreams begin from, or (1, ...) the one start of all."""

    network: nn.Module
    layer: str
    targets: Sequence[Target]
    starts: torch.Tensor
    side: str
    bounds: Bounds
    stop: Stop


class Climb:
    """The state of one batch between its steps."""

    def __init__(self, asked: Asked) -> None:
        starts, targets, stop = asked.starts, asked.targets, asked.stop
        self.layer = find_layer(asked.network, asked.layer)
        self.watch = Watch(asked.network, self.layer, first_layer(asked.network))
        self.starts, self.side, self.bounds, self.stop = starts, asked.side, asked.bounds, stop
        self.sounds = self._copies(len(targets))
        self.targets = targets
        self.chosen: torch.Tensor | None = None
        self.trace: list[torch.Tensor] = []
        self.coefficients: torch.Tensor | None = None
        self.moving = torch.ones(len(targets), dtype=torch.bool, device=starts.device)
        self.taken = torch.zeros(len(targets), dtype=torch.int64, device=starts.device)
        self.behind: list[torch.Tensor] = []
        """Where a dream that stops at a confidence was before its last step: the sounds, and the coefficients where there are some."""
        self.way = torch.zeros(len(targets), dtype=torch.float64, device=starts.device)
        self.distances = torch.tensor(stop.distances, dtype=torch.float64, device=starts.device)
        self.arrived = torch.zeros_like(self.taken)
        """How many of the distances each dream has come to."""
        self.passed: torch.Tensor | None = None
        """(distances, targets, ...) the dreams at each distance, where they are kept; NaN for those that did not come so far."""
        if stop.at:
            self.passed = torch.full((len(self.distances), *self.sounds.shape), torch.nan, dtype=starts.dtype, device=starts.device)

    def _copies(self, count: int) -> torch.Tensor:
        """The starts, one a target (count, ...); waveforms channel by channel in memory, as their first layer reads them."""
        shape = self.starts.shape[1:]
        if len(shape) == 2:
            return channel_major(shape[0], count, shape[1], self.starts).copy_(self.starts)
        return self.starts.expand(count, *shape).clone(memory_format=torch.contiguous_format)

    def state(self) -> dict[str, Any]:
        """All that steps have changed, on the CPU."""
        coefficients = None if self.coefficients is None else self.coefficients.cpu()
        trace = torch.stack(self.trace).cpu()
        told = {"sounds": self.sounds.cpu(), "trace": trace, "coefficients": coefficients, "moving": self.moving.cpu(), "taken": self.taken.cpu()}
        behind = {"behind": [value.cpu() for value in self.behind]} if self.behind else {}
        return told | behind | ({} if self.passed is None else {"arrived": self.arrived.cpu(), "passed": self.passed.cpu()})

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be what ``state`` told of a climb with the same arguments; the sounds keep their place in memory, which their sums depend on."""
        self.sounds.copy_(state["sounds"])
        device = self.starts.device
        self.trace = list(state["trace"].to(device))
        self.coefficients = None if state["coefficients"] is None else state["coefficients"].to(device)
        self.moving, self.taken = state["moving"].to(device), state["taken"].to(device)
        self.behind = [value.to(device) for value in state.get("behind", [])]
        self.way = torch.full_like(self.way, torch.inf)  # not known: all are looked at, which finds the same
        if self.passed is not None:
            self.arrived, self.passed = state["arrived"].to(device), state["passed"].to(device)

    def look(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Note the activations of the sounds as they are; returns them with what the first layer put out. Those that are sure enough move no more."""
        outputs, first = self.watch(self.sounds)
        if self.chosen is None:
            self.chosen = selection(self.targets, outputs.shape[1], outputs, self.side)
        found = activations(outputs, self.layer, self.side, self.chosen)
        if not torch.isfinite(found).all():
            raise FloatingPointError(NOT_FINITE.format("the activation"))
        self.trace.append(found.detach())
        if self.stop.confidence is not None:
            self.moving = self.moving & ~convinced(outputs.detach(), self.layer, self.chosen, self.stop.confidence)
        return found, first

    def step(self, rule: str, size: float) -> None:
        """One step of every dream that has not stopped."""
        self.sounds.requires_grad_()
        found, first = self.look()
        # A target that is one number for every input (a silent first layer) leaves no path to the sound: that is a zero gradient.
        gradients = torch.autograd.grad(found.sum(), [self.sounds] if first is None else [self.sounds, first], allow_unused=True)
        self.sounds = self.sounds.detach()
        gradient = self._shaped(torch.zeros_like(self.sounds) if gradients[0] is None else gradients[0])
        factors = multipliers(rule, size, gradient) * self.moving
        if self.stop.at:
            factors = factors * (self._next() / self.distances[-1]).to(factors.dtype)
        if not torch.isfinite(factors).all():
            raise FloatingPointError(NOT_FINITE.format("the gradient"))
        self.taken += self.moving
        arriving = torch.zeros_like(self.moving) if self.stop.rms is None else self._shorten_near(gradient, factors)
        spread = None if first is None or gradients[1] is None else gradients[1].flatten(1) * factors[:, None]
        if self.coefficients is None and spread is not None:
            self.coefficients = torch.zeros_like(spread)
        if self.stop.confidence is not None:
            self._remember(factors != 0)
        self._placed(self.sounds.addcmul_(gradient, per_sound(factors, gradient)), range(len(self.sounds)))
        if spread is not None and self.coefficients is not None:
            self.coefficients = self.coefficients + spread
        self._arrive(arriving)

    def _next(self) -> torch.Tensor:
        """(targets,) the distance that each dream is on its way to, or has ended at."""
        return self.distances[self.arrived.clamp(max=len(self.distances) - 1)]

    def _arrive(self, arriving: torch.Tensor) -> None:
        """Keep the dreams that have just come to a distance; at the last one they move no more."""
        if self.passed is not None:
            self.passed[self.arrived[arriving], arriving] = self.sounds[arriving]
        self.arrived += arriving
        self.moving &= ~(arriving & (self.arrived >= len(self.distances)))

    def _remember(self, moving: torch.Tensor) -> None:
        now = [self.sounds, *([] if self.coefficients is None else [self.coefficients])]
        if not self.behind:
            self.behind = [value.clone() for value in now]
        for kept, value in zip(self.behind, now, strict=True):
            kept[moving] = value[moving]

    def _shaped(self, gradient: torch.Tensor) -> torch.Tensor:
        """What is followed of the gradient: all of it."""
        return gradient

    def _placed(self, moved: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """Moved sounds of some rows brought, in place, to where they may be."""
        return clipped(moved, self.bounds)

    def _shorten_near(self, gradient: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        """Shorten the factors of dreams whose step would pass their next distance, and tell which these are (targets,). Those whose way was too short
        are not looked at."""
        arriving, ends = torch.zeros_like(self.moving), self._next()
        ahead = torch.linalg.vector_norm(gradient.flatten(1), dim=1).double() * factors.abs() / gradient[0].numel() ** 0.5
        self.way = self.way + ahead
        near = torch.nonzero(self.moving & (self.way > NEARLY * ends)).flatten()
        for row in near.tolist():
            one, placed = slice(row, row + 1), partial(self._placed, rows=[row])
            start = self.starts[row if len(self.starts) > 1 else 0]
            factors[row], arriving[row] = shortened(self.sounds[one], gradient[one], factors[row], start, placed, float(ends[row]))
        return arriving

    @torch.no_grad()
    def finish(self) -> None:
        """Let ``sounds`` be what all steps made of them; the last step of those that are sure is halved down to where they have just become so."""
        if not self.behind:
            return
        ended = self._sure(self.sounds)[0] & (self.taken > 0)
        low, high = torch.zeros_like(self.trace[0]), torch.ones_like(self.trace[0])
        for _ in range(FINER):
            middle = (low + high) / 2
            sure = self._sure(self._part(0, self.sounds, middle, ended))[0]
            low, high = torch.where(sure, low, middle), torch.where(sure, middle, high)
        self.sounds.copy_(self._part(0, self.sounds, high, ended))
        if self.coefficients is not None:
            self.coefficients = self._part(1, self.coefficients, high, ended)
        found = self._sure(self.sounds)[1]
        self.trace = [torch.where(ended & (self.taken <= step), found, value) for step, value in enumerate(self.trace)]

    def _part(self, which: int, now: torch.Tensor, part: torch.Tensor, ended: torch.Tensor) -> torch.Tensor:
        """Part of the way from where those that have ended were before their last step; the others as they are."""
        before = self.behind[which]
        return torch.where(per_sound(ended, now), before + (now - before) * per_sound(part, now), now)

    def _sure(self, sounds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Which targets are sure enough (batch,), and their activations (batch,)."""
        assert self.chosen is not None
        assert self.stop.confidence is not None
        outputs = self.watch(sounds)[0]
        return convinced(outputs, self.layer, self.chosen, self.stop.confidence), activations(outputs, self.layer, self.side, self.chosen)


class SteadyClimb(Climb):
    """The generic path along the running mean of what is followed of a dream's gradients, each brought to one size (momentum, as Dong et al. 2018
    attack networks), so that what has kinks, as an onset that is counted or not, is climbed without going to and fro; without momentum along the last
    one alone. Where there is nothing to follow it stands still: to go on as before would be a straight line in place of a dream. What it adds is no
    first layer's kernel, so there are no coefficients.
    """

    def __init__(self, asked: Asked, momentum: float) -> None:
        super().__init__(asked)
        self.watch, self.momentum = Watch(asked.network, self.layer, None), momentum
        self.mean = torch.zeros_like(self.sounds) if momentum else torch.zeros(())

    def state(self) -> dict[str, Any]:
        return {**super().state(), "mean": self.mean.cpu()}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.mean.copy_(state["mean"])

    def _shaped(self, gradient: torch.Tensor) -> torch.Tensor:
        if not self.momentum:
            return gradient
        to_one_size = per_sound(multipliers("norm", 1.0, gradient), gradient)
        self.mean = self.momentum * self.mean + (1 - self.momentum) * (gradient * to_one_size)
        return torch.where(to_one_size == 0, 0, self.mean)


def clipped(moved: torch.Tensor, bounds: Bounds) -> torch.Tensor:
    """Sounds clipped to bounds, in place."""
    return moved if bounds is None else moved.clamp_(*bounds)


def shortened(
    sound: torch.Tensor,
    gradient: torch.Tensor,
    factor: torch.Tensor,
    start: torch.Tensor,
    placed: Callable[[torch.Tensor], torch.Tensor],
    end: float,
) -> tuple[torch.Tensor, bool]:
    """The factor of one sound's step (1, ...), shortened where that would pass the distance ``end`` so that it ends there, and whether it would;
    ``placed`` brings what was moved to where it may be. Of one sound alone: sums over several add up in another order."""

    def beyond(factor: torch.Tensor) -> float:
        return float((placed(sound + gradient * factor) - start).pow_(2).mean().sqrt()) - end

    above = beyond(factor)
    if above <= 0:
        return factor, False
    return crossing(beyond, factor, above, end * max(CLOSE, 4 * torch.finfo(factor.dtype).eps)), True


def first_layer(network: nn.Module) -> nn.Conv1d | None:
    """The convolution that reads the waveform, where the network lists its layers and has one: what a dream adds is its kernels, spread."""
    first = next(iter(network.layers().values())).module if isinstance(network, Dreamable) else None
    return first if isinstance(first, nn.Conv1d) else None


def per_sound(factors: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """``factors`` (batch,) shaped to be multiplied with ``like`` (batch, ...)."""
    return factors.view(-1, *[1] * (like.dim() - 1))
