"""Direct mode end to end: a registry published, lists confirmed, against the real provider."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from agency import CODES, NOW, people, registry_table

from padan_client import (
    AsyncProviderClient,
    AsyncRequesterClient,
    BadInputError,
    ProviderClient,
    RefusedError,
    RequesterClient,
    UnavailableError,
    provider,
)
from padan_client.protocol.direct import building, publishing
from padan_client.protocol.direct.answering import rounded_records
from padan_client.protocol.jobs import Command
from padan_client.protocol.progress import Stage
from padan_client.protocol.unit.listing import list_datasets
from padan_client.results.controls import ControlError
from padan_client.transport.channel import Link
from padan_linkage.direct.manifest import TablePublication
from padan_linkage.direct.schema import DirectSchema
from padan_server.matching.linkage_engine import LinkageEngine

PEOPLE = people(300, seed=31)
REGISTRY = registry_table(PEOPLE[:200])
LIST = PEOPLE[150:260]
TRUTH = {row["nik"]: CODES[row["status"]] for row in REGISTRY.select(["nik", "status"]).to_pylist()}
NOBODY = "TIDAK_DITEMUKAN"


#: How somebody is found whose values are all right.
WEAK = "nama-tempat+nama-lahir+nama-bulan"
EVERY_KEY = f"direct:nik-nama+nik-paruh+nik-wilayah+{WEAK}"


def expected(records, truth=None):
    truth = TRUTH if truth is None else truth
    return [truth.get(person["nik"], NOBODY) for person in records]


def codes(result):
    return result.table["kode"].to_pylist()


@pytest.fixture
def pair(make_direct):
    made = make_direct()
    made.publish(REGISTRY)
    return made


def test_a_list_gets_its_codes_and_the_way_it_got_them(pair):
    stages = set()
    result = pair.confirm(LIST, progress=lambda p: stages.add(p.stage))
    assert codes(result) == expected(LIST)
    assert set(result.table["cara"].to_pylist()) == {EVERY_KEY, ""}
    assert result.counts[NOBODY] == 60
    assert stages == {Stage.PREPARE, Stage.DOWNLOAD, Stage.EVALUATE}
    assert not list((pair.requester.folder / "jobs").iterdir())
    assert sum(result.evaluated.values()) == 14 * pair.charged()
    assert pair.charged() == 112, "a list of 110, rounded"


def test_a_slip_in_the_name_is_found_by_another_key_and_a_tie_is_never_a_guess(pair):
    person, other = PEOPLE[3], PEOPLE[4]
    slipped = {**person, "nama": f"ZAKHARIA {person['nama'].split()[-1]}"}
    result = pair.confirm([slipped, person, {**other, "nik": ""}])
    assert codes(result) == [TRUTH[person["nik"]]] * 2 + [TRUTH[other["nik"]]]
    ways = result.table["cara"].to_pylist()
    assert ways == ["direct:nik-nama+nik-paruh+nama-tempat", EVERY_KEY, f"direct:{WEAK}"]


def test_a_value_of_more_people_than_have_labels_is_told(make_direct):
    """Nine namesakes of one day and district: each has a number, one no label by the district."""
    namesakes = [{**PEOPLE[0], "nik": f"{PEOPLE[0]['nik'][:12]}{n}{n}{n}{n}"} for n in range(1, 10)]
    pair = make_direct()
    words = len(PEOPLE[0]["nama"].split())
    assert words == 2
    assert pair.publish(registry_table(namesakes)).unlabelled == 1 + words + 1 + 1
    asked = [*namesakes, {**namesakes[0], "nik": namesakes[0]["nik"][:-1]}]
    result = pair.confirm(asked)
    ways = result.table["cara"].to_pylist()
    assert [way.count("+") for way in ways].count(5) == 8
    assert result.table["hasil"].to_pylist() == ["ditemukan"] * 9 + ["ganda"]


def test_a_list_too_long_is_refused_before_it_is_charged(make_direct):
    def short_lists(text):
        return re.sub(r"records_per_list = \S+\nminimum_batch = 1$", "records_per_list = 60\n"
                      "minimum_batch = 1", text, count=1, flags=re.MULTILINE)  # fmt: skip

    pair = make_direct(edit=short_lists)
    pair.publish(REGISTRY)
    with pytest.raises(RefusedError) as error:
        pair.confirm(LIST)
    assert error.value.reason == "QUOTA_LIST_EXCEEDED"
    assert "60" in str(error.value)
    assert pair.charged() == 0
    assert codes(pair.confirm(LIST[:50])) == expected(LIST[:50])
    # 59 are rounded to 60, and 60 may be sent.
    assert codes(pair.confirm(PEOPLE[100:159])) == expected(PEOPLE[100:159])


def test_rounding_stays_within_what_a_list_may_have():
    limit = DirectSchema.model_validate(
        {"keys": [{"id": "nik", "exact": ["nik"]}], "minimum_batch": 3}
        | {"records_per_day": 990, "records_per_list": 990}
    )
    assert [rounded_records(n, limit) for n in (1, 32, 33, 500, 513, 960, 961, 990, 991)] == [
        3, 32, 34, 512, 544, 960, 990, 990, 991,
    ]  # fmt: skip


def test_a_list_of_niks_and_nothing_else_is_answered(pair):
    """What the agreement's clause says in so many words: «data berupa NIK»."""
    asked = pa.table({"nik": [person["nik"] for person in LIST]})
    with pytest.raises(BadInputError, match="--map ruas="):
        pair.confirm(asked)
    lacking = dict.fromkeys(("nama", "tempat_lahir", "tanggal_lahir"), "")
    result = pair.confirm(asked, columns=lacking)
    assert codes(result) == expected(LIST)
    assert set(result.table["cara"].to_pylist()) == {"direct:nik", ""}


