"""Agreements made lean for benches."""

from __future__ import annotations

import pytest

from padan_lab.bench.rates.workbench import AGREEMENT, FLOW, lean_document
from padan_lab.demo.flows import with_filters
from padan_linkage.agreement import example, load_agreement


@pytest.mark.parametrize("passes", [("nama-hari",), ("nik-depan", "lahir-depan")])
def test_only_the_wanted_passes_of_the_one_flow_are_left(passes):
    whole = load_agreement(with_filters(example(AGREEMENT)))
    lean = load_agreement(lean_document(passes))
    for before, after in zip(whole.flows, lean.flows, strict=True):
        if before.id != FLOW:
            assert after == before
            continue
        assert [p.id for p in after.schema.passes] == list(passes)
        kept = [p for p in before.schema.passes if p.id in passes]
        assert list(after.schema.passes) == kept
        assert after.quota.records_per_day == 1_000_000_000
        assert after.direct == before.direct
        assert after.codes == before.codes
