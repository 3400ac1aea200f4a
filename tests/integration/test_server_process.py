"""The command itself: it starts, obeys signals, and says what is wrong with its settings."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from patience import PATIENCE

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import run_service_pb2 as run_pb


def events(unit):
    """The log as objects: every line must be one."""
    return [json.loads(line) for line in unit.log.read_text().splitlines()]


def test_the_real_command_matches_and_stops_in_good_order(make_unit_process, free_port):
    port = free_port()
    unit = make_unit_process(engine="real", settings={"metrics_port": port})
    unit.house.data_dir.mkdir(mode=0o755)  # an administrator's, open to others
    unit.start()
    provider, requester = unit.client("bkn"), unit.client("kemnaker")
    provider.contribute()
    requester.contribute()
    registry = provider.tables(40)
    provider.publish(40, tables=registry)
    listed = requester.publish(30, tables=requester.tables(30, same_as=registry))
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    assert run.state == run_pb.Run.STATE_SUCCEEDED
    assert len(run.passes) == len(provider.schema.passes)
    assert all(p.matched_rows >= 30 for p in run.passes)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as page:
        assert b"padan_uploaded_rows_total" in page.read()
    kept = list(unit.house.data_dir.rglob("*"))
    assert len(kept) > 10
    assert not [p.name for p in kept if p.stat().st_mode & 0o077]
    assert unit.stop() == 0
    told = [e["event"] for e in events(unit)]
    assert any(e.startswith("SIMULATED TIME") for e in told)
    assert told[-2:] == ["unit_draining", "unit_stopped"]


def handshake(unit, highest):
    """The TLS version that the unit agrees to, if the other end goes up to ``highest``."""
    certificate = unit.house.certificates["kemnaker"]
    context = ssl.create_default_context(cafile=str(unit.house.pki.ca))
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.set_alpn_protocols(["h2"])
    context.maximum_version = highest
    with (
        socket.create_connection(("127.0.0.1", unit.port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        return secure.version()


def test_only_tls_13_gets_through(make_unit_process):
    unit = make_unit_process()
    unit.start()
    assert handshake(unit, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    with pytest.raises(OSError, match=r"EOF|HANDSHAKE|reset"):
        handshake(unit, ssl.TLSVersion.TLSv1_2)
    assert unit.stop() == 0


def test_a_stopping_unit_says_so_and_ends_its_watchers(make_unit_process):
    unit = make_unit_process(settings={"run_workers": 0})
    unit.start()
    provider, requester = unit.client("bkn"), unit.client("kemnaker")
    provider.contribute()
    requester.contribute()
    provider.publish(20)
    run = requester.run_of(requester.start_run(requester.publish(20)))
    watching = requester.runs.WatchRun(run_pb.WatchRunRequest(name=run.name))
    assert next(watching).state == run_pb.Run.STATE_PENDING
    health = health_pb2_grpc.HealthStub(requester.raw).Watch(health_pb2.HealthCheckRequest())
    assert next(health).status == health_pb2.HealthCheckResponse.SERVING
    unit.process.terminate()
    assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
    with pytest.raises(grpc.RpcError) as caught:
        list(watching)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert unit.process.wait() == 0


def test_agreements_are_read_again_on_a_signal(make_unit_process):
    unit = make_unit_process()
    folder = unit.house.agreements_dir
    files = {p: p.read_bytes() for p in folder.iterdir()}
    for path in files:
        path.unlink()
    unit.start()
    client = unit.client("kemnaker")
    request = agreement_pb.ListAgreementsRequest()
    assert not client.agreements.ListAgreements(request).agreements
    for path, content in files.items():
        path.write_bytes(content)
    os.kill(unit.process.pid, signal.SIGHUP)
    while not client.agreements.ListAgreements(request).agreements:
        pass
    assert unit.stop() == 0


def test_two_units_never_share_a_data_directory(make_unit_process):
    unit = make_unit_process()
    unit.start()
    second = subprocess.run(
        [sys.executable, "-m", "padan_server", "unit", "--config", str(unit.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert second.returncode == 3
    assert "data_dir is used by another server" in second.stderr
