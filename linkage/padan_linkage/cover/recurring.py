"""Cover people in the lists of an epoch: they come back when people come back.

Each cover person has a **model**, a person of the list that it first stood in. It stands in a later
list where its model does, and what is corrected of the model is corrected of it. So whatever
a row's appearances are, people have them as often. Spec: ``proto/spec/11-cover.md``, "Lists".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.cover.corrections import Correction, Dice
from padan_linkage.cover.drawing import OWN_KINDS, draw_people, joined
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.normalise.normalised import DOUBT
from padan_linkage.schema import Kind, Schema

Numbers = NDArray[np.int64]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Fields = dict[str, pa.StringArray]

KEY_BYTES = 16
#: Between these shares of cover among who came and among who comes back, all come back.
_FEWER, _MORE = 0.8, 1.25
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, repr=False)
class Recurring:
    """What one side keeps of the lists of an epoch: whom it has seen, and its cover people.

    ``seen``: uint64[s, fields], keyed digests of everybody's newest values, 0 for a missing one,
    by the fields' names in order. Of c cover people: ``people``, their records; ``model``:
    int64[c], whose appearances each follows, ``as_was``: the records of these as they were last
    seen, and ``turn``: uint64[c], in which order they are left out where too many come.
    """

    seen: Words
    people: Fields
    model: Numbers
    as_was: Fields
    turn: Words

    @classmethod
    def nobody(cls, names: list[str]) -> Self:
        """Before the first list."""
        nothing = {name: pa.array([], pa.string()) for name in sorted(names)}
        none = np.zeros(0, np.int64)
        return cls(
            np.zeros((0, len(names)), np.uint64), nothing, none, dict(nothing), none.astype("u8")
        )

    def __len__(self) -> int:
        return self.model.size


@dataclass(frozen=True, repr=False)
class NextList:
    """The cover people of a list, and what is to be kept for the one after it."""

    cover: Fields
    kept: Recurring


def recur(
    schema: Schema, kept: Recurring | None, people: Mapping[str, pa.StringArray], rows: int,
    key: bytes, drbg: Drbg,
) -> NextList:  # fmt: skip
    """The cover people of a list of ``people`` (normalised columns) in ``rows`` rows.

    ``kept``: from the list before it in the epoch, None at first; ``key``: KEY_BYTES of the owner's
    own. The same for the same input and randomness.
    """
    names = sorted(people)
    columns = {n: pc.fill_null(_one(people[n]), "") for n in names}
    kept = kept or Recurring.nobody(names)
    return _ListAfter(schema, kept, columns, key, drbg.fork("recurring")).of(rows)


class _ListAfter:
    """A list that follows others."""

    def __init__(
        self, schema: Schema, kept: Recurring, people: Fields, key: bytes, drbg: Drbg
    ) -> None:
        self._schema, self._kept, self._people, self._drbg = schema, kept, people, drbg
        self._now = _digests(people, key)
        self._known = _Before(schema, list(people)).among(self._now, kept.seen)

    def of(self, rows: int) -> NextList:
        """The cover people that fill up ``rows``."""
        count = rows - len(self._now)
        if count < 0:
            raise ValueError(f"{len(self._now)} people do not fit {rows} rows")
        back = self._back(count)
        mended = self._mended(back)
        new = self._newcomers(count - back.size)
        seen, place = self._seen()
        fresh = self._drawn(new)
        kept = self._kept
        after = Recurring(
            seen=seen,
            people=joined(_put(kept.people, back, mended), fresh),
            model=np.concatenate([kept.model, place[new]]),
            as_was=joined(
                _put(kept.as_was, back, self._of_models(back)), _taken(self._people, new)
            ),
            turn=np.concatenate([kept.turn, self._drbg.uint64(new.size)]),
        )
        return NextList(joined(mended, fresh), after)

    def _back(self, count: int) -> Numbers:
        """Who of the cover people comes back: whose model does, if there is room."""
        # Spec 11, "Lists", step 2.
        present = np.zeros(len(self._kept.seen), np.bool_)
        present[self._known[self._known >= 0]] = True
        come = np.flatnonzero(present[self._kept.model])
        new = int((self._known < 0).sum())
        # Spec 11, "Lists", step 5: as many for each of the people as stand in this list.
        fair = count * int(present.sum()) / max(1, len(self._now))
        most = min(count, come.size)
        if new and not _FEWER * fair <= come.size <= _MORE * fair:
            most = min(most, round((come.size * fair) ** 0.5))
        return np.sort(come[np.argsort(self._kept.turn[come], kind="stable")[:most]])

    def _newcomers(self, count: int) -> Numbers:
        """Models of ``count`` new cover people, by place in the list: of those who are new."""
        # Spec 11, "Lists", step 3.
        new = np.flatnonzero(self._known < 0)
        if not new.size:
            new = np.arange(len(self._now))
        rounds = [new[self._drbg.permutation(new.size)] for _ in range(-(-count // new.size))]
        return np.concatenate([np.zeros(0, np.int64), *rounds])[:count]

    def _drawn(self, models: Numbers) -> Fields:
        drbg = self._drbg.fork("newcomers")
        if not models.size:
            return _taken(self._people, models)
        return draw_people(self._schema, self._people, models.size, drbg, models)

    def _seen(self) -> tuple[Words, Numbers]:
        """Digests of everybody seen, and where in them each of the list is."""
        seen, known = self._kept.seen.copy(), self._known
        seen[known[known >= 0]] = self._now[known >= 0]
        new = np.flatnonzero(known < 0)
        every = list(range(self._now.shape[1]))
        _, first, which = np.unique(
            _joint(self._now[new], every), return_index=True, return_inverse=True
        )
        place = known.copy()
        place[new] = len(seen) + which.reshape(-1)
        return np.concatenate([seen, self._now[new[first]]]), place

    def _of_models(self, who: Numbers) -> Fields:
        """What the models of these cover people are on this list."""
        return _taken(self._people, self._model_rows(who))

    def _mended(self, who: Numbers) -> Fields:
        """The cover people's records, with what was corrected of their models corrected of them."""
        # Spec 11, "Lists", step 4.
        mine, now = _taken(self._kept.people, who), self._of_models(who)
        was = _taken(self._kept.as_was, who)
        changed = np.zeros(who.size, np.bool_)
        for name in mine:
            changed |= pc.not_equal(was[name], now[name]).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(changed)
        if not rows.size:
            return mine
        donors = self._drawn(self._model_rows(who[rows]))
        dice = Dice(self._drbg.fork("corrections"))
        made = {}
        for name, column in _taken(mine, rows).items():
            kind = self._schema.kind(name)
            values = zip(
                *(f[name].to_pylist() for f in (_taken(was, rows), _taken(now, rows))),
                column.to_pylist(), donors[name].to_pylist(), strict=True,
            )  # fmt: skip
            done = [Correction(kind, a, b).done_to(c, d, dice) for a, b, c, d in values]
            made[name] = pa.array(done, pa.string())
        return _put(mine, rows, made)

    def _model_rows(self, who: Numbers) -> Numbers:
        """Where on this list the models of these cover people are."""
        row = np.full(len(self._kept.seen) + 1, -1)
        row[self._known] = np.where(self._known >= 0, np.arange(self._known.size), -1)
        return row[self._kept.model[who]]


