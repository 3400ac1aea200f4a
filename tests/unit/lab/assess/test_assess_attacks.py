"""The attacks themselves: they fall upon what is weak, find nobody among strangers, and what is
shipped withstands them. Small: tests/benchmarks/measure_hardening.py has the whole sweep.
"""

import numpy as np
import pytest
from registry_part import registry_part

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.auction import auction
from padan_lab.assess.attacks.claims import assign, right, same
from padan_lab.assess.attacks.colours import attack_aligned
from padan_lab.assess.attacks.groups import GroupAttack
from padan_lab.assess.controls import control_people, control_schema, controls
from padan_lab.assess.ingredients import ingredients
from padan_lab.assess.material.population import grouped_people, people
from padan_lab.assess.material.schemes import PassScheme, PlainScheme
from padan_lab.assess.suite import (
    Attack,
    Rate,
    Shown,
    View,
    attack_groups,
    attack_table,
    strangers,
)
from padan_linkage.schema import Kind, Pass, Schema, SchemaField, Segment

PEOPLE = 400


@pytest.fixture(scope="module")
def fallen():
    return {control.rate.attack: control for control in controls(700, 3)}


@pytest.mark.parametrize("attack", ["FREQ", "PM", "GMA", "SIG", "SEED", "DEA", "GRP"])
def test_weak_encodings_fall(fallen, attack):
    control = fallen[Attack(attack)]
    assert control.least >= 0.9
    assert control.fell()


def test_aligned_passes_fall():
    """Classes that cross: nothing but who shares which value with whom."""
    rng = np.random.default_rng(5)
    classes = np.stack([rng.integers(0, n, 2000) for n in (400, 300, 200)], axis=1)
    order = rng.permutation(2000)
    found = (attack_aligned(classes, classes[order], rng) == order).mean()
    assert found >= 0.95


def hardened(**segment):
    """Birth dates salt, names are alike: with the profile's hardening, or some of it."""
    return Schema(
        fields=(
            SchemaField(name="nama", kind=Kind.PERSON_NAME),
            SchemaField(name="tanggal_lahir", kind=Kind.DATE),
        ),
        passes=(
            Pass(
                id="lahir",
                exact=("tanggal_lahir",),
                similar=(Segment(fields=("nama",), **segment),),
                bucket_bits=6,
            ),
        ),
    )


def group_rates(schema, size):
    scheme = PassScheme(schema, schema.passes[0])
    born = grouped_people(schema, scheme.p, size, PEOPLE, 1)
    attack = GroupAttack(Attacker(scheme, born, 4))
    return {r.view: r for r in attack_groups(attack, scheme.encode(born, 1), 1)}


def test_the_group_attack_wants_diffusion_and_the_profile_has_it():
    salted = group_rates(hardened(diffusion=0), 46)
    assert salted[View.GROUPS].persons > 0.5
    assert salted[View.GROUPS].known > 0.5
    assert salted[View.TABLE].persons > 0.5  # linking finds the groups in their buckets
    shipped = group_rates(hardened(), 46)
    assert shipped[View.GROUPS].persons <= 0.02
    assert shipped[View.GROUPS].known <= 3 / 46
    assert shipped[View.TABLE].persons <= 0.02


def test_the_profile_withstands_attacks_on_the_table():
    schema = hardened()
    scheme = PassScheme(schema, schema.passes[0])
    born = grouped_people(schema, scheme.p, 4, PEOPLE, 2)
    rates = list(attack_table(Attacker(scheme, born, 2), scheme.encode(born, 1), 1))
    assert {r.attack for r in rates} == set(Attack) - {Attack.GRP, Attack.COLOURS}
    beyond = [r for r in rates if r.persons > max(0.0125, 1.5 * r.guess)]
    assert beyond == []


def test_strangers_are_found_by_chance_alone():
    """Whoever knows another population must guess, even where everything else falls."""
    schema = control_schema()
    residents = control_people(schema, PEOPLE, 4)
    plain = PlainScheme(("nama", "tanggal_lahir"))
    unsalted = PassScheme(schema, schema.get_pass("unsalted"))
    for scheme in (plain, unsalted):
        others = Attacker(scheme, strangers(residents, 5), 2)
        for rate in attack_table(others, scheme.encode(residents, 6), 7):
            assert rate.persons * PEOPLE <= 8, rate.attack


def test_known_rows_help_where_likeness_alone_does_not():
    """Names in salt groups of twenty without diffusion: a fifth of the rows tells the others."""
    schema = hardened(diffusion=0)
    scheme = PassScheme(schema, schema.passes[0])
    born = grouped_people(schema, scheme.p, 20, PEOPLE, 6)
    wanted = frozenset({Attack.SIG, Attack.SEEDED})
    rates = attack_table(Attacker(scheme, born, 3), scheme.encode(born, 1), 1, wanted)
    found = {r.attack: r for r in rates}
    assert found[Attack.SEEDED].interval[0] > found[Attack.SIG].persons + 0.1
    assert found[Attack.SEEDED].asked < PEOPLE


