"""``aesdream sounds chain`` and ``mimic``: how one sound was made, and the same done to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aesdream.errors import UserError
from aesdream.sounds.oracular import records
from aesdream.sounds.oracular.chains import parameters
from aesdream.sounds.oracular.mixing import Silent
from jobs.corpora import source_path


def chain(sound: Path) -> Iterator[str]:
    """How a sound was made, a line a step."""
    record = records.read(sound)
    source = record.source
    yield f"{source.name} ({source.sample_rate} Hz, {source.channels} channel{'s' if source.channels > 1 else ''})"
    for level, made in enumerate(record.lineage, 1):
        yield f"level {level}: {made.sound}"
        for step in made.steps:
            values = ", ".join(f"{key} {value}" for key, value in parameters(step).items())
            passed_over = f"  (passed over: {step['failed']})" if "failed" in step else ""
            yield f"  {step['process']:<18} {values}{passed_over}"
    if record.mimics:
        yield f"the chain is that of {record.mimics}"


def mimic(sound: Path, other: Path, out: Path) -> Iterator[str]:
    """Replay the whole chain of ``sound`` on ``other``; yields a line about what was written. Raises UserError before anything is."""
    if out.suffix.lower() != ".wav":
        raise UserError(f"--out {out}: must end in .wav, the format that is written")
    for path in (out, out.with_suffix(".json")):
        if path.exists():
            raise UserError(f"{path}: exists already; give another name with --out, nothing is overwritten")
    record = records.read(sound)
    samples, rate, source = records.read_source(source_path(str(other)))
    try:
        grown, parents = records.mimic(record, samples, rate)
    except Silent as why:
        raise UserError(f"{other}: {why}; try another sound") from None
    records.write(out, grown, rate, source=source, parents=parents, mimics=record.sound)
    yield f"{out}: {grown.sound.shape[1] / rate:.3f} s, the {len(record.lineage)}-level chain of {record.sound} on {source.name}"
    replayed = [*(parent.steps for parent in parents), grown.steps]
    skipped = [step for now, then in zip(replayed, record.lineage, strict=True) for step in _newly_failed(now, then.steps)]
    yield from (f"passed over here: {step['process']} ({step['failed']})" for step in skipped)


def _newly_failed(now: Iterable[dict[str, Any]], then: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step for step, before in zip(now, then, strict=True) if "failed" in step and "failed" not in before]
