"""The corpora of the instrument study on the command line: what check says of IRMAS, what is prepared of rendered excerpts, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aesdream.sounds import audio, instruments, irmas
from aesdream.sounds.store import Corpus
from aesdream.study import load
from jobs import looks
from jobs.graph import Graph
from tests.conftest import Call
from tests.runs import ROOT, aesdream, contents
from tests.sounds import irmas_fixture

TINY = ROOT / "configs" / "tiny-instruments.yaml"
PAPER = ROOT / "configs" / "cochran-kim.yaml"
DEMO = ROOT / "configs" / "demo-instruments.yaml"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> irmas_fixture.Irmas:
    """IRMAS's layout with enough recordings for the paper's validation share."""
    return irmas_fixture.build(tmp_path_factory.mktemp("irmas"), recordings=9)


def test_check_tells_the_counts_of_a_copy_of_irmas_its_conflicts_and_the_papers_plan(copy: irmas_fixture.Irmas, call: Call) -> None:
    answer = call("check", PAPER, "--set", f"sounds.irmas.path={copy.folder}")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    used, recordings = sum(copy.excerpts.values()) - 2, copy.recordings - 3  # two excerpts conflict, two recordings share a sound
    assert lines[0].startswith(f"study cochran-kim: {used} sounds, ")
    assert f"training: {used} sounds of {recordings} recordings: cel 11, cla 11, flu 11, gac 11, gel 10, org 11" in answer.out
    assert "test: 10 sounds of 6 recordings: cel 1, cla 1, flu 1, gac 2, gel 1, org 2, pia 3, sax 1, tru 1, vio 1, voi 2" in answer.out
    (conflict,) = [line for line in lines if "different labels" in line]
    assert all(name in conflict for name in copy.conflicting)
    assert [line.split()[0] for line in lines if " units " in line] == ["preprocess", "train", "dream"]
    assert "estimates from one machine" in lines[-1]


def test_a_plan_warns_of_more_held_out_sounds_than_a_copy_has(copy: irmas_fixture.Irmas, call: Call) -> None:
    warned = {}
    for asked in (11, 22, 220):
        changes = [f"sweeps.{name}.starts={{held_out: {asked}}}" for name in ("targeted", "nearest", "waveform")]
        answer = call("check", PAPER, *(part for change in (f"sounds.irmas.path={copy.folder}", *changes) for part in ("--set", change)))
        assert answer.code == 0, answer.err
        warned[asked] = [line for line in answer.out.splitlines() if line.startswith("warning: sweeps.")]
    assert warned[11] == []
    assert any("sweeps.targeted.starts: 220 held-out sounds are 20 a class" in line for line in warned[220])
    assert all("ask for at most" in line for line in warned[220])


def test_a_dry_run_of_the_papers_study_plans_and_writes_nothing(copy: irmas_fixture.Irmas, call: Call, tmp_path: Path) -> None:
    answer = call("run", PAPER, "--set", f"sounds.irmas.path={copy.folder}", "--out", tmp_path / "run", "--dry-run")
    assert answer.code == 0, answer.err
    assert "train" in answer.out
    assert not (tmp_path / "run").exists()


def test_irmas_is_prepared_into_excerpts_and_a_test_set_of_clips_at_their_own_lengths(copy: irmas_fixture.Irmas, call: Call, tmp_path: Path) -> None:
    answer = call("run", PAPER, "--set", f"sounds.irmas.path={copy.folder}", "--out", tmp_path / "run", "--until", "preprocess")
    assert answer.code == 0, answer.err
    excerpts, clips = Corpus(tmp_path / "run" / "sounds.h5"), Corpus(tmp_path / "run" / "sounds-test.h5")
    assert (excerpts.channels, excerpts.samples, excerpts.sample_rate) == (1, 3 * 22_050, 22_050)
    assert tuple(excerpts.classes) == tuple(clips.classes) == irmas.CLASSES
    assert [excerpts.classes[label] for label in excerpts.label] == [Path(name).parent.name for name in excerpts.ids]
    lengths = {f"{part}/{name}.wav": seconds for part, names in irmas_fixture.CLIPS.items() for name, (_, seconds) in names.items()}
    assert dict(zip(clips.ids, (clips.length / 22_050).tolist(), strict=True)) == pytest.approx(lengths, abs=1 / 22_050)
    assert clips.samples == clips.length.max()
    how = load(PAPER, [f"sounds.irmas.path={copy.folder}"]).sounds.preparation
    for index, name in enumerate(clips.ids[:3]):
        whole = how.model_copy(update={"seconds": lengths[name]})
        heard = clips.read(index)[:, : clips.length[index]]
        np.testing.assert_array_equal(heard, audio.prepare(*audio.read(copy.folder / name), whole))
        assert np.abs(heard.astype(int)).max() == 32767
    told = json.loads((tmp_path / "run" / "sounds.json").read_text())
    assert told["synthetic"] is None
    assert sorted(told["files"]) == ["sounds-test.h5", "sounds.h5"]
    assert sum(told["sets"]["test"]["labels"].values()) == 16


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study's run after its first stage."""
    run = tmp_path_factory.mktemp("rendered") / "run"
    done = aesdream("run", TINY, "--out", run, "--until", "preprocess")
    assert done.returncode == 0, done.stderr
    return run


