"""From fields and families to passes: the rung, the segments, the bucket bits, the size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from padan_linkage.advice.fields import Fields
from padan_linkage.advice.groups import SampledKeys
from padan_linkage.advice.profiles import Profile
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.segments import one_segment, several_segments, with_few
from padan_linkage.advice.vocabulary import STRONG, Meaning
from padan_linkage.advice.ways.exact_families import exact_families
from padan_linkage.advice.ways.families import Exact, Family, families
from padan_linkage.agreement.group_sizes import distinct_combinations, group_size
from padan_linkage.agreement.rules.passes import (
    LARGE_GROUP,
    UNSALTED_VALUES,
    shown_to_hold,
)
from padan_linkage.schema import (
    Kind,
    Layout,
    Pass,
    Schema,
    SchemaField,
    Segment,
)

#: Most passes: with filters of several segments, with filters of one, and in all.
MOST_OWN, MOST_FILTERS, MOST_PASSES = 12, 8, 24
#: Most bytes a record of a lean schema, all columns of all passes together on the provider's side.
LEAN_BYTES = 512
#: Other people who share a row's values of an exact pass, on average: so few, else at most so many;
#: and at most so many where that makes fewer than so many exact passes.
FEW_STRANGERS, MOST_STRANGERS, MOST_AT_ALL = 0.003, 0.01, 0.1
_LEAST_EXACT = 4
#: A pass that fewer rows than this can use is not worth its table.
_LEAST_FILLED = 0.05
#: Rows that a bucket should hold, and values that it should at least mix.
_BUCKET_ROWS, _BUCKET_VALUES = 16, 8
_BUCKET_BITS = range(4, 17)


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


@dataclass(frozen=True)
class PassBasis:
    """What passes are chosen for.

    ``beside``: fields of few values that are worth standing beside names and dates, best first.
    ``own_files``: both files are the asker's own, so that no requester of somebody else's registry
    reads the answers, and no agreement is made of the schema.
    """

    fields: Fields
    keys: SampledKeys
    profile: Profile
    size: Size
    beside: Sequence[str]
    own_files: bool = False

    @cached_property
    def measured(self) -> dict[str, float]:
        """See :func:`measured_values`."""
        return measured_values(self.fields, self.keys)

    @cached_property
    def copies(self) -> float:
        """Rows of one person, on average: that share name and birth date, or else a number."""
        name, date = self.fields.of(Meaning.FULL_NAME), self.fields.of(Meaning.BIRTH_DATE)
        if name and date:
            return self.keys.group((name[0].name, date[0].name))
        numbers = self.fields.of(*(role for role in Meaning if role in STRONG))
        return self.keys.group((numbers[0].name,)) if numbers else 1.0


def choose_passes(asked: PassBasis) -> tuple[list[PassChoice], list[Remark]]:
    """The passes, most useful first, and what was passed over.

    Of two files of one's own, filters of several segments; else what may be signed: one segment a
    filter where the profile has filters at all, and exact passes.
    """
    passes: list[PassChoice] = []
    if asked.own_files:
        over = _filters(asked, families(asked.fields), MOST_OWN, passes)
        return passes, [_too_common(family) for family in over]
    over = []
    if asked.profile.filters:
        over = _filters(asked, families(asked.fields), MOST_FILTERS, passes)
    exact, rare = _exact(asked, passes, MOST_STRANGERS)
    if len(exact) < _LEAST_EXACT:
        exact, rare = _exact(asked, passes, MOST_AT_ALL)
    return [*passes, *exact], [*map(_too_common, over), *_not_rare(rare)]


def _filters(
    asked: PassBasis, ways: Iterable[Family], most: int, passes: list[PassChoice]
) -> list[Family]:
    """Add up to ``most`` passes with filters; the families that no pass could be made of."""
    over = []
    seen: set[frozenset[str]] = set()
    for family in ways:
        if len(passes) == most:
            break
        found = _rung(family, asked)
        if found is None:
            over.append(family)
            continue
        rung, similar = found
        if frozenset(rung) in seen:
            continue
        choice = _make(family, rung, similar, asked)
        if _fits([*passes, choice], asked):
            seen.add(frozenset(rung))
            passes.append(choice)
    return over


def _exact(
    asked: PassBasis, filters: Sequence[PassChoice], most: float
) -> tuple[list[PassChoice], list[Family]]:
    """Exact passes to stand beside ``filters``; the families that none could be made of."""
    passes, over = list(filters), []
    seen: list[frozenset[str]] = []
    for family in exact_families(asked.fields):
        if len(passes) == MOST_PASSES:
            break
        rung = _rare(family, asked, most)
        if rung is None:
            over.append(family)
            continue
        if any(forgiving <= frozenset(rung) for forgiving in seen):
            continue
        made = Pass(id=_free_id(family, passes), exact=rung)
        choice = PassChoice(made, asked.keys.group(rung), family.said)
        if _fits([*passes, choice], asked):
            seen.append(frozenset(rung))
            passes.append(choice)
    return passes[len(filters) :], over


def _rare(family: Family, asked: PassBasis, most: float) -> Exact | None:
    """The most forgiving rung that nearly one person bears; else the rarest, if it will do."""
    best: tuple[float, Exact] | None = None
    for rung in family.rungs:
        shared = asked.keys.group(rung) - asked.copies
        if shared > most or asked.keys.filled(rung) < _LEAST_FILLED:
            continue
        if shared <= FEW_STRANGERS:
            return rung
        if best is None or shared < best[0]:
            best = (shared, rung)
    return best and best[1]


def _free_id(family: Family, passes: Sequence[PassChoice]) -> str:
    """The family's id as a pass's; a filter may have it already."""
    named = family.id.replace("_", "-")[:34]
    return f"{named}-exact" if any(p.chosen.id == named for p in passes) else named


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


def _fits(passes: list[PassChoice], asked: PassBasis) -> bool:
    if asked.size is not Size.LEAN:
        return True
    return record_bytes(schema_of(asked.fields, passes, asked.profile)) <= LEAN_BYTES


def _rung(family: Family, asked: PassBasis) -> tuple[Exact, tuple[Segment, ...]] | None:
    """The most forgiving rung that few enough rows share and enough rows have, and its segments.

    The parts of names stand apart where that holds against the attacks of spec 15, else as one.
    Counted on the rows at hand, where copies of one person count once, and by the linter's
    estimates too: what is suggested passes it.
    """
    keys = asked.keys
    for rung, similar in _rungs(family, asked):
        p = Pass(id="rung", exact=rung, similar=similar)
        schema = schema_of(asked.fields, [PassChoice(p, 1.0, family.said)], asked.profile)
        limit = shown_to_hold(schema, p)
        few = keys.group(rung) <= min(asked.profile.most_alike, limit) * asked.copies
        if few and _salts(schema, p, asked, min(limit, LARGE_GROUP)):
            return (rung, similar) if keys.filled(rung) >= _LEAST_FILLED else None
    return None


def _rungs(family: Family, asked: PassBasis) -> Iterator[tuple[Exact, tuple[Segment, ...]]]:
    for rung in family.rungs:
        if not asked.own_files:
            segment = one_segment(asked.fields, rung, asked.profile)
            if segment is not None:
                yield rung, (segment,)
            continue
        lean = asked.size is Size.LEAN
        for apart in (False,) if lean else (True, False):
            several = several_segments(
                asked.fields, asked.keys, rung, asked.profile, lean=lean, apart=apart
            )
            yield rung, tuple(several)


def _salts(schema: Schema, p: Pass, asked: PassBasis, limit: float) -> bool:
    """Whether the linter would let the exact fields salt the filter over so many rows.

    In an agreement, which holds no count of these files, too.
    """
    known = [asked.measured] if asked.own_files else [asked.measured, {}]
    return all(
        distinct_combinations(schema, p.exact, measured) >= UNSALTED_VALUES
        and group_size(schema, p, asked.keys.rows, measured) < limit
        for measured in known
    )


def _too_common(family: Family) -> Remark:
    return Remark(
        f"jalur {family.id} tidak dipakai: terlalu banyak orang berbagi nilainya, atau terlalu "
        "sedikit yang memilikinya.",
        f"pass {family.id} is not used: too many people share its values, or too few have them.",
    )


def _not_rare(over: Sequence[Family]) -> Iterator[Remark]:
    """What no exact pass could be made of, in one sentence."""
    if over:
        named = ", ".join(family.id for family in over)
        yield Remark(
            f"jalur exact tidak dipakai: {named}; lebih dari satu orang memiliki nilainya, atau "
            "terlalu sedikit yang memilikinya.",
            f"exact passes not used: {named}; more than one person has their values, or too few "
            "have them.",
        )


def _make(
    family: Family, exact: Exact, similar: tuple[Segment, ...], asked: PassBasis
) -> PassChoice:
    group = asked.keys.group(exact)
    chosen = Pass(
        id=family.id.replace("_", "-")[:40],
        exact=exact,
        similar=similar,
        bucket_bits=bucket_bits(asked.keys.rows, group),
    )
    if asked.size is Size.THOROUGH:
        chosen = with_few(chosen, asked.fields, asked.beside)
    return PassChoice(chosen, group, family.said)


def bucket_bits(rows: int, group: float) -> int:
    """Bits of a bucket: about sixteen rows in each, and at least eight values of the salt."""
    bits = math.floor(math.log2(max(1.0, rows / max(_BUCKET_ROWS, _BUCKET_VALUES * group))))
    return min(max(bits, _BUCKET_BITS.start), _BUCKET_BITS.stop - 1)
