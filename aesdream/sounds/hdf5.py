"""HDF5 files of which every byte is under a checksum, and whose writing ends well on a full disk.

Columns are checksummed chunks, and text has a fixed length: the heap in which HDF5 keeps text of any length has no checksum (a flipped bit there is
not seen, or stops the reader for good).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray


class _Disk:
    """A file for HDF5 to write to that hides the disk's first error, and drops all that would be written after it.

    HDF5 cannot close a file on a full disk: it ends the process with a segmentation fault.
    """

    def __init__(self, file: FileIO) -> None:
        self.file = file
        self.error: OSError | None = None
        self.seek, self.tell, self.read, self.readinto = file.seek, file.tell, file.read, file.readinto

    def write(self, data: memoryview) -> int:
        def all_of_it() -> None:
            rest = memoryview(data)
            while rest:
                rest = rest[self.file.write(rest) :]

        self._attempt(all_of_it)
        return len(data)

    def truncate(self, size: int) -> int:
        self._attempt(lambda: self.file.truncate(size))
        return size

    def flush(self) -> None:
        self._attempt(self.file.flush)

    def _attempt(self, change: Callable[[], object]) -> None:
        if self.error is None:
            try:
                change()
            except OSError as error:
                self.error = error


@contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """A new file at ``path`` to write to. Raises OSError at its end if the disk was full."""
    with path.open("w+b", buffering=0) as opened:
        disk = _Disk(opened)
        with h5py.File(disk, "w", libver="v110") as file:
            yield file
        if disk.error is not None:
            raise disk.error


def text(values: Sequence[str]) -> NDArray[np.bytes_]:
    """Text as an array of fixed length, in UTF-8."""
    encoded = [value.encode() for value in values]
    return np.array(encoded, h5py.string_dtype("utf-8", max(1, *map(len, encoded))))


def write(file: h5py.File, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write whole arrays as datasets of one checksummed chunk each."""
    for name, values in columns.items():
        file.create_dataset(name, data=values, chunks=values.shape, fletcher32=True)


def describe(what: h5py.HLObject, attributes: Mapping[str, Any]) -> None:
    """Set attributes: numbers as they are, lists of text in fixed length, anything else as JSON text."""
    for name, value in attributes.items():
        number = isinstance(value, bool | int | float)
        what.attrs[name] = value if number else text(value) if isinstance(value, list) else text([json.dumps(value)])[0]


def described(what: h5py.HLObject) -> dict[str, Any]:
    """The attributes that ``describe`` set, as they were given."""
    return {name: _plain(value) for name, value in what.attrs.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return json.loads(value)
    values = value.tolist()
    return [item.decode() for item in values] if isinstance(values, list) else values
