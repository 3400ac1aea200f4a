"""Environments for peers whose wheels pin packages that ours must not have."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path


def python_with(folder: Path, *packages: str) -> Path:
    """The Python of the environment ``folder``, made where it is missing, with ``packages`` in it.

    Packages are named with their versions, not with hashes: nothing of ours runs beside them.
    Raises OSError or subprocess.CalledProcessError where it cannot be made.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    install = [str(python), "-m", "pip", "install", "-qq", *packages]
    subprocess.run(install, check=True, capture_output=True)  # noqa: S603 - our own arguments
    return python
