"""Files that appear whole or not at all, and units whose JSON names the digests of its companions.

A unit's files are written first, its JSON (the *marker*) last, so the marker's presence means that the unit is complete. Every file is
written aside under the attempt's own name, synced and renamed: a killed attempt leaves a ``.part`` file and nothing else, and two
attempts at the same unit never share a file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from aesdream.errors import DamagedFile, UserError

SCHEMA = 1


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A path to write to; it becomes ``path`` when the block ends well, and disappears otherwise.

    Raises UserError if the disk is full or the folder cannot be written; ``path`` is then what it was before.
    """
    aside = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}-{token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise disk_error(path, error) from error
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


def disk_error(path: Path | str, error: OSError) -> Exception:
    """What to raise for an ``error`` of writing ``path``: a UserError where the user can help it (a full disk, a folder of others), else itself."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space left" in str(error):
        return UserError(f"{path}: the disk is full; what was finished is whole: free some space and give the same command again")
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR):
        return UserError(f"{path}: cannot be written ({error.strerror}); choose another folder with --out")
    return error


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, whole or not at all."""
    with writing(path) as aside, aside.open("wb") as out:
        out.write(data)


def to_json(value: Any) -> str:
    """JSON as this project writes it; a NaN or an infinity is refused."""
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write a JSON-able ``value`` to ``path``, whole or not at all."""
    write_bytes(path, to_json(value).encode())


def read_json(path: Path) -> Any:
    """The value in a JSON file of ours; raises DamagedFile if it is none."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, UnicodeDecodeError) as error:
        raise DamagedFile(path, f"not JSON: {error}") from None


def is_there(path: Path) -> bool:
    """Whether a file exists; its folder is listed before it is called missing, since a file system shared by many machines may answer from memory."""
    if path.exists():
        return True
    with suppress(OSError):
        return path.name in os.listdir(path.parent) and path.exists()
    return False


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def finish(marker: Path, header: Mapping[str, Any], content: Mapping[str, Any], companions: Mapping[str, Path]) -> None:
    """Write the marker of a unit whose ``companions`` (name beside the marker -> path) have been written."""
    files = {name: sha256(path) for name, path in companions.items()}
    write_json(marker, {"schema": SCHEMA, **header, "files": files, **content})


def read_marker(marker: Path) -> dict[str, Any]:
    """A unit's marker; raises DamagedFile if it is not a marker of ours."""
    content = read_json(marker)
    if not isinstance(content, dict) or not {"schema", "unit", "recipe", "files"} <= content.keys():
        raise DamagedFile(marker, "not the JSON of a unit")
    return content


def verified(marker: Path, name: str) -> Path:
    """The path of a companion whose bytes are those that its marker names; raises DamagedFile otherwise."""
    path = marker.parent / name
    wanted = read_marker(marker)["files"].get(name) if is_there(marker) else None
    if not is_there(path):
        raise DamagedFile(path, "missing")
    if sha256(path) != wanted:
        raise DamagedFile(path, "its SHA-256 is not the one in " + marker.name)
    return path


def remove_leftovers(folder: Path) -> None:
    """Delete what killed attempts left below ``folder``; only for a caller that knows no attempt is running."""
    for left in folder.rglob(".*.part"):
        left.unlink(missing_ok=True)
