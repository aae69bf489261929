from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from aesdream.errors import DamagedFile
from aesdream.models import Network
from aesdream.models.han import Han
from aesdream.models.jenkins import Jenkins
from aesdream.sounds.audio import Preparation
from aesdream.training import checkpoints

NETWORK = Network(jenkins=Jenkins(kernel=40, stride=20, filters=(3, 4), hidden=6))
PREPARATION = Preparation(sample_rate=8000, seconds=0.075, fade_out=0.01, levels="peak")
ORIGIN = {"run": "made-up", "model": "plain/by-family/split0-seed0", "digest": "0123456789abcdef"}


def saved(path: Path, precision: torch.dtype = torch.float32) -> torch.nn.Module:
    network = NETWORK.settings.build(600, 2, torch.Generator().manual_seed(3)).to(precision)
    initial = network.conv1.weight.detach().clone()
    with torch.no_grad():
        network.conv1.weight.mul_(0.5)
    checkpoints.save_network(path, network, checkpoints.describe(NETWORK, PREPARATION, ["no", "yes"], 600, 600, ORIGIN), initial)
    return network


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_a_checkpoint_holds_all_that_judging_and_dreaming_need(tmp_path: Path, precision: torch.dtype):
    network = saved(tmp_path / "checkpoint.pt", precision)
    found = checkpoints.load_network(tmp_path / "checkpoint.pt")
    sound = torch.randn(1, 2, 600, generator=torch.Generator().manual_seed(1)).to(precision)
    assert torch.equal(found.network(sound), network(sound))
    assert not found.network.training
    assert found.preparation == PREPARATION
    assert (found.description.classes, found.description.samples, found.description.hop, found.description.origin) == (
        ["no", "yes"],
        600,
        600,
        ORIGIN,
    )
    assert torch.equal(found.initial, torch.ones(1, 2, 40, dtype=precision))


def test_a_spectrogram_network_comes_back_with_its_rate_its_channels_and_what_it_says(tmp_path: Path):
    network = Network(han=Han(fft=64, hop=32, mels=8, filters=(4, 6), hidden=8))
    heard = Preparation(sample_rate=8000, seconds=0.075, channels=1)
    built = network.settings.build(600, 3, torch.Generator().manual_seed(3), channels=1, sample_rate=8000)
    description = checkpoints.describe(network, heard, ["cel", "cla", "flu"], 600, 600, ORIGIN)
    checkpoints.save_network(tmp_path / "checkpoint.pt", built, description, built.body.out.weight)
    found = checkpoints.load_network(tmp_path / "checkpoint.pt")
    sound = 0.1 * torch.randn(2, 1, 600, generator=torch.Generator().manual_seed(1))
    assert torch.equal(found.network(sound), built.eval()(sound))
    assert (found.output, found.description.classes) == ("sigmoid", ["cel", "cla", "flu"])
    assert found.preparation == heard


def test_a_network_of_one_kind_does_not_mention_the_others():
    assert list(checkpoints.describe(NETWORK, PREPARATION, ["no", "yes"], 600, 600, ORIGIN).network) == ["jenkins"]


def test_it_loads_with_weights_only(tmp_path: Path):
    saved(tmp_path / "checkpoint.pt")
    found = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert {"schema", "weights", "initial", "network", "preparation", "classes", "samples", "hop", "origin"} == found.keys()


def test_its_bytes_depend_on_neither_name_nor_place(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    saved(tmp_path / "checkpoint.pt")
    saved(tmp_path / "elsewhere" / "other-name.pt")
    assert (tmp_path / "checkpoint.pt").read_bytes() == (tmp_path / "elsewhere" / "other-name.pt").read_bytes()


def members(data: bytes) -> list[tuple[str, int, int]]:
    """Name, first byte and size of everything that the archive stores."""
    found = []
    for info in zipfile.ZipFile(io.BytesIO(data)).infolist():
        name, extra = (int.from_bytes(data[info.header_offset + at : info.header_offset + at + 2], "little") for at in (26, 28))
        found.append((info.filename, info.header_offset + 30 + name + extra, info.file_size))
    return found


def test_a_flipped_byte_anywhere_in_the_stored_values_is_found(tmp_path: Path):
    path = tmp_path / "checkpoint.pt"
    saved(path)
    whole = path.read_bytes()
    stored = [member for member in members(whole) if "/data/" in member[0] or member[0].endswith("data.pkl")]
    assert len(stored) > 5
    for name, first, size in stored:
        for at in {first, first + size // 2, first + size - 1}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
            with pytest.raises(DamagedFile) as caught:
                checkpoints.load_network(path)
            assert caught.value.path == path, name


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_truncated_checkpoint_is_damaged(tmp_path: Path, share: float):
    path = tmp_path / "checkpoint.pt"
    saved(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DamagedFile, match=str(path)):
        checkpoints.load_network(path)


def test_other_files_are_no_checkpoints(tmp_path: Path):
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(DamagedFile, match="missing"):
        checkpoints.read(path)
    path.write_text("weights: none")
    with pytest.raises(DamagedFile):
        checkpoints.read(path)
    for value in ({"schema": 99}, [1, 2], {"weights": {}}):
        torch.save(value, path)
        with pytest.raises(DamagedFile, match="not a checkpoint of this version"):
            checkpoints.read(path)


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("ran"),)  # type: ignore[return-value]


def test_a_file_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"schema": 1, "weights": Code()}, tmp_path / "checkpoint.pt")
    with pytest.raises(DamagedFile):
        checkpoints.read(tmp_path / "checkpoint.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"schema": 1, "weights": Code()}, protocol=2))
    with pytest.raises(DamagedFile):
        checkpoints.read(tmp_path / "plain.pt")
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_that_lacks_a_part_is_damaged(tmp_path: Path):
    path = tmp_path / "checkpoint.pt"
    saved(path)
    value = torch.load(path, weights_only=True)
    del value["classes"]
    checkpoints.save(path, value)
    with pytest.raises(DamagedFile, match="classes"):
        checkpoints.load_network(path)
