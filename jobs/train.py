"""The train stage: a unit a model, from its split to its checkpoint, census and evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from aesdream import arrays, config, files
from aesdream.dreaming import bands, census
from aesdream.dreaming.finetuning import fine_tune
from aesdream.dreaming.responses import noted
from aesdream.errors import UserError
from aesdream.labels import sounds_of
from aesdream.models.frontends import LogMel
from aesdream.models.layers import Dreamable
from aesdream.sounds import audio, splits, store
from aesdream.study import Model, Study
from aesdream.training import checkpoints, distributed, evaluation, loop, multilabel
from jobs.staging import corpus_path
from jobs.units import Unit

DIVERGED = "the network's outputs are not finite: training diverged; a smaller training.learning_rate would help"
SECONDS_TO_HIDE = 5e-8
"""A sample of noise under the threshold of hearing, on one core."""
ALWAYS, OPTIONS = ("window", "overlap", "oversampling", "labels"), ("dreams", "composer", "augmentation")
"""Keys of a treatment that a model depends on; one of the second kind stays out of its recipe where it is not given, as it did before it existed."""
RARE = 0.2
"""The share of the rarer class, for estimates alone."""
FORWARD = 1 / 3
"""What hearing a sound takes of what training on it does, for estimates alone."""
LOOKS = 3
"""How often a finished network hears every sound: twice for the census, once for the bands or the validation sounds."""
BESIDE = 400_000
"""Bytes of a model's files beside its checkpoint."""


def units(study: Study, sounds_digest: str, count: int, tested: float = 0.0, classes: int = 2) -> list[Unit]:
    """A unit for every model; for the estimate alone: ``count`` sounds are in the corpus, test sets last ``tested`` seconds, of so many classes."""
    return [_unit(study, model, sounds_digest, count, tested, classes) for model in study.models()]


def _unit(study: Study, model: Model, sounds_digest: str, count: int, tested: float, classes: int) -> Unit:
    training = study.training
    treatment = training.treatments[model.treatment]
    epochs = training.epochs if treatment.epochs is None else treatment.epochs
    made = config.plain(treatment)
    recipe = {
        "made_from": {"sounds": sounds_digest},
        "seed": study.seed,
        "threads": study.threads,
        "network": config.plain(study.network_of(model.treatment)),
        "treatment": {key: made[key] for key in (*ALWAYS, *(key for key in OPTIONS if made[key] is not None))},
        "protocol": model.protocol,
        "split": model.split,
        "initialisation": study.initialisation(model),
        "training": {
            "epochs": epochs,
            **{key: getattr(training, key) for key in ("validation", "batch", "learning_rate", "processes", "precision")},
            # Permuted labels teach nothing that validation sounds, which keep theirs, could tell: their loss never falls.
            **({} if training.patience is None or treatment.labels == "shuffled" else {"patience": training.patience}),
        },
    }
    samples = study.input_samples(model.treatment)
    windows = 1 + (study.sounds.preparation.samples - samples) // max(1, samples - round(treatment.overlap * study.sounds.sample_rate))
    heard = count * windows * (1 + RARE * (treatment.oversampling - 1))
    network, channels = study.network_of(model.treatment).settings, study.sounds.channels
    hopping = 2 * tested * study.sounds.sample_rate / samples
    learned = heard * epochs + (0 if treatment.dreams is None else treatment.dreams.sounds * (2 * treatment.dreams.epochs + treatment.dreams.steps))
    judged = count * windows * (training.validation * epochs + LOOKS) + hopping
    seconds = network.seconds(samples, channels) * (learned + FORWARD * judged)
    if treatment.augmentation is not None:
        seconds += SECONDS_TO_HIDE * samples * channels * heard * epochs
    name = f"models/{model.name}"
    size = 4 * network.parameters(samples, classes, channels) + BESIDE
    return Unit(name, "train", f"{name}/evaluation.json", recipe, batch=name, seconds=seconds, bytes=size)


def state_path(run: Path, unit: Unit) -> Path:
    """Where training keeps its state until the model is finished."""
    return (run / unit.marker).parent / "state.pt"


def make(run: Path, study: Study, unit: Unit, model: Model) -> None:
    """Make one model, over the processes that the study asks for."""
    distributed.launch(study.training.processes, study.threads, _make_together, run, study, unit, model)


