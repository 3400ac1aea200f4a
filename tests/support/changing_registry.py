"""A registry of made-up people who join, change and leave, and its cover people who follow them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_linkage.cover import (
    Changes,
    CoverPeople,
    Following,
    KnownPeople,
    Named,
    follow,
    observed,
    pace_of,
    with_cover,
)
from padan_linkage.cover.lives import behind, put_in, taken
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.schema import Schema

SCHEMA = Schema.model_validate(
    {
        "fields": [
            {"name": "nik", "kind": "nik"},
            {"name": "nama", "kind": "person_name"},
            {"name": "lahir", "kind": "date"},
            {"name": "kota", "kind": "place"},
        ],
        "passes": [
            {"id": "nik", "exact": ["nik"], "confirm": ["nama"]},
            {"id": "lahir", "exact": ["lahir"], "similar": [{"fields": ["nama"], "bits": 256}]},
            {
                "id": "nama",
                "exact": ["nama:phonetic_first", "lahir:year"],
                "similar": [{"fields": ["nama", "lahir"], "beside": ["kota"], "bits": 256}],
            },
        ],
        "presence": True,
    }
)
FIRST = [
    "siti",
    "budi",
    "agus",
    "dewi",
    "rina",
    "joko",
    "sri",
    "andi",
    "wati",
    "hendra",
    "lina",
    "yusuf",
    "nur",
    "ratna",
    "bambang",
]
LAST = [
    "santoso",
    "wijaya",
    "lestari",
    "saputra",
    "hidayat",
    "nasution",
    "siregar",
    "utami",
    "kusuma",
    "rahayu",
]
TOWNS = ["bandung", "medan", "padang", "solo", "bogor", "malang"]


def people(count: int, seed: int) -> dict[str, pa.StringArray]:
    """Made-up people, one in ten without a number."""
    rng = np.random.default_rng(seed)
    year, month, day = (
        rng.integers(60, 99, count),
        rng.integers(1, 13, count),
        rng.integers(1, 29, count),
    )
    serial, none = rng.integers(1, 10_000, count), rng.random(count) < 0.1
    born = list(zip(year.tolist(), month.tolist(), day.tolist(), strict=True))
    rows = {
        "nik": [
            "" if lacks else f"3171{10 + i % 40}{d:02d}{m:02d}{y:02d}{s:04d}"
            for i, ((y, m, d), s, lacks) in enumerate(zip(born, serial.tolist(), none, strict=True))
        ],
        "nama": [
            f"{FIRST[a]} {LAST[b]}"
            for a, b in zip(
                (rng.beta(1, 3, count) * len(FIRST)).astype(int), rng.integers(0, len(LAST), count),
                strict=True,
            )
        ],
        "lahir": [f"19{y:02d}-{m:02d}-{d:02d}" for y, m, d in born],
        "kota": [TOWNS[t] for t in rng.integers(0, len(TOWNS), count)],
    }  # fmt: skip
    return {name: pa.array(values, pa.string()) for name, values in rows.items()}


def changed(records: dict[str, pa.StringArray], seed: int = 1) -> dict[str, pa.StringArray]:
    """Each with one field corrected: a slip in the name, another day of birth, a town."""
    rng, rows = np.random.default_rng(seed), {n: c.to_pylist() for n, c in records.items()}
    for at in range(len(rows["nama"])):
        kind, name = rng.integers(0, 4), rows["nama"][at]
        if kind < 2:
            place = int(rng.integers(1, len(name) - 1))
            rows["nama"][at] = name[:place] + ("x" if kind else "") + name[place + 1 :]
        elif kind == 2:
            day = int(rows["lahir"][at][8:]) % 28 + 1
            rows["lahir"][at] = f"{rows['lahir'][at][:8]}{day:02d}"
        else:
            rows["kota"][at] = TOWNS[(TOWNS.index(rows["kota"][at]) + 1) % len(TOWNS)]
    return {n: pa.array(values, pa.string()) for n, values in rows.items()}


@dataclass(frozen=True, repr=False)
class CoveredDay:
    """What people did and what cover people did; ``gone`` and ``put`` are the people's."""

    gone: Named
    put: Named
    changes: Changes
    following: Following
    kinds: np.ndarray


