"""The small processes that the oracular processor strings into chains, a file a family.

Their families follow the public relatives of Mushroom (facts, section 5); no list of Mushroom's own is public. Importing this package registers all.
"""

from aesdream.sounds.processes import combs, dynamics, filters, grains, modulation, pitch, resonators, spaces, spectral, strokes, tape
from aesdream.sounds.processes.registry import PROCESSES, ProcessFailed, Uniform, apply, digest, draw, mistakes, process, wrong_parameters

__all__ = [
    "PROCESSES",
    "ProcessFailed",
    "Uniform",
    "apply",
    "combs",
    "digest",
    "draw",
    "dynamics",
    "filters",
    "grains",
    "mistakes",
    "modulation",
    "pitch",
    "process",
    "resonators",
    "spaces",
    "spectral",
    "strokes",
    "tape",
    "wrong_parameters",
]
