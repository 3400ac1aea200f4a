"""Error levels are used as both sides signed them, and not otherwise."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from padan_lab.demo.flows import with_filters
from padan_linkage.agreement import example, load_agreement
from padan_linkage.crypto import signatures
from padan_linkage.edition.levels import (
    SHIPPED_SHARE,
    STATEMENT,
    Levels,
    LevelsError,
    SignedLevels,
)
from padan_linkage.matching.scoring.calibration import priors
from padan_linkage.matching.scoring.features import FeaturePlan

FLOW = load_agreement(with_filters(example("kemnaker-bkn-2024"))).flow("asn-status")
SCHEMA = FLOW.schema
AGREEMENT = b"a" * 32
PRIVATE = {party: signatures.generate(party.encode().ljust(32, b".")) for party in ("bkn", "kk")}
KEYS = {party: signatures.public_key(key) for party, key in PRIVATE.items()}
FILTERS = [p for p in SCHEMA.passes if p.similar]


def found(extreme: float = 1.0):
    """What a list might teach: the first level has ``extreme`` of each feature, or nearly."""
    table = {}
    for p in FILTERS:
        m, _ = priors(FeaturePlan.of(p, presence=SCHEMA.presence))
        level = np.full(m.shape, (1 - extreme) / (m.shape[1] - 1))
        level[:, 0] = extreme
        table[p.id] = 812.4, tuple(map(tuple, level.tolist()))
    return table


LEVELS = Levels.learned(AGREEMENT, "asn-status", SCHEMA, 2000, found())


def check(levels):
    levels.check(AGREEMENT, "asn-status", SCHEMA)


def signed(*parties):
    file = SignedLevels(LEVELS, {})
    for party in parties:
        file = file.signed(party, signatures.sign(PRIVATE[party], file.statement))
    return file


def test_a_proposal_is_read_back_and_holds_no_more_than_shares():
    assert Levels.read(LEVELS.document()) == LEVELS
    check(LEVELS)
    assert set(json.loads(LEVELS.document())) == {
        "version", "agreement", "flow", "schema", "rows", "pairs", "m",
    }  # fmt: skip
    assert set(LEVELS.pairs.values()) == {812}
    assert SignedLevels.read(signed("bkn").file()) == signed("bkn")


def test_a_list_that_knows_one_level_alone_makes_no_other_impossible():
    for p in FILTERS:
        m, _ = priors(FeaturePlan.of(p, presence=SCHEMA.presence))
        shipped = m / m.sum(axis=1, keepdims=True)
        learned = np.array(LEVELS.m[p.id])
        assert (learned >= SHIPPED_SHARE * shipped * 0.999).all()
        assert np.allclose(learned.sum(axis=1), 1)
        assert (learned[:, 0] > 0.9).all()


def changed(row):
    """The levels with another first row in the first pass."""
    first = FILTERS[0].id
    return replace(LEVELS, m={**LEVELS.m, first: (tuple(row), *LEVELS.m[first][1:])})


ROW = LEVELS.m[FILTERS[0].id][0]


@pytest.mark.parametrize(
    ("levels", "differs"),
    [
        (replace(LEVELS, agreement="ab" * 32), "agreement"),
        (replace(LEVELS, flow="lain"), "flow"),
        (replace(LEVELS, schema="ab" * 32), "schema"),
        (replace(LEVELS, m=dict(list(LEVELS.m.items())[1:])), "m"),
        (changed(ROW[:-1]), f"m[{FILTERS[0].id}]"),
        (changed([1.0, *[0.0] * (len(ROW) - 1)]), f"m[{FILTERS[0].id}]"),
        (changed([ROW[0] + 0.1, *ROW[1:]]), f"m[{FILTERS[0].id}]"),
        (changed([float("nan"), *ROW[1:]]), f"m[{FILTERS[0].id}]"),
        (changed(["a", *ROW[1:]]), f"m[{FILTERS[0].id}]"),
    ],
)
def test_levels_of_something_else_or_out_of_bounds_are_refused(levels, differs):
    with pytest.raises(LevelsError) as refused:
        check(levels)
    assert refused.value.differs == differs


def test_both_parties_have_to_sign_the_very_document():
    assert signed().missing(KEYS) == ("bkn", "kk")
    assert signed("bkn").missing(KEYS) == ("kk",)
    assert signed("bkn", "kk").missing(KEYS) == ()
    other = replace(signed("bkn", "kk"), levels=replace(LEVELS, rows=2001))
    strange = signed("bkn").signed("lain", b"s" * 64)
    swapped = signed().signed("bkn", signatures.sign(PRIVATE["kk"], STATEMENT + LEVELS.document()))
    for forged, party in ((other, "bkn"), (strange, "lain"), (swapped, "bkn")):
        with pytest.raises(LevelsError, match=rf"signatures\[{party}\]"):
            forged.missing(KEYS)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"levels": {}}',
        b'{"levels": {"version": 2}, "signatures": {}}',
        signed("bkn").file().replace(b'"rows": 2000', b'"rows": 2000, "nik": "1"'),
        signed("bkn").file().replace(b'"signatures": {', b'"more": 1, "signatures": {'),
        signed("bkn").file() + b" " * (1 << 20),
        b'{"levels": {"m": ' + b"[" * 5000 + b"]" * 5000 + b'}, "signatures": {}}',
    ],
)
def test_what_is_no_proposal_is_refused(content):
    with pytest.raises(LevelsError):
        SignedLevels.read(content)
