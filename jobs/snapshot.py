"""The code that queued tasks run: a copy in the run folder, so that nothing that happens to the clone reaches them."""

from __future__ import annotations

import compileall
import hashlib
import os
import shutil
from pathlib import Path
from secrets import token_hex

import aesdream
import jobs
from jobs.ledger import FOLDER

PACKAGES = (aesdream, jobs)


def snapshot(run: Path) -> Path:
    """The folder below ``run`` that holds the code as it is now, named by its content; made where it is not there."""
    sources = {name: path for top in _tops() for name, path in _files(top.parent).items()}
    home = run.resolve() / FOLDER / "code"
    folder = home / _content(sources)
    if folder.exists() and _content({name: path for package in PACKAGES for name, path in _files(folder / package.__name__).items()}) != folder.name:
        folder.rename(home / f".purged-{folder.name}-{token_hex(4)}")  # a file system that deletes old files took some of it
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


def _files(package: Path) -> dict[str, Path]:
    found = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package.parent).as_posix(): path for path in found}


def _content(sources: dict[str, Path]) -> str:
    content = hashlib.sha256()
    for name in sorted(sources):
        content.update(name.encode() + b"\0" + sources[name].read_bytes())
    return content.hexdigest()[:16]
