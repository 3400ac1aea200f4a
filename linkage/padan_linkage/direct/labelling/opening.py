"""Opens the labels of the persons that a list met: from shares to a secret, to an answer.

Of a person whom no strong key met, and one weak key alone, nothing opens. Spec 60, "Shares".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.labelling.bodies import ANSWER_BYTES, LabelAnswers, masked
from padan_linkage.direct.labelling.deciding import (
    Acquaintances,
    Bool,
    Encounters,
    Numbers,
    Said,
)
from padan_linkage.direct.labelling.lookup import LabelMeetings
from padan_linkage.direct.labelling.persons import places
from padan_linkage.direct.labelling.rarity import known
from padan_linkage.direct.labelling.shares import SHARE_BYTES, line, share
from padan_linkage.direct.schema import DirectSchema

Bytes = NDArray[np.uint8]


def opened(
    schema: DirectSchema,
    table_ids: Sequence[bytes],
    met: LabelMeetings,
    asked: Bool,
    codes: int,
) -> tuple[Acquaintances, Said]:
    """Whom the records met, and what the labels of those say that open.

    ``met`` as :func:`.lookup.standing` leaves them; ``asked``: bool[records, keys], under which
    keys each asked anything; ``codes``: how many the flow has. A person's labels are broken where
    their openers are not all on one line, or where they say different things, or something that
    the flow does not have.
    """
    whom = np.stack([met.table.astype(np.uint64), met.pseudonym], axis=1)
    _, person = np.unique(whom, axis=0, return_inverse=True)
    meetings = Encounters(met.record, person.reshape(-1), met.key, met.rarity)
    people, pair = Acquaintances.of(schema, meetings, asked)
    used = np.flatnonzero(people.opens[pair])
    used = used[np.lexsort((_places(schema)[met.key[used]], pair[used]))]
    return people, _said(schema, table_ids, met.only(used), pair[used], len(people), codes)


def _said(
    schema: DirectSchema,
    table_ids: Sequence[bytes],
    met: LabelMeetings,
    pair: Numbers,
    pairs: int,
    codes: int,
) -> Said:
    """What ``met``, ascending by pair and place, say of their pairs."""
    place = _places(schema)[met.key]
    which, first = np.unique(pair, return_index=True)
    secret, slope = _lines(met.body["opener"], place, pair, first)
    at = np.searchsorted(which, pair)
    said = np.zeros((len(first), ANSWER_BYTES), np.uint8)
    for number, table_id in enumerate(table_ids):
        mine = np.flatnonzero(met.table[first] == number)
        if len(mine):
            hidden = met.body["answer"][first[mine]]
            said[mine] = masked(hidden, secret[mine], table_id)
    answers = LabelAnswers.unpack(said, codes)
    wrong = ~_on_line(met.body["opener"], place, secret[at], slope[at])
    wrong |= (met.body["answer"] != met.body["answer"][first[at]]).any(axis=1)
    wrong |= ~known(met.rarity)
    broken = ~answers.valid
    broken[at[wrong]] = True
    made = Said(np.zeros(pairs, np.uint64), np.zeros(pairs, np.bool_), np.zeros(pairs, np.bool_))
    made.codes[which], made.set_aside[which] = answers.codes * ~broken, answers.set_aside & ~broken
    made.broken[which] = broken
    return made


def _lines(opener: Bytes, place: Numbers, pair: Numbers, first: Numbers) -> tuple[Bytes, Bytes]:
    """Secret and slope of each pair: of its first point and its next at another place.

    Where there is no other, the first is the secret itself.
    """
    ends = np.append(first[1:], len(pair))
    further = np.flatnonzero(place > np.repeat(place[first], ends - first))
    second = np.full(len(first), -1)
    second[np.searchsorted(first, further[::-1], side="right") - 1] = further[::-1]
    secret, slope = opener[first].copy(), np.zeros((len(first), SHARE_BYTES), np.uint8)
    several = np.flatnonzero(second >= 0)
    ways = np.stack([place[first[several]], place[second[several]]], axis=1)
    for one, other in np.unique(ways, axis=0).tolist():
        mine = several[(ways == (one, other)).all(axis=1)]
        points = opener[first[mine]], opener[second[mine]]
        secret[mine], slope[mine] = line(*points, (one, other))
    return secret, slope


def _on_line(opener: Bytes, place: Numbers, secret: Bytes, slope: Bytes) -> Bool:
    fits = np.zeros(len(place), np.bool_)
    for each in np.unique(place).tolist():
        mine = place == each
        fits[mine] = (share(secret[mine], slope[mine], each) == opener[mine]).all(axis=1)
    return fits


def _places(schema: DirectSchema) -> Numbers:
    """By number of key."""
    return np.array(list(places(schema).values()), np.int64)
