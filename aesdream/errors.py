"""The two ways in which work stops without being our bug."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class UserError(Exception):
    """The user's input is wrong; the command line prints every line of it and exits 2.

    Each line names the file, key or sound, says what is wrong and what would be right.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        return type(self), self.lines


class DamagedFile(Exception):
    """A file that was finished no longer holds what was written; it must be made again.

    ``path`` is the damaged file, ``why`` what its reader saw.
    """

    def __init__(self, path: str | Path, why: str) -> None:
        super().__init__(f"{path}: damaged ({why})")
        self.path, self.why = Path(path), why

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self.path), self.why)


def one_of(what: str, given: object, valid: Iterable[object]) -> UserError:
    """An unknown name, answered with every valid one."""
    return UserError(f"{what}: {given!r} is unknown; valid: {', '.join(map(str, valid))}")
