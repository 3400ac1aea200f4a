"""By what rule a requester merges: which passes may answer which of its records."""

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


def may_answer():
    """Whether «nik-wilayah» and «lahir-nama» may where the NIK is whole, damaged, missing.

    The edition lets the first answer where the NIK is given, and never otherwise.
    """
    edition = open_edition(FLOW.schema, b"a" * 32, FLOW.id, FLOW.match, priors_of(FLOW.schema))
    given = tuple(
        replace(
            g,
            usable=tuple(p for p in g.usable if p != "nik-saja"),
            answering=tuple(
                p
                for p in g.answering
                if p != "nik-saja" and (p != "nik-wilayah" or "nik" in g.fields)
            ),
        )
        for g in edition.given
    )
    records = {
        "nik": pa.array([WHOLE, DAMAGED, MISSING]),
        "nama": pa.array(["siti"] * 3),
        "tanggal_lahir": pa.array(["1990-01-01"] * 3),
    }
    rule = rule_of(replace(edition, given=given), FLOW.schema, FLOW.match, records, PASSES)
    name = PASSES.index("lahir-nama")
    return rule.may_answer(FRONT).tolist(), rule.may_answer(name).tolist()


def test_a_damaged_number_is_answered_by_its_front_as_a_whole_one():
    front, name = may_answer()
    assert front == [True, True, False]
    assert name[1] == name[2]
