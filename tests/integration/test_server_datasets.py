"""Datasets and uploads: what is refused, what is acknowledged, what survives."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
import uuid

import grpc
import numpy as np
import pytest
from agency import filtered
from parties import answers, chunk, chunks, refusal
from patience import PATIENCE
from signing import PartyKeys

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_linkage.tables import PassTable, columns_digest
from padan_server.admission.epochs import MOST_AHEAD


@pytest.fixture
def make_unit(make_unit):
    """Units of a flow that has passes of both kinds."""
    return functools.partial(make_unit, edit=filtered)


def refused(call, *args, **kwargs):
    """The refusal of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **kwargs)
    return refusal(caught.value)


def table_name(dataset, pass_id="lahir-depan"):
    return f"{dataset.name}/tables/{pass_id}"


def status(client, dataset, pass_id="lahir-depan"):
    """Rows that are safe, and whether the table is complete."""
    found = client.datasets.QueryWriteStatus(
        dataset_pb.QueryWriteStatusRequest(table=table_name(dataset, pass_id))
    )
    return found.committed_rows, found.complete


def send(client, messages):
    return client.datasets.UploadTable(iter(messages))


# Epochs


def test_the_epochs_follow_one_another(make_unit):
    unit = make_unit()
    bkn, kemnaker = unit.client("bkn"), unit.client("kemnaker")
    assert refused(bkn.contribute, 1 + MOST_AHEAD).reason == "CONTRIBUTION_INVALID"
    first = bkn.contribute(1)
    assert bkn.contribute(1) == first
    assert refused(bkn.contribute, 1, salt="another").reason == "CONTRIBUTION_EXISTS"
    assert refused(bkn.contribute, 2).reason == "CONTRIBUTION_INVALID"
    kemnaker.contribute(1)
    kemnaker.contribute(2)
    bkn.contribute(2)
    request = agreement_pb.ListEpochContributionsRequest(parent=bkn.parent, page_size=3)
    page = bkn.agreements.ListEpochContributions(request)
    request.page_token = page.next_page_token
    rest = bkn.agreements.ListEpochContributions(request)
    assert [(c.epoch[-1], c.party) for c in (*page.contributions, *rest.contributions)] == [
        ("2", "bkn"),
        ("2", "kemnaker"),
        ("1", "bkn"),
        ("1", "kemnaker"),
    ]


def test_an_epoch_may_leave_out_numbers_and_pass_by_the_other_sides(make_unit):
    """As after a restore: the homes know which epochs were begun, and the unit does not."""
    unit = make_unit()
    bkn, kemnaker = unit.client("bkn"), unit.client("kemnaker")
    bkn.contribute(4)
    assert refused(bkn.contribute, 5).reason == "CONTRIBUTION_INVALID"
    kemnaker.contribute(6)
    assert refused(kemnaker.contribute, 7).reason == "CONTRIBUTION_INVALID"
    assert refused(kemnaker.contribute, 5).reason == "CONTRIBUTION_INVALID"
    assert refused(bkn.contribute, 7 + MOST_AHEAD).reason == "CONTRIBUTION_INVALID"
    bkn.contribute(6)
    bkn.contribute(7)


def test_a_contribution_signed_by_another_is_refused(make_unit):
    unit = make_unit()
    client = unit.client("kemnaker")
    forged = {**client.signed.identities, "kemnaker": PartyKeys.of("somebody")}
    client.signed = dataclasses.replace(client.signed, identities=forged)
    assert refused(client.contribute).reason == "CONTRIBUTION_INVALID"


# Opening


def test_an_epoch_without_both_contributions_is_refused(make_unit):
    unit = make_unit()
    provider = unit.client("bkn")
    provider.contribute()
    found = refused(provider.create)
    assert (found.reason, found.metadata["differs"]) == ("EPOCH_MISMATCH", "epoch")


