"""The three populations that the agreements speak of, as columns by field kind.

A world knows the truth: ``column`` gives, for a schema field, what a faultless register would hold.
Households, partners and name tokens are there for the errors that need them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from padan_client.generate import numbers
from padan_client.generate.numbers import THIS_YEAR, Days, days_after
from padan_client.generate.persons import PENSION_AGE, Tokens, make_persons
from padan_client.generate.tokens import (
    Indices,
    Nation,
    Rng,
    Weighted,
    company_words,
    districts,
    names,
    nations,
)
from padan_linkage.schema import Kind

_STREETS = (
    "merdeka sudirman diponegoro ahmad-yani gajah-mada hayam-wuruk pahlawan veteran kartini "
    "imam-bonjol hasanuddin pattimura mawar melati kenanga anggrek cempaka flamboyan dahlia "
    "rajawali merpati garuda kutilang cendrawasih siliwangi majapahit sriwijaya brawijaya "
    "pemuda pelajar pasar stasiun masjid sekolah industri raya-timur raya-barat kebon-jeruk"
)
_VILLAGES = (
    "sukamaju sukajaya mekarsari karanganyar sidomulyo tanjungsari wonosari cibadak pasirputih "
    "rejosari kampung-baru sumberejo margahayu bojong tegalsari sungai-raya batu-merah"
)
_MAIL = ("gmail.com", "yahoo.co.id", "outlook.com", "ymail.com")


class World(Protocol):
    """``size`` entities; ``partner`` is another row of the household or -1."""

    size: int
    partner: Indices
    name_tokens: list[Tokens]

    @property
    def retired(self) -> NDArray[np.bool_]:
        """Who draws a pension."""
        ...

    def column(self, name: str, kind: Kind, rng: Rng) -> list[str]:
        """True values of the schema field ``name``; dates in ISO form, names in lower case."""
        ...


class PersonWorld:
    """Indonesians in households."""

    def __init__(self, size: int, rng: Rng, *, pension_share: float) -> None:
        people = make_persons(size, rng, pension_share=pension_share)
        listed, _ = districts()
        codes = np.array([d.code for d in listed], dtype=np.int64)
        subdistricts = np.array([d.subdistricts for d in listed], dtype=np.int64)
        where = rng.integers(0, 1 << 30, size)[people.household] % subdistricts[people.district] + 1
        self.size, self.partner, self.name_tokens = size, people.partner, people.names
        self._people = people
        self._place = codes[people.district] * 100 + where
        self._towns = [d.name for d in listed]
        self._makers: dict[Kind, Callable[[Rng], list[str]]] = {
            Kind.NIK: self._niks,
            Kind.KK: lambda rng: numbers.kks(self._place, people.household, rng),
            Kind.NIP: lambda rng: numbers.nips(people.birth, people.female, rng),
            Kind.NPWP: lambda rng: numbers.npwps(size, rng),
            Kind.PASSPORT: lambda rng: numbers.passports(size, ["A9999999"] * size, rng),
            Kind.PERSON_NAME: lambda _: [" ".join(tokens) for tokens in people.names],
            Kind.SEX: lambda _: np.where(people.female, "P", "L").tolist(),
            Kind.NATIONALITY: lambda _: ["IDN"] * size,
            Kind.PLACE: lambda _: [self._towns[i] for i in people.birthplace.tolist()],
            Kind.ADDRESS: self._addresses,
        }

    @property
    def female(self) -> NDArray[np.bool_]:
        """Who is a woman."""
        return self._people.female

    @property
    def retired(self) -> NDArray[np.bool_]:
        """Past the pension age of civil servants."""
        return self._people.age >= PENSION_AGE

    def column(self, name: str, kind: Kind, rng: Rng) -> list[str]:
        """See :class:`World`."""
        if kind is Kind.DATE:
            return _dates(name, self._people.birth, rng)
        if kind is Kind.PERSON_NAME and ("ibu" in name or "ayah" in name):
            drawn = names()["female_first" if "ibu" in name else "male_first"].draw(rng, self.size)
            return [drawn[h] for h in self._people.household.tolist()]
        maker = self._makers.get(kind)
        return maker(rng) if maker else _common(kind, self.size, rng)

    def _niks(self, rng: Rng) -> list[str]:
        # A NIK keeps the birth date it was issued with when that is corrected later.
        issued = self._people.birth.copy()
        corrected = rng.random(self.size) < 0.01
        issued[corrected] += rng.integers(1, 400, int(corrected.sum()))
        return numbers.niks(self._place, issued, self._people.female)

    def _addresses(self, rng: Rng) -> list[str]:
        towns = [self._towns[d] for d in self._people.district.tolist()]
        homes = _addresses(towns, rng)
        return [homes[h] for h in self._people.household.tolist()]


class ForeignerWorld:
    """Foreign workers: names from elsewhere, passports, no NIK."""

    def __init__(self, size: int, rng: Rng) -> None:
        listed = nations()
        chosen = Weighted([n.code for n in listed], [n.share for n in listed]).indices(rng, size)
        self.size, self.partner = size, np.full(size, -1, dtype=np.int64)
        self._female = rng.random(size) < 0.25
        self._nations = [listed[i] for i in chosen.tolist()]
        self._birth = days_after(f"{THIS_YEAR - 66}-01-01", rng.integers(0, 42 * 365, size))
        luck = rng.random((size, 3)).tolist()
        self.name_tokens = [
            _foreign_name(nation, woman, row)
            for nation, woman, row in zip(self._nations, self._female.tolist(), luck, strict=True)
        ]

    @property
    def retired(self) -> NDArray[np.bool_]:
        """Nobody."""
        return np.zeros(self.size, dtype=bool)

    def column(self, name: str, kind: Kind, rng: Rng) -> list[str]:
        """See :class:`World`."""
        if kind is Kind.DATE:
            return _dates(name, self._birth, rng)
        if kind is Kind.PASSPORT:
            return numbers.passports(self.size, [n.pattern for n in self._nations], rng)
        if kind is Kind.PERSON_NAME:
            return [" ".join(tokens) for tokens in self.name_tokens]
        if kind is Kind.NATIONALITY:
            return [n.code for n in self._nations]
        if kind is Kind.SEX:
            return np.where(self._female, "P", "L").tolist()  # type: ignore[no-any-return]
        return _common(kind, self.size, rng)


class CompanyWorld:
    """Companies: legal form, name, address, numbers."""

    def __init__(self, size: int, rng: Rng) -> None:
        self.size, self.partner = size, np.full(size, -1, dtype=np.int64)
        words, trades = company_words()["words"][0], company_words()["trades"][0]
        one, two, three = (words.draw(rng, size) for _ in range(3))
        trade = trades.draw(rng, size)
        self._founded = days_after("1985-01-01", rng.integers(0, 38 * 365, size))
        shape = rng.random(size).tolist()
        forms = rng.choice(
            ["pt", "cv", "ud", "koperasi", "yayasan"], size, p=[0.68, 0.22, 0.04, 0.04, 0.02]
        )
        self.name_tokens = [
            [form, *dict.fromkeys(_company_tokens(luck, a, b, c, t))]
            for form, luck, a, b, c, t in zip(
                forms.tolist(), shape, one, two, three, trade, strict=True
            )
        ]

    @property
    def retired(self) -> NDArray[np.bool_]:
        """Nobody."""
        return np.zeros(self.size, dtype=bool)

    def column(self, name: str, kind: Kind, rng: Rng) -> list[str]:
        """See :class:`World`."""
        makers: dict[Kind, Callable[[], list[str]]] = {
            Kind.COMPANY_NAME: lambda: [" ".join(tokens) for tokens in self.name_tokens],
            Kind.DATE: lambda: _dates(name, self._founded, rng),
            Kind.NPWP: lambda: numbers.npwps(self.size, rng),
            Kind.KBLI: lambda: _kblis(self.size, rng),
            Kind.EMAIL: lambda: self._emails(rng),
            Kind.PERSON_NAME: lambda: names()["male_first"].draw(rng, self.size),
        }
        maker = makers.get(kind)
        return maker() if maker else _common(kind, self.size, rng)

    def _emails(self, rng: Rng) -> list[str]:
        domains = zip(self.name_tokens, numbers.unique(self.size, 6, rng), strict=True)
        return [f"info@{''.join(words[1:])}{tail}.co.id" for words, tail in domains]


def _kblis(n: int, rng: Rng) -> list[str]:
    """Some trades are far commoner than others."""
    classes = rng.integers(0, 400, n) ** 2 // 400
    return [str(c * 217 + 10_000) for c in classes.tolist()]


def _company_tokens(luck: float, a: str, b: str, c: str, trade: str) -> list[str]:
    if luck < 0.45:
        return [a, b]
    return [a, b, trade] if luck < 0.7 else [a, b, c]


def _foreign_name(nation: Nation, woman: bool, luck: list[float]) -> Tokens:
    given = nation.women if woman else nation.men
    first = given[int(luck[0] * len(given))][0]
    surname = nation.surnames[int(luck[1] * len(nation.surnames))][0]
    second = given[int(luck[2] * len(given))][0]
    # About every third person has two given names.
    return [first, second, surname] if second != first and luck[2] < 0.4 else [first, surname]


def _common(kind: Kind, n: int, rng: Rng) -> list[str]:
    """Fields that look alike in every world."""
    makers: dict[Kind, Callable[[], list[str]]] = {
        Kind.PHONE: lambda: _phones(n, rng),
        Kind.EMAIL: lambda: _personal_emails(n, rng),
        Kind.ADDRESS: lambda: _addresses(districts()[1].draw(rng, n), rng),
        Kind.PLACE: lambda: districts()[1].draw(rng, n),
        Kind.JKN_CARD: lambda: ["000" + d for d in numbers.unique(n, 10, rng)],
        Kind.NIB: lambda: numbers.unique(n, 13, rng),
        Kind.BPJSTK_NUMBER: lambda: numbers.unique(n, 11, rng),
        Kind.KBLI: lambda: _kblis(n, rng),
        Kind.SEX: lambda: rng.choice(["L", "P"], n).tolist(),
        Kind.NATIONALITY: lambda: ["IDN"] * n,
        Kind.CODE: lambda: numbers.unique(n, 9, rng),
        Kind.TEXT: lambda: names()["middle"].draw(rng, n),
    }
    if kind not in makers:
        raise ValueError(f"no {kind} in this population")
    return makers[kind]()


def _phones(n: int, rng: Rng) -> list[str]:
    prefixes = rng.choice(["0811", "0812", "0813", "0821", "0852", "0857", "0878", "0896"], n)
    return [p + d for p, d in zip(prefixes.tolist(), numbers.unique(n, 8, rng), strict=True)]


def _personal_emails(n: int, rng: Rng) -> list[str]:
    drawn = names()["middle"].draw(rng, n)
    hosts = rng.choice(_MAIL, n).tolist()
    tails = numbers.unique(n, 6, rng)
    return [f"{a}{b}@{c}" for a, b, c in zip(drawn, tails, hosts, strict=True)]


def _dates(name: str, birth: Days, rng: Rng) -> list[str]:
    """Birth dates; other dates, such as an expiry, lie within some years of this one."""
    if "lahir" in name or name in {"dob", "birth_date", "date_of_birth"} or name == "tanggal":
        return _iso(birth)
    return _iso(days_after(f"{THIS_YEAR - 5}-01-01", rng.integers(0, 3650, len(birth))))


def _iso(days: Days) -> list[str]:
    return np.datetime_as_string(days.astype("datetime64[D]")).tolist()  # type: ignore[no-any-return]


def _addresses(towns: list[str], rng: Rng) -> list[str]:
    n = len(towns)
    streets = rng.choice(_STREETS.split(), n).tolist()
    villages = rng.choice(_VILLAGES.split(), n).tolist()
    number, rt, rw = (rng.integers(1, high, n).tolist() for high in (180, 12, 9))
    return [
        f"Jl. {street.replace('-', ' ').title()} No. {house} RT {a:03d}/RW {b:03d} "
        f"Kel. {village.replace('-', ' ').title()}, {town}"
        for street, house, a, b, village, town in zip(
            streets, number, rt, rw, villages, towns, strict=True
        )
    ]
