"""How the filters of a network respond to sounds, on average over each sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aesdream.dreaming.objectives import find_layer

Noted = dict[tuple[str, str], list[NDArray[np.float64]]]


@contextmanager
def noted(network: nn.Module, layers: Iterable[str], sides: Iterable[str] = ("pre", "post")) -> Iterator[Noted]:
    """While it lasts, every forward pass of ``network`` adds for each layer, before (``pre``) and after (``post``) its activation, the mean outputs
    of its filters [shape=(inputs, filters)].
    """
    wanted = tuple(sides)
    seen: Noted = {(layer, side): [] for layer in layers for side in wanted}

    def noting(name: str) -> Any:
        layer = find_layer(network, name)

        def note(_module: object, _inputs: object, outputs: torch.Tensor) -> None:
            for side in wanted:
                values = outputs if side == "pre" else layer.activation(outputs)
                seen[name, side].append(values.detach().unsqueeze(-1).flatten(2).mean(2).double().cpu().numpy())

        return layer.module.register_forward_hook(note)

    handles = [noting(name) for name in dict.fromkeys(name for name, _ in seen)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
