"""Tables in text files: rules that are facts about Indonesia, written so that a registrar can read.

A file has sections ``[name]`` of lines ``key  meaning`` (two spaces between); ``#`` begins a
comment.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def table(file: str) -> dict[str, dict[str, str]]:
    """The sections of ``data/<file>``: each maps keys to meanings, in the file's order."""
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    text = files("padan_linkage.normalise").joinpath("data", file).read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            section = sections[line.strip("[]")] = {}
        elif line and not line.startswith("#"):
            key, _, meaning = line.partition("  ")
            section[key.strip()] = meaning.strip()
    return sections
