"""The appendix of a fabricated run in which a model was never made, a dream failed and a filter is dead."""

from __future__ import annotations

import html
import json
import re
import shlex
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from pypdf import PdfReader

from aesdream import files
from aesdream.appendix import glance, glossary, headline, page_data, parts, results, schema, schema_page, tables, words
from aesdream.appendix.build import build
from aesdream.appendix.chapters import Listing, Picture, Text
from aesdream.dreaming.settings import Sweep
from aesdream.errors import DamagedFile
from aesdream.study import file_name
from tests import printed
from tests.fabricated import FAILED, HEADER, MISSING, REASON, TREE, fabricate, rename_starts, squeezed
from tests.runs import ROOT


def both(built: SimpleNamespace, text: str) -> None:
    assert squeezed(text) in built.page, f"not on the page: {text}"
    assert printed.in_pdf(built, text), f"not in the PDF: {text}"


def test_page_and_pdf_print_what_results_json_holds_and_no_other_number(built: SimpleNamespace) -> None:
    printed.check(built)


def test_a_number_that_results_json_lacks_is_noticed_wherever_it_stands(built: SimpleNamespace) -> None:
    for place in ("<body>", "<thead>", "<tbody>", '<p class="note">', "<figcaption>"):
        source = built.source.replace(place, f"{place} 31.4159 ", 1)
        assert printed.strange(SimpleNamespace(**{**vars(built), "source": source})) == {"page": {"31.4159"}}
    leaves = [f"{leaf} 31.4159" for leaf in built.leaves]
    found = printed.strange(SimpleNamespace(**{**vars(built), "leaves": leaves}))
    assert found == {f"PDF, leaf {place}": {"31.4159"} for place in range(len(leaves))}


def handed_over(path: Path) -> dict[str, Any]:
    """What a script of the page's data hands over."""
    found: dict[str, Any] = json.loads(path.read_text().partition("(")[2].rpartition(")")[0])
    return found


def test_the_pdf_holds_every_table_and_text_of_the_page(built: SimpleNamespace) -> None:
    material = results.material(built.run, built.study, {FAILED: REASON})
    for chapter in parts.chapters(material):
        for block in chapter.blocks:
            if isinstance(block, Listing):
                for row in block.rows:
                    assert all(squeezed(cell) in built.pdf for cell in row), row
            elif isinstance(block, Text) and chapter.medium == "both":
                both(built, block.text)
            elif isinstance(block, Picture):
                assert squeezed(block.caption) in built.pdf


def test_every_dream_has_its_caption_in_the_pdf_and_its_numbers_on_the_page(built: SimpleNamespace) -> None:
    dreams = {dream["dream"]: dream for dream in built.content["sweeps"]["appendix"]["dreams"]}
    assert len(dreams) == 2 * (2 + 3)
    for entry in built.content["figures"]:
        dream = dreams[entry["dream"]]
        assert squeezed(f"Figure {entry['figure']}: {words.caption(dream)}") in built.pdf
        if entry["figure"].startswith("6."):
            assert squeezed(f"Figure {entry['figure']}: {words.title(dream['layer'], dream['target'])}") in built.page
    index = handed_over(built.run / "appendix/data/dreams.js")
    rows = {row[0]: dict(zip(index["fields"], row, strict=True)) for row in index["dreams"]}
    assert rows.keys() == dreams.keys()
    for name, dream in dreams.items():
        assert rows[name]["problem"] == dream["problem"]
        if not dream["problem"]:
            risen = f"{words.significant(dream['first'])} → {words.significant(dream['last'])}"
            assert rows[name]["activation"] == risen
            assert squeezed(risen) in built.pdf
            facts = dict(handed_over(built.run / f"appendix/dreams/{words.slug(name)}.js")["facts"])
            assert facts["RMS from start (full scale is 1)"] == words.significant(dream["rms_from_start"])
            assert facts["digest of the dream"] == dream["digest"]


def test_appendix_figures_run_through_layers_and_filters_in_order(built: SimpleNamespace) -> None:
    listed = [entry["dream"].split("/")[4:7] for entry in built.content["figures"] if entry["figure"].startswith("A.")]
    assert listed == [[layer, str(i), "post"] for layer, count in (("conv3", 2), ("conv4", 3)) for i in range(count)]


