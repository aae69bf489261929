"""The batch scripts that a submission hands to sbatch, one a step, against those in ``golden/``.

A wanted change is taken over by ``AESDREAM_RENEW_GOLDEN=1 pytest tests/jobs/test_scripts.py``; read the difference before it is committed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

import pytest

from aesdream.errors import UserError
from aesdream.study import load
from jobs import ledger
from jobs.submitting import Submission
from tests import corpora
from tests.jobs.slurms import Slurm, installed

GOLDEN = Path(__file__).parent / "golden"
RENEW = "AESDREAM_RENEW_GOLDEN"
FIRST_JOB = 101
STEPS = ["check", "preprocess", "join", "train", "dream", "appendix"]
"""In the order in which they are handed in, one script each."""
STUDY = [
    "threads=2",
    "sounds.slice=4",
    "training.processes=4",
    "training.seeds=2",
    "sweeps.all={models: plain/by-family/split0-seed0, layers: [conv3, conv4], steps: 4, batch: 2}",
]
SITE = """\
partition: cpu
account: music
minutes: 60
memory: 4G
array_throttle: 8
minutes_a_task: 0.001
retries: 3
interface: ib0
scratch: $TMPDIR
hdf5_locking: false
sbatch: {mail-type: FAIL}
setup: [module purge, module load gcc]
stages:
  join: {minutes: 4}
  train: {partition: gpu, nodes: 2, gpus: 1, cpus: 6, qos: long, minutes: 600, memory: 40G, sbatch: {exclusive: true}}
  dream: {partition: gpu, gpus: 1, constraint: a100|h100}
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """A Slurm that takes every script and keeps a copy of each, by its job's number."""
    slurm = installed(tmp_path / "bin", monkeypatch)
    taken = f'n=$(({FIRST_JOB} + $(ls "{tmp_path}/bin" | grep -c "[.]sh$"))); cp "$1" "{tmp_path}/bin/$n.sh"; echo "Submitted batch job $n"'
    slurm.does("sbatch", f'if [ "$1" = --test-only ]; then exit 0; fi; {taken}')
    return slurm


def submission(folder: Path, changes: Sequence[str] = STUDY, text: str = SITE) -> Submission:
    """A study of a folder of sounds that nobody has looked at, and a site."""
    corpora.table(folder / "sounds", corpora.good(folder / "sounds"))
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    return Submission(folder / "run", load(corpora.study(folder, changes), ()), folder / "site.yaml")


def scripts(folder: Path) -> dict[int, str]:
    """What sbatch was given, by job, with placeholders for what differs from machine to machine."""
    found = {}
    for path in sorted((folder / "bin").glob("*.sh")):
        text = path.read_text(encoding="utf-8").replace(str(folder / "run"), "/RUN").replace(sys.executable, "/PYTHON")
        found[int(path.stem)] = re.sub(r"jobs/code/[0-9a-f]{16}", "jobs/code/CONTENT", text) + "\n"
    return found


def test_every_step_is_handed_in_by_its_golden_script(cluster: Slurm, tmp_path: Path) -> None:
    counts = submission(tmp_path).go()
    assert [step for step, count in counts.items() if count] == STEPS
    given = dict(zip(STEPS, scripts(tmp_path).values(), strict=True))
    if os.environ.get(RENEW):
        for step, text in given.items():
            (GOLDEN / f"{step}.sh").write_text(text, encoding="utf-8")
    different = []
    for step, text in given.items():
        path = GOLDEN / f"{step}.sh"
        wanted = path.read_text(encoding="utf-8") if path.exists() else ""
        different += unified_diff(wanted.splitlines(), text.splitlines(), str(path), f"the script of {step} now", lineterm="")
    if different:
        pytest.fail(
            "\n".join([*different, "", f"if that is wanted: {RENEW}=1 pytest {Path(__file__).name}, and commit tests/jobs/golden"]), pytrace=False
        )


