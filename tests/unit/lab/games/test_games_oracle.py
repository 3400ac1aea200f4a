"""A requester reads nothing of people who are not on its list by vectors of its own making."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from padan_lab.demo.flows import with_filters
from padan_lab.games.bounds import oracle
from padan_lab.games.oracle.asking import ListRules, OracleTarget, play, response_of
from padan_lab.games.oracle.published import publish
from padan_linkage.agreement import example, load_agreement
from padan_linkage.answering.outcomes import NOT_MATCHED, STRONGEST_BAND
from padan_linkage.matching.scoring.features import REACH, FeaturePlan
from padan_linkage.schema import Pass, Schema, Segment

FLOW = load_agreement(with_filters(example("kemnaker-bkn-2024"))).flow("asn-status")
NAMED = FLOW.schema.get_pass("lahir-depan")
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
def unit():
    schema = Schema(fields=FLOW.schema.fields, passes=(NAMED, MERGED, APART))
    return publish(replace(FLOW, schema=schema), 3_000, seed=8)


def target(unit, p, rng):
    """Somebody whose name and birth date are known, and what the NIK may be."""
    people = {name: column.to_pylist() for name, column in unit.people.items()}
    whole = [i for i in range(len(people["nik"])) if all(people[f][i] for f in people)]
    chosen = int(rng.choice(whole))
    known = {name: values[chosen] for name, values in people.items()}
    nik = known["nik"]
    guesses = {f"{area:06d}{nik[6:12]}{rng.integers(1, 30):04d}"
               for area in rng.integers(110_101, 949_999, CANDIDATES)} - {nik}  # fmt: skip
    return OracleTarget.of(unit, p, known, "nik", [*sorted(guesses), nik], len(guesses))


def test_in_two_segments_everything_is_read(unit):
    rng = np.random.default_rng(1)
    read = [play(unit, target(unit, APART, rng), ROWS, ListRules(128), rng) for _ in range(3)]
    assert [r.rank for r in read] == [1, 1, 1]


def test_a_number_in_a_segment_is_read_sooner_than_by_honest_records(unit):
    bits = {
        honest: np.mean([
            play(unit, target(unit, MERGED, rng), 96, ListRules(48), rng, honest=honest).bits
            for rng in map(np.random.default_rng, range(4))
        ])
        for honest in (False, True)
    }  # fmt: skip
    assert bits[False] > bits[True]


def test_random_bits_in_one_segment_are_answered_by_nothing(unit):
    rng = np.random.default_rng(2)
    who = target(unit, MERGED, rng)
    bits = rng.integers(0, 1 << 64, (256, len(who.codes)), np.uint64)
    assert set(who.ask(unit, bits, ListRules()).tolist()) == {NOT_MATCHED * (STRONGEST_BAND + 1)}


def test_the_bound_is_kept_and_binds():
    """Of the flow with filters; the attack on what shipped before learns more a record."""
    found = oracle(FLOW, 1, seed=4)
    assert found.holds()
    assert 0 < found.bits < found.limit / 5


def test_nobody_is_answered_beyond_the_reach(unit):
    plan = FeaturePlan.of(NAMED, presence=False)
    answers = response_of(unit, plan, NAMED, 0)
    beyond = np.arange(len(answers)) > REACH * plan.bits[0]
    assert (answers[beyond] == NOT_MATCHED * (STRONGEST_BAND + 1)).all()
    assert (answers[~beyond] != NOT_MATCHED * (STRONGEST_BAND + 1)).any()


def test_crowded_questions_close_the_list_and_tell_nothing(unit):
    rng = np.random.default_rng(3)
    rules = ListRules(128, answered=2)
    read = play(unit, target(unit, APART, rng), ROWS, rules, rng)
    assert read.rank > CANDIDATES / 20
