"""The appendix of a run: everything drawn, results.json last."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from aesdream import files
from aesdream.appendix import page_data, pages, parts, pdf, results, schema, style, thumbnails
from aesdream.appendix.binding import singles
from aesdream.appendix.chapters import Chapter, Picture
from aesdream.appendix.material import Material
from aesdream.appendix.words import slug
from aesdream.dreaming.sonify import write_wav
from aesdream.study import Study

OURS = ("data", "dreams", "figures", "page", "starts")
"""Folders of the appendix in which nothing else may lie."""


def build(run: Path, study: Study, header: Mapping[str, Any], failed: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Gather, draw and write RUN/appendix and RUN/results.json; returns the path of the page.

    ``header`` says of the unit itself what every marker says; ``failed`` maps units that could not be made to the reason, which then stands where
    they would. Given the same run it writes the same bytes. Raises DamagedFile for a unit whose bytes are not what was written.
    """
    material = results.material(run, study, failed)
    schema.check(material.content)
    folder = run / "appendix"
    with style.house():
        chapters = parts.chapters(material)
        written = [*_dreams(folder, material), *_starts(folder, material), *_pictures(folder / "figures", chapters)]
        pdf.write(folder / "appendix.pdf", material, chapters)
    written += [folder / "appendix.pdf", *pages.write(folder, material.content, chapters)]
    for left in {path for name in OURS for path in (folder / name).glob("[!.]*") if not path.is_dir()} - {*written}:
        left.unlink()  # of a dream that the study no longer asks for
    companions = {str(path.relative_to(run)): path for path in sorted(written)}
    files.finish(run / "results.json", header, material.content, companions)
    return folder / "index.html"


def _dreams(folder: Path, material: Material) -> Iterator[Path]:
    """Of every dream its thumbnail, its spectrograms and its data; of all dreams a short line each."""
    for dream in material.by_name.values():
        if dream.ready:
            shown = material.views.of(dream)
            made = {".png": thumbnails.thumbnail(shown, material.views.start(dream)), ".js": page_data.detail(material, dream)}
            made["-heat.png"] = thumbnails.spectrogram(shown.heat)
            if shown.change_heat is not None:
                made["-change.png"] = thumbnails.spectrogram(shown.change_heat)
            for suffix, data in made.items():
                path = folder / "dreams" / f"{slug(dream.name)}{suffix}"
                files.write_bytes(path, data)
                yield path
    files.write_bytes(folder / "data/dreams.js", page_data.index(material))
    yield folder / "data/dreams.js"


def _starts(folder: Path, material: Material) -> Iterator[Path]:
    """What dreams start from, as long as they are: exact, to listen to, and its spectrogram; always the source."""
    for (name, samples), (sound, copy) in material.views.shared.items():
        path = folder / "starts" / f"{name}-{samples}.wav"
        write_wav(path, sound, material.corpus.sample_rate)
        files.write_bytes(path.with_suffix(".mp3"), copy)
        yield from (path, path.with_suffix(".mp3"))
    for (name, samples), shown in material.views.starts.items():
        if shown is not None:
            path = folder / "starts" / f"{name}-{samples}.png"
            files.write_bytes(path, thumbnails.spectrogram(shown.heat))
            yield path


def _pictures(folder: Path, chapters: Sequence[Chapter]) -> Iterator[Path]:
    """Every figure as a PDF of its own, and as an SVG where the page shows it; the page shows dreams itself."""
    names, sheets = [], io.BytesIO()
    with PdfPages(sheets, metadata=pdf.FACTS) as printed:
        for picture in (block for chapter in chapters for block in chapter.blocks if isinstance(block, Picture)):
            if picture.draw is None:
                continue
            figure = Figure(figsize=picture.size)
            picture.draw(figure)
            printed.savefig(figure)
            names.append(picture.name)
            if not picture.dream:
                yield style.save_svg(folder / f"{picture.name}.svg", figure)
    for name, page in zip(names, singles(sheets.getvalue()), strict=True) if names else ():
        files.write_bytes(folder / f"{name}.pdf", page)
        yield folder / f"{name}.pdf"
