"""A registry asked about its own people, with errors, before any key is agreed on.

Each person is asked about as registered and, with its own labels gone, as a stranger: what is left
are relatives, namesakes and people of one household. And once more as a stranger with the number of
somebody of the same household. Spec 45, "Direct keys".
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.advice.direct.subjects import NAME, Columns, Subjects
from padan_linkage.advice.direct.templates import Candidate
from padan_linkage.answering.outcomes import MATCHED
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.labelling.deciding import Acquaintances, Encounters, Said, decide
from padan_linkage.direct.labelling.meeting import LabelledRegistry
from padan_linkage.direct.labelling.rarity import Rarities, counted
from padan_linkage.direct.schema import DirectKey, DirectSchema
from padan_linkage.edition.damage import damaged
from padan_linkage.normalise import derive, sound_values
from padan_linkage.schema import Kind, Schema

Numbers = NDArray[np.int64]

#: People taken for the registry, and asked about as registered, at most; all are strangers too.
MOST_PEOPLE, MOST_ASKED, MOST_STRANGERS = 400_000, 10_000, 100_000
#: Rows of lists that bear somebody else's number, mostly of the household.
SWAPPED = 0.004
#: Of two people of a household, how often a word of their names is the same (generated families).
_FAMILY_WORD = 0.15
#: None seen of n: the rate that would be seen, all the same, in nineteen samples of twenty.
_UNSEEN = 3
#: Numbers of persons that families hand in together.
_SWAPPABLE = (Kind.NIK, Kind.JKN_CARD)
_SEED = hashlib.sha256(b"padan/v1 advice on direct keys").digest()


@dataclass(frozen=True, repr=False)
class AskedPeople:
    """People who were asked about: whom each met, by candidate; ``truth``: who each is, int64[n].

    ``under``: bool[n, candidates]. ``weight``: how common such rows are, 1 where all are.
    """

    met: tuple[Encounters, ...]
    under: NDArray[np.bool_]
    truth: Numbers
    weight: float = 1.0

    def __len__(self) -> int:
        return len(self.truth)

    def answers(self, keys: Sequence[DirectKey], numbers: Sequence[int]) -> tuple[float, int]:
        """By these candidates: the share whose answer is right, and how many had a wrong one."""
        schema = DirectSchema(keys=tuple(keys), records_per_day=1, records_per_list=1)
        chosen = [self.met[n] for n in numbers]
        meetings = Encounters(
            np.concatenate([e.record for e in chosen]),
            np.concatenate([e.person for e in chosen]),
            np.repeat(np.arange(len(chosen)), [len(e.record) for e in chosen]),
            np.concatenate([e.rarity for e in chosen]),
        )
        met, _ = Acquaintances.of(schema, meetings, self.under[:, list(numbers)])
        nothing = np.zeros(len(met), np.bool_)
        # Codes name the person: nobody is right by having somebody else's code.
        said = Said((met.person + 1).astype(np.uint64), nothing, nothing)
        answers = decide(schema, len(self), met, said).answers
        told = answers.outcome == MATCHED
        right = told & (answers.code.astype(np.int64) - 1 == self.truth)
        return float(right.mean()), int((told & ~right).sum())


@dataclass(frozen=True, repr=False)
class KeyRehearsal:
    """What candidates find in ``people`` of a registry that has ``rows``.

    ``swaps``: with another's number, by the number; ``households``: by what mates were taken, ""
    where nobody's are known; ``fields``: roles; ``made_up``: of each candidate the share of values
    put together from several people that are somebody's.
    """

    fields: Schema
    candidates: tuple[Candidate, ...]
    people: int
    rows: int
    own: AskedPeople
    strangers: AskedPeople
    swaps: tuple[AskedPeople, ...]
    households: str
    made_up: tuple[float, ...]

    @classmethod
    def of(
        cls, subjects: Subjects, found: Sequence[Candidate], registry: Columns, listed: Columns,
        rows: int,
    ) -> KeyRehearsal:  # fmt: skip
        """Rehearse these candidates; ``registry`` and ``listed``: normalised columns by role.

        ``rows``: of which the registry's people are a part, taken at random. Nothing is taken from
        the list but which fields its rows lack.
        """
        drbg = Drbg(_SEED)
        count = len(next(iter(registry.values())))
        fields = subjects.schema(found[0].key.exact[0])
        keys = tuple(c.key for c in found)
        labels = LabelledRegistry.of(fields, keys, registry, Rarities.of(counted([]), count))
        play = _Play(fields, labels, registry, listed, drbg)
        everybody = np.arange(count)
        asked = _some(everybody, MOST_ASKED, drbg.fork("asked"))
        strangers = _some(everybody, MOST_STRANGERS, drbg.fork("strangers"))
        mates, households, share = _mates(subjects, registry)
        swappable = [r for r in subjects.identifiers if subjects.kinds[r] in _SWAPPABLE]
        return cls(
            fields, tuple(found), count, max(rows, count),
            play.asked(asked, stranger=False),
            play.asked(strangers, stranger=True),
            tuple(s for role in swappable
                  if len(s := play.swapped(strangers, mates, role, share))),
            households if swappable else "",
            play.made_up(strangers),
        )  # fmt: skip

    @property
    def scale(self) -> float:
        """How many times as many people there are as were taken."""
        return self.rows / self.people

    def at_size(self, seen: int, asked: int) -> float:
        """Share of ``asked`` strangers who would be answered by the whole registry.

        Where none was: strangers who are among the people themselves meet each other, or not,
        twice, and so prove less than their number.
        """
        proven = asked * (1 - asked / (2 * self.people))
        rate = seen / asked if seen else _UNSEEN / max(1.0, proven)
        return 1.0 - math.pow(1.0 - min(1.0, rate), self.scale)


@dataclass(frozen=True, repr=False)
class _Play:
    """Asks a registry's own people, as a list with such gaps would."""

    fields: Schema
    labels: LabelledRegistry
    own: Columns
    listed: Columns
    drbg: Drbg

    def asked(self, people: Numbers, *, stranger: bool) -> AskedPeople:
        """These people with errors and gaps; ``stranger``: as if nobody had registered them."""
        drbg = self.drbg.fork(f"errors {stranger}")
        rows = self._gaps(damaged(_taken(self.own, people), self.fields, drbg), drbg)
        return self._met(rows, people, stranger=stranger)

    def swapped(self, people: Numbers, mates: Numbers, role: str, share: float) -> AskedPeople:
        """Strangers with the number of a mate; whoever has no mate is left out."""
        having = people[mates[people] >= 0]
        numbered = pc.not_equal(sound_values(self.own[role]), "").to_numpy(zero_copy_only=False)
        having = having[numbered[mates[having]]]
        rows = {**_taken(self.own, having)}
        rows[role] = self.own[role].take(pa.array(mates[having]))
        drbg = self.drbg.fork(f"swapped {role}")
        spoilt = damaged(rows, self.fields, drbg) | {role: rows[role]}
        # The number is there: it is what these rows are about.
        gaps = self._gaps(spoilt, drbg) | {role: rows[role]}
        met = self._met(gaps, having, stranger=True)
        return AskedPeople(met.met, met.under, met.truth, SWAPPED * share)

    def made_up(self, people: Numbers) -> tuple[float, ...]:
        """Values put together from fields of several people: which share is somebody's."""
        rows = {}
        for role, column in self.own.items():
            mixed = people[self.drbg.fork(f"made up {role}").permutation(len(people))]
            rows[role] = column.take(pa.array(mixed))
        asked = self._met(rows, people, stranger=False)
        shares = []
        for number, met in enumerate(asked.met):
            hits = len(np.unique(met.record))
            shares.append((hits or _UNSEEN) / max(1, int(asked.under[:, number].sum())))
        return tuple(shares)

    def _met(self, rows: Columns, people: Numbers, *, stranger: bool) -> AskedPeople:
        met, under = self.labels.asked(rows, people if stranger else None)
        ends = np.searchsorted(met.key, np.arange(under.shape[1] + 1))
        by_key = tuple(
            Encounters(met.record[a:b], met.person[a:b], met.key[a:b], met.rarity[a:b])
            for a, b in pairwise(ends)
        )
        truth = np.full(len(people), -1) if stranger else people
        return AskedPeople(by_key, under, truth)

    def _gaps(self, rows: Columns, drbg: Drbg) -> Columns:
        """Empty what some row of the list has not."""
        length = len(next(iter(self.listed.values())))
        count = len(next(iter(rows.values())))
        like = pa.array(drbg.fork("gaps").integers(count, length))
        return {
            role: pc.if_else(pc.equal(self.listed[role].take(like), ""), "", column)
            for role, column in rows.items()
        }


