"""Excerpts in IRMAS's layout, rendered from sampled instruments, for studies that cannot have the corpus itself.

Everything here is synthetic.
"""

from aesdream.sounds.instruments.settings import Instruments, SecondFont

__all__ = ["Instruments", "SecondFont"]
