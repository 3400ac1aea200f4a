"""The shipped errors: values as another file might have them, the same from one seed."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.crypto.randomness import Drbg
from padan_linkage.edition.damage import OTHER_RATE, RATES, damaged
from padan_linkage.schema import Kind, Schema

KINDS = {
    "nik": "nik", "nama": "person_name", "lahir": "date", "kota": "place", "telepon": "phone",
}  # fmt: skip
SCHEMA = Schema.model_validate(
    {
        "fields": [{"name": n, "kind": k} for n, k in KINDS.items()],
        "passes": [{"id": "nik", "exact": ["nik"]}],
    }
)
VALUES = {
    "nik": "3174015708800001",
    "nama": "siti nur aisyah",
    "lahir": "1980-08-17",
    "kota": "kota batu",
    "telepon": "0812345678",
}


def columns(count):
    return {name: pa.array([value] * count) for name, value in VALUES.items()}


def test_values_change_as_often_as_is_told_and_by_themselves():
    count = 20_000
    made = damaged(columns(count), SCHEMA, Drbg(b"d" * 32))
    changed = {n: [v != VALUES[n] for v in c.to_pylist()] for n, c in made.items()}
    for name, kind in KINDS.items():
        rate = RATES.get(Kind(kind), OTHER_RATE)
        assert sum(changed[name]) / count == pytest.approx(rate, rel=0.15), name
    both = sum(a and b for a, b in zip(changed["nama"], changed["kota"], strict=True))
    assert both / count == pytest.approx(0.13 * 0.20, rel=0.25)


def test_a_seed_gives_the_same_and_another_gives_others():
    one, same, other = (damaged(columns(500), SCHEMA, Drbg(s * 32)) for s in (b"1", b"1", b"2"))
    assert one == same
    assert one != other


@given(
    st.lists(st.text(alphabet="abcdef ", max_size=12).map(str.strip), max_size=40),
    st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    st.binary(min_size=32, max_size=32),
)
def test_any_value_stays_of_its_kind_and_nothing_comes_of_nothing(words, born, seed):
    records = {
        "nama": pa.array(words, pa.string()),
        "lahir": pa.array([born.isoformat()] * len(words), pa.string()),
        "nik": pa.array([VALUES["nik"], ""] * len(words), pa.string()),
    }
    made = damaged(records, SCHEMA, Drbg(seed))
    for was, now in zip(words, made["nama"].to_pylist(), strict=True):
        assert bool(was) == bool(now)
    for now in made["lahir"].to_pylist():
        assert date.fromisoformat(now).isoformat() == now
    for now in made["nik"].to_pylist()[1::2]:
        assert now == ""
    assert all(len(now) == 16 for now in made["nik"].to_pylist()[::2])
