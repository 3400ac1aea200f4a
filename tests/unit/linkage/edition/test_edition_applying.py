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


def test_each_record_is_expected_wrong_as_often_as_its_own_kind_is():
    """Also where more pairs of kinds are among the records than the edition has entries."""
    edition = open_edition(FLOW.schema, b"a" * 32, FLOW.id, FLOW.match, priors_of(FLOW.schema))
    given = tuple(
        replace(g, wrong=(1 + at) / 1000, usable=tuple(p for p in g.usable if p != "nik-saja"))
        for at, g in enumerate(edition.given)
    )
    rate = {frozenset(g.fields): g.wrong for g in given}
    numbers = [WHOLE, DAMAGED, MISSING]
    rows = [(n, name, day) for n in numbers for name in ("siti", "") for day in ("1990-01-01", "")]
    names = ("nik", "nama", "tanggal_lahir")
    records = {
        f: pa.array(column) for f, column in zip(names, zip(*rows, strict=True), strict=True)
    }
    rule = rule_of(replace(edition, given=given), FLOW.schema, FLOW.match, records, PASSES)
    told = rule.stranger_answered.tolist()
    for row, wrong in zip(rows, told, strict=True):
        sound = frozenset(f for f, v in zip(names, row, strict=True) if v and not v.startswith("?"))
        assert wrong == rate.get(sound, 0.0), row
