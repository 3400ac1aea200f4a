"""Phones, e-mail addresses, sex, and numbers with letters in them."""

from __future__ import annotations

import re

from padan_linkage.normalise.latin import LOST, has_lost, is_missing, plain, words
from padan_linkage.normalise.normalised import Doubtful, Fault

_MALE = words("l lk laki laki-laki laki2 laki/laki lelaki pria m male man 1")
_FEMALE = words("p pr perempuan wanita w f female woman wnt 2")

_EMAIL = re.compile(r"^[a-z0-9._%+\-]+@[a-z0-9\-]+(\.[a-z0-9\-]+)+$")
_AT = re.compile(r"\s*(?:\(at\)|\[at\]|@)\s*")
_AFTER_EMAIL = re.compile(r"[\s;,/]+")
#: Between two phones in one field.
_AFTER_PHONE = re.compile(r"\s*[/;,&|]|\s+(?:atau|dan|or)\b")
#: Words beside a phone that say what it is.
_PHONE_LABELS = re.compile(
    r"\b(?:no|nomor|hp|handphone|telp|telpon|telepon|tlp|tel|phone|mobile|wa|whatsapp|rumah|kantor)"
    r"\b\.?"
)
_NOT_ALNUM = re.compile(r"[^0-9A-Z]+")
_PASSPORT = re.compile(r"^(?=(?:.*[0-9]){3})[0-9A-Z]{6,10}$")
_PASSPORT_LABEL = re.compile(
    r"^(?:(?:no|nomor)\b[\s.:]*)?(?:paspor|passport)\b[\s.:]*|^(?:no|nomor)[.:]\s*"
)
_KPJ = re.compile(r"^[0-9]{2}[0-9A-Z][0-9]{8}$")
_KPJ_LABEL = re.compile(r"^(?:(?:no|nomor)\b[\s.:]*)?kpj\b[\s.:]*|^(?:no|nomor)[.:]\s*")

#: A number that a spreadsheet has rounded, or given a fraction.
_EXPONENT = re.compile(r"^\d[.,]?\d*e\+?\d+$")
_SURELY_EXPONENT = re.compile(r"^\d+(?:[.,]\d+e\+?|e\+)\d+$")
_POINT_ZERO = re.compile(r"(?<=\d)[.,]00?$")
_FRACTION = re.compile(r"^\d+[.,]\d{1,2}$")
#: Signs in a code or text that tell something: of a blood group, a bound, an amount below nothing.
_SIGNS = re.compile(r"^-(?=\S)|(?<=\S)-$|^\(\s*\d[^a-z]*\)$")
#: What a cell of text may have around it: ``="012"``.
_QUOTES = re.compile(r'^="?|^"|"$')

#: Digits of a phone with the country code (E.164 allows 15).
_PHONE_DIGITS = range(9, 16)


def parse_sex(value: str) -> str:
    """``L`` (laki-laki) or ``P`` (perempuan)."""
    if is_missing(value):
        return ""
    text = plain(value).replace(" ", "").removesuffix(".")
    if text in _MALE:
        return "L"
    return "P" if text in _FEMALE else Fault.UNKNOWN_VALUE


def parse_phone(value: str) -> str | Doubtful:
    """Digits with the country code; numbers without one are Indonesian (62)."""
    if is_missing(value) or not value.strip(" 0-"):
        return ""
    text = _QUOTES.sub("", plain(value).strip(" /;,"))
    if _EXPONENT.match(text):
        return Fault.SPREADSHEET
    text = _PHONE_LABELS.sub(" ", _POINT_ZERO.sub("", text)).strip(" :.")
    numbers = [part for part in _AFTER_PHONE.split(text) if part.strip(" :.()-")]
    results = [_phone(number) for number in numbers]
    if not results:
        return Fault.UNREADABLE
    first = results[0]
    if isinstance(first, Fault) or all(other == first for other in results):
        return first
    return Doubtful(first.value if isinstance(first, Doubtful) else first, Fault.SEVERAL_VALUES)