def _make_together(run: Path, study: Study, unit: Unit, model: Model) -> None:
    with distributed.joined() as place:
        _Making(run, study, unit, model, place).run()


class _Making:
    """One process's part in making one model."""

    def __init__(self, run: Path, study: Study, unit: Unit, model: Model, place: distributed.Place) -> None:
        self.run_folder, self.study, self.unit, self.model, self.place = run, study, unit, model, place
        self.folder, self.state = (run / unit.marker).parent, state_path(run, unit)
        self.corpus = store.opened(corpus_path(run))
        self.treatment, self.network = study.training.treatments[model.treatment], study.network_of(model.treatment)
        self.sounds = sounds_of(self.corpus, study, model.treatment)
        self.split = splits.split(self.sounds, self.treatment, model.protocol, study.training.validation, study.seed, model.split, model.seed)

    def run(self) -> None:
        """Train (or not), then count what died, judge the validation sounds and write everything; the leader alone writes."""
        asked, network_settings = self.unit.recipe["training"], self.network.settings
        settings = self.study.training.model_copy(update={"patience": asked.get("patience")})
        build = partial(
            network_settings.build, self.split.train.samples, len(self.corpus.classes),
            channels=self.corpus.channels, sample_rate=self.corpus.sample_rate,
        )  # fmt: skip
        seed = self.study.initialisation(self.model)
        network = loop.initial_network(build, self.study.seed, seed, settings.precision)
        initial = next(iter(network.parameters())).detach().clone()
        lesson = loop.Lesson(
            self.corpus, self.split, settings, asked["epochs"], self.study.seed, seed,
            self.state, self.unit.header["digest"], network_settings.output, self.treatment.augmentation,
        )  # fmt: skip
        history = loop.train(network, lesson, self.place)
        if self.treatment.dreams is not None:
            history += fine_tune(network, lesson, self.treatment.dreams)
        if self.place.leads:
            self._write(network.to(self.place.device), initial, history)

    def _write(self, network: nn.Module, initial: torch.Tensor, history: loop.History) -> None:
        paths = {name: self.folder / name for name in ("split.json", "history.jsonl", "census.json", "checkpoint.pt")}
        train, validation = (splits.names(self.corpus.ids, side, self.sounds) for side in (self.split.train, self.split.validation))
        sets = self._evaluated(network, validation, paths)  # first: a network that diverged has nothing else to tell
        files.write_json(paths["split.json"], {"train": train, "validation": validation})
        loop.write_history(paths["history.jsonl"], history)
        counted = self._census(network)
        files.write_json(paths["census.json"], counted)
        front_end = getattr(network, "front_end", None)
        if isinstance(front_end, LogMel):
            paths["bands.json"] = self.folder / "bands.json"
            files.write_json(paths["bands.json"], bands.bands(front_end, self._batches(network, self.split.train)))
        samples, overlap = self.split.train.samples, round(self.treatment.overlap * self.sounds.sample_rate)
        origin = {"model": self.model.name, "digest": self.unit.header["digest"]}
        description = checkpoints.describe(self.network, self.study.sounds.preparation, self.corpus.classes, samples, samples - overlap, origin)
        checkpoints.save_network(paths["checkpoint.pt"], network, description, initial)
        content = {
            "treatment": self.model.treatment,
            "protocol": self.model.protocol,
            "split": self.model.split,
            "seed": self.model.seed,
            "sizes": {
                "train": len(self.split.train),
                "validation": len(self.split.validation),
                "validation_sounds": len(np.unique(self.split.validation.sound)),
            },
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "died": _death(counted),
            "sets": sets,
        }
        files.finish(self.folder / "evaluation.json", self.unit.header, content, paths)
        self.state.unlink(missing_ok=True)

    def _census(self, network: nn.Module) -> dict[str, Any]:
        assert isinstance(network, Dreamable)
        start = torch.from_numpy(audio.floating(self.corpus.start[:, : self.split.train.samples]))
        start = start.to(self.place.device, next(network.parameters()).dtype)
        everything = splits.windows(self.sounds, self.treatment, np.arange(len(self.sounds.labels)))
        return census(network, network.layers(), start, self._batches(network, everything))

    def _batches(self, network: nn.Module, items: splits.Items) -> Iterator[torch.Tensor]:
        """Windows as the network hears them, some at a time."""
        listener = loop.Listener(self.corpus, network)
        for chosen in loop.steps(len(items), loop.EVALUATED_TOGETHER, np.arange(len(items))):
            yield listener.batch(items[chosen])

    def _evaluated(self, network: nn.Module, names: list[str], paths: dict[str, Path]) -> dict[str, Any]:
        """What the model is worth; files that this gives besides are added to ``paths``."""
        if self.network.settings.output == "softmax" and len(self.corpus.classes) == 2:
            return self._of_two(network, names, paths)
        return self._of_many(network)

    def _of_many(self, network: nn.Module) -> dict[str, Any]:
        """The validation sounds and every test set, each sound with any number of many classes."""
        samples = self.split.train.samples
        corpora = {name: store.opened(corpus_path(self.run_folder, name)) for name in self.study.sounds.sets()}
        heard = {"validation": multilabel.hear(network, self.corpus, np.unique(self.split.validation.sound), samples)}
        heard |= {name: multilabel.hear(network, corpus, np.arange(len(corpus.ids)), samples) for name, corpus in corpora.items()}
        if not all(np.isfinite(judged.probabilities).all() for judged in heard.values()):
            raise FloatingPointError(DIVERGED)
        thresholds = multilabel.chosen(heard["validation"])
        families = {"validation": self.corpus.families, **{name: corpus.families for name, corpus in corpora.items()}}
        return {
            name: multilabel.evaluate(
                judged, self.corpus.classes, thresholds, evaluation.bootstrap(families[name], self.study.seed),
                leaky=name == "validation" and self._leaks,
            )
            for name, judged in heard.items()
        }  # fmt: skip

    @property
    def _leaks(self) -> bool:
        """Whether pieces of one sound stand on both sides of the split."""
        return self.model.protocol == "augment-first" and (self.treatment.window is not None or self.treatment.oversampling > 1)

    def _of_two(self, network: nn.Module, names: list[str], paths: dict[str, Path]) -> dict[str, Any]:
        """The validation sounds, as they were heard and by sound; and how every filter responded to them, on average (``responses.npz``)."""
        assert isinstance(network, Dreamable)
        items = self.split.validation
        with noted(network, network.layers(), ("post",)) as responded:
            probabilities = loop.predict(network, self.corpus, items)
        if not np.isfinite(probabilities).all():
            raise FloatingPointError(DIVERGED)
        paths["responses.npz"] = self.folder / "responses.npz"
        layers = {layer: np.concatenate(parts).astype(np.float32) for (layer, _), parts in responded.items()}
        arrays.write(paths["responses.npz"], id=np.array(names), **layers)
        positive = len(self.corpus.classes) - 1
        families = [self.corpus.families[index] for index in items.sound.tolist()]
        labels = (self.sounds.labels[items.sound] == positive).astype(np.int64)
        judged = evaluation.Judged(names, families, labels, probabilities[:, positive])
        judge = partial(
            evaluation.evaluate,
            corpus_prevalence=float((self.sounds.labels == positive).mean()),
            resampling=evaluation.bootstrap(self.corpus.families, self.study.seed),
            leaky=self._leaks,
        )
        sets = {"validation": judge(*judged)}
        if self.treatment.window is not None:
            sets["sounds"] = judge(*evaluation.by_sound(*judged))
        return sets


def _death(counted: dict[str, Any]) -> str | None:
    """A sentence about a first layer that fell silent, or None."""
    bottleneck = counted["bottleneck"]
    if bottleneck["silent_on_corpus"]:
        return "its first layer is silent on the whole corpus: every sound gets the same answer"
    if bottleneck["silent_on_start"]:
        return "its first layer is silent on the start: no gradient reaches a dream from it"
    return None


def load(run: Path, name: str) -> checkpoints.Checkpoint:
    """The finished network of a model unit, verified. Raises UserError where it is not made yet."""
    marker = run / f"models/{name}/evaluation.json"
    if not files.is_there(marker):
        raise UserError(f"{marker.parent}: this model is not trained yet; run the study without --only, or with this model in it")
    return checkpoints.load_network(files.verified(marker, "checkpoint.pt"))
