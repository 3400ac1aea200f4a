"""The ``padan`` command line, put together: the client's commands, then those that others add.

Whoever is installed beside the client adds commands by an entry point of the group
``padan.commands``: a function that takes the application. The laboratory does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Annotated, Any

import typer

from padan_client.base.language import LANGUAGES
from padan_client.base.version import software
from padan_client.cli.helping import BilingualGroup, translate
from padan_client.cli.stopping import take_sigterm
from padan_linkage.crypto.process import keep_memory_private

#: The client's commands in the order of its help, and the module of each: those that are groups of
#: commands have an ``app``, the others add themselves.
_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "agreement": "agreement",
        "home": "home",
        "keys": "keys",
        "minutes": "minutes",
        "release": "release",
        "runs": "runs",
        "schema": "schema",
        "publish": "publish",
        "confirm": "confirm",
        "correct": "correct",
        "fingerprint": "fingerprint",
        "encode": "encode",
        "rehearse": "rehearse",
        "lint-data": "lint_data",
    }
)

_EXIT_CODES = (
    "Kode keluar: 0 selesai, 1 cacat, 2 salah pakai, 3 masukan salah, 4 ditolak menurut "
    "perjanjian, 5 kunci atau skema berbeda, 6 server tidak terjangkau, 7 tidak terverifikasi, "
    "8 ada jawaban yang berubah (correct), 130 dihentikan. / "
    "Exit codes: 0 done, 1 defect, 2 usage, 3 bad input, 4 refused under the agreement, 5 keys or "
    "schema differ, 6 server unreachable, 7 unverified, 8 answers changed (correct), "
    "130 interrupted."
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"padan {software()}")
        raise typer.Exit


def start(
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang",
            envvar="PADAN_LANG",
            help="Bahasa: id | en; bawaan: setelan language di client.toml, selain itu id. / "
            "Language: id | en; default: language in client.toml, else id.",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_version,
            help="Tampilkan versi. / Show the version.",
        ),
    ] = False,
) -> None:
    """Pemadanan data tanpa saling memperlihatkannya. / Matching data without showing it."""
    if lang is not None and lang not in LANGUAGES:
        raise typer.BadParameter(" | ".join(LANGUAGES))


class PadanGroup(BilingualGroup):
    """All commands, each imported when it is asked for: no other command has to wait for it."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, its help in the chosen language."""
        del ctx
        if cmd_name not in self.commands:
            self._load(cmd_name)
            if command := self.commands.get(cmd_name):
                translate(command)
        return self.commands.get(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all, in the order of the help."""
        self.load_all()
        for command in self.commands.values():
            translate(command)
        return super().list_commands(ctx)

    def load_all(self) -> None:
        """Import every command; its texts stay in both languages."""
        known = dict(self.commands)
        self.commands.clear()
        for name in _COMMANDS:
            self._add(partial(_register, name))
        self._add_others()
        self.commands.update(known)

    def _load(self, name: str) -> None:
        if name in _COMMANDS:
            self._add(partial(_register, name))
            return
        self._add_others()
        if name not in self.commands:
            self.load_all()  # to say which names are like it

    def _add_others(self) -> None:
        for entry in entry_points(group="padan.commands"):
            self._add(entry.load())

    def _add(self, register: Callable[[typer.Typer], None]) -> None:
        alone = typer.Typer(add_completion=False)
        register(alone)
        self.commands.update(typer.main.get_group(alone).commands)


def _register(name: str, app: typer.Typer) -> None:
    module = import_module(f"padan_client.cli.commands.{_COMMANDS[name]}")
    if hasattr(module, "app"):
        app.add_typer(module.app, name=name)
    else:
        module.register(app)


app = typer.Typer(
    cls=PadanGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    epilog=_EXIT_CODES,
)
app.callback()(start)


def main() -> None:
    """Entry point of the ``padan`` script."""
    # grpc logs failed handshakes by itself; the user gets them as messages.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    keep_memory_private()
    take_sigterm()
    app()
