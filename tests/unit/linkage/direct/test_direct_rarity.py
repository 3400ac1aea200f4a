"""How rare the words of a value are, counted over a registry."""

import numpy as np
import pyarrow as pa
import pytest

from padan_linkage.direct.inputs import key_inputs
from padan_linkage.direct.labelling.rarity import (
    COUNT,
    NONE,
    RAREST,
    Rarities,
    added,
    counted,
    known,
    value_words,
)
from padan_linkage.direct.schema import DirectKey
from padan_linkage.schema import Schema, SchemaField

FIELDS = Schema.model_validate(
    {
        "fields": [
            SchemaField(name="nik", kind="nik"),
            SchemaField(name="nama", kind="person_name"),
            SchemaField(name="lahir", kind="date"),
            SchemaField(name="tempat", kind="place"),
        ],
        "passes": [{"id": "nik", "exact": ["nik"]}],
    }
)
WORD = DirectKey(id="kata", exact=("lahir", "nama:words", "tempat"), weak=True)
NUMBER = DirectKey(id="nik", exact=("nik",))


def registry(*people):
    columns = zip(*people, strict=True)
    return dict(zip(("nik", "nama", "lahir", "tempat"), map(pa.array, columns), strict=True))


def words(key, number, records):
    inputs = key_inputs(FIELDS, key, records)
    return inputs.record, value_words(FIELDS, key, number, inputs)


@pytest.mark.parametrize(
    ("people", "level"),
    [(10_000, 0), (9_999, 1), (3_163, 1), (3_162, 2), (100, 4), (99, 5), (10, 6), (3, 8), (1, 8)],
)
def test_half_decades_of_a_million(people, level):
    counts = np.array([(7, people)], COUNT)
    values = np.array([(7, 0), (9, 7)], [("names", np.uint64), ("places", np.uint64)])
    made = Rarities.of(counts, 1_000_000).of_values(values)
    assert [(int(byte) & 15, int(byte) >> 4) for byte in made] == [(level, NONE), (RAREST, level)]


def test_people_are_counted_once_a_word_however_many_values_have_it():
    records = registry(
        *[("3174015708800001", "siti aminah siti", "1980-01-01", "solo")] * 3,
        *[("3174015708800001", "budi santoso", "1980-01-01", "solo")] * 1,
    )
    record, found = words(WORD, 1, records)
    counts = counted([(record, found)])
    by_word = dict(zip(counts["words"].tolist(), counts["people"].tolist(), strict=True))
    assert sorted(by_word.values()) == sorted([3] * len(set(found["names"][record == 0].tolist()))
                                              + [1, 1] + [4])  # fmt: skip
    assert by_word[int(found["places"][0])] == 4
    # Another key counts for itself.
    _, other = words(WORD, 2, records)
    assert not set(other["names"].tolist()) & set(found["names"].tolist())
    _, none = words(NUMBER, 0, records)
    assert not none["names"].any()
    assert not none["places"].any()
    assert not len(counted([words(NUMBER, 0, records)]))


def test_counts_add_up_whatever_the_pieces():
    pieces = [np.array(each, COUNT) for each in ([(1, 2), (5, 1)], [], [(1, 3), (2, 1)])]
    assert added(pieces).tolist() == [(1, 5), (2, 1), (5, 1)]
    assert not len(added([]))
    assert Rarities.of(added([]), 0).of_values(np.zeros(1, words(NUMBER, 0, registry(
        ("3174015708800001", "a", "1980-01-01", "b")))[1].dtype)).tolist() == [0xFF]  # fmt: skip


def test_other_bytes_are_no_rarity():
    every = np.arange(256, dtype=np.uint8)
    levels = {*range(RAREST + 1), NONE}
    assert known(every).tolist() == [i & 15 in levels and i >> 4 in levels for i in range(256)]
