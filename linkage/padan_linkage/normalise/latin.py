"""Unicode to plain lower-case ASCII, and the marks that people write for "nothing"."""

from __future__ import annotations

import html
import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

#: What stands in a cell that has no value, in lower case.
MISSING = frozenset({
    "", "-", "--", "---", "----", "-----", ".", "..", "?", "null", "none", "nan", "n/a", "#n/a",
    "#ref!", "#value!", "#name?", "#null!", "(null)", "(kosong)", "<null>", "\\n", "na", "n.a.",
    "nihil", "kosong", "tidak ada", "tdk ada", "tak ada", "belum ada", "tidak diketahui",
    "tidak diisi", "belum diisi", "unknown", "t.a.d",
})  # fmt: skip
#: The longest of them.
_LONGEST = max(map(len, MISSING)) + 2
_MISSING = pa.array(sorted(MISSING))

#: Letters that Unicode does not take apart into a base letter and a mark.
_LETTERS = str.maketrans({
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i",
    "ə": "a", "ħ": "h", "ŋ": "ng", "Æ": "AE", "Œ": "OE", "Ø": "O", "Đ": "D", "Ð": "D", "Ł": "L",
    "Þ": "TH", "Ə": "A", "Ħ": "H", "Ŋ": "NG",
})  # fmt: skip
#: Every shape of the apostrophe, the Arabic letters ain and hamza in transliteration among them.
_APOSTROPHES = str.maketrans(dict.fromkeys("'`´‘’‛ʻʼʽʾʿˈ′＇\ufffd", ""))
#: UTF-8 that was read as Windows-1252: Ã and the like before a character of the upper half.
_MOJIBAKE = re.compile(r"[ÂÃÄÅâ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_SPACES = re.compile(r"\s+")
_ACRONYM = re.compile(r"\b(?:[a-z]\.){2,}")


def words(text: str) -> frozenset[str]:
    """The words of a table written as running text."""
    return frozenset(text.split())


def ascii_text(value: str) -> str:
    """``value`` in ASCII, case kept: marks off letters, apostrophes gone, spaces single.

    Text that was decoded wrongly on its way (``JosÃ©``, ``&#39;``) is mended first. Characters of
    other scripts are dropped, so the result may be empty.
    """
    if "&" in value:
        value = html.unescape(value)
    if not value.isascii():
        value = unicodedata.normalize("NFKC", mended(value)).translate(_APOSTROPHES)
        value = unicodedata.normalize("NFKD", value.translate(_LETTERS))
        value = "".join(" " if c.isspace() else c for c in value if c.isascii() or c.isspace())
    else:
        value = value.replace("'", "").replace("`", "")
    return _SPACES.sub(" ", value).strip()


def plain(value: str) -> str:
    """Lower-case ASCII of ``value``; see :func:`ascii_text`."""
    return ascii_text(value).lower()


def mended(value: str) -> str:
    """Undo, up to twice, that UTF-8 was read as Windows-1252 or Latin-1."""
    for _ in range(2):
        if not _MOJIBAKE.search(value):
            break
        for wrong in ("cp1252", "latin-1"):
            try:
                value = value.encode(wrong).decode("utf-8")
            except UnicodeError:
                continue
            break
        else:
            break
    return value


def joined_acronyms(text: str) -> str:
    """Single letters with dots between them as one word: ``p.t.`` is ``pt``."""
    return _ACRONYM.sub(lambda m: m[0].replace(".", "") + " ", text)


def is_missing(value: str) -> bool:
    """Whether ``value`` only says that there is no value."""
    return value.strip().lower() in MISSING


def without_missing(values: pa.StringArray) -> pa.StringArray:
    """The column with "" for every value that only says that there is none."""
    short = pc.less_equal(pc.binary_length(values), _LONGEST)
    if not pc.any(short, min_count=0).as_py():
        return values
    nothing = pc.is_in(
        pc.ascii_lower(pc.ascii_trim_whitespace(values.filter(short))), value_set=_MISSING
    )
    if not pc.any(nothing, min_count=0).as_py():
        return values
    return pc.replace_with_mask(values, short, pc.if_else(nothing, "", values.filter(short)))