@pytest.mark.parametrize("step", STEPS)
def test_a_golden_script_is_valid_shell(step: str) -> None:
    assert subprocess.run(["bash", "-n", GOLDEN / f"{step}.sh"], check=False).returncode == 0


def test_each_step_waits_only_for_what_it_needs(cluster: Slurm, tmp_path: Path) -> None:
    submission(tmp_path, [*STUDY, "sweeps.all.models='*'"]).go()
    check, preprocess, join, train, *dreams, last = scripts(tmp_path).values()
    waits = [re.findall(r"--dependency=(\S+)", text) for text in (check, preprocess, join, train, *dreams, last)]
    assert waits[:4] == [[], ["afterok:101"], ["afterok:101:102"], ["afterok:103"]]
    assert waits[4:6] == [["afterok:103,afterany:104_0"], ["afterok:103,afterany:104_1"]]
    assert waits[6] == ["afterok:103,afterany:101:102:104:105:106"]


def test_the_ledger_names_the_job_of_every_unit_of_the_plan(cluster: Slurm, tmp_path: Path) -> None:
    work = submission(tmp_path)
    work.go()
    latest = ledger.latest(work.run)
    assert all(line["event"] == "queued" for line in latest.values())
    assert {latest[unit]["job"] for unit in ("check", "sounds", "appendix")} == {"101", "103", "106"}
    assert {line["job"] for unit, line in latest.items() if unit.startswith("models/")} == {"104_0", "104_1"}


def test_a_refused_step_is_told_with_its_line_and_nothing_is_submitted(cluster: Slurm, tmp_path: Path) -> None:
    words = "allocation failure: Invalid qos specification"
    cluster.does("sbatch", f'if grep -q "qos=long" "$2"; then echo "{words}" >&2; exit 1; fi')
    with pytest.raises(UserError) as refused:
        submission(tmp_path).go()
    line = SITE.splitlines().index(next(text for text in SITE.splitlines() if "qos: long" in text)) + 1
    assert refused.value.lines == (f"{tmp_path}/site.yaml: line {line}: qos: 'long' is refused by Slurm: {words} (for train)",)
    assert all(call.startswith("--test-only") for call in cluster.calls("sbatch"))


def test_a_refusal_in_the_middle_takes_back_what_was_submitted(cluster: Slurm, tmp_path: Path) -> None:
    full = "sbatch: error: QOSMaxSubmitJobPerUserLimit\\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy"
    taken = f'cp "$1" "{tmp_path}/bin/$$.sh"; echo "Submitted batch job $$"'
    refused = f"printf '{full}\\n' >&2; exit 1"
    cluster.does("sbatch", f'if [ "$1" = --test-only ]; then exit 0; elif grep -q "train" "$1"; then {refused}; else {taken}; fi')
    work = submission(tmp_path)
    with pytest.raises(UserError, match=r"refused by Slurm: .*QOSMaxSubmitJobPerUserLimit.*; nothing is left submitted"):
        work.go()
    (cancelled,) = cluster.calls("scancel")
    taken_jobs = {path.stem for path in (tmp_path / "bin").glob("*.sh")}
    assert len(taken_jobs) == 3
    assert {job.split("_")[0] for job in cancelled.split()} == taken_jobs


def test_processes_that_nodes_cannot_share_evenly_are_refused(cluster: Slurm, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nodes: 2 for the stage train cannot share out training\.processes: 3 evenly"):
        submission(tmp_path, [*STUDY, "training.processes=3"]).go()
    assert cluster.calls("sbatch") == []


def test_another_interpreter_runs_on_the_nodes_where_the_site_names_one(cluster: Slurm, tmp_path: Path) -> None:
    python = "apptainer exec --nv /images/aesdream.sif python"
    submission(tmp_path, text=f"{SITE}python: {python}\n").go()
    assert all(f"{python} -u -m submitit.core._submit" in text for text in scripts(tmp_path).values())
