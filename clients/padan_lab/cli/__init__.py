"""The commands that the laboratory adds to ``padan``, in a group of their own in its help.

Start at :func:`register`. May import every other room of the laboratory.
"""

from __future__ import annotations

import typer

#: The group's title in ``padan --help``.
PANEL = "Laboratorium / Laboratory"


def register(app: typer.Typer) -> None:
    """Add the laboratory's commands to ``app``; the entry point ``padan.commands``."""
    from padan_lab.cli import assess, bench, demo, games, generate

    for module in (demo, generate, assess, games):
        module.register(app)
    app.add_typer(bench.app, name="bench", rich_help_panel=PANEL)
