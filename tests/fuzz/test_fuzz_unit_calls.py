"""Strange requests to every method of the unit: refused by name or served, never a defect."""

from __future__ import annotations

import random
import string
import uuid
from collections import Counter, defaultdict

import grpc
import pytest
from google.longrunning import operations_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from parties import PartyClient, refusal
from patience import PATIENCE

from padan.v1 import (
    agreement_service_pb2,
    confirmation_service_pb2,
    dataset_service_pb2,
    release_service_pb2,
    resources_pb2,
    run_service_pb2,
)

ROUNDS = 25
FILES = (
    agreement_service_pb2,
    confirmation_service_pb2,
    dataset_service_pb2,
    run_service_pb2,
    operations_pb2,
    release_service_pb2,
)
METHODS = [
    method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
_SIGNED = (-(2**31), -1, 0, 1, 2, 10, 255, 2**31 - 1)
_TEXT = string.ascii_letters + string.digits + "/.-_ \x00\n\x1b%{}é☃"


def _number(draw):
    return draw.choice(_SIGNED)


def _count(draw):
    return abs(_number(draw))


_SCALARS = {
    FieldDescriptor.TYPE_BYTES: lambda d: d.randbytes(d.choice((0, 1, 16, 32, 44, 320, 5000))),
    FieldDescriptor.TYPE_ENUM: lambda d: d.choice((0, 1, 2, 77)),
    FieldDescriptor.TYPE_BOOL: lambda d: d.random() < 0.5,
    FieldDescriptor.TYPE_DOUBLE: lambda d: d.choice((0.0, -1.0, float("nan"), float("inf"))),
    FieldDescriptor.TYPE_FLOAT: lambda d: d.choice((0.0, -1.0, float("nan"))),
    FieldDescriptor.TYPE_UINT32: _count,
    FieldDescriptor.TYPE_UINT64: _count,
}


class Recorder(grpc.UnaryUnaryClientInterceptor, grpc.StreamUnaryClientInterceptor):
    """Keeps the requests of good calls by type, to make strange ones of them."""

    def __init__(self):
        self.kept = defaultdict(list)

    def _keep(self, message):
        self.kept[message.DESCRIPTOR.full_name].append(message)
        return message

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(client_call_details, self._keep(request))

    def intercept_stream_unary(self, continuation, client_call_details, request_iterator):
        return continuation(client_call_details, map(self._keep, request_iterator))


class Strange:
    """Messages that are random, or good but for a field or two."""

    def __init__(self, draw, good, names):
        self._draw = draw
        self._good = good
        self._names = names

    def message(self, kind, depth=0):
        """A message of the descriptor ``kind``."""
        made = message_factory.GetMessageClass(kind)()
        good = self._good.get(kind.full_name)
        if good and self._draw.random() < 0.7:
            made.CopyFrom(self._draw.choice(good))
            if made.DESCRIPTOR.fields_by_name.get("request_id"):
                made.request_id = self._draw.choice(("", made.request_id, str(uuid.uuid4())))
            for _ in range(self._draw.choice((0, 1, 1, 2))):
                self._spoil(made)
            return made
        for field in kind.fields:
            if depth < 4 and self._draw.random() < 0.65:
                self._fill(made, field, depth)
        return made

    def _spoil(self, made):
        """Change a field, however deep it lies."""
        field = self._draw.choice(made.DESCRIPTOR.fields)
        inner = field.type == FieldDescriptor.TYPE_MESSAGE and not field.is_repeated
        if inner and self._draw.random() < 0.8:
            self._spoil(getattr(made, field.name))
        else:
            made.ClearField(field.name)
            self._fill(made, field, 1)

    def _fill(self, made, field, depth):
        values = [self._value(field, depth) for _ in range(self._draw.choice((1, 1, 2, 6)))]
        if field.is_repeated:
            getattr(made, field.name).extend(values)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(made, field.name).CopyFrom(values[0])
        else:
            setattr(made, field.name, values[0])

    def _value(self, field, depth):
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            return self.message(field.message_type, depth + 1)
        if field.type == FieldDescriptor.TYPE_STRING:
            text = "".join(self._draw.choices(_TEXT, k=self._draw.choice((0, 1, 20, 3000))))
            return self._draw.choice((*self._names, text))
        return _SCALARS.get(field.type, _number)(self._draw)


def outcome(channel, method, strange):
    """Send strange messages to a method; returns the status code and the reason, if it refuses."""
    make = getattr(channel, f"{_shape(method.client_streaming)}_{_shape(method.server_streaming)}")
    answer = message_factory.GetMessageClass(method.output_type)
    call = make(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=answer.FromString,
    )
    sent = [strange.message(method.input_type) for _ in range(3 if method.client_streaming else 1)]
    try:
        got = call(iter(sent) if method.client_streaming else sent[0], timeout=PATIENCE)
        if method.server_streaming:
            list(got)
    except grpc.RpcError as error:
        return error.code(), refusal(error).reason
    return grpc.StatusCode.OK, ""


def _shape(streaming):
    return "stream" if streaming else "unary"


@pytest.fixture
def served(make_unit, unit_log):
    """A unit after a good run, the requests that led there, every name in it, and its log."""
    unit, recorder = make_unit(), Recorder()
    provider, requester = (
        PartyClient(
            grpc.intercept_channel(unit.client(party).raw, recorder),
            party,
            unit.house.signed,
            unit.house.flow_id,
        )
        for party in ("bkn", "kemnaker")
    )
    for party in (provider, requester):
        party.contribute()
    registry = provider.tables(20)
    mine = requester.tables(20, same_as=registry)
    published = provider.publish(20, tables=registry)
    listed = requester.publish(20, tables=mine)
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    first = next(iter(mine.values()))
    requester.confirmations.ConfirmRecords(
        confirmation_service_pb2.ConfirmRecordsRequest(
            parent=requester.parent,
            encoding=requester.encoding(),
            pass_id=first.pass_id,
            rows=resources_pb2.TableRows(row_count=10, **first.rows(0, 10)),
        )
    )
    still_open = provider.create(20)
    released = provider.release(1)
    for ask, request in (
        (provider.releases.GetRelease, release_service_pb2.GetReleaseRequest),
        (provider.releases.DeleteRelease, release_service_pb2.DeleteReleaseRequest),
    ):
        ask(request(name=released.name))
    provider.release(2)
    names = [
        requester.parent,
        requester.parent.rpartition("/flows/")[0],
        f"{requester.parent}/editions/{16 * '0'}",
        published.name,
        listed.name,
        still_open.name,
        f"{still_open.name}/tables/{first.pass_id}",
        run.name,
        f"operations/{run.name.rpartition('/')[2]}",
        first.pass_id,
        provider.line(),
        released.name,
    ]
    return unit, recorder.kept, names, unit_log


@pytest.mark.parametrize("seed", range(2))
def test_no_request_is_a_defect(served, seed):
    unit, good, names, log = served
    strange = Strange(random.Random(seed), good, names)
    channels = [unit.client(party).raw for party in ("kemnaker", "bkn", "imigrasi")]
    seen = Counter()
    for _ in range(ROUNDS):
        for method in METHODS:
            for channel in channels:
                code, reason = outcome(channel, method, strange)
                assert code is not grpc.StatusCode.UNKNOWN, method.full_name
                assert reason != "INTERNAL", (method.full_name, log.getvalue()[-2000:])
                seen[reason] += 1
    assert len(seen) > 10, f"strange requests came no further than {seen}"
    assert '"defect"' not in log.getvalue()
    assert "\x1b" not in log.getvalue()
    listing = agreement_service_pb2.ListAgreementsRequest()
    assert unit.client("kemnaker").agreements.ListAgreements(listing).agreements, "it still serves"
