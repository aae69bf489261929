"""The prepared corpus in one HDF5 file: 16-bit sounds, one checksummed chunk each, with what is known of them.

A study has one such file for what its models train on and are validated on, and one for each of its test sets. ``/sounds`` (N, channels, samples)
int16, ``/length`` samples before padding, ``/id``, ``/label`` index into the attribute ``classes`` or, where some sound has not exactly one,
multi-hot ``/labels`` (N, classes) uint8, ``/family``, ``/twin`` (a name shared by those with the same audio or from the same file), ``/origin``
JSON text, ``/sha256`` of the source file, ``/descriptors`` (N, D) with the attribute ``names``, ``/score`` the synthetic composer's measure where
there is one, ``/measures`` (N, C) with the attribute ``names`` those of all composers where the study needs them, ``/start`` (channels, samples) the
study's source sound (not in test sets). Attributes: ``schema``, ``sample_rate``, ``classes``, ``families_known``, ``preparation``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from aesdream.errors import DamagedFile
from aesdream.sounds import descriptors, hdf5
from aesdream.sounds.composers import COMPOSERS

SCHEMA = 1
NOTHING = np.zeros((0, 0), np.int16)


def path(run: Path, set_name: str = "") -> Path:
    """Where a run keeps its corpus, or one of its test sets."""
    return run / (f"sounds-{set_name}.h5" if set_name else "sounds.h5")


@dataclass(frozen=True)
class Prepared:
    """One prepared sound: ``sound`` (channels, samples) int16, ``length`` its samples before padding, ``score`` NaN where no composer measures."""

    id: str
    sound: NDArray[np.int16]
    length: int
    origin: str
    sha256: str
    descriptors: NDArray[np.float64]
    score: float
    measures: NDArray[np.float64] | None = None
    """What all synthetic composers measure, in their order, where a study needs it."""


def write_slice(path: Path, sounds: Iterable[Prepared], count: int, samples: int, channels: int = 2) -> None:
    """Write ``count`` prepared sounds, shorter ones padded to ``samples``; the caller owns ``path`` until it is renamed.

    Raises OSError on a full disk.
    """
    with hdf5.created(path) as file:
        shape = (channels, samples)
        chunks = file.create_dataset("sounds", (count, *shape), np.int16, chunks=(1, *shape), fletcher32=True)
        kept = []
        for index, prepared in enumerate(sounds):
            missing = samples - prepared.sound.shape[1]
            chunks[index] = np.pad(prepared.sound, ((0, 0), (0, missing))) if missing else prepared.sound
            kept.append(replace(prepared, sound=NOTHING))
        text = {name: hdf5.text([getattr(p, name) for p in kept]) for name in ("id", "origin", "sha256")}
        numbers = {name: np.array([getattr(p, name) for p in kept]) for name in ("length", "score", "descriptors")}
        measures = [p.measures for p in kept if p.measures is not None]
        hdf5.write(file, {**text, **numbers, **({"measures": np.array(measures)} if measures else {})})


def read_scores(paths: Sequence[Path]) -> NDArray[np.float64]:
    """The composer's measure of every sound of the slices, in order."""
    return _joined(paths, "score")


def read_measures(paths: Sequence[Path]) -> dict[str, NDArray[np.float64]]:
    """What every composer measures in every sound of the slices, by its name; nothing where they were not asked to."""
    with h5py.File(paths[0], "r") as first:
        if "measures" not in first:
            return {}
    return dict(zip(COMPOSERS, _joined(paths, "measures").T, strict=True))


def _joined(paths: Sequence[Path], name: str) -> NDArray[Any]:
    columns = []
    for path in paths:
        with h5py.File(path, "r") as file:
            columns.append(file[name][...])
    return np.concatenate(columns)


def join(
    path: Path,
    slices: Sequence[Path],
    *,
    labels: NDArray[np.integer[Any]],
    families: Sequence[str],
    attributes: Mapping[str, Any],
    start: NDArray[np.int16] | None = None,
    twins: Sequence[str] | None = None,
) -> None:
    """Join slices into one store, chunk by chunk as they are, with labels ((N,), or multi-hot (N, classes)), families and twins (N,; alone if none)
    and the start (channels, samples).

    Raises OSError on a full disk.
    """
    with h5py.File(slices[0], "r") as first:
        shape = first["sounds"].shape[1:]
    with hdf5.created(path) as file:
        sounds = file.create_dataset("sounds", (len(labels), *shape), np.int16, chunks=(1, *shape), fletcher32=True)
        position = 0
        for part in slices:
            with h5py.File(part, "r") as opened:
                for index in range(len(opened["sounds"])):
                    filters, chunk = opened["sounds"].id.read_direct_chunk((index, 0, 0))
                    sounds.id.write_direct_chunk((position, 0, 0), chunk, filters)
                    position += 1
        hdf5.write(file, {name: _joined(slices, name) for name in ("id", "origin", "sha256", "length", "score", "descriptors")})
        alone = [str(number) for number in range(len(labels))]
        hdf5.write(file, {**_labelled(labels), "family": hdf5.text(families), "twin": hdf5.text(twins or alone)})
        measures = read_measures(slices)
        if measures:
            hdf5.write(file, {"measures": np.stack(list(measures.values()), axis=1)})
            hdf5.describe(file["measures"], {"names": list(measures)})
        if start is not None:
            hdf5.write(file, {"start": start})
        hdf5.describe(file["descriptors"], {"names": list(descriptors.LEVEL + descriptors.PLAIN)})
        hdf5.describe(file, {"schema": SCHEMA, **attributes})


