"""What an officer is told of a confirmation before it is written."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from padan_client.cli.views import confirmed
from padan_client.results.table import ConfirmResult
from padan_linkage.agreement import example, load_agreement
from padan_linkage.answering.estimates import Expected, Share

FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")


def result(precision: float | None, broken: int = 0) -> ConfirmResult:
    rows = {"hasil": ["belum_dapat_dipastikan"] * broken, "alasan": ["label_rusak"] * broken}
    table = pa.table({name: pa.array(column, pa.string()) for name, column in rows.items()})
    table = table.append_column("row", pa.array(range(broken), pa.int64()))
    share = Share() if precision is None else Share(precision, precision - 0.01, precision)
    return ConfirmResult(table, table, {}, expected=Expected(share, Share(), 0))


@pytest.mark.parametrize("broken", [0, 3])
def test_broken_labels_are_named_with_a_warning_against_telling_whose(capsys, broken):
    confirmed.warn(FLOW, result(None, broken))
    told = capsys.readouterr()
    assert ("Jangan sebutkan barisnya kepada penyedia" in told.out + told.err) == bool(broken)
    assert ("3 baris" in told.out + told.err) == bool(broken)


@pytest.mark.parametrize(("precision", "said"), [(0.97, True), (0.9995, False), (None, False)])
def test_a_list_of_too_many_strangers_is_named_before_it_is_written(capsys, precision, said):
    confirmed.warn(FLOW, result(precision))
    told = capsys.readouterr()
    assert ("0,9980" in told.out + told.err) == said
    assert confirmed.below_demand(FLOW, result(precision)) == said


def test_a_row_with_several_notes_is_quarantined_once():
    notes = pa.table({"row": [1, 1, 1, 7]})
    one = replace(result(None), quarantine=notes)
    assert confirmed.as_json(one, FLOW)["quarantined"] == 2
    assert "quarantined=2" in repr(one)
