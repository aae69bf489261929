"""What a test bed leaves on the machine outside its folder: daemons, processes, node names and ports.

Names and ports are claimed by marked lines in /etc/hosts, one a node, so that beds see each other without a registry of their own.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

HOSTS = Path("/etc/hosts")
MARK = re.compile(r"^127\.0\.0\.1 (?P<name>\S+) # aesdream testbed (?P<port>\d+) (?P<folder>\S+)$")
PORTS = range(17000, 32000, 1000)  # below the ports that the kernel gives out itself
SERVICES = 3  # ports beside the nodes': controller, accounts, database
TAIL = 8


class BedError(Exception):
    """The test bed cannot be as asked; the first line says why, further ones are the end of a log."""


class Daemon(NamedTuple):
    """A program that writes its process id to a file."""

    program: str
    pid_file: Path
    log: Path

    def pid(self) -> int | None:
        """The living process; a zombie, or a stranger under the same number, is none."""
        try:
            pid = int(self.pid_file.read_text())
            name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition(" (")[2].rpartition(") ")
        except (OSError, ValueError):
            return None
        return pid if name == self.program and rest[0] not in "ZX" else None

    def send(self, number: signal.Signals) -> None:
        """Signal the process where it lives."""
        pid = self.pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """End it without a word."""
        self.send(signal.SIGKILL)
        soon(lambda: self.pid() is None, 5)

    def end(self, seconds: float = 10) -> None:
        """Ask once, wait, insist."""
        self.send(signal.SIGTERM)
        if not soon(lambda: self.pid() is None, seconds):
            self.kill()
        self.pid_file.unlink(missing_ok=True)

    def failed(self, why: str) -> BedError:
        """The error that says why, with what the daemon wrote last."""
        tail = self.log.read_text(errors="replace").splitlines()[-TAIL:] if self.log.exists() else []
        return BedError("\n".join([f"{self.pid_file.stem} {why}; the end of {self.log}:", *tail]))


class Mark(NamedTuple):
    """One node's line in /etc/hosts."""

    name: str
    port: int
    folder: Path


def soon(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition holds within so many seconds."""
    end = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.03)
    return met


def marks(folder: Path) -> list[Mark]:
    """The lines of the bed in ``folder``, first node first."""
    return [mark for mark in _parse(HOSTS.read_text()) if mark.folder == folder]


def claim(folder: Path, nodes: int) -> None:
    """Mark node names and a block of ports that no other bed and no other line holds, in place of what the folder held before."""
    folder.mkdir(parents=True, exist_ok=True)  # marks of folders that are not there count for nothing

    def chosen(text: str, others: list[Mark]) -> list[Mark]:
        known = {word for line in text.splitlines() for word in line.partition("#")[0].split()}
        held = {mark.port for mark in others}
        port = next((port for port in PORTS if port not in held and _free(range(port, port + SERVICES + nodes))), None)
        for prefix in ["n", *(f"n{letter}" for letter in ascii_lowercase)]:
            names = [f"{prefix}{number}" for number in range(1, nodes + 1)]
            if port is not None and known.isdisjoint(names):
                return [Mark(name, port, folder) for name in names]
        raise BedError(f"{HOSTS}: no node names or no ports are free; stop another test bed")

    _rewrite(folder, chosen)


def release(folder: Path) -> None:
    """Remove the folder's lines."""
    _rewrite(folder, lambda *_: [])


def leftovers(slurm_conf: Path) -> list[int]:
    """The processes of a bed's daemons and jobs, wherever they went: known by their environment. This process and its parents are none."""
    return [pid for pid, environment, name in _processes() if f"SLURM_CONF={slurm_conf}" in environment and _is_jobs(environment, name)]


def programs(slurm_conf: Path) -> set[str]:
    """The names of a bed's living programs."""
    return {name for _, environment, name in _processes() if f"SLURM_CONF={slurm_conf}" in environment}


def kill_leftovers(slurm_conf: Path) -> None:
    """Kill every such process until none is left: a dying step may still start one."""

    def none_left() -> bool:
        found = leftovers(slurm_conf)
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not found

    soon(none_left, 10)


def _parse(text: str) -> list[Mark]:
    return [Mark(found["name"], int(found["port"]), Path(found["folder"])) for line in text.splitlines() if (found := MARK.match(line))]


def _rewrite(folder: Path, choose: Callable[[str, list[Mark]], list[Mark]]) -> None:
    # In place, under a lock: containers mount this file, so that no other can take its name. Lines of vanished folders go.
    with ExitStack() as stack:
        file = stack.enter_context(HOSTS.open("r+"))
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        others = [mark for mark in _parse(text) if mark.folder != folder and mark.folder.exists()]
        plain = "".join(f"{line}\n" for line in text.splitlines() if not MARK.match(line))
        kept = plain + _lines(others)
        new = kept + _lines(choose(kept, others))
        if new != text:
            file.seek(0)
            file.write(new)
            file.truncate()


def _lines(of: list[Mark]) -> str:
    return "".join(f"127.0.0.1 {mark.name} # aesdream testbed {mark.port} {mark.folder}\n" for mark in of)


def _free(ports: range) -> bool:
    for port in ports:
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _is_jobs(environment: list[str], name: str) -> bool:
    # A user's shell that exported SLURM_CONF is none of them.
    return name.startswith(("slurm", "munged", "mariadbd")) or any(entry.startswith("SLURM_JOB_ID=") for entry in environment)


def _processes() -> Iterator[tuple[int, list[str], str]]:
    own = _line_of(os.getpid())
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own:
            with suppress(OSError):  # ended meanwhile
                yield int(entry.name), (entry / "environ").read_text(errors="replace").split("\0"), (entry / "comm").read_text().strip()


def _line_of(pid: int) -> set[int]:
    line = {pid}
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
        line.add(pid)
    return line
