"""What a provider learns: how many, and when. Two lists of one size leave the same traces."""

from __future__ import annotations

import json
import re

import grpc
import pytest
from direct_party import Asked, asked
from google.protobuf.message import Message
from prometheus_client import generate_latest
from relay import Relay

from padan.v1 import direct_service_pb2 as pb

NIK = "3201010101900001"
SIZE = 1500

#: Two lists that have nothing in common, and one that repeats a single person.
LISTS = {
    "one": [f"nik {i}".encode() for i in range(SIZE)],
    "other": [b"3171%012d" % (i * 7919) for i in range(SIZE)],
    "same person": [b"3201010101900001"] * SIZE,
}


class MessageSizes(grpc.UnaryUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Notes the size of each message that goes or comes."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def _note(self, way: str, message: Message) -> Message:
        self.seen.append((way, message.ByteSize()))
        return message

    def intercept_unary_unary(self, continuation, details, request):
        """A single call."""
        answer = continuation(details, self._note("out", request))
        self._note("in", answer.result())
        return answer

    def intercept_stream_stream(self, continuation, details, requests):
        """A stream."""
        answers = continuation(details, (self._note("out", r) for r in requests))
        return (self._note("in", a) for a in answers)


def ask(provider, values):
    """Commit to a list, get it evaluated, one chunk twice; sizes of the messages, each way."""
    mine, sizes = Asked.of(values), MessageSizes()
    client = provider.client()
    client.direct = type(client.direct)(grpc.intercept_channel(client.channel, sizes))
    made = mine.commit(client)
    client.direct.EvaluateElements(mine.message(made.name, 0))
    chunks = [mine.message(made.name, i) for i in range(mine.chunks)]
    answers = list(client.direct.EvaluateElementStream(iter(chunks)))
    client.direct.GetBlindedList(pb.GetBlindedListRequest(name=made.name))
    assert len(answers) == 2
    return mine, made, [[s for w, s in sizes.seen if w == way] for way in ("out", "in")]


def shown(log, since):
    """Lines of the log since a place, without what is random or the clock's."""
    lines = []
    for line in log.getvalue()[since:].splitlines():
        event = json.loads(line)
        for name in ("timestamp", "seconds", "list"):
            event.pop(name, None)
        lines.append(event)
    return lines


def rows(provider):
    """Every row of the database, table by table, as it stands."""
    with provider.provider._store.read() as tx:
        connection = tx.lists._connection
        tables = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).scalars()
        return {
            name: connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in list(tables)
        }


def without_chance(tables):
    """Rows with ids, roots, digests and moments left out: only their lengths."""

    def shape(value):
        if isinstance(value, bytes):
            return len(value)
        if isinstance(value, str) and re.fullmatch(r"[0-9a-f-]{32,36}", value):
            return "id"
        if isinstance(value, int) and value > 10**12:
            return "moment"
        return value

    return {name: [tuple(map(shape, row)) for row in found] for name, found in tables.items()}


def test_lists_of_one_size_cannot_be_told_apart(make_publisher, make_provider, unit_log):
    traces = {}
    for name, values in LISTS.items():
        provider = make_provider(make_publisher())
        since = len(unit_log.getvalue())
        _, _, sizes = ask(provider, values)
        provider.stop()
        log = shown(unit_log, since)
        provider = make_provider(provider.publisher)
        traces[name] = (log, without_chance(rows(provider)), sizes)
    assert traces["one"] == traces["other"] == traces["same person"]
    log, tables, sizes = traces["one"]
    assert len(tables["blinded_lists"]) == 1
    assert len(tables["blinded_chunks"]) == 2
    calls = [line for line in log if line["event"] == "call"]
    assert [c.get("elements") for c in calls] == [SIZE, 1024, SIZE, None]
    assert [c.get("repeated") for c in calls] == [None, 0, 1024, None]
    assert all(sizes)


def captured(provider, values):
    """What passes over the network, each way, while a list is asked; and the list."""
    mine = Asked.of(values)
    with Relay(provider.port) as relay:
        client = provider.house.client(relay.port, "kemnaker")
        made = mine.commit(client)
        for chunk in range(mine.chunks):
            client.direct.EvaluateElements(mine.message(made.name, chunk))
        provider.house.close()
    return relay.sent, relay.received, mine


def test_the_network_sees_as_much_of_one_list_as_of_another(make_publisher, make_provider):
    sizes = []
    for values in LISTS.values():
        sent, received, mine = captured(make_provider(make_publisher()), values)
        assert mine.elements(0)[:32] not in sent  # TLS
        sizes.append((len(sent), len(received)))
    # Frames that keep time (pings, windows, the deadline's digits) differ by some bytes.
    for way in zip(*sizes, strict=True):
        assert min(way) > SIZE * 32
        assert max(way) - min(way) < 512


def test_neither_log_nor_database_shows_an_element(make_provider, unit_log):
    provider = make_provider()
    mine, made, _ = ask(provider, LISTS["one"])
    answer = provider.client().direct.EvaluateElements(mine.message(made.name, 1))
    misbehave(provider.client(), made)
    seed = provider.publisher.seed(1)
    provider.stop()
    kept = b"".join(p.read_bytes() for p in provider.house.data_dir.rglob("*") if p.is_file())
    told = unit_log.getvalue().encode()
    secrets = [mine.elements(0)[:32], mine.elements(1)[-32:], answer.evaluated[:32], answer.proof]
    secrets += [seed, answer.proof[:32], NIK.encode(), b"nik 7"]
    assert made.name[-32:].encode() in kept
    assert made.name[-32:].encode() in told
    for secret in secrets:
        for spelling in (secret, secret.hex().encode()):
            assert spelling not in kept
            assert spelling not in told


def misbehave(client, made):
    """Calls that are refused, with a value planted wherever a caller may write one."""
    mine = asked(3)
    name = f"{client.parent}/labelTables/{NIK}"
    calls = [
        lambda: mine.commit(client, request_id=NIK),
        lambda: mine.commit(client, root=NIK.encode()),
        lambda: client.direct.EvaluateElements(mine.message(NIK, 0)),
        lambda: client.direct.EvaluateElements(mine.message(made.name, 0, elements=NIK.encode())),
        lambda: client.direct.EvaluateElements(mine.message(made.name, 0, audit_path=NIK.encode())),
        lambda: list(client.direct.DownloadLabelTable(pb.DownloadLabelTableRequest(name=name))),
        lambda: client.direct.ListLabelTables(
            pb.ListLabelTablesRequest(parent=client.parent, page_token=NIK)
        ),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError):
            call()


def test_metrics_count_and_tell_nothing_else(make_provider):
    provider = make_provider()
    ask(provider, LISTS["one"])
    text = generate_latest(provider.provider.metrics.registry).decode()
    assert f"padan_committed_elements_total {SIZE}.0" in text
    assert f"padan_evaluated_elements_total {SIZE + 1024}.0" in text
    assert "kemnaker" not in text
    assert "asn-status" not in text
