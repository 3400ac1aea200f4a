"""Whom a label table's keys find, measured at home, and what may then be called not found."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from agency import people

from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    FIELDS_MISSING,
    MATCHED,
    NO_REASON,
    NOT_MATCHED,
    SELDOM_FOUND,
    UNDECIDED,
)
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct import measuring
from padan_linkage.direct.inputs import list_inputs
from padan_linkage.direct.labelling.rarity import Rarities, counted
from padan_linkage.direct.measuring import measure, vouch
from padan_linkage.direct.schema import DirectKey, DirectSchema, DirectScore
from padan_linkage.schema import Schema, SchemaField

FIELDS = Schema.model_validate(
    {
        "fields": [
            SchemaField(name="nik", kind="nik"),
            SchemaField(name="nama", kind="person_name"),
            SchemaField(name="lahir", kind="date"),
        ],
        "passes": [{"id": "nik", "exact": ["nik"]}],
    }
)
BOTH = DirectKey(id="nik-nama", exact=("nik", "nama"))
ALONE = DirectKey(id="nik", exact=("nik",), without=("nama",))
NAMED = DirectKey(id="nama", exact=("nama:phonetic_first", "lahir:year"), weak=True, alone=True)
NIK, DOUBTFUL = "3174015708800001", "?3174015799800001"
#: Of a registry in which no word is anybody's: all are of the rarest.
UNCOUNTED = Rarities.of(counted([]), 400)


def keyed(*keys):
    return DirectSchema(keys=keys, records_per_day=1, records_per_list=1)


def registry(count=400):
    made = people(count, seed=3)
    return {
        "nik": pa.array([p["nik"] for p in made]),
        "nama": pa.array([p["nama"].lower() for p in made]),
        "lahir": pa.array([p["tanggal_lahir"] for p in made]),
    }


def spoil(records, _):
    """Every number is another's."""
    return {**records, "nik": pa.array(["9" * 16] * len(records["nik"]))}


def measured(*keys, records=None, seed=b"s"):
    records = records or registry()
    codes = 1 + np.arange(len(records["nik"]), dtype=np.uint64) % 3
    found = measure(FIELDS, keyed(*keys), records, codes, Drbg(seed * 32), spoil, UNCOUNTED)
    return {each.fields: each for each in found}


def test_every_combination_is_asked_and_found_where_a_key_is_for_it():
    found = measured(BOTH, ALONE)
    assert set(found) == {("nik", "nama"), ("nik",), ("nama",)}
    assert {fields: each.found for fields, each in found.items()} == {
        ("nik", "nama"): 1.0,
        ("nik",): 1.0,
        ("nama",): 0.0,
    }
    assert found["nik",].keys == ("nik",)
    assert found["nik", "nama"].keys == ("nik-nama",)
    assert found["nama",].keys == ()
    assert {each.damaged for each in found.values()} == {0.0}


def test_several_who_fit_are_found_and_told_as_what_a_stranger_meets():
    found = measured(NAMED)["nama", "lahir"]
    assert (found.found, found.keys) == (1.0, ("nama",))
    assert 0 < found.wrong < 1


def test_the_same_seed_asks_the_same_and_few_are_taken_of_many(monkeypatch):
    monkeypatch.setattr(measuring, "MOST_PEOPLE", 200)
    monkeypatch.setattr(measuring, "MOST_ASKED", 50)
    one, two = measured(BOTH, NAMED), measured(BOTH, NAMED)
    assert one == two
    assert one["nik", "nama"].asked == 50
    assert one["nama", "lahir"].wrong == pytest.approx(
        measured(NAMED)["nama", "lahir"].wrong, abs=0.2
    )


def test_how_many_are_registered_is_told_no_more_exactly_than_by_the_table(monkeypatch):
    """A manifest is free: one person more or less shows in none of its numbers by itself."""
    whole = registry()
    fewer = {name: column.slice(0, 397) for name, column in whole.items()}
    assert [each.asked for each in measured(NAMED, records=whole).values()] == [200] * 3
    assert [each.asked for each in measured(NAMED, records=fewer).values()] == [200] * 3
    monkeypatch.setattr(measuring, "MOST_PEOPLE", 193)
    for each in measured(BOTH, ALONE, NAMED).values():
        assert each.asked == 100
        assert each.wrong == float(f"{each.wrong:.1e}")
        for share in (each.found, each.damaged):
            assert share == round(share, 3)


def test_combinations_that_nobody_has_are_left_out():
    records = registry()
    records["nama"] = pa.array([""] * 400)
    assert set(measured(BOTH, ALONE, records=records)) == {("nik",)}


def vouched(given, *, outcome=NOT_MATCHED, min_found=0.99, nik=NIK, nama="", lahir=""):
    answers = RecordAnswers.none(1)
    answers.outcome[:] = outcome
    records = {"nik": pa.array([nik]), "nama": pa.array([nama]), "lahir": pa.array([lahir])}
    schema = keyed(BOTH, ALONE)
    asked = list_inputs(FIELDS, schema, records, 1).asked(1)
    made = vouch(answers, tuple(given.values()), schema, records, asked, min_found)
    return int(made.outcome[0]), int(made.reason[0])


