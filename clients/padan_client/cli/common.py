"""What every command shares: language, output, exit codes, one way to report an error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console

from padan_client.errors import PadanError
from padan_client.language import set_language, t

P = ParamSpec("P")
R = TypeVar("R")

#: Tables and results go to standard output, progress and messages to standard error.
out = Console()
err = Console(stderr=True)


class Exit(IntEnum):
    """Exit codes of every ``padan`` command; documented in the README."""

    OK = 0
    DEFECT = 1
    USAGE = 2
    BAD_INPUT = 3
    REFUSED = 4
    MISMATCH = 5
    UNAVAILABLE = 6
    UNVERIFIED = 7


JsonFlag = Annotated[
    bool, typer.Option("--json", help="Satu objek JSON ke stdout. / One JSON object to stdout.")
]
HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="PADAN_HOME",
        help="Folder kunci dan setelan instansi. / The agency's keys and settings.",
    ),
]


def default_home() -> Path:
    """``$PADAN_HOME`` or ``~/.padan``."""
    return Path(os.environ.get("PADAN_HOME", Path.home() / ".padan"))


def language_callback(
    lang: Annotated[str, typer.Option("--lang", envvar="PADAN_LANG", help="id | en")] = "id",
) -> None:
    """Padan: pemadanan data antarinstansi tanpa saling memperlihatkan data."""
    if lang not in {"id", "en"}:
        raise typer.BadParameter("id | en")
    set_language(lang)


def print_json(value: Mapping[str, object]) -> None:
    """Write one JSON object and a newline to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def fail(code: Exit, message: str) -> NoReturn:
    """Print ``message`` to standard error and leave with ``code``."""
    err.print(f"[bold red]{t('Gagal', 'Failed')}:[/] ", end="")
    err.print(message, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(int(code))


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command so that a :class:`PadanError` becomes a message and an exit code."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except PadanError as e:
            fail(Exit(e.exit_code), str(e))

    return wrapped
