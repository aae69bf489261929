"""Treatments and protocols: which pieces of which sounds a model trains on and is validated on.

The thesis made copies (oversampling) and windows first and split afterwards, which puts twins of validation sounds into training
(``augment-first``). ``split-first`` splits sounds and augments the training side only; ``by-family`` does so with whole families.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit, train_test_split

from aesdream.config import Section
from aesdream.errors import UserError
from aesdream.seeding import generator, sequence

Protocol = Literal["augment-first", "split-first", "by-family"]
Augmentation = Literal["inaudible"]
FAMILY_DRAWS = 64
"""Random splits of the families from which the one nearest the wanted size and class shares is taken; families differ in size."""


class Dreamed(Section):
    """Learning on, once trained, from dreams of training sounds to wrong classes under their true label (paper, future work)."""

    sounds: int = Field(256, ge=1)
    """Pieces of the training side that are dreamed, each to one wrong class; they are heard again beside their dreams."""
    epochs: int = Field(2, ge=1)
    step: float = Field(0.06, gt=0)
    """Of the dream, in natural logarithms of magnitude."""
    steps: int = Field(100, ge=0)
    """0 leaves every piece as it is, heard twice: the control, as many further steps on the same pieces without dreams."""
    confidence: float = Field(0.9, gt=0, le=1)
    """A dream stops where the wrong class's output reaches this and is the largest."""


class Treatment(Section):
    """How a training set is made of the sounds (thesis, Methods), or a control: labels permuted, or no training at all."""

    window: float | None = Field(None, gt=0)
    overlap: float = Field(0.0, ge=0)
    oversampling: int = Field(1, ge=1, le=5)
    labels: Literal["given", "shuffled"] = "given"
    network: str | None = None
    """One of the study's ``networks`` instead of its ``network``; in a file also a list, as ``composer`` may be: a treatment for each of them."""
    composer: str | None = None
    """Who judges made sounds for this treatment, instead of the corpus's own composer."""
    augmentation: Augmentation | None = None
    """What is added to every piece of the training side, anew in every epoch: noise under the threshold of hearing beside it, and infrasound."""
    dreams: Dreamed | None = None
    epochs: int | None = Field(None, ge=0)
    protocols: tuple[Protocol, ...] | None = None
    """Only these of the study's."""
    seeds: int | None = Field(None, ge=1)
    """More or fewer than the study's: controls with permuted labels scatter widely and are worth more."""

    @model_validator(mode="after")
    def _windows_move(self) -> Treatment:
        if self.overlap and (self.window is None or self.overlap >= self.window):
            raise ValueError("overlap must be shorter than window (both in seconds)")
        return self

    @property
    def is_control(self) -> bool:
        """Whether the model shows what training cannot have taught."""
        return self.labels == "shuffled" or self.epochs == 0


@dataclass(frozen=True)
class Items:
    """Pieces of sounds: ``sound`` (n,) index into the corpus, ``offset`` (n,) first sample, all ``samples`` long, ``labels`` (n,) as trained on."""

    sound: NDArray[np.int64]
    offset: NDArray[np.int64]
    labels: NDArray[np.int64]
    samples: int

    def __len__(self) -> int:
        return len(self.sound)

    def __getitem__(self, chosen: NDArray[np.int64]) -> Items:
        return Items(self.sound[chosen], self.offset[chosen], self.labels[chosen], self.samples)


@dataclass(frozen=True)
class Split:
    """Both sides of a split."""

    train: Items
    validation: Items


@dataclass(frozen=True)
class Sounds:
    """What a split needs to know of a corpus: ``labels`` (N,), ``families`` or None where unknown, the length and rate of its sounds.

    ``twins`` names for every sound the first one with the same audio or from the same file, nothing where there are none: those never stand apart.
    """

    labels: NDArray[np.int64]
    families: Sequence[str] | None
    samples: int
    sample_rate: int
    twins: Sequence[str] = ()
    strata: NDArray[np.int64] | None = None
    """(N,) what splits of whole sounds are stratified by, where that is not ``labels``."""


def window_samples(treatment: Treatment, samples: int, rate: int) -> int:
    """The length of what a model of this treatment hears, in samples. Raises UserError for one longer than the sound, or standing still."""
    length = samples if treatment.window is None else round(treatment.window * rate)
    if length > samples:
        raise UserError(f"window: {treatment.window:g} s is longer than the sound ({samples / rate:g} s); choose a shorter one")
    if length <= round(treatment.overlap * rate):
        raise UserError(f"overlap: {treatment.overlap:g} s leaves no sample between one window and the next; choose a shorter one")
    return length


def windows(sounds: Sounds, treatment: Treatment, chosen: NDArray[np.int64]) -> Items:
    """Every window of the chosen sounds, in order; the whole sounds where the treatment has no windows."""
    length = window_samples(treatment, sounds.samples, sounds.sample_rate)
    hop = length - round(treatment.overlap * sounds.sample_rate)
    offsets = np.arange(0, sounds.samples - length + 1, hop)
    sound = np.repeat(chosen, len(offsets))
    return Items(sound, np.tile(offsets, len(chosen)), sounds.labels[sound], length)


