"""From fields and families to passes: the rung, the segments, the bucket bits, the size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from padan_linkage.advice.families import Exact, Family, families
from padan_linkage.advice.fields import FieldChoice, Fields
from padan_linkage.advice.groups import SampledKeys
from padan_linkage.advice.profiles import Profile
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.vocabulary import STRONG, Meaning
from padan_linkage.agreement.group_sizes import distinct_combinations, group_size
from padan_linkage.agreement.rules.passes import (
    LARGE_GROUP,
    UNSALTED_VALUES,
    said_by_sound,
    shown_to_hold,
)
from padan_linkage.schema import (
    LOW_ENTROPY_KINDS,
    Kind,
    Layout,
    Pass,
    Schema,
    SchemaField,
    Segment,
)

#: Most passes of a thorough schema, and most bytes a record of a lean one, all columns of all
#: passes together on the provider's side.
MOST_PASSES = 12
LEAN_BYTES = 512
#: A pass that fewer rows than this can use is not worth its table.
_LEAST_FILLED = 0.05
#: A field with fewer effective values than this gets no segment: equality alone tells too much.
_LEAST_VARIETY = 500.0
#: Rows that a bucket should hold, and values that it should at least mix.
_BUCKET_ROWS, _BUCKET_VALUES = 16, 8
_BUCKET_BITS = range(4, 17)

#: Fields of few values: evidence beside names and dates, the most telling roles first, so many of
#: them in a pass.
_FEW_ROLES = (
    Meaning.BIRTHPLACE, Meaning.MIDDLE_NAME, Meaning.SEX, Meaning.PLACE, Meaning.POSTCODE,
    Meaning.NATIONALITY, Meaning.CATEGORY,
)  # fmt: skip
_MOST_BESIDE = 3

_NAME_ROLES = frozenset({Meaning.GIVEN_NAME, Meaning.MIDDLE_NAME, Meaning.SURNAME})


class Size(StrEnum):
    """How much a record may cost."""

    LEAN = "lean"
    THOROUGH = "thorough"


@dataclass(frozen=True)
class PassChoice:
    """A pass, why it is there, and how many rows share its exact fields on average."""

    chosen: Pass
    group: float
    said: Remark


def choose_passes(
    fields: Fields, keys: SampledKeys, profile: Profile, size: Size, beside: Sequence[str]
) -> tuple[list[PassChoice], list[Remark]]:
    """The passes, most useful first, and what was passed over.

    ``beside``: fields of few values that are worth standing beside names and dates, best first.
    """
    passes: list[PassChoice] = []
    passed_over: list[Remark] = []
    seen: set[frozenset[str]] = set()
    measured = measured_values(fields, keys)
    for family in families(fields):
        if len(passes) == MOST_PASSES:
            break
        found = _rung(family, fields, keys, measured, profile, size)
        if found is None:
            passed_over.append(_too_common(family))
            continue
        rung, similar = found
        if frozenset(rung) in seen:
            continue
        choice = _make(family, rung, similar, fields, keys, size, beside)
        if size is Size.LEAN and not _fits([*passes, choice], fields, profile):
            continue
        seen.add(frozenset(rung))
        passes.append(choice)
    return passes, passed_over


def measured_values(fields: Fields, keys: SampledKeys) -> dict[str, float]:
    """Effective number of values of the fields whose kind says little about it.

    An identity number has as many as there are people, in a list of any length.
    """
    vague = {Kind.CODE, Kind.TEXT, Kind.PLACE, Kind.ADDRESS}
    return {
        f.name: math.inf if f.role in STRONG else round(keys.variety(f.name), 1)
        for f in fields.chosen
        if f.kind in vague
    }


def schema_of(fields: Fields, passes: list[PassChoice], profile: Profile) -> Schema:
    """The schema with these passes and no field that none of them uses."""
    chosen = tuple(p.chosen for p in passes)
    used = {k.partition(":")[0] for p in chosen for k in p.exact}
    used |= {n for p in chosen for s in p.similar for n in s.named}
    return Schema(
        fields=tuple(
            SchemaField(name=f.name, kind=f.kind) for f in fields.chosen if f.name in used
        ),
        passes=chosen,
        presence=profile.presence,
        decoy_share=profile.decoy_share,
    )


def record_bytes(schema: Schema) -> int:
    """Bytes that a record takes on the provider's side, all passes together."""
    return sum(Layout.of(schema, p, provider=True).row_bytes for p in schema.passes)


