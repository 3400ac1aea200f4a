"""The command itself: it starts, obeys signals, and says what is wrong with its settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request

import grpc
import pytest
from direct_party import asked
from parties import refusal
from patience import PATIENCE
from provider_fixture import children

from padan.v1 import direct_service_pb2 as pb
from padan_server.app import read_settings
from padan_server.base.config import ProviderConfig


def listed(client):
    """What the provider lists."""
    request = pb.ListLabelTablesRequest(parent=client.parent)
    return client.direct.ListLabelTables(request).label_tables


def test_the_real_command_answers_and_stops_in_good_order(make_provider_process, free_port):
    port = free_port()
    process, publisher = make_provider_process(real=True, settings={"metrics_port": port})
    process.start()
    (worker,) = children(process.process.pid)
    client, mine = process.client("kemnaker"), asked(1100)
    assert not listed(client)
    publisher.publish("a")
    os.kill(process.process.pid, signal.SIGHUP)
    while not listed(client):
        pass
    made = mine.commit(client)
    messages = [mine.message(made.name, c) for c in range(2)]
    answers = list(client.direct.EvaluateElementStream(iter(messages)))
    outputs = mine.blinding  # one proof a chunk: checked chunk by chunk elsewhere
    assert sum(len(a.evaluated) for a in answers) == 32 * len(outputs)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as page:
        assert b"padan_evaluated_elements_total 1100.0" in page.read()
    assert process.stop() == 0
    told = [json.loads(line)["event"] for line in process.log.read_text().splitlines()]
    assert any(e.startswith("SIMULATED TIME") for e in told)
    assert told[-2:] == ["provider_draining", "provider_stopped"]
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_stopping_provider_ends_its_streams_and_keeps_what_it_answered(make_provider_process):
    process, publisher = make_provider_process()
    publisher.publish("a")
    process.start()
    client, mine = process.client("kemnaker"), asked(2100)
    made = mine.commit(client)
    stopping = threading.Event()

    def messages():
        yield mine.message(made.name, 0)
        stopping.wait(PATIENCE)
        yield mine.message(made.name, 1)

    stream = client.direct.EvaluateElementStream(messages())
    assert next(stream).chunk == 0
    process.process.terminate()
    while b"provider_draining" not in process.log.read_bytes():
        pass
    stopping.set()
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert refusal(caught.value).reason in {"SHUTTING_DOWN", ""}
    assert process.process.wait() == 0
    process.start()
    shown = process.client("kemnaker").direct.GetBlindedList(
        pb.GetBlindedListRequest(name=made.name)
    )
    assert shown.evaluated_count == 1024
    assert process.stop() == 0


def test_settings_come_from_file_and_environment(make_provider_process, monkeypatch):
    process, publisher = make_provider_process()
    monkeypatch.setenv("PADAN_PROVIDER_LIMITS__CHUNKS_AHEAD", "7")
    config = read_settings(process.config, ProviderConfig)
    assert config.limits.chunks_ahead == 7
    assert config.party == "bkn"
    assert config.tables_dir == publisher.tables_dir
    assert config.store_url.endswith("provider.sqlite")


def test_a_provider_without_its_settings_says_which(make_provider_process):
    process, _ = make_provider_process()
    text = process.config.read_text().replace("party = ", "partai = ", 1)
    process.config.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "padan_server", "provider", "--config", str(process.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert "party" in done.stderr
    assert "partai" in done.stderr
