"""A real Slurm of several nodes on this one machine: its start, its stop, and the faults that tests need.

Stands on the standard library alone, so that any Python 3.11 runs it; its limits are in the README beside it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

sys.path.append(str(Path(__file__).resolve().parents[2]))  # run as a script, and imported by the tests
from slurm.testbed.configuration import ACCOUNTS, ASSOCIATIONS, DATABASE, Settings
from slurm.testbed.machine import BedError, Daemon, claim, kill_leftovers, marks, programs, release, soon

FOLDER = Path("/tmp/aesdream-testbed")
INSTALL = "apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge slurmdbd mariadb-server-core"
PROGRAMS = ["slurmctld", "slurmd", "sbatch", "munged", "unshare", "setsid"]
ACCOUNTING_PROGRAMS = ["slurmdbd", "mariadbd", "sacctmgr"]
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
UP = {"idle", "mixed", "allocated", "completing"}


@dataclass
class Testbed(Settings):
    """A real Slurm as the settings ask, and the faults that tests do to it."""

    __test__: ClassVar[bool] = False  # pytest would take a class of this name for a test

    _started: list[Daemon] = field(default_factory=list, init=False, repr=False, compare=False)

    @staticmethod
    def missing(accounting: bool = True) -> str | None:
        """What keeps this machine from carrying a bed, in one line with its remedy."""
        programs = PROGRAMS + (ACCOUNTING_PROGRAMS if accounting else [])
        if absent := [program for program in programs if not shutil.which(program, path=PATH)]:
            return f"a test bed needs {', '.join(absent)}: {INSTALL}"
        if any("emulator" in os.path.realpath(shutil.which(program, path=PATH) or "") for program in PROGRAMS[:2]):
            return "a test bed needs the real Slurm, not the emulator: apt-get remove slurm-wlm-emulator"
        if os.geteuid() != 0:
            return "a test bed needs root: start it with sudo, or in a container"
        if subprocess.run(["unshare", "--uts", "true"], capture_output=True, check=False).returncode:
            return "a test bed gives its nodes host names, which this container forbids: start it with --cap-add SYS_ADMIN"
        return None

    @property
    def names(self) -> list[str]:
        """The nodes' names, first node first; no two beds share one."""
        return [mark.name for mark in marks(self.folder)]

    def environment(self) -> dict[str, str]:
        """The variables that lead a command to this bed."""
        return {"SLURM_CONF": str(self.slurm_conf), "PATH": PATH}

    def start(self) -> None:
        """Start what does not run, and wait until every node serves; on any failure stop what this call started.

        Raises BedError: with the reason, and the end of the log that tells more.
        """
        if problem := self.missing(self.accounting) or self.problem():
            raise BedError(problem)
        self._started.clear()
        try:
            if not (self._alive() and self.names):
                claim(self.folder, self.nodes)
            port = marks(self.folder)[0].port
            self.write(self.names, port, running=self._alive())
            self._start_munge()
            if self.accounting:
                self._start_accounting(port)
            self.start_controller()
            for name in self.names:
                self.start_node(name)
            self.wait_up(resume=True)
        except BaseException:
            for daemon in reversed(self._started):
                daemon.end()
            if not self._alive():
                release(self.folder)
            raise

    def stop(self, *, purge: bool = False) -> None:
        """End every job, daemon and leftover process, and forget the node names; ``purge`` also removes the folder."""
        if not self.slurm_conf.exists():
            return
        controller = self._daemon("slurmctld")
        if controller.pid() is not None:
            self._ask("scancel", "--user=root")
            soon(lambda: not self._ask("squeue", "-h", "-t", "R,CG,S").stdout, 5)
        nodes = [Daemon("slurmd", path, path) for path in self.folder.glob("run/slurmd-*.pid")]
        for daemon in [*nodes, controller]:
            daemon.send(signal.SIGTERM)
        for daemon in [*nodes, controller]:
            daemon.end()
        for program in ["slurmdbd", "mariadbd", "munged"]:
            self._daemon(program).end()
        kill_leftovers(self.slurm_conf)
        release(self.folder)
        if purge:
            shutil.rmtree(self.folder)

    def start_node(self, name: str) -> None:
        """Start a node's daemon where it does not run, under the node's own host name; see ``wait_up``."""
        (self.folder / "spool" / name).mkdir(parents=True, exist_ok=True)
        self._launch(self._daemon("slurmd", name), ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec slurmd -N "$0"', name])

    def kill_node(self, name: str) -> None:
        """Kill a node's daemon at once; the processes of its jobs live on."""
        self._daemon("slurmd", name).kill()

    def start_controller(self) -> None:
        """Start slurmctld where it does not run, and wait until it answers."""
        self._launch(self._daemon("slurmctld"), ["slurmctld"], lambda: self._ask("scontrol", "ping").returncode == 0)

    def wait_saved(self, job: str) -> None:
        """Wait until the controller has on disk what is so now: it saves what changes some seconds late. ``job`` is any that it has."""
        mark, memory = f"saved {time.time_ns()}", self.folder / "state/job_state"
        if self._ask("scontrol", "update", f"JobId={job}", f"Comment={mark}").returncode:
            raise self._daemon("slurmctld").failed(f"knows no job {job}")

        def marked() -> bool:
            with suppress(FileNotFoundError):  # Slurm takes the old file away before it puts the new one there
                return mark.encode() in memory.read_bytes()
            return False

        if not soon(marked, 30):
            raise self._daemon("slurmctld").failed("does not save its state")

    def kill_controller(self) -> None:
        """Kill slurmctld at once, as a crash would."""
        self._daemon("slurmctld").kill()

    def wait_up(self, seconds: float = 30, *, resume: bool = False) -> None:
        """Wait until every node takes jobs; ``resume`` gives those back that Slurm took out of service, as an administrator does."""

        def up() -> bool:
            states = dict(line.split() for line in self._ask("sinfo", "-h", "-N", "-p", "main", "-o", "%N %T").stdout.splitlines())
            if resume and (drained := [name for name, state in states.items() if state.startswith("drain")]):
                self._ask("scontrol", "update", f"NodeName={','.join(drained)}", "State=RESUME")
            return bool(states) and set(states.values()) <= UP and all(self._daemon("slurmd", name).pid() for name in states)

        if not soon(up, seconds):
            seen = self._ask("sinfo", "-h", "-N", "-p", "main", "-o", "%N is %T (%E)").stdout.strip().replace("\n", ", ")
            raise self._daemon("slurmctld").failed(f"has not every node up after {seconds:.0f} s: {seen}")

    def _daemon(self, program: str, node: str = "") -> Daemon:
        label = f"{program}-{node}" if node else program
        return Daemon(program, self.folder / f"run/{label}.pid", self.folder / f"log/{label}.log")

    def _alive(self) -> bool:
        return any(Daemon(path.stem.partition("-")[0], path, path).pid() for path in self.folder.glob("run/*.pid"))

    def _ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(command, capture_output=True, text=True, env=self._clean(), timeout=20, check=False)
        except subprocess.TimeoutExpired as error:
            return subprocess.CompletedProcess(error.cmd, 1, "", "timed out")

    def _clean(self) -> dict[str, str]:
        return {**{key: os.environ[key] for key in ["HOME", "LANG"] if key in os.environ}, **self.environment()}

    def _launch(self, daemon: Daemon, command: Sequence[str], ready: Callable[[], bool] = lambda: True) -> None:
        if daemon.pid() is None:
            daemon.pid_file.unlink(missing_ok=True)
            self._started.append(daemon)
            with daemon.log.open("ab") as log:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._clean(), cwd="/", check=False)
            if done.returncode:
                raise daemon.failed(f"ended at once ({done.returncode})")
        begun = time.monotonic()

        def answers() -> bool:
            if not (answer := ready()) and time.monotonic() > begun + 1 and daemon.program not in programs(self.slurm_conf):
                raise daemon.failed("died")  # most do so after they left for the background, with no status that one could see
            return answer

        if not soon(answers, 20):
            raise daemon.failed("does not answer")

    def _start_munge(self) -> None:
        munged, run = self._daemon("munged"), self.folder / "run"
        options = [f"--key-file={self.folder}/etc/munge.key", f"--socket={run}/munge", f"--pid-file={munged.pid_file}"]
        options += [f"--log-file={munged.log}", f"--seed-file={run}/munge.seed", "--force"]
        probe = ["munge", f"--socket={run}/munge", "--no-input"]
        self._launch(munged, ["munged", *options], lambda: self._ask(*probe).returncode == 0)

    def _start_accounting(self, port: int) -> None:
        mariadbd, data = self._daemon("mariadbd"), self.folder / "db"
        command = ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", "--skip-log-bin"]
        command += ["--innodb-log-file-size=32M", "--innodb-flush-log-at-trx-commit=0"]
        command += [f"--tmpdir={self.folder}/tmp"]  # a database that starts removes the temporary tables it finds, whoever uses them
        if not (tables := data / "complete").exists():
            self._create_tables(data, command)
            tables.touch()
        command += [f"--socket={self.folder}/run/sql", f"--pid-file={mariadbd.pid_file}", "--bind-address=127.0.0.1"]
        command += [f"--port={port + DATABASE}", "--skip-name-resolve", "--innodb-lock-wait-timeout=900"]
        self._launch(mariadbd, ["setsid", "--fork", *command], lambda: _listens(port + DATABASE, greets=True))
        self._launch(self._daemon("slurmdbd"), ["slurmdbd"], lambda: _listens(port + ACCOUNTS))
        if not (associations := data / "associated").exists():
            self._associate()
            associations.touch()

    def _create_tables(self, data: Path, command: Sequence[str]) -> None:
        shutil.rmtree(data, ignore_errors=True)
        (data / "mysql").mkdir(parents=True)
        log = self._daemon("mariadbd").log
        with (self.folder / "etc/database.sql").open() as statements, log.open("ab") as out:
            bootstrap = [*command, "--bootstrap", "--skip-networking"]
            done = subprocess.run(bootstrap, stdin=statements, stdout=out, stderr=out, env=self._clean(), check=False)
        if done.returncode:
            raise self._daemon("mariadbd").failed(f"cannot make its tables ({done.returncode})")

    def _associate(self) -> None:
        answers = [self._ask("sacctmgr", "-i", *words.split()) for words in ASSOCIATIONS]
        answers.append(self._ask("sacctmgr", "-nP", "list", "assoc", "account=lab", "user=root", "format=account,user,qos"))
        if "few" not in answers[-1].stdout:
            raise BedError("\n".join(["sacctmgr cannot make account and QOS:", *(answer.stdout + answer.stderr for answer in answers)]))