def _fits(passes: list[PassChoice], fields: Fields, profile: Profile) -> bool:
    return record_bytes(schema_of(fields, passes, profile)) <= LEAN_BYTES


def _rung(
    family: Family,
    fields: Fields,
    keys: SampledKeys,
    measured: Mapping[str, float],
    profile: Profile,
    size: Size,
) -> tuple[Exact, tuple[Segment, ...]] | None:
    """The most forgiving rung that few enough rows share and enough rows have, and its segments.

    The parts of names stand apart where that holds against the attacks of spec 15, else as one.
    Counted on the rows at hand, where copies of one person count once, and by the linter's
    estimates too: what is suggested passes it.
    """
    copies = _copies(fields, keys)
    for rung, apart in product(family.rungs, (size is Size.THOROUGH, False)):
        similar = tuple(_segments(fields, keys, rung, profile, size, apart=apart))
        p = Pass(id="rung", exact=rung, similar=similar)
        schema = schema_of(fields, [PassChoice(p, 1.0, family.said)], profile)
        limit = shown_to_hold(schema, p)
        few = keys.group(rung) <= min(profile.most_alike, limit) * copies
        if few and _salts(schema, p, keys.rows, measured, min(limit, LARGE_GROUP)):
            return (rung, similar) if keys.filled(rung) >= _LEAST_FILLED else None
    return None


def _copies(fields: Fields, keys: SampledKeys) -> float:
    """Rows of one person, on average: those that share name and birth date, or else a number."""
    name, date = fields.of(Meaning.FULL_NAME), fields.of(Meaning.BIRTH_DATE)
    if name and date:
        return keys.group((name[0].name, date[0].name))
    numbers = fields.of(*(role for role in Meaning if role in STRONG))
    return keys.group((numbers[0].name,)) if numbers else 1.0


def _salts(schema: Schema, p: Pass, rows: int, measured: Mapping[str, float], limit: float) -> bool:
    """Whether the linter would let the exact fields salt the filter over so many rows."""
    return (
        distinct_combinations(schema, p.exact, measured) >= UNSALTED_VALUES
        and group_size(schema, p, rows, measured) < limit
    )


def _too_common(family: Family) -> Remark:
    return Remark(
        f"jalur {family.id} tidak dipakai: terlalu banyak orang berbagi nilainya, atau terlalu "
        "sedikit yang memilikinya.",
        f"pass {family.id} is not used: too many people share its values, or too few have them.",
    )


def _make(
    family: Family,
    exact: Exact,
    similar: tuple[Segment, ...],
    fields: Fields,
    keys: SampledKeys,
    size: Size,
    beside: Sequence[str],
) -> PassChoice:
    group = keys.group(exact)
    chosen = Pass(
        id=family.id.replace("_", "-")[:40],
        exact=exact,
        similar=similar,
        bucket_bits=bucket_bits(keys.rows, group),
    )
    if size is Size.THOROUGH:
        chosen = _with_few(chosen, fields, beside)
    return PassChoice(chosen, group, family.said)


def bucket_bits(rows: int, group: float) -> int:
    """Bits of a bucket: about sixteen rows in each, and at least eight values of the salt."""
    bits = math.floor(math.log2(max(1.0, rows / max(_BUCKET_ROWS, _BUCKET_VALUES * group))))
    return min(max(bits, _BUCKET_BITS.start), _BUCKET_BITS.stop - 1)


def _segments(
    fields: Fields, keys: SampledKeys, exact: Exact, profile: Profile, size: Size, *, apart: bool
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
    born = fields.of(Meaning.BIRTH_DATE, Meaning.BIRTH_YEAR, Meaning.AGE)[:1]
    for f in born:
        if f.name not in said:
            yield profile.dates.segment(f.name)
    if size is Size.LEAN:
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


def _with_few(p: Pass, fields: Fields, beside: Sequence[str]) -> Pass:
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