def hopping(lengths: NDArray[np.int64], samples: int) -> Items:
    """Windows of ``samples`` that hop half a window through sounds of ``lengths`` (N,), as test sounds are heard (facts, section 3); their labels are
    none of a window's affair, and zero. What is left behind the last whole window is not heard; a sound shorter than a window is one, its padding
    with it.
    """
    counts = np.maximum(lengths - samples, 0) // max(1, samples // 2) + 1
    first = np.concatenate([np.arange(count) * max(1, samples // 2) for count in counts])
    return Items(np.repeat(np.arange(len(lengths)), counts), first, np.zeros(len(first), np.int64), samples)


def split(sounds: Sounds, treatment: Treatment, protocol: Protocol, share: float, seed: int, number: int, initialisation: int = 0) -> Split:
    """Split ``number`` of the sounds under a protocol; ``share`` of what is split goes to validation (rounded up), stratified by label.

    Permuted labels are drawn anew for each split and ``initialisation``. Under ``split-first`` and ``by-family`` every treatment has the same
    validation sounds. Raises UserError where families are unknown, or so few that no split of them has every class on both sides.
    """
    drawn = generator(seed, "shuffled labels", number, initialisation)
    copies = generator(seed, "copies", number)
    if protocol == "augment-first":
        everything = np.arange(len(sounds.labels))
        items = _oversampled(windows(_as_taught(sounds, treatment, everything, drawn), treatment, everything), treatment.oversampling, copies)
        train, validation = _stratified(items.labels, share, seed, number)
        return Split(items[train], _as_judged(items[validation], sounds))
    strata = sounds.labels if sounds.strata is None else sounds.strata
    if protocol == "by-family":
        if sounds.families is None:
            raise UserError("training.protocols: by-family needs a family for every sound; name them in labels.csv or leave by-family out")
        train, validation = _grouped(strata, sounds.families, share, seed, number)
    elif len(set(sounds.twins)) < len(sounds.twins):
        train, validation = _grouped(strata, sounds.twins, share, seed, number)
    else:
        train, validation = _stratified(strata, share, seed, number)
    if sounds.strata is not None and any(len(np.unique(sounds.labels[side])) < len(np.unique(sounds.labels)) for side in (train, validation)):
        raise UserError(
            f"training.splits: split {number} under {protocol}, made for the corpus's own composer, leaves a side without one of another's classes; "
            "more sounds, a larger share or a smaller validation would help"
        )
    taught = windows(_as_taught(sounds, treatment, train, drawn), treatment, train)
    return Split(_oversampled(taught, treatment.oversampling, copies), windows(sounds, treatment, validation))


def _as_taught(sounds: Sounds, treatment: Treatment, among: NDArray[np.int64], drawn: np.random.Generator) -> Sounds:
    """The sounds with a control's labels, permuted ``among`` some of them before anything is copied: else copies would tell the true ones."""
    if treatment.labels == "given":
        return sounds
    labels = sounds.labels.copy()
    labels[among] = drawn.permutation(labels[among])
    return replace(sounds, labels=labels)


def _as_judged(items: Items, sounds: Sounds) -> Items:
    """The items under their true labels."""
    return replace(items, labels=sounds.labels[items.sound])


def _oversampled(items: Items, factor: int, rng: np.random.Generator) -> Items:
    """The items and, of the rarest class, (factor - 1) times as many copies, drawn with replacement (thesis: 656 draws for 5x)."""
    if factor == 1:
        return items
    classes, counts = np.unique(items.labels, return_counts=True)
    rare = np.flatnonzero(items.labels == classes[np.argmin(counts)])
    return items[np.concatenate([np.arange(len(items)), rng.choice(rare, (factor - 1) * len(rare))])]


def _stratified(labels: NDArray[np.int64], share: float, seed: int, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    state = int(sequence(seed, "split", number).generate_state(1)[0])
    train, validation = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=state)
    return np.sort(train), np.sort(validation)


def _grouped(labels: NDArray[np.int64], families: Sequence[str], share: float, seed: int, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Whole families on either side; of many random splits the one whose size and class shares are nearest to those asked for."""
    draws = _drawn(labels, families, share, int(sequence(seed, "split", number).generate_state(1)[0]))
    wanted = share * np.bincount(labels)

    def miss(draw: tuple[NDArray[np.int64], NDArray[np.int64]]) -> float:
        got = np.bincount(labels[draw[1]], minlength=len(wanted))
        return float(np.abs(got / wanted - 1).max())

    try:
        train, validation = min(draws, key=miss)
    except ValueError:  # fewer families than there are classes on a side
        train = validation = np.array([], np.int64)
    if any(len(np.unique(labels[side])) < len(wanted) for side in (train, validation)):
        raise UserError("training.protocols: by-family finds no split of the families with every class on both sides; add families, or leave it out")
    return np.sort(train), np.sort(validation)


def _drawn(labels: NDArray[np.int64], families: Sequence[str], share: float, state: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Random splits of whole families; of many classes, whose few families would seldom all be met, stratified by the label of a family's first."""
    if len(np.unique(labels)) == 2:
        yield from GroupShuffleSplit(n_splits=FAMILY_DRAWS, test_size=share, random_state=state).split(labels, labels, families)
        return
    distinct, first, family = np.unique(np.asarray(families), return_index=True, return_inverse=True)
    for train, validation in StratifiedShuffleSplit(FAMILY_DRAWS, test_size=share, random_state=state).split(distinct, labels[first]):
        yield np.flatnonzero(np.isin(family, train)), np.flatnonzero(np.isin(family, validation))


def names(ids: Sequence[str], items: Items, sounds: Sounds) -> list[str]:
    """A name for every item: its sound's id, and for a window where it starts, as ``id@seconds``; copies repeat their sound's name."""
    if items.samples == sounds.samples:
        return [ids[index] for index in items.sound.tolist()]
    return [f"{ids[index]}@{offset / sounds.sample_rate:g}" for index, offset in zip(items.sound.tolist(), items.offset.tolist(), strict=True)]
