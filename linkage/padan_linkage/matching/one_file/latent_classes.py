"""One table: matches, strangers, and strangers that share something, taken apart by EM.

A latent class model over the pairs that meet (Fellegi and Sunter 1969; Winkler 1988), in which
plain strangers are known beforehand and everything they do not explain is either a match or one of
the kinds of strangers that have some fields in common for a reason: namesakes, households, twins.
Spec: ``proto/spec/35-matching.md``, "One table".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.one_file.comparison import COMMON, ComparedFields, Field, near, numbered
from padan_linkage.matching.one_file.own_file import Float, Meetings, Rows, pairs_inside
from padan_linkage.schema import Kind

#: Rounds of EM, and how much less than this the number of matches moves where it may end early.
ROUNDS, STILL = 60, 1e-4
#: Shipped: how many matches are equal in a field, and in how many nothing of it agrees.
EQUAL, FAR = 0.75, 0.1
#: No field of a match is wholly different so often, or it would be a household.
MOST_FAR = 0.35
#: Weight of the shipped shares, in pairs; and of the shipped FAR, as a share of the matches.
PRIOR_PAIRS, PRIOR_SHARE = 30.0, 0.25
#: A field agrees in a cell that speaks for a match with so many nats, by the shipped shares.
AGREES = 1.5
#: Kinds of strangers: most; pairs that must show one; pairs that having one costs; smoothing.
MOST_KINDS, SHOWN, COST, KIND_PAIRS = 40, 5.0, 2.0, 2.0
#: Matches expected by the shipped shares count so many times before a kind is thought of.
DOUBT = 2.0
#: A kind that lacks one field alone may be matches with that field wrong: it is none if it has no
#: more pairs than so many times FAR of the matches and explains each by less than so many nats.
POSSIBLE, BORNE_OUT = 2.0, 1.5
#: Rounds of EM without such a kind.
TRIAL_ROUNDS = 15
#: A value's commonness moves the evidence of equality by so many nats at most, down and up.
RARER, COMMONER = -2.0, 4.0
NOTHING = 1e-12


@dataclass(repr=False)
class Classes:
    """The state of the mixture.

    Pairs of equal cells are one pattern. ``pattern``: int64[patterns, fields] cells; ``of_pair``:
    int64[n]; ``number``: float64[patterns] pairs; ``alike``: bool[patterns], of one stratum;
    ``near``: bool[n], the same of the pairs; ``everybody``: float64[2], pairs of records apart and
    of one stratum. ``alone``: by field, float64[2, cells] of plain strangers, so too; ``match``: of
    matches; ``kinds``: of each kind of strangers; ``size``: float64[1 + kinds], pairs that are
    matches and of each kind. ``shares``: bool[kinds, fields], what a kind
    has in common. ``right``: float64[n], the chance of being a match.
    """

    fields: Sequence[Field]
    strata: Rows
    near: NDArray[np.bool_]
    everybody: Float
    alike: NDArray[np.bool_]
    pattern: Rows
    of_pair: Rows
    number: Float
    alone: list[Float]
    match: list[Float]
    kinds: list[list[Float]]
    size: Float
    shares: NDArray[np.bool_]
    telling: NDArray[np.bool_]
    right: Float

    def by_pattern(self, table: Sequence[Float]) -> Float:
        """Log probability of each pattern, float64[patterns], by field, stratum and cell."""
        total = np.zeros(len(self.pattern))
        for f, chance in enumerate(table):
            logs = np.log(np.maximum(np.broadcast_to(chance, (2, chance.shape[-1])), NOTHING))
            total += logs[self.alike.astype(np.int64), self.pattern[:, f]]
        return total

    def strangers(self) -> Float:
        """Log of the pairs of plain strangers that are expected of each pattern."""
        pairs = np.log(np.maximum(self.everybody, 1.0))
        expected: Float = self.by_pattern(self.alone) + pairs[self.alike.astype(np.int64)]
        return expected

    def of_any(self, f: int) -> Float:
        """Cells of plain strangers in a field, of one stratum or not, float64[cells]."""
        chance: Float = self.everybody @ self.alone[f] / max(float(self.everybody.sum()), 1.0)
        return chance


def matches_among(compared: ComparedFields, met: Meetings) -> Float:
    """How likely each pair that meets is a match, float64[n]."""
    if not len(met.code):
        return np.zeros(0)
    now = _start(compared, met)
    commonness = _converged(now, met)
    now = _without_doubtful(now, commonness)
    _converged(now, met)
    return now.right


def _converged(now: Classes, met: Meetings) -> Float:
    """EM to the end; how common the values are by which pairs are equal, float64[n]."""
    for number in range(ROUNDS):
        if number % 3 == 0:
            commonness = _commonness(now, met)
        before = now.size[0]
        _expect_and_maximise(now, commonness)
        if number > ROUNDS // 2 and abs(now.size[0] - before) <= STILL * before:
            break
    return commonness


def _start(compared: ComparedFields, met: Meetings) -> Classes:
    """Matches agree wherever they can be compared; a kind is what else stands out."""
    fields, strata = compared.fields, compared.strata
    close = float(pairs_inside(strata[strata >= 0], met.records)) if (strata >= 0).any() else 0.0
    everybody = np.array([met.records * (met.records - 1) / 2 - close, close])
    pattern, of_pair = np.unique(
        np.stack([f.cell for f in fields], axis=1), axis=0, return_inverse=True
    )
    of_pair = of_pair.reshape(-1)
    nobody, beside = np.zeros(len(met.code)), near(strata, met.a, met.b)
    alone = [_alone(f, nobody, beside, everybody) for f in fields]
    overall = [everybody @ u / max(float(everybody.sum()), 1.0) for u in alone]
    telling = np.array(
        [float(u[f.equal].sum()) < COMMON for f, u in zip(fields, overall, strict=True)]
    )
    alike = np.zeros(len(pattern), np.bool_)
    alike[of_pair] = beside
    now = Classes(
        fields=fields,
        strata=strata,
        near=beside,
        everybody=everybody,
        alike=alike,
        pattern=pattern,
        of_pair=of_pair,
        number=np.bincount(of_pair).astype(np.float64),
        alone=alone,
        match=[_shipped(f, u) for f, u in zip(fields, overall, strict=True)],
        kinds=[],
        size=np.ones(1),
        shares=np.zeros((0, len(fields)), np.bool_),
        telling=telling,
        right=nobody,
    )
    _think_of_kinds(now)
    return now


def _alone(f: Field, right: Float, beside: NDArray[np.bool_], pairs: Float) -> Float:
    """Cells of plain strangers in a field, apart and of one stratum, float64[2, cells]."""
    return np.stack(
        [f.among_strangers(right, beside, pairs, alike=alike) for alike in (False, True)]
    )


def _shipped(f: Field, strangers: Float) -> Float:
    """What is believed of matches beforehand: rare cells among strangers are less rare here."""
    root = np.where(f.missing, 0.0, np.sqrt(strangers))
    near = ~(f.missing | f.equal | f.far)
    chance = EQUAL * f.equal.astype(np.float64)
    for cells, share in ((near, 1 - EQUAL - FAR), (f.far, FAR)):
        if cells.any():
            chance[cells] = share * root[cells] / root[cells].sum()
    chance /= chance.sum()
    chance[f.missing] = 1.0
    return chance


def _agreeing(now: Classes) -> list[NDArray[np.bool_]]:
    """By field: the cells in which it agrees by the shipped shares, bool[cells]."""
    strangers = [now.of_any(f) for f in range(len(now.fields))]
    return [
        np.where(f.missing, False, np.log(_shipped(f, u) / u) > AGREES)
        for f, u in zip(now.fields, strangers, strict=True)
    ]


def _think_of_kinds(now: Classes) -> None:
    """A kind for every set of agreeing fields that neither strangers nor matches account for."""
    alike = np.stack([a[now.pattern[:, f]] for f, a in enumerate(_agreeing(now))], axis=1)
    alike &= now.telling
    missing = np.stack([f.missing[now.pattern[:, i]] for i, f in enumerate(now.fields)], axis=1)
    whole = (alike | missing | ~now.telling).all(axis=1)
    now.size = np.array([max(1.0, float(now.number[whole & (alike.sum(axis=1) > 1)].sum()))])
    matches = DOUBT * now.size[0] * np.exp(now.by_pattern(now.match))
    strangers = np.minimum(np.exp(now.strangers()), now.number)
    sets, place = np.unique(alike, axis=0, return_inverse=True)
    place = np.where(whole, -1, place.reshape(-1))
    at = place >= 0
    seen, excess = (
        np.bincount(place[at], weights=w[at], minlength=len(sets))
        for w in (now.number, now.number - strangers - matches)
    )
    some = sets.any(axis=1) & (sets.sum(axis=1) < now.telling.sum()) & (seen >= SHOWN)
    some[_same_person(now, sets)] = False
    chosen = np.flatnonzero(some)
    chosen = chosen[np.argsort(-seen[chosen], kind="stable")][:MOST_KINDS]
    now.shares = sets[chosen]
    now.size = np.concatenate([now.size, np.maximum(excess[chosen], 1.0)])
    now.kinds = [
        _kind(now, shared, np.where(place == k, now.number, 0.0))
        for k, shared in zip(chosen, now.shares, strict=True)
    ]


def _same_person(now: Classes, sets: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which sets of fields strangers do not share: all names and dates. People move, bool[sets]."""
    personal = np.array([f.personal is not None for f in now.fields]) & now.telling
    kinds = {f.personal for f, kept in zip(now.fields, personal, strict=True) if kept}
    if len(kinds) < len((Kind.PERSON_NAME, Kind.DATE)):
        return np.zeros(len(sets), np.bool_)
    return np.asarray(sets[:, personal].all(axis=1), np.bool_)


