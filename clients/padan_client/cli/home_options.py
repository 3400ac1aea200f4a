"""How commands come by the agency's home and keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.cli.common import err

if TYPE_CHECKING:
    from padan_client.home.folder import Home

AgreementOption = Annotated[
    str, typer.Option("--agreement", "-a", help="Id perjanjian. / Agreement id.")
]
FlowOption = Annotated[str, typer.Option("--flow", "-f", help="Id alur. / Flow id.")]
IdOption = Annotated[
    str, typer.Option("--id", help="Kolom id rekaman. / Column that names the records.")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="bidang=KOLOM (boleh berulang). / field=COLUMN (repeatable)."),
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option("--status", help="Kolom status, atau nama=KOLOM. / Status column."),
]
ModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="unit | direct | auto; bawaan: unit bila boleh. / Default: unit if allowed.",
    ),
]
QuarantineOption = Annotated[
    Path | None,
    typer.Option("--quarantine", help="Berkas baris bermasalah. / File of rows with problems."),
]


def open_home(folder: Path) -> Home:
    """The home, its keys unlocked; asks for the passphrase where PADAN_PASSPHRASE is not set."""
    from padan_client.home.folder import Home
    from padan_client.home.identity import is_encrypted

    return Home.open(folder, passphrase=ask_passphrase() if is_encrypted(folder) else None)


def ask_passphrase(*, confirm: bool = False) -> str:
    """PADAN_PASSPHRASE, or what the user types; twice with ``confirm``.

    Raises BadInputError where there is neither a variable nor a terminal to ask at.
    """
    given = os.environ.get("PADAN_PASSPHRASE")
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise BadInputError(
            t(
                "Perlu frasa sandi kunci, tetapi tidak ada terminal untuk menanyakannya. Isi "
                "PADAN_PASSPHRASE.",
                "The passphrase of the keys is needed, and there is no terminal to ask for it. "
                "Set PADAN_PASSPHRASE.",
            )
        )
    question = t("Frasa sandi kunci", "Passphrase of the keys")
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True))


def say(message: str) -> None:
    """A message to standard error, as it is."""
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def pairs(given: list[str] | None, option: str) -> dict[str, str] | None:
    """``["a=B", …]`` as a mapping; None where nothing was given. Raises BadInputError."""
    if not given:
        return None
    mapping: dict[str, str] = {}
    for item in given:
        name, equals, column = item.partition("=")
        if not equals or not name or name in mapping:
            raise BadInputError(
                t(
                    f"{option} {item}: tulis sebagai nama=KOLOM, tiap nama sekali.",
                    f"{option} {item}: write name=COLUMN, each name once.",
                )
            )
        mapping[name] = column
    return mapping


def statuses(given: list[str] | None) -> str | dict[str, str] | None:
    """``--status COL`` once, or ``--status name=COL`` for each column of the agreement."""
    if given and len(given) == 1 and "=" not in given[0]:
        return given[0]
    return pairs(given, "--status")
