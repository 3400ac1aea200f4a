"""How commands come by the agency's home and keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t

if TYPE_CHECKING:
    from padan_client.home.folder import Home


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