def _kind(now: Classes, shared: NDArray[np.bool_], weight: Float) -> list[Float]:
    """A kind's cells by field: learnt where it shares the field or the field says little.

    Elsewhere its pairs are strangers like any. ``weight``: float64[patterns], its pairs.
    """
    tables = []
    agreeing = _agreeing(now)
    for f, (field, alone) in enumerate(zip(now.fields, now.alone, strict=True)):
        if now.telling[f] and not shared[f]:
            tables.append(alone)
            continue
        usual = now.of_any(f)
        counts = np.bincount(now.pattern[:, f], weights=weight, minlength=len(usual))
        base = np.where(agreeing[f], usual, 0.0) if shared[f] else usual
        counts[field.missing] = base[field.missing] = 0.0
        counts += KIND_PAIRS * base / max(base.sum(), NOTHING)
        chance = counts / max(counts.sum(), NOTHING)
        chance[field.missing] = 1.0
        tables.append(chance)
    return tables


def _expect_and_maximise(now: Classes, commonness: Float) -> float:
    """One round: who is what, and then what each class looks like. The log likelihood before it."""
    classes = np.stack([now.by_pattern(t) for t in (now.match, *now.kinds)])
    classes += np.log(now.size)[:, None]
    plain = now.strangers()
    top = np.maximum(classes.max(axis=0), plain)
    odds = np.exp(classes - top)
    others = odds.sum(axis=0)[now.of_pair]
    against = np.exp(np.minimum((plain - top)[now.of_pair] + commonness, 60.0))
    share = 1 / (others + against)
    likelihood = float((top[now.of_pair] - np.log(share)).sum() - now.size.sum())
    now.right = odds[0][now.of_pair] * share
    members = odds * np.bincount(now.of_pair, weights=share, minlength=len(now.number))
    number = members.sum(axis=1)
    now.size = np.concatenate([number[:1] + 0.5, np.maximum(number[1:] - COST, 1e-6)])
    now.alone = [_alone(f, now.right, now.near, now.everybody) for f in now.fields]
    now.match = [_matches(now, f, members[0]) for f in range(len(now.fields))]
    now.kinds = [
        _kind(now, shared, member) for shared, member in zip(now.shares, members[1:], strict=True)
    ]
    return likelihood


