"""The code that queued tasks run: a copy in the run folder, so that nothing that happens to the clone reaches them."""

from __future__ import annotations

import compileall
import hashlib
import os
import shutil
from pathlib import Path

import aesdream
import jobs
from jobs.ledger import FOLDER

PACKAGES = (aesdream, jobs)


def snapshot(run: Path) -> Path:
    """The folder below ``run`` that holds the code as it is now, named by its content; made where it is not there."""
    sources = {f"{top.parent.name}/{path.relative_to(top.parent).as_posix()}": path for top in _tops() for path in _files(top.parent)}
    content = hashlib.sha256()
    for name in sorted(sources):
        content.update(name.encode() + b"\0" + sources[name].read_bytes())
    home = run.resolve() / FOLDER / "code"
    folder = home / content.hexdigest()[:16]
    if not folder.exists():
        aside = home / f".{folder.name}.{os.getpid()}"
        for name, path in sources.items():
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, aside / name)
        compileall.compile_dir(aside, quiet=2, stripdir=str(aside))
        aside.replace(folder)
    return folder


def _tops() -> list[Path]:
    return [Path(package.__file__) for package in PACKAGES if package.__file__]


def _files(package: Path) -> list[Path]:
    return [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
