"""What a publication puts: all persons of a registry, or those that a delta touches.

A delta names rows; what is published are persons. So the rows as they are from now on are merged
anew, and every person of whom a row came, went or changed is put again, or leaves with the last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.records.persons import Consent, Persons, agreed
from padan_client.records.registry import Publication, Registry, joined, take
from padan_linkage.agreement import Flow
from padan_linkage.schema import Schema

Bools = NDArray[np.bool_]


@dataclass(frozen=True, repr=False)
class Update:
    """What a publication does.

    ``persons``: the registry from now on; ``put``: the persons that are published; ``kept``,
    ``gone``: of those before, who stay as they were and who do not, changed ones among them;
    ``left``: rows that left.
    """

    persons: Persons
    put: Publication
    kept: Registry
    gone: Registry
    left: int = 0


def updated(
    flow: Flow, schema: Schema, given: Publication, before: Persons | None, consent: Consent
) -> Update:
    """Merge copies; ``before``: the persons of the base, None for a whole registry.

    Raises BadInputError if somebody is set aside and ``consent`` does not agree.
    """
    if before is None:
        persons = agreed(Persons.among(flow, schema, given.registry), consent)
        nobody = take(persons.registry, np.zeros(len(persons.registry), np.bool_))
        return Update(persons, Publication(persons.registry), nobody, nobody)
    named = pa.array([*given.deletes, *given.registry.ids.to_pylist()], pa.string())
    rest = take(before.rows, ~_is_in(before.rows.ids, named))
    persons = agreed(Persons.among(flow, schema, joined(rest, given.registry)), consent)
    was = pc.index_in(persons.registry.ids, value_set=before.registry.ids)
    same = _unchanged(before, persons, was) & ~persons.touched(named)
    stays = np.zeros(len(before.registry), np.bool_)
    stays[was.filter(pa.array(same)).to_numpy()] = True
    stays &= ~before.touched(named)
    same &= pc.fill_null(pa.array(stays).take(was), False).to_numpy(zero_copy_only=False)
    put, gone = take(persons.registry, ~same), take(before.registry, ~stays)
    known = pc.is_in(pa.array(given.deletes, pa.string()), value_set=before.rows.ids).to_pylist()
    leaving = set(gone.ids.to_pylist()) - set(put.ids.to_pylist())
    publication = Publication(put, given.base, tuple(sorted(leaving)))
    return Update(persons, publication, take(before.registry, stays), gone, sum(known))


def _unchanged(before: Persons, now: Persons, was: pa.Array) -> Bools:
    """Which persons were published with the same values and answer; ``was``: their place then."""
    then, after = before.registry, now.registry
    place = pc.fill_null(was, 0)
    same = was.is_valid().to_numpy(zero_copy_only=False)
    if not len(then):
        return np.zeros(len(after), np.bool_)
    for name, column in after.records.items():
        same &= pc.equal(column, then.records[name].take(place)).to_numpy(zero_copy_only=False)
    unchanged: Bools = same & (after.payloads == then.payloads[place.to_numpy()]).all(axis=1)
    return unchanged


def _is_in(ids: pa.StringArray, named: pa.StringArray) -> Bools:
    found: Bools = pc.is_in(ids, value_set=named).to_numpy(zero_copy_only=False)
    return found