@pytest.mark.parametrize(
    ("change", "reason", "differs"),
    [
        ({"schema_digest": b"x" * 32}, "SCHEMA_MISMATCH", "schema"),
        ({"normaliser_version": "id-2"}, "NORMALISER_MISMATCH", "normaliser"),
        ({"key_check_value": b"x" * 16}, "KEY_CHECK_MISMATCH", "key"),
        ({"epoch": 2}, "EPOCH_MISMATCH", "epoch"),
    ],
)
def test_a_mismatch_is_refused_before_a_row_travels_and_named(make_unit, change, reason, differs):
    unit = make_unit()
    provider, requester = unit.pair()
    provider.contribute(2)
    requester.contribute(2)
    provider.publish(10)
    found = refused(requester.create, 10, encoding=requester.encoding(**change))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, reason)
    assert found.metadata["differs"] == differs


def test_a_provider_is_held_to_the_lists_of_its_epoch(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    requester.publish(10)
    wrong = provider.encoding(key_check_value=b"x" * 16)
    assert refused(provider.create, 10, encoding=wrong).reason == "KEY_CHECK_MISMATCH"
    provider.contribute(2)
    requester.contribute(2)
    rotated = provider.encoding(epoch=2, key_check_value=b"2" * 16)
    assert provider.create(10, encoding=rotated).state == dataset_pb.Dataset.STATE_OPEN


def test_tables_must_be_the_schemas_of_the_right_size_in_any_order(make_unit):
    provider, _ = make_unit().pair()
    rows = provider.schema.padded_rows(10)
    good = [dataset_pb.Table(pass_id=p.id, row_count=rows) for p in provider.schema.passes]
    made = provider.create(10, tables=good[::-1])
    assert [t.pass_id for t in made.tables] == [p.id for p in provider.schema.passes]
    assert refused(provider.create, 10, tables=good[1:]).reason == "TABLES_INVALID"
    assert refused(provider.create, 10, tables=[*good, good[0]]).reason == "TABLES_INVALID"
    wrong = dataset_pb.Table(pass_id=good[0].pass_id, row_count=rows + 256)
    found = refused(provider.create, 10, tables=[wrong, *good[1:]])
    assert found.reason == "TABLES_INVALID"
    assert found.metadata["field"] == f"dataset.tables[{wrong.pass_id}].row_count"


def test_lists_are_held_to_the_agreements_sizes(make_unit):
    _, requester = make_unit(
        edit=lambda text: text.replace(
            "records_per_list = 17_000_000", "records_per_list = 2_000", 1
        )
    ).pair()
    found = refused(requester.create, 2001)
    assert (found.reason, found.metadata["limit"]) == ("QUOTA_LIST_EXCEEDED", "2000")
    assert found.metadata["article"] == "Pasal 2 angka 2"
    assert refused(requester.create, 9).reason == "BATCH_TOO_SMALL"
    requester.create(10)


@pytest.mark.parametrize(
    "change",
    [
        {"record_count": 0},
        {"role": resources_pb.ROLE_UNSPECIFIED},
        {"seal": None},
        {"seal": resources_pb.Seal(seal_id=b"short", encapsulated_key=b"e" * 32)},
        {"encoding": resources_pb.EncodingContext()},
    ],
)
def test_a_field_out_of_range_is_refused(make_unit, change):
    provider, _ = make_unit().pair()
    assert refused(provider.create, 10, **change).reason == "FIELD_INVALID"


def test_nobody_writes_in_anothers_role_or_dataset(make_unit):
    provider, requester = make_unit().pair()
    found = refused(requester.create, 10, role=resources_pb.ROLE_PROVIDER)
    assert found.reason == "ROLE_NOT_PERMITTED"
    theirs = provider.create(10)
    for call in (
        lambda: requester.datasets.GetDataset(dataset_pb.GetDatasetRequest(name=theirs.name)),
        lambda: requester.commit(theirs),
        lambda: requester.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=theirs.name)),
        lambda: requester.send(theirs, requester.tables(10)["lahir-depan"]),
        lambda: requester.start_run(theirs),
    ):
        assert refused(call).reason == "DATASET_NOT_FOUND"


def test_a_replayed_request_makes_one_dataset(make_unit):
    provider, _ = make_unit().pair()
    request_id = str(uuid.uuid4())
    seal = resources_pb.Seal(seal_id=b"s" * 16, encapsulated_key=b"e" * 32)
    first = provider.create(10, request_id, seal=seal)
    assert provider.create(10, request_id.upper(), seal=seal) == first
    assert refused(provider.create, 11, request_id, seal=seal).reason == "REQUEST_ID_REUSED"
    assert provider.create(10, seal=seal).name != first.name
    assert refused(provider.create, 10, "not-a-uuid", seal=seal).reason == "FIELD_INVALID"


