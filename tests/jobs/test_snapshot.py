"""The code of queued tasks: a copy that is named by its content and stands alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from jobs import snapshot as code
from jobs.snapshot import snapshot


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of one small package, as what is to be copied."""
    package = tmp_path / "clone" / "small"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("x = 1\n")
    (package / "data" / "phrase.bin").write_bytes(b"\0\1")
    module = ModuleType("small")
    module.__file__ = str(package / "__init__.py")
    monkeypatch.setattr(code, "PACKAGES", (module,))
    return package


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def bare() -> dict[str, str]:
    """The environment of a node that knows nothing of the clone but that it is installed."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_the_same_content_is_the_same_folder_and_is_copied_once(clone: Path, tmp_path: Path) -> None:
    first = snapshot(tmp_path / "run")
    assert contents(first) == contents(clone.parent)
    made = first.stat().st_mtime_ns, {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    for path in clone.rglob("*"):
        os.utime(path, (1, 1))
    (clone / "__pycache__").mkdir()
    (clone / "__pycache__" / "junk.pyc").touch()
    assert snapshot(tmp_path / "run") == first
    assert made == (first.stat().st_mtime_ns, {path: path.stat().st_mtime_ns for path in first.rglob("*")})
    assert snapshot(tmp_path / "other").name == first.name


def test_a_change_makes_another_and_leaves_the_first(clone: Path, tmp_path: Path) -> None:
    seen = [snapshot(tmp_path / "run")]
    before = contents(seen[0])
    (clone / "data" / "phrase.bin").write_bytes(b"\0\2")
    seen.append(snapshot(tmp_path / "run"))
    (clone / "data" / "phrase.bin").rename(clone / "data" / "phrase2.bin")
    seen.append(snapshot(tmp_path / "run"))
    assert len(set(seen)) == 3
    assert contents(seen[0]) == before
    assert sorted(seen) == sorted((tmp_path / "run" / "jobs" / "code").iterdir())


def test_the_copy_is_what_a_task_imports_although_the_clone_is_installed(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "run")
    asked = "import aesdream, jobs.task; print(aesdream.__file__, jobs.task.__file__, jobs.task.__cached__)"
    told = subprocess.run([sys.executable, "-c", asked], cwd=folder, env=bare(), capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert all(Path(path).is_relative_to(folder) and Path(path).exists() for path in told.stdout.split()), told.stdout


def test_the_copy_on_the_path_comes_before_the_clone_that_is_installed(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "run")
    asked = "from importlib.util import find_spec; print(find_spec('aesdream.study').origin, find_spec('jobs.task').origin)"
    environment = {**bare(), "PYTHONPATH": str(folder)}
    told = subprocess.run([sys.executable, "-c", asked], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert told.stdout.split() == [f"{folder}/aesdream/study.py", f"{folder}/jobs/task.py"], told.stderr


def test_the_copy_of_the_copy_is_the_copy(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "run")
    asked = f"from pathlib import Path; from jobs.snapshot import snapshot; print(snapshot(Path({str(tmp_path / 'run')!r})))"
    told = subprocess.run([sys.executable, "-c", asked], cwd=folder, capture_output=True, text=True, check=False)
    assert told.stdout.strip() == str(folder), told.stderr
    assert list((tmp_path / "run" / "jobs" / "code").iterdir()) == [folder]
