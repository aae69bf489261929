"""The layers of the code hold: who may import whom, and what starts without torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import ROOT

SCIENCE = sorted((ROOT / "aesdream").rglob("*.py"))
ORDER = ["sounds", "models", "training", "truth", "dreaming", "appendix"]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SCIENCE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_science_knows_no_jobs_and_only_the_appendix_draws(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & {"jobs", "submitit"}
    assert "matplotlib" not in roots or "appendix" in path.parts


@pytest.mark.parametrize("package", ORDER[:-1])
def test_imports_between_packages_run_one_way(package: str) -> None:
    later = {f"aesdream.{name}" for name in ORDER[ORDER.index(package) + 1 :]} | {"aesdream.study"}
    if package == "training":
        later -= {"aesdream.dreaming"}
    found = {name for path in (ROOT / "aesdream" / package).rglob("*.py") for name in imports(path)}
    assert not {name for name in found if any(name == other or name.startswith(other + ".") for other in later)}


@pytest.mark.parametrize("call", [["--help"], ["status", "nowhere"], ["run", "--help"]])
def test_light_commands_start_without_torch(call: list[str]) -> None:
    program = (
        f"import contextlib, sys\nsys.argv = ['aesdream', *{call!r}]\nfrom jobs.cli import main\n"
        "with contextlib.suppress(SystemExit): main()\nassert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_the_acceptance_suite_finds_what_its_tests_ask_for() -> None:
    plan = [sys.executable, "-m", "pytest", "--setup-plan", "-q", "-p", "no:cacheprovider", "acceptance"]  # which takes an hour if it is run
    done = subprocess.run(plan, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