def test_datasets_are_listed_in_pages_newest_first(make_unit):
    provider, _ = make_unit().pair()
    names = [provider.create(10).name for _ in range(3)]
    request = dataset_pb.ListDatasetsRequest(parent=provider.parent, page_size=2)
    page = provider.datasets.ListDatasets(request)
    request.page_token = page.next_page_token
    rest = provider.datasets.ListDatasets(request)
    assert [d.name for d in (*page.datasets, *rest.datasets)] == names[::-1]
    assert rest.next_page_token == ""
    request.parent = provider.parent.replace("asn-status", "asn-perbaikan")
    assert refused(provider.datasets.ListDatasets, request).reason == "PAGE_TOKEN_INVALID"


# Uploading


@pytest.fixture
def upload(make_unit):
    """A provider, an open dataset and a table of it."""
    provider, _ = make_unit(settings={"limits": {"sync_bytes": 20_000}}).pair()
    return provider, provider.create(100), provider.tables(100)["lahir-depan"]


def test_a_table_arrives_in_any_chunks(upload):
    provider, dataset, table = upload
    assert status(provider, dataset) == (0, False)
    answer = send(provider, chunks(table_name(dataset), table, step=77))
    assert (answer.committed_rows, answer.complete) == (256, True)
    assert status(provider, dataset) == (256, True)


def test_a_stream_that_ends_early_acknowledges_all_its_rows(make_unit):
    """Also those behind the last sync: the next stream begins where the answer says."""
    provider, _ = make_unit(settings={"limits": {"sync_bytes": 10_000_000}}).pair()
    dataset, table = provider.create(100), provider.tables(100)["lahir-depan"]
    name, safe = table_name(dataset), 0
    for stop in (100, 130, 200):
        answer = send(provider, [chunk(name, table, safe, stop)])
        assert (answer.committed_rows, answer.complete) == (stop, False)
        safe = answer.committed_rows
    assert provider.send(dataset, table, start=safe).complete


def test_a_corrupt_chunk_is_refused_and_what_came_before_is_kept(upload):
    provider, dataset, table = upload
    name = table_name(dataset)
    bad = chunk(name, table, 100, 200)
    keys = bytearray(bad.rows.sealed_codes)
    keys[5] ^= 1
    bad.rows.sealed_codes = bytes(keys)
    found = refused(send, provider, [chunk(name, table, 0, 100), bad])
    assert (found.code, found.reason) == (grpc.StatusCode.DATA_LOSS, "CHUNK_CORRUPT")
    assert status(provider, dataset) == (100, False)
    assert provider.send(dataset, table, start=100).complete


@pytest.mark.parametrize("offset", [0, 50, 150])
def test_a_chunk_out_of_order_is_refused_with_the_place_to_go_on(upload, offset):
    provider, dataset, table = upload
    name = table_name(dataset)
    found = refused(
        send, provider, [chunk(name, table, 0, 100), chunk(name, table, offset, offset + 50)]
    )
    assert (found.code, found.reason) == (grpc.StatusCode.ABORTED, "OFFSET_OUT_OF_ORDER")
    assert found.metadata["committed_rows"] == "100"
    assert provider.send(dataset, table, start=100).complete


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("keys", b""),
        ("keys", b"\xff" * 19),
        ("presence", b"\x00" * 10),
        ("operations", b"\x01" * 10),
        ("handles", b""),
        ("filters", b"\x00" * 1281),
    ],
)
def test_a_malformed_column_is_named(upload, column, value):
    provider, dataset, table = upload
    bad = chunk(table_name(dataset), table, 0, 10)
    setattr(bad.rows, column, value)
    found = refused(send, provider, [bad])
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ROWS_MALFORMED")
    assert found.metadata["field"] == f"rows.{column}"
    assert status(provider, dataset) == (0, False)


