"""The commit that this Padan was made of, as far as it can be known without running anything.

A wheel and a source archive carry it in a file that the build hook writes, which loads this module
by its path: it imports nothing of ours. A checkout has it in ``.git``.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHOWN = 12


@cache
def commit() -> str:
    """The commit, shortened to 12 hex digits; empty where it is not known."""
    found = _text(_HERE / "commit.txt")
    # This very file must lie in a checkout of the project, and not in that of another.
    if not found and (_ROOT / "hatch_build.py").is_file():
        found = commit_of(_ROOT)
    return found[:_SHOWN]


def commit_of(root: Path) -> str:
    """The commit of a source archive or a checkout at ``root``, whole; empty if not known."""
    return _text(root / "COMMIT") or head_commit(root)


def head_commit(root: Path) -> str:
    """The commit that is checked out at ``root``, whole; empty where there is none."""
    git = root / ".git"
    pointer = _text(git).removeprefix("gitdir: ") if git.is_file() else ""
    folder = root / pointer if pointer else git
    found = _text(folder / "HEAD")
    if found.startswith("ref: "):
        name, common = found.removeprefix("ref: "), folder / (_text(folder / "commondir") or ".")
        found = _text(common / name) or _packed(common / "packed-refs", name)
    return found if _COMMIT.fullmatch(found) else ""


def _packed(refs: Path, name: str) -> str:
    lines = (line.partition(" ") for line in _text(refs).splitlines())
    return next((found for found, _, named in lines if named == name), "")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""
