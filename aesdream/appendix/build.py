"""The appendix of a run: everything drawn, results.json last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from aesdream import files
from aesdream.appendix import figures, pages, pdf, results, style
from aesdream.appendix.analysis import View, view
from aesdream.appendix.reading import Dream
from aesdream.appendix.results import Material
from aesdream.appendix.thumbnails import thumbnail
from aesdream.dreaming.sonify import listening_copy, write_wav
from aesdream.sounds import audio
from aesdream.study import Study


def build(run: Path, study: Study, header: Mapping[str, Any], failed: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Gather, draw and write RUN/appendix and RUN/results.json; returns the path of the page.

    ``header`` says of the unit itself what every marker says; ``failed`` maps units that could not be made to the reason, which then stands where
    they would. Given the same run it writes the same bytes. Raises DamagedFile for a unit whose bytes are not what was written.
    """
    material = results.material(run, study, failed)
    folder = run / "appendix"
    with style.house():
        written = _draw(folder, material)
    companions = {str(path.relative_to(run)): path for path in sorted(written)}
    files.finish(run / "results.json", header, material.content, companions)
    return folder / "index.html"


def _draw(folder: Path, material: Material) -> list[Path]:
    sounds = _Sounds(material)
    pictures = folder / "figures"
    written, views, starts = _source(folder, material), {}, {}
    for members in material.dreams.values():
        for dream in (dream for dream in members if dream.ready):
            shown, start = sounds.of(dream)
            path = pictures / f"{pages.slug(dream.name)}.png"
            files.write_bytes(path, thumbnail(shown, start))
            written.append(path)
            views[dream.name] = shown
            if start is not None:
                starts[dream.name] = start
    gallery = pdf.Gallery(material, views, starts)
    written += _pictures(pictures, material, gallery, sounds.source)
    for picture in {*pictures.glob("[!.]*")} - {*written}:
        picture.unlink()  # of a dream that the study no longer asks for
    pdf.write(folder / "appendix.pdf", material, gallery, sounds.source)
    pages.write(folder / "index.html", material.content)
    return [*written, folder / "appendix.pdf", folder / "index.html"]


class _Sounds:
    """Views of dreams, and of the source cut to their length."""

    def __init__(self, material: Material) -> None:
        self._samples, self._rate = audio.floating(material.corpus.start), material.corpus.sample_rate
        self.source = view(self._samples, self._rate)
        self._cut: dict[int, View] = {self._samples.shape[1]: self.source}

    def of(self, dream: Dream) -> tuple[View, View | None]:
        """A dream's view and its start's, where that is the source."""
        sound, rate = dream.sound()
        length = sound.shape[1]
        if dream.start != "source":
            return view(sound, rate), None
        start = np.ascontiguousarray(self._samples[:, :length])
        if length not in self._cut:
            self._cut[length] = view(start, self._rate)
        return view(sound, rate, start), self._cut[length]


def _source(folder: Path, material: Material) -> list[Path]:
    """The start of the dreams, exact and to listen to."""
    corpus = material.corpus
    sound = audio.floating(corpus.start)
    write_wav(folder / "source.wav", sound, corpus.sample_rate)
    listening_copy(folder / "source.mp3", sound, corpus.sample_rate)
    return [folder / "source.wav", folder / "source.mp3"]


def _pictures(folder: Path, material: Material, gallery: pdf.Gallery, source: View) -> list[Path]:
    """The page's larger pictures."""
    content = material.content
    drawn: dict[str, Figure] = {}

    def sheet(name: str, size: tuple[float, float]) -> Figure:
        return drawn.setdefault(name, Figure(figsize=size))

    for place, network in enumerate(content["network"]):
        figures.network(sheet(f"network-{place}", figures.NETWORK_SIZE), network["layers"])
    figures.sound(sheet("source", figures.SOURCE_SIZE), source)
    rows = figures.estimates(content)
    height = figures.forest_height(rows)
    figures.draw_forest(sheet("forest", (figures.NETWORK_SIZE[0], height)), rows, height)
    for protocol in pages.protocols(content):
        figures.evaluation_curves(sheet(f"curves-{protocol}", figures.CURVES_SIZE), material.models, protocol)
    for model in pages.dreamed(content):
        if model in material.kernels:
            figures.kernel(sheet(f"conv1-{pages.slug(model)}", figures.KERNEL_SIZE), material.kernels[model])
    for entry in content["figures"]:
        if entry["figure"].startswith("6.") and entry["dream"]:
            name = entry["dream"]
            figures.body(sheet(f"figure-{entry['figure']}", figures.BODY_SIZE), gallery.dreams[name], gallery.views[name], gallery.starts.get(name))
    for name, figure in drawn.items():
        style.save_svg(folder / f"{name}.svg", figure)
    return [folder / f"{name}.svg" for name in drawn]
