"""What an officer has to agree to before it happens: overwriting, and what cannot be undone."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.cli.common import say

_MOST_NAMED = 5
_YES = frozenset({"y", "ya", "yes"})


def agree(consequence: str, *, given: bool, option: str) -> None:
    """Go on where ``option`` was given, or the officer says yes to ``consequence``, a sentence.

    Raises BadInputError otherwise, and where there is no terminal to ask at.
    """
    if given:
        return
    if not sys.stdin.isatty():
        raise BadInputError(
            t(
                f"{consequence} Tidak ada terminal untuk menanyakannya; bila memang dikehendaki, "
                f"pakai {option}.",
                f"{consequence} There is no terminal to ask at; if that is what you want, use "
                f"{option}.",
            )
        )
    say(f"{consequence} " + t("Lanjutkan? (ya/tidak)", "Go on? (yes/no)"))
    if sys.stdin.readline().strip().casefold() not in _YES:
        raise BadInputError(t("Dibatalkan; tidak ada yang diubah.", "Cancelled; nothing changed."))


def claim(
    *paths: Path | None, reads: Iterable[Path | None] = (), tables: bool = False, force: bool
) -> None:
    """The files that a command will write, made sure of before anything is asked of anybody.

    ``tables``: they are tables, in any of the formats. Raises BadInputError for one that cannot be
    written, that is read (``reads``) or that is wanted
    twice, and for one that is there already unless ``force`` or the officer lets it be overwritten.
    """
    from padan_client.records.table_files import require_writable, standing

    require_writable(*paths, reads=reads, tables=tables)
    there = ", ".join(map(str, standing(*paths)))
    if there:
        lost = t(
            f"{there} sudah ada dan akan ditimpa.", f"{there} exists and would be overwritten."
        )
        agree(lost, given=force, option="--force")


def claim_in(
    folder: Path, files: Iterable[Path], *, reads: Iterable[Path] = (), force: bool
) -> None:
    """The same for files in a folder that the command makes where it is missing."""
    if folder.exists():
        claim(*files, reads=reads, force=force)


def claim_folder(folder: Path, touched: list[Path], *, reads: Iterable[Path], force: bool) -> None:
    """The same for a folder that is made anew: ``touched`` is what somebody would miss in it.

    Raises BadInputError for an input (``reads``) that lies in it.
    """
    for path in reads:
        if path.resolve().is_relative_to(folder.resolve()):
            raise BadInputError(
                t(
                    f"{path} ada di folder {folder}, yang akan dibuat baru. Pilih folder lain.",
                    f"{path} lies in the folder {folder}, which is made anew. Choose another one.",
                )
            )
    if touched:
        names = ", ".join(str(path) for path in touched[:_MOST_NAMED])
        more = ", …" if len(touched) > _MOST_NAMED else ""
        lost = t(
            f"Folder {folder} akan dibuat baru, dan yang ditambah atau diubah di dalamnya hilang: "
            f"{names}{more}.",
            f"The folder {folder} will be made anew, and what was added or changed in it is lost: "
            f"{names}{more}.",
        )
        agree(lost, given=force, option="--force")