def test_missing_and_failed_units_are_said_in_place(built: SimpleNamespace) -> None:
    both(built, f"{MISSING} not made yet")
    both(built, f"{FAILED} failed: {REASON}")
    assert squeezed(f"layer 4, filter 1: failed: {REASON}") in built.pdf
    (table,) = [t for t in built.content["tables"] if (t["treatment"], t["protocol"]) == ("plain", "augment-first")]
    assert (table["models"], table["expected"]) == (1, 2)
    both(built, "sum over 1 of 2 models")


def test_a_dead_filter_is_marked_with_its_test_and_shown_as_figure_6_15(built: SimpleNamespace, made_up: SimpleNamespace) -> None:
    (shown,) = [entry["dream"] for entry in built.content["figures"] if entry["figure"] == "6.15"]
    assert shown.split("/")[4:6] == list(made_up.dead)
    assert squeezed(f"dead: {words.STATES['silent_on_start']}") in built.pdf
    assert squeezed(f"dead: {words.STATES_SHORT['silent_on_start']}") in built.page
    assert handed_over(built.run / f"appendix/dreams/{words.slug(shown)}.js")["verdict"] == f"dead: {words.STATES['silent_on_start']}"
    (line,) = [s for s in built.content["sweeps"]["appendix"]["summary"] if (s["layer"], s["side"]) == ("conv4", "post")]
    assert (line["dreams"], line["made"], line["rose"], line["dead"]) == (3, 2, 1, 1)
    assert [each["target"] for each in line["not_rose"]] == ["2"]


