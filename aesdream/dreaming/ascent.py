"""Dreaming: gradient ascent on the input of any torch module (thesis, Architecture).

It works for every ``torch.nn.Module`` whose input and output are one tensor (``climb``), faster where a network that lists its layers reads
waveforms with a ``StridedConv1d`` (``blocks``). All targets of a call are one batch: who dreams many asks ``together`` how many fit the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

from aesdream.dreaming.blocks import BlockClimb, lazily
from aesdream.dreaming.climb import FINER, Asked, Climb, SteadyClimb, Stop
from aesdream.dreaming.keeping import Keeper, fingerprint
from aesdream.dreaming.objectives import SIDES, Target, listening, refuse_other_shapes
from aesdream.dreaming.regularisers import RegularisedClimb, in_order
from aesdream.dreaming.rules import RULES
from aesdream.errors import UserError, one_of

BUDGET = 2**30
"""Bytes that a batch of dreams may take beside the network."""
COPIES = 5
"""Of every sound that the generic path holds at most: itself, its gradient, that times a factor, the next, and a state being written."""
STEADY = 3
"""What it holds besides with momentum: the mean before a step and after it, and a gradient of one size."""


@dataclass(frozen=True)
class Dreams:
    """What became of a batch.

    ``sounds`` (targets, *input shape); ``activation`` (targets, steps + 1), the start's first; ``coefficients`` (targets, outputs of the first layer)
    what each dream spread through the first layer's kernel, or None where no listed convolution reads a waveform; ``steps`` (targets,) steps taken,
    as many as asked for unless it stopped at its distance or confidence; ``passed`` (distances, targets, *input shape) what each dream was at every
    distance of ``at`` and at ``stop_rms``, NaN from the first to which its gradient did not bring it, or None where no such distances were asked for.
    """

    sounds: torch.Tensor
    activation: torch.Tensor
    coefficients: torch.Tensor | None
    steps: torch.Tensor
    passed: torch.Tensor | None = None


def together(count: int, start: torch.Tensor, at: Sequence[float] = (), momentum: float = 0.0) -> int:
    """How many of ``count`` dreams from ``start``, kept at these distances and the last, to compute at once, in parts as even as can be, to stay
    within the budget; at least two."""
    copies = COPIES + (len(at) + 1 if at else 0) + (STEADY if momentum else 0)
    most = max(2, BUDGET // (copies * start.numel() * start.element_size()))
    return -(-count // -(-count // most))


def dream(
    network: nn.Module,
    layer: str,
    targets: Sequence[Target],
    start: torch.Tensor | Sequence[torch.Tensor],
    *,
    side: str = "post",
    rule: str = "std",
    step: float = 0.002,
    steps: int = 256,
    stop_rms: float | None = None,
    stop_confidence: float | None = None,
    at: Sequence[float] = (),
    bounds: tuple[float, float] | None = (-1.0, 1.0),
    regularisers: Sequence[str] = (),
    momentum: float = 0.0,
    sample_rate: int | None = None,
    kept: Path | None = None,
    every: float = 600.0,
) -> Dreams:
    """Dream every target of a layer from ``start``, an input without its batch dimension, or each from its own of as many starts.

    ``side`` is what is looked at: ``post`` the output after the layer's activation, ``pre`` that before it, ``margin`` that less the mean of all
    filters outside the target. A layer of a network that is not aesdream's own is a submodule by name, and its activation is taken to be a ReLU:
    ``post`` is then the ReLU of what the submodule puts out. Where no ReLU follows it (tanh, GELU, the last layer) say ``pre``.

    Each step adds the gradient of the target's mean output, scaled by the rule, and clips to ``bounds``. ``stop_rms`` stops a dream where its root
    mean square distance from the start reaches it, ``stop_confidence`` where the target's output after the activation does and is the largest of its
    layer, to a sixty-fourth of its last step. ``at`` are nearer distances, ascending, to each of which a dream comes exactly on its way, by steps as
    much smaller than ``step`` as the next one is nearer than ``stop_rms``. ``regularisers`` keep it to what can be heard of a waveform at
    ``sample_rate`` hertz. With ``momentum``, from 0 to less than 1, the rule scales the running mean of all gradients so far, each regularised and
    brought to one size, in which what went before counts by so much; where there is no gradient no step is taken. With either coefficients are not
    told. A short batch of one is computed as two, since one sound alone differs from many in the last bits.
    With ``kept`` the whole state is written to that file every so many seconds; the same call, on as many threads, goes on from there to the same
    bits. A state of other arguments, or a damaged one, is not looked at. The file is the caller's to remove, once what is returned is safe.
    Raises UserError for an unknown layer, filter, side, rule or regulariser, for momentum that is none, for distances that do not ascend to
    ``stop_rms`` and for a start that is not finite or not of the shape that the network hears, FloatingPointError for a gradient or activation that
    is not.
    """
    stop = Stop(stop_rms, stop_confidence, tuple(at))
    _refuse(side, rule, stop, momentum)
    wanted, heard = len(targets), in_order(regularisers)
    targets, starts = _batch(targets, start)
    with listening(network):
        refuse_other_shapes(network, starts)
        climb = _climb(Asked(network, layer, targets, starts, side, bounds, stop), heard, sample_rate, momentum)
        how = [type(climb).__name__, lazily(starts), layer, targets, side, rule, step, steps, stop_rms, stop_confidence, FINER, bounds]
        how += [heard, sample_rate, tuple(at), momentum]
        keeper = Keeper(kept, every, {} if kept is None else _deciding(network, starts, how))
        begun = keeper.found()
        if begun is not None:
            climb.restore(begun)
        for _ in range(len(climb.trace), steps):
            if not climb.moving.any():
                break
            climb.step(rule, step)
            keeper.after_a_step(climb.state)
        climb.look()
        climb.finish()
    coefficients, passed = climb.coefficients, climb.passed
    trace = torch.stack(climb.trace + climb.trace[-1:] * (steps + 1 - len(climb.trace)), 1)
    found = (None if coefficients is None else coefficients[:wanted], climb.taken[:wanted], None if passed is None else passed[:, :wanted])
    return Dreams(climb.sounds[:wanted], trace[:wanted], *found)


def _refuse(side: str, rule: str, stop: Stop, momentum: float) -> None:
    """Raise UserError for what no dream can be asked for."""
    if side not in SIDES:
        raise one_of("side", side, SIDES)
    if rule not in RULES:
        raise one_of("rule", rule, RULES)
    if stop.rms is not None and not stop.rms > 0:
        raise UserError(f"stop_rms: {stop.rms:g} must be above zero; full scale is 1")
    if stop.at and (stop.rms is None or any(near >= far for near, far in pairwise((0.0, *stop.distances)))):
        raise UserError(f"at: {', '.join(map(str, stop.at))} must be above zero, ascend, and be less than stop_rms, which is {stop.rms}")
    if not 0 <= momentum < 1:
        raise UserError(f"momentum: {momentum:g} must be from 0 to less than 1")


def _climb(asked: Asked, regularisers: Sequence[str], rate: int | None, momentum: float) -> Climb:
    if regularisers:
        return RegularisedClimb(asked, momentum, regularisers, rate)
    if momentum:
        return SteadyClimb(asked, momentum)
    return BlockClimb(asked) if BlockClimb.serves(asked) else Climb(asked)


def _batch(targets: Sequence[Target], start: torch.Tensor | Sequence[torch.Tensor]) -> tuple[Sequence[Target], torch.Tensor]:
    """At least two targets, and their starts (targets, ...), or the one start of all (1, ...)."""
    each = [start] if isinstance(start, torch.Tensor) else list(start)
    if not each or not all(isinstance(one, torch.Tensor) and one.shape == each[0].shape for one in each):
        raise UserError("start: must be a tensor, or as many of one shape as there are targets; torch.from_numpy makes one of an array")
    starts = torch.stack(each)
    if not torch.isfinite(starts).all():
        raise UserError("start: holds NaN or infinite values; dreams start from finite ones")
    if len(targets) > 1:
        return targets, starts
    return [*targets, *targets], starts if isinstance(start, torch.Tensor) else torch.cat([starts, starts])


def _deciding(network: nn.Module, starts: torch.Tensor, how: list[object]) -> dict[str, object]:
    """Everything that the bits of a dream depend on, the type of processor apart."""
    where = [torch.__version__, version("numba") if lazily(starts) else None, torch.get_num_threads(), starts.device.type]
    return {"how": how, "where": where, "of": fingerprint(network, starts)}
