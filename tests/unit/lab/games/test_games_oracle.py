"""What a requester reads of people who are not on its list, by questions of its own making."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from padan_lab.demo.flows import with_filters
from padan_lab.games.bounds import AttackScale, oracle
from padan_lab.games.oracle.asking import OracleTarget, Sought, response_of
from padan_lab.games.oracle.guessing import guess, holding
from padan_lab.games.oracle.metered import MeteredUnit, listed_rows
from padan_lab.games.oracle.published import publish
from padan_lab.games.oracle.reading import read
from padan_linkage.agreement import example, load_agreement
from padan_linkage.answering.outcomes import NOT_MATCHED
from padan_linkage.matching.scoring.features import REACH, FeaturePlan
from padan_linkage.schema import Pass, Schema, Segment

FLOW = load_agreement(with_filters(example("kemnaker-bkn-2024"))).flow("asn-status")
SHIPPED = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
NAMED = FLOW.schema.get_pass("lahir-depan")
NUMBERS = tuple(FLOW.schema.get_pass(name) for name in ("nik-depan", "nik-hari"))
#: What shipped before: name and NIK as one; date and NIK, which can be varied one by one.
MERGED = Pass(
    id="lahir-nik",
    exact=("tanggal_lahir", "nama:phonetic_first"),
    similar=(Segment(fields=("nama", "nik"), weight=200, diffusion=10),),
)
APART = Pass(
    id="nama-tahun",
    exact=("nama:phonetic", "tanggal_lahir:year"),
    similar=tuple(
        Segment(fields=(name,), weight=200, diffusion=16) for name in ("tanggal_lahir", "nik")
    ),
    bucket_bits=12,
)
ROWS, CANDIDATES = 384, 3_000


@pytest.fixture(scope="module")
def registry():
    schema = Schema(fields=FLOW.schema.fields, passes=(NAMED, MERGED, APART, *NUMBERS))
    return publish(replace(FLOW, schema=schema), 3_000, seed=8)


def sought(registry, rng):
    """Somebody whose name and birth date are known, and what the NIK may be."""
    people = {name: column.to_pylist() for name, column in registry.people.items()}
    whole = [i for i in range(len(people["nik"])) if all(people[f][i] for f in people)]
    chosen = int(rng.choice(whole))
    known = {name: values[chosen] for name, values in people.items()}
    nik = known["nik"]
    guesses = {f"{area:06d}{nik[6:12]}{rng.integers(1, 30):04d}"
               for area in rng.integers(110_101, 949_999, CANDIDATES)} - {nik}  # fmt: skip
    values = sorted({*guesses, nik})
    return Sought(known, "nik", values, np.full(len(values), 1 / len(values)), values.index(nik))


def last(readings, lists=8):
    """What is read after so many lists, or when all is known."""
    return [found for _, found in zip(range(lists), readings, strict=False)][-1]


def test_in_two_segments_everything_is_read_where_nothing_is_metered(registry):
    rng = np.random.default_rng(1)
    people = [sought(registry, rng) for _ in range(3)]
    found = last(read(MeteredUnit(registry, None), APART, people, ROWS, rng), 24)
    assert [r.rank for r in found] == [1, 1, 1]


def test_a_number_in_a_segment_is_read_sooner_than_by_honest_records(registry):
    rng = np.random.default_rng(0)
    people = [sought(registry, rng) for _ in range(4)]
    bits = {
        honest: np.mean([
            r.bits
            for r in last(
                read(MeteredUnit(registry, None), MERGED, people, 192, rng, honest=honest), 2
            )
        ])
        for honest in (False, True)
    }  # fmt: skip
    assert bits[False] > bits[True]


def test_random_bits_in_one_segment_are_answered_by_nothing(registry):
    rng = np.random.default_rng(2)
    who = OracleTarget.of(registry, MERGED, sought(registry, rng))
    bits = rng.integers(0, 1 << 64, (256, len(who.codes)), np.uint64)
    given = MeteredUnit(registry, None).answer(
        MERGED, listed_rows(registry, MERGED, who.rows(bits))
    )
    assert (given.outcome == NOT_MATCHED).all()


def test_nobody_is_answered_beyond_the_reach(registry):
    plan = FeaturePlan.of(NAMED, presence=False)
    answers = response_of(registry, plan, NAMED, 0)
    beyond = np.arange(len(answers)) > REACH * plan.bits[0]
    nothing = answers[-1]
    assert (answers[beyond] == nothing).all()
    assert (answers[~beyond] != nothing).any()


@pytest.mark.parametrize("excess", ["met", "crowded"])
def test_a_list_in_excess_is_closed_and_tells_nothing(registry, excess):
    """By the unit's own rules: nine rows near somebody's filter, or very many in one bucket."""
    rng = np.random.default_rng(3)
    unit = MeteredUnit(registry, FLOW.quota)
    who = OracleTarget.of(registry, MERGED, sought(registry, rng))
    near = who.codes[:, who.truth]
    if excess == "met":
        vectors = np.stack([near ^ np.uint64(1 << i) for i in range(9)])
    else:
        vectors = rng.integers(0, 1 << 64, (unit.allowed(MERGED, 600) + 200, len(near)), np.uint64)
    assert unit.answer(MERGED, listed_rows(registry, MERGED, who.rows(vectors))) is None
    few = listed_rows(registry, MERGED, who.rows(vectors[:8]))
    assert unit.answer(MERGED, few) is not None


def test_every_list_of_a_year_has_an_epoch_of_its_own_and_then_it_is_over(registry):
    quota = FLOW.quota.model_copy(update={"lists_per_year": 3})
    unit = MeteredUnit(registry, quota)
    rng = np.random.default_rng(4)
    people = [sought(registry, rng)]
    found = list(read(unit, MERGED, people, 16, rng, honest=True))
    assert (len(found), unit.lists, unit.epoch) == (3, 3, 3)


def test_a_guess_at_a_token_covers_one_value_in_each_pass(registry):
    """Honest rows guess one number each; crafted ones another in either of two passes."""
    rng = np.random.default_rng(5)
    passes = holding(registry.schema.passes, "nik")
    assert passes == NUMBERS
    unit = MeteredUnit(registry, FLOW.quota)
    whole = [sought(registry, rng) for _ in range(6)]
    ranks = {}
    for honest in (True, False):
        found = [guess(unit, passes, who, 500, honest=honest) for who in whole]
        missed = [r.rank for r in found if r.rank > 1]
        assert missed
        ranks[honest] = missed[0]
    half = (len(whole[0].values) + 1) / 2
    assert ranks[True] == pytest.approx(half - 250, abs=2)
    assert ranks[False] == pytest.approx(half - 500, abs=2)


@pytest.mark.parametrize("flow", [SHIPPED, FLOW], ids=["as shipped", "with filters"])
def test_the_bound_is_kept_and_binds(flow):
    """The attack on what shipped before learns more a record."""
    scale = AttackScale(1, people=1_500, candidates=600, rows=1_500, lists=2)
    found = oracle(flow, scale, seed=4)
    assert found.holds()
    assert 0 < found.bits < found.limit
    assert any(name.startswith("lahir-depan") for name in found.details) == (flow is FLOW)
