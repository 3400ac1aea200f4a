"""By what rule a requester merges: which least bands hold for which of its records."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from padan_lab.bench.rates.unmeasured import open_edition, priors_of
from padan_linkage.agreement import example, load_agreement
from padan_linkage.edition.applying import rule_of

FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
PASSES = [p.id for p in FLOW.schema.passes]
FRONT = PASSES.index("nik-wilayah")
WHOLE, DAMAGED, MISSING = "3171024101900001", "?317102410190001", ""


def least(front_band):
    """Least bands of «nik-wilayah» where the NIK is whole, damaged, missing.

    The edition lets it answer from ``front_band`` on where the NIK is given, and never otherwise.
    """
    edition = open_edition(FLOW.schema, b"a" * 32, FLOW.id, FLOW.match, priors_of(FLOW.schema))
    given = tuple(
        replace(
            g,
            usable=tuple(p for p in g.usable if p != "nik-saja"),
            band={p: b for p, b in g.band.items() if p not in {"nik-wilayah", "nik-saja"}}
            | ({"nik-wilayah": front_band} if "nik" in g.fields else {}),
        )
        for g in edition.given
    )
    records = {
        "nik": pa.array([WHOLE, DAMAGED, MISSING]),
        "nama": pa.array(["siti"] * 3),
        "tanggal_lahir": pa.array(["1990-01-01"] * 3),
    }
    rule = rule_of(replace(edition, given=given), FLOW.schema, FLOW.match, records, PASSES)
    return rule.least(FRONT).tolist(), rule.least(PASSES.index("lahir-nama")).tolist()


def test_a_damaged_number_is_answered_by_its_front_as_a_whole_one():
    front, name = least(2)
    assert front[0] == front[1] == 2
    assert front[2] > 3
    assert name[1] == name[2]
