"""A caller that says nothing, or rubbish, costs itself its answer and nobody else theirs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hostile_peers import CHECK, REFLECT, STREAM, UNARY, listed, silence, stranger
from parties import refusal
from patience import PATIENCE
from prometheus_client import generate_latest

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan_server.services.guard import receipts


@pytest.mark.parametrize("method", [UNARY, STREAM, CHECK, REFLECT])
def test_silent_strangers_keep_nobody_waiting(make_unit, method):
    unit = make_unit()
    with silence(stranger(unit), method, 100), silence(stranger(unit, 1), method, 100):
        for party in ("kemnaker", "bkn"):
            listed(unit.client(party))
        probe = health_pb2_grpc.HealthStub(stranger(unit, 2))
        assert probe.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE).status


def test_silent_parties_do_not_take_the_threads_of_another(make_unit):
    unit = make_unit()
    parties = [p for p in unit.house.certificates if p != "kemnaker"]
    channels = [unit.house.channel(unit.port, unit.house.certificates[p]) for p in parties]
    held = [silence(channel, STREAM, 16) for channel in channels]
    for each in held:
        each.__enter__()
    try:
        listed(unit.client("kemnaker"))
    finally:
        for each in held:
            each.__exit__(None, None, None)


def test_who_says_nothing_is_cut_off(make_unit, monkeypatch):
    monkeypatch.setattr(receipts, "MESSAGE_SECONDS", 0.1)
    unit = make_unit()
    channel = unit.house.channel(unit.port, unit.house.certificates["kemnaker"])
    with silence(channel, UNARY, 16) as calls:
        for call in calls:
            with pytest.raises(grpc.RpcError) as caught:
                next(call)
            assert caught.value.code() is grpc.StatusCode.CANCELLED
        listed(unit.client("kemnaker"))  # all sixteen are over


def test_suspending_gets_through_a_party_s_own_calls(make_unit):
    unit = make_unit()
    bkn = unit.client("bkn")
    channel = unit.house.channel(unit.port, unit.house.certificates["bkn"])
    with silence(channel, STREAM, 40):
        name = f"agreements/{bkn.signed.agreement.id}"
        request = agreement_pb.SuspendAgreementRequest(name=name, article="Pasal 10 ayat (2)")
        assert bkn.agreements.SuspendAgreement(request).name == name


def test_rubbish_is_refused_by_who_sends_it(make_unit, unit_log):
    # However fast it comes: it is refused for what it is.
    unit = make_unit(settings={"limits": {"rates": {"administration": 5000, "upload": 5000}}})
    party = unit.house.channel(unit.port, unit.house.certificates["kemnaker"])
    for channel, reason in ((stranger(unit), "CALLER_UNKNOWN"), (party, "FIELD_INVALID")):
        for method in (UNARY, STREAM):
            call = channel.stream_stream(method)
            found = set()
            for content in (b"\xff", b"\x0a", b"\xff" * 1000) * 100:
                with pytest.raises(grpc.RpcError) as caught:
                    list(call(iter([content]), timeout=PATIENCE))
                found.add(refusal(caught.value).reason)
            assert reason in found
            assert found <= {reason, "CALL_RATE_EXCEEDED"}
    listed(unit.client("kemnaker"))
    lines = [line for line in unit_log.getvalue().splitlines() if "CALLER_UNKNOWN" in line]
    assert len(lines) == 1  # and the next one, a minute later, tells how many there were
    unit.stop()  # no message keeps it from that


def test_methods_that_there_are_not_wait_in_line_like_others(make_unit):
    unit = make_unit(settings={"limits": {"rates": {"administration": 1}}})
    party = unit.house.channel(unit.port, unit.house.certificates["kemnaker"])
    found = set()
    for channel in [party] * 50 + [stranger(unit)]:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/padan.v1.Nothing/There")(b"", timeout=PATIENCE)
        found.add((caught.value.code(), refusal(caught.value).reason))
    unknown = grpc.StatusCode.UNIMPLEMENTED, ""
    assert found == {unknown, (grpc.StatusCode.RESOURCE_EXHAUSTED, "CALL_RATE_EXCEEDED")}


def test_who_checks_health_too_often_is_refused_counted_and_told_once(make_unit, unit_log):
    unit = make_unit()
    reasons = []
    with silence(stranger(unit), CHECK, 48) as calls:
        for call in calls[-8:]:
            with pytest.raises(grpc.RpcError) as caught:
                next(call)
            reasons.append(refusal(caught.value).reason)
    assert set(reasons) == {"TOO_MANY_CALLS"}
    counted = 'class="health_check",outcome="too_many_calls"} 16.0'
    assert counted in generate_latest(unit.unit.metrics.registry).decode()
    assert unit_log.getvalue().count('"calls_refused"') == 1


def test_headers_beyond_their_limit_are_refused_every_time(make_unit):
    unit = make_unit()
    client = unit.client("kemnaker")
    request = agreement_pb.ListAgreementsRequest()
    for _ in range(20):
        told = [("x-much-bin", bytes(4000))]
        assert client.agreements.ListAgreements(request, metadata=told).agreements
        with pytest.raises(grpc.RpcError) as caught:
            client.agreements.ListAgreements(request, metadata=[("x-much-bin", bytes(9000))])
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_what_a_party_is_refused_is_in_the_log_once_a_minute_and_counted(make_unit, unit_log):
    unit = make_unit()
    call = unit.house.channel(unit.port, unit.house.certificates["kemnaker"]).unary_unary(UNARY)
    for _ in range(30):
        with pytest.raises(grpc.RpcError):
            call(b"\xff", timeout=PATIENCE)
    lines = [line for line in unit_log.getvalue().splitlines() if '"event": "call"' in line]
    assert len(lines) == 1
    told = f'method="{UNARY}",reason="FIELD_INVALID"}} 30.0'
    assert told in generate_latest(unit.unit.metrics.registry).decode()


@pytest.mark.parametrize("method", [CHECK, REFLECT])
def test_rubbish_of_a_stranger_is_refused_by_the_open_services_too(make_unit, method):
    unit = make_unit()
    channel, found = stranger(unit), set()
    for _ in range(200):
        with pytest.raises(grpc.RpcError) as caught:
            list(channel.stream_stream(method)(iter([b"\xff"]), timeout=PATIENCE))
        found.add(refusal(caught.value).reason)
    assert "FIELD_INVALID" in found
    assert found <= {"FIELD_INVALID", "CALL_RATE_EXCEEDED"}
    probe = health_pb2_grpc.HealthStub(channel)
    assert probe.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE).status
    unit.stop()


def test_health_is_checked_from_as_many_threads_as_a_party_may_call(make_unit):
    probe = health_pb2_grpc.HealthStub(stranger(make_unit()))
    request, serving = health_pb2.HealthCheckRequest(), health_pb2.HealthCheckResponse.SERVING
    with ThreadPoolExecutor(16) as pool:
        checks = pool.map(lambda _: probe.Check(request, timeout=PATIENCE).status, range(400))
        assert set(checks) == {serving}


def test_watchers_of_health_are_told_and_keep_nobody(make_unit):
    unit = make_unit()
    serving = health_pb2.HealthCheckResponse.SERVING
    channels = [stranger(unit, number) for number in range(4)]
    probes = [health_pb2_grpc.HealthStub(channel) for channel in channels]
    request = health_pb2.HealthCheckRequest()
    watching = [probe.Watch(request, timeout=PATIENCE) for probe in probes for _ in range(5)]
    assert all(next(stream).status == serving for stream in watching)
    with pytest.raises(grpc.RpcError) as caught:
        next(probes[0].Watch(request, timeout=PATIENCE))
    assert refusal(caught.value).reason == "TOO_MANY_CALLS"
    assert probes[0].Check(request, timeout=PATIENCE).status == serving
    for channel in channels[:2]:  # some go in the moment in which all are told
        threading.Thread(target=channel.close).start()
    unit.stop()
    stopped = health_pb2.HealthCheckResponse.NOT_SERVING
    assert all(next(stream).status == stopped for stream in watching[10:])
