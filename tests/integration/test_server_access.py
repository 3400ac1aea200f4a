"""Who gets in, and when: TLS, certificates, agreements, deadlines, sizes."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from parties import chunk, refusal
from patience import PATIENCE
from server_fixture import FixedClock

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import resources_pb2 as resources_pb
from padan_lab.demo.pki import Authority
from padan_server.services.guard import open_services


def refused(call, *args, **kwargs):
    """The refusal of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        list(call(*args, **kwargs))  # a stream tells only when it is read
    return refusal(caught.value)


def listed(client):
    """A harmless data call."""
    return client.datasets.ListDatasets(dataset_pb.ListDatasetsRequest(parent=client.parent))


# TLS


def unavailable(channel):
    """That no call gets through on this channel, whatever it asks."""
    stub = health_pb2_grpc.HealthStub(channel)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    return caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_of_another_ca_is_cut_off(make_unit, tmp_path):
    unit = make_unit()
    stranger = Authority(tmp_path / "stranger", datetime.now(UTC)).issue_client("kemnaker")
    assert unavailable(unit.house.channel(unit.port, stranger))


def test_a_server_of_another_ca_is_not_trusted(make_unit, tmp_path):
    unit = make_unit()
    other = Authority(tmp_path / "other", datetime.now(UTC))
    channel = unit.house.channel(unit.port, unit.house.certificates["bkn"], other.ca)
    assert unavailable(channel)


@pytest.mark.parametrize("days", [-9, 9])
def test_a_certificate_out_of_its_term_is_cut_off(make_unit, days):
    unit = make_unit()
    late = unit.house.pki.issue_client("late", datetime.now(UTC) + timedelta(days=days))
    assert unavailable(unit.house.channel(unit.port, late))


def test_no_certificate_is_cut_off(make_unit):
    unit = make_unit()
    credentials = grpc.ssl_channel_credentials(unit.house.pki.ca.read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{unit.port}", credentials) as channel:
        assert unavailable(channel)


def test_no_tls_is_cut_off(make_unit):
    unit = make_unit()
    with grpc.insecure_channel(f"127.0.0.1:{unit.port}") as channel:
        assert unavailable(channel)


def test_a_certificate_that_is_pinned_to_nobody_is_refused(make_unit):
    unit = make_unit()
    unit.house.certificates["kemnaker"] = unit.house.pki.issue_client("kemnaker-tidak-terdaftar")
    found = refused(listed, unit.client("kemnaker"))
    assert (found.code, found.reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_UNKNOWN")


def test_the_certificate_says_who_calls_whatever_its_name(make_unit):
    """The certificate of another agency gives that agency's rights and no other."""
    unit = make_unit()
    house = unit.house
    house.certificates["kemnaker"] = house.certificates["imigrasi"]
    assert refused(listed, unit.client("kemnaker")).reason == "AGREEMENT_NOT_FOUND"
    house.certificates["kemnaker"] = house.certificates["bkn"]
    created = unit.client("kemnaker")
    assert refused(created.create).reason == "ROLE_NOT_PERMITTED"


# Agreements


def test_an_outsider_cannot_tell_whether_an_agreement_exists(make_unit):
    unit = make_unit()
    outsider = unit.client("imigrasi")
    there = refused(listed, outsider)
    outsider.parent = "agreements/tidak-ada/flows/asn-status"
    not_there = refused(listed, outsider)
    assert there.reason == not_there.reason == "AGREEMENT_NOT_FOUND"
    assert there.message == not_there.message
    assert there.code is not_there.code is grpc.StatusCode.NOT_FOUND
    assert not outsider.agreements.ListAgreements(agreement_pb.ListAgreementsRequest()).agreements


def test_an_agreement_that_one_party_has_not_signed_is_not_loaded(make_unit):
    unit = make_unit(unsigned_by="bkn")
    assert refused(listed, unit.client("kemnaker")).reason == "AGREEMENT_NOT_FOUND"


def test_an_agreement_altered_after_signing_is_not_loaded(make_house, make_unit):
    house = make_house()
    path = house.agreements_dir / "kemnaker-bkn-2024.toml"
    path.write_bytes(house.signed.document.replace(b"minimum_batch = 10", b"minimum_batch = 11"))
    unit = make_unit(house)
    assert refused(listed, unit.client("kemnaker")).reason == "AGREEMENT_NOT_FOUND"
    path.write_bytes(house.signed.document)
    unit.unit._book.reload()
    assert listed(unit.client("kemnaker")).datasets == []


def test_a_party_sees_the_bytes_that_were_signed(make_unit):
    unit = make_unit()
    client = unit.client("kemnaker")
    (found,) = client.agreements.ListAgreements(agreement_pb.ListAgreementsRequest()).agreements
    assert found.document == unit.house.signed.document
    assert found.digest == unit.house.signed.digest
    assert [s.party for s in found.signatures] == ["bkn", "kemnaker"]
    assert found.state == agreement_pb.Agreement.STATE_IN_FORCE
    assert found.end_time.ToDatetime(UTC) == datetime(2027, 8, 14, 17, tzinfo=UTC)


JAKARTA_MIDNIGHT = datetime(2024, 8, 14, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (JAKARTA_MIDNIGHT - timedelta(microseconds=1), "AGREEMENT_NOT_STARTED"),
        (JAKARTA_MIDNIGHT, ""),
        (datetime(2027, 8, 14, 17, tzinfo=UTC) - timedelta(microseconds=1), ""),
        (datetime(2027, 8, 14, 17, tzinfo=UTC), "AGREEMENT_EXPIRED"),
    ],
)
def test_the_term_counts_to_the_moment(make_unit, moment, reason):
    unit = make_unit(clock=FixedClock(moment))
    client = unit.client("kemnaker")
    if not reason:
        assert listed(client).datasets == []
        return
    found = refused(listed, client)
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, reason)
    assert found.metadata["article"] == "Pasal 6 ayat (1)"
    assert found.metadata["agreement"] == "kemnaker-bkn-2024"
    assert found.metadata["flow"] == "asn-status"
    assert "Pasal 6 ayat (1)" in found.message


