"""What pictures are drawn from, against closed forms and scipy; and the choice of what is shown."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image
from pypdf import PdfReader
from scipy import signal

from aesdream.appendix import analysis, anatomy, figures, words
from aesdream.appendix.chapters import Listing
from aesdream.appendix.layout import Book, fitted, wrapped
from aesdream.appendix.likeness import cosines
from aesdream.appendix.panels import round_ticks
from aesdream.appendix.selection import LIVING, quotas
from aesdream.appendix.style import house, save_svg
from aesdream.appendix.thumbnails import height, thumbnail
from aesdream.dreaming.excerpts import farthest

RATE = 8000
TIMES = np.arange(2 * RATE) / RATE


def sine(hertz: float, amplitude: float = 1.0) -> np.ndarray:
    return np.tile(amplitude * np.sin(2 * np.pi * hertz * TIMES), (2, 1)).astype(np.float32)


@pytest.mark.parametrize("hertz", [60.0, 440.0, 1500.0, 3500.0])
def test_a_sine_at_full_scale_stands_at_0_db_in_the_band_of_its_frequency(hertz: float) -> None:
    heat = analysis.spectrogram(sine(hertz), RATE, 64, 50)
    middle = heat[:, 25].astype(float) / 255 * 90 - 90
    band = int(analysis.to_mel(hertz) / analysis.to_mel(RATE / 2) * 64)
    assert abs(int(np.argmax(middle)) - band) <= 1
    assert -2 < middle.max() <= 0


def test_ten_times_less_amplitude_is_20_db_less() -> None:
    loud, soft = (analysis.spectrogram(sine(1000, level), RATE, 64, 50).max() / 255 * 90 for level in (1.0, 0.1))
    assert loud - soft == pytest.approx(20, abs=0.5)


def test_an_envelope_holds_every_extreme() -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, (2, 9999)).astype(np.float32)
    low, high = analysis.envelope(sound, 400)
    assert low.shape == (2, 400)
    assert np.array_equal(low.min(axis=1), sound.min(axis=1))
    assert np.array_equal(high.max(axis=1), sound.max(axis=1))


def test_a_response_equals_scipys_freqz() -> None:
    kernel = np.random.default_rng(2).normal(size=(1, 300))
    hertz, gain = analysis.response(kernel, RATE)
    _, wanted = signal.freqz(kernel[0], worN=hertz, fs=RATE)
    assert np.allclose(gain[0], 20 * np.log10(np.abs(wanted)), atol=1e-6)


def test_a_mean_over_k_samples_has_its_first_null_at_rate_over_k() -> None:
    hertz, gain = analysis.response(np.full((1, 400), 1 / 400), RATE, points=4000)
    below = hertz < 1.5 * RATE / 400
    assert hertz[below][np.argmin(gain[0][below])] == pytest.approx(RATE / 400, rel=0.01)


def test_what_a_dream_added_is_the_difference_to_its_start() -> None:
    start, change = sine(440, 0.5), np.zeros((2, len(TIMES)), np.float32)
    change[1, RATE:] = -0.25
    shown = analysis.view(start + change, RATE, start)
    assert shown.change is not None
    assert shown.change.min() == pytest.approx(-0.25, abs=1e-6)
    assert np.allclose(shown.change[:, :190], 0, atol=1e-6)
    assert analysis.view(start, RATE).change is None


def test_a_thumbnail_is_a_small_png_in_which_the_change_is_seen() -> None:
    start = sine(440, 0.5)
    pictures = [thumbnail(analysis.view(start + added, RATE, start), analysis.view(start, RATE)) for added in (0.0, 0.1)]
    assert pictures[0] != pictures[1]
    assert len(pictures[0]) < 30_000
    assert Image.open(io.BytesIO(pictures[0])).size == (analysis.COLUMNS // 2, height(2, analysis.ROWS))


def test_farthest_takes_one_of_each_kind_before_it_takes_a_twin() -> None:
    kinds = np.eye(4)
    far = 1 - cosines([kinds[0], 2 * kinds[0], kinds[1], kinds[1] * 3, kinds[2], kinds[3]])
    assert sorted(farthest(far, 0, 4)) == [0, 2, 4, 5]
    assert farthest(far, 3, 1) == [3]
    assert len(set(farthest(far, 0, 99))) == 6


@given(st.lists(st.integers(0, 40), min_size=1, max_size=5))
def test_quotas_take_what_there_is_and_never_more(available: list[int]) -> None:
    taken = quotas(available)
    assert sum(taken) == min(LIVING, sum(available))
    assert all(0 <= take <= have for take, have in zip(taken, available, strict=True))


def test_quotas_are_the_thesis_s_where_there_is_enough() -> None:
    assert quotas([8, 16, 32]) == [3, 4, 6]


@given(st.floats(-1e6, 1e6), st.floats(1e-7, 1e6))
def test_ticks_lie_inside_their_range_and_are_told_apart(low: float, size: float) -> None:
    ticks = round_ticks((low, low + size))
    values = [value for value, _ in ticks]
    assert all(low - 1e-6 * size <= value <= low + size + 1e-6 * size for value in values)
    if size > 1e-4 * max(1.0, abs(low)):
        assert len({name for _, name in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0"), (0.000023456, "2.35e−5"), (-0.5, "−0.5"), (1234.0, "1.23e3"), (0.1234, "0.123")]
)
def test_significant_digits(value: float | None, text: str) -> None:
    assert words.significant(value) == text


def test_an_interval_without_bounds_prints_its_value_alone() -> None:
    assert words.interval({"value": 1.0, "low": None, "high": None}) == "1.000"
    assert words.interval({"value": 0.741, "low": 0.61, "high": 0.84}) == "0.741 [0.610, 0.840]"
    assert words.interval({"value": None, "low": None, "high": None}) == words.DASH


def test_a_listing_has_no_notes_unless_given() -> None:
    assert Listing("t", ("a",), (1.0,), []).notes == ()


def test_any_letters_are_set_and_dollars_are_no_mathematics(tmp_path: Path) -> None:
    said = "two\nlines, a\ttab, $x_1$ and \\frac$, 日本"
    printed = io.BytesIO()
    with house(), warnings.catch_warnings(record=True) as warned, PdfPages(printed) as pages:
        book = Book(pages, said)
        book.new_page()
        book.heading(said)
        book.text(said)
        book.listing(Listing(said, (said, said), (0.5, 0.5), [[said, said]], [said]))
        book.block(2).add_axes((0.1, 0.1, 0.8, 0.8)).set_title(said)
        book.close()
        figure = Figure()
        figure.text(0, 0, said)
        save_svg(tmp_path / "said.svg", figure)
    assert warned == []
    assert PdfReader(printed).pages[0].extract_text().count("$x_1$") == 10


def test_one_channel_has_no_correlation_of_channels() -> None:
    first, second = np.eye(2, 9), np.ones((2, 9)).cumsum(1)
    assert anatomy.moved(anatomy.FirstLayer(first[None, :1], second[None, :1], RATE))["correlation_of_channels"] is None
    assert anatomy.moved(anatomy.FirstLayer(first[None], second[None], RATE))["correlation_of_channels"] == pytest.approx(1)


def test_white_space_of_any_kind_is_a_space() -> None:
    assert wrapped(" one\n\ttwo  ", 9, 8) == ["one two"]


def test_a_line_is_made_smaller_before_it_is_cut_short() -> None:
    (whole, large), (same, small), (short, smallest) = (fitted("right, held-out-21", width, (6.5, 5.5), bold=True) for width in (3, 0.8, 0.5))
    assert (whole, large) == ("right, held-out-21", 6.5)
    assert (same, small) == (whole, 5.5)
    assert (short[-1], smallest) == ("…", 5.5)
    assert whole.startswith(short[:-1])


@pytest.mark.parametrize("hertz", [37.0, 250, 1001.7, 2903.3, 3977.7])
def test_the_loudest_frequency_of_a_kernel_is_found_wherever_it_lies(hertz: float) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(4096) / RATE) * np.hanning(4096)
    found = analysis.responses(np.stack([tone, 0.01 * tone])[None], RATE)
    assert found.loudest[0] == pytest.approx(hertz, abs=RATE / 4096 / 8)
    column = np.searchsorted(found.edges, hertz) - 1
    assert found.gains[0, 0, column] == pytest.approx(0, abs=0.01)
    assert found.gains[0, 1, column] == pytest.approx(-40, abs=0.01)


def test_of_several_kernels_every_one_has_a_row_by_its_loudest_frequency() -> None:
    tones = np.stack([np.tile(np.sin(2 * np.pi * hertz * np.arange(512) / RATE), (2, 1)) for hertz in (3000, 250, 1000)])
    figure = Figure()
    figures.kernel(figure, anatomy.FirstLayer(np.ones_like(tones), tones, RATE))
    named = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes if axes.get_ylabel() == "filter"]
    assert named == [["1", "2", "0"]] * 2
