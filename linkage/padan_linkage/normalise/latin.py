"""Unicode to plain lower-case ASCII, and the marks that people write for "nothing"."""

from __future__ import annotations

import html
import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

from padan_linkage.normalise.normalised import map_distinct

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
_APOSTROPHES = str.maketrans(dict.fromkeys("'`´‘’‛ʻʼʽʾʿˈ′＇", ""))
#: Stands for each letter, digit or sign that has no form in ASCII. A control character, so that no
#: value that is parsed has it by itself.
LOST = "\x1a"
#: That, what masks a letter (``B***``) or stands for a lost one, and signs that say something.
_LOST = re.compile(rf"[{LOST}?*+<>=%~^]")
#: What was cut off behind.
_CUT_OFF = re.compile(r"\.{3,}|…")
#: Signs that tell nothing.
_SILENT_SIGNS = frozenset("©®°")
#: Entities of HTML; one without its semicolon may be letters of a name (``Jual&notaris``).
_ENTITY = re.compile(r"&#?[a-zA-Z0-9]{1,31};")
#: UTF-8 that was read as Windows-1252: Ã and the like before a character of the upper half.
_MOJIBAKE = re.compile(r"[ÂÃÄÅâ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_SPACES = re.compile(r"\s+")
_ACRONYM = re.compile(r"\b(?:[a-z]\.){2,}")


def words(text: str) -> frozenset[str]:
    """The words of a table written as running text."""
    return frozenset(text.split())


def ascii_text(value: str) -> str:
    """``value`` in ASCII, case kept: marks off letters, apostrophes gone, spaces single.

    Text that was decoded wrongly on its way (``JosÃ©``, ``&#39;``) is mended first. Dashes become
    ``-``, digits of every script those of ASCII; other letters, digits and signs become LOST.
    """
    if "&" in value:
        value = _ENTITY.sub(lambda m: html.unescape(m[0]), value)
    if "..." in value or "…" in value:
        value = _CUT_OFF.sub(LOST, value)
    if not value.isascii():
        value = unicodedata.normalize("NFKC", mended(value).translate(_APOSTROPHES))
        value = unicodedata.normalize("NFKD", value.translate(_LETTERS))
        value = "".join(c if c.isascii() else _in_ascii(c) for c in value)
    value = value.replace("'", "").replace("`", "")
    return _SPACES.sub(" ", value).strip()


def _in_ascii(character: str) -> str:
    """A character that no decomposition has brought to ASCII."""
    if character.isspace():
        return " "
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    if kind == "Pd" or character == "\N{MINUS SIGN}":
        return "-"
    tells = kind[0] in "LN" or kind in {"Sm", "So", "Co", "Cn"} or character == "\N{BULLET}"
    return LOST if tells and character not in _SILENT_SIGNS else ""


def ascii_column(values: pa.StringArray) -> pa.StringArray:
    """The column with :func:`ascii_text` in place of values that are not plainly ASCII."""
    strange = pc.or_(pc.invert(pc.string_is_ascii(values)), pc.match_substring(values, "&"))
    if not pc.any(strange, min_count=0).as_py():
        return values
    return pc.replace_with_mask(values, strange, map_distinct(values.filter(strange), ascii_text))


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


def has_lost(text: str) -> bool:
    """Whether a letter, digit or sign of plain text is lost if its letters and digits are kept."""
    return _LOST.search(text) is not None


def is_missing(value: str) -> bool:
    """Whether ``value`` only says that there is no value."""
    text = value.strip().lower()
    return text in MISSING or (not text.isascii() and plain(text) in MISSING)


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