def data_calls(provider, requester):
    """Every data call, as something that may be called."""
    from padan.v1 import confirmation_service_pb2 as confirmation_pb
    from padan.v1 import run_service_pb2 as run_pb

    dataset = f"{provider.parent}/datasets/{'0' * 32}"
    run = f"{provider.parent}/runs/{'0' * 32}"
    table = provider.tables(1)["nik-depan"]
    return {
        "CreateDataset": provider.create,
        "UploadTable": lambda: provider.datasets.UploadTable(
            iter([chunk(f"{dataset}/tables/nik", table, 0, 1)])
        ),
        "QueryWriteStatus": lambda: provider.datasets.QueryWriteStatus(
            dataset_pb.QueryWriteStatusRequest(table=f"{dataset}/tables/nik")
        ),
        "CommitDataset": lambda: provider.commit(dataset_pb.Dataset(name=dataset)),
        "GetEdition": lambda: requester.datasets.GetEdition(
            dataset_pb.GetEditionRequest(name=f"{requester.parent}/editions/{'0' * 16}")
        ),
        "GetRegistry": lambda: requester.datasets.GetRegistry(
            dataset_pb.GetRegistryRequest(parent=requester.parent)
        ),
        "GetDataset": lambda: provider.datasets.GetDataset(
            dataset_pb.GetDatasetRequest(name=dataset)
        ),
        "ListDatasets": lambda: listed(provider),
        "CreateRun": lambda: requester.start_run(dataset_pb.Dataset(name=dataset)),
        "GetRun": lambda: requester.runs.GetRun(run_pb.GetRunRequest(name=run)),
        "ListRuns": lambda: requester.runs.ListRuns(
            run_pb.ListRunsRequest(parent=requester.parent)
        ),
        "WatchRun": lambda: requester.runs.WatchRun(run_pb.WatchRunRequest(name=run)),
        "StreamResults": lambda: requester.runs.StreamResults(
            run_pb.StreamResultsRequest(name=run)
        ),
        "ConfirmRecords": lambda: requester.confirmations.ConfirmRecords(
            confirmation_pb.ConfirmRecordsRequest(parent=requester.parent)
        ),
        "CreateEpochContribution": requester.contribute,
        "ListEpochContributions": lambda: requester.agreements.ListEpochContributions(
            agreement_pb.ListEpochContributionsRequest(parent=requester.parent)
        ),
    }


