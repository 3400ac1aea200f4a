"""The ways in which the same person can be met again: each a ladder of exact keys.

The first rung of a ladder is the most forgiving; where too many rows share it, the next one asks
for more. Which families a schema gets follows from its fields alone. What each is for, and the
errors that it forgives: ``proto/spec/45-advice.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from padan_linkage.advice.fields import FieldChoice, Fields
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.vocabulary import STRONG, Meaning

Exact = tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """One way of meeting: ``rungs`` from forgiving to strict, and what it is good for."""

    id: str
    rungs: tuple[Exact, ...]
    said: Remark


@dataclass(frozen=True)
class ExactKeys:
    """The exact keys that a set of fields offers; None where it has no such field."""

    first: str | None
    last: str | None
    name: str | None
    middle: str | None
    date: str | None
    year: str | None
    sex: str | None

    @classmethod
    def of(cls, fields: Fields) -> ExactKeys:
        """The keys that ``fields`` offer."""
        given, surname = fields.of(Meaning.GIVEN_NAME), fields.of(Meaning.SURNAME)
        whole, date = fields.of(Meaning.FULL_NAME, Meaning.COMPANY), fields.of(Meaning.BIRTH_DATE)
        sex, middle = fields.of(Meaning.SEX), fields.of(Meaning.MIDDLE_NAME)
        lone = fields.of(Meaning.BIRTH_YEAR, Meaning.AGE)
        name = whole[0].name if whole else None
        return cls(
            first=given[0].name if given else name,
            last=surname[0].name if surname else name,
            name=name,
            middle=middle[0].name if middle else None,
            date=date[0].name if date else None,
            year=f"{date[0].name}:year" if date else lone[0].name if lone else None,
            sex=sex[0].name if sex else None,
        )

    @property
    def ends(self) -> list[tuple[str, str]]:
        """First and last name as ends and fields, of those that there are."""
        both = [("first", self.first), ("last", self.last)]
        return [(end, name) for end, name in both if name]

    def stricter(self, *exact: str) -> tuple[Exact, ...]:
        """Further rungs over ``exact``: with the sex, with the year of birth."""
        rungs = []
        if self.sex:
            rungs.append((*exact, self.sex))
        if self.year and not any(e.startswith(self.date or self.year) for e in exact):
            rungs.append((*exact, self.year))
        return tuple(rungs)


def heads_of(name: str, end: str) -> list[str]:
    """Ever more of the first or the last name."""
    return [f"{name}:{end}{n}" for n in (1, 2, 3)] + [f"{name}:phonetic_{end}"]


def families(fields: Fields) -> Iterator[Family]:
    """Every family that ``fields`` allow, the most useful first."""
    parts = ExactKeys.of(fields)
    places = fields.of(Meaning.POSTCODE, Meaning.ADDRESS, Meaning.BIRTHPLACE, Meaning.PLACE)
    yield from _numbers(fields)
    yield from _dates(parts)
    yield from _lone_year(parts)
    yield from _names(parts)
    yield from _at_lone_year(places, parts)
    yield from (_at(f, parts, "first") for f in places)
    yield from _one_name(parts)
    yield from _few(fields, parts)
    yield from _parts_of_dates(parts)
    yield from (_at(f, parts, "last") for f in places)
    yield from _ends(parts)


def _numbers(fields: Fields) -> Iterator[Family]:
    for f in fields.of(*Meaning):
        if f.role in STRONG or f.role is Meaning.KK:
            yield Family(
                f.name,
                ((f.name,),),
                Remark(
                    f"nomor {f.name} sama; nama dan tanggal lahir mengukuhkannya.",
                    f"the same {f.name}; name and birth date confirm it.",
                ),
            )


def _dates(p: ExactKeys) -> Iterator[Family]:
    """The birth date alone where few share it, else with the head of either name, or of both."""
    if not p.date:
        return
    said = Remark(
        "tanggal lahir sama: nama boleh salah eja.",
        "the same birth date: names may be misspelt.",
    )
    alone: list[Exact] = [(p.date,), *([(p.date, p.sex)] if p.sex else [])]
    both: list[Exact] = [(p.date, f"{p.name}:ends{n}") for n in (2, 3)] if p.name else []
    yield Family("birth", (*alone, *_with_head(p.date, p.first, "first"), *both), said)
    if p.last:
        yield Family("birth-last", (*alone, *_with_head(p.date, p.last, "last"), *both), said)


def _with_head(key: str, name: str | None, end: str) -> list[Exact]:
    """``key`` with ever more of the first or the last name."""
    if not name:
        return []
    return [(key, head) for head in heads_of(name, end)]


def _names(p: ExactKeys) -> Iterator[Family]:
    if not p.name:
        return
    ladder: list[Exact] = []
    for exact in ((f"{p.name}:ends2",), (f"{p.name}:ends3",)):
        ladder += [exact, *p.stricter(*exact)]
    yield Family(
        "names",
        (*ladder, (f"{p.name}:phonetic",), *p.stricter(f"{p.name}:phonetic")),
        Remark(
            "awal kedua nama sama, dalam urutan apa pun: tanggal lahir boleh salah.",
            "the beginnings of both names agree, in any order: the birth date may be wrong.",
        ),
    )


def _one_name(p: ExactKeys) -> Iterator[Family]:
    """One name whole, of the other the initial; only where the two stand apart."""
    if not p.first or not p.last or p.first == p.last:
        return
    for id_, whole, part in (
        ("surname", f"{p.last}:phonetic_last", f"{p.first}:first1"),
        ("given", f"{p.first}:phonetic_first", f"{p.last}:last1"),
    ):
        yield Family(
            id_,
            ((whole, part), *p.stricter(whole, part)),
            Remark(
                "bunyi satu nama dan huruf awal nama lainnya sama.",
                "one name sounds the same, the other has the same initial.",
            ),
        )


def _few(fields: Fields, p: ExactKeys) -> Iterator[Family]:
    """Fields of few values get no segment of their own; their evidence is that they agree here.

    Without a birth date they stand in one segment together, so that one name may do by itself.
    """
    few = tuple(
        f.name
        for f in fields.of(Meaning.MIDDLE_NAME, Meaning.SEX, Meaning.NATIONALITY, Meaning.CATEGORY)
    )
    if not few or not p.first or not p.last:
        return
    said = Remark(
        f"bunyi satu nama dan {', '.join(few)} sama: nama lain dan tanggal lahir boleh salah.",
        f"one name and {', '.join(few)} agree: the other name and the birth date may be wrong.",
    )
    for id_, key in (
        ("last-few", f"{p.last}:phonetic_last"),
        ("first-few", f"{p.first}:phonetic_first"),
    ):
        rungs = tuple((key, *few[:n]) for n in range(1 if p.date else 0, len(few) + 1))
        yield Family(id_, rungs, said)


def _at(f: FieldChoice, p: ExactKeys, end: str) -> Family:
    """Meeting at a place: by itself if few share it, else with a name or a year."""
    name = p.first if end == "first" else p.last
    ladder = [(f.name,), *_with_head(f.name, name, end)]
    if name and p.date:
        ladder.append((f.name, f"{name}:{end}2", f"{p.date}:year"))
    return Family(
        f"{f.name}-{end}",
        tuple(ladder),
        Remark(
            f"{f.name} sama: tanggal lahir boleh salah, dan nama sebagian.",
            f"the same {f.name}: the birth date may be wrong, and part of the name.",
        ),
    )


def _parts_of_dates(p: ExactKeys) -> Iterator[Family]:
    if not p.date or not p.first or not p.last:
        return
    month, day = (f"{p.date}:{d}" for d in ("month", "day"))
    for who, key in (("last", p.last), ("first", p.first)):
        heads = heads_of(key, who)
        yield _with_year(heads, f"{p.date}:year", who)
        yield Family(
            f"{who}-day",
            tuple((h, month, day) for h in heads),
            Remark(
                "awal nama, hari dan bulan lahir sama: tahun boleh salah.",
                "the beginning of a name, day and month agree: the year may be wrong.",
            ),
        )


def _with_year(heads: list[str], year: str, end: str) -> Family:
    """Part of the first or last name, and the year of birth."""
    return Family(
        f"{end}-year",
        tuple((head, year) for head in heads),
        Remark(
            "awal nama dan tahun lahir sama: hari dan bulan boleh salah.",
            "the beginning of a name and the year of birth agree: day and month may be wrong.",
        ),
    )


def _lone_year(p: ExactKeys) -> Iterator[Family]:
    """Part of a name with a year or an age that is all that is known of the birth."""
    if p.date or not p.year or not p.first or not p.last:
        return
    yield _with_year(heads_of(p.last, "last"), p.year, "last")
    yield _with_year(heads_of(p.first, "first"), p.year, "first")
    if p.middle:
        alone = (p.middle, p.year)
        yield Family(
            "middle-year",
            (alone, *((*alone, head) for head in heads_of(p.first, "first"))),
            Remark(
                "nama tengah dan tahun lahir sama: nama belakang boleh berganti.",
                "middle name and year of birth agree: the surname may have changed.",
            ),
        )


def _at_lone_year(places: list[FieldChoice], p: ExactKeys) -> Iterator[Family]:
    """A place and the year, where that is all that is known of the birth."""
    if p.date or not p.year or not p.first:
        return
    for f in places:
        alone = (f.name, p.year)
        yield Family(
            f"{f.name}-year",
            (alone, *((*alone, head) for head in heads_of(p.first, "first"))),
            Remark(
                f"{f.name} dan tahun lahir sama: nama boleh salah eja.",
                f"{f.name} and year of birth agree: names may be misspelt.",
            ),
        )


def _ends(p: ExactKeys) -> Iterator[Family]:
    if not p.first or not p.last or p.first == p.last:
        return
    ends = (f"{p.first}:first_end", f"{p.last}:last_end")
    yield Family(
        "ends",
        (ends, *p.stricter(*ends)),
        Remark(
            "akhir kedua nama sama: awalnya boleh salah.",
            "the ends of both names agree: their beginnings may be wrong.",
        ),
    )
    if p.date:
        yield Family(
            "surname-month",
            (
                (f"{p.last}:last3", f"{p.date}:month"),
                (f"{p.last}:phonetic_last", f"{p.date}:month"),
                (f"{p.last}:phonetic_last", f"{p.date}:year_month"),
            ),
            Remark(
                "nama belakang dan bulan lahir sama.",
                "surname and month of birth agree.",
            ),
        )
