"""Strange requests to every method of the unit: refused by name or served, never a defect."""

from __future__ import annotations

import random
from collections import Counter

import grpc
import pytest
from google.protobuf import message_factory
from parties import PartyClient, refusal
from patience import PATIENCE
from strange_calls import UNIT, Recorder, Strange, methods_of, used_unit

from padan.v1 import agreement_service_pb2

ROUNDS = 25
METHODS = methods_of(UNIT)


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
    names = used_unit(provider, requester)
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