def _without_doubtful(now: Classes, commonness: Float) -> Classes:
    """The same without kinds that may as well be matches with one field wrong."""
    for shared in now.shares[(now.telling & ~now.shares).sum(axis=1) == 1]:
        k = int((now.shares == shared).all(axis=1).argmax())
        if COST < now.size[k + 1] <= POSSIBLE * FAR * now.size[0]:
            trial = replace(
                now,
                kinds=[*now.kinds[:k], *now.kinds[k + 1 :]],
                size=np.delete(now.size, k + 1),
                shares=np.delete(now.shares, k, axis=0),
            )
            for _ in range(TRIAL_ROUNDS):
                without = _expect_and_maximise(trial, commonness)
            kept = replace(now)
            if _expect_and_maximise(kept, commonness) - without < BORNE_OUT * now.size[k + 1]:
                now = trial
    return now


def _matches(now: Classes, f: int, weight: Float) -> Float:
    """Cells of matches in a field, with the shipped shares' weight.

    Nothing but the shipped share says how often nothing agrees in a match: strangers who share all
    the other fields would pass for matches.
    """
    field = now.fields[f]
    shipped = np.where(field.missing, 0.0, _shipped(field, now.of_any(f)))
    counts = np.bincount(now.pattern[:, f], weights=weight, minlength=len(shipped))
    counts[field.missing] = 0.0
    chance: Float = counts + PRIOR_PAIRS * shipped
    chance /= chance.sum()
    far = float(chance[field.far].sum())
    if far > FAR and now.telling[f]:
        held = min((far + PRIOR_SHARE * FAR) / (1 + PRIOR_SHARE), MOST_FAR)
        chance = np.where(field.far, chance * held / far, chance * (1 - held) / (1 - far))
    chance[field.missing] = 1.0
    return chance