def test_a_bucket_out_of_range_is_refused(make_unit):
    unit = make_unit(
        edit=lambda text: filtered(text).replace("bucket_bits = 16", "bucket_bits = 12")
    )
    provider, _ = unit.pair()
    dataset, table = provider.create(100), provider.tables(100)["lahir-depan"]
    table.columns["keys"][7] = (0, 16)  # bucket 4096
    found = refused(provider.send, dataset, table)
    assert (found.reason, found.metadata["field"]) == ("ROWS_MALFORMED", "rows.keys")


def test_more_rows_than_the_table_has_are_refused(upload):
    provider, dataset, table = upload
    name = table_name(dataset)
    provider.datasets.UploadTable(chunks(name, table, stop=200))
    bad = chunk(name, table, 100, 200)
    bad.row_offset = 200
    assert refused(send, provider, [bad]).reason == "ROWS_MALFORMED"


def test_one_stream_serves_one_table(upload):
    provider, dataset, table = upload
    first, second = chunks(table_name(dataset), table, stop=200)
    second.table = table_name(dataset, "nama-tahun")
    assert refused(send, provider, [first, second]).reason == "FIELD_INVALID"
    assert status(provider, dataset) == (100, False)


def test_finishing_too_early_is_refused(upload):
    provider, dataset, table = upload
    early = chunk(table_name(dataset), table, 0, 100)
    early.finish_write = True
    early.table_digest = table.digest()
    assert refused(send, provider, [early]).reason == "TABLE_INCOMPLETE"
    assert status(provider, dataset) == (100, False)


def test_a_wrong_table_digest_begins_the_table_anew(upload):
    provider, dataset, table = upload
    messages = list(chunks(table_name(dataset), table))
    messages[-1].table_digest = b"x" * 32
    found = refused(send, provider, messages)
    assert (found.code, found.reason) == (grpc.StatusCode.DATA_LOSS, "TABLE_DIGEST_MISMATCH")
    assert status(provider, dataset) == (0, False)
    assert provider.send(dataset, table).complete


def test_the_last_message_may_come_again(upload):
    provider, dataset, table = upload
    provider.send(dataset, table)
    again = dataset_pb.UploadTableRequest(
        table=table_name(dataset),
        row_offset=256,
        chunk_digest=columns_digest(table.layout, table.rows(256, 256)),
        finish_write=True,
        table_digest=table.digest(),
    )
    assert send(provider, [again]).complete
    again.table_digest = b"x" * 32
    assert refused(send, provider, [again]).reason == "TABLE_DIGEST_MISMATCH"
    found = refused(provider.send, dataset, table)
    assert (found.reason, found.metadata["complete"]) == ("OFFSET_OUT_OF_ORDER", "true")


def test_rows_are_safe_while_the_stream_still_runs(upload):
    """Every sync_bytes the count moves; the stream need not end for that."""
    provider, dataset, table = upload
    asked, more = threading.Event(), threading.Event()

    def slowly():
        yield from chunks(table_name(dataset), table, stop=200)
        asked.set()
        assert more.wait(PATIENCE)

    call = provider.datasets.UploadTable.future(slowly())
    assert asked.wait(PATIENCE)
    while status(provider, dataset)[0] < 200:
        pass
    more.set()
    assert call.result().committed_rows == 200


def test_a_newer_stream_takes_over_from_one_that_hangs(upload):
    provider, dataset, table = upload
    release = threading.Event()

    def hanging():
        yield from chunks(table_name(dataset), table, stop=200)
        release.wait(PATIENCE)

    hung = provider.datasets.UploadTable.future(hanging())
    while status(provider, dataset)[0] < 200:
        pass
    assert provider.send(dataset, table, start=200).complete
    assert hung.exception().code() is grpc.StatusCode.CANCELLED
    release.set()


@pytest.mark.parametrize("cut", [1, 5, 99, 100, 101, 255])
def test_a_cut_stream_goes_on_where_the_unit_says(upload, cut):
    provider, dataset, table = upload
    sent = threading.Event()

    def cut_off():
        yield from chunks(table_name(dataset), table, stop=cut)
        sent.set()
        threading.Event().wait(0.05)
        raise ConnectionError

    call = provider.datasets.UploadTable.future(cut_off())
    assert sent.wait(PATIENCE)
    call.cancel()
    safe, complete = status(provider, dataset)
    assert safe <= cut
    assert not complete
    for _ in range(3):  # the cut stream may still be ending: its rows, or its take-over, come late
        if not complete:
            with contextlib.suppress(grpc.RpcError):
                provider.send(dataset, table, start=safe)
        safe, complete = status(provider, dataset)
    assert (safe, complete) == (256, True)


