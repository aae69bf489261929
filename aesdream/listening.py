"""The page on which made sounds are judged by ear: one file beside them that works from disk, without a server or a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from aesdream import files
from aesdream.appendix import words

CLASSES = ("no", "yes")
"""What is said of a sound where no judge has other words; sorted, the positive one is last."""


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the page, whole or not at all.

    ``content``: ``title``; ``key``, under which a browser remembers what was said; ``classes``, the positive one last; ``sounds``, as they are heard
    one after another, each with its ``path`` from the page, its ``family``, the ``sha256`` of its bytes and whether a judge ``kept`` it (None without
    one); ``others``, the folder's sounds that are not on the page; ``judge``, what the page tells of one, or None.
    """
    environment = Environment(
        loader=PackageLoader("aesdream", "appendix/templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("listen.html.j2").render(content=content, words=words)
    files.write_bytes(path, page.encode())