def test_not_found_is_said_only_where_it_is_vouched_for():
    found = measured(BOTH, ALONE)
    assert vouched(found) == (NOT_MATCHED, NO_REASON)
    assert vouched(found, nama="SITI") == (NOT_MATCHED, NO_REASON)
    assert vouched(found, lahir="1980-01-01") == (NOT_MATCHED, NO_REASON)
    assert vouched(found, nik="", nama="SITI") == (UNDECIDED, FIELDS_MISSING)
    assert vouched(found, nik=DOUBTFUL) == (UNDECIDED, FIELDS_MISSING)
    assert vouched(found, nama="?SITI") == (UNDECIDED, FIELDS_MISSING)  # no key was asked
    assert vouched({}) == (UNDECIDED, FIELDS_MISSING)
    seldom = {f: e.model_copy(update={"found": 0.95}) for f, e in found.items()}
    assert vouched(seldom) == (UNDECIDED, SELDOM_FOUND)
    assert vouched(seldom, min_found=0.9) == (NOT_MATCHED, NO_REASON)


HALF = (
    DirectKey(id="dua-kata", exact=("nama:pairs", "lahir"), weak=True),
    DirectKey(id="kata-bulan", exact=("nama:words", "lahir:year_month"), weak=True),
)


def test_a_name_of_one_word_is_vouched_for_by_people_with_one_word():
    """They ask under fewer keys than others with the same fields, and have an entry of theirs."""
    records = registry()
    one = pa.array(
        [n.split()[0] if i % 4 == 0 else n for i, n in enumerate(records["nama"].to_pylist())]
    )
    codes = 1 + np.arange(400, dtype=np.uint64) % 3
    schema = keyed(BOTH, *HALF)
    found = measure(
        FIELDS, schema, records | {"nama": one}, codes, Drbg(b"s" * 32), spoil, UNCOUNTED
    )
    whole = {each.keys: each.asked for each in found if each.fields == ("nik", "nama", "lahir")}
    assert whole == {("nik-nama", "dua-kata", "kata-bulan"): 200, ("nik-nama", "kata-bulan"): 100}
    for nama in ("siti", "siti aminah"):
        row = {"nik": NIK, "nama": nama, "lahir": "1980-01-01"}
        assert told(found, schema, row) == (NOT_MATCHED, NO_REASON)


def test_a_single_share_vouches_for_nobody():
    """Two weak keys open together; a row that asks under one of them lacks fields."""
    schema = keyed(*HALF)
    codes = 1 + np.arange(400, dtype=np.uint64) % 3
    records = registry() | {"nama": pa.array(["siti", *registry()["nama"].to_pylist()[1:]])}
    found = measure(FIELDS, schema, records, codes, Drbg(b"s" * 32), spoil, UNCOUNTED)
    row = {"nik": "", "lahir": "1980-01-01"}
    assert told(found, schema, row | {"nama": "siti aminah"}) == (NOT_MATCHED, NO_REASON)
    assert told(found, schema, row | {"nama": "siti"}) == (UNDECIDED, FIELDS_MISSING)


def told(found, schema, row):
    """What a row that met nobody is told."""
    records = {name: pa.array([value]) for name, value in row.items()}
    asked = list_inputs(FIELDS, schema, records, 1).asked(1)
    made = vouch(RecordAnswers.none(1), found, schema, records, asked, 0.99)
    return int(made.outcome[0]), int(made.reason[0])


def test_a_field_that_nobody_registered_has_adds_nothing_but_where_a_key_is_for_rows_without_it():
    records = registry() | {"nama": pa.array([""] * 400)}
    found = measured(BOTH, ALONE, records=records)
    assert vouched(found, lahir="1980-01-01") == (NOT_MATCHED, NO_REASON)
    assert vouched(found, nama="SITI") == (UNDECIDED, FIELDS_MISSING)


def test_nobody_is_vouched_for_among_no_rows():
    none = {name: pa.array([], pa.string()) for name in ("nik", "nama", "lahir")}
    found = tuple(measured(BOTH).values())
    asked = np.zeros((0, 1), np.bool_)
    assert len(vouch(RecordAnswers.none(0), found, keyed(BOTH), none, asked, 0.99)) == 0


@pytest.mark.parametrize("outcome", [MATCHED, AMBIGUOUS])
def test_what_was_found_is_nobodys_business_here(outcome):
    assert vouched({}, outcome=outcome) == (outcome, NO_REASON)


def test_people_whom_the_agreement_weighs_too_little_are_not_found():
    def of_threshold(threshold):
        score = DirectScore(
            threshold=threshold, rows=1, margin=1, parts={"nik": 40, "nama": 8}, names=1
        )
        schema = keyed(BOTH, ALONE).model_copy(update={"score": score})
        codes = 1 + np.arange(400, dtype=np.uint64) % 3
        found = measure(FIELDS, schema, registry(), codes, Drbg(b"s" * 32), spoil, UNCOUNTED)
        return {each.fields: each.found for each in found}

    # Names of this registry are all of the rarest: eight half decades.
    enough, too_much = of_threshold(56), of_threshold(57)
    assert enough["nik", "nama"] == 1
    assert too_much["nik", "nama"] == 0
    assert enough["nik",] == 0
