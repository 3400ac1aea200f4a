"""A registry published, a list confirmed: the client against a unit with the real matcher."""

from __future__ import annotations

import asyncio

import pyarrow as pa
import pytest
from agency import CODES, people, registry_table

from padan_client import (
    AsyncProviderClient,
    AsyncRequesterClient,
    BadInputError,
    ProviderClient,
    RequesterClient,
)
from padan_client.protocol.progress import Stage
from padan_linkage.answering.estimates import Share
from padan_linkage.encoding import PassEncoder
from padan_server.matching.linkage_engine import LinkageEngine

PEOPLE = people(700)
REGISTRY = registry_table(PEOPLE[:500])
LIST = PEOPLE[350:650]
TRUTH = {row["nik"]: CODES[row["status"]] for row in REGISTRY.select(["nik", "status"]).to_pylist()}


def publish(agencies, table=REGISTRY, **more):
    with ProviderClient(agencies.provider, *agencies.names) as client:
        return client.publish(table, id_column="id", status_column="status", **more)


def confirm(agencies, records, **more):
    with RequesterClient(agencies.requester, *agencies.names) as client:
        return client.confirm(records, **more)


def wrong(result, records, truth=None):
    """Rows whose code is not the true one."""
    truth = TRUTH if truth is None else truth
    return [
        row
        for row, person in zip(result.table.to_pylist(), records, strict=True)
        if row["kode"] != truth.get(person["nik"], "TIDAK_DITEMUKAN")
    ]


@pytest.fixture
def pair(make_pair):
    return make_pair(engine=LinkageEngine())


def test_three_hundred_asked_of_five_hundred_get_their_codes(pair):
    published = publish(pair)
    assert (published.rows, published.quarantine.num_rows) == (500, 0)

    stages = set()
    result = confirm(pair, LIST, progress=lambda p: stages.add(p.stage))
    assert wrong(result, LIST) == []
    precision, recall = result.expected.precision, result.expected.recall
    assert 0.97 < precision.low <= precision.value <= precision.high == 1
    assert recall == Share()  # nobody knows how many of a list are registered
    assert result.counts == {
        "ASN_AKTIF": 50,
        "ASN_TIDAK_AKTIF": 50,
        "ASN_PENSIUN": 50,
        "TIDAK_DITEMUKAN": 150,
    }
    assert stages >= {Stage.PREPARE, Stage.ENCODE, Stage.UPLOAD, Stage.MATCH, Stage.RESULTS}
    first = result.table.to_pylist()[0]
    assert first["keterangan"] == "tercatat sebagai ASN pensiun"
    assert result.unopened == 0
    assert not list((pair.requester.folder / "jobs").glob("*.job"))


def test_one_record_in_real_time_and_with_a_bad_one(pair):
    publish(pair)
    with RequesterClient(pair.requester, *pair.names) as client:
        assert client.confirm_one(LIST[0])["kode"] == TRUTH[LIST[0]["nik"]]
        assert client.confirm_one(LIST[200])["kode"] == "TIDAK_DITEMUKAN"
        unusable = client.confirm_one({"nik": "1", "nama": "", "tanggal_lahir": ""})
        assert (unusable["hasil"], unusable["kode"]) == ("belum_dapat_dipastikan", "")
        few = client.confirm_few(LIST[140:160])
    assert wrong(few, LIST[140:160]) == []
    with pytest.raises(BadInputError):
        client.confirm_few(people(1001, seed=9))


def test_a_delta_changes_adds_and_removes(pair):
    base = publish(pair)
    rows = REGISTRY.to_pylist()
    changed = {**rows[400], "status": "PENSIUN" if rows[400]["status"] == "AKTIF" else "AKTIF"}
    joined = {**PEOPLE[600], "id": "R90000", "status": "AKTIF"}
    leaving = rows[410]
    delta = publish(
        pair,
        pa.Table.from_pylist([changed, joined]),
        delta_of=base.dataset,
        deletes=[leaving["id"]],
    )
    assert (delta.rows, delta.deleted) == (2, 1)

    result = confirm(pair, LIST)
    truth = TRUTH | {changed["nik"]: CODES[changed["status"]], joined["nik"]: "ASN_AKTIF"}
    del truth[leaving["nik"]]
    assert wrong(result, LIST, truth) == []

    # A delta of a delta, of deletions alone, by id.
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(
            None,
            id_column="id",
            delta_of=delta.dataset.rpartition("/")[2],
            deletes=[rows[420]["id"]],
        )
    del truth[rows[420]["nik"]]
    assert wrong(confirm(pair, LIST), LIST, truth) == []


def test_a_person_with_two_codes_is_ambiguous_until_one_row_leaves(pair):
    rows = REGISTRY.to_pylist()
    near = {**rows[400], "id": "S400", "nama": f"Drs. {rows[400]['nama']}, M.Si."}
    other = {**rows[410], "id": "S410"}
    other["status"] = "AKTIF" if rows[410]["status"] != "AKTIF" else "PENSIUN"
    heard = []
    base = publish(
        pair,
        pa.Table.from_pylist([*rows, near, other]),
        consent=lambda persons: not heard.append(persons.counts),
    )
    assert (base.rows, base.copies.num_rows) == (500, 3)
    (counts,) = heard
    assert (counts.rows, counts.published, counts.merged, counts.set_aside) == (502, 499, 1, 2)
    result = confirm(pair, LIST)
    (at,) = [n for n, person in enumerate(LIST) if person["nik"] == rows[410]["nik"]]
    assert result.table["hasil"].to_pylist()[at] == "ganda"
    assert result.table["kode"].to_pylist()[at] == ""
    others = [person for person in LIST if person["nik"] != rows[410]["nik"]]
    assert wrong(confirm(pair, others), others) == []

    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(None, id_column="id", delta_of=base.dataset, deletes=["S410", "S400"])
    assert wrong(confirm(pair, LIST), LIST) == []


