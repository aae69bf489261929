"""How long work shows itself: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

QUIET_SECONDS = 10.0
"""Plain lines come no more often than this."""


class Progress:
    """Shows stages on standard error."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A line about something that happened."""
        self.console.print(text, markup=False)

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """A stage of ``total`` units; call what is yielded with the number that were done."""
        began = monotonic()
        if self.console.is_terminal:
            columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
            with Bar(*columns, console=self.console) as bar:
                shown = bar.add_task(title, total=total)
                yield lambda count: bar.advance(shown, count)
            return
        done, said = 0, began

        def advance(count: int) -> None:
            nonlocal done, said
            done += count
            if done == total or monotonic() - said > QUIET_SECONDS:
                said = monotonic()
                self.say(f"{title}: {done} of {total} ({said - began:.0f} s)")

        yield advance
