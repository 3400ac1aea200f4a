"""What somebody has put into, or changed in, the folder of an earlier demonstration."""

from __future__ import annotations

from pathlib import Path

#: Written last by every demonstration.
_LAST = "demo.json"


def broken_off(folder: Path) -> int:
    """How many files an earlier demonstration left that did not come to its end; 0 for none."""
    if not folder.is_dir() or any(folder.rglob(_LAST)):
        return 0
    return sum(1 for path in folder.rglob("*") if not path.is_dir())


def touched(folder: Path) -> list[Path]:
    """Files that came or changed after the demonstrations in ``folder`` had ended.

    Nothing where none has ended there: what a broken one left is nobody's. The time of the last
    change of a file's entry counts, which copying with old dates does not move back.
    """
    if not folder.is_dir():
        return []
    files = {path: path.lstat().st_ctime_ns for path in folder.rglob("*") if not path.is_dir()}
    ended = max((at for path, at in files.items() if path.name == _LAST), default=None)
    return [] if ended is None else sorted(path for path, at in files.items() if at > ended)
