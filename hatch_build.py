"""Build hook: a wheel and a source archive say of which commit they were made.

The same commit gives the same bytes: nothing but its name is written, for
``padan_linkage.crypto.commit`` to read.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Where a wheel has it, and where a source archive has it for the wheel that is made of that.
_IN_WHEEL, _IN_ARCHIVE = "padan_linkage/crypto/commit.txt", "COMMIT"


class CommitHook(BuildHookInterface):
    """Writes the commit beside :mod:`padan_linkage.crypto.commit`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file, unless the build is editable: a checkout is read when it runs."""
        root = Path(self.root)
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        made = Path(self._folder.name) / "commit.txt"
        made.write_text(_reader(root).commit_of(root) + "\n", "utf-8")
        target = _IN_ARCHIVE if self.target_name == "sdist" else _IN_WHEEL
        build_data["force_include"][str(made)] = target

    def finalize(self, *_: object) -> None:
        """Let go of the file that was only to be packed."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def _reader(root: Path) -> Any:
    """The module that reads a checkout, by its path: while building nothing is installed."""
    path = root / "linkage/padan_linkage/crypto/commit.py"
    spec = importlib.util.spec_from_file_location("padan_commit", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