def test_every_data_call_is_refused_out_of_force(make_unit):
    unit = make_unit(clock=FixedClock(datetime(2030, 1, 1, tzinfo=UTC)))
    calls = data_calls(unit.client("bkn"), unit.client("kemnaker"))
    assert {name: refused(call).reason for name, call in calls.items()} == dict.fromkeys(
        calls, "AGREEMENT_EXPIRED"
    )


def test_a_suspension_stops_every_data_call_until_its_party_resumes(make_unit):
    unit = make_unit()
    bkn, kemnaker = unit.client("bkn"), unit.client("kemnaker")
    name = "agreements/kemnaker-bkn-2024"
    shown = bkn.agreements.SuspendAgreement(
        agreement_pb.SuspendAgreementRequest(name=name, article="Pasal 10 ayat (2)")
    )
    assert shown.state == agreement_pb.Agreement.STATE_SUSPENDED
    assert list(shown.suspended_by) == ["bkn"]
    for call in data_calls(bkn, kemnaker).values():
        found = refused(call)
        assert found.reason == "AGREEMENT_SUSPENDED"
        assert found.metadata["article"] == "Pasal 10 ayat (2)"
    kemnaker.agreements.ResumeAgreement(agreement_pb.ResumeAgreementRequest(name=name))
    assert refused(listed, kemnaker).reason == "AGREEMENT_SUSPENDED"
    bkn.agreements.ResumeAgreement(agreement_pb.ResumeAgreementRequest(name=name))
    assert listed(kemnaker).datasets == []


def test_a_suspension_outlives_a_restart(make_house, make_unit):
    house = make_house()
    first = make_unit(house)
    first.client("bkn").agreements.SuspendAgreement(
        agreement_pb.SuspendAgreementRequest(
            name="agreements/kemnaker-bkn-2024", article="Pasal 10 ayat (2)"
        )
    )
    first.stop()
    again = make_unit(house)
    assert refused(listed, again.client("kemnaker")).reason == "AGREEMENT_SUSPENDED"


def test_only_a_party_suspends_and_names_the_article(make_unit):
    unit = make_unit()
    request = agreement_pb.SuspendAgreementRequest(name="agreements/kemnaker-bkn-2024", article=" ")
    found = refused(unit.client("bkn").agreements.SuspendAgreement, request)
    assert found.reason == "FIELD_INVALID"
    request.article = "Pasal 10"
    found = refused(unit.client("imigrasi").agreements.SuspendAgreement, request)
    assert found.reason == "AGREEMENT_NOT_FOUND"


def test_roles_flows_and_modes_are_the_agreements(make_unit):
    unit = make_unit()
    provider, requester = unit.client("bkn"), unit.client("kemnaker")
    found = refused(provider.start_run, dataset_pb.Dataset(name=f"{provider.parent}/datasets/x"))
    assert (found.code, found.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "ROLE_NOT_PERMITTED",
    )
    assert found.metadata["article"] == "Pasal 2 angka 2"
    requester.parent = "agreements/kemnaker-bkn-2024/flows/tidak-ada"
    assert refused(listed, requester).reason == "FLOW_NOT_FOUND"
    requester.parent = "agreements/kemnaker-bkn-2024/flows/casn-agregat"
    assert refused(listed, requester).reason == "MODE_NOT_PERMITTED"


# Deadlines, sizes, forms