def test_the_asyncio_clients_do_the_same(pair):
    async def both():
        async with AsyncProviderClient(pair.provider, *pair.names) as client:
            published = await client.publish(REGISTRY, id_column="id", status_column="status")
        async with AsyncRequesterClient(pair.requester, *pair.names) as client:
            ticks = asyncio.create_task(count_ticks())
            result = await client.confirm(LIST)
            ticks.cancel()
            one = await client.confirm_one(LIST[0])
        return published, result, one

    beats = []

    async def count_ticks():
        while True:
            beats.append(1)
            await asyncio.sleep(0)

    published, result, one = asyncio.run(both())
    assert published.rows == 500
    assert wrong(result, LIST) == []
    assert one["kode"] == TRUTH[LIST[0]["nik"]]
    assert len(beats) > 20, "the event loop stood still"
    assert result.table.equals(confirm(pair, LIST).table)


def test_bad_rows_come_back_as_quarantine_and_the_rest_is_answered(pair):
    rows = REGISTRY.to_pylist()
    rows[0]["status"] = "CUTI"
    rows[1]["status"] = ""
    rows[2] |= {"nik": "", "tanggal_lahir": ""}
    published = publish(pair, pa.Table.from_pylist(rows))
    assert published.rows == 497
    refused = {
        (row["row"], row["reason"])
        for row in published.quarantine.to_pylist()
        if row["severity"] == "ditolak"
    }
    assert refused == {(1, "unknown_status"), (2, "no_status"), (3, "no_pass")}

    asked = [dict(person) for person in LIST[:20]]
    asked[3] = {"nik": "123", "nama": "", "tanggal_lahir": "kemarin"}
    result = confirm(pair, asked)
    answers = result.table.to_pylist()
    assert (answers[3]["hasil"], answers[3]["kode"]) == ("belum_dapat_dipastikan", "")
    assert result.counts["belum_dapat_dipastikan"] == 1
    assert wrong(result, asked) == [answers[3]]
    assert "123" not in str(result.quarantine.to_pylist())


def test_field_confirmations_tell_same_different_and_empty(make_pair):
    pair = make_pair(engine=LinkageEngine(), flow_id="asn-perbaikan")
    registry = [
        person
        | {
            "id": f"R{i}",
            "nip": f"{person['tanggal_lahir'].replace('-', '')}2010011{i:03d}",
            "tempat_lahir": "" if i % 5 == 0 else "BANDUNG",
            "jenis_kelamin": "P" if int(person["nik"][6:8]) > 40 else "L",
            "status": "AKTIF",
        }
        for i, person in enumerate(PEOPLE[:300])
    ]
    publish(pair, pa.Table.from_pylist(registry))
    asked = [{k: v for k, v in row.items() if k not in {"id", "status"}} for row in registry[:100]]
    asked[1]["tempat_lahir"] = "SURABAYA"
    asked[2]["nik"] = asked[3]["nik"]
    result = confirm(pair, asked)
    rows = result.table.to_pylist()
    by_nip = [row for row in rows if row["jalur"].startswith("nip")]
    assert len(by_nip) > 90
    for row in by_nip:
        i = row["row"] - 1
        assert row["periksa_nip"] == "SESUAI"
        assert row["periksa_nama"] == "SESUAI"
        place = "KOSONG" if i % 5 == 0 else "BERBEDA" if i == 1 else "SESUAI"
        assert row["periksa_tempat_lahir"] == place
        assert row["periksa_nik"] == ("BERBEDA" if i == 2 else "SESUAI")


def test_the_next_list_of_an_epoch_shows_the_same_rows_of_whoever_is_still_on_it(pair, monkeypatch):
    """People and cover people: a unit that lays two lists beside each other sees equal shares."""
    publish(pair)
    shown = []
    arrange = PassEncoder.arrange

    def noting(encoder, records, **more):
        made = arrange(encoder, records, **more)
        if more.get("provider") is None and made.pass_id == "nik-bulan":
            rows = list(map(bytes, made.whole().columns["keys"]))
            real = (made.shown < more["people"]).tolist()
            whose = list(zip(rows, real, strict=True))
            table = [{r for r, one in whose if one is who} for who in (True, False)]
            if table not in shown:  # an upload that is taken up again makes it again
                shown.append(table)
        return made

    monkeypatch.setattr(PassEncoder, "arrange", noting)
    for first in (0, 60):
        confirm(pair, PEOPLE[first : first + 300])
    (people_before, cover_before), (people_after, cover_after) = shown
    assert len(people_before & people_after) == 240
    assert len(cover_before) == len(cover_after) == 212
    assert 150 < len(cover_before & cover_after) < 190
    (kept,) = (pair.requester.folder / "lists").rglob("*.sealed")
    assert PEOPLE[70]["nama"].encode() not in kept.read_bytes()
