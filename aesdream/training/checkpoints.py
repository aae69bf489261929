"""Checkpoints: everything a user needs to judge or dream with a trained network, loadable without running code.

``checkpoint.pt`` is the finished model; ``state.pt`` is the training under way, from which it resumes to the same bits.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from torch import nn

from aesdream.config import plain
from aesdream.errors import DamagedFile
from aesdream.files import write_bytes
from aesdream.models import Network
from aesdream.models.layers import Output
from aesdream.sounds.audio import Preparation

SCHEMA = 1


@dataclass(frozen=True)
class Description:
    """What a network hears and says: plain values, so that a checkpoint loads with weights only.

    ``samples`` is the length of its input, ``hop`` from one window of a longer sound to the next; ``preparation`` how a sound becomes that input;
    ``origin`` the model it comes from.
    """

    network: dict[str, Any]
    preparation: dict[str, Any]
    classes: list[str]
    samples: int
    hop: int
    origin: dict[str, Any]


def save(path: Path, value: Mapping[str, Any]) -> None:
    """Write tensors and plain values; through memory, because ``torch.save`` writes a path's name into the file."""
    buffer = io.BytesIO()
    torch.save(dict(value), buffer)
    write_bytes(path, buffer.getvalue())


def read(path: Path) -> dict[str, Any]:
    """What ``save`` wrote, on the CPU. Raises DamagedFile for anything else."""
    try:
        # torch itself does not look at the checksums that it stores.
        with ZipFile(path) as archive:
            broken = archive.testzip()
        if broken is not None:
            raise DamagedFile(path, f"the checksum of {broken} does not hold")
        value = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DamagedFile(path, "missing") from None
    except (BadZipFile, RuntimeError, UnpicklingError, EOFError, ValueError, KeyError, OSError) as error:
        raise DamagedFile(path, f"not a checkpoint: {_in_short(error)}") from None
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise DamagedFile(path, "not a checkpoint of this version")
    return value


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__} {error}".splitlines()[0][:120]


def save_network(path: Path, network: nn.Module, description: Description, initial: torch.Tensor) -> None:
    """Write a finished network; ``initial`` is its first layer's kernel before training."""
    weights = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
    save(path, {"schema": SCHEMA, "weights": weights, "initial": initial.detach().cpu().clone(), **asdict(description)})


@dataclass(frozen=True)
class Checkpoint:
    """A finished network with what it was made for; ``initial`` is its first layer's kernel before training."""

    network: nn.Module
    description: Description
    initial: torch.Tensor

    @property
    def preparation(self) -> Preparation:
        """How a sound becomes this network's input."""
        return Preparation(**self.description.preparation)

    @property
    def output(self) -> Output:
        """Whether a sound has one of its classes or any number of them."""
        return Network.model_validate(self.description.network).settings.output


def load_network(path: Path) -> Checkpoint:
    """The finished network in ``checkpoint.pt``, in evaluation mode. Raises DamagedFile."""
    value = read(path)
    try:
        description = Description(**{name: value[name] for name in Description.__annotations__})
        heard = Preparation(**description.preparation)
        settings = Network.model_validate(description.network).settings
        network = settings.build(
            description.samples, len(description.classes), torch.Generator(), channels=heard.channels, sample_rate=heard.sample_rate
        )
        dtype = next(iter(value["weights"].values())).dtype
        network.to(dtype).load_state_dict(value["weights"])
        return Checkpoint(network.eval(), description, value["initial"])
    except (KeyError, ValueError, RuntimeError) as error:
        raise DamagedFile(path, f"not a whole checkpoint: {_in_short(error)}") from None


def describe(network: Network, preparation: Preparation, classes: list[str], samples: int, hop: int, origin: dict[str, Any]) -> Description:
    """The description of a network that is about to be trained."""
    return Description(plain(network), plain(preparation), classes, samples, hop, origin)