def test_a_table_is_downloaded_once(pair):
    pair.confirm(LIST[:20])
    stages = set()
    pair.confirm(LIST[20:40], progress=lambda p: stages.add(p.stage))
    assert Stage.DOWNLOAD not in stages


def test_one_record_in_real_time(pair):
    with RequesterClient(pair.requester, *pair.names) as client:
        assert client.confirm_one(LIST[0], mode="direct")["kode"] == TRUTH[LIST[0]["nik"]]
        assert client.confirm_one(LIST[100], mode="direct")["kode"] == NOBODY
        bad = client.confirm_one(dict.fromkeys(LIST[0], "") | {"nik": "1"}, mode="direct")
        assert (bad["hasil"], bad["alasan"]) == ("belum_dapat_dipastikan", "ruas_kurang")
        few = client.confirm_few(LIST[40:70], mode="direct")
    assert codes(few) == expected(LIST[40:70])
    assert not (pair.requester.folder / "jobs").exists()


def test_a_change_shows_through_a_delta_and_a_removal_mends_a_tie(make_direct):
    pair = make_direct()
    rows = registry_table(PEOPLE[:60]).to_pylist()
    twin = {**rows[5], "id": "R90000", "status": "PENSIUN", "nik": PEOPLE[5]["nik"]}
    assert twin["status"] == rows[5]["status"]
    twin["status"] = "AKTIF"
    both = pa.Table.from_pylist([*rows, twin])
    with pytest.raises(BadInputError, match="lebih dari sekali"):
        pair.publish(both)
    base = pair.publish(both, consent=lambda _: True)
    assert (base.counts.set_aside, base.counts.set_aside_people) == (2, 1)
    asked = [*PEOPLE[:60], PEOPLE[250]]
    before = pair.confirm(asked)
    assert before.table["hasil"].to_pylist()[5] == "ganda"

    changed = {**rows[0], "status": "TIDAK AKTIF"}
    joined = {**PEOPLE[250], "id": "R90001", "status": "AKTIF"}
    delta = pair.publish(
        pa.Table.from_pylist([changed, joined]),
        delta_of=base.dataset,
        deletes=[rows[1]["id"], "R90000"],
    )
    # Whoever was in the registry twice is put again with the code that is left.
    assert (delta.rows, delta.deleted) == (3, 2)
    after = codes(pair.confirm(asked))
    assert after[0] == "ASN_TIDAK_AKTIF"
    assert after[1] == NOBODY
    assert after[5] == CODES[rows[5]["status"]]
    assert after[60] == "ASN_AKTIF"
    assert after[2:5] + after[6:60] == codes(before)[2:5] + codes(before)[6:60]

    # A delta of a delta, of a removal alone.
    pair.publish(None, delta_of=delta.dataset, deletes=[rows[2]["id"]], status_column=None)
    last = codes(pair.confirm(asked))
    assert (last[0], last[2]) == ("ASN_TIDAK_AKTIF", NOBODY)
    with pytest.raises(BadInputError, match="Tabel"):
        pair.publish(None, delta_of="0" * 32, deletes=["x"], status_column=None)


