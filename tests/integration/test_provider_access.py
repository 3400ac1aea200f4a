"""Who may ask a provider, for what, and when: by the mechanism that the unit has too."""

from __future__ import annotations

from datetime import UTC, datetime

import grpc
import pytest
from direct_party import asked, set_terms
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from parties import refusal
from provider_fixture import Publisher, table_id
from server_fixture import FixedClock

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import direct_service_pb2 as pb


def refused(call, *args, **kwargs):
    """The refusal of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        list(call(*args, **kwargs))  # a stream tells only when it is read
    return refusal(caught.value)


def calls(client):
    """Every call of the service, as something that may be called."""
    listed = f"{client.parent}/blindedLists/{'0' * 32}"
    message = asked(3).message(listed, 0)
    return {
        "ListLabelTables": lambda: tables(client),
        "DownloadLabelTable": lambda: client.direct.DownloadLabelTable(
            pb.DownloadLabelTableRequest(name=f"{client.parent}/labelTables/{table_id('a')}")
        ),
        "CreateBlindedList": lambda: asked(3).commit(client),
        "GetBlindedList": lambda: client.direct.GetBlindedList(
            pb.GetBlindedListRequest(name=listed)
        ),
        "EvaluateElements": lambda: client.direct.EvaluateElements(message),
        "EvaluateElementStream": lambda: client.direct.EvaluateElementStream(iter([message])),
    }


def tables(client):
    """What the provider lists."""
    return client.direct.ListLabelTables(pb.ListLabelTablesRequest(parent=client.parent))


def reasons(client):
    """For each call the reason of its refusal."""
    return {name: refused(call).reason for name, call in calls(client).items()}


def every(reason):
    """That reason for each call."""
    return dict.fromkeys(
        (
            "ListLabelTables",
            "DownloadLabelTable",
            "CreateBlindedList",
            "GetBlindedList",
            "EvaluateElements",
            "EvaluateElementStream",
        ),
        reason,
    )


def test_every_call_is_refused_out_of_force(make_provider):
    provider = make_provider()
    provider.clock.moment = datetime(2027, 8, 14, 17, tzinfo=UTC)
    client = provider.client()
    assert reasons(client) == every("AGREEMENT_EXPIRED")
    assert refused(tables, client).metadata["article"] == "Pasal 6 ayat (1)"
    provider.clock.moment = datetime(2024, 8, 14, 16, 59, tzinfo=UTC)
    provider.provider.clock.accept()
    assert reasons(client) == every("AGREEMENT_NOT_STARTED")


def test_a_suspension_at_the_provider_stops_every_call(make_provider):
    provider = make_provider()
    bkn, kemnaker = provider.client("bkn"), provider.client()
    name = "agreements/kemnaker-bkn-2024"
    bkn.agreements.SuspendAgreement(
        agreement_pb.SuspendAgreementRequest(name=name, article="Pasal 10 ayat (2)")
    )
    assert reasons(kemnaker) == every("AGREEMENT_SUSPENDED")
    provider.stop()
    again = make_provider(provider.publisher)
    assert reasons(again.client()) == every("AGREEMENT_SUSPENDED")
    again.client("bkn").agreements.ResumeAgreement(agreement_pb.ResumeAgreementRequest(name=name))
    assert len(tables(again.client()).label_tables) == 1


def test_others_than_the_requester_get_nothing(make_provider):
    provider = make_provider()
    assert reasons(provider.client("bkn")) == every("ROLE_NOT_PERMITTED")
    assert reasons(provider.client("imigrasi")) == every("AGREEMENT_NOT_FOUND")
    stranger = provider.client()
    stranger.parent = "agreements/tidak-ada/flows/asn-status"
    assert reasons(stranger) == every("AGREEMENT_NOT_FOUND")


def test_a_certificate_that_is_pinned_to_nobody_is_refused(make_provider):
    provider = make_provider()
    provider.house.certificates["kemnaker"] = provider.house.pki.issue_client("kemnaker-lain")
    assert reasons(provider.client()) == every("CALLER_UNKNOWN")


def test_calls_need_a_deadline(make_provider):
    client = make_provider().client()
    client.direct = type(client.direct)(client.raw)
    assert reasons(client) == every("DEADLINE_REQUIRED")


def test_flows_of_others_and_of_other_modes_are_refused(make_provider):
    provider = make_provider()
    client = provider.client()
    client.parent = "agreements/kemnaker-bkn-2024/flows/tidak-ada"
    assert reasons(client) == every("FLOW_NOT_FOUND")
    flows = provider.house.signed.agreement.flows
    others = [f for f in flows if f.provider != "bkn" and f.requester == "kemnaker"]
    unit_only = [f for f in flows if f.provider == "bkn" and f.direct is None]
    assert others or unit_only
    for flow in others:
        client.parent = f"agreements/kemnaker-bkn-2024/flows/{flow.id}"
        assert reasons(client) == every("FLOW_NOT_FOUND")
    for flow in unit_only:
        client.parent = f"agreements/kemnaker-bkn-2024/flows/{flow.id}"
        assert reasons(client) == every("MODE_NOT_PERMITTED")


def test_unit_mode_alone_opens_no_provider(make_house, make_provider):
    def unit_only(text):
        text = set_terms(text, 1000, 1000, 1)
        return text.replace('modes = ["direct", "unit"]', 'modes = ["unit"]', 1)

    provider = make_provider(Publisher(make_house(edit=unit_only)))
    assert reasons(provider.client()) == every("MODE_NOT_PERMITTED")


def test_there_are_no_epoch_contributions(make_provider):
    client = make_provider().client()
    assert refused(client.contribute).reason == "MODE_NOT_PERMITTED"
    request = agreement_pb.ListEpochContributionsRequest(parent=client.parent)
    found = refused(client.agreements.ListEpochContributions, request)
    assert found.reason == "MODE_NOT_PERMITTED"


def test_a_stranger_finds_its_way(make_provider):
    provider = make_provider(clock=FixedClock())
    channel = provider.client().raw
    services = set(ProtoReflectionDescriptorDatabase(channel).get_services())
    assert {"padan.v1.DirectService", "padan.v1.AgreementService"} <= services
    assert "padan.v1.DatasetService" not in services
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "padan.v1.DirectService"):
        status = stub.Check(health_pb2.HealthCheckRequest(service=service)).status
        assert status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda c: tables_of(c, "agreements/"), "parent"),
        (lambda c: asked(3).commit(c, epoch=0), "blinded_list.epoch"),
        (lambda c: asked(3).commit(c, element_count=0), "blinded_list.element_count"),
        (lambda c: asked(3).commit(c, root=b"r"), "blinded_list.root"),
        (lambda c: asked(3).commit(c, request_id="x"), "request_id"),
        (
            lambda c: c.direct.EvaluateElements(asked(3).message("lists/1", 0)),
            "blinded_list",
        ),
    ],
)
def test_a_wrong_field_is_named(make_provider, call, field):
    found = refused(call, make_provider().client())
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert found.metadata["field"] == field


def tables_of(client, parent):
    """What the provider lists for a parent."""
    return client.direct.ListLabelTables(pb.ListLabelTablesRequest(parent=parent))
