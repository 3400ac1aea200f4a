"""Refusals as ``google.rpc.Status``: the codes that the proto documents, details that help."""

from __future__ import annotations

import pytest
from google.rpc import error_details_pb2

from padan.v1.reason_texts import ServerKind
from padan_server.base.errors import Reason, Refusal, Violation, field_invalid
from padan_server.services.guard.status import grpc_code, status_of

PLACE = {"agreement": "a-2024", "flow": "f", "article": "Pasal 6"}


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_becomes_a_status_with_its_code(reason):
    assert status_of(Refusal(reason), ServerKind.UNIT).code == grpc_code(reason).value[0]


def details(refusal, kind, server=ServerKind.UNIT):
    """The details of one kind."""
    found = []
    for packed in status_of(refusal, server).details:
        if packed.Is(kind.DESCRIPTOR):
            message = kind()
            packed.Unpack(message)
            found.append(message)
    return found


def test_a_refusal_speaks_both_languages_and_names_its_reason():
    refusal = Refusal(Reason.QUOTA_LIST_EXCEEDED, **PLACE, limit=500)
    (info,) = details(refusal, error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain) == ("QUOTA_LIST_EXCEEDED", "padan")
    assert dict(info.metadata) == {**PLACE, "limit": "500"}
    indonesian, english = details(refusal, error_details_pb2.LocalizedMessage)
    assert (indonesian.locale, english.locale) == ("id-ID", "en")
    assert "batas 500 rekaman (Pasal 6)" in indonesian.message
    assert "limit 500 records (Pasal 6)" in english.message
    message = status_of(refusal, ServerKind.UNIT).message
    assert message == f"{indonesian.message} / {english.message}"
    assert not details(refusal, error_details_pb2.RetryInfo)


@pytest.mark.parametrize(
    ("server", "names"),
    [
        (ServerKind.UNIT, ("Unit pemadanan", "The linkage unit")),
        (ServerKind.PROVIDER, ("Server penyedia", "The provider's server")),
    ],
)
def test_a_refusal_names_the_server_that_refuses(server, names):
    found = details(Refusal(Reason.SHUTTING_DOWN), error_details_pb2.LocalizedMessage, server)
    assert [m.message.startswith(name) for m, name in zip(found, names, strict=True)] == [True] * 2


def test_a_refusal_carries_no_field_that_the_table_does_not_name():
    with pytest.raises(TypeError, match="nik"):
        Refusal(Reason.QUOTA_LIST_EXCEEDED, **PLACE, limit=500, nik="3174010101800001")


def test_a_wrong_field_is_named():
    refusal = field_invalid("rows.keys", "salah", "wrong")
    indonesian, english = details(refusal, error_details_pb2.LocalizedMessage)
    assert "rows.keys: salah" in indonesian.message
    assert "rows.keys: wrong" in english.message
    (bad,) = details(refusal, error_details_pb2.BadRequest)
    assert [(v.field, v.description) for v in bad.field_violations] == [("rows.keys", "wrong")]
    violations = [Violation("a", "satu", "one"), Violation("b", "dua", "two")]
    two = Refusal(Reason.FIELD_INVALID, *violations, field="a")
    (bad,) = details(two, error_details_pb2.BadRequest)
    assert [v.field for v in bad.field_violations] == ["a", "b"]


def test_a_retry_is_offered_where_it_is_safe():
    (retry,) = details(Refusal(Reason.STORAGE_FULL), error_details_pb2.RetryInfo)
    assert retry.retry_delay.seconds > 0
