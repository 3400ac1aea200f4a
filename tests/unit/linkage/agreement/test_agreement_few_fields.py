"""Rows with few fields: a flow that nobody could answer them in is named before anybody signs."""

from __future__ import annotations

import pytest

from padan_linkage.agreement import EXAMPLE_IDS, example, lint

PASS = 'exact = ["nik"]\nwithout = ["nama", "tanggal_lahir"]\n'
KEY = 'exact = ["nik"], without = ["nama", "tanggal_lahir"] }'
PASSES, KEYS = "flow[asn-status].schema.passes", "flow[asn-status].direct.keys"
NIK, BORN, DATED = "nik", "nik + tempat_lahir", "nik + tanggal_lahir"


def told(document):
    """Places and rows that are never found."""
    return {
        f.where: f.en_text.split(" alone")[0].removeprefix("Rows with ").split("; ")
        for f in lint(document)
        if f.code == "found-never"
    }


@pytest.mark.parametrize("name", EXAMPLE_IDS)
def test_the_examples_answer_a_number_alone_and_with_any_one_field(signers, name):
    assert told(signers.fill(example(name))) == {}


@pytest.mark.parametrize(
    ("changes", "where", "rows"),
    [
        ({PASS: 'exact = ["nik"]\nwithout = ["nama"]\n'}, PASSES, None),
        ({KEY: 'exact = ["nik"], without = ["nama"] }'}, KEYS, None),
        ({PASS: 'exact = ["nik", "nama"]\n'}, PASSES, [NIK, BORN]),
        ({KEY: 'exact = ["nik", "nama"] }'}, KEYS, [NIK, BORN]),
        ({'exact = ["nik", "nama:phonetic_first"]\n': 'exact = ["nik", "nama", "tanggal_lahir"]\n'},
         PASSES, None),
        ({'"tanggal_lahir:year_month"], without': '"nama"], without'}, KEYS, [DATED]),
    ],
)  # fmt: skip
def test_rows_that_nothing_looks_for_are_named(flagship, bend, changes, where, rows):
    assert told(bend(flagship, changes)) == ({} if rows is None else {where: rows})
