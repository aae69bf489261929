"""What a test bed is asked to be, and the files that tell Slurm so."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from slurm.testbed.machine import BedError

HERE = Path(__file__).parent
CONTROLLER, ACCOUNTS, DATABASE, FIRST_NODE = range(4)  # ports, counted from the bed's first
MOST_NODES = 900
LONGEST_FOLDER = 68  # a unix socket's path has 107 bytes at most, of which Slurm itself may need 39
ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/run/munge
AccountingStorageTRES=gres/gpu
AccountingStorageEnforce=associations,limits,qos
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2"""
NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none"
# mariadb-install-db does the same with the help tables, and needs one package more.
SYSTEM_TABLES = [Path("/usr/share/mysql/mysql_system_tables.sql"), Path("/usr/share/mysql/mysql_system_tables_data.sql")]
BEFORE_TABLES = "USE mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n"
AFTER_TABLES = """
FLUSH PRIVILEGES;
CREATE DATABASE slurm_acct_db;
CREATE USER 'slurm'@'127.0.0.1' IDENTIFIED BY 'slurm';
GRANT ALL ON slurm_acct_db.* TO 'slurm'@'127.0.0.1';
"""
ASSOCIATIONS = [
    "add qos urgent Priority=1000",
    "add qos few MaxSubmitJobsPerUser=6",
    "add cluster testbed",
    "add account lab",
    "add user root account=lab",
    "modify user root set qos=normal,urgent,few",
]


@dataclass
class Settings:
    """A bed in ``folder``. ``memory`` is a node's, in MB; a line of ``conf`` replaces slurm.conf's of the same key, or is added."""

    folder: Path
    nodes: int = 4
    cpus: int = 4
    gpus: int = 2
    memory: int = 8000
    accounting: bool = True
    max_array: int = 1001
    preempt_signal: bool = False
    conf: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.folder = Path(self.folder).resolve()

    @property
    def slurm_conf(self) -> Path:
        """What SLURM_CONF names."""
        return self.folder / "etc/slurm.conf"

    def problem(self) -> str | None:
        """What of these settings cannot be, in one line with what can."""
        if len(os.fsencode(self.folder)) > LONGEST_FOLDER:
            return f"{self.folder}: too long for unix sockets; take a folder of at most {LONGEST_FOLDER} bytes, such as /tmp/bed"
        if not re.fullmatch(r"[\w./-]+", str(self.folder), re.ASCII):
            return f"{self.folder}: slurm.conf takes no such path; take letters, digits, '.', '_' and '-'"
        if self.folder.exists() and any(self.folder.iterdir()) and not self.slurm_conf.exists():
            return f"{self.folder}: holds something else than a test bed; take a new folder"
        if not 1 <= self.nodes <= MOST_NODES:
            return f"nodes: {self.nodes} is not possible; valid: 1 to {MOST_NODES}"
        return None

    def write(self, names: Sequence[str], port: int, running: bool) -> None:
        """The bed's folders, configuration, key and devices. Raises BedError: a running bed was started with other settings."""
        text = self._slurm_conf_text(names, port)
        if running and (len(names) != self.nodes or self.slurm_conf.read_text() != text):
            raise BedError(f"{self.folder}: a test bed with other settings runs there; stop it first")
        for name in ["etc", "run", "log", "state", "spool", "dev", "tmp"]:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.slurm_conf.write_text(text)
        (self.folder / "etc/cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")  # unused, but looked for
        devices = [self.folder / f"dev/nvidia{index}" for index in range(self.gpus)]
        for device in devices:  # Slurm takes device nodes alone; these are /dev/null under other names
            if not device.exists():
                os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        gres = "".join(f"Name=gpu File={device}\n" for device in devices)
        (self.folder / "etc/gres.conf").write_text(f"AutoDetect=off\n{gres}")
        if self.accounting:
            tables = [path.read_text() for path in SYSTEM_TABLES]
            (self.folder / "etc/database.sql").write_text("".join([BEFORE_TABLES, *tables, AFTER_TABLES]))
        text = _template("slurmdbd.conf").substitute(folder=self.folder, dbd_port=port + ACCOUNTS, sql_port=port + DATABASE)
        _write_private(self.folder / "etc/slurmdbd.conf", text.encode())
        if not (key := self.folder / "etc/munge.key").exists():
            _write_private(key, os.urandom(1024))

    def _slurm_conf_text(self, names: Sequence[str], port: int) -> str:
        text = _template("slurm.conf").substitute(
            host=socket.gethostname().partition(".")[0],
            port=port + CONTROLLER,
            folder=self.folder,
            cpus=self.cpus,
            memory=self.memory,
            max_array=self.max_array,
            accounting=ACCOUNTING.format(port=port + ACCOUNTS, folder=self.folder) if self.accounting else NO_ACCOUNTING,
            preempt_signal="SlurmctldParameters=preempt_send_user_signal" if self.preempt_signal else "",
            gres=f"Gres=gpu:{self.gpus}" if self.gpus else "",
            node_lines="\n".join(f"NodeName={name} NodeAddr=127.0.0.1 Port={port + FIRST_NODE + index}" for index, name in enumerate(names)),
        )
        lines = text.splitlines()
        for line in self.conf:  # a key that stood twice would be complained about by every command
            lines = [old for old in lines if _key(old) != _key(line)] + [line]
        return "\n".join([*lines, ""])


def _key(line: str) -> str:
    # Partitions and nodes are told apart by their names, all else by the word before the '='.
    named = line.startswith(("PartitionName=", "NodeName="))
    return line.partition(" " if named else "=")[0] if "=" in line else line


def _template(name: str) -> Template:
    return Template((HERE / f"{name}.template").read_text())


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
