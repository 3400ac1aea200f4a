"""How the other fields go wrong, at the rates measured in Indonesian files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from padan_client.generate import name_errors
from padan_client.generate.numbers import Days, parts
from padan_client.generate.persons import Tokens
from padan_client.generate.tokens import Indices, Rng, Weighted, company_words, districts


@dataclass(frozen=True)
class Rates:
    """Shares of one side's values that are missing or wrong."""

    number_missing: float
    number_broken: float
    number_mistyped: float
    number_swapped: float
    date_missing: float
    date_wrong: float
    dates_mixed: float
    name_changed: float
    name_titled: float
    place_other: float
    place_written: float
    contact_missing: float
    contact_other: float


#: A list put together from application forms. Together with the registry's own errors the sums are
#: those measured between Indonesian registers: NIK 11 %, birth date wrong 6 % and missing 4.8 %,
#: names unequal but for titles 13 %.
REQUEST = Rates(
    number_missing=0.03, number_broken=0.055, number_mistyped=0.012, number_swapped=0.004,
    date_missing=0.047, date_wrong=0.055, dates_mixed=0.1, name_changed=0.11, name_titled=0.12,
    place_other=0.1, place_written=0.5, contact_missing=0.3, contact_other=0.15,
)  # fmt: skip
#: A register that is looked after.
REGISTRY = Rates(
    number_missing=0.005, number_broken=0.003, number_mistyped=0.002, number_swapped=0.0005,
    date_missing=0.001, date_wrong=0.005, dates_mixed=0, name_changed=0.01, name_titled=0.02,
    place_other=0.01, place_written=0.1, contact_missing=0.1, contact_other=0.02,
)  # fmt: skip

#: What is wrong with wrong dates, of 32 measured: day, year, month, two parts, all, day for month.
_DATE_ERRORS = Weighted(["day", "year", "month", "two", "all", "swap"], [14, 9, 3, 3, 2, 1])
_MONTHS = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
]
_SHORT_MONTHS = ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"]


def written_numbers(
    values: list[str], partner: Indices, rng: Rng, rates: Rates, *, swappable: bool
) -> list[str]:
    """Numbers missing, broken (cut, filled in, rounded), mistyped, or of another in the home."""
    luck = rng.random(len(values))
    edges = np.cumsum([rates.number_missing, rates.number_broken, rates.number_mistyped,
                       rates.number_swapped])  # fmt: skip
    result = list(values)
    for row in np.flatnonzero(luck < edges[3]).tolist():
        if luck[row] < edges[0]:
            result[row] = ""
        elif luck[row] < edges[1]:
            result[row] = _broken(values[row], rng)
        elif luck[row] < edges[2] or partner[row] < 0 or not swappable:
            result[row] = _mistyped(values[row], rng)
        else:
            result[row] = values[partner[row]]
    return result


def _broken(value: str, rng: Rng) -> str:
    """A number cut, doubled, filled in or rounded: mostly one that can be seen to be none."""
    at = int(rng.integers(1, len(value)))
    cut = value[:at] + value[at + 1 :]
    forms = (
        cut,
        cut,
        cut,
        value[:at] + value[at] + value[at:],
        value[0] + "0" * (len(value) - 1),
        "1234567890123456789"[: len(value)],
        f"{value[0]}.{value[1:3]}E+{len(value) - 1}",
        value[:-1] + "0",
    )
    return forms[rng.integers(len(forms))]


def _mistyped(value: str, rng: Rng) -> str:
    """One digit wrong, or two neighbours exchanged."""
    at = int(rng.integers(len(value) - 1))
    if rng.random() < 0.3 and value[at] != value[at + 1]:
        return value[:at] + value[at + 1] + value[at] + value[at + 2 :]
    digit = str((int(value[at]) + int(rng.integers(1, 10))) % 10) if value[at].isdigit() else "X"
    return value[:at] + digit + value[at + 1 :]


def written_dates(days: Days, rng: Rng, rates: Rates, *, iso: bool) -> list[str]:
    """Dates with wrong parts, in ISO form or as ``dd-mm-yyyy`` with other forms among them."""
    year, month, day = parts(days)
    n = len(days)
    wrong = np.flatnonzero(rng.random(n) < rates.date_wrong)
    for row, kind in zip(wrong.tolist(), _DATE_ERRORS.draw(rng, len(wrong)), strict=True):
        _spoil(kind, row, (year, month, day), rng)
    missing = rng.random(n) < rates.date_missing
    form = np.where(rng.random(n) < rates.dates_mixed, rng.integers(1, 6, n), 0)
    rows = zip(
        year.tolist(), month.tolist(), day.tolist(), form.tolist(), missing.tolist(), strict=True
    )
    return ["" if gone else _date_text(y, m, d, -1 if iso else f) for y, m, d, f, gone in rows]


def _spoil(kind: str, row: int, date: tuple[Indices, Indices, Indices], rng: Rng) -> None:
    """Change parts of one date; the result is a day that exists."""
    year, month, day = date
    if kind == "swap" and day[row] <= 12:
        year[row], month[row], day[row] = year[row], day[row], month[row]
        return
    if kind in {"day", "two", "all", "swap"}:
        day[row] = (day[row] + rng.integers(1, 27)) % 28 + 1
    if kind in {"year", "all"} or (kind == "two" and day[row] % 2):
        year[row] += rng.choice([-10, -2, -1, 1, 2, 10, 9])
    if kind in {"month", "all"} or (kind == "two" and not day[row] % 2):
        month[row] = (month[row] + rng.integers(0, 11)) % 12 + 1
    day[row] = min(day[row], 28)


