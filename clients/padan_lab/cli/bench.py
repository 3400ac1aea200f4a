"""``padan bench``: measurements on this machine, the peers beside Padan in one run."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from padan_client.cli.helping import translate

_BENCHES = (
    "confirm",
    "encode",
    "fair",
    "join",
    "kernel",
    "national",
    "quality",
    "sweep",
    "upload",
    "voprf",
)


class Benches(TyperGroup):
    """Measurements, each imported when it is asked for: no other command has to wait for them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names."""
        del ctx
        return list(_BENCHES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The measurement of that name, its help in the chosen language."""
        del ctx
        if cmd_name not in _BENCHES:
            return None
        if cmd_name not in self.commands:
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(import_module(f"padan_lab.bench.{cmd_name}").command)
            command = typer.main.get_command(alone)
            translate(command)
            self.commands[cmd_name] = command
        return self.commands[cmd_name]


app = typer.Typer(cls=Benches, no_args_is_help=True)


@app.callback()
def group() -> None:
    """Pengukuran di mesin ini. / Measurements on this machine."""