class _Before:
    """Who of a list was seen before: the same record, the same number, the same name and birth."""

    def __init__(self, schema: Schema, names: list[str]) -> None:
        kinds = [schema.kind(n) for n in names]
        own = [[i] for i, kind in enumerate(kinds) if kind in OWN_KINDS]
        named = [i for i, kind in enumerate(kinds) if kind in {Kind.PERSON_NAME, Kind.COMPANY_NAME}]
        dated = [i for i, kind in enumerate(kinds) if kind in {Kind.DATE, Kind.KBLI}]
        self._keys = [*own, [*named, *dated]] if named and dated else own
        self._every = list(range(len(names)))

    def among(self, now: Words, seen: Words) -> Numbers:
        """Number in ``seen`` of each of ``now``, -1 for nobody's; int64[n].

        Whoever is twice on a list is one person; otherwise nobody is taken for two.
        """
        # Spec 11, "Lists", step 1.
        found = _found(_joint(now, self._every), _joint(seen, self._every))
        for key in self._keys:
            mine, theirs = (_joint(d, key) for d in (now, seen))
            taken = np.zeros(len(seen), np.bool_)
            taken[found[found >= 0]] = True
            left = np.flatnonzero((found < 0) & (mine > 0) & _once(mine))
            free = np.flatnonzero(~taken & (theirs > 0) & _once(theirs))
            at = _found(mine[left], theirs[free])
            found[left[at >= 0]] = free[at[at >= 0]]
        return found


def _joint(digests: Words, places: list[int]) -> Words:
    """One number for several values; 0 where one of them is missing, unless they are all."""
    total = np.zeros(len(digests), np.uint64)
    for n, place in enumerate(places):
        total ^= digests[:, place] * (_ODD + np.uint64(2 * n))
    whole = (digests[:, places] > 0).all(axis=1) | (len(places) == digests.shape[1])
    return np.where(whole, np.maximum(total, np.uint64(1)), np.uint64(0))


def _once(values: Words) -> Flags:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    once: Flags = counts[inverse.reshape(-1)] == 1
    return once


def _found(wanted: Words, among: Words) -> Numbers:
    """Where in ``among`` each value stands first, -1 where it does not."""
    if not among.size:
        return np.full(wanted.size, -1)
    order = np.argsort(among, kind="stable")
    at = np.minimum(np.searchsorted(among[order], wanted), among.size - 1)
    return np.where(among[order][at] == wanted, order[at], -1)


def _digests(people: Fields, key: bytes) -> Words:
    """Keyed digests of every value, uint64[n, fields]; 0 for a missing or doubtful one."""
    made = []
    for name, column in people.items():
        encoded = column.dictionary_encode()
        told = [_digest(name, value, key) for value in encoded.dictionary.to_pylist()]
        values = np.array(told, np.uint64)
        made.append(values[encoded.indices.to_numpy(zero_copy_only=False)])
    return np.stack(made, axis=1)


def _digest(name: str, value: str, key: bytes) -> int:
    if not value or value.startswith(DOUBT):
        return 0
    text = f"{name}\x00{value}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8, key=key).digest(), "little")


def _one(column: pa.StringArray | pa.ChunkedArray) -> pa.StringArray:
    chunks = getattr(column, "chunks", [column])
    return pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())


def _taken(records: Fields, rows: Numbers) -> Fields:
    return {name: column.take(pa.array(rows)) for name, column in records.items()}


def _put(records: Fields, rows: Numbers, new: Fields) -> Fields:
    """The records with those at ``rows`` (each once) replaced, in their order."""
    if not rows.size:
        return records
    at = np.arange(len(next(iter(records.values()))))
    at[rows] = at.size + np.arange(rows.size)
    return _taken({n: pa.concat_arrays([c, new[n]]) for n, c in records.items()}, at)
