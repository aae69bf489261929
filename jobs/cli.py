"""The command line: ``aesdream``. Every command is a thin user of the packages; what takes long to import is imported where it is used."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from aesdream.errors import DamagedFile, UserError
from aesdream.files import disk_error
from jobs import sounds_cli

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

app.add_typer(sounds_cli.app, name="sounds")

StudyFile = Annotated[Path, typer.Argument(help="The study, a YAML file (see configs/).", metavar="STUDY.yaml")]
Out = Annotated[Path | None, typer.Option(help="The run folder; runs/<study> if not said.", metavar="RUN")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Override a key, e.g. training.epochs=3. May be repeated.", metavar="KEY=VALUE")]
RunFolder = Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")]


@app.callback()
def _about() -> None:
    """Train small audio networks on judged sounds, dream every filter back into audio, and draw the whole appendix.

    Example: aesdream run configs/demo.yaml
    """


@app.command()
def run(
    study: StudyFile,
    out: Out = None,
    until: Annotated[str, typer.Option(help="Last stage to do: preprocess, train, dream or appendix.")] = "appendix",
    only: Annotated[list[str] | None, typer.Option(help="Only units whose name matches this glob. May be repeated.", metavar="GLOB")] = None,
    overrides: Set = None,
    on: Annotated[str, typer.Option(help="here, or the site file of a Slurm cluster (slurm/site.example.yaml).", metavar="here|SITE.yaml")] = "here",
    take_over: Annotated[bool, typer.Option("--take-over", help="With --on here: cancel what is queued and do it here.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
) -> None:
    """Run a study: preprocess, train, dream, appendix. What is complete is skipped, so the same call resumes and extends.

    With a site file the whole graph is handed to Slurm, and the call returns.

    Example: aesdream run configs/demo.yaml --out runs/demo --only 'models/plain/*'
    """
    from aesdream.errors import one_of
    from aesdream.study import load
    from jobs import handing, plan
    from jobs.progress import Progress
    from jobs.running import Run
    from jobs.units import STAGES

    if until not in STAGES:
        raise one_of("--until", until, STAGES)
    loaded = load(study, overrides or ())
    folder = out or Path("runs") / loaded.study
    if dry_run:
        typer.echo(plan.described(loaded, folder, until, only or ()))
        if on != "here":
            typer.echo(handing.planned(folder, loaded, Path(on), until, only or ()))
        return
    progress = Progress()
    if on != "here":
        typer.echo(handing.submit(folder, loaded, Path(on), until, only or ()))
        return
    queued, alone = handing.left_to_slurm(folder, progress, take_over=take_over)
    work = Run(folder, loaded, progress, until=until, only=only or (), queued=queued, alone=alone)
    work.go()
    if work.failed:
        typer.echo(f"{len(work.failed)} units failed; aesdream status {folder} tells why. The same command tries them again.", err=True)
        raise typer.Exit(1)
    typer.echo(work.page if until == STAGES[-1] and work.page.exists() else folder)


@app.command()
def check(study: StudyFile, overrides: Set = None) -> None:
    """Check a study and its sounds without running: everything that is wrong, else the plan with sizes and estimated times.

    Example: aesdream check configs/demo.yaml
    """
    from aesdream.study import load
    from jobs import plan

    loaded = load(study, overrides or ())
    typer.echo(plan.described(loaded, None))


@app.command()
def status(run: RunFolder, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Tell which units of a run are done, running, waiting or failed, and why they failed.

    Example: aesdream status runs/demo
    """
    from jobs.status import status as look

    found = look(run)
    if as_json:
        typer.echo(json.dumps(found.plain(), indent=1))
        return
    for stage, counts in found.stages.items():
        typer.echo(f"{stage:<11}" + "   ".join(f"{counts[state]} {state}" for state in ("done", "running", "waiting", "failed")))
    if found.waiting_for:
        typer.echo(f"as of {found.as_of}, queued tasks wait for: " + ", ".join(f"{reason} ({count})" for reason, count in found.waiting_for.items()))
    if found.notice:
        typer.echo(found.notice)
    for units, reason, log in found.grouped():
        named = units[0] if len(units) == 1 else f"{units[0]} and {len(units) - 1} more"
        typer.echo(f"{named}: {reason}" + (f" (log: {log})" if log else ""))


