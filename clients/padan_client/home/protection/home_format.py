"""Which version of Padan a home is of: ``format.json``, read before anything else.

One number for all files of a home. Whatever changes in the form of any of them counts it up, and
says here how homes of the number before are brought up to date. Spec
``proto/spec/20-keys.md``, "Files at home".
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic_core import from_json

from padan_client.base.errors import BadInputError
from padan_client.base.files import read_plain, write_private
from padan_client.base.language import t
from padan_client.base.ownership import lies
from padan_client.base.version import newer_made, software
from padan_linkage.crypto.software import FormatAge, format_age, shown

#: Homes without the file are of the number before the first. They are read as they are, and so are
#: those of number 1, which name one key of a direct epoch where each direct key has its own now.
HOME_FORMAT = 2
FILE = "format.json"


def require_known_format(home: Path) -> None:
    """Raise BadInputError, with nothing touched, for a home that a later version has used."""
    if not lies(home / FILE):
        return
    try:
        made = from_json(read_plain(home / FILE))
        given = made["format"]
        age = format_age(given, HOME_FORMAT)
    except (ValueError, TypeError, KeyError):
        raise _unreadable(home / FILE) from None
    if age is FormatAge.LATER:  # whatever else it says: of a later form only the number is known
        there, here = shown(str(made.get("software", ""))), software()
        raise BadInputError(
            t(
                f"{home} dipakai Padan {there} (bentuk {given}), yang lebih baru; versi ini, "
                f"{here}, membaca sampai bentuk {HOME_FORMAT}. Tidak ada yang disentuh: jalankan "
                "versi itu atau yang lebih baru.",
                f"{home} was used by Padan {there} (format {given}), which is newer; this "
                f"version, {here}, reads up to format {HOME_FORMAT}. Nothing was touched: run that "
                "version or a newer one.",
            )
        )


def made_by_newer(path: Path) -> BadInputError:
    """A file of a form that a later version brought in."""
    return BadInputError(newer_made(str(path), str(path)))


def keep_format(home: Path) -> None:
    """Say that this version uses the home, where no version of its number has said so yet."""
    if not _is_kept(home / FILE) and os.access(home, os.W_OK):
        made = {"format": HOME_FORMAT, "software": software()}
        write_private(home / FILE, json.dumps(made).encode())


def _is_kept(path: Path) -> bool:
    if not lies(path):
        return False
    return format_age(from_json(read_plain(path))["format"], HOME_FORMAT) is FormatAge.PRESENT


def _unreadable(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"{path} tidak terbaca; di situ tertulis versi Padan yang memakai folder itu. Pulihkan "
            "dari cadangan.",
            f"{path} cannot be read; it says which version of Padan uses the folder. Restore it "
            "from a backup.",
        )
    )
