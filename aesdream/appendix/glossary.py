"""The words of the appendix, defined for readers who did not build it."""

from __future__ import annotations

from aesdream.appendix.chapters import Chapter, Terms
from aesdream.appendix.material import Material

DESCRIPTORS = {
    "crest_db": "peak over RMS level, in dB.",
    "zero_crossings_hz": "changes of sign a second, mean of the channels.",
    "centroid_hz": "mean frequency, weighted by power.",
    "bandwidth_hz": "standard deviation of frequency around the centroid, weighted by power.",
    "rolloff_hz": "the frequency below which 85 % of the power lies.",
    "flatness_db": "geometric over arithmetic mean of the power spectrum, in dB: near 0 for noise, far below for tones.",
    "flux": "how much the normalised spectrum changes from one block of about 40 ms to the next, 0 to 1.",
    "low_share": "share of the power below 200 Hz.",
    "modulation_2_8": "share of the loudness's fluctuation that lies at 2 to 8 Hz.",
    "side_share": "power of the difference between the channels, out of that of their sum and difference.",
}

WORDS = {
    "oracular processor, Mushroom": "a program that makes sounds out of others by random chains of random processes, over several levels: those of "
    "one level are made from those of the level before. Mushroom is the thesis's; the one used here is like it, and is not it.",
    "family": "a sound and everything that was made from it, or from what it was made from.",
    "brightness, ERB number": "the mean of a sound's spectrum on a scale of the ear's bandwidths (equivalent rectangular ones), on which equal steps "
    "are about equally wide for hearing.",
    "conv1, layer 2, filter, ReLU": "a network is convolutional layers, conv1, conv2 …, of filters each; layer 2 is conv2. Behind each stands a "
    "ReLU, which lets positive values through and turns negative ones into zeros.",
    "activation": "what a dream raises: the mean over time of its target's output, before or after the ReLU. It has no unit, and only activations of "
    "one filter on one side can be compared.",
    "rose": "after its last step the dream's target was more active than on the start, by however little; the gain says by how much.",
    "rule, step": "how far each small step goes along the gradient: step is a number without a unit, and the rule what the gradient is divided by "
    "first (std: its standard deviation; plain: nothing).",
    "named model": "the first of a treatment's models (first split, first seed), shown alone because the thesis had one.",
    "digest": "a short number that follows from everything a thing was made of: the same digest, the same settings and inputs.",
    "did not rise": "after its last step the dream's target was no more active than on the start.",
    "dead": "a test of the census finds the target silent or slow on the side that was dreamed. A filter that is dead after its ReLU because "
    "that gives only zeros may live before it, where nothing is cut off, and its dream rise there.",
    "slow": "the gradient at the start is below a twentieth of the median of its layer's living filters, yet not zero.",
    "silent": "the filter's ReLU gives only zeros: on the start, on every sound of the corpus, or because conv1 gives only zeros.",
    "overshot": "a step passed the edge of a ReLU, behind which the gradient is zero; the dream stood still from there, below what it had reached. "
    "Most such dreams rose all the same: they ended above their start.",
    "kernel added (coefficients)": "a dream changes its start only by conv1's kernel, added in varying amounts along the sound; the "
    "coefficients are these amounts over time.",
    "modulation of the change": "spectrum of the loudness of what the dream added, up to 20 Hz: a peak is a pulse, which one might hear as metre.",
    "RMS from start": "root mean square of the difference between dream and start; full scale is 1.",
    "F1": "harmonic mean of precision and recall; micro: over the judgements of all classes together, macro: its mean over classes.",
    "average precision": "mean of the precision at the rank of each positive sound, the most certain judgement first.",
    "LRAP": "label ranking average precision: for each true class of a sound the share of true ones among all classes ranked as high, averaged.",
    "S1, S2": "two ways to a sound's score for a class from its windows: S1 is their mean, S2 their sum divided by the largest class's.",
    "precision at the corpus's prevalence": "the precision that this recall and this specificity would give if positives were as rare in "
    "the set as in the corpus; copies change their share.",
    "ROC AUC": "the probability that a positive sound is ranked above a negative one; 0.5 is chance.",
    "level alone, ten descriptors": "logistic regressions on the RMS and peak level, and on the ten descriptors below, which gain does not change.",
    **{f"descriptor {name}": text for name, text in DESCRIPTORS.items()},
    "determinant": "what a synthetic composer measures in a sound, and goes by: its brightness, say.",
    "contrast": "what a dream toward “interesting” changed of a determinant less what the dream toward “not” from the same start changed, at one "
    "distance, in standard deviations over the corpus. What both do alike, any change of that size may do.",
    "reach, share": "the contrast of dreams of a composer's rule itself, from the same starts to the same distance: so far, at least, its "
    "determinant can be moved there. A contrast is compared as its share of that.",
    "rival": "another determinant that the same dreams might have moved instead.",
    "tells, hints, faintly": "verdicts on dreams of a network that heard its composer. They tell where its determinant moved beyond every control by "
    "more than a tenth of its reach, beyond every rival, and beyond what other composers' dreams do to it; they hint where rivals and other "
    "composers are not surely behind or not known; faintly where all this surely goes the right way, but not surely by a tenth. They tell nothing "
    "where every control moved it as much, to within a tenth.",
    "sweep": "a named set of dreams: of which models, layers, targets and sides, and from which starts.",
    "split": "one drawing of the sounds that a model is validated on; the others it trains on.",
    "seed": "the number from which a model's weights and the order of its training are drawn.",
    "treatment": "how a training set is made from the training sounds: as they are, cut into windows, or with the rarer class copied.",
    "control": "a model that can have learned nothing of the labels: untrained (0 epochs), or trained on shuffled (permuted) labels.",
    "augment-first": "copies and windows are made before the split, so both sides share sounds; its numbers flatter.",
    "split-first": "sounds are split first, so no sound is on both sides, though its relatives may be.",
    "by-family": "whole families of related sounds are split, so neither a sound nor a relative is on both sides.",
}


OF_TWO = (
    "oracular processor, Mushroom",
    "brightness, ERB number",
    "named model",
    "level alone, ten descriptors",
    *(f"descriptor {name}" for name in DESCRIPTORS),
)
"""What is said of two classes alone."""
OF_TRUTH = ("determinant", "contrast", "reach, share", "rival", "tells, hints, faintly")
"""What is said of studies that ask whether dreams tell the truth."""
OF_MANY = ("LRAP", "S1, S2")
"""What is said of many classes alone."""


def chapters(material: Material) -> list[Chapter]:
    """Those that a study of this kind uses."""
    unused = (*(OF_MANY if len(material.sounds["classes"]) == 2 else OF_TWO), *(() if "truth" in material.content else OF_TRUTH))
    return [Chapter("words", "Words", [Terms([(word, said) for word, said in WORDS.items() if word not in unused])], "Words")]
