"""Ways of meeting again by equal keys alone: ladders of keys that nearly one person bears.

What one filter forgives, several of these forgive together, each blind to other errors: how a name
ends or is spelt, the day, the year, the other name, the place. Spec: ``proto/spec/45-advice.md``,
"Passes".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from padan_linkage.advice.fields import FieldChoice, Fields
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.vocabulary import STRONG, Meaning
from padan_linkage.advice.ways.families import Exact, ExactKeys, Family, heads_of

#: Where somebody is, whose child, and since when: one of these and a name tell one person.
_AT = (
    Meaning.POSTCODE, Meaning.ADDRESS, Meaning.BIRTHPLACE, Meaning.PLACE, Meaning.RELATIVE,
    Meaning.OTHER_DATE,
)  # fmt: skip
#: What a ladder asks for besides, the least forgotten first.
_BESIDES = (Meaning.MIDDLE_NAME, Meaning.SEX, *_AT, Meaning.NATIONALITY, Meaning.CATEGORY)
_WHOLE = ("ends2", "ends3", "phonetic")


def exact_families(fields: Fields) -> Iterator[Family]:
    """Every family of exact passes that ``fields`` allow, the most useful first."""
    keys = ExactKeys.of(fields)
    numbers = [f for f in fields.of(*Meaning) if f.role in STRONG or f.role is Meaning.KK]
    checks = _checks(keys)
    besides = [f.name for f in fields.of(*_BESIDES)]
    yield from _numbers(numbers, checks[:2])
    yield from _born(keys, besides)
    yield from _partly_born(keys, besides)
    yield from _at(fields, keys, besides)
    yield from _names(keys, besides)
    yield from _numbers(numbers, checks[2:])


def _ladder(rungs: Sequence[Exact], besides: Sequence[str]) -> tuple[Exact, ...]:
    """``rungs``, then the last of them with one, then with two more fields."""
    last = rungs[-1]
    said = {key.partition(":")[0] for key in last}
    more = [name for name in besides if name not in said]
    one = [(*last, name) for name in more]
    two = [(*last, name, other) for i, name in enumerate(more) for other in more[i + 1 :]]
    return (*rungs, *one, *two)


def _checks(k: ExactKeys) -> list[tuple[str, Exact]]:
    """What confirms a number, each enough by itself; nothing, where there is nothing to do it."""
    found: list[tuple[str, Exact]] = []
    if k.first:
        found.append(("first", (f"{k.first}:phonetic_first",)))
    if k.date:
        found.append(("month", (f"{k.date}:year_month",)))
        found.append(("day", (f"{k.date}:month", f"{k.date}:day")))
    elif k.year:
        found.append(("year", (k.year,)))
    if k.last:
        found.append(("last", (f"{k.last}:phonetic_last",)))
    if k.name:
        found.append(("initials", (f"{k.name}:initials",)))
    return found or [("alone", ())]


def _numbers(
    numbers: Sequence[FieldChoice], checks: Sequence[tuple[str, Exact]]
) -> Iterator[Family]:
    for what, check in checks:
        for f in numbers:
            said = Remark(
                f"nomor {f.name} sama, dan satu hal lain memastikannya.",
                f"the same {f.name}, and one thing more confirms it.",
            )
            yield Family(f"{f.name}-{what}", ((f.name, *check),), said)


def _born(k: ExactKeys, besides: Sequence[str]) -> Iterator[Family]:
    """The whole birth date, and part of the name or of what there is besides."""
    if not k.date:
        return
    said = Remark(
        "tanggal lahir dan sebagian nama sama: sisa nama boleh salah.",
        "birth date and part of the name agree: the rest of the name may be wrong.",
    )
    for end, name in k.ends:
        heads = [(k.date, head) for head in heads_of(name, end)]
        yield Family(f"birth-{end}", _ladder(heads, besides), said)
    if k.name:
        initials = (k.date, f"{k.name}:initials")
        yield Family("birth-initials", _ladder([initials], besides), said)
        yield Family("birth-names", tuple((k.date, f"{k.name}:{x}") for x in _WHOLE), said)
    for end, name in k.ends:
        yield Family(f"birth-{end}-end", _ladder([(k.date, f"{name}:{end}_end")], besides), said)
    for name in besides:
        yield Family(
            f"birth-{name}",
            _ladder([(k.date, name)], besides),
            Remark(
                f"tanggal lahir dan {name} sama: nama boleh salah.",
                f"birth date and {name} agree: the name may be wrong.",
            ),
        )


def _partly_born(k: ExactKeys, besides: Sequence[str]) -> Iterator[Family]:
    """Names, and what is right of a birth date."""
    said = Remark(
        "nama dan sebagian tanggal lahir sama: sisa tanggal boleh salah.",
        "the name and part of the birth date agree: the rest of the date may be wrong.",
    )
    for what, part in _parts_of_birth(k):
        if k.name:
            names = [(f"{k.name}:{x}", *part) for x in _WHOLE]
            yield Family(f"names-{what}", _ladder(names, besides), said)
    for what, part in _parts_of_birth(k)[:2]:
        for end, name in k.ends:
            one = (f"{name}:phonetic_{end}", *part)
            yield Family(f"{end}-{what}", _ladder([one], besides), said)


def _parts_of_birth(k: ExactKeys) -> list[tuple[str, Exact]]:
    if k.date:
        parts = {"month": ("year_month",), "day": ("month", "day"), "year": ("year",)}
        parts["swapped"] = ("unordered",)
        return [(what, tuple(f"{k.date}:{x}" for x in part)) for what, part in parts.items()]
    return [("year", (k.year,))] if k.year else []


def _at(fields: Fields, k: ExactKeys, besides: Sequence[str]) -> Iterator[Family]:
    """A place, a relative or another date, and part of the name."""
    for f in fields.of(*_AT):
        said = Remark(
            f"{f.name} dan sebagian nama sama: tanggal lahir boleh salah.",
            f"{f.name} and part of the name agree: the birth date may be wrong.",
        )
        for end, name in k.ends:
            heads: list[Exact] = [(f.name, head) for head in heads_of(name, end)]
            heads += [(*heads[-1], k.year)] if k.year else []
            yield Family(f"{f.name}-{end}", _ladder(heads, besides), said)
        if k.name:
            names = [(f.name, f"{k.name}:{x}") for x in _WHOLE]
            yield Family(f"{f.name}-names", _ladder(names, besides), said)


def _names(k: ExactKeys, besides: Sequence[str]) -> Iterator[Family]:
    if k.name:
        said = Remark(
            "nama sama: tanggal lahir boleh salah.", "the name agrees: the birth date may be wrong."
        )
        names = [(f"{k.name}:{x}",) for x in _WHOLE]
        yield Family("names", _ladder(names, besides), said)
