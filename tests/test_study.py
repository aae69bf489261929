"""A study: what it holds, and everything that can be wrong with it before any data is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from aesdream.dreaming.settings import filters_of
from aesdream.errors import UserError
from aesdream.sounds.splits import Treatment, window_samples
from aesdream.study import Study, load
from tests import corpora
from tests.runs import ROOT, TINY

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
SWEEP = "sweeps.s={models: ['plain/*'], layers: [conv4, class]}"


def own(folder: Path, *changes: str) -> Study:
    return load(corpora.study(folder, changes))


def refused(folder: Path, *changes: str) -> str:
    """The one line about a study that is wrong in one way."""
    with pytest.raises(UserError) as error:
        own(folder, *changes)
    (line,) = error.value.lines
    assert line.startswith(f"{folder / 'study.yaml'}: ")
    return line.removeprefix(f"{folder / 'study.yaml'}: ")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_study_that_is_shipped_is_sound(path: Path) -> None:
    study = load(path)
    names = [model.name for model in study.models()]
    assert len(names) == len(set(names)) > 0
    assert all(study.swept(sweep) for sweep in study.sweeps.values())


def test_paths_are_taken_from_the_file_that_names_them_and_those_of_set_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, above, here = (tmp_path / name for name in ("below", "above", "here"))
    for folder in (below, above, here):
        folder.mkdir()
    corpora.study(below, ["sounds.folder.path=mine", SWEEP, "sweeps.s.starts=[noise, one.wav]"])
    (above / "study.yaml").write_text("base: ../below/study.yaml\nsounds: {start: two.wav}\n")
    for folder, name in ((below, "one.wav"), (above, "two.wav"), (here, "three.wav")):
        soundfile.write(folder / name, corpora.noise(1), corpora.RATE)
    monkeypatch.chdir(here)
    study = load(above / "study.yaml")
    assert study.sounds.folder is not None
    assert (study.sounds.folder.path, study.sounds.start) == (str(below / "mine"), str(above / "two.wav"))
    assert study.sweeps["s"].starts == ("noise", str(below / "one.wav"))
    study = load(above / "study.yaml", ["sounds.folder.path=mine", "sounds.start=trombone", "sweeps.s.starts=three.wav"])
    assert study.sounds.folder is not None
    assert (study.sounds.folder.path, study.sounds.start) == (str(here / "mine"), "trombone")
    assert study.sweeps["s"].starts == (str(here / "three.wav"),)


def test_paths_are_taken_from_where_the_study_lies_and_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "phrase.wav", corpora.noise(1), corpora.RATE)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    study = own(tmp_path, "sounds.start=phrase.wav", SWEEP, "sweeps.s.starts=[noise, phrase.wav]", "sounds.folder.path=~/mine")
    assert study.sounds.folder is not None
    assert study.sounds.folder.path == str(tmp_path / "home" / "mine")
    assert study.sounds.start == str(tmp_path / "phrase.wav")
    assert study.sweeps["s"].starts == ("noise", str(tmp_path / "phrase.wav"))


def test_a_control_has_the_protocols_and_seeds_of_its_own(tmp_path: Path) -> None:
    treatments = "training.treatments={plain: {}, shuffled: {labels: shuffled, protocols: [by-family], seeds: 3}, untrained: {epochs: 0, seeds: 1}}"
    study = own(tmp_path, treatments, "training.protocols=[split-first, by-family]", "training.splits=2", "training.seeds=2")
    names = [model.name for model in study.models()]
    assert len(names) == 2 * 2 * 2 + 2 * 3 + 2 * 2
    assert "shuffled/by-family/split1-seed2" in names
    assert not any(name.startswith("shuffled/split-first") or name.endswith("untrained/split-first/split0-seed1") for name in names)
    assert [t.is_control for t in study.training.treatments.values()] == [False, True, True]


def test_targets_all_are_every_filter_or_class_and_stand_beside_others(tmp_path: Path) -> None:
    study = own(tmp_path, SWEEP, "sweeps.s.targets=[all, 0+1, 1, 0+1]")
    sweep, model = study.sweeps["s"], study.models()[0]
    assert study.targets(sweep, model, "conv4", ("dull", "bright")) == ["0", "1", "0+1"]
    assert study.targets(sweep, model, "class", ("dull", "bright")) == ["dull", "bright", "0+1", "1"]


def test_a_target_names_filters_by_number_sum_or_class() -> None:
    classes = ("dull", "bright")
    assert filters_of("17", "conv4", 32, classes) == (17,)
    assert filters_of("3+5", "conv4", 32, classes) == (3, 5)
    assert filters_of("bright", "class", 2, classes) == (1,)
    assert filters_of("dull+bright", "class", 2, classes) == (0, 1)
    for wrong in ("32", "-1", "x", "", "3+", "bright", "²"):
        with pytest.raises(UserError, match=r"conv4 has 32 filters; valid: 0 to 31, several joined by \+"):
            filters_of(wrong, "conv4", 32, classes)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("network.jenkins.kernel=5000", "network.jenkins.kernel: 5000 samples is longer than the sound (4000 samples); choose a shorter kernel"),
        ("network.jenkins={kernel: 3000, stride: 500}", "network.jenkins.stride: 500 leaves 3 frames of 4000 samples, too few for 3 pools of 3"),
        ("network.jenkins.stride=300", "network.jenkins: stride must not exceed kernel, or samples are never heard"),
        ("training.treatments.long={window: 0.7}", "training.treatments.long: window: 0.7 s is longer than the sound (0.5 s); choose a shorter one"),
        (
            "training.treatments.brief={window: 0.03, overlap: 0.02}",
            "training.treatments.brief: network.jenkins.kernel: 256 samples is longer than the sound (240 samples)",
        ),
        ("training.treatments.still={window: 0.4, overlap: 0.39999}", "overlap: 0.39999 s leaves no sample between one window and the next"),
        ("training.treatments.over={overlap: 0.1}", "overlap must be shorter than window (both in seconds)"),
        ("training.treatments.many={oversampling: 6}", "oversampling: input should be less than or equal to 5, is 6"),
        ("training.protocols=[by-chance]", "training.protocols.0: input should be 'augment-first', 'split-first' or 'by-family', is 'by-chance'"),
        ("training.validation=1", "training.validation: input should be less than 1, is 1"),
        ("training.learning_rate=.inf", "training.learning_rate: input should be a finite number"),
        ("sounds.seconds=.inf", "sounds.seconds: input should be a finite number"),
        ("sounds.seconds=0", "sounds.seconds: input should be greater than 0, is 0"),
        ("sounds.levels=loud", "sounds.levels: input should be 'full_scale', 'peak' or 'rms', is 'loud'"),
        ("sounds.folder=null", "sounds: needs exactly one of oracular (made here), folder (your own sounds), "),
        ("sounds.oracular={count: 40}", "sounds: needs exactly one of oracular (made here), folder (your own sounds), "),
        ("sounds.folder.classes=[dull, dull]", "sounds.folder.classes: must name at least two classes, each once, is dull, dull"),
        ("sounds.folder.classes=[dull]", "sounds.folder.classes: must name at least two classes, each once, is dull"),
        ("training.protocols=by-family", "training.protocols: must be a list, for instance [a, b], is 'by-family'"),
        ("study=two words", "study: string should match pattern"),
        ("network=null", "network: must hold keys and values, is None"),
        ("network.other=1", "network.other: unknown key; valid here: han, jenkins"),
    ],
)
def test_a_contradiction_is_one_line_with_its_key_and_a_remedy(tmp_path: Path, change: str, says: str) -> None:
    assert says in refused(tmp_path, change)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            ["sweeps.s.models=plain/split-first/*"],
            "sweeps.s.models: 'plain/split-first/*' names no model; the first of 1: plain/by-family/split0-seed0",
        ),
        (["sweeps.s.layers=[conv5]"], "sweeps.s.layers: 'conv5' is unknown; valid: conv1, conv2, conv3, conv4, class"),
        (["sweeps.s={models: '*', layers: conv4, targets: [0, 2]}"], "sweeps.s.targets: target conv4:2: conv4 has 2 filters; valid: 0 to 1"),
        (["sounds.folder.classes=[dull, bright]", "sweeps.s={models: '*', layers: class, targets: loud}"], "target class:loud: class has 2 filters"),
        (["sweeps.s.targets=[true]"], "sweeps.s.targets: true is no name; write a name in quotes"),
        (["sweeps.s.starts=gone.wav"], "gone.wav: no such file; give source, silence, noise or sound files"),
        (["sweeps.s.rule=loud"], "sweeps.s: rule 'loud' is unknown; valid: "),
        (["sweeps.s.sides=[before]"], "sweeps.s.sides.0: input should be 'post', 'pre' or 'margin', is 'before'"),
        (["sweeps.s.step=0"], "sweeps.s.step: input should be greater than 0, is 0"),
    ],
)
def test_a_sweep_that_names_what_is_not_there_is_refused(tmp_path: Path, changes: list[str], says: str) -> None:
    assert says in refused(tmp_path, SWEEP, *changes)


def test_starts_whose_dreams_would_have_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for path in (tmp_path / "noise.wav", tmp_path / "other" / "a.wav", tmp_path / "a.flac"):
        soundfile.write(path, corpora.noise(1), corpora.RATE)
    assert "other/a.wav are called 'a'" in refused(tmp_path, SWEEP, "sweeps.s.starts=[a.flac, other/a.wav]")
    assert "noise.wav and noise are called 'noise'" in refused(tmp_path, SWEEP, "sweeps.s.starts=[noise.wav]")
    another = "sweeps.t={models: ['plain/*'], layers: [conv4], starts: [other/a.wav]}"
    assert "other/a.wav are called 'a'" in refused(tmp_path, SWEEP, "sweeps.s.starts=[a.flac]", another)
    assert own(tmp_path, SWEEP, another, "sweeps.s.starts=[other/a.wav, noise]").sweeps.keys() == {"s", "t"}


def test_every_contradiction_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        own(tmp_path, SWEEP, "sweeps.s.models=[nobody, no one]", "sweeps.s.layers=[conv9]", "network.jenkins.kernel=5000")
    assert len(error.value.lines) == 4


def test_bare_yes_and_no_are_asked_for_in_quotes(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        own(tmp_path, "sounds.folder.classes=[no, yes]")
    assert len(error.value.lines) == 2
    assert all("write a name in quotes" in line for line in error.value.lines)


def test_made_sounds_too_one_sided_to_split_are_refused() -> None:
    with pytest.raises(UserError, match=r"sounds\.oracular: share 0\.1 of 20 sounds leaves 2 of one class; at least 4 are needed to split it"):
        load(TINY, ["sounds.oracular.count=20", "sounds.oracular.share=0.1"])


def test_a_window_has_its_seconds_in_samples_and_no_window_is_the_whole_sound() -> None:
    assert window_samples(Treatment(window=5, overlap=4), 480_000, 48_000) == 240_000
    assert window_samples(Treatment(), 480_000, 48_000) == 480_000
