"""Refusals as ``google.rpc.Status``: the codes that the proto documents, details that help."""

from __future__ import annotations

import re
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2

from padan_server.base.errors import Reason, Refusal, Violation, field_invalid
from padan_server.services.status import grpc_code, status_of

PROTO = Path(__file__).parents[4] / "proto" / "padan" / "v1" / "error_reason.proto"


def documented():
    """Reason → the status that its comment names."""
    found = re.findall(
        r"((?:^  //.*\n)+)^  ERROR_REASON_([A-Z_]+) = ", PROTO.read_text(), flags=re.MULTILINE
    )
    codes = "|".join(c.name for c in grpc.StatusCode)
    named = {name: re.findall(rf"\b({codes})\b", comment) for comment, name in found}
    del named["UNSPECIFIED"]
    return named


def test_the_reasons_are_those_of_the_proto():
    assert [r.value for r in Reason] == list(documented())


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_has_the_status_that_the_proto_documents(reason):
    codes = documented()[reason.value]
    if reason is Reason.RUN_WORKER_FAILED:  # stands in Run.failure_reason, never as a status
        assert codes == []
    else:
        assert codes == [grpc_code(reason).name]


def details(refusal, kind):
    """The details of one kind."""
    found = []
    for packed in status_of(refusal).details:
        if packed.Is(kind.DESCRIPTOR):
            message = kind()
            packed.Unpack(message)
            found.append(message)
    return found


def test_a_refusal_speaks_both_languages_and_names_its_reason():
    refusal = Refusal(
        Reason.AGREEMENT_EXPIRED, "Sudah berakhir.", "It has ended.", metadata={"article": "Ps 6"}
    )
    assert status_of(refusal).message == "Sudah berakhir. / It has ended."
    (info,) = details(refusal, error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain) == ("AGREEMENT_EXPIRED", "padan")
    assert dict(info.metadata) == {"article": "Ps 6"}
    localized = details(refusal, error_details_pb2.LocalizedMessage)
    assert [(m.locale, m.message) for m in localized] == [
        ("id-ID", "Sudah berakhir."),
        ("en", "It has ended."),
    ]
    assert not details(refusal, error_details_pb2.RetryInfo)


def test_a_wrong_field_is_named():
    (bad,) = details(field_invalid("rows.keys", "salah", "wrong"), error_details_pb2.BadRequest)
    assert [(v.field, v.description) for v in bad.field_violations] == [("rows.keys", "wrong")]
    two = Refusal(
        Reason.FIELD_INVALID, "x", "y", violations=[Violation("a", "1"), Violation("b", "2")]
    )
    (bad,) = details(two, error_details_pb2.BadRequest)
    assert [v.field for v in bad.field_violations] == ["a", "b"]


def test_a_retry_is_offered_where_it_is_safe():
    (retry,) = details(Refusal(Reason.STORAGE_FULL, "x", "y"), error_details_pb2.RetryInfo)
    assert retry.retry_delay.seconds > 0
