"""A Mushroom-like processor: sounds that descend from a source through random chains of small processes, level upon level.

It is built on what is public about Mushroom and its relatives (facts, section 5) and is not Mushroom. A level-1 sound is a source under a random
chain; a level-n sound is a level-(n-1) sound, drawn at random, under a new random chain. All descendants of a level-1 sound are a family.
"""

from aesdream.sounds.oracular.corpus import DESCRIPTION, TROMBONE, Descent, Oracular, Processor, Rendered, judged, lineage

__all__ = ["DESCRIPTION", "TROMBONE", "Descent", "Oracular", "Processor", "Rendered", "judged", "lineage"]
