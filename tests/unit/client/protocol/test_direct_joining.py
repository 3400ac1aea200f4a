"""Mode auto: the stronger of both answers, row by row, by one rule."""

from __future__ import annotations

from itertools import product

import pyarrow as pa
import pytest

from padan_client.protocol.direct.joining import join
from padan_client.results.table import ConfirmResult, count_codes
from padan_linkage.agreement import example, load_agreement

FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
CODE, NOBODY = "ASN_AKTIF", "TIDAK_DITEMUKAN"
FOUND = ("ditemukan", CODE, "")
SEVERAL = ("ganda", "", "")
NEAR = ("belum_dapat_dipastikan", "", "jalur_tunggal")
NONE = ("tidak_ditemukan", NOBODY, "")
SELDOM = ("belum_dapat_dipastikan", "", "terlalu_banyak_senama")
LACKING = ("belum_dapat_dipastikan", "", "ruas_kurang")
ASIDE = ("karantina", "", "no_pass")
BY_STRENGTH = (FOUND, SEVERAL, NEAR, NONE, SELDOM, LACKING)


def result(rows, passes):
    hasil, kode, alasan = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    columns = {"hasil": hasil, "kode": kode, "alasan": alasan, "jalur": pa.array(passes)}
    table = pa.table(columns)
    return ConfirmResult(table, pa.table({}), count_codes(FLOW, table))


def joined(ours, theirs):
    direct = result(ours, ["nik"] * len(ours))
    with_way = direct.table.append_column("cara", pa.array(["direct:nik"] * len(ours)))
    direct = ConfirmResult(with_way, direct.quarantine, direct.counts)
    return join(FLOW, direct, result(theirs, ["lahir"] * len(theirs)))


@pytest.mark.parametrize(("ours", "theirs"), list(product(BY_STRENGTH[1:], BY_STRENGTH)))
def test_the_stronger_answer_holds_and_of_equal_ones_the_units(ours, theirs):
    made = joined([ours], [theirs]).table.to_pylist()[0]
    rank = {row: place for place, row in enumerate(BY_STRENGTH)} | {LACKING: 4}
    wanted, way = (theirs, "unit:lahir") if rank[theirs] <= rank[ours] else (ours, "direct:nik")
    assert (made["hasil"], made["kode"], made["alasan"]) == wanted
    assert made["cara"] == way


def test_a_code_by_direct_mode_stays_and_rows_that_were_not_sent_are_left_alone():
    made = joined([FOUND, ASIDE, NONE], [ASIDE, ASIDE, FOUND])
    assert made.table["hasil"].to_pylist() == ["ditemukan", "karantina", "ditemukan"]
    assert made.table["cara"].to_pylist() == ["direct:nik", "direct:nik", "unit:lahir"]
    assert made.counts == {
        CODE: 2, "ASN_TIDAK_AKTIF": 0, "ASN_PENSIUN": 0, NOBODY: 0, "karantina": 1,
    }  # fmt: skip