def _phone(text: str) -> str | Doubtful:
    """One phone, without labels."""
    text = text.replace("(0)", "").strip(" :.")
    doubt = None
    if re.search(rf"[a-z{LOST}?*#<>=]", text) or text.startswith("-") or _FRACTION.match(text):
        doubt = Fault.PARTLY_READ
    head = text.split(" ext", 1)[0]
    digits = "".join(c for c in head if c.isdigit())
    international = head.lstrip(" (").startswith("+")
    if digits.startswith("00"):
        international, digits = True, digits[2:]
        doubt = doubt or (None if digits.startswith("62") else Fault.TWO_READINGS)
    if international and digits.startswith("0"):
        doubt = doubt or Fault.TWO_READINGS
    if digits.startswith("620"):
        digits = "62" + digits[3:]
    if digits.startswith("0"):
        digits = "62" + digits[1:]
    elif not international and digits.startswith("8"):
        digits = "62" + digits
    elif not international and not digits.startswith("62"):
        doubt = doubt or Fault.TWO_READINGS  # a lost zero, or another country's code
    return _phone_of(digits, doubt)


def _phone_of(digits: str, doubt: Fault | None) -> str | Doubtful:
    if not digits:
        return Fault.UNREADABLE
    if len(set(digits[2:])) <= 1:
        return Fault.FILLER
    if len(digits) not in _PHONE_DIGITS:
        return Fault.TOO_SHORT if len(digits) < _PHONE_DIGITS.start else Fault.TOO_LONG
    return Doubtful(digits, doubt) if doubt else digits


def parse_email(value: str) -> str | Doubtful:
    """The address in lower case; doubtful if there is anything beside it."""
    if is_missing(value):
        return ""
    text = _AT.sub("@", value.strip().lower().removeprefix("mailto:"))
    first, *others = _AFTER_EMAIL.split(text.strip(" <>;,/"))
    address = first.strip(" .<>")
    if not _EMAIL.match(address):
        return Fault.STRUCTURE
    others = [other for other in others if other.strip(" .<>") not in {"", address}]
    if not others:
        return address
    several = any("@" in other for other in others)
    return Doubtful(address, Fault.SEVERAL_VALUES if several else Fault.PARTLY_READ)


def _is_filler(text: str) -> bool:
    """One digit repeated, letters left aside (A0000000), one letter repeated, or counting up."""
    digits = "".join(c for c in text if c.isdigit()) or text
    return len(set(digits)) == 1 or (len(text) > 5 and text in "01234567890123456789")


def parse_passport(value: str) -> str | Doubtful:
    """Six to ten letters and digits, three digits at least (ICAO 9303 has nine characters)."""
    return _coded_number(value, _PASSPORT_LABEL, _PASSPORT)


def parse_bpjstk_number(value: str) -> str | Doubtful:
    """KPJ: eleven characters, the third may be a letter on old cards."""
    return _coded_number(value, _KPJ_LABEL, _KPJ)


def _coded_number(value: str, label: re.Pattern[str], form: re.Pattern[str]) -> str | Doubtful:
    """A number with letters in it, without its label and a spreadsheet's ``.0``."""
    text = _POINT_ZERO.sub("", _QUOTES.sub("", label.sub("", plain(value))))
    bare = _alphanumeric(text)
    if is_missing(value):
        return ""
    if _SURELY_EXPONENT.match(text):
        return Fault.SPREADSHEET
    if bare and _is_filler(bare):
        return Fault.FILLER
    if not form.match(bare):
        return Fault.STRUCTURE
    return _doubted(bare, text, either=_FRACTION.match(text) is not None)


def parse_code(value: str) -> str | Doubtful:
    """Any other code: letters and digits, upper case; leading zeros stay."""
    text = _QUOTES.sub("", plain(value))
    bare = _alphanumeric(text)
    if is_missing(value):
        return ""
    if _SURELY_EXPONENT.match(text):
        return Fault.SPREADSHEET
    if not bare:
        return Fault.UNREADABLE
    pointed = _FRACTION.match(text) is not None and _POINT_ZERO.search(text) is not None
    return _doubted(bare, text, either=pointed)  # 12.0 may be 12


def parse_text(value: str) -> str | Doubtful:
    """Free text: lower-case ASCII tokens of letters and digits."""
    if is_missing(value):
        return ""
    text = _QUOTES.sub("", plain(value))
    found = " ".join(re.findall(r"[a-z0-9]+", text))
    if not found:
        return Fault.UNREADABLE
    return _doubted(found, text)


def _doubted(read: str, text: str, *, either: bool = False) -> str | Doubtful:
    """``read``, doubtful where letters and digits alone do not tell what ``text`` says.

    ``either``: it may be read in another way.
    """
    if either:
        return Doubtful(read, Fault.TWO_READINGS)
    lost = has_lost(text) or _SIGNS.search(text) is not None
    return Doubtful(read, Fault.PARTLY_READ) if lost else read


def _alphanumeric(text: str) -> str:
    return _NOT_ALNUM.sub("", text.upper())
