"""Which rows direct mode can use: those that its keys can open, and what the others are told."""

from __future__ import annotations

import pyarrow as pa
import pytest

from padan_client.protocol.direct.schemas import usable_schema
from padan_client.records.messages import answered_text, no_pass_text
from padan_client.records.preparing import prepare
from padan_linkage.agreement import EXAMPLE_IDS, example, load_agreement

FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
DIRECT = usable_schema(FLOW, unit=False)
PERSON = {
    "nik": "3171012505850003",
    "nama": "Budi Santoso",
    "tempat_lahir": "BANDUNG",
    "tanggal_lahir": "1985-05-25",
}


def usable(schema, **instead):
    table = pa.table({name: [value] for name, value in (PERSON | instead).items()})
    return bool(prepare(table, schema, listed=True).usable[0])


@pytest.mark.parametrize(
    ("without", "can"),
    [
        ((), True),
        (("nik",), True),  # two weak keys
        (("nik", "tempat_lahir"), False),  # one weak key alone
        (("nama",), True),
        (("nama", "tanggal_lahir"), True),
        (("nik", "nama"), False),
        (("tempat_lahir", "tanggal_lahir"), True),
    ],
)
def test_a_row_is_usable_where_its_keys_can_open(without, can):
    assert usable(DIRECT, **dict.fromkeys(without, "")) == can


def test_a_damaged_number_s_district_opens_beside_name_and_date():
    assert usable(DIRECT, nik="317101250585003", tempat_lahir="")


def test_the_unit_s_passes_stand_beside_them_in_mode_auto():
    assert usable(usable_schema(FLOW, unit=True), nik="", tempat_lahir="")


def test_what_is_advised_suffices():
    told = no_pass_text(DIRECT)
    assert "nama + tanggal_lahir + tempat_lahir" in told
    ways = [set(way.split(" + ")) for way in told.partition("dari: ")[2].rstrip(".").split("; ")]
    for way in ways:
        assert usable(DIRECT, **{name: "" for name in PERSON if name not in way}), way
    assert len(ways) == len({frozenset(way) for way in ways})


def test_a_list_of_names_and_dates_alone_is_told_that_nobody_can_be_looked_for():
    assert "tidak satu baris pun" in answered_text(DIRECT, {"nama", "tanggal_lahir"})


def test_no_flow_s_ways_are_cut_off():
    for name in EXAMPLE_IDS:
        for flow in load_agreement(example(name)).flows:
            if flow.direct is not None and flow.schema is not None:
                passes = usable_schema(flow, unit=True).passes
                assert passes[-1] == flow.schema.passes[-1], flow.id
