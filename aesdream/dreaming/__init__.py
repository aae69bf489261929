"""Dreaming: any filter of any torch module back into its input."""

from aesdream.dreaming.ascent import Dreams, dream, together
from aesdream.dreaming.census import census

__all__ = ["Dreams", "census", "dream", "together"]
