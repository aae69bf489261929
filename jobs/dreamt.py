"""What is written of a dream: its JSON, its sounds, and its spectrogram where the network hears one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aesdream import arrays, files
from aesdream.dreaming import Dreams, bands, census, inversion
from aesdream.dreaming.anatomy import anatomy, extent
from aesdream.dreaming.census import silent_on
from aesdream.dreaming.objectives import activations, convinced, selection
from aesdream.dreaming.settings import SPREAD, drawn
from aesdream.dreaming.sonify import listening_copy, write_wav
from aesdream.hearing import audibility
from aesdream.models.frontends import LogMel
from aesdream.models.layers import Dreamable
from aesdream.seeding import integer
from aesdream.sounds.composers import determinants
from aesdream.training.checkpoints import Checkpoint
from jobs.starts import Start
from jobs.units import Unit

SURE = 0.9
"""The output from which on a class counts as reached, if it is the largest (paper, results)."""
Sound = NDArray[np.float32]


class Writing:
    """Writes the dreams of one model and layer. ``inner`` is what was dreamed, window by window, ``heard`` the same of whole clips."""

    def __init__(self, run: Path, model: str, checkpoint: Checkpoint, recipe: Mapping[str, Any], inner: nn.Module, heard: nn.Module) -> None:
        self.run, self.model, self.checkpoint, self.recipe = run, model, checkpoint, recipe
        self.inner, self.heard = inner, heard
        self.whole, self.spectral = inner is not heard, recipe.get("domain") == "spectrogram"
        front_end = getattr(checkpoint.network, "front_end", None)
        self.front_end = front_end if isinstance(front_end, LogMel) else None
        self._looks: dict[str, tuple[list[bool], list[bool], bool]] = {}

    @torch.no_grad()
    def judged(self, *batches: torch.Tensor) -> list[torch.Tensor]:
        """The logits (n, classes) of each batch of inputs where a class was dreamed; of whole batches, because one alone differs in the last bits."""
        return [self.heard(batch) for batch in batches] if self.recipe["layer"] == "class" else []

    def write(
        self, unit: Unit, dreams: Dreams, place: int, first: Start, begun: torch.Tensor, target: tuple[int, ...], judged: list[torch.Tensor]
    ) -> None:
        """Write the dream at ``place`` of a batch, which came from ``first`` and at last from ``begun``; the JSON comes last."""
        marker = self.run / unit.marker
        start, dreamed = (value if self.whole else value[None] for value in (begun, dreams.sounds[place]))
        sounds, told = self._sounds(first, start, dreamed)
        rate = self.checkpoint.preparation.sample_rate
        kept = self.recipe.get("keep") != "numbers"
        paths = self._write_sounds(marker, sounds, rate, own=bool(drawn(unit.inputs["start"])[0])) if kept else []
        if self.front_end is not None and kept:
            begins, ends = (self._spectrograms(value) for value in (start, dreamed))
            told["distance"] = bands.distance(begins, ends)
            paths.append(marker.with_suffix(".npz"))
            arrays.write(paths[-1], start=begins, dream=ends)
        trace = [float(value) for value in dreams.activation[place].tolist()]
        coefficients = dreams.coefficients if kept else None
        content = {
            "model": self.model,
            **unit.recipe["made_from"],
            **{key: value for key, value in unit.recipe.items() if key not in ("made_from", "threads", "batch", "start", "stop_rms")},
            "start": Path(unit.name).name,
            "steps_taken": int(dreams.steps[place]),
            "sample_rate": rate,
            "activation": trace,
            "state": {**self._state(unit.inputs["start"], first, target), "overshot": trace[-1] == trace[-2] and trace[-1] < max(trace)},
            "coefficients": [] if coefficients is None else [float(f"{value:.6g}") for value in coefficients[place].tolist()],
            **({"first_filters": filters} if (filters := self._first_filters()) > 1 else {}),
            "hop_seconds": self._hop() / rate,
            **({"excerpt": first.told} if first.told else {}),
            **(_compared(sounds["dream"], sounds["start"], rate) if drawn(unit.inputs["start"])[0] == SPREAD else {}),
            **({} if dreams.passed is None else {"passed": self._passed(dreams.passed[:, place], target, [logits[place] for logits in judged[2:]])}),
            **(self._said(target, [logits[place] for logits in judged[:2]]) if judged else {}),
            **told,
            **(anatomy if kept else extent)(sounds["dream"], sounds["start"], rate),
        }
        files.finish(marker, unit.header, content, {path.name: path for path in paths})

    def _passed(self, sounds: torch.Tensor, target: tuple[int, ...], logits: list[torch.Tensor]) -> list[dict[str, Any]]:
        """What a dream was at every distance that its gradient brought it to: what composers measure, and what the network said."""
        rate, distances = self.checkpoint.preparation.sample_rate, (*self.recipe["at"], self.recipe["stop_rms"])
        assert isinstance(self.inner, Dreamable)
        layer, told = self.inner.layers()["class"], []
        for distance, sound, said in zip(distances, sounds, logits, strict=True):
            if torch.isfinite(sound).all():
                margin = activations(said[None], layer, "margin", selection([target], layer.filters, said[None], "margin"))
                told.append({"rms": distance, "measures": determinants(_joined(sound[None]), rate), "margin": float(margin)})
        return told

    def _first_filters(self) -> int:
        """Kernels of a first layer that reads a waveform; coefficients are told of one after another."""
        assert isinstance(self.checkpoint.network, Dreamable)
        reading = next(iter(self.checkpoint.network.layers().values()))
        return reading.filters if isinstance(reading.module, nn.Conv1d) else 1

    def _hop(self) -> int:
        if self.front_end is not None:
            return self.front_end.hop
        assert isinstance(self.checkpoint.network, Dreamable)
        reading = next(iter(self.checkpoint.network.layers().values())).module
        assert isinstance(reading, nn.Conv1d)
        return int(reading.stride[0])

    @cached_property
    def _counted(self) -> dict[str, Any]:
        return dict(files.read_json(files.verified(self.run / f"models/{self.model}/evaluation.json", "census.json")))

    def _state(self, name: str, first: Start, target: tuple[int, ...]) -> dict[str, bool]:
        """What the census says of a target: one of several filters is silent or slow where all of them are."""
        if name not in self._looks:
            self._looks[name] = self._look(name, first)
        silent, slow, upstream = self._looks[name]
        records = self._counted["layers"][self.recipe["layer"]]
        return {
            "silent_on_start": all(silent[number] for number in target),
            "slow": all(slow[number] for number in target),
            "silent_on_corpus": all(records[number]["silent_on_corpus"] for number in target),
            "upstream": upstream,
        }

    def _look(self, name: str, first: Start) -> tuple[list[bool], list[bool], bool]:
        """Which filters are silent and which slow on a start, and whether all before them is silent. A drawn start is looked at for silence alone:
        slow then is told of the study's own."""
        counted, layer, side = self._counted, self.recipe["layer"], self.recipe["side"]
        bottleneck, given = counted["bottleneck"]["layer"], first.given.to(next(self.inner.parameters()).device)
        names = list(dict.fromkeys([bottleneck, layer]))
        if name != "source" and not drawn(name)[0]:
            counted = census(self.inner, names, given[0], [given])
        records = counted["layers"][layer]
        silent, upstream = [record["silent_on_start"] for record in records], counted["bottleneck"]["silent_on_start"]
        if drawn(name)[0]:
            looked = silent_on(self.inner, names, given)
            silent, upstream = looked[layer], all(looked[bottleneck])
        side = "pre" if side == "margin" else side  # of which a logit is a part
        return silent, [record["slow"][side] for record in records], upstream and layer != bottleneck

    def _said(self, target: tuple[int, ...], logits: list[torch.Tensor]) -> dict[str, Any]:
        """What the network says of start and dream: the output of every class, the target's, and whether it was reached."""
        assert isinstance(self.inner, Dreamable)
        layer = self.inner.layers()["class"]
        before, after = (layer.activation(one[None].double())[0].tolist() for one in logits)
        chosen = selection([target], layer.filters, logits[1][None])
        return {
            "goal": [self.checkpoint.description.classes[number] for number in target],
            "outputs": {"start": before, "dream": after},
            "confidence": {"start": sum(before[number] for number in target), "dream": sum(after[number] for number in target)},
            "success": bool(convinced(logits[1][None], layer, chosen, SURE)[0]),
        }

    @torch.no_grad()
    def _spectrograms(self, inputs: torch.Tensor) -> NDArray[np.float32]:
        """(windows, frames, bands) that the network's body hears of what was dreamed."""
        assert self.front_end is not None
        heard = inputs if self.spectral else self.front_end(inputs)
        return np.asarray(heard[:, 0].float().cpu().numpy())

    def _sounds(self, first: Start, start: torch.Tensor, dreamed: torch.Tensor) -> tuple[dict[str, Sound], dict[str, Any]]:
        """The sounds of a dream: ``start`` and ``dream``, and for spectrograms others by how they were made; and what inverting them did."""
        if not self.spectral:
            return {"start": _joined(start), "dream": _joined(dreamed)}, {}
        assert self.front_end is not None
        front_end, samples = self.front_end, self.checkpoint.description.samples
        ways: dict[str, list[list[Sound]]] = {}
        spectrograms = [self._spectrograms(value)[:, None] for value in (start, dreamed)]
        ways["griffin-lim"] = [
            [inversion.by_griffin_lim(front_end, one, samples, integer(0, "griffin-lim", number)) for number, one in enumerate(some)]
            for some in spectrograms
        ]
        if first.sound is not None:
            own = [[inversion.with_phase(front_end, sound, one) for sound, one in zip(first.sound, some, strict=True)] for some in spectrograms]
            ways = {"phase": own, **ways}
        best = next(iter(ways))
        sounds = {"start": np.concatenate(ways[best][0], 1), "dream": np.concatenate(ways[best][1], 1)}
        if best == "phase":
            sounds["griffin-lim"] = np.concatenate(ways["griffin-lim"][1], 1)
        return sounds, {"sound_by": best, "inversion": {way: self._inverted(both, spectrograms) for way, both in ways.items()}}

    @torch.no_grad()
    def _inverted(self, both: list[list[Sound]], spectrograms: list[NDArray[np.float32]]) -> dict[str, Any]:
        """How far the sounds of start and dream are from the spectrograms that they were made of, and what the network says of them."""
        network = self.checkpoint.network
        device, dtype = next(self.inner.parameters()).device, next(network.parameters()).dtype
        told: dict[str, Any] = {}
        for name, sounds, wanted in zip(("start", "dream"), both, spectrograms, strict=True):
            heard = torch.from_numpy(np.stack(sounds)).to(device, dtype)
            assert self.front_end is not None
            found = self.front_end.to(device)(heard)
            told[name] = {"rmse_db": bands.distance(wanted, found.float().cpu().numpy())["rmse_db"]}
            if self.recipe["layer"] == "class":
                assert isinstance(self.inner, Dreamable)
                logits = self.inner(found).mean(0, keepdim=True)
                told[name]["outputs"] = self.inner.layers()["class"].activation(logits.double())[0].tolist()
        return told

    def _write_sounds(self, marker: Path, sounds: dict[str, Sound], rate: int, own: bool) -> list[Path]:
        """The dream as WAV and for ears; where its start is drawn that too, and what was made in another way, each named."""
        paths = [marker.with_suffix(".wav")]
        write_wav(paths[0], sounds["dream"], rate)
        if own:
            paths.append(marker.with_name(f"{marker.stem}-start.wav"))
            write_wav(paths[-1], sounds["start"], rate)
        copies = {"dream": "", **({"start": "-start"} if own else {}), **({"griffin-lim": "-griffin-lim"} if "griffin-lim" in sounds else {})}
        for name, suffix in copies.items():
            paths.append(marker.with_name(f"{marker.stem}{suffix}.mp3"))
            listening_copy(paths[-1], sounds[name], rate, sounds["start"])
        return paths


def _compared(dream: Sound, start: Sound, rate: int) -> dict[str, Any]:
    """What composers measure in a dream, and how much of its change is heard."""
    return {"measures": determinants(dream, rate), "audibility": audibility(dream.astype(np.float64) - start, start, rate)}


def _joined(windows: torch.Tensor) -> Sound:
    """Windows (n, channels, samples) end to end (channels, samples)."""
    return np.concatenate(list(windows.float().cpu().numpy()), axis=-1)
