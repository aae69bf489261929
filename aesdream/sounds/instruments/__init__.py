"""Excerpts in IRMAS's layout, rendered from sampled instruments, for studies that cannot have the corpus itself.

Everything here is synthetic.
"""

from aesdream.sounds.instruments.corpus import DESCRIPTION, Excerpt, excerpts, font, labels_of, problems, rendered
from aesdream.sounds.instruments.rendering import RATE
from aesdream.sounds.instruments.settings import SECOND_FONT, Instruments, SecondFont

__all__ = ["DESCRIPTION", "RATE", "SECOND_FONT", "Excerpt", "Instruments", "SecondFont", "excerpts", "font", "labels_of", "problems", "rendered"]