def test_where_no_dream_of_a_dead_filter_is_there_nothing_is_said_of_all_filters(
    built: SimpleNamespace, made_up: SimpleNamespace, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(built.run, run)
    layer, target = made_up.dead
    (run / f"dreams/appendix/plain/by-family/split0-seed0/{layer}/{target}/post/source.json").unlink()
    material = results.material(run, built.study)
    assert [entry["dream"] for entry in material.content["figures"] if entry["figure"] == "6.15"] == [None]
    assert any(counted["dead"] for found in material.content["census"].values() for counted in found["layers"].values())
    said = [block.text for chapter in parts.chapters(material) for block in chapter.blocks if isinstance(block, Text)]
    assert "Figure 6.15: no dream of a dead filter, after its ReLU, is there." in said


@pytest.mark.parametrize("start", ["silence", "gone"])
def test_a_dream_whose_start_cannot_be_heard_is_not_in_the_blind_test(tmp_path: Path, start: str) -> None:
    file = tmp_path / "gone.wav"
    soundfile.write(file, np.full(4000, 0.1), 8000)
    given = {"silence": "silence", "gone": str(file)}[start]
    study = fabricate(tmp_path / "run", {**TREE, "sweeps": {"appendix": {**TREE["sweeps"]["appendix"], "starts": [given]}}})
    rename_starts(tmp_path / "run", start)
    assert len(results.material(tmp_path / "run", study).content["blind"]) == (0 if start == "silence" else 4)
    file.unlink()
    found = results.material(tmp_path / "run", study)
    assert found.content["outcome"]["rose"] > 0
    assert found.content["blind"] == []
    assert {dream["start_copy_db"] for dream in found.entries.values()} == {None}


def test_starts_that_were_drawn_come_with_their_dreams_and_not_with_all(tmp_path: Path) -> None:
    run = tmp_path / "run"
    study = fabricate(run, {**TREE, "sweeps": {"appendix": {**TREE["sweeps"]["appendix"], "starts": {"noise": 1}}}})
    rename_starts(run, "noise-0", own=True)
    material = results.material(run, study)
    index = json.loads(page_data.index(material).decode().partition("(")[2].rpartition(")")[0])
    assert index["starts"] == {}
    for dream in material.by_name.values():
        start = json.loads(page_data.detail(material, dream).decode().partition("(")[2].rpartition(")")[0])["start"]
        assert (run / "appendix" / start["mp3"]).resolve() == (run / f"{dream.unit}-start.mp3").resolve()
        assert len(start["wave"]) == 2
        assert material.entries[dream.name]["start_copy_db"] == material.entries[dream.name]["dream_copy_db"]


def test_a_start_is_as_long_as_its_dream_and_measured_as_it_is_heard(built: SimpleNamespace) -> None:
    samples = round(built.content["sounds"]["seconds"] * built.content["sounds"]["sample_rate"])
    there = built.run / f"appendix/starts/source-{samples}"
    heard, rate = soundfile.read(there.with_suffix(".mp3"))
    exact, _ = soundfile.read(there.with_suffix(".wav"))
    assert len(exact) == samples
    assert len(heard) / rate == pytest.approx(samples / 8000, abs=0.15)
    for dream in built.content["sweeps"]["appendix"]["dreams"]:
        if not dream["problem"]:
            assert dream["start_copy_db"] == pytest.approx(10 * np.log10(np.mean(heard**2)), abs=0.01)
            copy, _ = soundfile.read(built.run / f"dreams/{dream['dream']}.mp3")
            assert dream["dream_copy_db"] == pytest.approx(10 * np.log10(np.mean(copy**2)), abs=0.01)


def test_every_number_of_a_dream_s_view_stands_in_results_json(built: SimpleNamespace) -> None:
    for dream in (each for each in built.content["sweeps"]["appendix"]["dreams"] if not each["problem"]):
        told = handed_over(built.run / f"appendix/dreams/{words.slug(dream['dream'])}.js")
        marker = files.read_json(built.run / f"dreams/{dream['dream']}.json")
        added, _ = soundfile.read(built.run / f"dreams/{dream['dream']}.wav")
        start, _ = soundfile.read(built.run / f"appendix/starts/source-{len(added)}.wav")
        assert dream["change_peak"] == pytest.approx(np.abs(added - start).max(), abs=1e-6)
        assert (told["peak"], told["seconds"], told["nyquist"]) == (words.significant(dream["change_peak"]), dream["seconds"], dream["nyquist"])
        curves = dict(zip(dream["curves"], told["curves"], strict=True))
        assert len(curves) == 4
        for name, values in (("activation", marker["activation"]), ("coefficients", marker["coefficients"])):
            assert (dream["curves"][name]["smallest"], dream["curves"][name]["largest"]) == pytest.approx((min(values), max(values)), abs=1e-5)
        for name, shown in curves.items():
            for key in ("first", "last", "smallest", "largest"):
                assert shown[key] == words.significant(dream["curves"][name][key])
        assert curves["coefficients"]["to"] == f"{words.significant(len(marker['coefficients']) * marker['hop_seconds'])} s"
        assert curves["activation"]["to"] == "step 16"


def test_synthetic_labels_and_leaks_are_said_plainly(built: SimpleNamespace) -> None:
    both(built, "SYNTHETIC. Nobody listened")
    both(built, "The brightest sounds are interesting.")
    assert {t["protocol"] for t in built.content["tables"] if t["leaky"]} == {"augment-first"}
    both(built, "LEAKY")


def test_every_table_has_a_number_of_its_own_by_which_it_can_be_cited(built: SimpleNamespace) -> None:
    numbers = [table["number"] for table in built.content["tables"]]
    assert len({*numbers}) == len(numbers)
    assert numbers == ["6.2a, 6.3a", "6.2b, 6.3b", "6.4a, 6.5a", "6.1a", "6.1b", "C.1"]
    for number in numbers:
        both(built, f"{'Tables' if ',' in number else 'Table'} {number}:")


def test_the_same_models_under_another_protocol_share_their_table(built: SimpleNamespace) -> None:
    plain = built.content["tables"][0]
    twin = tables._numbered(built.study, [plain, {**plain, "protocol": "split-first"}, {**plain, "summed": {}}])
    assert [table["number"] for table in twin] == ["6.2a, 6.3a", "6.2a, 6.3a", "6.2b, 6.3b"]


def test_the_glance_says_what_one_filter_lets_dreams_add_and_only_then(built: SimpleNamespace) -> None:
    both(built, glance.BOTTLENECK)
    wide = [
        {**network, "layers": [{**step, "shape": step["shape"].replace("1 ×", "4 ×")} for step in network["layers"]]}
        for network in built.content["network"]
    ]
    assert not any(glance.BOTTLENECK in said for said in glance.done({**built.content, "network": wide}))
    assert not any("one class" in said for said in glance.done(built.content))


def test_a_matrix_summed_over_models_counts_every_validation_item(built: SimpleNamespace) -> None:
    for table in built.content["tables"]:
        sets = [
            files.read_json(path)["sets"]
            for path in sorted((built.run / "models" / table["treatment"] / table["protocol"]).glob("*/evaluation.json"))
        ]
        assert sum(table["summed"].values()) == sum(len(each[table["set"]]["predictions"]["id"]) for each in sets)


def test_the_ceiling_beats_chance_and_the_majority_does_not(built: SimpleNamespace) -> None:
    aucs = {(s["protocol"], s["judge"]): s["mean"]["roc_auc"]["value"] for s in built.content["yardsticks"]}
    assert {judge for _, judge in aucs} == set(words.JUDGES)
    for (_, judge), value in aucs.items():
        assert value == pytest.approx({"majority": 0.5, "ceiling": 1.0}.get(judge, value))


def test_every_link_of_the_page_exists_on_disk_and_none_leaves_it(built: SimpleNamespace) -> None:
    links = [unquote(html.unescape(link)) for link in re.findall(r'(?:href|src)="([^"]+)"', built.source)]
    anchors = set(map(html.unescape, re.findall(r'id="([^"]+)"', built.source)))
    dreams = {dream["dream"] for dream in built.content["sweeps"]["appendix"]["dreams"]}
    assert len(links) > 30
    for link in links:
        assert "://" not in link
        assert link == "data:," or (link[1:] in anchors | dreams if link.startswith("#") else (built.run / "appendix" / link).is_file()), link


def test_the_pdf_has_bookmarks_page_labels_and_lists_that_lead_to_what_they_name(built: SimpleNamespace) -> None:
    reader = PdfReader(built.run / "appendix/appendix.pdf")
    flat = [each for item in reader.outline for each in (item if isinstance(item, list) else [item])]
    texts = [squeezed(page.extract_text()) for page in reader.pages]
    for item in flat:
        assert squeezed(item.title) in texts[reader.get_destination_page_number(item)]
    for entry in built.content["figures"]:
        assert any(item.title.startswith(f"Figure {entry['figure']}: ") for item in flat)
    assert reader.page_labels[0] == "i"
    front = reader.page_labels.index("1")
    assert squeezed("List of figures") in "".join(texts[:front])
    assert sum(len(page.annotations or ()) for page in reader.pages[:front]) == len(flat)


def test_every_figure_is_a_pdf_of_its_own_with_vector_waveforms(built: SimpleNamespace) -> None:
    figures = built.run / "appendix/figures"
    missing = {entry["figure"] for entry in built.content["figures"] if built.run.joinpath(f"dreams/{entry['dream']}.json").exists()}
    assert {path.stem for path in figures.glob("figure-*.pdf")} == {f"figure-{number}" for number in missing}
    assert {path.stem for path in figures.glob("*.svg")} <= {path.stem for path in figures.glob("*.pdf")}
    reader = PdfReader(figures / "figure-A.1.pdf")
    (page,) = reader.pages
    assert page.get_contents().get_data().count(b" l\n") > 1000  # lines of the waveforms' outlines
    assert "frequency (Hz)" in page.extract_text()
    assert len(page.images) == 1
    sizes = [path.stat().st_size for path in figures.glob("figure-*.pdf")]
    assert max(sizes) < 2 * min(sizes)  # each has its own pictures alone


def test_the_form_of_results_is_what_the_documentation_says(built: SimpleNamespace) -> None:
    assert (ROOT / "docs/results.md").read_text() == schema_page.described()
    with pytest.raises(ValueError, match="blind: Field required"):
        schema.check({key: value for key, value in built.content.items() if key not in (*printed.UNIT, "blind")})


def test_results_verifies_every_file_of_the_appendix(built: SimpleNamespace) -> None:
    named = built.content["files"]
    on_disk = {str(path.relative_to(built.run)) for path in (built.run / "appendix").rglob("*") if path.is_file()}
    assert set(named) == on_disk
    for name in named:
        files.verified(built.run / "results.json", name)


def test_drawing_again_gives_the_same_bytes(built: SimpleNamespace) -> None:
    before = (built.run / "results.json").read_bytes()
    stray = built.run / "appendix/dreams/of-a-sweep-long-gone.png"
    stray.write_bytes(b"")
    folder = built.run / "appendix/figures/of-the-user"
    folder.mkdir()
    build(built.run, built.study, HEADER, {FAILED: REASON})
    assert (built.run / "results.json").read_bytes() == before  # it holds the SHA-256 of every other file
    assert not stray.exists()
    assert folder.is_dir()
    folder.rmdir()


def test_conv1_moved_as_far_as_its_checkpoint_says(built: SimpleNamespace) -> None:
    material = results.material(built.run, built.study, {})
    for name, kernel in material.kernels.items():
        moved = material.content["conv1"][name]
        assert np.allclose(kernel.before, 1 / 64)
        assert moved["rms_moved"] == pytest.approx(64 * np.sqrt(np.mean((kernel.after - kernel.before) ** 2)), rel=1e-4)


@pytest.mark.parametrize(
    "name", ["dreams/appendix/plain/by-family/split0-seed0/conv3/0/pre/source.wav", "models/plain/by-family/split0-seed0/checkpoint.pt"]
)
def test_a_damaged_file_is_found_and_named(built: SimpleNamespace, tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(built.run, run)
    with (run / name).open("r+b") as out:
        out.seek(100)
        out.write(b"\xff\x00\xff")
    with pytest.raises(DamagedFile) as caught:
        build(run, built.study, HEADER)
    assert caught.value.path == run / name


def test_a_run_of_which_nothing_but_the_sounds_is_made_says_so(built: SimpleNamespace, tmp_path: Path) -> None:
    for name in ("sounds.json", "sounds.h5"):
        shutil.copy(built.run / name, tmp_path / name)
    content: dict[str, Any] = results.material(tmp_path, built.study).content
    assert all(table["models"] == 0 and table["mean"] is None for table in content["tables"])
    assert len(content["problems"]) == len(built.study.models()) + 10
    assert content["yardsticks"] == []


def test_dreams_of_a_model_that_is_no_longer_there_are_shown_without_its_likeness(built: SimpleNamespace, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(built.run, run)
    shutil.rmtree(run / "models/plain/by-family/split0-seed0")
    material = results.material(run, built.study)
    schema.check(material.content)
    assert "likeness" not in material.content
    assert material.content["outcome"]["made"] == built.content["outcome"]["made"]
    assert len(parts.chapters(material)) > 5


@pytest.mark.parametrize("name", ["it's", "cel [a] & b", "$HOME"])
def test_printed_commands_name_what_they_say_to_a_shell(name: str) -> None:
    entry = {"model": "plain/by-family/split0-seed0", "layer": "class", "target": file_name(name), "side": "pre", "dream": f"s/class/pre/{name}"}
    only = shlex.split(page_data.again(entry))[-1]
    assert fnmatchcase(f"dreams/{entry['dream']}", only)
    sweep = Sweep(models=("*",), layers=("class",), step=0.0012345678)
    command = shlex.split(page_data.elsewhere(entry, sweep)["command"])
    told = dict(zip(command[4::2], command[5::2], strict=True))
    assert (told["--target"], told["--model"], float(told["--step"])) == (f"class:{name}", entry["model"], sweep.step)
    said = page_data.elsewhere(entry, sweep.model_copy(update={"stop_rms": 0.0123456789, "momentum": 0.9}))["command"]
    assert said.endswith(" --stop-rms 0.0123456789 --momentum 0.9")
    assert page_data.elsewhere({**entry, "target": "right"}, sweep).keys() == {"why"}
    for key, value in (("at", (0.001,)), ("regularisers", ("smooth",)), ("stop_confidence", 0.9)):
        assert key in page_data.elsewhere(entry, sweep.model_copy(update={key: value}))["why"]
    assert page_data.elsewhere(entry, sweep.model_copy(update={"domain": "spectrogram"})).keys() == {"why"}


def test_the_headline_opens_the_judges_and_words_close_both(built: SimpleNamespace) -> None:
    for sentence in headline.sentences(built.content["headline"]):
        both(built, sentence)
    for level in built.content["levels"]:
        both(built, f"{words.LEVELS[level['descriptor']]} {words.interval(level['roc_auc'])}")
    both(built, glossary.WORDS["overshot"])


def test_the_first_sentences_say_what_networks_hear_and_what_is_not_kept_apart(built: SimpleNamespace) -> None:
    (made_up, first, *_) = glance.done(built.content)
    both(built, f"{made_up} {first}")
    assert made_up.startswith("Everything here is synthetic.")
    assert "hear raw sound" in first
    assert glance.LEAKY in first
    study = {**built.content["study"], "network": {"jenkins": None, "han": {}}}
    clean = [model for model in built.content["models"] if "augment-first" not in model["model"]]
    (_, first, *_) = glance.done({**built.content, "study": study, "models": clean})
    assert "hear log-mel spectrograms" in first
    assert glance.LEAKY not in first


def test_the_command_line_s_name_of_a_target_is_printed(built: SimpleNamespace) -> None:
    assert "(conv4:2)" in built.pdf