def test_tables_built_alone_and_by_processes_answer_alike(make_direct, monkeypatch):
    monkeypatch.setattr(building, "BLOCK_RECORDS", 60)
    pair = make_direct()
    one = pair.publish(REGISTRY, threads=1)
    first = codes(pair.confirm(LIST))
    done = []
    two = pair.publish(REGISTRY, threads=2, progress=lambda p: done.append(p.done))
    assert one.dataset != two.dataset, "a table id serves one content"
    assert codes(pair.confirm(LIST)) == first == expected(LIST)
    assert done == sorted(done)
    assert done[-1] == 200


@pytest.fixture
def provider_clock(monkeypatch):
    """The clock of whoever publishes; it stands still until it is set."""
    at = [NOW + timedelta(milliseconds=700)]
    monkeypatch.setattr(provider, "Command", partial(Command, now=lambda: at[0]))
    return at


def moments(pair):
    """When each published table says that it was made."""
    return {p.name: TablePublication.read(p).manifest.created_at for p in pair.tables}


def test_tables_of_one_second_do_not_contradict_each_other(make_direct, provider_clock):
    pair = make_direct()
    made = []
    for number in range(1, 4):
        made.append(pair.publish(registry_table(PEOPLE[: 40 + number])).dataset)
        assert codes(pair.confirm(PEOPLE[:10])) == expected(PEOPLE[:10])
    found = [moments(pair)[table] for table in made]
    assert [moment - found[0] for moment in found] == [timedelta(seconds=n) for n in range(3)]
    # A clock that was set back makes no table that its readers know a newer one of.
    provider_clock[0] -= timedelta(days=1)
    last = pair.publish(registry_table(PEOPLE[:50])).dataset
    assert moments(pair)[last] == found[-1] + timedelta(seconds=1)
    assert codes(pair.confirm(PEOPLE[:10])) == expected(PEOPLE[:10])


def test_a_table_that_another_overtook_is_dated_anew(make_direct, provider_clock, monkeypatch):
    pair = make_direct()
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_move_in", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pair.publish(registry_table(PEOPLE[:50]))
    overtaking = pair.publish(registry_table(PEOPLE[:40])).dataset
    assert codes(pair.confirm(PEOPLE[:10])) == expected(PEOPLE[:10])
    late = pair.publish(registry_table(PEOPLE[:50])).dataset
    assert moments(pair)[late] > moments(pair)[overtaking]
    assert codes(pair.confirm(PEOPLE[45:50])) == expected(PEOPLE[45:50])


def test_two_labels_with_one_tag_make_no_table_and_the_same_command_makes_another(
    make_direct, monkeypatch
):
    pair = make_direct()
    sort = building.by_tag

    def with_one_twice(rows):
        return sort(np.concatenate([rows, rows[:1]]))

    with monkeypatch.context() as patched:
        patched.setattr(building, "by_tag", with_one_twice)
        with pytest.raises(UnavailableError, match="Ulangi perintah yang sama"):
            pair.publish(REGISTRY)
    pair.publish(REGISTRY)
    assert codes(pair.confirm(LIST)) == expected(LIST)


def test_asyncio_does_the_same(make_direct):
    pair = make_direct()

    async def both():
        async with AsyncProviderClient(pair.provider, *pair.names, threads=1) as provider:
            await provider.publish_table(REGISTRY, id_column="id", status_column="status")
        pair.server.rescan()
        async with AsyncRequesterClient(pair.requester, *pair.names) as client:
            listed = await client.confirm(LIST, mode="direct")
            one = await client.confirm_one(LIST[3], mode="direct")
        return listed, one

    listed, one = asyncio.run(both())
    assert codes(listed) == expected(LIST)
    assert one["kode"] == TRUTH[LIST[3]["nik"]]
    assert one["cara"] == EVERY_KEY