# Committing and erasing


def test_a_dataset_is_committed_once_it_is_whole(upload):
    provider, dataset, _ = upload
    tables = provider.tables(100)
    last = tables.popitem()[1]
    for table in tables.values():
        provider.send(dataset, table)
    found = refused(provider.commit, dataset)
    assert (found.reason, found.metadata["tables"]) == ("TABLE_INCOMPLETE", last.pass_id)
    provider.send(dataset, last)
    committed = provider.commit(dataset)
    assert committed.state == dataset_pb.Dataset.STATE_COMMITTED
    assert committed.seal == dataset.seal
    assert provider.commit(dataset) == committed
    found = refused(provider.send, dataset, last)
    assert found.reason == "DATASET_STATE_INVALID"


def test_an_erased_dataset_leaves_its_record_alone(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    dataset = provider.publish(10)
    request = dataset_pb.DeleteDatasetRequest(name=dataset.name, request_id=str(uuid.uuid4()))
    provider.datasets.DeleteDataset(request)
    provider.datasets.DeleteDataset(request)
    shown = provider.datasets.GetDataset(dataset_pb.GetDatasetRequest(name=dataset.name))
    assert shown.state == dataset_pb.Dataset.STATE_DELETED
    assert not list((unit.house.data_dir / "datasets").iterdir())
    assert refused(provider.commit, dataset).reason == "DATASET_STATE_INVALID"


def test_the_owner_may_erase_after_the_end_of_the_agreement(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    dataset = provider.publish(10)
    unit.clock.forward(days=1000)
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=dataset.name))
    assert not list((unit.house.data_dir / "datasets").iterdir())


@pytest.mark.parametrize(("days", "left"), [(29.9, 1), (30.1, 0)])
def test_retention_erases(make_unit, days, left):
    unit = make_unit()
    provider, _ = unit.pair()
    provider.publish(10)
    unit.pass_time(days=days)
    unit.sweep()
    assert len(list((unit.house.data_dir / "datasets").iterdir())) == left


