"""Who answers, of several persons that a record met."""

import numpy as np
import pytest

from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    BELOW_PRECISION,
    BROKEN_LABEL,
    MATCHED,
    NO_REASON,
    NOT_MATCHED,
    UNDECIDED,
)
from padan_linkage.direct.labelling.deciding import Acquaintances, Encounters, Said, decide
from padan_linkage.direct.labelling.rarity import NONE
from padan_linkage.direct.schema import DirectKey, DirectSchema, DirectScore

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
NO_WORD = NONE << 4 | NONE
NAMA, BULAN, WORD, PLACE, PHONE = range(5)


def decided(*records, schema=SCHEMA, set_aside=(), broken=(), asked=None, rarity=NO_WORD):
    """``records``: of each, {(person, codes): keys}; outcome, code, reason, ways of each.

    ``asked``: keys that were asked, all unless it is said; ``rarity``: of every value.
    """
    persons = sorted({whom for record in records for whom in record})
    triples = [
        (i, persons.index(whom), key)
        for i, record in enumerate(records)
        for whom, keys in record.items()
        for key in keys
    ]
    columns = np.array(triples, np.int64).reshape(-1, 3).T
    put = np.isin(np.arange(len(schema.keys)), range(5) if asked is None else asked)
    meetings = Encounters(*columns, np.full(len(triples), rarity, np.uint8))
    met, pair = Acquaintances.of(schema, meetings, np.tile(put, (len(records), 1)))
    assert len(pair) == len(triples)
    names = [persons[p][0] for p in met.person]
    said = Said(
        np.array([persons[p][1] for p in met.person], np.uint64),
        np.array([name in set_aside for name in names], np.bool_),
        np.array([name in broken for name in names], np.bool_),
    )
    made = decide(schema, len(records), met, said)
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


# Score

#: The number 40, the first name 10, any word of it 6, the day 20, the month 8, the rest as below.
WEIGHED = SCHEMA.model_copy(
    update={
        "score": DirectScore(
            threshold=50,
            rows=1 << 20,
            margin=4,
            parts={
                "nik": 40,
                "nama:phonetic_first": 10,
                "nama:words": 6,
                "lahir": 20,
                "lahir:year_month": 8,
                "tempat": 5,
                "telepon": 30,
            },
            missed={"nik-bulan": -3, "lahir-tempat": -2},
            names=2,
            places=1,
        )
    }
)
TWO = (NAMA, BULAN)


def unsure(*keys):
    return (UNDECIDED, 0, BELOW_PRECISION, keys)


@pytest.mark.parametrize(
    ("keys", "asked", "rarity", "enough"),
    [
        # 40 + 10.
        ([NAMA], [NAMA], NO_WORD, True),
        # 40 + 10 − 3: the month was asked, and is another.
        ([NAMA], TWO, NO_WORD, False),
        # 40 + 8.
        ([BULAN], [BULAN], NO_WORD, False),
        # 40 + 10 + 8: the number counts once.
        ([NAMA, BULAN], TWO, NO_WORD, True),
        # 30 + 6 and 7 half decades of a name.
        ([PHONE], [PHONE], NONE << 4 | 7, True),
        ([PHONE], [PHONE], NONE << 4 | 6, False),
        # Two half decades of a place stand for one of a name.
        ([PHONE], [PHONE], 2 << 4 | 6, True),
        # 6 + 20 + 5, the day once.
        ([WORD, PLACE], [WORD, PLACE], NO_WORD, False),
    ],
)
def test_an_answer_needs_the_weight_that_the_agreement_says(keys, asked, rarity, enough):
    (made,) = decided({ANI: keys}, schema=WEIGHED, asked=asked, rarity=rarity)
    assert made == (answers(1, *keys) if enough else unsure(*keys))


def test_the_heaviest_answers_where_it_is_ahead_by_the_margin():
    # 58 and 47: whoever is not sure enough is no rival.
    assert decided({ANI: [NAMA, BULAN], BUDI: [NAMA]}, schema=WEIGHED, asked=TWO) == [
        answers(1, NAMA, BULAN)
    ]
    # 40 + 10 + 20 + 5, and 40 + 10 + 20 − 2: the place decides, by 7.
    every = [NAMA, WORD, PLACE]
    ahead = {ANI: every, BUDI: [NAMA, WORD]}
    assert decided(ahead, schema=WEIGHED, asked=every) == [answers(1, *every)]
    close = WEIGHED.model_copy(update={"score": WEIGHED.score.model_copy(update={"margin": 8})})
    assert decided(ahead, schema=close, asked=every) == [several(*every)]


def test_an_identifier_comes_before_any_weight_without_one():
    # 40 + 10 − 2 − 3 against 30 + 6 + 20 + 5 − 3: of namesakes one has the number.
    rivals = {ANI: [NAMA], BUDI: [WORD, PLACE, PHONE]}
    light = WEIGHED.model_copy(update={"score": WEIGHED.score.model_copy(update={"threshold": 40})})
    assert decided(rivals, schema=light) == [answers(1, NAMA)]
    # Whoever is not sure enough is no rival, not by the number either.
    assert decided(rivals, schema=WEIGHED) == [answers(2, WORD, PLACE, PHONE)]


def test_what_opens_nothing_weighs_nothing():
    rare = 8 << 4 | 8
    assert decided({ANI: [WORD]}, schema=WEIGHED, asked=[WORD], rarity=rare) == [NOBODY]


@pytest.mark.parametrize(
    ("rows", "threshold"),
    [
        (1 << 20, 50),
        (1 << 19, 46),
        (1 << 21, 54),
        # ⌊4 · log₂(2²⁰ / 4,096)⌋ = 32; a hair more than 2²⁰ moves nothing yet.
        (4_096, 18),
        ((1 << 20) + 1, 50),
        # 4 · log₂ 1.2 = 1.05.
        ((1 << 20) * 6 // 5, 51),
    ],
)
def test_a_smaller_table_needs_a_bit_less_for_each_halving(rows, threshold):
    assert WEIGHED.at(rows).score.threshold == threshold
    assert SCHEMA.at(rows) == SCHEMA


def test_a_broken_label_is_said_before_a_light_one():
    (made,) = decided({ANI: [BULAN]}, schema=WEIGHED, broken={"ani"})
    assert made[2] == BROKEN_LABEL


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threshold": 100_000}, "threshold"),
        ({"rows": 0}, "rows"),
        ({"margin": 0}, "margin"),
    ],
)
def test_weights_have_bounds(changes, said):
    with pytest.raises(ValueError, match=said):
        DirectSchema.model_validate(
            {
                **SCHEMA.model_dump(),
                "score": {**WEIGHED.score.model_dump(), **changes},
            }
        )