def _labelled(labels: NDArray[np.integer[Any]]) -> dict[str, NDArray[Any]]:
    """The column of labels: an index a sound where each has exactly one, else a bit a class."""
    if labels.ndim == 1:
        return {"label": labels}
    return {"label": labels.argmax(1)} if (labels.sum(1) == 1).all() else {"labels": labels.astype(np.uint8)}


def opened(path: Path) -> Corpus:
    """The corpus in ``path``, kept from call to call in one process as long as the file is the same."""
    try:
        return _opened(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise DamagedFile(path, "missing") from None


@lru_cache(maxsize=1)
def _opened(path: Path, _changed: int) -> Corpus:
    return Corpus(path)


class Corpus:
    """The prepared corpus in ``path``. The file is opened when first needed, once a process, and dropped on pickling."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    @cached_property
    def _file(self) -> h5py.File:
        with self._reading("it"):
            file = h5py.File(self.path, "r")
            schema = file.attrs["schema"]
        if schema != SCHEMA:
            raise DamagedFile(self.path, f"its schema is {schema}, not {SCHEMA}")
        return file

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise DamagedFile(self.path, "missing") from None
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            raise DamagedFile(self.path, f"{what} cannot be read: {error}") from None

    def _all(self, name: str) -> NDArray[Any]:
        file = self._file
        with self._reading(f"/{name}"):
            return np.asarray(file[name][...])

    def _texts(self, name: str) -> list[str]:
        return [text.decode() for text in self._all(name).tolist()]

    @cached_property
    def ids(self) -> list[str]:
        """The id of every sound."""
        return self._texts("id")

    @cached_property
    def label(self) -> NDArray[np.int64]:
        """(N,) index into ``classes``; only where every sound has exactly one label, as everything has that models are trained on."""
        return self._all("label")

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        """(N, classes) 1 where a sound has the label."""
        if "labels" in self._file:
            return self._all("labels")
        return np.eye(len(self.classes), dtype=np.uint8)[self.label]

    @cached_property
    def length(self) -> NDArray[np.int64]:
        """(N,) samples of every sound before it was padded."""
        return self._all("length")

    @cached_property
    def families(self) -> list[str]:
        """The family of every sound; where none are known, sounds with the same audio share one."""
        return self._texts("family")

    @cached_property
    def twins(self) -> list[str]:
        """For every sound a name that it shares with those that have the same audio or come from the same file; mostly its own."""
        return self._texts("twin")

    @cached_property
    def origins(self) -> list[str]:
        """JSON text of where every sound came from."""
        return self._texts("origin")

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """(N,) the synthetic composer's measure, NaN where labels were given by someone."""
        return self._all("score")

    @cached_property
    def measures(self) -> dict[str, NDArray[np.float64]]:
        """(N,) what every synthetic composer measures, by its name; nothing where the study has no need of it."""
        file = self._file
        if "measures" not in file:
            return {}
        with self._reading("/measures"):
            names = [str(name) for name in hdf5.described(file["measures"])["names"]]
        return dict(zip(names, self._all("measures").T, strict=True))

    @cached_property
    def descriptors(self) -> NDArray[np.float64]:
        """(N, D) plain descriptors, named by ``descriptor_names``."""
        return self._all("descriptors")

    @cached_property
    def start(self) -> NDArray[np.int16]:
        """(channels, samples) the study's source sound, prepared like the others; a test set has none."""
        return self._all("start")

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The file's attributes as plain values."""
        file = self._file
        with self._reading("an attribute"):
            return hdf5.described(file)

    @property
    def descriptor_names(self) -> list[str]:
        """The names of the descriptors' columns."""
        file = self._file
        with self._reading("/descriptors"):
            return list(hdf5.described(file["descriptors"])["names"])

    @property
    def classes(self) -> list[str]:
        """The class names; the last is the positive one."""
        return [str(name) for name in self.attributes["classes"]]

    @property
    def families_known(self) -> bool:
        """Whether the corpus says which sounds are related."""
        return bool(self.attributes["families_known"])

    @property
    def sample_rate(self) -> int:
        """Samples a second."""
        return int(self.attributes["sample_rate"])

    @cached_property
    def _sounds(self) -> h5py.Dataset:
        file = self._file
        with self._reading("/sounds"):
            return file["sounds"]

    @property
    def channels(self) -> int:
        """Channels of every prepared sound."""
        return int(self._sounds.shape[1])

    @property
    def samples(self) -> int:
        """Samples a channel of every prepared sound, padding included."""
        return int(self._sounds.shape[2])

    @cached_property
    def _bytes(self) -> np.memmap[Any, np.dtype[np.uint8]]:
        """The file in memory, shared by all processes; a private map, so that nobody can write to the file through it."""
        return np.memmap(self.path, np.uint8, mode="c")

    @cached_property
    def _views(self) -> dict[int, NDArray[np.int16]]:
        """The sounds looked at so far, where they lie in the file."""
        return {}

    def _view(self, index: int) -> NDArray[np.int16]:
        """Sound ``index`` where it lies in the file, after HDF5 has read it once and found its checksum to hold."""
        sounds = self._sounds
        try:
            sounds[index]
        except (OSError, RuntimeError):
            raise DamagedFile(self.path, f"the checksum of sound {self.ids[index]} does not hold") from None
        return np.ndarray(sounds.shape[1:], "<i2", self._bytes, sounds.id.get_chunk_info_by_coord((index, 0, 0)).byte_offset)

    def read(self, index: int, offset: int = 0, samples: int | None = None) -> NDArray[np.int16]:
        """Sound ``index``, or ``samples`` of it from ``offset``: (channels, samples) int16. Raises DamagedFile where the checksum does not hold."""
        if index not in self._views:
            self._views[index] = self._view(index)
        return self._views[index][:, offset : None if samples is None else offset + samples]
