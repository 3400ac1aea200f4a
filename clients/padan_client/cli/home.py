"""How commands come by the agency's home and keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t

_LONGEST_LINE = 8192

if TYPE_CHECKING:
    from padan_client.home.folder import Home


def open_home(folder: Path) -> Home:
    """The home, its keys unlocked; asks for the passphrase where none is given."""
    from padan_client.home.folder import Home
    from padan_client.home.identity import is_encrypted

    return Home.open(folder, passphrase=ask_passphrase() if is_encrypted(folder) else None)


def ask_passphrase(*, confirm: bool = False) -> str:
    """What PADAN_PASSPHRASE_FILE holds, else PADAN_PASSPHRASE, else what the user types.

    The user types it twice with ``confirm``. Raises BadInputError for a file that cannot be read or
    that others may read, and where there is neither a variable nor a terminal to ask at.
    """
    if file := os.environ.get("PADAN_PASSPHRASE_FILE"):
        return _from_file(Path(file))
    given = os.environ.get("PADAN_PASSPHRASE")
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise BadInputError(
            t(
                "Perlu frasa sandi kunci, tetapi tidak ada terminal untuk menanyakannya. Isi "
                "PADAN_PASSPHRASE_FILE atau PADAN_PASSPHRASE.",
                "The passphrase of the keys is needed, and there is no terminal to ask for it. "
                "Set PADAN_PASSPHRASE_FILE or PADAN_PASSPHRASE.",
            )
        )
    return _typed(t("Frasa sandi kunci", "Passphrase of the keys"), confirm=confirm)


def ask_new_passphrase() -> str:
    """What PADAN_NEW_PASSPHRASE_FILE holds, else what the user types twice; errors as above."""
    if file := os.environ.get("PADAN_NEW_PASSPHRASE_FILE"):
        return _from_file(Path(file))
    if not sys.stdin.isatty():
        raise BadInputError(
            t(
                "Perlu frasa sandi yang baru, tetapi tidak ada terminal untuk menanyakannya. Isi "
                "PADAN_NEW_PASSPHRASE_FILE.",
                "The new passphrase is needed, and there is no terminal to ask for it. Set "
                "PADAN_NEW_PASSPHRASE_FILE.",
            )
        )
    return _typed(t("Frasa sandi yang baru", "New passphrase"), confirm=True)


def _typed(question: str, *, confirm: bool) -> str:
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True))


def _from_file(path: Path) -> str:
    """A file's first line; a pipe or descriptor (/dev/fd/N) has no owner to be checked."""
    from padan_client.base.ownership import require_private

    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(_LONGEST_LINE).rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInputError(t(f"{path} bukan teks UTF-8.", f"{path} is no UTF-8 text.")) from None
    if path.is_file():
        require_private(path, linked=True)
    return line
