"""Real-time confirmation: a few rows, one call, charged once."""

from __future__ import annotations

import uuid

import grpc
import numpy as np
import pytest
from parties import refusal

from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import resources_pb2 as resources_pb
from padan_server.base.clock import jakarta_day


def question(client, table, start=0, stop=5, **changes):
    """Rows of a table as a ConfirmRecords request."""
    values = {
        "parent": client.parent,
        "encoding": client.encoding(),
        "pass_id": table.pass_id,
        "rows": resources_pb.TableRows(row_count=stop - start, **table.rows(start, stop)),
        **changes,
    }
    return confirmation_pb.ConfirmRecordsRequest(**values)


def refused(client, request):
    with pytest.raises(grpc.RpcError) as caught:
        client.confirmations.ConfirmRecords(request)
    return refusal(caught.value)


@pytest.fixture
def asked(make_unit):
    """A unit with a registry, the requester, and rows that are in it."""

    def make(**options):
        unit = make_unit(**options)
        provider, requester = unit.pair()
        registry = provider.tables(40)
        published = provider.publish(40, tables=registry)
        return unit, provider, requester, registry, published

    return make


def used(unit):
    """What questions and lists have used of the day; blocks are charged ahead of them."""
    day = "kemnaker-bkn-2024", "asn-status", jakarta_day(unit.clock.now())
    with unit.unit._store.read() as tx:
        return tx.quotas.used(*day) - unit.unit._ledger.held(*day)


def test_rows_are_answered_in_their_order(asked):
    unit, _, requester, registry, published = asked()
    mine = requester.tables(3, same_as=registry)["nik-depan"]
    answer = requester.confirmations.ConfirmRecords(question(requester, mine))
    assert np.frombuffer(answer.rows.outcomes, np.uint8).tolist() == [2, 2, 2, 1, 1]
    codes = registry["nik-depan"].columns["sealed_codes"][:3].tobytes()
    assert answer.rows.sealed_codes == codes
    assert answer.provider_dataset == published.name
    assert answer.seal.seal_id == published.seal.seal_id
    assert used(unit) == 5


def test_a_retry_gives_the_same_answer_free_of_charge(asked):
    unit, provider, requester, registry, published = asked()
    mine = requester.tables(3, same_as=registry)["nik-depan"]
    request = question(requester, mine, request_id=str(uuid.uuid4()))
    first = requester.confirmations.ConfirmRecords(request)
    provider.publish(40)  # a newer registry must not change the answer to the same request
    assert requester.confirmations.ConfirmRecords(request) == first
    assert used(unit) == 5
    other = question(requester, mine, 5, 10, request_id=request.request_id)
    assert refused(requester, other).reason == "REQUEST_ID_REUSED"
    newest = requester.confirmations.ConfirmRecords(question(requester, mine))
    assert newest.provider_dataset != published.name


def test_the_day_quota_counts_single_questions_too(asked):
    unit, _, requester, registry, _ = asked(
        edit=lambda text: text.replace("records_per_day = 22_000_000", "records_per_day = 8", 1)
    )
    mine = requester.tables(3, same_as=registry)["nik-depan"]
    requester.confirmations.ConfirmRecords(question(requester, mine))
    found = refused(requester, question(requester, mine))
    assert (found.reason, found.metadata["used"]) == ("QUOTA_DAY_EXCEEDED", "5")
    assert used(unit) == 5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pass_id": "none"}, "FIELD_INVALID"),
        ({"rows": resources_pb.TableRows(row_count=0)}, "FIELD_INVALID"),
        ({"rows": resources_pb.TableRows(row_count=1001)}, "FIELD_INVALID"),
        ({"rows": resources_pb.TableRows(row_count=2, keys=b"123")}, "ROWS_MALFORMED"),
        ({"encoding": resources_pb.EncodingContext()}, "FIELD_INVALID"),
        ({"request_id": "x"}, "FIELD_INVALID"),
    ],
)
def test_what_is_malformed_is_refused_free_of_charge(asked, changes, reason):
    unit, _, requester, registry, _ = asked()
    mine = requester.tables(3, same_as=registry)["nik-depan"]
    assert refused(requester, question(requester, mine, **changes)).reason == reason
    assert used(unit) == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_digest": b"x" * 32}, "SCHEMA_MISMATCH"),
        ({"epoch": 7}, "EPOCH_MISMATCH"),
        ({"normaliser_version": "id-2"}, "NORMALISER_MISMATCH"),
        ({"key_check_value": b"x" * 16}, "KEY_CHECK_MISMATCH"),
    ],
)
def test_a_mismatch_is_named_free_of_charge(asked, change, reason):
    unit, _, requester, registry, _ = asked()
    mine = requester.tables(3, same_as=registry)["nik-depan"]
    request = question(requester, mine, encoding=requester.encoding(**change))
    assert refused(requester, request).reason == reason
    assert used(unit) == 0


def test_no_registry_no_answer(make_unit):
    unit = make_unit()
    _, requester = unit.pair()
    mine = requester.tables(3)["nik-depan"]
    assert refused(requester, question(requester, mine)).reason == "REGISTRY_NOT_PUBLISHED"


def test_a_flow_without_real_time_is_asked_by_list_alone(make_unit):
    unit = make_unit(flow_id="asn-perbaikan")
    _, requester = unit.pair()
    request = question(requester, requester.tables(3)["nik-depan"])
    assert refused(requester, request).reason == "MODE_NOT_PERMITTED"


def test_a_request_is_charged_for_each_registry_that_answers_it(asked):
    unit, provider, requester, registry, published = asked()
    mine = requester.tables(3, same_as=registry)["nik-depan"]
    request = question(requester, mine, request_id=str(uuid.uuid4()))
    before, charged = requester.confirmations.ConfirmRecords(request), used(unit)
    for number in range(1, 4):
        newer = provider.publish(40)
        provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=published.name))
        for _ in range(2):  # a repetition from the same registry is free
            answer = requester.confirmations.ConfirmRecords(request)
            assert answer.provider_dataset == newer.name != before.provider_dataset
            assert used(unit) == charged * (number + 1)
        before, published = answer, newer


def test_an_erased_registry_answers_no_more(asked):
    _, provider, requester, registry, published = asked()
    mine = requester.tables(3, same_as=registry)["nik-depan"]
    request = question(requester, mine, request_id=str(uuid.uuid4()))
    requester.confirmations.ConfirmRecords(request)
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=published.name))
    assert refused(requester, request).reason == "REGISTRY_NOT_PUBLISHED"
