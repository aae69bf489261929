"""Arrays by name in one file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream import files


def write(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays to an ``.npz``, through memory; numpy notes no time in the file, so that the same arrays are the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    files.write_bytes(path, buffer.getvalue())
