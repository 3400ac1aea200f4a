"""Errors that the user sees: reasons in words, and nothing of the server's own text."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from padan.v1 import error_reason_pb2
from padan.v1.reason_texts import WORDINGS, ServerKind
from padan_client.base.errors import (
    BusyError,
    MismatchError,
    RefusedError,
    UnavailableError,
)
from padan_client.base.language import set_language
from padan_client.base.reasons import explain
from padan_client.transport.refusals import from_rpc_error, is_lost

PLANTED = "3174010101800001 SITI RAHAYU"


class Failed(grpc.RpcError):
    """A failed call as grpcio shows it."""

    def __init__(self, code, details="", trailing=()):
        self._code, self._details, self._trailing = code, details, trailing

    def code(self):
        return self._code

    def details(self):
        return self._details

    def trailing_metadata(self):
        return self._trailing


def refused_call(
    reason,
    metadata=None,
    domain="padan",
    code=grpc.StatusCode.FAILED_PRECONDITION,
    retry_seconds=None,
):
    info = error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata=metadata or {})
    status = status_pb2.Status(code=code.value[0], message=PLANTED)
    status.details.add().Pack(info)
    if retry_seconds is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(round(retry_seconds * 1000))
        status.details.add().Pack(retry)
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    return Failed(code, PLANTED, trailing)


def refused(reason, metadata=None, domain="padan", server=ServerKind.UNIT, **more):
    return from_rpc_error(refused_call(reason, metadata, domain, **more), server)


@pytest.fixture(params=["id", "en"])
def language(request):
    set_language(request.param)
    yield request.param
    set_language("id")


def test_every_reason_of_the_proto_has_words(language):
    values = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name
    names = {name.removeprefix("ERROR_REASON_") for name in values} - {"UNSPECIFIED"}
    assert set(WORDINGS) == names
    metadata = {"agreement": "a-2024", "flow": "f", "article": "Pasal 6 ayat (1)"}
    for reason in names:
        text = explain(reason, metadata)
        assert "{" not in text
        assert f"[a-2024 / f: {reason}]" in text
        assert "{" not in explain(reason, {})


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("SCHEMA_MISMATCH", "skema"),
        ("NORMALISER_MISMATCH", "penormal"),
        ("KEY_CHECK_MISMATCH", "kunci pemadanan"),
        ("EPOCH_MISMATCH", "epok"),
    ],
)
def test_a_mismatch_says_which_of_them_differs(reason, word):
    error = refused(reason)
    assert isinstance(error, MismatchError)
    assert word in str(error).lower()
    assert error.exit_code == 5


def test_a_refusal_by_the_agreement_names_the_article():
    metadata = {"agreement": "kemnaker-bkn-2024", "flow": "asn-status", "article": "Pasal 6"}
    error = refused("AGREEMENT_EXPIRED", metadata)
    assert isinstance(error, RefusedError)
    assert "Pasal 6" in str(error)
    assert error.reason == "AGREEMENT_EXPIRED"
    assert error.metadata["article"] == "Pasal 6"


def test_a_quota_refusal_gives_the_figures():
    error = refused("QUOTA_DAY_EXCEEDED", {"limit": "1000", "used": "990"})
    assert "1.000" in str(error)
    assert "990" in str(error)


@pytest.mark.parametrize(
    ("server", "own", "other"),
    [
        (ServerKind.UNIT, "linkage unit", "provider"),
        (ServerKind.PROVIDER, "provider's server", "linkage unit"),
    ],
)
def test_an_error_names_the_server_that_was_called(server, own, other):
    set_language("en")
    unavailable = grpc.StatusCode.UNAVAILABLE
    for error in (
        refused("SHUTTING_DOWN", code=unavailable, server=server),
        refused("NO_SUCH_REASON", server=server),
        from_rpc_error(Failed(unavailable), server),
        from_rpc_error(Failed(grpc.StatusCode.DEADLINE_EXCEEDED), server),
        from_rpc_error(Failed(grpc.StatusCode.UNIMPLEMENTED), server),
    ):
        assert own in str(error)
        assert other not in str(error)
        assert "{" not in str(error)
    set_language("id")


def test_a_quota_counts_what_the_server_counts():
    metadata = {"limit": "1000", "used": "990"}
    assert "1.000 rekaman" in str(refused("QUOTA_DAY_EXCEEDED", metadata))
    provider = refused("QUOTA_DAY_EXCEEDED", metadata, server=ServerKind.PROVIDER)
    assert "1.000 elemen" in str(provider)


@pytest.mark.parametrize("code", list(grpc.StatusCode))
def test_the_servers_free_text_is_never_shown(code):
    for error in (
        from_rpc_error(Failed(code, PLANTED)),
        refused("FIELD_INVALID", code=code),
        refused("NO_SUCH_REASON", code=code),
        refused("lower case; " + PLANTED, code=code),
        refused("SCHEMA_MISMATCH", domain="elsewhere", code=code),
    ):
        assert PLANTED not in str(error)
        assert PLANTED not in repr(error)


def test_hostile_metadata_is_dropped():
    error = refused(
        "QUOTA_DAY_EXCEEDED", {"limit": "\x1b[2J" * 5, "used": "x" * 200, "Bad Key": "1"}
    )
    assert error.metadata == {}
    assert "\x1b" not in str(error)


@pytest.mark.parametrize("content", [b"", b"\xff\xff\xff", b"\x0a"])
def test_details_that_cannot_be_read_are_as_none(content):
    error = from_rpc_error(
        Failed(grpc.StatusCode.UNAVAILABLE, "", (("grpc-status-details-bin", content),))
    )
    assert isinstance(error, UnavailableError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, UnavailableError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, UnavailableError),
        (grpc.StatusCode.INTERNAL, UnavailableError),
        (grpc.StatusCode.UNIMPLEMENTED, RefusedError),
    ],
)
def test_errors_of_grpc_itself(code, kind):
    assert isinstance(from_rpc_error(Failed(code)), kind)


def test_a_shutdown_is_worth_another_try():
    for reason in ("SHUTTING_DOWN", "STORE_BUSY"):
        assert isinstance(refused(reason, code=grpc.StatusCode.UNAVAILABLE), UnavailableError)


def test_a_call_that_did_not_get_through_is_told_from_a_refused_one():
    unavailable = grpc.StatusCode.UNAVAILABLE
    assert is_lost(Failed(unavailable))
    assert is_lost(Failed(unavailable, "", (("grpc-status-details-bin", b"\xff"),)))
    assert not is_lost(Failed(grpc.StatusCode.INTERNAL))
    assert not is_lost(refused_call("SHUTTING_DOWN", code=unavailable))


@pytest.mark.parametrize("reason", ["TOO_MANY_CALLS", "CALL_RATE_EXCEEDED", "STORE_BUSY"])
@pytest.mark.parametrize(("told", "kept"), [(1.5, 1.5), (0, 0.05), (1e6, 60.0)])
def test_when_to_ask_again_is_the_server_s_word_within_bounds(reason, told, kept):
    error = refused(reason, retry_seconds=told)
    assert isinstance(error, BusyError)
    assert (error.reason, error.retry_seconds) == (reason, kept)


def test_a_quota_is_not_waited_for():
    assert isinstance(refused("QUOTA_DAY_EXCEEDED", retry_seconds=1), RefusedError)