def _commonness(now: Classes, met: Meetings) -> Float:
    """How much commoner than others the values are that a pair has in common: float64[n], nats.

    Strangers share a value as often as other people have it. Who is likely the same person is no
    stranger, so a person's own records do not make their name common.
    """
    total = np.zeros(len(met.code))
    for f, field in enumerate(now.fields):
        if field.value is None:
            continue
        same = field.equal[field.cell] & (field.value[met.a] == field.value[met.b])
        for alike in (False, True):
            at = np.flatnonzero(same & (now.near == alike))
            average = float(now.alone[f][int(alike), field.equal].sum())
            if len(at):
                chance = _sharing(now, met, field.value, at, average, alike=alike)
                total[at] += np.clip(np.log(chance / average), RARER, COMMONER)
    return total


def _sharing(
    now: Classes, met: Meetings, value: Rows, at: Rows, average: float, *, alike: bool
) -> Float:
    """How likely a stranger shares the value that the pairs ``at`` share, float64[pairs].

    ``alike``: a stranger of the same stratum.
    """
    a, b = met.a[at], met.b[at]
    columns = [value, now.strata] if alike else [value]
    number = numbered(columns, met.records)
    mates = np.bincount(a, weights=now.right[at], minlength=met.records)
    mates += np.bincount(b, weights=now.right[at], minlength=met.records)
    holders = np.bincount(number[number >= 0])[number[a]]
    among = np.bincount(now.strata[now.strata >= 0])[now.strata[a]] if alike else met.records
    others = np.maximum(holders - 1 - (mates[a] + mates[b]) / 2, 0.0)
    chance: Float = (others + 1) / (among + 1 / average)
    return chance
