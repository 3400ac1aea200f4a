"""Copies become one person: no row is lost, no code guessed, and deltas keep it so."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest
from agency import people

from padan_client.base.errors import BadInputError
from padan_client.records.persons import Persons, agreed, ask_nobody
from padan_client.records.registry import Publication, empty_registry, prepare_registry
from padan_client.records.updating import updated
from padan_linkage.agreement import example, load_agreement
from padan_linkage.agreement.model import CopyPolicy
from padan_linkage.answering.payloads import Payloads

FLAGSHIP = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
AID = load_agreement(example("kemenkopmk-kemnaker-2023")).flow("balikan-bnba")
PEOPLE = [
    {"id": f"R{n}", "alamat": "Jalan Melati 1", "status": "AKTIF", **p}
    for n, p in enumerate(people(40))
]
COPY = {**PEOPLE[3], "id": "S3", "nama": f"Drs. {PEOPLE[3]['nama'].title()}, M.Si."}


def prepared(rows, flow=FLAGSHIP, status="status"):
    table = pa.Table.from_pylist(rows)
    return prepare_registry(
        flow, flow.schema, table, columns=None, id_column="id", status_columns=status
    )


def persons(rows, flow=FLAGSHIP, status="status"):
    return Persons.among(flow, flow.schema, prepared(rows, flow, status))


def codes(of):
    masks = Payloads.unpack(of.registry.payloads).codes.tolist()
    return dict(zip(of.registry.ids.to_pylist(), masks, strict=True))


def test_a_copy_is_merged_and_every_row_accounted_for():
    unknown = {**PEOPLE[20], "id": "X", "status": "CUTI"}
    made = persons([*PEOPLE[:10], COPY, unknown])
    counts = made.counts
    assert (counts.rows, counts.published, counts.merged, counts.quarantined) == (12, 10, 1, 1)
    assert (counts.merged_into, counts.set_aside) == (1, 0)
    assert "12 baris = 10 orang + 1 salinan + 0 ganda + 1 karantina" in counts.told()
    (row,) = made.table().to_pylist()
    assert {row["id"], row["salinan_dari"]} == {"R3", "S3"}
    assert row["hasil"] == "digabung"
    assert row["peluang"] > 0.999
    shown = str(made.table().to_pylist()) + repr(made)
    assert not any(word in shown for word in PEOPLE[3]["nama"].split())
    assert PEOPLE[3]["nik"] not in shown
    assert ask_nobody(made)


def test_what_a_copy_fills_in_is_the_persons():
    given = {"pelatihan": "YA", "padat_karya": "", "tenaga_kerja_mandiri": "", "bantuan_iuran": ""}
    undated = {**PEOPLE[3], "tanggal_lahir": ""}
    homeless = {**PEOPLE[3], "id": "S3", "alamat": ""}
    for order in ([undated, homeless], [homeless, undated]):
        made = persons([{**p, **given} for p in (*PEOPLE[10:20], *order)], AID, None)
        assert made.counts.merged == 1
        at = next(i for i, name in enumerate(made.registry.ids.to_pylist()) if name[1:] == "3")
        assert all(column[at].as_py() for column in made.registry.records.values())


def test_codes_that_exclude_each_other_are_not_guessed():
    rows = [*PEOPLE[:10], {**COPY, "status": "PENSIUN"}]
    made = persons(rows)
    assert sorted(codes(made).values()) == [0, *[1] * 9]
    counts = made.counts
    assert (counts.published, counts.merged) == (9, 0)
    assert (counts.set_aside, counts.set_aside_people) == (2, 1)
    assert {row["id"] for row in made.table().to_pylist()} == {"R3", "S3"}
    assert {row["hasil"] for row in made.table().to_pylist()} == {"ganda"}
    with pytest.raises(BadInputError, match="1 orang"):
        agreed(made, ask_nobody)
    assert agreed(made, lambda _: True) is made


@pytest.mark.parametrize(
    ("prevails", "code"),
    [
        (["ASN_PENSIUN", "ASN_AKTIF"], 4),
        (["ASN_AKTIF", "ASN_PENSIUN"], 1),
        (["ASN_PENSIUN"], 4),
        (["ASN_TIDAK_AKTIF"], 0),
    ],
)
def test_the_agreement_may_say_which_code_prevails(prevails, code):
    flow = dataclasses.replace(FLAGSHIP, copies=CopyPolicy(prevails=prevails))
    made = persons([*PEOPLE[:10], {**COPY, "status": "PENSIUN"}], flow)
    assert sorted(codes(made).values()) == sorted([code, *[1] * 9])
    assert made.counts.set_aside == (0 if code else 2)


def test_codes_that_hold_side_by_side_are_joined():
    none = {"pelatihan": "", "padat_karya": "", "tenaga_kerja_mandiri": "", "bantuan_iuran": ""}
    rows = [{**p, **none, "pelatihan": "YA"} for p in (*PEOPLE[:10], COPY)]
    rows[-1] |= {"pelatihan": "", "bantuan_iuran": "YA"}
    assert sorted(codes(persons(rows, AID, None)).values()) == [*[1] * 9, 0b1001]


# Deltas.


def after(before, rows, deletes=()):
    registry = prepared(rows) if rows else empty_registry(FLAGSHIP.schema)
    given = Publication(registry, "base", tuple(deletes))
    return updated(FLAGSHIP, FLAGSHIP.schema, given, before, lambda _: True)


def ids(registry):
    return registry.ids.to_pylist()


def test_a_row_that_is_a_copy_joins_the_person_it_is_a_copy_of():
    update = after(persons(PEOPLE[:10]), [COPY])
    assert update.persons.counts.merged == 1
    assert len(update.put.registry) == 1
    # One id for one person: whoever is put under another leaves under the former.
    assert set(ids(update.put.registry)) | set(update.put.deletes) <= {"R3", "S3"}
    assert len(update.kept) == 9


def test_deleting_one_of_two_copies_keeps_the_person():
    before = persons([*PEOPLE[:10], COPY])
    for leaves, stays in (("R3", "S3"), ("S3", "R3")):
        update = after(before, [], [leaves])
        assert ids(update.put.registry) == [stays]
        assert set(update.put.deletes) <= {leaves}
        assert update.left == 1
        assert len(update.persons.registry) == 10
    both = after(before, [], ["R3", "S3"])
    assert (len(both.put.registry), both.left) == (0, 2)
    assert set(both.put.deletes) <= {"R3", "S3"}
    assert both.put.deletes
    assert len(both.persons.registry) == 9


def test_a_person_set_aside_is_mended_by_a_delta():
    before = persons([*PEOPLE[:10], {**COPY, "status": "PENSIUN"}])
    update = after(before, [{**COPY, "status": "AKTIF"}])
    assert update.persons.counts.set_aside == 0
    assert Payloads.unpack(update.put.registry.payloads).codes.tolist() == [1]


def test_a_delta_says_of_others_nothing_and_ends_as_a_whole_registry_would():
    before = persons([*PEOPLE[:20], COPY])
    changed = {**PEOPLE[5], "status": "PENSIUN"}
    update = after(before, [changed, PEOPLE[30]], ["R7", "nobody"])
    assert set(ids(update.put.registry)) == {"R5", "R30"}
    assert update.put.deletes == ("R7",)  # a row that nobody has would tell that it is nobody's
    rows = [p for p in PEOPLE[:20] if p["id"] not in {"R5", "R7"}]
    whole = persons([*rows, COPY, changed, PEOPLE[30]])
    assert codes(update.persons) == codes(whole)
    left = dict(zip(ids(before.registry), range(20), strict=True))
    assert set(ids(update.kept)) | set(ids(update.gone)) == set(left)
