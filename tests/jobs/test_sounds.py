"""``aesdream sounds``: levels of sounds in a folder, the same bytes however they are made, chains that replay, and every kind of bad input."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.metrics import roc_auc_score

from aesdream.seeding import generator
from aesdream.sounds import audio, labelled
from aesdream.sounds.composers import COMPOSERS
from aesdream.sounds.oracular import TROMBONE, levels
from aesdream.sounds.store import Corpus
from jobs import chains, executors, sounds
from jobs.preprocess import look
from jobs.progress import Progress
from tests.conftest import Call
from tests.runs import TINY, aesdream

RATE = 8000


def phrase(path: Path, rate: int = RATE, channels: int = 2, seconds: float = 1.5, subtype: str | None = None) -> Path:
    """A part of the trombone phrase, written as asked."""
    samples, source_rate = soundfile.read(TROMBONE, frames=48_000 * 4)
    places = np.arange(round(seconds * rate)) * source_rate // rate
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples[places, :channels], rate, subtype=subtype)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phrase(tmp_path_factory.mktemp("source") / "phrase.wav")


def made(out: Path, source: Path, *, outputs: tuple[int, ...] = (6, 6, 6), seed: int = 1, choose: levels.Choose = levels.keep_all) -> Path:
    assert sounds.generate([source], out, Progress(), outputs=outputs, seconds=(0.3, 0.6), seed=seed, choose=choose) == 0
    return out


def contents(out: Path) -> dict[str, bytes]:
    found = (path for path in sorted(out.rglob("*")) if path.is_file() and "jobs" not in path.parts)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


def record(out: Path, name: str) -> dict[str, object]:
    return json.loads(next(out.rglob(f"{name}.json")).read_text())


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    """``call`` makes worker processes do their work here."""


def test_levels_descend_from_each_other_at_the_asked_lengths_and_one_loudness(source: Path, tmp_path: Path, call: Call) -> None:
    out = tmp_path / "out"
    answer = call("sounds", "generate", source, "--levels", "3", "--outputs", "5,4,6", "--seconds", "0.3", "0.6", "--seed", "4", "--out", out)
    assert (answer.code, answer.out.splitlines()) == (0, [f"judge them by ear: {out / 'listen.html'}", str(out)])
    for level, count in ((1, 5), (2, 4), (3, 6)):
        records = [record(out, f"{level}-{number:04d}") for number in range(count)]
        for told in records:
            samples, rate = soundfile.read(out / f"level-{level}" / f"{told['sound']}.wav")
            info = soundfile.info(out / f"level-{level}" / f"{told['sound']}.wav")
            assert (rate, info.channels, info.subtype) == (RATE, 2, "PCM_24")
            assert 0.299 <= len(samples) / rate <= 0.601
            assert 10 * np.log10(np.mean(samples**2)) == pytest.approx(-23, abs=0.05)
            chain = [generation["sound"] for generation in told["lineage"]]
            assert (len(chain), chain[-1], chain[0]) == (level, told["sound"], told["family"])
            assert told["parent"] == (chain[-2] if level > 1 else None)
            if level > 1:
                assert record(out, str(told["parent"]))["lineage"] == told["lineage"][:-1]
    table = (out / "sounds.csv").read_text().splitlines()
    assert table[0] == "path,label,family"
    assert table[1] == "level-1/1-0000.wav,,1-0000"
    assert len(table) == 16


def test_the_same_call_again_changes_nothing_and_a_missing_sound_is_made_again(source: Path, tmp_path: Path) -> None:
    out = made(tmp_path / "out", source)
    first = contents(out)
    assert contents(made(tmp_path / "other", source)) == first
    for name in ("level-1/1-0002", "level-3/3-0000"):
        (out / name).with_suffix(".json").unlink()
    assert contents(made(out, source)) == first
    assert contents(made(tmp_path / "seed", source, seed=2)).keys() == first.keys()
    assert contents(tmp_path / "seed")["level-1/1-0000.wav"] != first["level-1/1-0000.wav"]
    assert [name for name, found in contents(made(tmp_path / "more", source, outputs=(6, 6))).items() if name in first and found != first[name]] == [
        "generate.json",
        "listen.html",
        "sounds.csv",
    ]


def test_this_process_or_two_workers_make_the_same_bytes(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = made(tmp_path / "here", source, outputs=(9,))
    monkeypatch.undo()
    monkeypatch.setattr(executors, "cores", lambda: 2)
    assert contents(made(tmp_path / "there", source, outputs=(9,))) == contents(here)


def test_a_killed_generation_goes_on_to_the_same_bytes(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made(tmp_path / "whole", source)
    grow, count = levels.child, iter(range(100))

    def dies(*arguments: object) -> object:
        if next(count) == 9:
            raise KeyboardInterrupt
        return grow(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(levels, "child", dies)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "killed", source)
    assert 9 <= len(list((tmp_path / "killed").rglob("*.wav"))) < 18
    assert contents(made(tmp_path / "killed", source)) == contents(whole)


def test_dropped_sounds_leave_the_pool_before_the_next_level(source: Path, tmp_path: Path, call: Call) -> None:
    out = made(tmp_path / "out", source, outputs=(6,))
    unwanted = tmp_path / "unwanted.txt"
    unwanted.write_text("# boring\n1-0000\nlevel-1/1-0001.wav\n1-0002.json\n\n1-0003\n1-0004\n")
    answer = call("sounds", "drop", out, "--unwanted", unwanted)
    assert answer.out.strip() == f"{out}: 5 sounds dropped, 1 stay"
    made(out, source, outputs=(6, 6))
    assert {record(out, f"2-{number:04d}")["parent"] for number in range(6)} == {"1-0005"}
    assert sorted(path.stem for path in (out / "level-1").glob("*.wav")) == ["1-0005"]
    assert sorted(path.stem for path in (out / "dropped" / "level-1").glob("*.wav")) == [f"1-{number:04d}" for number in range(5)]
    assert (out / "sounds.csv").read_text().count("1-0000") == 0
    again = call("sounds", "drop", out, "--unwanted", unwanted)
    assert (again.code, again.out.strip()) == (0, f"{out}: 0 sounds dropped, 7 stay")


def test_what_was_said_of_dropped_sounds_is_still_read_by_a_study(source: Path, tmp_path: Path) -> None:
    out = made(tmp_path / "out", source, outputs=(4,))
    rows = [f"level-1/1-{number:04d}.wav,{'yes' if number % 2 else 'no'},1-{number:04d}" for number in range(4)]
    (out / "labels.csv").write_text("\n".join(["path,label,family", *rows, ""]))
    sounds.dropped(out, ["1-0001", "1-0002"])
    entries = labelled.entries(out)
    assert {entry.path.relative_to(out).as_posix(): entry.label for entry in entries} == {
        "level-1/1-0000.wav": "no",
        "dropped/level-1/1-0001.wav": "yes",
        "dropped/level-1/1-0002.wav": "no",
        "level-1/1-0003.wav": "yes",
    }
    assert not any(one.problem for one in look(entries, 0.1))
    (out / "labels.csv").write_text("mine")
    sounds.dropped(out, ["1-0003"])
    assert (out / "labels.csv").read_text() == "mine"


def test_a_drop_that_was_stopped_between_its_two_moves_goes_on(source: Path, tmp_path: Path) -> None:
    out = made(tmp_path / "out", source, outputs=(3,))
    target = out / "dropped" / "level-1" / "1-0001.wav"
    target.parent.mkdir(parents=True)
    (out / "level-1" / "1-0001.wav").rename(target)
    assert sounds.dropped(out, ["1-0001"]).endswith("1 sounds dropped, 2 stay")
    assert target.is_file()
    assert target.with_suffix(".json").is_file()


def test_labels_filled_into_the_list_of_sounds_stay(source: Path, tmp_path: Path) -> None:
    out = made(tmp_path / "out", source, outputs=(3,))
    table = out / "sounds.csv"
    table.write_text(table.read_text().replace("1-0001.wav,,", "1-0001.wav,yes,").replace("1-0002.wav,,", "1-0002.wav,no,"))
    sounds.dropped(out, ["1-0002"])
    made(out, source, outputs=(3, 1))
    assert [line.split(",")[1] for line in table.read_text().splitlines()] == ["label", "", "yes", ""]


def test_a_dropped_parent_still_serves_the_children_that_were_planned(source: Path, tmp_path: Path, call: Call) -> None:
    out = made(tmp_path / "out", source)
    first = contents(out)
    parent = str(record(out, "3-0000")["parent"])
    (tmp_path / "unwanted.txt").write_text(parent)
    assert call("sounds", "drop", out, "--unwanted", tmp_path / "unwanted.txt").code == 0
    (out / "level-3" / "3-0000.json").unlink()
    made(out, source)
    assert contents(out)["level-3/3-0000.wav"] == first["level-3/3-0000.wav"]
    assert not (out / "level-2" / f"{parent}.wav").exists()


def test_a_judge_may_choose_the_pool_of_every_level(source: Path, tmp_path: Path) -> None:
    asked = []

    def last_two(level: int, there: object) -> list[Path]:
        paths = list(there)  # type: ignore[call-overload]
        asked.append((level, len(paths)))
        return paths[-2:]

    out = made(tmp_path / "out", source, choose=last_two)
    assert asked == [(1, 6), (2, 6)]
    for level in (2, 3):
        assert {record(out, f"{level}-{number:04d}")["parent"] for number in range(6)} <= {f"{level - 1}-0004", f"{level - 1}-0005"}
    with pytest.raises(sounds.UserError, match="no sound of level 1 is left in the pool"):
        made(tmp_path / "none", source, choose=lambda level, there: [])


def test_a_mimic_on_its_own_source_gives_identical_samples(source: Path, tmp_path: Path, call: Call) -> None:
    out = made(tmp_path / "out", source, outputs=(34, 33, 33))
    for path in sorted(out.glob("level-*/*.wav")):
        copy = tmp_path / "copies" / f"{path.stem}.wav"
        list(chains.mimic(path, source, copy))
        assert copy.read_bytes() == path.read_bytes()
    one = tmp_path / "one.wav"
    answer = call("sounds", "mimic", out / "level-3" / "3-0000.json", "--on", source, "--out", one)
    assert "the 3-level chain of 3-0000 on phrase.wav" in answer.out
    assert json.loads(one.with_suffix(".json").read_text())["mimics"] == "3-0000"
    assert call("sounds", "chain", one).out.splitlines()[-1] == "the chain is that of 3-0000"
    twice = tmp_path / "twice.wav"
    assert call("sounds", "mimic", one, "--on", source, "--out", twice).code == 0
    assert twice.read_bytes() == one.read_bytes()


FOREIGN = {
    "mono.wav": (RATE, 1, "PCM_16"),
    "deep.flac": (44_100, 2, "PCM_24"),
    "slow.wav": (8000, 1, "ULAW"),
    "fast.flac": (96_000, 2, "PCM_24"),
    "lossy.ogg": (22_050, 2, "VORBIS"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_sources_of_any_kind_keep_their_rate_and_channels(name: str, source: Path, tmp_path: Path, call: Call) -> None:
    rate, channels, subtype = FOREIGN[name]
    other = phrase(tmp_path / name, rate, channels, subtype=subtype)
    out = made(tmp_path / "out", other, outputs=(3, 3))
    for path in out.glob("level-*/*.wav"):
        assert (soundfile.info(path).samplerate, soundfile.info(path).channels) == (rate, channels)
    here = made(tmp_path / "here", source, outputs=(2, 2))
    answer = call("sounds", "mimic", here / "level-2" / "2-0001.wav", "--on", other, "--out", tmp_path / "mimic.wav")
    assert answer.code == 0, answer.err
    assert soundfile.info(tmp_path / "mimic.wav").samplerate == rate


def test_several_sources_and_folders_are_all_drawn_from(source: Path, tmp_path: Path) -> None:
    phrase(tmp_path / "more" / "a.wav")
    phrase(tmp_path / "more" / "deep" / "b.flac", 16_000, 1)
    assert sounds.generate([source, tmp_path / "more"], tmp_path / "out", Progress(), outputs=(24,), seconds=(0.2, 0.2), seed=1) == 0
    assert {record(tmp_path / "out", f"1-{number:04d}")["source"]["name"] for number in range(24)} == {"phrase.wav", "a.wav", "b.flac"}  # type: ignore[index]


def test_of_a_source_folder_what_was_made_in_it_is_no_source(source: Path, tmp_path: Path) -> None:
    takes = tmp_path / "takes"
    phrase(takes / "a.wav")
    (takes / "._a.wav").write_text("what another system leaves")
    out = takes / "made"
    for outputs in ((3,), (3, 2)):
        assert sounds.generate([takes], out, Progress(), outputs=outputs, seconds=(0.2, 0.2), seed=1) == 0
        sounds.dropped(out, ["1-0000"])
    assert [path.name for path in sounds.source_paths([takes], out)] == ["a.wav"]
    assert [path.stem for path in sounds.source_paths([out], tmp_path / "other")] == ["1-0001", "1-0002", "2-0000", "2-0001"]
    assert [path.stem for path in sounds.source_paths([out / "dropped"])] == ["1-0000"]


def test_a_chain_is_shown_from_the_source_on(source: Path, tmp_path: Path, call: Call) -> None:
    out = made(tmp_path / "out", source)
    lines = call("sounds", "chain", out / "level-3" / "3-0001.wav").out.splitlines()
    assert lines[0] == "phrase.wav (8000 Hz, 2 channels)"
    assert [line for line in lines if line.startswith("level")][-1] == "level 3: 3-0001"
    assert sum(line.split()[0] == "mix" for line in lines) == 3


def bad_sources(folder: Path) -> dict[str, Path]:
    folder.mkdir()
    found = {name: folder / name for name in ("silent.wav", "short.wav", "text.wav", "empty.wav", "six.wav", "nan.wav", "fast.wav")}
    soundfile.write(found["silent.wav"], np.zeros((RATE, 2)), RATE)
    soundfile.write(found["short.wav"], generator(1, "test").uniform(-1, 1, (100, 2)), RATE)
    found["text.wav"].write_text("no sound")
    found["empty.wav"].touch()
    soundfile.write(found["six.wav"], np.ones((RATE, 6)) / 2, RATE)
    soundfile.write(found["nan.wav"], np.full((RATE, 1), np.nan), RATE, subtype="FLOAT")
    soundfile.write(found["fast.wav"], np.ones((200_000, 1)) / 2, 192_000)
    return found


def test_sources_that_cannot_serve_are_all_named_and_nothing_is_written(tmp_path: Path, call: Call) -> None:
    found = bad_sources(tmp_path / "bad")
    answer = call("sounds", "generate", *found.values(), tmp_path / "nowhere.wav", "--out", tmp_path / "out")
    parts = ["silent: nothing can be heard", "too short to make anything of; give at least 0.02 s", "cannot be decoded as audio", "the file is empty"]
    parts += ["6 channels; mix them down", "holds NaN", "its sample rate is 192000 Hz; resample it", "no such file"]
    assert answer.code == 2
    assert len(answer.lines) == len(parts)
    for line, part in zip(answer.lines, parts, strict=True):
        assert part in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--outputs", "0"], "--outputs 0: must be a number of 1 or more"),
        (["--outputs", "3,x"], "--outputs 3,x: must be a number"),
        (["--outputs", "1,2,3", "--levels", "2"], "3 numbers for 2 levels"),
        (["--levels", "0"], "--levels"),
        (["--seconds", "3", "2"], "--seconds 3 2: must be a shortest and a longest length from 0.05 to 600 s"),
        (["--seconds", "nan", "2"], "--seconds nan 2: must be"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(options: list[str], part: str, source: Path, tmp_path: Path, call: Call) -> None:
    answer = call("sounds", "generate", source, "--out", tmp_path / "out", *options)
    assert answer.code == 2
    assert part in answer.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left_alone(source: Path, tmp_path: Path, call: Call) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    answer = call("sounds", "generate", source, "--out", tmp_path / "mine")
    assert (answer.code, len(answer.lines)) == (2, 1)
    assert "exists already and holds no generated sounds; give another --out, nothing is overwritten" in answer.err
    out = made(tmp_path / "out", source, outputs=(2,))
    before = contents(out)
    options = ("--seconds", "0.3", "0.6", "--outputs", "2", "--out", out)
    answers = [
        call("sounds", "generate", source, *options, "--seed", "2"),
        call("sounds", "generate", phrase(tmp_path / "other.wav", channels=1), *options, "--seed", "1"),
        call("sounds", "generate", source, "--outputs", "3", "--seconds", "0.3", "0.6", "--seed", "1", "--out", out),
    ]
    parts = ["seed: was 1, now 2: its sounds were made otherwise", "sources: was", "level 1 has 2 sounds, --outputs asks for 3"]
    for answer, part in zip(answers, parts, strict=True):
        assert answer.code == 2
        assert part in answer.err
    (out / "generate.json").write_text("{")
    (tmp_path / "unwanted.txt").write_text("1-0000")
    for command in (("generate", source, *options, "--seed", "1"), ("drop", out, "--unwanted", tmp_path / "unwanted.txt")):
        answer = call("sounds", *command)
        assert (answer.code, len(answer.lines)) == (2, 1)
        assert "damaged (not JSON" in answer.err
        assert "its sounds are whole" in answer.err
    assert {name: found for name, found in contents(out).items() if name != "generate.json"} == {
        name: found for name, found in before.items() if name != "generate.json"
    }


def test_a_source_with_hardly_any_sound_ends_in_a_clear_line(tmp_path: Path, call: Call) -> None:
    sound = np.zeros((60 * RATE, 1))
    sound[:40] = 0.5
    soundfile.write(tmp_path / "hush.wav", sound, RATE)
    answer = call("sounds", "generate", tmp_path / "hush.wav", "--seconds", "0.1", "0.1", "--outputs", "40", "--out", tmp_path / "out")
    assert answer.code == 2
    assert "20 random chains in a row left silence; give a source that holds more sound than silence" in answer.err


def test_a_damaged_parent_is_named(source: Path, tmp_path: Path, call: Call) -> None:
    out = made(tmp_path / "out", source)
    parent = str(record(out, "2-0000")["parent"])
    (out / "level-2" / "2-0000.json").unlink()
    os.truncate(out / "level-1" / f"{parent}.wav", 1000)
    answer = call("sounds", "generate", source, "--levels", "3", "--outputs", "6", "--seconds", "0.3", "0.6", "--seed", "1", "--out", out)
    assert answer.code == 2
    assert f"{parent}.wav: damaged" in answer.err


def test_records_that_cannot_be_replayed_are_refused(source: Path, tmp_path: Path, call: Call) -> None:
    out = made(tmp_path / "out", source, outputs=(1,))
    sound, beside = out / "level-1" / "1-0000.wav", out / "level-1" / "1-0000.json"
    good = json.loads(beside.read_text())
    steps = good["lineage"][0]["steps"]

    def answered(change: dict[str, object] | str) -> str:
        beside.write_text(change if isinstance(change, str) else json.dumps(good | change))
        answer = call("sounds", "mimic", sound, "--on", source, "--out", tmp_path / "mimic.wav")
        assert answer.code == 2
        assert call("sounds", "chain", sound).code == 2
        assert not (tmp_path / "mimic.wav").exists()
        return answer.err

    def lineage(step: dict[str, object]) -> dict[str, object]:
        return {"lineage": [{"sound": "1-0000", "steps": [steps[0], step, steps[-1]]}]}

    assert "1-0000: step 1: process: 'mushroom' is unknown; valid: excerpt, mix, comb" in answered(lineage({"process": "mushroom"}))
    assert "step 1: comb: decay is 3; must be a number from 0.5 to 0.98" in answered(lineage({"process": "comb", "delay": 0.1, "decay": 3}))
    assert "lineage: must hold at least one sound" in answered({"lineage": []})
    assert "level: missing" in answered(json.dumps({key: value for key, value in good.items() if key != "level"}))
    assert "not JSON" in answered("{")
    assert "must hold keys and values" in answered("[]")
    assert "format" in answered({"format": "mushmimic"})


def test_a_mimic_never_overwrites_and_wants_a_chain_and_a_sound(source: Path, tmp_path: Path, call: Call) -> None:
    out = made(tmp_path / "out", source, outputs=(1,))
    sound = out / "level-1" / "1-0000.wav"
    before = contents(out)
    silent = bad_sources(tmp_path / "bad")["silent.wav"]
    answers = {
        "is a folder; give one sound in it": (out, source, "x.wav"),
        "has no chain (phrase.json does not lie beside it); give a sound that aesdream sounds generate or mimic made": (source, source, "x.wav"),
        "no such sound": (tmp_path / "nothing.wav", source, "x.wav"),
        "1-0000.wav: exists already; give another name": (sound, source, sound),
        "must end in .wav": (sound, source, "x.flac"),
        "silent: nothing can be heard in it": (sound, silent, "x.wav"),
    }
    for part, (given, other, to) in answers.items():
        answer = call("sounds", "mimic", given, "--on", other, "--out", tmp_path / to)
        assert (answer.code, len(answer.lines)) == (2, 1)
        assert part in answer.err
    assert contents(out) == before
    assert not (tmp_path / "x.wav").exists()


def test_what_cannot_be_dropped_is_named_and_nothing_moves(source: Path, tmp_path: Path, call: Call) -> None:
    out = made(tmp_path / "out", source, outputs=(2,))
    before = contents(out)
    (tmp_path / "unwanted.txt").write_text("1-0000\n1-0009\nnonsense.wav\n")
    answer = call("sounds", "drop", out, "--unwanted", tmp_path / "unwanted.txt")
    assert (answer.code, len(answer.lines)) == (2, 2)
    assert "1-0009: no such sound" in answer.err
    assert "nonsense.wav: no such sound" in answer.err
    assert "cannot be read" in call("sounds", "drop", out, "--unwanted", tmp_path / "nowhere.txt").err
    assert "holds no generated sounds (no generate.json)" in call("sounds", "drop", tmp_path, "--unwanted", tmp_path / "unwanted.txt").err
    assert contents(out) == before


def test_help_has_an_example_and_starts_without_torch() -> None:
    for name in ("generate", "chain", "measure", "mimic", "drop"):
        answer = aesdream("sounds", name, "--help")
        assert answer.returncode == 0
        assert "Example: aesdream sounds" in answer.stdout


def test_a_study_picks_its_composer_and_its_corpus_tells_rule_exchange_and_ceiling(tmp_path: Path, call: Call) -> None:
    changes = [f"sounds.oracular.{change}" for change in ("composer=rough", "count=24", "share=0.4", "exchanged=0.2")]
    answer = call("run", TINY, "--out", tmp_path / "run", "--until", "preprocess", *(part for change in changes for part in ("--set", change)))
    assert answer.code == 0, answer.err
    told = json.loads((tmp_path / "run" / "sounds.json").read_text())["synthetic"]
    corpus = Corpus(tmp_path / "run" / "sounds.h5")
    sounds_heard = [audio.floating(corpus.read(index)) for index in range(24)]
    scores = [COMPOSERS["rough"].measure(heard, corpus.sample_rate) for heard in sounds_heard]
    np.testing.assert_allclose(corpus.scores, scores)
    assert told["composer"] == "rough"
    assert "roughest" in told["rule"]
    assert (told["exchanged"], len(told["exchanged_sounds"])) == (2, 4)
    positive = set(np.array(corpus.ids)[np.argsort(scores)[-10:]])
    labelled = {name for name, label in zip(corpus.ids, corpus.label, strict=True) if label}
    assert positive ^ labelled == set(told["exchanged_sounds"])
    assert told["ceiling"]["roc_auc"] == pytest.approx(roc_auc_score(corpus.label, scores), abs=1e-6)
    assert "composer: 'loud' is unknown; valid: bright, pulsing" in call("check", TINY, "--set", "sounds.oracular.composer=loud").err
