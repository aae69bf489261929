"""``sounds generate --judge``: the next level is made from what a judge keeps, and what came of it is told."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from aesdream.sounds import audio, labelled, likeness
from aesdream.sounds.composers import COMPOSERS
from aesdream.training import judging as hearing
from aesdream.training.checkpoints import load_network
from jobs import executors, rounds, selecting, sounds
from jobs.generation import Judge, Told
from jobs.progress import Progress
from tests import judges
from tests.conftest import Answer, Call
from tests.jobs.test_sounds import contents, phrase
from tests.runs import ROOT

OUTPUTS, KEEP = (12, 12, 12), 4


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return judges.run(tmp_path_factory.mktemp("judges") / "run")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phrase(tmp_path_factory.mktemp("source") / "phrase.wav")


@pytest.fixture(autouse=True)
def _no_workers(call: Call) -> None:
    """``call`` makes worker processes do their work here."""


def looped(out: Path, source: Path, run: Path, *, compare: bool = False, outputs: tuple[int, ...] = OUTPUTS, keep: int = KEEP) -> Path:
    settings = {"run": run, "keep": keep, "compare": compare, "outputs": outputs, "seconds": (0.3, 0.6), "seed": 1}
    assert selecting.loop([source], out, Progress(), **settings) == 0  # type: ignore[arg-type]
    return out


@pytest.fixture(scope="module")
def made(run: Path, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "cores", lambda: 2)
        return looped(tmp_path_factory.mktemp("made") / "out", source, run, compare=True)


def table(out: Path) -> list[dict[str, str]]:
    with (out / "judged.csv").open(newline="") as opened:
        return list(csv.DictReader(opened))


def page_of(out: Path) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', (out / "listen.html").read_text(), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_next_level_is_made_from_what_is_kept_and_the_highest_are(made: Path) -> None:
    rows = {Path(row["path"]).stem: row for row in table(made)}
    assert len(rows) == sum(OUTPUTS)
    for level in (1, 2, 3):
        there = [row for row in rows.values() if row["level"] == str(level)]
        kept = {name for name, row in rows.items() if row["level"] == str(level) and row["kept"] == "yes"}
        assert 1 <= len(kept) <= KEEP
        least = min(float(rows[name]["p(bright)"]) for name in kept)
        passed = [row for row in there if float(row["p(bright)"]) > least and row["kept"] == "no"]
        assert all(row["near_copy_of"] for row in passed)
        if level < 3:
            assert {row["parent"] for row in rows.values() if row["level"] == str(level + 1)} <= kept


def test_the_table_says_what_the_models_and_the_measure_say_themselves(made: Path, run: Path) -> None:
    models = [load_network(path) for path in sorted(run.glob("models/plain/by-family/*/checkpoint.pt"))]
    for row in table(made)[::5]:
        sound, rate = audio.read(made / row["path"])
        said = hearing.hear(models, sound, rate).probabilities[:, 1]
        assert float(row["p(bright)"]) == pytest.approx(said.mean(), abs=1e-4)
        assert float(row["disagreement"]) == pytest.approx(said.std(ddof=1), abs=1e-4)
        prepared = audio.floating(audio.prepare(sound, rate, models[0].preparation))
        assert float(row["measure"]) == pytest.approx(COMPOSERS["bright"].measure(prepared, rate), rel=1e-4)
        assert row["family"] == json.loads((made / row["path"]).with_suffix(".json").read_text())["family"]


def test_the_best_of_all_levels_lie_ranked_in_a_folder_with_their_records(made: Path) -> None:
    ranked = sorted((row for row in table(made) if row["rank"]), key=lambda row: int(row["rank"]))
    assert [row["p(bright)"] for row in ranked] == sorted((row["p(bright)"] for row in ranked), reverse=True)
    names = [f"{place:03d}-{Path(row['path']).stem}" for place, row in enumerate(ranked[:KEEP], 1)]
    assert sorted(path.name for path in (made / "best").iterdir()) == sorted(f"{name}{suffix}" for name in names for suffix in (".json", ".wav"))
    for name, row in zip(names, ranked, strict=False):
        assert not (made / "best" / f"{name}.wav").is_symlink()
        assert (made / "best" / f"{name}.wav").read_bytes() == (made / row["path"]).read_bytes()


def test_the_page_mixes_the_best_with_as_many_others_in_the_judges_words(made: Path) -> None:
    data = page_of(made)
    assert data["classes"] == judges.CLASSES
    sounds: list[Mapping[str, object]] = data["sounds"]  # type: ignore[assignment]
    best = {row["path"] for row in table(made) if row["rank"] and int(row["rank"]) <= KEEP}
    assert {one["path"] for one in sounds if one["kept"]} == best
    assert len(sounds) == 2 * KEEP
    rounds = [sorted(str(one["path"]).split("/")[0] for one in sounds if bool(one["kept"]) is kept) for kept in (True, False)]
    assert rounds[0] == rounds[1]
    (made / "labels.csv").write_text("path,label,family\n" + "".join(f"{one['path']},dull,{one['family']}\n" for one in sounds))
    assert [entry.problem for entry in labelled.entries(made)] == [""] * len(sounds)
    (made / "labels.csv").unlink()


def test_the_page_tells_rounds_with_and_without_the_judge_calibration_and_disagreement(made: Path) -> None:
    text, report = (made / "listen.html").read_text(), json.loads((made / "judged" / "report.json").read_text())
    for part in ("Synthetic labels", "without the judge", "gained", "Brier score", "expected calibration error", "over seeds alone", "near-copy"):
        assert part in text
    rows = table(made)
    for level in ("1", "2", "3"):
        values = [float(row["measure"]) for row in rows if row["level"] == level]
        assert report["rounds"][int(level) - 1]["measure"]["all"]["value"] == pytest.approx(np.mean(values), rel=1e-4)
        assert re.search(rf'<th scope="row">{level}</th><td>{np.mean(values):.3f}', text)
    assert (made / "without-judge" / "level-1" / "1-0003.wav").read_bytes() == (made / "level-1" / "1-0003.wav").read_bytes()


def test_the_terminal_tells_how_well_the_judge_judges_and_warns_where_that_is_not_surely_better_than_guessing(made: Path, tmp_path: Path) -> None:
    report = json.loads((made / "judged" / "report.json").read_text())
    auc = report["calibration"]["roc_auc"]
    assert auc["low"] < 0.5 < auc["high"]
    line, warning = rounds.trust(made).splitlines()
    assert f"{auc['value']:.3f} (95 % interval {auc['low']:.3f} to {auc['high']:.3f}); guessing has .5" in line
    assert warning.startswith("warning: it is not surely better than guessing")
    auc |= {"value": 0.9, "low": 0.8, "high": 0.95}
    (tmp_path / "judged").mkdir()
    (tmp_path / "judged" / "report.json").write_text(json.dumps(report))
    assert rounds.trust(tmp_path).endswith("0.900 (95 % interval 0.800 to 0.950); guessing has .5")
    report["calibration"]["roc_auc"] = {"value": None, "low": None, "high": None}
    (tmp_path / "judged" / "report.json").write_text(json.dumps(report))
    assert "not known (no interval)" in rounds.trust(tmp_path)
    assert "warning" in rounds.trust(tmp_path)


def test_the_same_call_again_or_two_workers_or_a_kill_make_the_same_bytes(
    made: Path, run: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = contents(made)
    (made / "judged" / "level-2.json").write_text("{")
    assert contents(looped(made, source, run, compare=True)) == first
    count, listen = iter(range(100)), selecting.hear

    def dies(*arguments: object) -> object:
        if next(count) == 4:
            raise KeyboardInterrupt
        return listen(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(selecting, "hear", dies)
    with pytest.raises(KeyboardInterrupt):
        looped(tmp_path / "here", source, run, compare=True)
    monkeypatch.setattr(selecting, "hear", listen)
    assert contents(looped(tmp_path / "here", source, run, compare=True)) == first


def test_a_level_more_goes_on_from_there(run: Path, source: Path, made: Path, tmp_path: Path) -> None:
    out = looped(tmp_path / "out", source, run, outputs=OUTPUTS[:2], compare=True)
    before = contents(out)
    assert contents(looped(out, source, run, compare=True)) == contents(made)
    assert {name for name, data in before.items() if contents(out).get(name) != data and not name.startswith("best/")} == {
        "generate.json",
        "judged.csv",
        "judged/report.json",
        "listen.html",
        "sounds.csv",
        "without-judge/generate.json",
        "without-judge/listen.html",
        "without-judge/sounds.csv",
    }


def test_what_is_dropped_after_listening_leaves_page_and_best_when_it_is_generated_again(run: Path, source: Path, tmp_path: Path, call: Call) -> None:
    out = looped(tmp_path / "out", source, run, outputs=(12, 12))
    first = next((out / "best").glob("001-*.wav")).stem.partition("-")[2]
    (tmp_path / "unwanted.txt").write_text(first)
    assert "1 sounds dropped, 23 stay; generate it again to renew" in call("sounds", "drop", out, "--unwanted", tmp_path / "unwanted.txt").out
    looped(out, source, run, outputs=(12, 12))
    assert not any(first in path.name for path in (out / "best").iterdir())
    assert len(list((out / "best").glob("*.wav"))) == KEEP
    assert all((out / str(one["path"])).is_file() for one in page_of(out)["sounds"])  # type: ignore[attr-defined]
    assert [row["path"] for row in table(out) if first in row["path"]] == [f"dropped/level-{first[0]}/{first}.wav"]


def test_what_is_dropped_before_the_judge_hears_is_compared_all_the_same_and_never_kept(
    run: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen, out = selecting.hear, tmp_path / "out"

    def dies(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(selecting, "hear", dies)
    with pytest.raises(KeyboardInterrupt):
        looped(out, source, run, compare=True, outputs=(8, 8), keep=3)
    gone = [f"1-{number:04d}" for number in range(5)]
    sounds.dropped(out, gone)
    monkeypatch.setattr(selecting, "hear", listen)
    looped(out, source, run, compare=True, outputs=(8, 8), keep=3)
    first = {Path(row["path"]).stem: row for row in table(out) if row["level"] == "1"}
    assert len(first) == 8
    assert {name for name, row in first.items() if row["kept"] == "yes"} <= first.keys() - set(gone)
    assert {row["parent"] for row in table(out) if row["level"] == "2"} <= first.keys() - set(gone)


def test_a_damaged_choice_is_made_again_as_it_was_though_sounds_were_dropped_since(run: Path, source: Path, tmp_path: Path) -> None:
    out = looped(tmp_path / "out", source, run, outputs=(8, 8), keep=3)
    kept = [Path(row["path"]).stem for row in table(out) if row["level"] == "1" and row["kept"] == "yes"]
    sounds.dropped(out, kept[:1])
    choice = (out / "judged" / "level-1.json").read_bytes()
    (out / "judged" / "level-1.json").write_text("{")
    looped(out, source, run, outputs=(8, 8), keep=3)
    assert (out / "judged" / "level-1.json").read_bytes() == choice


def test_fewer_levels_asked_for_later_take_no_round_out(run: Path, source: Path, tmp_path: Path) -> None:
    out = looped(tmp_path / "out", source, run, outputs=(8, 8, 8), keep=3, compare=True)
    before = contents(out)
    looped(out, source, run, outputs=(8, 8), keep=3, compare=True)
    assert contents(out) == before


def test_a_last_round_of_which_nothing_is_kept_is_told(run: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "NEAR_DB", 1000)  # whatever comes is a near-copy of the first that is kept
    out = looped(tmp_path / "out", source, run, outputs=(6, 6))
    report = json.loads((out / "judged" / "report.json").read_text())
    assert [row["kept"] for row in report["rounds"]] == [1, 0]
    assert report["alone"] == 1  # the rest are near-copies, and held against no model
    assert report["rounds"][1]["probability"].keys() == {"all"}


def told(probability: float, level: float) -> Told:
    return Told(probabilities=[probability], measure=None, cells=[level] * (likeness.BANDS * likeness.PARTS))


def test_of_near_copies_the_highest_is_kept_alone() -> None:
    heard = {"a": told(0.9, -1), "b": told(0.8, -2), "c": told(0.7, -9), "d": told(0.6, -10), "e": told(0.5, -20), "f": told(0.4, -30)}
    found = selecting.chosen(heard, Judge(models={}, keep=2, near_db=3), {"before": np.full(likeness.BANDS * likeness.PARTS, -21.0)})
    assert [name for name, one in found.items() if one.kept] == ["a", "c"]
    assert {name: one.near for name, one in found.items() if one.near} == {"b": "a"}
    more = selecting.chosen(heard, Judge(models={}, keep=9, near_db=3), {"before": np.full(likeness.BANDS * likeness.PARTS, -21.0)})
    assert {name: one.near for name, one in more.items() if one.near} == {"b": "a", "d": "c", "e": "before"}


def test_a_judge_drops_what_it_refuses_or_all_but_the_best(
    run: Path, source: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert call("sounds", "generate", source, "--outputs", "10", "--seconds", "0.3", "0.6", "--out", out).code == 0
    said = {Path(row["sound"]).stem: float(row["p(bright)"]) for row in csv.DictReader(call("judge", run, out / "level-1").out.splitlines())}
    monkeypatch.setattr(selecting, "THRESHOLD", 1.0)
    assert "says dull to every sound of level 1" in call("sounds", "drop", out, "--judge", run).err
    middle = float(np.mean(sorted(said.values())[4:6]))
    monkeypatch.setattr(selecting, "THRESHOLD", middle)
    assert call("sounds", "drop", out, "--judge", run).code == 0
    assert {path.stem for path in (out / "level-1").glob("*.wav")} == {name for name, value in said.items() if value > middle}
    other = tmp_path / "other"
    call("sounds", "generate", source, "--outputs", "10", "--seconds", "0.3", "0.6", "--out", other)
    answer = call("sounds", "drop", other, "--judge", run, "--keep", "3")
    assert answer.code == 0, answer.err
    stays = {path.stem for path in (other / "level-1").glob("*.wav")}
    assert len(stays) == 3
    assert max(said, key=said.__getitem__) in stays
    assert len(page_of(other)["sounds"]) == 3  # type: ignore[arg-type]


def test_wrong_calls_are_answered_in_a_line_and_nothing_is_written(run: Path, source: Path, tmp_path: Path, call: Call) -> None:
    three = judges.run(tmp_path / "three", classes=["a", "b", "c"], protocols=["by-family"], splits=1, seeds=1)
    bare = judges.run(tmp_path / "bare", protocols=["by-family"], splits=1, seeds=1)
    (bare / "sounds.json").unlink()
    asked = ("sounds", "generate", source, "--outputs", "5", "--seconds", "0.3", "0.6", "--out", tmp_path / "out")
    answers: dict[str, Answer] = {
        "nowhere: not a run folder": call(*asked, "--judge", tmp_path / "nowhere"),
        "checkpoint.pt: not a run folder": call(*asked, "--judge", next(run.rglob("checkpoint.pt"))),
        "has no sounds.json": call(*asked, "--judge", bare),
        "knows the classes a, b, c; choosing takes a judge that tells two apart": call(*asked, "--judge", three),
        "--keep 6: must be from 1 to the sounds of a level (5)": call(*asked, "--judge", run, "--keep", "6"),
        "--keep and --compare need --judge RUN": call(*asked, "--compare"),
        "needs --unwanted FILE or --judge RUN, one of them": call("sounds", "drop", tmp_path),
        "sounds drop: --keep needs --judge RUN": call("sounds", "drop", tmp_path, "--keep", "2"),
        "tests: not a run folder; give the folder that aesdream run made": call(*asked, "--judge", ROOT / "tests"),
        "holds no generated sounds": call("sounds", "drop", tmp_path, "--judge", run),
    }
    for part, answer in answers.items():
        assert (answer.code, len(answer.lines)) == (2, 1), answer.err
        assert part in answer.err
    assert not (tmp_path / "out").exists()


def test_another_judge_is_refused_for_the_same_folder(run: Path, source: Path, made: Path, call: Call) -> None:
    before = contents(made)
    asked = ("sounds", "generate", source, "--levels", "3", "--outputs", "12", "--seconds", "0.3", "0.6", "--seed", "1", "--out", made)
    for changed, part in (((), "judge: was "), (("--judge", run, "--keep", "5"), "judge.keep: was 4, now 5")):
        answer = call(*asked, *changed)
        assert answer.code == 2
        assert part in answer.err
    assert contents(made) == before