def _listens(port: int, greets: bool = False) -> bool:
    with socket.socket() as one:
        one.settimeout(5)
        try:
            one.connect(("127.0.0.1", port))
            return not greets or bool(one.recv(1))  # a database's port is open long before it serves
        except OSError:
            return False


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A real Slurm on this machine, for trying the suite without a cluster.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="start the daemons that do not run yet", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    stop = commands.add_parser("stop", help="end all jobs and daemons")
    for command in [start, stop]:
        command.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="everything of the bed lies there")
    start.add_argument("--nodes", type=int, default=4, help="number of nodes")
    start.add_argument("--cpus", type=int, default=4, help="CPUs of a node, as many as one likes")
    start.add_argument("--gpus", type=int, default=2, help="GPUs of a node, counted and given out, but empty")
    start.add_argument("--memory", type=int, default=8000, help="memory of a node in MB")
    start.add_argument("--no-accounting", dest="accounting", action="store_false", help="no slurmdbd: no sacct, no accounts, no QOS")
    start.add_argument("--max-array", type=int, default=1001, help="MaxArraySize")
    start.add_argument("--preempt-signal", action="store_true", help="preemption sends the job's own signal first")
    start.add_argument("--conf", action="append", default=[], metavar="LINE", help="a line for slurm.conf, in place of that of its key")
    stop.add_argument("--purge", action="store_true", help="remove the folder too")
    return parser


def main() -> int:
    """The command line; 77 says that this machine cannot carry a bed."""
    given = vars(_arguments().parse_args())
    command = given.pop("command")
    if command == "stop":
        Testbed(given["folder"]).stop(purge=given["purge"])
        return 0
    if missing := Testbed.missing(given["accounting"]):
        print(missing, file=sys.stderr)
        return 77
    bed = Testbed(**given)
    try:
        bed.start()
    except BedError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{bed.nodes} nodes are up: {bed.names[0]} to {bed.names[-1]}. Try: sinfo; srun -N1 hostname;")
    print(".venv/bin/aesdream run configs/tiny.yaml --on slurm/testbed/site.yaml, after")
    print(f"export SLURM_CONF={bed.slurm_conf}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
