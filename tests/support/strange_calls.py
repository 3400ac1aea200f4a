"""Requests that nobody's client makes: random, good but for a field or two, or bytes changed.

For tests in process and for the command (``tests/fuzz/calls.py``) alike.
"""

from __future__ import annotations

import string
import uuid
from collections import defaultdict

import grpc
from direct_party import asked
from google.longrunning import operations_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor

from padan.v1 import (
    agreement_service_pb2,
    confirmation_service_pb2,
    dataset_service_pb2,
    direct_service_pb2,
    release_service_pb2,
    resources_pb2,
    run_service_pb2,
)

UNIT = (
    agreement_service_pb2,
    confirmation_service_pb2,
    dataset_service_pb2,
    run_service_pb2,
    operations_pb2,
    release_service_pb2,
)
PROVIDER = agreement_service_pb2, direct_service_pb2


def methods_of(files):
    """All methods of the services of some files."""
    return [
        method
        for file in files
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


class Recorder(
    grpc.UnaryUnaryClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Keeps the requests of good calls by type, to make strange ones of them."""

    def __init__(self):
        self.kept = defaultdict(list)

    def _keep(self, message):
        self.kept[message.DESCRIPTOR.full_name].append(message)
        return message

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(client_call_details, self._keep(request))

    intercept_unary_stream = intercept_unary_unary

    def intercept_stream_unary(self, continuation, client_call_details, request_iterator):
        return continuation(client_call_details, map(self._keep, request_iterator))

    intercept_stream_stream = intercept_stream_unary


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


def used_unit(provider, requester, release=1):
    """A whole run, questions and releases; every name in it, to be put where it does not belong.

    ``release``: the version of the first of two; 0 for none.
    """
    for party in (provider, requester):
        party.contribute()
    registry = provider.tables(20)
    mine = requester.tables(20, same_as=registry)
    published = provider.publish(20, tables=registry)
    listed = requester.publish(20, tables=mine)
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    list(requester.runs.StreamResults(run_service_pb2.StreamResultsRequest(name=run.name)))
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
    return [
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
        *(_released(provider, release) if release else ()),
    ]


def _released(provider, version):
    """Two releases, the first of which was looked at and deleted; its name."""
    made = provider.release(version)
    provider.releases.GetRelease(release_service_pb2.GetReleaseRequest(name=made.name))
    provider.releases.DeleteRelease(release_service_pb2.DeleteReleaseRequest(name=made.name))
    provider.release(version + 1)
    return [made.name]


def used_provider(requester, mark=""):
    """A list of direct mode that was evaluated, and a table downloaded; every name in it."""
    tables = requester.direct.ListLabelTables(
        direct_service_pb2.ListLabelTablesRequest(parent=requester.parent)
    ).label_tables
    name = tables[0].name
    list(requester.direct.DownloadLabelTable(
        direct_service_pb2.DownloadLabelTableRequest(name=name)
    ))  # fmt: skip
    mine = asked(20, mark)
    listed = mine.commit(requester)
    requester.direct.EvaluateElements(mine.message(listed.name, 0))
    list(requester.direct.EvaluateElementStream(iter([mine.message(listed.name, 0)])))
    agreement = requester.parent.rpartition("/flows/")[0]
    return [requester.parent, agreement, name, listed.name]
