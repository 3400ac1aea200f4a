"""Messages in two languages: Indonesian first, English on request."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextvars import ContextVar

#: The languages, the usual one first.
LANGUAGES = ("id", "en")

#: Names that a sentence lists before it says how many there are.
_MOST_LISTED = 30

_language: ContextVar[str] = ContextVar("padan_language", default=LANGUAGES[0])


def set_language(code: str) -> None:
    """Choose ``"id"`` or ``"en"`` for this context."""
    _language.set(code)


def t(indonesian: str, english: str) -> str:
    """The text in the chosen language."""
    return english if _language.get() == "en" else indonesian


def current_language() -> str:
    """``"id"`` or ``"en"``."""
    return _language.get()


def listed(names: Sequence[str]) -> str:
    """The names with commas between, the first thirty where there are more."""
    shown, more = ", ".join(names[:_MOST_LISTED]), len(names) - _MOST_LISTED
    return shown if more <= 0 else shown + t(f", … dan {more} lagi", f", … and {more} more")


#: What an operating system says most often, in Indonesian; it has English only.
_SYSTEM = {
    errno.ENOENT: "tidak ada",
    errno.EACCES: "tidak ada izin",
    errno.EPERM: "tidak ada izin",
    errno.EISDIR: "itu folder",
    errno.ENOTDIR: "bagian alamatnya bukan folder",
    errno.ENOSPC: "ruang simpan penuh",
    errno.EDQUOT: "jatah ruang simpan habis",
    errno.EROFS: "tempatnya hanya dapat dibaca",
    errno.EIO: "perangkat simpan rusak",
    errno.EMFILE: "terlalu banyak berkas terbuka",
}


def system_reason(error: OSError) -> str:
    """Why the operating system refused, without the names of files."""
    number = error.errno or 0
    english = os.strerror(number) if number else type(error).__name__
    return t(_SYSTEM.get(number, english), english)
