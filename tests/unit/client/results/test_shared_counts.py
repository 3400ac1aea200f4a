"""What minutes count: no document, and no difference of documents, gives the count of a few."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from agency import make_session, small_passes
from signing import write_signed

from padan_client.results.shared_counts import SharedCounts, shared_counts
from padan_client.results.told_rows import ToldRows
from padan_linkage.agreement import example, load_agreement

FEWEST, SMALLEST = 300, 3
FLOW = replace(load_agreement(example("kemnaker-bkn-2024")).flow("asn-status"), minimum_counted=300)
CODES = ["ASN_AKTIF", "ASN_TIDAK_AKTIF", "ASN_PENSIUN", "TIDAK_DITEMUKAN"]
#: Of a person: common answers, and seldom ones.
ANSWERS = np.random.default_rng(3).choice(4, 4000, p=[0.6, 0.004, 0.096, 0.3])


def digest(person):
    """Letters as ``sidik`` has them."""
    return "".join(chr(97 + int(half, 16)) for half in f"{person:016x}")


def result(people, registry="0f"):
    """The columns of a list's result that counts are made from."""
    kode = [CODES[ANSWERS[person]] for person in people]
    hasil = ["tidak_ditemukan" if code == CODES[3] else "ditemukan" for code in kode]
    by = {"edisi": ["0e"] * len(kode), "registri": [registry] * len(kode)}
    return pa.table({"sidik": [digest(p) for p in people], "hasil": hasil, "kode": kode, **by})


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    signed = write_signed(tmp_path_factory.mktemp("signed"), edit=small_passes)
    return make_session(signed, "asn-status", provider=False)


@pytest.fixture
def make_ledger(tmp_path, session):
    def make(name="home"):
        (tmp_path / name).mkdir(exist_ok=True)
        home = SimpleNamespace(
            folder=tmp_path / name, identity=session.identity, randomness=os.urandom
        )
        return ToldRows(home)

    return make


@pytest.fixture
def place(session):
    return replace(session.place, flow=FLOW)


def lists(seed):
    """Lists as a year has them: one, its superset, one person more or less, months, a half-year."""
    rng = np.random.default_rng(seed)
    first = rng.choice(4000, 900, replace=False)
    others = np.setdiff1d(np.arange(4000), first)
    months = [rng.choice(4000, int(rng.integers(200, 700)), replace=False) for _ in range(4)]
    return [
        first,
        np.append(first, others[0]),
        first[1:],
        np.append(first[1:], others[1]),
        np.append(first, others[:350]),
        first[::-1],
        *months,
        np.unique(np.concatenate(months)),
        rng.permutation(4000)[:3000],
    ]


def cells(told, counted):
    """What a reader of one document knows: a set of people, and how many of them have a code."""
    rest = told.counted - sum(told.counts.values())
    return counted, dict(told.counts), (told.small, rest)


def found(documents):
    """Sets of people that follow from up to three documents with a count that is small."""
    small = []
    for signs in product((-1, 0, 1), repeat=len(documents)):
        if not 0 < sum(map(abs, signs)) <= 3:
            continue
        weight = sum(s * d[0] for s, d in zip(signs, documents, strict=True))
        people = np.flatnonzero(weight)
        if not len(people) or not (weight[people] > 0).all() or weight.max() > 1:
            continue
        used = [d for s, d in zip(signs, documents, strict=True) if s]
        codes = set.intersection(*(set(d[1]) for d in used))
        counts = [
            sum(s * d[1][code] for s, d in zip(signs, documents, strict=True) if s)
            for code in codes
        ]
        if len(people) < FEWEST or any(count < SMALLEST for count in counts):
            small.append((len(people), counts))
    return small


def marked(people):
    weight = np.zeros(4000, int)
    weight[people] = 1
    return weight


@pytest.mark.parametrize("seed", range(3))
def test_no_difference_of_documents_counts_a_few(make_ledger, place, seed):
    """A reader who knows every list works out nothing small, and no document is empty of use."""
    ledger, before, documents = make_ledger(), set(), []
    for people in lists(seed):
        told = ledger.counts(place, result(people))
        fresh = sorted(set(people.tolist()) - before)
        if told.counted:
            assert told.counted == len(fresh) >= FEWEST
            before |= set(fresh)
            truth = Counter(CODES[ANSWERS[p]] for p in fresh)
            assert all(truth[code] == rows >= SMALLEST for code, rows in told.counts.items())
            rest = told.counted - sum(told.counts.values())
            assert rest == 0 or rest >= SMALLEST
            assert len(told.small) != 1
            documents.append(cells(told, marked(fresh)))
    assert len(documents) >= 3
    assert found(documents) == []


def test_whole_counts_of_the_same_lists_give_single_people_away():
    """The positive control: minutes as they were."""
    documents = [
        (marked(people), Counter(CODES[ANSWERS[p]] for p in people), ((), 0))
        for people in lists(0)[:5]
    ]
    assert any(size == 1 for size, _ in found(documents))


def test_the_same_result_is_told_the_same_and_another_home_knows_nothing(make_ledger, place):
    people = np.arange(800)
    told = make_ledger().counts(place, result(people))
    assert told.counted == 800
    assert make_ledger().counts(place, result(people)) == told
    assert make_ledger().counts(place, result(people[::-1])) == SharedCounts()
    assert make_ledger().counts(place, result(people, "1f")) == SharedCounts(), "nobody changed"
    assert make_ledger("other").counts(place, result(people[::-1])).counted == 800


def notes_on(*rows):
    """A quarantine with three notes on each of the rows."""
    return pa.table({"row": [row for row in rows for _ in range(3)]})


def test_a_row_with_three_notes_counts_once_and_few_rows_are_not_told(make_ledger, place):
    people = np.arange(800)
    whole = result(people).append_column("row", pa.array(people + 1))
    least = -(-place.flow.minimum_counted // 100)
    for name, noted in (
        ("many", 40),
        ("enough", least),
        ("few", least - 1),
        ("one", 1),
        ("none", 0),
    ):
        told = make_ledger(name).counts(place, whole, notes_on(*range(1, noted + 1)))
        assert told.quarantined == (noted if noted >= least else None), name
    all_but_one = make_ledger("rest").counts(place, whole, notes_on(*range(2, 801)))
    assert all_but_one.quarantined is None
    ledger = make_ledger("twice")
    ledger.counts(place, whole.slice(0, 400), notes_on(*range(1, 41)))
    assert ledger.counts(place, whole, notes_on(*range(381, 421))).quarantined == 20


def test_the_ledger_shows_nobody(make_ledger, place, tmp_path):
    make_ledger().counts(place, result(np.arange(800)))
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0
            assert b"ASN" not in path.read_bytes()
            assert (799).to_bytes(8, "big") not in path.read_bytes()


def test_small_counts_go_with_enough_others_that_the_rest_is_not_small():
    def fresh(**counts):
        kode = [code for code, rows in counts.items() for _ in range(rows)]
        return pa.table({"hasil": ["ditemukan"] * len(kode), "kode": kode})

    told = shared_counts(FLOW, fresh(ASN_AKTIF=400, ASN_PENSIUN=20, TIDAK_DITEMUKAN=2))
    assert told.counts == {"ASN_AKTIF": 400}
    assert {"ASN_PENSIUN", "TIDAK_DITEMUKAN", "ganda", "karantina"} <= set(told.small)
    assert shared_counts(FLOW, fresh(ASN_AKTIF=299)) == SharedCounts()
    alone = shared_counts(FLOW, fresh(ASN_AKTIF=300))
    assert (alone.counted, alone.counts) == (300, {})
