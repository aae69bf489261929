"""Treatments and protocols: the thesis's counts to the sound, and no copy, window or relative where it must not stand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.sounds.labelled import fewest
from aesdream.sounds.splits import Protocol, Sounds, Split, Treatment, names, split, windows

RATE = 1000
PLAIN, WINDOWED, FIVE = Treatment(), Treatment(window=5, overlap=4), Treatment(oversampling=5)
TREATMENTS = {"plain": PLAIN, "windowed": WINDOWED, "oversampled": FIVE, "both": Treatment(window=5, overlap=4, oversampling=3)}
few = settings(max_examples=25, deadline=None, derandomize=True)


def corpus(count: int = 998, positives: int = 164, families: int | None = 250, seed: int = 0) -> Sounds:
    """Ten-second sounds, the positive ones anywhere, in families of unequal sizes."""
    rng = generator(seed, "corpus")
    labels = rng.permutation(np.arange(count) < positives).astype(np.int64)
    members = None if families is None else [f"f{i}" for i in (families * rng.random(count) ** 2).astype(int)]
    return Sounds(labels, members, 10 * RATE, RATE)


THESIS = corpus()
small = st.builds(corpus, st.integers(40, 120), st.integers(10, 18), st.integers(15, 30), st.integers(0, 1000))


def validation_sounds(divided: Split) -> set[int]:
    return set(divided.validation.sound.tolist())


@pytest.mark.parametrize(("treatment", "pieces", "validated"), [("plain", 998, 300), ("windowed", 5988, 1797), ("oversampled", 1654, 497)], ids=str)
def test_augment_first_gives_the_thesiss_counts_exactly(treatment: str, pieces: int, validated: int) -> None:
    divided = split(THESIS, TREATMENTS[treatment], "augment-first", 0.3, 0, 0)
    assert len(divided.validation) == validated
    assert len(divided.train) + len(divided.validation) == pieces
    assert divided.validation.labels.sum() == round(validated * (divided.train.labels.sum() + divided.validation.labels.sum()) / pieces)


def test_windows_are_5_s_long_every_second_and_six_a_sound() -> None:
    found = windows(THESIS, WINDOWED, np.arange(998))
    assert (len(found), found.samples) == (5988, 5 * RATE)
    assert found.offset.reshape(998, 6).tolist() == [[0, 1000, 2000, 3000, 4000, 5000]] * 998
    np.testing.assert_array_equal(found.labels, THESIS.labels[found.sound])


def test_five_fold_oversampling_is_656_draws_of_positives_with_replacement_beside_every_original() -> None:
    divided = split(THESIS, FIVE, "augment-first", 0.3, 0, 0)
    times = Counter([*divided.train.sound.tolist(), *divided.validation.sound.tolist()])
    assert set(times) == set(range(998))
    extra = {sound: count - 1 for sound, count in times.items() if count > 1}
    assert sum(extra.values()) == 656
    assert all(THESIS.labels[sound] == 1 for sound in extra)
    assert len(extra) < 164  # drawn with replacement, some are never drawn
    assert max(extra.values()) > 6


def test_copies_and_windows_made_first_do_stand_on_both_sides_as_the_thesiss_did() -> None:
    for treatment in ("windowed", "oversampled"):
        divided = split(THESIS, TREATMENTS[treatment], "augment-first", 0.3, 0, 0)
        positives = divided.validation.sound[divided.validation.labels == 1]
        assert np.isin(positives, divided.train.sound).mean() > 0.95


@few
@given(sounds=small, treatment=st.sampled_from(sorted(TREATMENTS)), number=st.integers(0, 5))
def test_split_first_has_no_copy_or_window_of_a_sound_on_both_sides(sounds: Sounds, treatment: str, number: int) -> None:
    divided = split(sounds, TREATMENTS[treatment], "split-first", 0.3, 0, number)
    assert not validation_sounds(divided) & set(divided.train.sound.tolist())
    assert len(validation_sounds(divided)) == -(-3 * len(sounds.labels) // 10)
    assert set(divided.validation.sound.tolist()) | set(divided.train.sound.tolist()) == set(range(len(sounds.labels)))


@few
@given(sounds=small, treatment=st.sampled_from(sorted(TREATMENTS)), number=st.integers(0, 5))
def test_by_family_has_no_relative_on_both_sides(sounds: Sounds, treatment: str, number: int) -> None:
    divided = split(sounds, TREATMENTS[treatment], "by-family", 0.3, 0, number)
    assert sounds.families is not None
    sides = [{sounds.families[index] for index in side.sound.tolist()} for side in (divided.train, divided.validation)]
    assert not sides[0] & sides[1]
    assert set(divided.train.labels.tolist()) == set(divided.validation.labels.tolist()) == {0, 1}


@few
@given(sounds=small, protocol=st.sampled_from(["split-first", "by-family"]), number=st.integers(0, 5))
def test_all_treatments_of_one_split_share_their_validation_sounds(sounds: Sounds, protocol: Protocol, number: int) -> None:
    shared = [validation_sounds(split(sounds, t, protocol, 0.3, 0, number, initialisation)) for initialisation, t in enumerate(TREATMENTS.values())]
    assert all(sides == shared[0] for sides in shared)


@few
@given(sounds=small, protocol=st.sampled_from(["split-first", "by-family"]), treatment=st.sampled_from(sorted(TREATMENTS)))
def test_validation_holds_every_window_of_its_sounds_once_and_no_copy(sounds: Sounds, protocol: Protocol, treatment: str) -> None:
    validation = split(sounds, TREATMENTS[treatment], protocol, 0.3, 0, 0).validation
    pieces = Counter(zip(validation.sound.tolist(), validation.offset.tolist(), strict=True))
    assert set(pieces.values()) == {1}
    assert len(pieces) == len(set(validation.sound.tolist())) * (6 if TREATMENTS[treatment].window else 1)


def test_plain_is_the_same_under_augment_first_and_split_first() -> None:
    one, other = (split(THESIS, PLAIN, protocol, 0.3, 0, 1) for protocol in ("augment-first", "split-first"))
    for side in ("train", "validation"):
        np.testing.assert_array_equal(getattr(one, side).sound, getattr(other, side).sound)


@pytest.mark.parametrize("protocol", ["augment-first", "split-first", "by-family"])
def test_splits_differ_by_number_and_seed_and_repeat_for_the_same(protocol: Protocol) -> None:
    sides = [validation_sounds(split(THESIS, PLAIN, protocol, 0.3, seed, number)) for seed, number in ((0, 0), (0, 1), (1, 0))]
    assert sides[0] != sides[1] != sides[2] != sides[0]
    assert sides[0] == validation_sounds(split(THESIS, PLAIN, protocol, 0.3, 0, 0, initialisation=5))


@few
@given(sounds=small, protocol=st.sampled_from(["augment-first", "split-first", "by-family"]), treatment=st.sampled_from(sorted(TREATMENTS)))
def test_shuffled_labels_keep_the_counts_of_the_classes_and_leave_validation_true(sounds: Sounds, protocol: Protocol, treatment: str) -> None:
    shuffled = split(sounds, TREATMENTS[treatment].model_copy(update={"labels": "shuffled"}), protocol, 0.3, 0, 0)
    np.testing.assert_array_equal(shuffled.validation.labels, sounds.labels[shuffled.validation.sound])
    taught = dict(zip(shuffled.train.sound.tolist(), shuffled.train.labels.tolist(), strict=True))
    assert all(taught[s] == label for s, label in zip(shuffled.train.sound.tolist(), shuffled.train.labels.tolist(), strict=True))
    assert any(taught[sound] != sounds.labels[sound] for sound in taught)
    if protocol != "augment-first":
        assert Counter(taught.values()) == Counter(sounds.labels[list(taught)].tolist())


@pytest.mark.parametrize("protocol", get_args(Protocol))
def test_copies_of_shuffled_labels_follow_the_taught_label_and_tell_nothing_of_the_true_one(protocol: Protocol) -> None:
    shuffled = Treatment(labels="shuffled", oversampling=5)
    shares = []
    for seed in range(40):
        train = split(THESIS, shuffled, protocol, 0.3, 0, 0, seed).train
        assert 0.4 < train.labels.mean() < 0.6
        true = THESIS.labels[train.sound]
        shares.append([train.labels[true == 1].mean(), train.labels[true == 0].mean()])
    among_positive, among_negative = np.mean(shares, axis=0)
    assert among_positive == pytest.approx(among_negative, abs=0.05)


def test_twins_never_stand_apart_under_split_first() -> None:
    sounds = replace(THESIS, families=None, twins=[str(number // 2) for number in range(len(THESIS.labels))])
    divided = split(sounds, PLAIN, "split-first", 0.3, 0, 0)
    sides = [{sounds.twins[index] for index in side.sound.tolist()} for side in (divided.train, divided.validation)]
    assert not sides[0] & sides[1]


def test_shuffled_labels_are_drawn_anew_for_every_initialisation() -> None:
    shuffled = Treatment(labels="shuffled")
    drawn = [split(THESIS, shuffled, "by-family", 0.3, 0, 0, seed).train.labels for seed in (0, 1, 0)]
    assert (drawn[0] != drawn[1]).any()
    np.testing.assert_array_equal(drawn[0], drawn[2])


@few
@given(share=st.floats(0.05, 0.95), dominant=st.integers(0, 300), seed=st.integers(0, 50))
def test_the_fewest_sounds_that_are_asked_for_suffice_to_put_every_class_on_both_sides(share: float, dominant: int, seed: int) -> None:
    labels = np.repeat([0, 1], [fewest(share) + dominant, fewest(share)])
    divided = split(Sounds(labels, None, RATE, RATE), PLAIN, "split-first", share, seed, 0)
    assert set(divided.train.labels.tolist()) == set(divided.validation.labels.tolist()) == {0, 1}


def test_unknown_families_and_families_that_cannot_be_split_are_refused() -> None:
    with pytest.raises(UserError, match=r"by-family needs a family for every sound; name them in labels\.csv or leave by-family out"):
        split(corpus(families=None), PLAIN, "by-family", 0.3, 0, 0)
    labels = np.repeat([0, 1], 10)
    with pytest.raises(UserError, match="finds no split of the families with every class on both sides; add families, or leave it out"):
        split(Sounds(labels, ["one" if label else f"f{i}" for i, label in enumerate(labels)], RATE, RATE), PLAIN, "by-family", 0.3, 0, 0)


def test_a_window_longer_than_the_sound_or_standing_still_is_refused() -> None:
    for treatment, says in ((Treatment(window=11), "window: 11 s is longer than the sound"), (Treatment(window=1, overlap=0.99999), "overlap: ")):
        with pytest.raises(UserError, match=says):
            windows(THESIS, treatment, np.arange(3))


def test_names_say_sound_and_window_and_copies_repeat_them() -> None:
    ids = [f"s{i}" for i in range(998)]
    pieces = windows(THESIS, Treatment(window=2.5, overlap=1), np.array([3]))
    assert names(ids, pieces, THESIS) == ["s3@0", "s3@1.5", "s3@3", "s3@4.5", "s3@6", "s3@7.5"]
    copies = split(THESIS, FIVE, "split-first", 0.3, 0, 0).train
    assert names(ids, copies, THESIS) == [f"s{i}" for i in copies.sound.tolist()]


@pytest.mark.parametrize("number", range(4))
def test_few_families_of_many_classes_are_split_with_every_class_on_both_sides(number: int) -> None:
    labels = np.repeat(np.arange(11), 12)
    families = [f"recording{place // 3}" for place in range(len(labels))]
    divided = split(Sounds(labels, families, 3 * RATE, RATE), Treatment(window=1), "by-family", 0.25, 0, number)
    sides = [{families[index] for index in side.sound.tolist()} for side in (divided.train, divided.validation)]
    assert not sides[0] & sides[1]
    assert [len(np.unique(side.labels)) for side in (divided.train, divided.validation)] == [11, 11]
    assert np.bincount(divided.validation.labels).tolist() == [9] * 11


@pytest.mark.parametrize("protocol", ["split-first", "by-family"])
def test_another_composers_labels_are_taught_on_the_splits_of_the_first(protocol: Protocol) -> None:
    own = corpus(300, 60, 100)
    other = replace(own, labels=generator(1, "other").permutation(own.labels), strata=own.labels)
    one, two = (split(sounds, FIVE, protocol, 0.3, 0, 2) for sounds in (own, other))
    assert validation_sounds(one) == validation_sounds(two)
    assert set(one.train.sound.tolist()) == set(two.train.sound.tolist())
    for side in (two.train, two.validation):
        np.testing.assert_array_equal(side.labels, other.labels[side.sound])


def test_a_split_that_leaves_another_composer_one_class_on_a_side_is_refused() -> None:
    own = corpus(40, 12, 20)
    labels = np.zeros(40, np.int64)
    labels[split(own, PLAIN, "by-family", 0.3, 0, 0).train.sound[0]] = 1
    with pytest.raises(UserError, match="split 0 under by-family, made for the corpus's own composer, leaves a side"):
        split(replace(own, labels=labels, strata=own.labels), PLAIN, "by-family", 0.3, 0, 0)
