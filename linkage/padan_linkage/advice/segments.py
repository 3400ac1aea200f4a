"""What a filter holds: the segments of a pass, and what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from padan_linkage.advice.fields import FieldChoice, Fields
from padan_linkage.advice.groups import SampledKeys
from padan_linkage.advice.profiles import Profile
from padan_linkage.advice.vocabulary import STRONG, Meaning
from padan_linkage.advice.ways.families import Exact
from padan_linkage.agreement.rules.passes import said_by_sound
from padan_linkage.schema import LOW_ENTROPY_KINDS, Kind, Pass, Segment

#: A field with fewer effective values than this gets no segment: equality alone tells too much.
_LEAST_VARIETY = 500.0
#: Fields of few values: evidence beside names and dates, the most telling roles first, so many of
#: them in a pass.
_FEW_ROLES = (
    Meaning.BIRTHPLACE, Meaning.MIDDLE_NAME, Meaning.SEX, Meaning.PLACE, Meaning.POSTCODE,
    Meaning.NATIONALITY, Meaning.CATEGORY,
)  # fmt: skip
_MOST_BESIDE = 3

_BORN = (Meaning.BIRTH_DATE, Meaning.BIRTH_YEAR, Meaning.AGE)
#: Derived keys of the whole name.
_BOTH_ENDS = frozenset({"ends2", "ends3", "phonetic"})
_NAME_ROLES = frozenset({Meaning.GIVEN_NAME, Meaning.MIDDLE_NAME, Meaning.SURNAME})


def one_segment(fields: Fields, exact: Exact, profile: Profile) -> Segment | None:
    """The one segment of a pass that may be signed (spec 15, "The requester's oracle").

    The name, or the birth date where the exact keys tell two parts of the name. Both in one segment
    forgive neither: what differs in one makes the other look random (spec 45, "Passes").
    """
    said = {key for key in exact if ":" not in key}
    name = [f for f in fields.of(Meaning.FULL_NAME, Meaning.COMPANY) if f.name not in said]
    born = [f for f in fields.of(*_BORN) if f.name not in said]
    if born and (not name or _tells_names(fields, exact) > 1):
        return profile.dates.segment(born[0].name)
    return profile.names.segment(name[0].name) if name else None


def _tells_names(fields: Fields, exact: Exact) -> int:
    """How many ends of a person's or company's name the keys tell."""
    names = {f.name for f in fields.of(*_NAME_ROLES, Meaning.FULL_NAME, Meaning.COMPANY)}
    names -= {f.name for f in fields.of(Meaning.MIDDLE_NAME)}
    told = [key.partition(":") for key in exact]
    return sum(2 if part in _BOTH_ENDS else 1 for name, _, part in told if name in names)


def several_segments(
    fields: Fields, keys: SampledKeys, exact: Exact, profile: Profile, *, lean: bool, apart: bool
) -> Iterator[Segment]:
    """Everything that is worth comparing and that the exact keys do not already say.

    ``apart``: given name and surname have a segment each, where there are both.
    """
    said = {key for key in exact if ":" not in key}
    parts = [f for f in fields.chosen if f.role in _NAME_ROLES and f.kind.endswith("name")]
    whole = fields.of(Meaning.FULL_NAME, Meaning.COMPANY)
    if len(parts) > 1 and apart:
        parts = [f for f in parts if f.name not in said]
        yield from (profile.names.segment(f.name, group="name") for f in parts)
    else:
        yield from (profile.names.segment(f.name) for f in whole if f.name not in said)
    born = fields.of(*_BORN)[:1]
    for f in born:
        if f.name not in said:
            yield profile.dates.segment(f.name)
    if lean:
        return
    for f in fields.chosen:
        if f.name not in said and _telling(f, keys):
            yield profile.hardening(f.kind).segment(f.name)
    rest = [f for f in fields.of(*_FEW_ROLES) if f.name not in said and not _telling(f, keys)]
    if not born and _telling_together(rest, keys):
        yield profile.others.segment(*(f.name for f in rest))


def _telling_together(rest: list[FieldChoice], keys: SampledKeys) -> bool:
    """Whether fields of few values, as one, stand in for the birth date that there is not."""
    various = any(f.kind not in LOW_ENTROPY_KINDS for f in rest)
    return various and math.prod(keys.variety(f.name) for f in rest) >= _LEAST_VARIETY


def _telling(f: FieldChoice, keys: SampledKeys) -> bool:
    """Whether a field beside name and birth date has enough values for a segment of its own."""
    if f.role in STRONG or f.role in {Meaning.KK, Meaning.RELATIVE, Meaning.OTHER_DATE}:
        return True
    at = f.role in {Meaning.POSTCODE, Meaning.ADDRESS}
    return at and keys.variety(f.name) >= _LEAST_VARIETY


def few_of(fields: Fields) -> list[str]:
    """Fields of few values that may stand beside names and dates, the most telling roles first."""
    return [f.name for f in fields.of(*_FEW_ROLES) if f.kind is not Kind.PERSON_NAME]


def with_few(p: Pass, fields: Fields, beside: Sequence[str]) -> Pass:
    """The same pass, with fields of few values beside names and birth date (spec 10).

    Without a birth date and a name they have nothing to stand beside.
    """
    taken = {*p.exact, *(n for s in p.similar for n in s.fields)}
    few = tuple(name for name in beside if name not in taken)[:_MOST_BESIDE]
    bearing = {
        f.name for f in fields.chosen if f.role is Meaning.BIRTH_DATE or f.kind is Kind.PERSON_NAME
    } - said_by_sound(p)
    similar = tuple(
        s.model_copy(update={"beside": few}) if s.fields[0] in bearing else s for s in p.similar
    )
    return p.model_copy(update={"similar": similar})
