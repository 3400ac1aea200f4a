"""A publication with its cover people: whose records are encoded, and what is known afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.home.cover.cover_book import Page
from padan_client.records.registry import Registry
from padan_client.records.updating import Update
from padan_linkage.cover import (
    CoverPeople,
    KnownPeople,
    Named,
    follow,
    joined,
    observed,
    pace_of,
    with_cover,
)
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import Leaving
from padan_linkage.schema import Schema


@dataclass(frozen=True, repr=False)
class Covered:
    """People and behind them cover people, in ``rows`` rows a pass with those who leave.

    ``numbers``: int64[cover people], None where they are all of them; ``leaving``: in a delta
    alone; ``cover``, ``known``, ``pace``, ``uploads``: what the next delta needs to know.
    """

    records: Mapping[str, pa.StringArray]
    rows: int
    numbers: NDArray[np.int64] | None
    leaving: Leaving | None
    cover: CoverPeople
    known: KnownPeople
    pace: float
    uploads: int


def covered(schema: Schema, update: Update, base: Page | None, drbg: Drbg) -> Covered:
    """The cover people of a whole registry, or of a delta of ``base``.

    Raises BadInputError for a delta of nothing to a registry of nobody.
    """
    drbg = drbg.fork("cover")
    if base is None:
        return _whole(schema, update, drbg)
    people, put, gone = update.persons.registry, update.put.registry, update.gone
    changes, known = observed(_named(gone), _named(put), people.ids, base.known, base.uploads)
    before = len(update.kept) + len(gone)
    pace = base.pace
    if not pace and len(changes):
        pace = pace_of(base.cover, before, len(changes))
    does = follow(schema, base.cover, changes, people.records, before, pace, base.uploads, drbg)
    deletes, rows = update.put.deletes, len(changes) + does.put.size + does.leaving.size
    if not rows:
        raise BadInputError(
            t(
                "Registri itu kosong dan tidak ada yang berubah. Terbitkan registri lengkap.",
                "That registry is empty and nothing changes. Publish the whole registry.",
            )
        )
    return Covered(
        records=joined(put.records, does.records),
        rows=rows,
        numbers=does.put,
        leaving=Leaving(deletes, does.leaving),
        cover=does.after,
        known=known,
        pace=pace,
        uploads=base.uploads + 1,
    )


def _whole(schema: Schema, update: Update, drbg: Drbg) -> Covered:
    people = update.put.registry
    rows = schema.padded_rows(len(people))
    records = with_cover(schema, people.records, rows, drbg)
    behind = {name: pa.concat_arrays([c.slice(len(people))]) for name, c in records.items()}
    return Covered(
        records=records,
        rows=rows,
        numbers=None,
        leaving=None,
        cover=CoverPeople.of(behind),
        known=KnownPeople.nobody(),
        pace=0.0,
        uploads=1,
    )


def _named(registry: Registry) -> Named:
    return Named(registry.ids, registry.records)