def _date_text(year: int, month: int, day: int, form: int) -> str:
    """Form -1 is ISO, 0 the usual one, the rest what is mixed in."""
    forms = (
        "{d:02d}-{m:02d}-{y:04d}",
        "{d} {long} {y}",
        "{d:02d}/{m:02d}/{yy:02d}",
        "{d} {short} {y}",
        "{y:04d}{m:02d}{d:02d}",
        "{d:02d}/{m:02d}/{y}",
        "{y:04d}-{m:02d}-{d:02d}",
    )
    long, short = _MONTHS[month - 1], _SHORT_MONTHS[month - 1]
    return forms[form].format(y=year, m=month, d=day, yy=year % 100, long=long, short=short)


def written_places(values: list[str], rng: Rng, rates: Rates) -> list[str]:
    """Towns with or without their rank, in capitals, or another town."""
    n = len(values)
    others = districts()[1].draw(rng, n)
    luck = rng.random((n, 3)).tolist()
    result = []
    for value, other, (a, b, c) in zip(values, others, luck, strict=True):
        place = other if a < rates.place_other else value
        if b < rates.place_written:
            place = place.removeprefix("Kab. ").removeprefix("Kota ")
        result.append(place.upper() if c < 0.5 else place)
    return result


def written_addresses(values: list[str], rng: Rng, rates: Rates) -> list[str]:
    """Addresses shortened, written otherwise, missing, or an older one."""
    n = len(values)
    moved = rng.permutation(n).tolist()
    luck = rng.random((n, 4)).tolist()
    result = []
    for row, (a, b, c, d) in enumerate(luck):
        address = values[moved[row]] if a < rates.contact_other else values[row]
        if b < rates.contact_missing / 4:
            result.append("")
            continue
        if c < rates.place_written:
            address = (
                address.replace("Jl.", "Jalan").replace(" No. ", " No.").replace("RT 0", "RT.0")
            )
            address = address.replace("/RW ", "/").replace("Kel. ", "")
        if d < rates.place_written / 2:
            address = address.rpartition(",")[0]
        result.append(address)
    return result


def written_phones(values: list[str], rng: Rng, rates: Rates) -> list[str]:
    """Phones missing, a former one, or in the international form."""
    luck = rng.random((len(values), 3)).tolist()
    result = []
    for value, (a, b, c) in zip(values, luck, strict=True):
        phone = value[:4] + value[:3:-1] if b < rates.contact_other else value
        if c < rates.place_written:
            phone = f"+62 {phone[1:4]}-{phone[4:8]}-{phone[8:]}"
        result.append("" if a < rates.contact_missing else phone)
    return result


def written_emails(values: list[str], rng: Rng, rates: Rates) -> list[str]:
    """E-mail addresses missing, or a former one."""
    former = (rng.random(len(values)) < rates.contact_other).tolist()
    written = ["x" + value if old else value for value, old in zip(values, former, strict=True)]
    return often_missing(written, rng, rates)


def often_missing(values: list[str], rng: Rng, rates: Rates) -> list[str]:
    """Numbers that a side often does not hold."""
    gone = (rng.random(len(values)) < rates.contact_missing).tolist()
    return ["" if g else value for value, g in zip(values, gone, strict=True)]


def written_flags(values: list[str], rng: Rng, rates: Rates) -> list[str]:
    """Sexes, nationalities and codes: a few missing, fewer those of another row."""
    n = len(values)
    moved = rng.permutation(n).tolist()
    luck = rng.random(n).tolist()
    wrong = rates.number_mistyped / 2
    return [
        "" if a < rates.number_missing / 2 else values[moved[row]] if a > 1 - wrong else values[row]
        for row, a in enumerate(luck)
    ]


def written_companies(names: Sequence[Tokens], rng: Rng, rates: Rates) -> list[str]:
    """Company names: form in front, behind or missing, words shortened, left out or misspelt."""
    short: dict[str, str] = {}
    for _, forms in company_words().values():
        short |= forms
    luck = rng.random((len(names), 5)).tolist()
    result = []
    for (form, *words), (a, b, c, d, e) in zip(names, luck, strict=True):
        written = _changed_words(words, short, b, rng) if a < rates.name_changed else words
        branch = ["cabang", "jakarta"] if c < rates.name_changed / 5 else []
        result.append(_company_text(form, " ".join(written + branch), d, e, rates.place_written))
    return result


def _changed_words(words: Tokens, short: dict[str, str], luck: float, rng: Rng) -> Tokens:
    if luck < 0.6:
        return [short.get(w, w) for w in words]
    if luck < 0.8 and len(words) > 2:
        return words[:-1]
    return name_errors.slip(words, rng)


def _company_text(form: str, name: str, place: float, case: float, varied: float) -> str:
    mark = form.upper() if len(form) == len("pt") else form.title()
    name = name.upper() if case < 0.5 else name.title()
    if place > varied:
        return f"{mark} {name}"
    if place > varied * 0.6:
        return f"{mark}. {name}"
    if place > varied * 0.3:
        return f"{name}, {mark}"
    return f"{name} {mark}" if place > varied * 0.1 else name
