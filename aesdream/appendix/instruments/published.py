"""What others report on IRMAS's test set (facts, sections 2 and 3). Those that nobody here could look up stand as unverified."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """A published system: F1 over all labels and its mean over the classes, None where it is not reported."""

    name: str
    micro_f1: float | None
    macro_f1: float | None
    verified: bool
    source: str


SYSTEMS = (
    System("Bosch et al. 2012", 0.503, 0.432, True, "computed from the precision and recall in Han et al."),
    System("Han et al. 2016, S1", 0.595, 0.486, True, "arXiv text"),
    System("Han et al. 2016, S2", 0.602, 0.503, True, "arXiv text"),
    System("Han et al. 2017, journal", 0.619, 0.513, False, "from memory"),
    System("Pons et al. 2017", 0.589, 0.516, False, "from memory"),
    System("Kratimenos et al. 2020", 0.647, 0.546, False, "from memory"),
    System("Reghunath and Rajan 2022", 0.66, 0.62, True, "abstract"),
    System("Zhong et al. 2023", 0.674, None, True, "abstract"),
    System("Lekshmi et al. 2025", 0.76, 0.69, True, "repository"),
)
"""The authors are given as the project's notes give them; all but the first use thresholds chosen in ways of their own."""