@app.command()
def cancel(run: RunFolder) -> None:
    """Cancel what a run has queued on Slurm. What is finished stays; aesdream run goes on from it.

    Example: aesdream cancel runs/demo
    """
    from jobs import handing

    typer.echo(handing.cancel(run))


@app.command()
def judge(
    given: Annotated[
        list[Path], typer.Argument(help="Run folders or checkpoints, then sounds or folders of sounds.", metavar="RUN|CHECKPOINT... SOUND...")
    ],
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the table to this file; it must not exist yet.", metavar="FILE")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Which models of a run, a glob on treatment/protocol/split0-seed0; those of its strictest protocol if not said."),
    ] = None,
) -> None:
    """Judge sounds: the probability of each class, averaged over models, with their disagreement.

    Example: aesdream judge runs/demo my-sounds/ --csv judged.csv
    """
    from jobs import judging
    from jobs.progress import Progress

    lost = judging.judge(given, csv_file, model, Progress())
    if lost:
        typer.echo(f"{lost} sounds could not be judged; the note in their row says why", err=True)
        raise typer.Exit(1)


@app.command()
def dream(
    source: Annotated[Path, typer.Argument(help="A run folder or a checkpoint.", metavar="RUN|CHECKPOINT")],
    sound: Annotated[Path, typer.Argument(help="The sound to start from, of any length.", metavar="SOUND")],
    target: Annotated[list[str], typer.Option(help="layer:filter, e.g. conv4:10, conv4:3+5 or class:interesting. May be repeated.")],
    out: Annotated[
        Path | None, typer.Option(help="The WAV to write (for one target); SOUND-layer-filter.wav here if not said.", metavar="WAV")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Which model of a run, treatment/protocol/split0-seed0; the first dreamed one if not said.")
    ] = None,
    side: Annotated[str, typer.Option(help="pre or post the activation, or margin: pre, less the mean of the others.")] = "post",
    rule: Annotated[str, typer.Option(help="How a gradient becomes a step: plain, std, max, mean or norm.")] = "std",
    step: Annotated[float, typer.Option(help="The step size.")] = 0.002,
    steps: Annotated[int, typer.Option(help="How many steps.", min=1)] = 256,
    stop_rms: Annotated[float | None, typer.Option(help="Stop at this root mean square distance from the start.")] = None,
    momentum: Annotated[float, typer.Option(help="How much a step follows the gradients before its own, from 0 to less than 1.")] = 0.0,
) -> None:
    """Dream one sound toward filters or classes.

    Example: aesdream dream runs/demo trombone.wav --target conv4:10 --out dreamed.wav
    """
    from jobs import tools

    for line in tools.dream(source, sound, target, out, model, side=side, rule=rule, step=step, steps=steps, stop_rms=stop_rms, momentum=momentum):
        typer.echo(line)


@app.command()
def appendix(
    runs: Annotated[list[Path], typer.Argument(help="A run folder; with --compare, others after it.", metavar="RUN [OTHER...]")],
    compare: Annotated[bool, typer.Option("--compare", help="Put the runs side by side on a page in RUN/compare, from their appendices.")] = False,
) -> None:
    """Draw the appendix of a run again from what is there, or put runs side by side.

    Example: aesdream appendix runs/demo --compare runs/mine
    """
    from jobs import tools

    typer.echo(tools.appendix(runs, compared=compare))


def main() -> NoReturn:
    """The console script: errors of the user's end in lines on standard error and exit code 2, never in a traceback."""
    try:
        code = app(standalone_mode=False)
    except UserError as error:
        for line in error.lines:
            typer.echo(f"aesdream: {line}", err=True)
        sys.exit(2)
    except DamagedFile as damaged:
        typer.echo(f"aesdream: {damaged}; aesdream run makes it again", err=True)
        sys.exit(2)
    except OSError as error:
        wrong = disk_error(error.filename or "the run folder", error)
        if wrong is error:
            raise
        typer.echo(f"aesdream: {wrong}", err=True)
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        typer.echo("aesdream: stopped; the same command goes on from here", err=True)
        sys.exit(130)
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # a usage error of typer's
            error.show()
            sys.exit(error.exit_code)
        raise
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
