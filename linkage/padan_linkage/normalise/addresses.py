"""Addresses: street, house number, RT and RW, names; labels left out."""

from __future__ import annotations

import re

from padan_linkage.normalise.latin import has_lost, is_missing, joined_acronyms, plain, words
from padan_linkage.normalise.normalised import Doubtful, Fault

_LABELS = words(
    "jl jln jalan jalanan no nomor nmr nr kel kelurahan ds desa kec kecamatan kab kabupaten kota "
    "kotamadya kodya prov provinsi propinsi kodepos pos indonesia dki"
)
_ADDRESS_WORDS = {
    "gg": "gang", "gng": "gang", "kp": "kampung", "kpg": "kampung", "kamp": "kampung",
    "kampong": "kampung", "dsn": "dusun", "dus": "dusun", "blk": "blok", "lt": "lantai",
    "kav": "kavling", "kavl": "kavling", "perum": "perumahan", "perumnas": "perumahan",
    "prm": "perumahan", "prum": "perumahan", "komp": "perumahan", "kompl": "perumahan",
    "komplek": "perumahan", "kompleks": "perumahan", "apt": "apartemen", "apartment": "apartemen",
    "lingk": "lingkungan", "lk": "lingkungan", "ruko": "ruko", "ged": "gedung", "gdg": "gedung",
    "raya": "raya", "st": "street", "rd": "road", "ave": "avenue",
}  # fmt: skip
#: Labels of which two may stand before two values.
_LABEL = (
    "(rt|rw|blok|blk|no|nomor|kav|kavling|lt|lantai|unit|gg|gang|dusun|dsn|desa|ds|kel|kelurahan|kec|"
    "kecamatan|kab|kabupaten|kota)"
)
_BETWEEN = r"\s*(?:[/.,\-&]|\bdan\b)\s*"
_VALUE = r"([a-z0-9]+)"
_PAIR = re.compile(rf"\b{_LABEL}\b\.?{_BETWEEN}{_LABEL}\b[\s.:]*{_VALUE}(?:{_BETWEEN}|\s+){_VALUE}")
#: What may join two labels: only where it is, it is worth looking for them.
_JOINED = re.compile(r"[/\-&](?<=[a-z. ][/\-&])\s*[a-z]")
#: RT.RW and RTRW, RT RW.
_RTRW = re.compile(r"r([tw])(?<=\br[tw])[\s.,]*r(?!\1)([tw])\b")
#: RT/RW 001002: as many digits for either.
_GLUED = re.compile(r"rt/rw[\s.:]*(?:(\d{3})(\d{3})|(\d\d)(\d\d))(?!\d)")
_RT_AND_RW = re.compile(rf"r([tw])(?<=\br[tw]){_BETWEEN}r(?!\1)[tw]\b")
#: RT 001/002: the second number is the RW.
_RW_UNSAID = re.compile(r"rt(?<=\brt)[\s.:\-]*(\d{1,3})\s*[/.\-]\s*(\d{1,3})\b(?![\s/.\-]*\d)")
_RW_TWICE = re.compile(r"rt(?<=\brt) \d+ rw \d+[\s/.,\-]*rw")
_WORD_OR_NUMBER = re.compile(r"[a-z]+|[0-9]+")


def parse_address(value: str) -> str | Doubtful:
    """An address as tokens: street, house number, ``rt1``, ``rw2``, names; labels left out.

    Two labels before two values are one each: RT/RW 1/2 is RT 1 RW 2. Doubtful if a letter is lost,
    or one number stands behind two labels.
    """
    if is_missing(value):
        return ""
    text = _labels_apart(joined_acronyms(plain(value)))
    tokens = _in_order(_tokens(text))
    if not tokens:
        return Fault.UNREADABLE
    address = " ".join(tokens)
    if "rw" in text and (_RT_AND_RW.search(text) or _RW_TWICE.search(text)):
        return Doubtful(address, Fault.TWO_READINGS)
    return Doubtful(address, Fault.PARTLY_READ) if has_lost(text) else address


def _labels_apart(text: str) -> str:
    """Every value behind its own label."""
    if "rt" in text and "rw" in text:
        text = _RTRW.sub(r"r\1/r\2", text)
        text = _GLUED.sub(lambda m: f"rt {m[1] or m[3]} rw {m[2] or m[4]}", text)
    if _JOINED.search(text) or " dan " in text:
        text = _PAIR.sub(_each_with_its_own, text)
    return _RW_UNSAID.sub(lambda m: f"rt {m[1]} rw {m[2]}", text)


def _each_with_its_own(pair: re.Match[str]) -> str:
    first, second, one, other = pair.groups()
    numbered = one.isdigit() and other.isdigit()
    if first == second or ({first, second} & {"rt", "rw"} and not numbered):
        return pair[0]
    return f"{first} {one} {second} {other}"


def _tokens(text: str) -> list[str]:
    result: list[str] = []
    label = ""
    for token in _WORD_OR_NUMBER.findall(text):
        if token in {"rt", "rw"}:
            label = token
        elif token[0].isdigit():
            result.append(label + (token.lstrip("0") or "0"))
            label = ""
        else:
            label = ""
            if token not in _LABELS:
                result.append(_ADDRESS_WORDS.get(token, token))
    return result


def _in_order(tokens: list[str]) -> list[str]:
    """The RT before the RW."""
    for n in range(len(tokens) - 1):
        if _is_part("rw", tokens[n]) and _is_part("rt", tokens[n + 1]):
            tokens[n], tokens[n + 1] = tokens[n + 1], tokens[n]
    return tokens


def _is_part(label: str, token: str) -> bool:
    return token.startswith(label) and token[len(label) :].isdigit()
