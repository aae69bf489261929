"""The corpus close to whoever reads it: on the node's own disk where the site names one."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from aesdream import files
from aesdream.errors import UserError
from aesdream.sounds import store

SCRATCH = "AESDREAM_SCRATCH"
"""The variable in which a batch script names the node's scratch folder."""


def corpus_path(run: Path, set_name: str = "") -> Path:
    """Where to read the corpus of a run, or a test set: a copy in the scratch folder, made by the first task on a node, else the run's own file."""
    shared, scratch = store.path(run, set_name), os.environ.get(SCRATCH)
    if not scratch:
        return shared
    copy = Path(scratch) / f"aesdream-{files.read_marker(run / 'sounds.json')['files'][shared.name][:16]}.h5"
    try:
        if not os.access(copy, os.R_OK):
            with files.writing(copy) as aside:
                shutil.copyfile(shared, aside)
    except (OSError, UserError) as error:
        print(f"{scratch}: the corpus cannot be copied there ({error}); it is read from {shared}", file=sys.stderr)
        return shared
    return copy
