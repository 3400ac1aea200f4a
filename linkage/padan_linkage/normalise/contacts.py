"""Phones, e-mail addresses, sex, and numbers with letters in them."""

from __future__ import annotations

import re

from padan_linkage.normalise.latin import is_missing, plain, words
from padan_linkage.normalise.normalised import Fault

_MALE = words("l lk laki laki-laki laki2 laki/laki lelaki pria m male man 1")
_FEMALE = words("p pr perempuan wanita w f female woman wnt 2")

_EMAIL = re.compile(r"^[a-z0-9._%+\-]+@[a-z0-9\-]+(\.[a-z0-9\-]+)+$")
_AT = re.compile(r"\s*(?:\(at\)|\[at\]|@)\s*")
_SECOND_EMAIL = re.compile(r"[\s;,/]+")
#: One field, two phones: the first one counts.
_SECOND_PHONE = re.compile(r"\s*[/;,]|\s+(?:atau|dan|ext)\b")
_NOT_ALNUM = re.compile(r"[^0-9A-Z]+")
_PASSPORT = re.compile(r"^(?=(?:.*[0-9]){3})[0-9A-Z]{6,10}$")
_KPJ = re.compile(r"^[0-9]{2}[0-9A-Z][0-9]{8}$")

#: A number that a spreadsheet has rounded, or given a fraction.
_EXPONENT = re.compile(r"^\d[.,]?\d*e\+?\d+$")
_POINT_ZERO = re.compile(r"\.0$")

#: Digits of a phone with the country code (E.164 allows 15).
_PHONE_DIGITS = range(9, 16)


def parse_sex(value: str) -> str:
    """``L`` (laki-laki) or ``P`` (perempuan)."""
    if is_missing(value):
        return ""
    text = plain(value).replace(" ", "").strip(".")
    if text in _MALE:
        return "L"
    return "P" if text in _FEMALE else Fault.UNKNOWN_VALUE


def parse_phone(value: str) -> str:
    """Digits with the country code; numbers without one are Indonesian (62)."""
    if is_missing(value) or not value.strip(" 0-"):
        return ""
    text = plain(value).strip(" /;,")
    if _EXPONENT.match(text):
        return Fault.SPREADSHEET
    first = _SECOND_PHONE.split(_POINT_ZERO.sub("", text))[0]
    digits = "".join(c for c in first.replace("(0)", "") if c.isdigit())
    international = first.lstrip(" (").startswith("+")
    if digits.startswith("00"):
        digits, international = digits[2:], True
    if digits.startswith("620"):
        digits = "62" + digits[3:]
    if digits.startswith("0"):
        digits = "62" + digits[1:]
    elif not international and digits.startswith("8"):
        digits = "62" + digits
    if not digits:
        return Fault.UNREADABLE
    if len(set(digits[2:])) <= 1:
        return Fault.FILLER
    if len(digits) < _PHONE_DIGITS.start:
        return Fault.TOO_SHORT
    return digits if len(digits) in _PHONE_DIGITS else Fault.TOO_LONG


def parse_email(value: str) -> str:
    """The address in lower case; the first, if there are several."""
    if is_missing(value):
        return ""
    text = _AT.sub("@", value.strip().lower().removeprefix("mailto:"))
    first = _SECOND_EMAIL.split(text.strip(" <>;,/"))[0].strip(" .<>")
    return first if _EMAIL.match(first) else Fault.STRUCTURE


def _is_filler(text: str) -> bool:
    """One digit repeated, letters left aside (A0000000), one letter repeated, or counting up."""
    digits = "".join(c for c in text if c.isdigit()) or text
    return len(set(digits)) == 1 or (len(text) > 5 and text in "01234567890123456789")


def parse_passport(value: str) -> str:
    """Six to ten letters and digits, three digits at least (ICAO 9303 has nine characters)."""
    if is_missing(value):
        return ""
    text = _alphanumeric(value)
    if _is_filler(text):
        return Fault.FILLER
    return text if _PASSPORT.match(text) else Fault.STRUCTURE


def parse_bpjstk_number(value: str) -> str:
    """KPJ: eleven characters, the third may be a letter on old cards."""
    if is_missing(value):
        return ""
    text = _alphanumeric(value)
    if _is_filler(text):
        return Fault.FILLER
    return text if _KPJ.match(text) else Fault.STRUCTURE


def parse_code(value: str) -> str:
    """Any other code: letters and digits, upper case; leading zeros stay."""
    return "" if is_missing(value) else _alphanumeric(value) or Fault.UNREADABLE


def parse_text(value: str) -> str:
    """Free text: lower-case ASCII tokens of letters and digits."""
    if is_missing(value):
        return ""
    return " ".join(re.findall(r"[a-z0-9]+", plain(value))) or Fault.UNREADABLE


def _alphanumeric(value: str) -> str:
    return _NOT_ALNUM.sub("", plain(value).upper())
