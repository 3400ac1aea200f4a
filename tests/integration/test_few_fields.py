"""Rows with few fields, on real processes: a code, an honest «not found», or neither and why."""

from __future__ import annotations

import pytest
from agency import CODES

from padan_client import ProviderClient, RequesterClient
from padan_lab.generate import generate_demo
from padan_linkage.agreement import example, load_agreement
from padan_linkage.normalise import normalise, sound_values
from padan_linkage.schema import Kind
from padan_server.matching.linkage_engine import LinkageEngine

FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
DEMO = generate_demo(FLOW, 1200, 1000, seed=17)
MODES = ("unit", "direct", "auto")
NOBODY, SEVERAL = "tidak_ditemukan", "ganda"
FOUND = "ditemukan"


@pytest.fixture
def pair(make_direct):
    made = make_direct(unit=True, engine=LinkageEngine())
    made.publish(DEMO.registry)
    with ProviderClient(made.provider, *made.names) as client:
        client.publish(DEMO.registry, id_column="id", status_column="status")
    return made


def sound(table):
    return sound_values(normalise(Kind.NIK, table["nik"].combine_chunks()).values)


def truth_of(table):
    """The code of every candidate, "" for strangers."""
    rows = DEMO.truth["registry_row"].fill_null(-1).to_pylist()
    status = DEMO.registry["status"].to_pylist()
    assert table.num_rows == len(rows)
    return [CODES[status[at]] if at >= 0 else "" for at in rows]


def right(table):
    """Rows with the code of their own person."""
    given = zip(table["hasil"].to_pylist(), table["kode"].to_pylist(), truth_of(table), strict=True)
    return {row for row, (hasil, kode, true) in enumerate(given) if hasil == FOUND and kode == true}


def test_a_list_of_numbers_is_answered_alike_in_every_mode(pair):
    listed, known = sound(DEMO.requests).to_pylist(), sound(DEMO.registry).to_pylist()
    at = DEMO.truth["registry_row"].fill_null(-1).to_pylist()
    agree = {r for r, own in enumerate(at) if own >= 0 and listed[r] and listed[r] == known[own]}
    strangers = {r for r, own in enumerate(at) if own < 0 and listed[r]}
    assert len(agree) > 400 < len(strangers)
    columns = {"nama": "", "tempat_lahir": "", "tanggal_lahir": ""}
    for mode in MODES:
        asked = DEMO.requests.select(["id", "nik"])
        made = pair.confirm(asked, mode=mode, columns=columns, id_column="id").table
        nobody = {row for row, word in enumerate(made["hasil"].to_pylist()) if word == NOBODY}
        assert len(right(made) & agree) >= 0.97 * len(agree), mode
        assert len(nobody & agree) <= 0.01 * len(agree), mode
        assert len(nobody & strangers) >= 0.9 * len(strangers), mode


def test_auto_is_never_worse_than_either_mode(pair):
    made = {m: pair.confirm(DEMO.requests, mode=m, id_column="id").table for m in MODES}
    found = {mode: right(table) for mode, table in made.items()}
    assert found["direct"] <= found["auto"]
    assert len(found["auto"]) >= max(len(found["unit"]), len(found["direct"]))
    for row, (ours, theirs) in enumerate(
        zip(made["direct"].to_pylist(), made["auto"].to_pylist(), strict=True)
    ):
        if ours["hasil"] == FOUND:
            assert theirs["kode"] == ours["kode"], row
        if theirs["hasil"] == NOBODY:
            assert ours["hasil"] != SEVERAL, row


def test_rows_that_no_key_is_for_are_answered_by_the_unit_alone(pair):
    person = DEMO.registry.to_pylist()[3]
    lacking = {"nik": "", "tempat_lahir": ""}
    row = {"nama": person["nama"], "tanggal_lahir": person["tanggal_lahir"], **lacking}
    with RequesterClient(pair.requester, *pair.names) as client:
        direct = client.confirm_one(row, mode="direct")
        assert (direct["hasil"], direct["alasan"]) == ("belum_dapat_dipastikan", "ruas_kurang")
        auto = client.confirm_one(row, mode="auto")
    listed = pair.confirm([row], mode="auto")
    assert listed.skipped == ""
    for one in (auto, listed.table.to_pylist()[0]):
        assert one["hasil"] != NOBODY
        assert one["cara"].startswith("unit:") or one["hasil"] != FOUND


def test_a_list_shorter_than_the_agreement_asks_is_made_up_with_decoys(pair):
    person = DEMO.registry.to_pylist()[3]
    row = {name: person[name] for name in ("nik", "nama", "tempat_lahir", "tanggal_lahir")}
    made = pair.confirm([row], mode="unit")
    assert made.table.num_rows == 1
    assert sum(made.counts.values()) == 1
