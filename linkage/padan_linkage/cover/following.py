"""Cover people who do what people do: who of them changes in a delta, and how.

So many of them as they are for each of the people, and of them the same share joins, leaves, is
corrected or gets another code. Spec: ``proto/spec/11-cover.md``, "Changes".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.cover.corrections import Correction, Dice, fresh_number
from padan_linkage.cover.drawing import OWN_KINDS, draw_people
from padan_linkage.cover.lives import (
    CORRECTIONS,
    ChangeKind,
    CoverPeople,
    Fields,
    Lives,
    Numbers,
    behind,
    put_in,
    taken,
)
from padan_linkage.cover.observing import Changes, Kinds
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.schema import Schema

#: Cover people of whom one is chosen to be corrected as a person was.
_CANDIDATES = 16
_TRIES = 8
#: How unlike a value and none are, beside any difference in how common they are.
_EMPTY = 100.0
#: Changes so few that each is followed; the most that a delta is filled up to beyond that, and the
#: share of cover people that may change in one delta without showing.
_FEW, _PADDED, _SHOWN = 8, 255, 0.001
#: In this order: where nobody's correction can be undone, somebody is corrected.
_OF_THOSE_THERE = (
    ChangeKind.UNDONE,
    ChangeKind.CORRECTED,
    ChangeKind.STATUS,
    ChangeKind.LEFT,
    ChangeKind.RETURNED,
)


@dataclass(frozen=True, repr=False)
class Following:
    """What cover people do in a delta, by number: ``put``: int64[k], who comes or changes.

    ``records``: the k records that they have now; ``leaving``: int64[l]; ``after``: all of them.
    """

    put: Numbers
    records: Fields
    leaving: Numbers
    after: CoverPeople


def pace_of(cover: CoverPeople, before: int, count: int) -> float:
    """How many cover people are to change for one who does; kept from the first delta on.

    ``before``: people; ``count``: changes of theirs in that first delta. As large a share of cover
    people as of people; more where that hides more and shows in no life: one in a thousand a delta,
    and one for one where changes are a few. It stays, for else the size of a delta told how much of
    it is real.
    """
    here, count = int(cover.lives.here.sum()), max(1, count)
    few = 1.0 if count <= _FEW else 0.0
    return max(here / max(1, before), min(_PADDED, here * _SHOWN) / count, few)


def follow(
    schema: Schema, cover: CoverPeople, changes: Changes, people: Fields, before: int, pace: float,
    upload: int, drbg: Drbg,
) -> Following:  # fmt: skip
    """What cover people do where people did ``changes``.

    ``people``: all records of people after them; ``before``: how many there were; ``pace``: as
    :func:`pace_of`.
    """
    drbg = drbg.fork("following")
    models = changes.take(_models(cover, len(changes), before, pace, drbg))
    if not len(changes):
        models = _nothing(changes)
    return _Followers(schema, cover, people, upload, drbg).do(models)


def _models(cover: CoverPeople, count: int, before: int, pace: float, drbg: Drbg) -> Numbers:
    """Whose changes are followed: ``pace`` for each, at least one, of so many never too many."""
    here = int(cover.lives.here.sum())
    most = max(count * here / max(1, before), min(_PADDED, here * _SHOWN), min(count, _FEW))
    mean = min(count * pace, most)
    wanted = max(1, int(mean) + int(drbg.integers(1, 1 << 30)[0] < (mean % 1) * (1 << 30)))
    rounds = [drbg.permutation(count) for _ in range(-(-wanted // max(1, count)))]
    return np.concatenate(rounds)[:wanted]


def _nothing(changes: Changes) -> Changes:
    """Where nobody changed, one code does."""
    kind = np.array([ChangeKind.STATUS], np.uint8)
    empty = {name: pa.array([""], pa.string()) for name in changes.new}
    return Changes(kind, Lives.new(1), np.full(1, -1), empty, empty)


class _Followers:
    """Cover people being chosen."""

    def __init__(
        self, schema: Schema, cover: CoverPeople, people: Fields, upload: int, drbg: Drbg
    ) -> None:
        self._schema, self._cover, self._people, self._upload = schema, cover, people, upload
        self._drbg, self._dice = drbg, Dice(drbg.fork("dice"))
        self._total = len(next(iter(people.values())))
        self._free = cover.lives.here.copy()

    def do(self, models: Changes) -> Following:
        """Somebody for each of the models, or somebody new where nobody is there."""
        kind = models.kind.copy()
        who = np.full(len(kind), -1, np.int64)
        records = taken(models.new, np.full(len(kind), -1))
        for change in _OF_THOSE_THERE:
            mine = np.flatnonzero(kind == change)
            if not mine.size:
                continue
            some = models.take(mine)
            if change is ChangeKind.CORRECTED:
                chosen, made = self._corrected(some)
            else:
                chosen = self._chosen(change, some.lives)
                made = self._as_were(change, chosen)
            who[mine] = chosen
            records = put_in(records, mine, made)
            instead = ChangeKind.CORRECTED if change is ChangeKind.UNDONE else ChangeKind.JOINED
            kind[mine[chosen < 0]] = instead
        return self._done(kind, who, records, models)

    def _chosen(self, change: ChangeKind, lives: Lives) -> Numbers:
        """Of like lives: who is there, once was corrected, or was there."""
        free = self._free
        if change is ChangeKind.RETURNED:
            free = ~self._cover.lives.here
        elif change is ChangeKind.UNDONE:
            free = np.zeros_like(free)
            free[self._cover.former_of] = self._free[self._cover.former_of]
        chosen = self._cover.lives.alike(free, lives, self._drbg)
        self._free[chosen[chosen >= 0]] = False
        return chosen

    def _as_were(self, change: ChangeKind, chosen: Numbers) -> Fields:
        if change is not ChangeKind.UNDONE:
            return taken(self._cover.records, chosen)
        place = np.full(len(self._cover) + 1, -1)
        place[self._cover.former_of] = np.arange(self._cover.former_of.size)
        return taken(self._cover.former, place[chosen])

    def _corrected(self, models: Changes) -> tuple[Numbers, Fields]:
        """Who is corrected as the models were, and their records after it.

        Of several of like lives, whoever's value was about as common before and is after: so a slip
        that is mended among people is not a slip made among cover people.
        """
        each = max(1, min(_CANDIDATES, int(self._free.sum()) // len(models)))
        wanted = np.repeat(np.arange(len(models)), each)
        lives = models.lives.take(wanted)
        chosen = self._cover.lives.alike(self._free, lives, self._drbg)
        was = taken(self._cover.records, chosen)
        now = dict(was)
        away = np.where(chosen < 0, np.inf, 0.0)
        for name in was:
            moved = pc.not_equal(models.old[name], models.new[name]).to_numpy(zero_copy_only=False)
            rows = np.flatnonzero(moved[wanted] & (chosen >= 0))
            if not rows.size:
                continue
            made = self._field(name, models, wanted[rows], was[name].take(pa.array(rows)))
            now[name] = put_in({name: now[name]}, rows, {name: made})[name]
            old, new = (
                taken({name: f[name]}, wanted[rows])[name] for f in (models.old, models.new)
            )
            mine = was[name].take(pa.array(rows))
            away[rows] += self._unlike(name, old, mine) + self._unlike(name, new, made)
        best = np.array([row * each + np.argmin(away[row * each : (row + 1) * each])
                         for row in range(len(models))], np.int64)  # fmt: skip
        who = chosen[best]
        self._free[who[who >= 0]] = False
        return who, taken(now, best)

    def _field(
        self, name: str, models: Changes, of: Numbers, values: pa.StringArray
    ) -> pa.StringArray:
        """The values of some candidates corrected as those of the models ``of``."""
        kind, donors = self._schema.kind(name), self._donors(name, len(of))
        texts = zip(models.old[name].to_pylist(), models.new[name].to_pylist(), strict=True)
        done = [Correction(kind, old, new) for old, new in texts]
        made = [
            done[model].done_to(value, donor, self._dice)
            for model, value, donor in zip(of.tolist(), values.to_pylist(), donors, strict=True)
        ]
        if kind in OWN_KINDS:
            self._make_nobodys(name, made, values)
        return pa.array(made, pa.string())

    def _make_nobodys(self, name: str, made: list[str], values: pa.StringArray) -> None:
        """Where a number is somebody's it is made another one, in place."""
        for _ in range(_TRIES):
            column = pa.array(made, pa.string())
            has = pc.and_(pc.not_equal(column, ""), pc.not_equal(column, values))
            taken_by = [
                pc.is_in(column, value_set=c[name]) for c in (self._people, self._cover.records)
            ]
            bad = pc.and_(has, pc.or_(*taken_by)).to_numpy(zero_copy_only=False)
            if not bad.any():
                return
            for row in np.flatnonzero(bad):
                made[row] = fresh_number(made[row], self._dice)

    def _donors(self, name: str, count: int) -> Sequence[str]:
        """Values of random people who have one."""
        column = self._people[name]
        for _ in range(_TRIES):
            if not self._total:
                break
            some = column.take(pa.array(self._drbg.integers(4 * count, self._total)))
            some = some.filter(pc.not_equal(some, ""))
            if len(some) >= count:
                return some[:count].to_pylist()  # type: ignore[no-any-return]
        return [""] * count

    def _unlike(self, name: str, of: pa.StringArray, like: pa.StringArray) -> NDArray[np.float64]:
        """How far apart two values are in how many people have them, and whether one has none."""
        counts = [np.log2(1.0 + self._common(name, values)) for values in (of, like)]
        empty = [pc.equal(v, "").to_numpy(zero_copy_only=False) for v in (of, like)]
        apart: NDArray[np.float64] = np.abs(counts[0] - counts[1])
        apart += _EMPTY * (empty[0] != empty[1])
        return apart

    def _common(self, name: str, values: pa.StringArray) -> Numbers:
        """How many people have each value."""
        few = values.unique()
        kept = self._people[name].filter(pc.is_in(self._people[name], value_set=few))
        counts = np.bincount(
            pc.index_in(kept, value_set=few).to_numpy(zero_copy_only=False).astype(np.int64),
            minlength=len(few),
        )
        place = pc.index_in(values, value_set=few).to_numpy(zero_copy_only=False)
        found: Numbers = counts[place.astype(np.int64)]
        return found

    def _done(self, kind: Kinds, who: Numbers, records: Fields, models: Changes) -> Following:
        """Newcomers drawn, and all that was decided put into effect."""
        cover, lives = self._cover, self._cover.lives
        joining = np.flatnonzero(kind == ChangeKind.JOINED)
        if not self._total:  # nobody is left to draw newcomers from
            stays = np.delete(np.arange(len(kind)), joining)
            kind, who, records = kind[stays], who[stays], taken(records, stays)
            joining = joining[:0]
        if joining.size:
            records = put_in(records, joining, self._newcomers(models.place[joining]))
            who[joining] = np.arange(len(cover), len(cover) + joining.size)
            lives = lives.joined(Lives.new(joining.size, self._upload))
        some = np.isin(kind, CORRECTIONS)
        whole = behind(cover.records, taken(records, joining))
        former_of, former = self._former(who[some])
        after = CoverPeople(
            put_in(whole, who, records),
            lives.put(who, lives.take(who).after(kind, self._upload)),
            former_of,
            former,
        )
        put = kind != ChangeKind.LEFT
        return Following(who[put], taken(records, np.flatnonzero(put)), who[~put], after)

    def _newcomers(self, places: Numbers) -> Fields:
        """People who are nobody, each like a newcomer among people, or like anybody for -1."""
        anybody = self._drbg.integers(places.size, self._total)
        like = np.where(places >= 0, places, anybody)
        made = draw_people(self._schema, self._people, places.size, self._drbg, like=like)
        for name, column in made.items():
            if self._schema.kind(name) in OWN_KINDS:
                values = column.to_pylist()
                self._make_nobodys(name, values, pa.array([""] * len(values), pa.string()))
                made[name] = pa.array(values, pa.string())
        return made

    def _former(self, corrected: Numbers) -> tuple[Numbers, Fields]:
        """Whose former records are known, and these: of who is corrected now, the present ones."""
        cover = self._cover
        kept = np.flatnonzero(~np.isin(cover.former_of, corrected))
        former = behind(taken(cover.former, kept), taken(cover.records, corrected))
        return np.concatenate([cover.former_of[kept], corrected]), former
