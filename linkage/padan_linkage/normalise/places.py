"""Places: birthplaces, kabupaten, kota."""

from __future__ import annotations

import re

from padan_linkage.normalise.dates import parse_date
from padan_linkage.normalise.facts import table
from padan_linkage.normalise.latin import has_lost, is_missing, joined_acronyms, plain, words
from padan_linkage.normalise.names.spelling import modern
from padan_linkage.normalise.normalised import Doubtful, Fault

_WORD = re.compile(r"[a-z]+")
#: What separates places.
_PARTS = re.compile(r"[,/;()]")
_DIGIT = re.compile(r"\d")

#: What a place is called by its rank, not by its name.
_RANKS = words(
    "kab kabupaten kota kotamadya kotamadia kodya kotif kec kecamatan prov prop provinsi propinsi "
    "adm administrasi administratif dki di daerah istimewa khusus ibukota dati ii tk tingkat"
)
#: Of these, what says that the birthplace proper follows, whatever stood before.
_DISTRICT_RANKS = words("kab kabupaten kota kotamadya kodya")
#: What lies within a kabupaten or kota, or around it.
_LESSER_RANKS = words(
    "kec kecamatan kel kelurahan ds desa dsn dusun prov prop provinsi propinsi negara"
)
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
_PROVINCES = frozenset(_TABLE["provinces"])
#: Provinces that are a place too: behind a slash they are another.
_BOTH = _PROVINCES & ({*_TABLE["kabupaten-kota"], "jakarta"})
_DIRECTIONS = {short: long.split(" ") for short, long in _TABLE["directions"].items()}


def parse_place(value: str) -> str | Doubtful:
    """A place by its present name, without its rank; a Fault if no letter is left.

    Of several after commas the kabupaten or kota counts, or else the first; a date behind it, of
    the same column, goes. Doubtful if anything else would go: a number, another place.
    """
    if is_missing(value):
        return ""
    written, digits = _cut(joined_acronyms(plain(value)))
    parts = [_WORD.findall(part) for part in _PARTS.split(written)]
    parts = [[modern(w) for w in part] for part in parts if part]
    if not parts:
        return Fault.UNREADABLE
    doubt = Fault.PARTLY_READ if digits or has_lost(written) else None
    ranked = [part for part in parts if len(part) > 1 and part[0] in _DISTRICT_RANKS]
    if len(parts) > 1 and not ranked and _known(_named(parts[0])) is None:
        place = _place([w for part in parts for w in part])
    else:
        chosen = (ranked or parts)[0]
        place = _place(chosen)
        others = [part for part in parts if part is not chosen]
        doubt = doubt or _lost_with(others, place, _BOTH if "/" in written else frozenset())
    return Doubtful(place, doubt) if doubt else place


def _cut(text: str) -> tuple[str, bool]:
    """The text before its first digit, and whether what is behind is more than a date."""
    found = _DIGIT.search(text)
    if found is None:
        return text, False
    date = parse_date(text[found.start() :])
    return text[: found.start()], not date or isinstance(date, Fault)


def _lost_with(others: list[list[str]], place: str, places: frozenset[str]) -> Fault | None:
    """Why a place is doubtful if these parts are left out: they say another, or are not known.

    A province around it is no other place, but for ``places``.
    """
    for part in others:
        if part[0] in _LESSER_RANKS or set(part) <= _RANKS | {"indonesia"}:
            continue
        also = _place(part)
        if also != place and also not in _PROVINCES - places:
            return Fault.TWO_READINGS if _known(_named(part)) else Fault.PARTLY_READ
    return None


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