def _mates(subjects: Subjects, own: Columns) -> tuple[Numbers, str, float]:
    """Of each person somebody of the household or −1; by what, and how often that is as bad.

    Where neither card nor address says who lives together, somebody of the same district with the
    same last word of the name stands for the household's people with a common word.
    """
    if "kk" in own:
        return _next_of(sound_values(own["kk"])), "kk", 1.0
    if "address" in own and not subjects.companies:
        address = derive(Kind.ADDRESS, "sorted", own["address"])
        return _next_of(address), "address", 1.0
    if "nik" in own and NAME in own:
        area = derive(Kind.NIK, "area", own["nik"])
        last = derive(Kind.PERSON_NAME, "phonetic_last", own[NAME])
        known = pc.and_(pc.not_equal(area, ""), pc.not_equal(last, ""))
        both = pc.if_else(known, pc.binary_join_element_wise(area, last, " "), "")
        return _next_of(both), "district", _FAMILY_WORD
    return np.full(len(next(iter(own.values()))), -1), "", 1.0


def _next_of(groups: pa.StringArray) -> Numbers:
    """Of each row the next of its group, of the last the first; −1 where it is alone."""
    group = groups.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    starts = np.cumsum(sizes) - sizes
    among = np.arange(len(group)) - np.repeat(starts, sizes)
    following = np.repeat(starts, sizes) + (among + 1) % np.repeat(sizes, sizes)
    mates = np.full(len(group), -1)
    mates[order] = order[following]
    alone = (sizes[group] < 2) | pc.equal(groups, "").to_numpy(zero_copy_only=False)
    mates[alone] = -1
    return mates


def some_rows(table: pa.Table) -> pa.Table:
    """As many rows as are taken for a registry, at random where it has more."""
    rows = _some(np.arange(table.num_rows), MOST_PEOPLE, Drbg(_SEED).fork("people"))
    return table.take(pa.array(rows)) if len(rows) < table.num_rows else table


def _taken(columns: Columns, rows: Numbers) -> Columns:
    return {name: column.take(pa.array(rows)) for name, column in columns.items()}


def _some(rows: Numbers, most: int, drbg: Drbg) -> Numbers:
    """At most so many of them, ascending."""
    if len(rows) <= most:
        return rows
    return np.sort(rows[drbg.permutation(len(rows))[:most]])