def test_rendered_excerpts_are_prepared_with_all_their_labels_and_called_synthetic(rendered: Path) -> None:
    excerpts, clips = Corpus(rendered / "sounds.h5"), Corpus(rendered / "sounds-test.h5")
    settings = load(TINY).sounds.instruments
    assert settings is not None
    for set_name, corpus in (("", excerpts), ("test", clips)):
        made = instruments.excerpts(settings, 7, set_name, 2)
        assert corpus.ids == [excerpt.id for excerpt in made]
        np.testing.assert_array_equal(corpus.labels, instruments.labels_of(made))
        np.testing.assert_allclose(corpus.length / 22_050, [excerpt.seconds for excerpt in made], atol=2 / 22_050)
        assert corpus.families == [excerpt.family for excerpt in made]
        assert all(json.loads(origin)["synthetic"] is True for origin in corpus.origins)
        assert all(np.abs(corpus.read(index).astype(int)).max() == 32767 for index in range(len(made)))
    told = json.loads((rendered / "sounds.json").read_text())
    assert "it is not IRMAS" in told["synthetic"]["processor"]
    assert told["synthetic"]["font"] == "TimGM6mb.sf2"


def test_a_test_set_that_is_gone_is_made_again_to_the_same_bytes_in_slices_of_any_size(copy: irmas_fixture.Irmas, call: Call, tmp_path: Path) -> None:
    command = ("run", PAPER, "--set", f"sounds.irmas.path={copy.folder}", "--out", tmp_path / "run", "--until", "preprocess", "--set")
    assert call(*command, "sounds.slice=30").code == 0
    before = contents(tmp_path / "run")
    (tmp_path / "run" / "sounds-test.h5").unlink()
    assert call(*command, "sounds.slice=7").code == 0
    after = contents(tmp_path / "run")
    assert [name for name in before | after if before.get(name) != after.get(name)] == ["study.yaml"]


def test_wrong_soundfonts_are_all_told_before_any_work(call: Call, tmp_path: Path) -> None:
    (tmp_path / "font.sf2").write_text("words")
    changes = [f"sounds.instruments.font={tmp_path / 'font.sf2'}", f"sounds.instruments.second_font={{path: {tmp_path / 'none.sf2'}}}"]
    answer = call("run", TINY, "--out", tmp_path / "run", *(part for change in changes for part in ("--set", change)))
    assert answer.code == 2
    assert answer.lines == [
        f"aesdream: {tmp_path / 'font.sf2'}: is no SoundFont 2 file; name one that is at sounds.instruments.font",
        f"aesdream: {tmp_path / 'none.sf2'}: cannot be read (No such file or directory); name a SoundFont 2 file at "
        "sounds.instruments.second_font.path, or leave the key out",
    ]
    assert not (tmp_path / "run" / "sounds").exists()


def test_a_second_font_is_a_test_set_of_its_own_and_may_be_missing_where_the_study_says_so(tmp_path: Path) -> None:
    second = "sounds.instruments.second_font.path={}"
    assert load(DEMO, [second.format(tmp_path / "none.sf2")]).sounds.sets() == ("test",)
    (tmp_path / "other.sf2").touch()
    assert load(DEMO, [second.format(tmp_path / "other.sf2")]).sounds.sets() == ("test", "second-font")


def test_too_few_recordings_to_split_are_refused_by_the_key(call: Call) -> None:
    answer = call("check", DEMO, "--set", "sounds.instruments.recordings=5")
    assert answer.code == 2
    assert answer.lines == [f"aesdream: {DEMO}: sounds.instruments.recordings: 5 a class are too few to split 0.15 off; give at least 7"]


def test_everything_wrong_with_a_copy_of_irmas_ends_in_exit_code_2_and_no_run(call: Call, tmp_path: Path) -> None:
    copy = irmas_fixture.build(tmp_path / "irmas", seconds=1.0)
    (copy.training / "cel" / "[cel][cla]0001__1.wav").write_bytes(b"")
    for part in irmas_fixture.CLIPS:
        next((copy.folder / part).glob("*.txt")).unlink()
    answer = call("run", PAPER, "--set", f"sounds.irmas.path={copy.folder}", "--out", tmp_path / "run")
    assert answer.code == 2
    told = [line for line in answer.lines if line.startswith(f"aesdream: {copy.folder}")]
    few = [line for line in told if "training.validation" in line]
    assert len(few) == 11  # the copy is as small as can be: a line a class, beside what else is wrong
    assert len(told) == 4 + len(few)
    assert sum("has no labels: " in line for line in told) == 3
    assert "the file is empty; copy or export it again" in answer.err
    assert not (tmp_path / "run" / "sounds.json").exists()


def test_the_units_of_irmas_are_known_before_any_sound_is_opened(copy: irmas_fixture.Irmas) -> None:
    study = load(PAPER, [f"sounds.irmas.path={copy.folder}"])
    graph = Graph.of(study, looks.unseen(study))
    assert graph.corpus.name == "sounds"
    assert {unit.name for unit in graph.slices} == {"sounds/slice-000", "sounds/slice-001", "sounds/test-000"}
