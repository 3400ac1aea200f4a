"""Unicode to plain lower-case ASCII, and the marks that people write for "nothing"."""

from __future__ import annotations

import re
import unicodedata

#: What stands in a cell that has no value, in lower case.
MISSING = frozenset({
    "", "-", "--", "---", ".", "?", "null", "none", "nan", "n/a", "#n/a", "#ref!", "#value!",
    "nihil", "kosong", "tidak ada", "tdk ada", "belum ada", "tidak diketahui", "unknown",
})  # fmt: skip

#: Letters that Unicode does not take apart into a base letter and a mark.
_LETTERS = str.maketrans({
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i",
    "ə": "a", "ħ": "h", "ŋ": "ng",
})  # fmt: skip
#: Every shape of the apostrophe, the Arabic letters ain and hamza in transliteration among them.
_APOSTROPHES = str.maketrans(dict.fromkeys("'`´‘’‛ʻʼʽʾʿˈ′＇", ""))
_SPACES = re.compile(r"\s+")
_ACRONYM = re.compile(r"\b(?:[a-z]\.){2,}")


def words(text: str) -> frozenset[str]:
    """The words of a table written as running text."""
    return frozenset(text.split())


def plain(value: str) -> str:
    """Lower-case ASCII of ``value``: marks off letters, apostrophes gone, spaces single.

    Characters of other scripts are dropped, so the result may be empty.
    """
    if not value.isascii():
        value = unicodedata.normalize("NFKC", value).lower().translate(_APOSTROPHES)
        value = unicodedata.normalize("NFKD", value.translate(_LETTERS))
        value = "".join(" " if c.isspace() else c for c in value if c.isascii() or c.isspace())
    else:
        value = value.replace("'", "").replace("`", "")
    return _SPACES.sub(" ", value).strip().lower()


def joined_acronyms(text: str) -> str:
    """Single letters with dots between them as one word: ``p.t.`` is ``pt``."""
    return _ACRONYM.sub(lambda m: m[0].replace(".", "") + " ", text)


def is_missing(value: str) -> bool:
    """Whether ``value`` only says that there is no value."""
    return value.strip().lower() in MISSING
