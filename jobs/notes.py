"""What a user may not expect of a folder of sounds, and is no error: told with the plan, before any work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aesdream.sounds.labelled import sounds_below
from aesdream.study import PHRASE, Study
from jobs.preprocess import Sources


def of(study: Study, sources: Sources) -> Iterator[str]:
    """A line for each."""
    looks = [look for looked_at in sources.recorded.values() for look in looked_at.inspections]
    if not looks:
        return
    how = study.sounds
    short = sum(round(look.seconds * how.sample_rate) < how.preparation.samples for look in looks)
    if short:
        yield f"{short} of {len(looks)} sounds are shorter than {how.seconds:g} s (sounds.seconds) and are padded with silence"
    mono = sum(look.channels == 1 for look in looks)
    if mono and how.channels > 1:
        yield f"{mono} of {len(looks)} sounds are mono and are copied to {how.channels} channels (sounds.channels)"
    if how.folder is not None and (left := _unlabelled(Path(how.folder.path), sources)):
        yield f"sound files in {how.folder.path} that have no row in labels.csv and are left out: {len(left)} (the first is {left[0]})"
    if how.start == PHRASE and any("source" in sweep.starts for sweep in study.sweeps.values()):
        yield "sounds.start is left at its default: dreams from the source start from the packaged trombone phrase, not from a sound of yours"


def _unlabelled(folder: Path, sources: Sources) -> list[str]:
    """The sound files of a folder that its table does not name; none where each of its folders is a class."""
    if not (folder / "labels.csv").is_file():
        return []
    named = {entry.path.resolve() for looked_at in sources.recorded.values() for entry in looked_at.entries}
    return [path.relative_to(folder).as_posix() for path in sounds_below([folder]) if path.resolve() not in named]
