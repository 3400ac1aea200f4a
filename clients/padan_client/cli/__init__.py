"""The ``padan`` command line. Each command group is a module of this package."""

from __future__ import annotations

import os

import typer

from padan_client.cli import (
    agreement,
    assess,
    bench,
    confirm,
    demo,
    encode,
    generate,
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
app.add_typer(bench.app, name="bench")
app.add_typer(keys.app, name="keys")
app.add_typer(minutes.app, name="minutes")
app.add_typer(release.app, name="release")
app.add_typer(runs.app, name="runs")
app.add_typer(schema.app, name="schema")
for module in (publish, confirm, encode, rehearse, assess, demo, generate, lint_data):
    module.register(app)


def main() -> None:
    """Entry point of the ``padan`` script."""
    # grpc logs failed handshakes by itself; the user gets them as messages.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    app()
