"""Rows of unrelated salts share a bucket by chance; how often, is known exactly and counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from padan_linkage.answering.outcomes import MATCHED
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching import match_pass
from padan_linkage.matching.learning import learn
from padan_linkage.matching.scoring.features import LEVELS, FeaturePlan, level_table
from padan_linkage.matching.sides import SweepRunner
from padan_linkage.matching.similar import SortedRegistry
from padan_linkage.schema import Layout, Schema
from padan_linkage.tables import PassTable

BITS = 512
SCHEMA = Schema.model_validate(
    {
        "fields": [{"name": "nama", "kind": "person_name"}, {"name": "lahir", "kind": "date"}],
        "passes": [
            {
                "id": "satu",
                "exact": ["lahir"],
                "similar": [{"fields": ["nama"], "bits": BITS, "weight": 200, "diffusion": 10}],
                "bucket_bits": 8,
            }
        ],
    }
)
(PASS,) = SCHEMA.passes


def table(filters, buckets, *, provider) -> PassTable:
    layout = Layout.of(SCHEMA, PASS, provider=provider)
    columns = {name: np.zeros((len(filters), width), np.uint8) for name, width in layout.columns()}
    columns["filters"][:] = np.packbits(filters, axis=1)
    columns["keys"][:, 0] = buckets
    return PassTable(PASS.id, layout, columns)


def noise(rng, rows):
    return rng.integers(0, 2, (rows, BITS), dtype=np.uint8)


def test_the_chance_of_every_distance_is_the_binomial():
    plan = FeaturePlan.of(PASS, presence=False)
    width = np.bincount(level_table(plan)[0], minlength=LEVELS)[level_table(plan)[0]]
    chance = np.exp(plan.noise[0]) / width
    assert chance.sum() == pytest.approx(1.0)
    assert chance[184] == pytest.approx(math.comb(BITS, 184) / 2**BITS)


def test_company_by_chance_is_not_answered_and_matches_are():
    """As in a national run, every row has some thirty others in its bucket.

    Of 512 bits chance differs in 209 or fewer once in fifty thousand pairs, and whole levels of
    such distances passed for matches of a few changed letters.
    """
    rng = np.random.default_rng(11)
    registry, listed = noise(rng, 8000), noise(rng, 16000)
    same = np.arange(6000)
    flips = rng.random((6000, BITS)) < rng.choice([0.0, 0.1, 0.3], 6000)[:, None]
    listed[same] = registry[same] ^ flips
    buckets = rng.integers(0, 256, 16000)
    mine = np.concatenate([buckets[:8000], rng.integers(0, 256, 8000)])
    provider = table(registry, buckets[:8000], provider=True)
    sorted_registry = SortedRegistry.of(PASS, provider)
    learned = learn(sorted_registry, np.arange(8000), SweepRunner())
    calibration = learned.drawn(3.7, -2.3)
    result = match_pass(
        SCHEMA, PASS, provider, table(listed, mine, provider=False), MatchPolicy(), calibration
    )
    matched = result.outcome == MATCHED
    right = matched & (result.row == np.arange(16000))
    assert right[:6000].mean() > 0.9
    assert int((matched & ~right).sum()) <= 16000 * 5e-4