def test_a_clock_that_jumps_erases_nothing_until_it_is_set_right(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    provider.publish(10)
    kept = unit.house.data_dir / "datasets"
    for days in (200, 0, -200):
        unit.clock.forward(days=days)
        unit.sweep()
        assert unit.unit.clock.believed is (days < 0)
        assert len(list(kept.iterdir())) == 1
    unit.pass_time(days=31)
    unit.sweep()
    assert not list(kept.iterdir())


def test_nothing_outlives_the_agreement(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    unit.clock.forward(days=260)  # 2027-08-07; the term ends on the 14th
    dataset = provider.publish(10)
    assert dataset.expire_time.ToJsonString() == "2027-08-14T17:00:00Z"


# Deltas


def delta_tables(provider, base, records, *, delete, update, seed=9):
    """A delta: some of ``base``'s handles leave, some change, the other rows are new."""
    tables = {}
    for pass_id, fresh in provider.tables(records, seed=seed).items():
        old = base[pass_id]
        layout = fresh.layout.model_copy(update={"operations": 1})
        columns = {n: c.copy() for n, c in fresh.columns.items()}
        columns["handles"][: len(delete)] = old.columns["handles"][delete]
        columns["handles"][len(delete) : len(delete) + len(update)] = old.columns["handles"][update]
        columns["operations"] = np.ones((len(fresh), 1), np.uint8)
        columns["operations"][: len(delete)] = 2
        tables[pass_id] = PassTable(pass_id, layout, columns)
    return tables


def test_a_delta_makes_a_new_registry(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    base = provider.tables(100)
    registry = provider.publish(100, tables=base)
    delta = delta_tables(provider, base, 20, delete=[0, 1, 2], update=[10, 11])
    updated = provider.publish(20, tables=delta, base_dataset=registry.name)
    rows = 256 - 5 + 256 - 3
    assert {t.row_count for t in updated.tables} == {rows}
    assert updated.base_dataset == registry.name
    assert updated.seal == registry.seal

    listed = requester.tables(200, same_as={})
    for pass_id, table in listed.items():
        for name in {"keys", "filters"} & set(table.columns):
            table.columns[name][:100] = base[pass_id].columns[name][:100]
            table.columns[name][100:110] = delta[pass_id].columns[name][:10]
    run = requester.watch(
        requester.run_of(requester.start_run(requester.publish(200, tables=listed))).name
    )
    assert run.provider_dataset == updated.name
    streamed = list(requester.runs.StreamResults(run_pb.StreamResultsRequest(name=run.name)))
    assert streamed[0].seal == registry.seal
    for pass_id, found in answers(streamed).items():
        outcomes = np.frombuffer(found.outcomes, np.uint8)
        gone = [0, 1, 2, 10, 11]
        kept = [i for i in range(100) if i not in gone]
        assert outcomes[gone].tolist() == [1] * 5
        assert outcomes[kept].tolist() == [2] * 95
        assert outcomes[100:110].tolist() == [1] * 3 + [2] * 7  # deletions match nobody
        codes = np.frombuffer(found.sealed_codes, np.uint8).reshape(-1, 44)
        np.testing.assert_array_equal(codes[:95], base[pass_id].columns["sealed_codes"][kept])
        np.testing.assert_array_equal(codes[95:], delta[pass_id].columns["sealed_codes"][3:10])


def test_deltas_follow_one_another(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    base = provider.tables(10)
    first = provider.publish(10, tables=base)
    delta = delta_tables(provider, base, 10, delete=[0], update=[])
    second = provider.publish(10, tables=delta, base_dataset=first.name)
    late = provider.create(10, base_dataset=second.name)
    for table in delta_tables(provider, delta, 10, delete=[], update=[6], seed=11).values():
        provider.send(late, table)
    found = refused(provider.create, 10, base_dataset=first.name)
    assert found.reason == "DATASET_STATE_INVALID"
    third = provider.publish(
        10,
        tables=delta_tables(provider, delta, 10, delete=[], update=[5], seed=10),
        base_dataset=second.name,
    )
    assert third.seal == first.seal
    assert {t.row_count for t in third.tables} == {256 - 1 + 255 - 1 + 256}
    # An update that began from what is no longer newest would lose the one between.
    assert refused(provider.commit, late).reason == "DATASET_STATE_INVALID"


def test_a_delta_has_the_rows_it_says_and_need_not_be_padded(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    base = provider.publish(10).name
    for rows, count in ((256, 10), (3, 4), (3, 3)):
        tables = [dataset_pb.Table(pass_id=p.id, row_count=rows) for p in provider.schema.passes]
        changes = {"tables": tables, "record_count": count, "base_dataset": base}
        if rows == count:
            assert {t.row_count for t in provider.create(**changes).tables} == {rows}
        else:
            assert refused(provider.create, **changes).reason == "TABLES_INVALID"


def test_a_delta_without_operations_is_of_upserts_alone(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    base = provider.tables(10)
    registry = provider.publish(10, tables=base)
    dataset = provider.create(10, base_dataset=registry.name)
    for table in delta_tables(provider, base, 10, delete=[], update=[]).values():
        messages = list(chunks(table_name(dataset, table.pass_id), table))
        for message in messages:
            message.rows.operations = b""
        send(provider, messages)
    assert provider.commit(dataset).tables[0].row_count == 512


def test_a_delta_is_the_providers_and_of_the_same_encoding(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    registry = provider.publish(10)
    found = refused(requester.create, 10, base_dataset=registry.name)
    assert found.reason == "FIELD_INVALID"
    other = type(registry.seal)(seal_id=b"o" * 16, encapsulated_key=b"e" * 32)
    found = refused(provider.create, 10, base_dataset=registry.name, seal=other)
    assert (found.reason, found.metadata["field"]) == ("FIELD_INVALID", "dataset.seal")
    found = refused(
        provider.create,
        10,
        base_dataset=registry.name,
        encoding=provider.encoding(normaliser_version="id-9"),
    )
    assert found.reason == "NORMALISER_MISMATCH"
