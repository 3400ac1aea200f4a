"""Places and addresses."""

from __future__ import annotations

import re

from padan_linkage.normalise.facts import table
from padan_linkage.normalise.latin import is_missing, joined_acronyms, plain, words
from padan_linkage.normalise.names.spelling import modern
from padan_linkage.normalise.normalised import Fault

_WORD = re.compile(r"[a-z]+")
#: What separates places; a number and all behind it are no place.
_PARTS = re.compile(r"[,/;()]|\d.*$")
_WORD_OR_NUMBER = re.compile(r"[a-z]+|[0-9]+")

#: What a place is called by its rank, not by its name.
_RANKS = words(
    "kab kabupaten kota kotamadya kotamadia kodya kotif kec kecamatan prov prop provinsi propinsi "
    "adm administrasi administratif dki di daerah istimewa khusus ibukota dati ii tk tingkat"
)
#: Of these, what says that the birthplace proper follows, whatever stood before.
_DISTRICT_RANKS = words("kab kabupaten kota kotamadya kodya")
_TABLE = table("places.txt")
_NAMES = [*_TABLE["kabupaten-kota"], *_TABLE["provinces"]]
#: Known places by their letters alone, however their words are joined or split.
_KNOWN = {name.replace(" ", ""): name for name in _NAMES}
#: Other names of places, by their letters alone.
_OTHER = {
    old.replace(" ", ""): now.split(",")[0]
    for section in ("renamed", "short")
    for old, now in _TABLE[section].items()
}
_DIRECTIONS = {short: long.split(" ") for short, long in _TABLE["directions"].items()}

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


def parse_place(value: str) -> str:
    """A place by its present name, without its rank; a Reason if no letter is left.

    Of several after commas the kabupaten or kota counts, or else the first; what follows a number
    (a date in the same column) does not.
    """
    if is_missing(value):
        return ""
    parts = [_WORD.findall(part) for part in _PARTS.split(joined_acronyms(plain(value)))]
    parts = [[modern(w) for w in part] for part in parts if part]
    if not parts:
        return Fault.UNREADABLE
    ranked = [part for part in parts if len(part) > 1 and part[0] in _DISTRICT_RANKS]
    if len(parts) > 1 and not ranked and _known(_named(parts[0])) is None:
        return _place([w for part in parts for w in part])
    return _place((ranked or parts)[0])


def _place(words: list[str]) -> str:
    whole = _known(words)
    if whole is not None:
        return whole
    named = _named(words)
    return _known(named) or _with_direction(named) or " ".join(named)


def _named(words: list[str]) -> list[str]:
    """The words that are no rank, or all if there is no other."""
    return [w for w in words if w not in _RANKS] or words


def _known(words: list[str]) -> str | None:
    letters = "".join(words)
    return _KNOWN.get(letters) or _OTHER.get(letters)


def _with_direction(words: list[str]) -> str | None:
    """The one known place that an abbreviated direction behind (or Kep. before) can mean."""
    ends = [[*words[:-1], d] for d in _DIRECTIONS.get(words[-1], [])]
    heads = [[d, *words[1:]] for d in _DIRECTIONS.get(words[0], []) if words[0] == "kep"]
    found = {place for place in map(_known, ends + heads) if place is not None}
    return found.pop() if len(found) == 1 else None


def parse_address(value: str) -> str:
    """An address as tokens: street, house number, ``rt1``, ``rw2``, names; labels left out."""
    if is_missing(value):
        return ""
    tokens = _WORD_OR_NUMBER.findall(plain(value))
    result: list[str] = []
    label = ""
    for token in tokens:
        if token in {"rt", "rw"}:
            label = token
        elif token[0].isdigit():
            number = token.lstrip("0") or "0"
            result.append(label + number)
            # RT 001/002: the second number is the RW.
            label = "rw" if label == "rt" else ""
        else:
            label = ""
            if token not in _LABELS:
                result.append(_ADDRESS_WORDS.get(token, token))
    return " ".join(result) or Fault.UNREADABLE