class CoveredRegistry:
    """People with ids, what is known of their lives, and the cover people."""

    def __init__(self, count: int, seed: int) -> None:
        self.schema, self._rng = SCHEMA, np.random.default_rng(seed)
        self._drbg = Drbg(bytes([seed]) * 32)
        self.records = people(count, seed)
        self.ids = pa.array([f"P{i}" for i in range(count)], pa.string())
        self.rows = SCHEMA.padded_rows(count)
        self.whole = with_cover(SCHEMA, self.records, self.rows, self._drbg.fork("whole"))
        some = {n: pa.concat_arrays([c.slice(count)]) for n, c in self.whole.items()}
        self.cover = self.before_cover = CoverPeople.of(some)
        self.known, self._uploads, self._made = KnownPeople.nobody(), 0, count
        self.pace = 0.0

    @property
    def people(self) -> int:
        """How many there are."""
        return len(self.ids)

    def day(
        self, status: int = 0, corrected: int = 0, joined: int = 0, left: int = 0
    ) -> CoveredDay:
        """So many people of each kind, chosen at random."""
        order = self._rng.permutation(self.people)
        renewed, mended, leaving = np.split(order, np.cumsum([status, corrected, left]))[:3]
        stays = np.concatenate([renewed, mended])
        made = people(joined, int(self._rng.integers(1 << 30)))
        new_ids = pa.array([f"P{self._made + i}" for i in range(joined)], pa.string())
        self._made += joined
        slips = changed(taken(self.records, mended), int(self._rng.integers(1 << 30)))
        put = behind(behind(taken(self.records, renewed), slips), made)
        some = np.concatenate([stays, leaving])
        gone = Named(self.ids.take(pa.array(some)), taken(self.records, some))
        ids = pa.concat_arrays([self.ids.take(pa.array(stays)), new_ids])
        return self._happens(gone, Named(ids, put))

    def put_back(self, day: CoveredDay) -> CoveredDay:
        """Whoever was corrected or left on that day is as before; who joined stays."""
        before = set(day.put.ids.to_pylist())
        back = [
            i for i, kind in enumerate(day.changes.kind[len(day.put.ids) :], len(day.put.ids))
        ]  # fmt: skip
        left = taken(day.changes.old, np.array(back, np.int64))
        gone_ids = [i for i in day.gone.ids.to_pylist() if i not in before]
        mended = np.flatnonzero(np.isin(day.changes.kind[: len(day.put.ids)], (1, 2)))
        ids = day.put.ids.take(pa.array(mended))
        gone = Named(ids, taken(day.put.records, mended))
        put = behind(taken(day.changes.old, mended), left)
        return self._happens(
            gone, Named(pa.concat_arrays([ids, pa.array(gone_ids, pa.string())]), put)
        )

    def _happens(self, gone: Named, put: Named) -> CoveredDay:
        self._uploads += 1
        before, self.before_cover = self.people, self.cover
        leaving = pc.is_in(self.ids, value_set=gone.ids).to_numpy(zero_copy_only=False)
        rest = np.flatnonzero(~leaving)
        self.ids = pa.concat_arrays([self.ids.take(pa.array(rest)), put.ids])
        self.records = behind(taken(self.records, rest), put.records)
        changes, self.known = observed(gone, put, self.ids, self.known, self._uploads)
        self.pace = self.pace or pace_of(self.cover, before, len(changes))
        following = follow(
            SCHEMA, self.cover, changes, self.records, before, self.pace, self._uploads,
            self._drbg.fork("day"),
        )  # fmt: skip
        self.cover = following.after
        return CoveredDay(gone, put, changes, following, self._kinds(following))

    def _kinds(self, following: Following) -> np.ndarray:
        """What each cover person did: as an onlooker who knows their records would say."""
        was, names = self.before_cover, ("nik", "nama", "lahir", "kota")
        kinds = []
        for place, number in enumerate(following.put.tolist()):
            if number >= len(was):
                kinds.append(3)
            elif not was.lives.here[number]:
                kinds.append(4)
            else:
                same = all(following.records[n][place] == was.records[n][number] for n in names)
                kinds.append(0 if same else 1)
        return np.array([*kinds, *[5] * len(following.leaving)], np.int64)


__all__ = ["CoveredDay", "CoveredRegistry", "changed", "people", "put_in"]