def test_a_part_that_is_left_out_shows():
    """Diffusion most of all; and the encoding as it is stays beside it."""
    schema = hardened()
    scheme = PassScheme(schema, schema.passes[0])
    born = grouped_people(schema, scheme.p, 20, 400, 1)
    parts = ingredients(scheme, born, keys=3, victims=1, seed=1)
    made = {i.without: i.rate for i in parts}
    assert set(made) == {"", "salt", "diffusion", "decoys"}
    assert made["diffusion"].interval[0] > made[""].interval[1]


@pytest.mark.parametrize(
    ("found", "asked", "limit", "standing"),
    [
        (4, 30, 0.10, Shown.UNSHOWN),  # 13 % of thirty people: it may be 3 or 35
        (4, 30, 0.01, Shown.ABOVE),
        (0, 30, 0.03, Shown.UNSHOWN),
        (0, 1_000, 0.01, Shown.WITHIN),
        (9, 1_000, 0.01, Shown.UNSHOWN),
        (30, 1_000, 0.01, Shown.ABOVE),
    ],
)
def test_few_people_show_nothing(found, asked, limit, standing):
    rate = Rate(Attack.SIG, View.TABLE, found, asked, 1 / 1_000)
    assert rate.standing(limit) is standing
    low, high = rate.interval
    assert low <= rate.persons <= high


def test_groups_are_made_of_the_size_asked_for():
    schema = hardened()
    birth = schema.passes[0]
    weak = birth.model_copy(update={"exact": ("nama:phonetic_first", "tanggal_lahir:year")})
    for p in (birth, weak):
        made = grouped_people(schema, p, 7, 70, 1)
        salts = PassScheme(schema, p).salts(made)
        sizes = np.bincount(salts)
        assert set(sizes % 7) == {0}
        assert len(made["nama"]) == 70
    absurd = birth.model_copy(update={"exact": ("nama",)})
    with pytest.raises(ValueError, match="no groups"):
        grouped_people(schema, absurd, 300, 600, 1)


def test_a_niks_date_follows_the_group_s():
    schema = Schema(
        fields=(
            SchemaField(name="nik", kind=Kind.NIK),
            SchemaField(name="tanggal_lahir", kind=Kind.DATE),
        ),
        passes=(Pass(id="lahir", exact=("tanggal_lahir",), similar=(Segment(fields=("nik",)),)),),
    )
    made = grouped_people(schema, schema.passes[0], 10, 20, 1)
    for nik, born in zip(made["nik"].to_pylist(), made["tanggal_lahir"].to_pylist(), strict=True):
        assert nik[8:12] == born[5:7] + born[2:4]
        assert int(nik[6:8]) % 40 == int(born[8:])


def test_ties_are_broken_at_random_and_identical_people_count_as_one():
    rng = np.random.default_rng(1)
    flat = np.zeros((200, 200), np.float32)
    assert (assign(flat, rng) == np.arange(200)).sum() < 10
    identity = same([("ani",), ("budi",), ("ani",)])
    claims, truth = np.array([2, 0, -1]), np.array([0, 1, 2])
    assert right(claims, truth, identity).tolist() == [True, False, False]


def test_a_population_has_every_field():
    schema = control_schema()
    made = people(schema, 50, 1)
    assert set(made) == {f.name for f in schema.fields}
    assert all(made["nama"].to_pylist())


def test_large_tables_are_assigned_nearly_as_well_and_everybody_once():
    """The auction against the exact algorithm, on costs of which most hardly differ."""
    rng = np.random.default_rng(3)
    hard = rng.random(240, np.float32)[:, None] * rng.random(200, np.float32)[None, :]
    for cost in (hard, hard.T, rng.random((200, 200), np.float32)):
        exact = assign(cost, rng)
        step = 0.01 * float(cost.std())
        found = auction(cost, step, 100_000)
        placed = found >= 0
        assert placed.sum() == min(cost.shape)
        assert len(set(found[placed].tolist())) == placed.sum()
        best = cost[np.flatnonzero(exact >= 0), exact[exact >= 0]].sum()
        assert cost[np.flatnonzero(placed), found[placed]].sum() <= best + step * placed.sum()
        hasty = auction(cost, step, 50)
        assert len(set(hasty[hasty >= 0].tolist())) == min(cost.shape)


def test_a_part_of_a_large_registry_has_its_groups():
    """At 8 million 500 people share a birthday; how many of them a first name, the names decide."""
    schema = hardened()
    birth = schema.passes[0]
    named = birth.model_copy(update={"exact": ("tanggal_lahir", "nama:phonetic_first")})
    whole = registry_part(schema, birth, 8_000_000, 1_000, 1)
    sizes = np.bincount(PassScheme(schema, birth).salts(whole))
    assert sizes.tolist() == [500, 500]
    part = registry_part(schema, named, 8_000_000, 1_000, 1)
    sizes = np.bincount(PassScheme(schema, named).salts(part))
    assert 900 <= sizes.sum() <= 1_000
    assert sizes.max() > 1
    assert np.median(sizes) == 1
