"""Who answers, of several persons that a record met."""

import numpy as np
import pytest

from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    BROKEN_LABEL,
    MATCHED,
    NO_REASON,
    NOT_MATCHED,
    UNDECIDED,
)
from padan_linkage.direct.labelling.deciding import Acquaintances, Said, decide
from padan_linkage.direct.schema import DirectKey, DirectSchema

SCHEMA = DirectSchema(
    keys=(
        DirectKey(id="nik-nama", exact=("nik", "nama:phonetic_first")),
        DirectKey(id="nik-bulan", exact=("nik", "lahir:year_month")),
        DirectKey(id="lahir-nama", exact=("lahir", "nama:words"), weak=True),
        DirectKey(id="lahir-tempat", exact=("lahir", "tempat"), weak=True),
        DirectKey(id="telepon", exact=("telepon", "nama:words"), weak=True, alone=True),
    ),
    records_per_day=1,
    records_per_list=1,
)
NAMA, BULAN, WORD, PLACE, PHONE = range(5)


def decided(*records, set_aside=(), broken=()):
    """``records``: of each, {(person, codes): keys}; outcome, code, reason, ways of each."""
    persons = sorted({whom for record in records for whom in record})
    triples = [
        (i, persons.index(whom), key)
        for i, record in enumerate(records)
        for whom, keys in record.items()
        for key in keys
    ]
    columns = np.array(triples, np.int64).reshape(-1, 3).T
    met, pair = Acquaintances.of(SCHEMA, *columns)
    assert len(pair) == len(triples)
    names = [persons[p][0] for p in met.person]
    said = Said(
        np.array([persons[p][1] for p in met.person], np.uint64),
        np.array([name in set_aside for name in names], np.bool_),
        np.array([name in broken for name in names], np.bool_),
    )
    made = decide(SCHEMA, len(records), met, said)
    ways = [*made.ways, ()]
    return [
        (int(o), int(c), int(r), ways[by])
        for o, c, r, by in zip(
            made.answers.outcome,
            made.answers.code,
            made.answers.reason,
            made.answers.answered_by,
            strict=True,
        )
    ]


def answers(code, *keys):
    return (MATCHED, code, NO_REASON, keys)


def several(*keys):
    return (AMBIGUOUS, 0, NO_REASON, keys)


NOBODY = (NOT_MATCHED, 0, NO_REASON, ())
ANI, BUDI, CICI = ("ani", 1), ("budi", 2), ("cici", 1)


@pytest.mark.parametrize(
    ("keys", "opens"),
    [
        ([NAMA], True),
        ([BULAN], True),
        ([PHONE], True),
        ([WORD], False),
        ([WORD, WORD], False),
        ([PLACE], False),
        ([WORD, PLACE], True),
        ([WORD, NAMA], True),
    ],
)
def test_a_person_opens_by_one_key_or_two_weak_ones(keys, opens):
    (made,) = decided({ANI: keys})
    assert made == (answers(1, *sorted(set(keys))) if opens else NOBODY)


def test_records_are_decided_one_by_one():
    assert decided({ANI: [WORD]}, {ANI: [PLACE]}, {}, {BUDI: [NAMA]}) == [
        NOBODY,
        NOBODY,
        NOBODY,
        answers(2, NAMA),
    ]
    assert decided() == []


def test_strongly_met_come_before_weakly_met():
    assert decided({ANI: [WORD, PLACE, PHONE], BUDI: [BULAN]}) == [answers(2, BULAN)]


def test_whoever_agrees_in_more_of_the_same_parts_comes_first():
    assert decided({ANI: [NAMA, BULAN], BUDI: [BULAN]}) == [answers(1, NAMA, BULAN)]
    assert decided({ANI: [NAMA], BUDI: [BULAN]}) == [several(NAMA, BULAN)]
    weak = {ANI: [WORD, PLACE, PHONE], BUDI: [WORD, PLACE]}
    assert decided(weak) == [answers(1, WORD, PLACE, PHONE)]


def test_equal_codes_are_one_answer_where_strong_keys_met_all():
    assert decided({ANI: [NAMA], CICI: [BULAN]}) == [answers(1, NAMA, BULAN)]
    assert decided({ANI: [PHONE], CICI: [PHONE]}) == [several(PHONE)]
    assert decided({ANI: [NAMA], BUDI: [NAMA]}) == [several(NAMA)]


def test_who_is_set_aside_is_ambiguous_where_nobody_else_is_better():
    assert decided({ANI: [NAMA]}, set_aside={"ani"}) == [several(NAMA)]
    both = {ANI: [NAMA], CICI: [NAMA, BULAN]}
    assert decided(both, set_aside={"ani"}) == [answers(1, NAMA, BULAN)]
    assert decided({ANI: [NAMA], CICI: [BULAN]}, set_aside={"ani"}) == [several(NAMA, BULAN)]


def test_a_broken_label_leaves_its_record_undecided_and_no_other():
    made = decided(
        {ANI: [NAMA]}, {ANI: [BULAN], BUDI: [NAMA, BULAN]}, {BUDI: [NAMA]}, broken={"ani"}
    )
    assert [one[:3] for one in made] == [
        (UNDECIDED, 0, BROKEN_LABEL),
        (UNDECIDED, 0, BROKEN_LABEL),
        (MATCHED, 2, NO_REASON),
    ]
    # What opens nothing is not looked at.
    assert decided({ANI: [WORD], BUDI: [NAMA]}, broken={"ani"}) == [answers(2, NAMA)]


def test_the_order_of_the_list_moves_nothing():
    one, other = {ANI: [NAMA], BUDI: [BULAN]}, {CICI: [WORD, PLACE]}
    assert decided(one, other) == decided(other, one)[::-1]
