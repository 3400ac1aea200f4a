"""The ``padan`` command line, put together: the client's commands, then those that others add.

Whoever is installed beside the client adds commands by an entry point of the group
``padan.commands``: a function that takes the application. The laboratory does.
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points

import typer

from padan_client.cli.commands import (
    agreement,
    confirm,
    encode,
    keys,
    lint_data,
    minutes,
    publish,
    rehearse,
    release,
    runs,
    schema,
)
from padan_client.cli.common import language_callback

_EXIT_CODES = (
    "Kode keluar / exit codes: 0 selesai / done, 1 cacat / defect, 2 salah pakai / usage, "
    "3 masukan salah / bad input, 4 ditolak menurut perjanjian / refused, 5 kunci atau skema "
    "berbeda / mismatch, 6 server tidak terjangkau / unreachable, 7 tidak terverifikasi / "
    "unverified, 130 dihentikan / interrupted."
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    epilog=_EXIT_CODES,
)
app.callback()(language_callback)
app.add_typer(agreement.app, name="agreement")
app.add_typer(keys.app, name="keys")
app.add_typer(minutes.app, name="minutes")
app.add_typer(release.app, name="release")
app.add_typer(runs.app, name="runs")
app.add_typer(schema.app, name="schema")
for module in (publish, confirm, encode, rehearse, lint_data):
    module.register(app)
for entry in entry_points(group="padan.commands"):
    entry.load()(app)


def main() -> None:
    """Entry point of the ``padan`` script."""
    # grpc logs failed handshakes by itself; the user gets them as messages.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    app()
