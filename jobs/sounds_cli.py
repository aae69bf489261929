"""The commands ``aesdream sounds ...``; what takes long to import is imported where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from aesdream.errors import UserError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The oracular processor: make sounds level by level, see how they were made, measure them, replay it, drop what is unwanted.",
)


@app.command()
def generate(
    sources: Annotated[list[Path], typer.Argument(help="Sounds, or folders of sounds; trombone is the packaged phrase.", metavar="SOURCE...")],
    out: Annotated[Path, typer.Option(help="The folder to make them in; one that holds a part of them is gone on with.", metavar="DIR")],
    levels: Annotated[int, typer.Option(help="How many levels, each made from the last.", min=1)] = 1,
    outputs: Annotated[str, typer.Option(help="Sounds a level: one number, or one a level with commas.", metavar="N[,N...]")] = "100",
    seconds: Annotated[
        tuple[float, float], typer.Option(help="The shortest and the longest length; for one length the same twice.", metavar="MIN MAX")
    ] = (10.0, 10.0),
    seed: Annotated[int, typer.Option(help="The same seed makes the same sounds.", min=0)] = 0,
    judge: Annotated[
        Path | None, typer.Option("--judge", help="Make each level from what the models of this run keep of the last.", metavar="RUN")
    ] = None,
    keep: Annotated[int | None, typer.Option(help="With --judge: how many sounds of a level it keeps; a fifth if not said.", min=1)] = None,
    compare: Annotated[bool, typer.Option("--compare", help="With --judge: make the same without it too, and tell what it changed.")] = False,
) -> None:
    """Make sounds from others by random chains of processes, level by level. Drop what is unwanted and ask for a level more to go on.

    Example: aesdream sounds generate trombone.wav --levels 2 --outputs 100 --seconds 5 12 --out mushrooms
    """
    from jobs import rounds, selecting
    from jobs import sounds as work
    from jobs.generation import PAGE
    from jobs.progress import Progress

    counts = work.outputs_of(outputs, levels)
    asked: dict[str, Any] = {"outputs": counts, "seconds": seconds, "seed": seed}
    if judge is None and (keep is not None or compare):
        raise UserError("sounds generate: --keep and --compare need --judge RUN")
    if judge is None:
        failed = work.generate(sources, out, Progress(), **asked)
    else:
        failed = selecting.loop(sources, out, Progress(), run=judge, keep=keep or -(-min(counts) // 5), compare=compare, **asked)
    if failed:
        typer.echo(f"{failed} sounds failed. The same command tries them again.", err=True)
        raise typer.Exit(1)
    if judge is not None:
        typer.echo(rounds.trust(out))
    typer.echo(f"judge them by ear: {out / PAGE}")
    typer.echo(out)


@app.command()
def chain(sound: Annotated[Path, typer.Argument(help="A made sound, or the JSON beside it.", metavar="SOUND")]) -> None:
    """Show how a sound was made, from its source on.

    Example: aesdream sounds chain mushrooms/level-2/2-0013.wav
    """
    from jobs import chains as work

    for line in work.chain(sound):
        typer.echo(line)


@app.command()
def measure(
    given: Annotated[
        list[Path], typer.Argument(help="Sounds, folders of sounds, or runs, whose prepared sounds are meant.", metavar="SOUND|FOLDER|RUN...")
    ],
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write a row for each sound to this file; it must not exist yet.", metavar="FILE")
    ] = None,
) -> None:
    """Measure what the synthetic composers go by: mean and spread of each measure, and the rank correlations between them.

    Example: aesdream sounds measure mushrooms --csv measured.csv
    """
    from jobs import measuring
    from jobs.progress import Progress

    told, lost = measuring.measure(given, csv_file, Progress())
    typer.echo(told)
    if lost:
        typer.echo(f"{lost} sounds could not be measured", err=True)
        raise typer.Exit(1)


@app.command()
def mimic(
    sound: Annotated[Path, typer.Argument(help="A made sound, or the JSON beside it.", metavar="SOUND")],
    other: Annotated[Path, typer.Option("--on", help="The sound to replay its chain on.", metavar="OTHER")],
    out: Annotated[Path, typer.Option(help="The WAV to write; must not exist yet.", metavar="WAV")],
) -> None:
    """Replay the whole chain of a sound on another; on its own source it gives back the same samples.

    Example: aesdream sounds mimic mushrooms/level-2/2-0013.wav --on cello.wav --out cello-2-0013.wav
    """
    from jobs import chains as work

    for line in work.mimic(sound, other, out):
        typer.echo(line)


@app.command()
def drop(
    folder: Annotated[Path, typer.Argument(help="A folder that aesdream sounds generate made.", metavar="DIR")],
    unwanted: Annotated[Path | None, typer.Option(help="A text file that names a sound a line, by id or path.", metavar="FILE")] = None,
    judge: Annotated[Path | None, typer.Option("--judge", help="Drop what the models of this run refuse of the newest level.", metavar="RUN")] = None,
    keep: Annotated[int | None, typer.Option(help="With --judge: drop all but so many that it ranks highest.", min=1)] = None,
) -> None:
    """Take sounds out of the pool that the next level is made from; they move to DIR/dropped.

    Example: aesdream sounds drop mushrooms --unwanted boring.txt
    """
    from jobs import selecting
    from jobs import sounds as work
    from jobs.progress import Progress

    if judge is None and keep is not None:
        raise UserError("sounds drop: --keep needs --judge RUN")
    if unwanted is not None and judge is None:
        typer.echo(work.drop(folder, unwanted))
    elif judge is not None and unwanted is None:
        typer.echo(selecting.drop(folder, judge, keep, Progress()))
    else:
        raise UserError("sounds drop: needs --unwanted FILE or --judge RUN, one of them")
