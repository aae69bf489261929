"""Files appear whole or not at all, whatever stops their writer; markers name what lies beside them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aesdream import files
from aesdream.errors import DamagedFile, UserError
from tests.runs import environment

NOWHERE = Path("/sys/aesdream")
"""A folder that nobody can make, root included."""


def python(code: str, *arguments: str | Path, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environment(), **options)  # type: ignore[call-overload]


def test_a_file_appears_with_its_folders_and_nothing_beside_it(tmp_path: Path) -> None:
    files.write_bytes(tmp_path / "a" / "b" / "c", b"whole")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["c"]


@pytest.mark.parametrize("trouble", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, trouble: type[BaseException]) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, b"old")

    def fail() -> None:
        with files.writing(path) as aside:
            aside.write_bytes(b"half")
            assert path.read_bytes() == b"old"
            raise trouble

    with pytest.raises(trouble):
        fail()
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("file", b"old")]


def test_a_killed_writer_leaves_the_old_file_whole_and_its_leftovers_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    files.write_bytes(path, b"old")
    code = """
import sys, time
from pathlib import Path
from aesdream.files import writing
with writing(Path(sys.argv[1])) as aside:
    aside.write_bytes(b"half")
    print("half", flush=True)
    time.sleep(60)
"""
    writer = python(code, path, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"half\n"
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    assert path.read_bytes() == b"old"
    left = [other for other in path.parent.iterdir() if other != path]
    assert [other.read_bytes() for other in left] == [b"half"]
    assert str(writer.pid) in left[0].name
    files.remove_leftovers(tmp_path)
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_is_told_with_its_file_and_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, b"old")
    code = """
import resource, sys
from pathlib import Path
from aesdream import errors, files
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    files.write_bytes(Path(sys.argv[1]), bytes(2000))
except errors.UserError as error:
    print(error)
"""
    told, _ = python(code, path, stdout=subprocess.PIPE).communicate()
    assert told.decode().startswith(f"{path}: the disk is full; what was finished is whole: free some space")
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("file", b"old")]


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out() -> None:
    with pytest.raises(UserError, match=rf"{NOWHERE}/x: cannot be written \(.*\); choose another folder with --out"):
        files.write_bytes(NOWHERE / "x", b"")


def test_json_with_nan_or_infinity_is_never_written(tmp_path: Path) -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            files.write_json(tmp_path / "x.json", {"value": [value]})
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_is_read_back_and_anything_else_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    files.write_json(path, {"name": "grün", "n": [1, None, 2.5]})
    assert files.read_json(path) == {"name": "grün", "n": [1, None, 2.5]}
    for text in (b"", b"{", b"\xff", path.read_bytes()[:-5]):
        path.write_bytes(text)
        with pytest.raises(DamagedFile) as found:
            files.read_json(path)
        assert found.value.path == path


def finished(folder: Path) -> Path:
    files.write_bytes(folder / "sound.wav", b"sound")
    files.finish(folder / "unit.json", {"unit": "unit", "digest": "0" * 16, "recipe": {}}, {"count": 3}, {"sound.wav": folder / "sound.wav"})
    return folder / "unit.json"


def test_a_marker_holds_what_it_was_given_and_the_sha256_of_its_companions(tmp_path: Path) -> None:
    marker = finished(tmp_path)
    told = json.loads(marker.read_text())
    assert told["files"] == {"sound.wav": hashlib.sha256(b"sound").hexdigest()}
    assert told["count"] == 3
    assert files.read_marker(marker) == told
    assert files.verified(marker, "sound.wav").read_bytes() == b"sound"


def test_a_companion_that_changed_or_went_is_damaged_and_named(tmp_path: Path) -> None:
    marker = finished(tmp_path)
    (tmp_path / "sound.wav").write_bytes(b"Sound")
    with pytest.raises(DamagedFile, match=r"sound\.wav: damaged \(its SHA-256 is not the one in unit\.json\)"):
        files.verified(marker, "sound.wav")
    os.remove(tmp_path / "sound.wav")
    with pytest.raises(DamagedFile, match=r"sound\.wav: damaged \(missing\)"):
        files.verified(marker, "sound.wav")


@pytest.mark.parametrize("value", [[], {}, {"unit": "x"}])
def test_json_that_is_no_marker_is_damaged(tmp_path: Path, value: object) -> None:
    files.write_json(tmp_path / "unit.json", value)
    with pytest.raises(DamagedFile, match="not the JSON of a unit"):
        files.read_marker(tmp_path / "unit.json")