def test_a_call_without_a_deadline_is_refused(make_unit):
    unit = make_unit()
    client = unit.client("kemnaker")
    stub = type(client.datasets)(client.raw)
    request = dataset_pb.ListDatasetsRequest(parent=client.parent)
    found = refused(stub.ListDatasets, request)
    assert (found.code, found.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "DEADLINE_REQUIRED",
    )
    assert refused(stub.ListDatasets, request, timeout=10**6).reason == "DEADLINE_REQUIRED"
    table = client.tables(10)["nik-depan"]
    found = refused(stub.UploadTable, iter([chunk(f"{client.parent}/x", table, 0, 1)]))
    assert found.reason == "DEADLINE_REQUIRED"


def test_an_oversized_message_is_refused(make_unit):
    unit = make_unit()
    client = unit.client("bkn")
    request = dataset_pb.UploadTableRequest(
        rows=resources_pb.TableRows(filters=bytes(4 * 1024 * 1024))
    )
    found = refused(client.datasets.UploadTable, iter([request]))
    assert found.code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_wrong_field_is_named(make_unit):
    client = make_unit().client("bkn")
    client.parent = "agreements/"
    found = refused(listed, client)
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    bad = [d for d in found.details if isinstance(d, error_details_pb2.BadRequest)]
    assert bad[0].field_violations[0].field == "parent"


def test_a_defect_shows_an_incident_and_nothing_else(make_unit, monkeypatch, capfd):
    unit = make_unit()
    client = unit.client("kemnaker")

    def broken(*_args, **_kwargs):
        raise KeyError("3201010101900001")

    monkeypatch.setattr(unit.unit._datasets, "page", broken)
    found = refused(listed, client)
    assert (found.code, found.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    log = "".join(capfd.readouterr())
    assert found.metadata["incident"] in log
    assert "3201010101900001" not in log + found.message


# A stranger's client


def test_reflection_and_health_serve_a_stranger(make_unit):
    unit = make_unit()
    channel = unit.client("kemnaker").raw
    services = set(ProtoReflectionDescriptorDatabase(channel).get_services())
    assert {
        "padan.v1.AgreementService",
        "padan.v1.DatasetService",
        "padan.v1.RunService",
        "padan.v1.ConfirmationService",
        "google.longrunning.Operations",
        "grpc.health.v1.Health",
    } <= services
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "padan.v1.RunService", "google.longrunning.Operations"):
        status = stub.Check(health_pb2.HealthCheckRequest(service=service)).status
        assert status == health_pb2.HealthCheckResponse.SERVING


@pytest.fixture
def idle_streams(make_unit):
    """Opens streams of reflection that say nothing more; ends them afterwards."""
    unit, enough = make_unit(), threading.Event()

    def silent():
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        enough.wait(PATIENCE)

    def open_streams(count):
        stub = reflection_pb2_grpc.ServerReflectionStub(unit.client("bpjstk").raw)
        return [stub.ServerReflectionInfo(silent()) for _ in range(count)]

    yield unit, open_streams
    enough.set()


def test_idle_streams_of_reflection_do_not_take_every_thread(idle_streams):
    unit, open_streams = idle_streams
    streams = open_streams(24)  # 4 are served, 16 wait
    awaited = time.monotonic() + PATIENCE
    while len(ended := [s for s in streams if not s.is_active()]) < 4:
        assert time.monotonic() < awaited
        time.sleep(0.01)
    assert [refusal(stream).reason for stream in ended] == ["TOO_MANY_CALLS"] * 4
    listed(unit.client("kemnaker"))


def test_an_idle_stream_of_reflection_is_ended(idle_streams, monkeypatch):
    monkeypatch.setattr(open_services, "_REFLECTION_SECONDS", 0.05)
    _, open_streams = idle_streams
    for _ in range(3):  # more in all than may be open at once
        for stream in open_streams(2):
            with pytest.raises(grpc.RpcError) as caught:
                list(stream)
            assert caught.value.code() is grpc.StatusCode.CANCELLED