def test_auto_asks_the_unit_for_what_is_open_and_puts_it_the_whole_list(make_direct):
    pair = make_direct(unit=True, engine=LinkageEngine())
    pair.publish(REGISTRY)
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(REGISTRY, id_column="id", status_column="status")
    without_nik = [{**person, "nik": "", "tempat_lahir": ""} for person in LIST[:20]]
    asked = [*without_nik, *LIST[20:]]
    result = pair.confirm(asked, mode="auto")
    assert codes(result) == expected([*LIST[:20], *LIST[20:]])
    ways = result.table["cara"].to_pylist()
    assert {way.partition(":")[0] for way in ways[:20]} == {"unit"}
    assert {way.partition(":")[0] for way in ways[20:50]} == {"direct"}
    assert set(ways[50:]) == {""}
    with Link.open(pair.requester, *pair.names) as link:
        place = pair.requester.place(*pair.names)
        (sent,) = link.run(list_datasets(place, 10, pair.requester.patience))
    assert sent.record_count == len(asked), "which rows are open shows at the unit"
    with RequesterClient(pair.requester, *pair.names) as client:
        row = client.confirm_one(without_nik[0], mode="auto")
        assert row["cara"].startswith("unit:")


def test_controls_tell_a_lie_and_stay_out_of_the_result(pair):
    known = [
        {**PEOPLE[0], "kode": TRUTH[PEOPLE[0]["nik"]]},
        {**PEOPLE[1], "kode": TRUTH[PEOPLE[1]["nik"]]},
        {**PEOPLE[299], "kode": NOBODY},
    ]
    controls = pa.Table.from_pylist(known)
    result = pair.confirm(LIST, controls=controls)
    assert codes(result) == expected(LIST)
    assert (result.controls.planted, result.controls.wrong) == (3, ())
    assert sum(result.counts.values()) == len(LIST)

    lie = {**REGISTRY.to_pylist()[1], "status": "TIDAK AKTIF"}
    assert CODES[lie["status"]] == known[1]["kode"]
    lie["status"] = "AKTIF"
    pair.publish(pa.Table.from_pylist([lie]), delta_of=pair.tables[0].name)
    delivered = []
    with pytest.raises(ControlError) as error:
        pair.confirm(LIST, controls=controls, deliver=delivered.append)
    assert error.value.exit_code == 7
    assert error.value.result.controls.wrong == (2,)
    assert codes(delivered[0]) == expected(LIST)
    values = re.compile("|".join(v for row in known for v in row.values()))
    assert not values.search(str(error.value))
    with pytest.raises(BadInputError, match="baris 1"):
        pair.confirm(LIST, controls=pa.Table.from_pylist([{**PEOPLE[0], "kode": "LAIN"}]))


def test_a_new_epoch_has_a_new_key_and_the_old_one_can_be_destroyed(pair):
    old = TablePublication.read(pair.tables[0]).manifest
    place = pair.provider.place(*pair.names)
    pair.provider.seeds().rotate(place, NOW)
    second = pair.publish(REGISTRY)
    assert second.epoch == 2
    assert codes(pair.confirm(LIST)) == expected(LIST)
    new = TablePublication.read(pair.server.publisher.tables_dir / second.dataset).manifest
    both = [set(manifest.public_keys.values()) for manifest in (old, new)]
    assert len(both[0] | both[1]) == 2 * len(place.flow.direct.keys), "no two keys are the same"
    pair.provider.seeds().destroy(place, 2, NOW)
    with pytest.raises(BadInputError, match="dimusnahkan"):
        pair.publish(REGISTRY)
    assert not list(pair.server.publisher.seeds_dir.rglob("2.seed"))


def test_quota_stops_and_goes_on_the_next_day(make_direct):
    def small_quota(text):
        return text.replace("records_per_day = 4_000_000", "records_per_day = 60", 1)

    pair = make_direct(edit=small_quota)
    pair.publish(REGISTRY)
    pair.confirm(PEOPLE[:50])
    with pytest.raises(RefusedError) as error:
        pair.confirm(PEOPLE[50:100])
    assert error.value.reason == "QUOTA_DAY_EXCEEDED"
    assert "server penyedia" not in str(error.value).lower() or "60" in str(error.value)


def test_what_is_left_at_home_names_nobody(pair):
    pair.confirm(LIST)
    planted = re.compile("|".join(v for p in PEOPLE for v in p.values()).encode())
    for home in (pair.provider, pair.requester):
        for path in home.folder.rglob("*"):
            if path.is_file():
                assert not planted.search(path.read_bytes()), path
                private = path.stat().st_mode & 0o077 == 0
                assert private or path.name.endswith(".public.json") or path.name == "client.toml"


def test_a_manifest_says_what_was_agreed(pair):
    publication = TablePublication.read(pair.tables[0])
    said = json.loads(publication.document)
    assert (said["agreement"], said["flow"], said["epoch"]) == (*pair.names, 1)
    assert said["rows"] % 4096 == 0
