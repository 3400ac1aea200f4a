"""What labels can tell a requester at most, as spec 60 «Made-up rows» says it."""

from __future__ import annotations

import math

import pytest

from padan_linkage.agreement import example, load_agreement
from padan_linkage.direct.bound import told_at_most

FLOW = next(f for f in load_agreement(example("kemnaker-bkn-2024")).flows if f.id == "asn-status")


def told(asked, **more):
    return told_at_most(FLOW.direct, FLOW.schema, len(FLOW.codes), asked, **more)


def test_what_spec_60_says_that_one_record_can_tell():
    one = dict(zip([k.id for k in FLOW.direct.keys], FLOW.direct.widths(FLOW.schema), strict=True))
    code = math.log2(2 + len(FLOW.codes))
    assert sum(one.values()) == 14
    assert told(one, rarity=False) == pytest.approx(14 + code)
    assert told(one) == pytest.approx(29 + code)
    assert told({"nik": 1}, rarity=False) == pytest.approx(1 + code)
    two = math.log2(1 + 1000 + 1000 * 999 / 2)
    assert told({"nama-lahir": 1000}, rarity=False) == pytest.approx(two + code)
