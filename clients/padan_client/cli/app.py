"""The ``padan`` command line, put together: the client's commands, then those that others add.

Whoever is installed beside the client adds commands by an entry point of the group
``padan.commands``: a function that takes the application. The laboratory does.
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import Annotated

import typer

from padan_client.base.language import LANGUAGES
from padan_client.base.version import software
from padan_client.cli.commands import (
    agreement,
    confirm,
    correct,
    encode,
    fingerprint,
    home,
    keys,
    lint_data,
    minutes,
    publish,
    rehearse,
    release,
    runs,
    schema,
)
from padan_client.cli.helping import BilingualGroup
from padan_client.cli.stopping import take_sigterm
from padan_linkage.crypto.process import keep_memory_private

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


app = typer.Typer(
    cls=BilingualGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    epilog=_EXIT_CODES,
)
app.callback()(start)
app.add_typer(agreement.app, name="agreement")
app.add_typer(home.app, name="home")
app.add_typer(keys.app, name="keys")
app.add_typer(minutes.app, name="minutes")
app.add_typer(release.app, name="release")
app.add_typer(runs.app, name="runs")
app.add_typer(schema.app, name="schema")
for module in (publish, confirm, correct, fingerprint, encode, rehearse, lint_data):
    module.register(app)
for entry in entry_points(group="padan.commands"):
    entry.load()(app)


def main() -> None:
    """Entry point of the ``padan`` script."""
    # grpc logs failed handshakes by itself; the user gets them as messages.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    keep_memory_private()
    take_sigterm()
    app()
